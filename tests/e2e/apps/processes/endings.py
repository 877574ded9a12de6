"""Ways in which a program ends: what is still run, and the status that its parent sees."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import signal
import sys
import threading
import time
import warnings

KEPT: list[object] = []


def numbers():  # type: ignore[no-untyped-def]
    """A generator that is never run to its end."""
    try:
        yield 1
        yield 2
    finally:
        print("generator ends")


@contextlib.contextmanager
def resource():  # type: ignore[no-untyped-def]
    """What is to be given back."""
    with open(os.devnull, "w") as file:
        try:
            yield file
        finally:
            print("resource is given back", file.closed)


async def wait() -> None:
    """A coroutine that is left waiting."""
    try:
        await asyncio.Future()
    finally:
        print("coroutine ends")


def generators() -> None:
    """Suspended at the end: one in a global name, one in a context manager, one that never began."""
    global one, two, three
    one = numbers()
    next(one)
    two = resource()
    two.__enter__()
    three = numbers()
    atexit.register(print, "atexit")


def coroutine() -> None:
    """As an event loop leaves it that was stopped."""
    five = wait()
    with contextlib.suppress(StopIteration):
        loop = asyncio.new_event_loop()
        asyncio._set_running_loop(loop)
        five.send(None)
        asyncio._set_running_loop(None)
    KEPT.append(five)


def daemon() -> None:
    """A thread that goes on while the program ends, and what it iterates over."""

    def work() -> None:
        for _ in numbers():
            while True:
                sys.stdout.write("")
                time.sleep(0)

    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.05)
    print("main ends")


def waited() -> None:
    """A thread that is no daemon is waited for."""
    threading.Thread(target=lambda: (time.sleep(0.2), print("thread ends"))).start()
    print("main ends")


def fork_in_thread() -> None:
    """A child that is made by a thread, ends by returning, by sys.exit and by os._exit."""

    def make() -> None:
        for end in (lambda: None, lambda: sys.exit(3), lambda: os._exit(4)):
            sys.stdout.flush()
            with warnings.catch_warnings(action="ignore"):  # that the process has threads
                child = os.fork()
            if child == 0:
                print("child", threading.current_thread() is threading.main_thread(), flush=True)
                end()
                return
            print(os.waitpid(child, 0)[1], flush=True)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()


def fork() -> None:
    """A child that ends like its parent: its own atexit and buffers."""
    atexit.register(lambda: print("atexit", os.getpid() == parent))
    parent = os.getpid()
    sys.stdout.flush()
    child = os.fork()
    if child:
        print(os.waitpid(child, 0)[1])


def interrupted() -> None:
    """SIGINT, not caught."""
    atexit.register(print, "atexit")
    signal.raise_signal(signal.SIGINT)


def terminated() -> None:
    """SIGTERM, which python leaves to the system."""
    print("flushed", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(10)


def closed_output() -> None:
    """What was printed cannot be written."""
    os.close(1)
    print("lost")


if __name__ == "__main__":
    globals()[sys.argv[1]]()
