"""Functions, classes and instances wrapped by the C proxies; imports and modules patched; signatures kept."""

from __future__ import annotations

import functools
import inspect
import sys

import wrapt
from wrapt import wrappers


@wrapt.decorator
def traced(wrapped: object, instance: object, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
    print("call", wrapped.__name__, type(instance).__name__, args, kwargs)
    return wrapped(*args, **kwargs)


@traced
def add(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


class Thing:
    @traced
    def method(self, x: int) -> int:
        return x

    @traced
    @classmethod
    def of(cls) -> str:
        return cls.__name__

    @traced
    @staticmethod
    def still() -> str:
        return "still"


class Proxy(wrapt.ObjectProxy):
    """Adds an attribute of its own."""

    _self_note = "note"

    @property
    def note(self) -> str:
        return self._self_note


def main() -> None:
    print(wrappers.__file__, wrapt.ObjectProxy.__module__, wrapt.__version__)
    print(
        add(1),
        Thing().method(3),
        Thing.of(),
        Thing().still(),
        inspect.signature(add),
        add.__doc__,
        add.__wrapped__(5),
    )
    proxy = Proxy([1, 2])
    proxy.append(3)
    print(
        proxy,
        proxy.note,
        isinstance(proxy, list),
        proxy + [4],
        len(proxy),
        proxy == [1, 2, 3],
        type(proxy).__name__,
        proxy.__class__,
    )
    proxy += [9]
    print(
        proxy,
        bool(Proxy(0)),
        int(Proxy(5)) + Proxy(2),
        hash(Proxy("x")) == hash("x"),
        inspect.getsource(add).splitlines()[0],
    )

    @wrapt.when_imported("colorsys")
    def patch(module: object) -> None:
        wrapt.wrap_function_wrapper(
            module,
            "rgb_to_hsv",
            lambda wrapped, instance, args, kwargs: tuple(round(one, 3) for one in wrapped(*args)),
        )

    sys.modules.pop("colorsys", None)
    import colorsys

    print(colorsys.rgb_to_hsv(0.2, 0.4, 0.7), colorsys.__spec__.name, colorsys.__file__)
    memo = wrapt.PartialCallableObjectProxy(add, 10)
    print(memo(), functools.partial(memo, 5)())

    @wrapt.synchronized
    def locked() -> str:
        return "locked"

    print(locked(), wrapt.resolve_path("os", "path.join")[1])
    with wrapt.synchronized(memo):
        pass
    reference = wrapt.WeakFunctionProxy(locked)
    print(reference())
