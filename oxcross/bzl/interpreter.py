"""PythonInterpreterConfig, and what its fields come to in ``[tool.oxcross]``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from oxcross.bzl.values import Value
from oxcross.errors import ConfigError

_RUNS: Final = {"run_command": "run-command", "run_filename": "run-file", "run_module": "run-module"}
# Fields that have a key of their own: its name, and the value by the field's.
_KEYS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "filesystem_importer": ("filesystem-importer", bool),
    "multiprocessing_auto_dispatch": ("child-python", bool),
    "sys_frozen": ("sys-frozen", bool),
    "sys_meipass": ("sys-meipass", bool),
    "configure_locale": ("locale", bool),
    "development_mode": ("dev-mode", bool),
    "isolated": ("isolated", bool),
    "use_environment": ("isolated", lambda value: not value),
    "utf8_mode": ("utf8-mode", bool),
    "buffered_stdio": ("unbuffered", lambda value: not value),
    "bytes_warning": ("bytes-warning", ("none", "warn", "raise").index),
    "fault_handler": ("faulthandler", bool),
    "hash_seed": ("hash-seed", int),
    "inspect": ("inspect", bool),
    "interactive": ("inspect", bool),
    "quiet": ("quiet", bool),
    "site_import": ("site", bool),
    "verbose": ("verbose", int),
    "warn_options": ("warnings", list),
    "x_options": ("x-options", list),
}
_OPTIONS: Final = {"import_time": "importtime", "tracemalloc": "tracemalloc"}


class PythonInterpreterConfig(Value):
    """See symbols.toml."""

    kind = "PythonInterpreterConfig"

    def set(self, name: str, value: Any) -> None:
        """As Value's; what has another meaning here is told or refused at once."""
        if name == "run_filename" and isinstance(value, str):
            self._check_script(value)
        if name == "optimization_level" and value not in (None, 0, 1, 2):
            raise ConfigError(f"{self.kind}.{name} cannot be {value!r}", hint="it must be 0, 1, 2 or None")
        super().set(name, value)
        if name == "allocator_backend" and value in ("jemalloc", "snmalloc", "rust"):
            self.world.warn(
                f"{value} is not there: CPython's own allocator serves, or mimalloc if you ask for it"
            )
        if (
            name == "allocator"
            and value
            and value not in ("not-set", "default", "malloc", "pymalloc", "py-malloc")
        ):
            self.world.warn(
                f"{self.kind}.{name} {value!r} changes nothing here: development_mode checks allocations"
            )
        if name == "module_search_paths" and value:
            self.set("filesystem_importer", value=True)

    def _check_script(self, name: str) -> None:
        script = Path(self.world.folder, name)
        if "$ORIGIN" in name or not script.is_file():
            hint = "run_filename names a script to embed; it must lie in the file's folder"
            raise ConfigError(f"there is no script {name!r}", hint=hint)
        if not script.resolve().is_relative_to(self.world.folder.resolve()):
            hint = "run_filename names a script to embed; it must lie in the file's folder"
            raise ConfigError(f"the script lies elsewhere: {name!r}", hint=hint)

    def run(self) -> dict[str, Any]:
        """What the executable does when it is started, as a key of ``[tool.oxcross]``."""
        given = [name for name in _RUNS if self.attributes[name]]
        if len(given) > 1:
            names = " and ".join(given)
            raise ConfigError(f"{names} exclude each other", hint="keep the one that is to run")
        if not given:
            return {"repl": True}
        value = self.attributes[given[0]]
        if given[0] == "run_filename":
            value = (
                Path(self.world.folder, value).resolve().relative_to(self.world.folder.resolve()).as_posix()
            )
        return {_RUNS[given[0]]: value}

    def table(self) -> dict[str, Any]:
        """``[tool.oxcross.interpreter]``: what the file sets; the rest is as oxcross has it."""
        table: dict[str, Any] = {}
        if self.attributes["config_profile"] == "python":
            table |= {"isolated": False, "site": True}
        for name, (key, convert) in _KEYS.items():
            if name in self.changed and self.attributes[name] is not None:
                table[key] = convert(self.attributes[name])
        if self.attributes["module_search_paths"]:
            paths = self.attributes["module_search_paths"]
            table["sys-path"] = list(paths)
        for name, option in _OPTIONS.items():
            if self.attributes[name]:
                table["x-options"] = [*table.get("x-options", []), option]
        if self.attributes["allocator_backend"] == "mimalloc":
            table["allocator"] = "mimalloc"
        elif self.attributes["allocator"] == "malloc":
            table["allocator"] = "malloc"
        return table
