"""A Project's run and interpreter options as the blob's settings, which the launcher reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from oxcross.pack import Key, Run, Setting

if TYPE_CHECKING:
    from oxcross.project import Project

_RUN: Final = {
    "entry-point": Run.ENTRY_POINT,
    "module": Run.MODULE,
    "file": Run.FILE,
    "command": Run.COMMAND,
    "repl": Run.REPL,
}

_NUMBERS: Final = {  # attribute of [tool.oxcross.interpreter] -> key; None is left to the launcher
    "utf8_mode": Key.UTF8_MODE,
    "isolated": Key.ISOLATED,
    "hash_seed": Key.HASH_SEED,
    "dev_mode": Key.DEV_MODE,
    "unbuffered": Key.UNBUFFERED,
    "faulthandler": Key.FAULTHANDLER,
    "verbose": Key.VERBOSE,
    "quiet": Key.QUIET,
    "inspect": Key.INSPECT,
    "bytes_warning": Key.BYTES_WARNING,
    "int_max_str_digits": Key.INT_MAX_STR_DIGITS,
    "locale": Key.LOCALE,
    "site": Key.SITE,
}

_LISTS: Final = {"warnings": Key.WARNING, "x_options": Key.XOPTION, "sys_path": Key.SYS_PATH}


def settings(project: Project, stdlib: str) -> list[Setting]:
    """The settings in the order of their keys; ``stdlib`` is its folder below the mount point."""
    return sorted(_settings(project, stdlib), key=lambda setting: setting.key)


def _settings(project: Project, stdlib: str) -> Iterator[Setting]:
    options = project.interpreter
    yield Setting(Key.RUN_KIND, int(_RUN[project.run.kind]))
    yield Setting(Key.RUN_TARGET, text=project.run.value)
    yield Setting(Key.APP_NAME, text=project.name)
    yield Setting(Key.APP_VERSION, text=project.version)
    yield Setting(Key.STDLIB, text=stdlib)
    yield Setting(Key.OPTIMIZE, project.optimize)
    yield Setting(Key.EXIT, int(options.exit == "full"))
    yield Setting(Key.ALLOCATOR, int(options.allocator == "malloc"))
    for name, key in _NUMBERS.items():
        value = getattr(options, name)
        if value is not None:
            yield Setting(key, int(value))
    for name, key in _LISTS.items():
        for text in getattr(options, name):
            yield Setting(key, text=text)
