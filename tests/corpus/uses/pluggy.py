"""Hooks, wrappers, ordering, historic calls, and plugins out of entry points."""

from __future__ import annotations

from collections.abc import Generator

import pluggy

specification = pluggy.HookspecMarker("corpus")
implementation = pluggy.HookimplMarker("corpus")


class Specification:
    @specification
    def total(self, numbers: list[int]) -> int: ...

    @specification(firstresult=True)
    def first(self, name: str) -> str | None: ...

    @specification(historic=True)
    def told(self, what: str) -> None: ...


class Adds:
    @implementation
    def total(self, numbers: list[int]) -> int:
        return sum(numbers)

    @implementation
    def first(self, name: str) -> str | None:
        return None


class Wraps:
    @implementation(wrapper=True)
    def total(self, numbers: list[int]) -> Generator[None, list[int], list[int]]:
        result = yield
        return [one * 10 for one in result]

    @implementation(trylast=True)
    def first(self, name: str) -> str | None:
        return f"found {name}"

    @implementation
    def told(self, what: str) -> None:
        print("told", what)


def main() -> None:
    manager = pluggy.PluginManager("corpus")
    manager.add_hookspecs(Specification)
    manager.register(Adds(), name="adds")
    manager.hook.told.call_historic(kwargs={"what": "early"})
    manager.register(Wraps(), name="wraps")
    manager.enable_tracing()
    manager.trace.root.setwriter(lambda text: print("trace", text.strip()))
    print(manager.hook.total(numbers=[1, 2]), manager.hook.first(name="x"))
    print(manager.list_name_plugin()[0][0], [one.plugin_name for one in manager.hook.total.get_hookimpls()])
    manager.unregister(name="wraps")
    print(manager.hook.total(numbers=[1, 2]))
    try:
        manager.register(type("Bad", (), {"total": implementation(lambda self, other: 1)})(), name="bad")
    except pluggy.PluginValidationError as error:
        print(str(error).splitlines()[-1])
    print(
        manager.load_setuptools_entrypoints("pytest11"),
        sorted(name for name, _ in manager.list_name_plugin())[:3],
    )
    print(sorted({distribution.project_name for _, distribution in manager.list_plugin_distinfo()}))
