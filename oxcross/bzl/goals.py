"""The targets of a configuration file, which PyOxidizer calls so too: named functions, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from oxcross.bzl.values import Call, Calls, Function, file_name
from oxcross.bzl.world import World
from oxcross.config.findings import shown
from oxcross.errors import ConfigError, nearest


@dataclass(frozen=True)
class Goal:
    """A registered target."""

    name: str
    function: Function
    depends: Sequence[str]


class Goals:
    """What is registered, in order, and what was resolved."""

    def __init__(self, world: World, wanted: str | None) -> None:
        self.world = world
        self.wanted = wanted
        self.default: str | None = None
        self.known: dict[str, Goal] = {}
        self.resolved: dict[str, Any] = {}
        self._under_way: list[str] = []

    def register_target(
        self,
        name: str,
        fn: Function,
        depends: list[str] | None = None,
        default: bool = False,
        default_build_script: bool = False,  # noqa: ARG002 (PyOxidizer's signature)
    ) -> None:
        """Starlark's register_target."""
        self.known[file_name("a target's name", name)] = Goal(name, fn, tuple(depends or ()))
        if default:
            self.default = name

    def resolve_target(self, target: str) -> Calls:
        """Starlark's resolve_target: the value of a target, each made once."""
        if target in self.resolved:
            return self.resolved[target]
        if target not in self.known:
            raise ConfigError(f"there is no target {target!r}", hint=self.choices(target))
        if target in self._under_way:
            circle = " -> ".join([*self._under_way[self._under_way.index(target) :], target])
            raise ConfigError(f"targets depend on each other: {circle}", hint="break the circle")
        self._under_way.append(target)
        for name in self.known[target].depends:
            yield from self.resolve_target(name)
        values = [self.resolved[name] for name in self.known[target].depends]
        self.resolved[target] = yield Call(self.known[target].function, values)
        self._under_way.pop()
        return self.resolved[target]

    def resolve_targets(self) -> Calls:
        """Starlark's resolve_targets: what the command line asks for, or the default."""
        yield from self.resolve_target(self.name())

    def name(self) -> str:
        """The target that is to be built. ConfigError when none is registered."""
        if not self.known:
            hint = "write register_target(NAME, FUNCTION) before resolve_targets()"
            raise ConfigError("no target is registered", where=shown(self.world.file), hint=hint)
        return self.wanted or self.default or next(iter(self.known))

    def value(self) -> Any:
        """What that target came to. ConfigError when the file does not resolve it."""
        name = self.name()
        if name not in self.resolved:
            if name not in self.known:
                raise ConfigError(
                    f"there is no target {name!r}", where=shown(self.world.file), hint=self.choices(name)
                )
            hint = "resolve_targets() must be its last line"
            raise ConfigError(f"the file does not resolve {name!r}", where=shown(self.world.file), hint=hint)
        return self.resolved[name]

    def choices(self, name: str) -> str:
        """A hint for a name that is none."""
        return nearest(name, self.known) if self.known else "no target is registered"
