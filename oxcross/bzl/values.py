"""What a configuration file holds: objects with attributes and methods, as ``symbols.toml`` has them."""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from oxcross.bzl import symbols
from oxcross.bzl.symbols import Symbol
from oxcross.errors import ConfigError, nearest

if TYPE_CHECKING:
    from oxcross.bzl.world import World

_NAMES = {bool: "bool", int: "int", str: "str", list: "list", dict: "dict", type(None): "None"}


@dataclass(frozen=True)
class Function:
    """A function of the file, by its number there."""

    number: int


@dataclass(frozen=True)
class Call:
    """What a method yields to have a function of the file called; it is sent what that returns."""

    function: Function
    arguments: Sequence[Any]


Calls = typing.Generator[Call, Any, Any]


class Value:
    """An object. Its methods have the names that the table has, and are generators where they call functions of the file."""

    kind: ClassVar[str]

    def __init__(self, world: World, **attributes: Any) -> None:
        self.world = world
        self.attributes: dict[str, Any] = {
            name: list(row.default) if isinstance(row.default, list) else row.default
            for name, row in self.rows.attributes.items()
        } | attributes
        self.changed: set[str] = set()

    @property
    def rows(self) -> symbols.Type:
        """What the table says of its type."""
        return symbols.types()[self.kind]

    def get(self, name: str) -> Any:
        """An attribute's value; a copy, as in PyOxidizer."""
        value: Any = self.attributes[name]
        return value.copy() if isinstance(value, list | dict) else value

    def set(self, name: str, value: Any) -> None:
        """Set an attribute; what has no effect is told, what has none here is an error."""
        row = self.rows.attributes.get(name)
        if row is None:
            raise self.unknown(name)
        where = f"{self.kind}.{name}"
        if row.state == "refused":
            raise ConfigError(f"{where} is not for oxcross", hint=row.does)
        _check(where, row, value)
        if row.state == "noted" and value != row.default:
            self.world.warn(f"{where} changes nothing here: {row.does}")
        self.attributes[name] = value
        self.changed.add(name)

    def has(self, name: str) -> bool:
        """Whether there is an attribute or method of that name."""
        return name in self.rows.attributes or name in self.rows.methods

    def method(self, name: str) -> Callable[..., Any]:
        """A method, as it is called with what stands in the file."""
        if name not in self.rows.methods:
            raise self.unknown(name)
        row = self.rows.methods[name]
        where = f"{self.kind}.{name}"
        if row.state != "works":
            return unavailable(self.world, where, row)
        return checked(where, getattr(self, name))

    def unknown(self, name: str) -> ConfigError:
        """The error for a name that the type does not have."""
        known = [*self.rows.attributes, *self.rows.methods]
        near = nearest(name, known)
        hint = near if near.startswith("did you") else "docs/pyoxidizer.md has what it has"
        return ConfigError(f"a {self.kind} has no {name!r}", hint=hint)


def file_name(where: str, name: str) -> str:
    """A name that becomes a file's. ConfigError for one that cannot."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]*", name):
        hint = "letters, digits and ._+- make a file's name"
        raise ConfigError(f"{where} cannot be {name!r}", hint=hint)
    return name


def unavailable(world: World, where: str, row: Symbol) -> Callable[..., None]:
    """What stands in for a function that does nothing here, or is refused."""

    def call(*_args: Any, **_named: Any) -> None:
        if row.state == "refused":
            raise ConfigError(f"{where} is not for oxcross", hint=row.does)
        world.warn(f"{where} changes nothing here: {row.does}")

    return call


def checked(where: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which first looks at its arguments, by its annotations. ConfigError for what does not fit."""
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)

    def call(*args: Any, **named: Any) -> Any:
        try:
            bound = signature.bind(*args, **named)
        except TypeError as error:
            names = ", ".join(signature.parameters)
            raise ConfigError(f"{where}: {error}", hint=f"its arguments: {names}") from None
        for name, value in bound.arguments.items():
            if not _fits(value, hints[name]):
                raise ConfigError(
                    f"{where}: {name} is {_shown(value)}", hint=f"it must be {_said(hints[name])}"
                )
        return function(*args, **named)

    return call


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return True
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is list:
        return isinstance(value, list) and all(_fits(one, inner[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(_fits(one, inner[1]) for one in value.values())
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint or type(None))


def _said(hint: Any) -> str:
    """A type, for people."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_said(one) for one in inner)
    if origin is list:
        return f"a list of {_said(inner[0])}"
    if origin is dict:
        return f"a dict of {_said(inner[1])}"
    if isinstance(hint, type) and issubclass(hint, Value):
        return hint.kind
    return "a function" if hint is Function else _NAMES.get(hint, "None")


def _shown(value: Any) -> str:
    """A value, for people."""
    if isinstance(value, Value):
        return f"a {value.kind}"
    return "a function" if isinstance(value, Function) else repr(value)


def _check(where: str, row: Symbol, value: Any) -> None:
    """ConfigError when a value is none of those that the table allows."""
    name = _NAMES.get(type(value))
    texts = [one for one in row.types if one not in _NAMES.values()]
    if name in row.types or (isinstance(value, str) and value in texts):
        return
    if isinstance(value, str) and texts:
        raise ConfigError(f"{where} cannot be {value!r}", hint=nearest(value, texts))
    allowed = " or ".join(repr(one) if one in texts else one for one in row.types)
    raise ConfigError(f"{where} cannot be {_shown(value)}", hint=f"it must be {allowed}")
