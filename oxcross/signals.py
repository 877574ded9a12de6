"""SIGTERM and SIGHUP end oxcross as Ctrl-C does: by an exception, so that everything is cleaned up.

A CI system that stops a job sends SIGTERM, a terminal that closes SIGHUP.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOBODYS = (signal.SIG_DFL, signal.default_int_handler)


class Stopped(SystemExit):
    """A signal asked oxcross to end. Its status is what a shell says of who was ended by that signal."""

    def __init__(self, number: int) -> None:
        self.status = 128 + number
        super().__init__(self.status)
        self.name = signal.Signals(number).name


@contextmanager
def unwinding() -> Iterator[None]:
    """Within, SIGTERM and SIGHUP raise Stopped, and Ctrl-C raises KeyboardInterrupt, in the main thread.

    The first of them is the last that is heard, by the programs that are started to clean up, too. What is ignored already
    (nohup(1)) or handled by somebody else stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ours = {one: found for one in _ENDING if (found := signal.getsignal(one)) in _NOBODYS}
    ending: list[BaseException] = []

    def leave(number: int, _frame: object) -> None:
        for one in ours:
            signal.signal(one, signal.SIG_IGN)
        ending.append(KeyboardInterrupt() if number == signal.SIGINT else Stopped(number))
        raise ending[0]

    for one in ours:
        signal.signal(one, leave)
    try:
        yield
    except Exception:
        if ending:  # cleaning up had its own trouble: a terminal that is gone cannot be written to
            raise ending[0] from None
        raise
    finally:
        for one, before in ours.items():
            signal.signal(one, before)
