"""Greenlets switched, nested, thrown into, traced, collected, and kept apart by threads."""

from __future__ import annotations

import contextvars
import gc
import threading
import weakref

import greenlet

NAME = contextvars.ContextVar("name", default="none")


def deep(number: int) -> int:
    return number if number == 0 else 1 + deep(number - 1)


def main() -> None:
    print(greenlet.__version__, greenlet._greenlet.__file__)
    seen: list[object] = []

    def ping(value: int) -> str:
        while value < 5:
            seen.append(value)
            value = other.switch(value + 1)
        return "done"

    def pong(value: int) -> None:
        while True:
            value = one.switch(value + 1)

    one, other = greenlet.greenlet(ping), greenlet.greenlet(pong)
    print(one.switch(0), seen, one.dead, other.dead, bool(other))

    def fails() -> None:
        try:
            greenlet.getcurrent().parent.switch("waiting")
        except KeyError:
            raise ValueError("from within") from None

    broken = greenlet.greenlet(fails)
    print(broken.switch())
    try:
        broken.throw(KeyError("x"))
    except ValueError as error:
        print(error)
    many = [greenlet.greenlet(deep) for _ in range(200)]
    print(sum(g.switch(n) for n, g in enumerate(many)))
    events: list[str] = []
    greenlet.settrace(lambda event, args: events.append(event))
    greenlet.greenlet(lambda: None).switch()
    greenlet.settrace(None)
    print(events)
    context = greenlet.greenlet(lambda: NAME.get())
    context.gr_context = contextvars.copy_context()
    context.gr_context.run(NAME.set, "inner")
    print(context.switch(), NAME.get())
    stopped = greenlet.greenlet(lambda: greenlet.getcurrent().parent.switch())
    stopped.switch()
    reference = weakref.ref(stopped)
    del stopped
    gc.collect()
    print(reference() is None)
    errors: list[str] = []

    def elsewhere() -> None:
        try:
            one_more.switch()
        except greenlet.error as error:
            errors.append(str(error).strip())

    one_more = greenlet.greenlet(lambda: None)
    one_more.parent = greenlet.getcurrent()
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    print(errors)
