"""OxidizedResource: one named thing and what is known of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected bool, not {type(value).__name__}")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected str, not {type(value).__name__}")
    return value


def _data(value: Any) -> bytes:
    return bytes(memoryview(value))  # TypeError for what is not bytes-like


def _path(value: Any) -> Path:
    return Path(os.fsdecode(value))


def _names(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"expected list, not {type(value).__name__}")
    return [_name(one) for one in value]


def _mapping(convert: Callable[[Any], Any]) -> Callable[[object], dict[str, Any]]:
    def check(value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise TypeError(f"expected dict, not {type(value).__name__}")
        return {_name(name): convert(one) for name, one in value.items()}

    return check


class _Field:
    """An attribute that is checked when it is set, and given as a copy. A value may come as a function that makes it."""

    def __init__(self, check: Callable[[Any], Any], default: object = None) -> None:
        self.check = check
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: "OxidizedResource | None", owner: type) -> Any:
        if instance is None:
            return self
        value = instance._values.get(self.name, self.default)
        if callable(value):
            value = instance._values[self.name] = value()
        return value.copy() if isinstance(value, (dict, list)) else value

    def __set__(self, instance: "OxidizedResource", value: object) -> None:
        nothing = value is None and self.default is None
        instance._values[self.name] = None if nothing else self.check(value)

    def __delete__(self, instance: "OxidizedResource") -> None:
        raise AttributeError(f"{self.name} cannot be deleted")


class OxidizedResource:
    """A module, package, extension module or shared library, with what belongs to it."""

    __slots__ = ("_values",)

    is_module = _Field(_flag, default=False)
    is_builtin_extension_module = _Field(_flag, default=False)
    is_frozen_module = _Field(_flag, default=False)
    is_extension_module = _Field(_flag, default=False)
    is_shared_library = _Field(_flag, default=False)
    name = _Field(_name, default="")
    is_package = _Field(_flag, default=False)
    is_namespace_package = _Field(_flag, default=False)
    in_memory_source = _Field(_data)
    in_memory_bytecode = _Field(_data)
    in_memory_bytecode_opt1 = _Field(_data)
    in_memory_bytecode_opt2 = _Field(_data)
    in_memory_extension_module_shared_library = _Field(_data)
    in_memory_package_resources = _Field(_mapping(_data))
    in_memory_distribution_resources = _Field(_mapping(_data))
    in_memory_shared_library = _Field(_data)
    shared_library_dependency_names = _Field(_names)
    relative_path_module_source = _Field(_path)
    relative_path_module_bytecode = _Field(_path)
    relative_path_module_bytecode_opt1 = _Field(_path)
    relative_path_module_bytecode_opt2 = _Field(_path)
    relative_path_extension_module_shared_library = _Field(_path)
    relative_path_package_resources = _Field(_mapping(_path))
    relative_path_distribution_resources = _Field(_mapping(_path))

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f'<OxidizedResource name="{self.name}">'

    def _copy(self) -> "OxidizedResource":
        copy = OxidizedResource()
        copy._values = self._values.copy()
        return copy

    def _bytecode(self, level: int) -> tuple[bytes | None, Path | None]:
        """The bytecode for an optimisation level: as bytes, or the relative path of a .pyc file."""
        suffix = f"_opt{level}" if level else ""
        data = getattr(self, f"in_memory_bytecode{suffix}")
        return data, getattr(self, f"relative_path_module_bytecode{suffix}")
