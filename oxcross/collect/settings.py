"""The launcher's settings and the manifest of an executable, from the project and what was collected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import oxcross
from oxcross.collect import contained
from oxcross.collect.collected import Collected
from oxcross.collect.stdlib import folder
from oxcross.pack.format import Key, Run
from oxcross.pack.writer import Setting
from oxcross.project import Project
from oxcross.targets import Target

MANIFEST_FORMAT = 1

_RUN: Mapping[str, Run] = {
    "entry-point": Run.ENTRY_POINT,
    "module": Run.MODULE,
    "file": Run.FILE,
    "command": Run.COMMAND,
    "repl": Run.REPL,
    "commands": Run.COMMANDS,
}


def settings(project: Project, collected: Collected) -> list[Setting]:
    """What the launcher is told, in the order of the keys (launcher/resources.h says what each means)."""
    return sorted(_settings(project, collected), key=lambda setting: setting.key)


def _settings(project: Project, collected: Collected) -> Iterator[Setting]:
    interpreter = project.interpreter
    yield Setting(Key.RUN_KIND, _RUN[project.run.kind])
    yield Setting(Key.RUN_TARGET, text=project.run.value)
    yield Setting(Key.APP_NAME, text=project.name)
    yield Setting(Key.APP_VERSION, text=project.version)
    yield Setting(Key.STDLIB, text=folder(str(collected.facts["version"])))
    yield Setting(Key.OPTIMIZE, project.optimize)
    numbers = {
        Key.UTF8_MODE: interpreter.utf8_mode,
        Key.ISOLATED: interpreter.isolated,
        Key.HASH_SEED: interpreter.hash_seed,
        Key.DEV_MODE: interpreter.dev_mode,
        Key.UNBUFFERED: interpreter.unbuffered,
        Key.FAULTHANDLER: interpreter.faulthandler,
        Key.VERBOSE: interpreter.verbose,
        Key.QUIET: interpreter.quiet,
        Key.INSPECT: interpreter.inspect,
        Key.BYTES_WARNING: interpreter.bytes_warning,
        Key.INT_MAX_STR_DIGITS: interpreter.int_max_str_digits,
        Key.EXIT: interpreter.exit == "full",
        Key.LOCALE: interpreter.locale,
        Key.ALLOCATOR: ("default", "malloc", "mimalloc").index(interpreter.allocator),
        Key.SITE: interpreter.site,
        Key.CHILD_PYTHON: interpreter.child_python,
        Key.FILESYSTEM: interpreter.filesystem_importer,
        Key.FROZEN: interpreter.sys_frozen,
        Key.OXIDIZED: interpreter.sys_oxidized,
        Key.MEIPASS: interpreter.sys_meipass,
    }
    for key, number in numbers.items():
        if number is not None:
            yield Setting(key, int(number))
    texts: dict[Key, Sequence[str]] = {
        Key.WARNING: interpreter.warnings,
        Key.XOPTION: interpreter.x_options,
        Key.SYS_PATH: interpreter.sys_path,
        Key.INNER_PATH: collected.startup.paths,
        Key.LEFT_OUT: collected.left_out,
    }
    for key, values in texts.items():
        for text in values:
            yield Setting(key, text=text)
    for name, run in collected.commands.items():
        yield Setting(Key.COMMAND, _RUN[run.kind], f"{name}={run.value}")
    for line in collected.startup.lines:
        yield Setting(Key.START_LINE, line.number, f"{line.file}\n{line.code}")


def manifest(
    project: Project, target: Target, collected: Collected, *, launcher_sha256: str
) -> dict[str, Any]:
    """What `oxcross inspect` tells of an executable that its tables do not. No dates, no paths."""
    return {
        "format": MANIFEST_FORMAT,
        "oxcross": oxcross.__version__,
        "app": {"name": project.name, "version": project.version},
        "target": target.name,
        "triple": target.triple,
        "python": collected.facts["version"],
        "soabi": collected.facts["soabi"],
        "builtin": sorted(set(collected.facts["builtin"]) - set(collected.left_out)),
        "launcher": launcher_sha256,
        "optimize": project.optimize,
        "compression": project.compression,
        "glibc": target.floor if target.libc == "glibc" else None,
        "wheels_glibc": ".".join(map(str, collected.glibc)) or None,
        "libraries": contained.libraries(target, collected),
        "distributions": contained.distributions(project, target, collected),
    }
