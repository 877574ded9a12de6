"""A target's launchers: the plain one, one with an application's extension modules in it, the compressed one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from oxcross import rooms, squeeze, targets
from oxcross.cpython import pinned
from oxcross.plan import Input, Step, Tree
from oxcross.recipes.distributions import extension
from oxcross.recipes.interpreter import WRAPPED, cpython, host_python, library, toolchain
from oxcross.recipes.rendering import HOST, LDFLAGS, step
from oxcross.sdist import Sdist
from oxcross.targets import Target

# Launcher files that belong to one system or libc end in its name: importer_windows.c, real_musl.c.
_LAUNCHER_SYSTEMS = frozenset({"linux", "windows", "macos", "posix", "glibc", "musl"})


@cache
def launcher(target: Target, version: str) -> Step:
    """``bin/launcher``: the C launcher with all of libpython, stripped, without a blob."""
    own = {target.os, target.libc} | ({"posix"} if target.os != "windows" else set())
    foreign = {f"_{name}.c" for name in _LAUNCHER_SYSTEMS - own}
    code = {
        path: data
        for path, data in rooms.files("launcher").items()
        if "/" not in path and path.endswith((".c", ".h", ".list")) and not path.endswith(tuple(foreign))
    }
    return _program(
        target,
        version,
        "launcher",
        title="the launcher for CPython {}",
        inputs={
            "launcher": Tree(code),
            "python": cpython(target, version),
            "toolchain": toolchain(target),
            "zstd": library(target, "zstd"),
        },
        outputs=("bin/launcher", "objects"),
        files=sorted(path for path in code if path.endswith(".c")),
    )


@cache
def linked(target: Target, version: str, sdists: tuple[Sdist, ...]) -> Step:
    """``bin/launcher`` with the extension modules of ``sdists`` in it."""
    built = {f"extension-{number}": extension(target, version, sdist) for number, sdist in enumerate(sdists)}
    code = rooms.files("launcher")
    digest = hashlib.sha256(" ".join(step.key for step in built.values()).encode()).hexdigest()
    return _program(
        target,
        version,
        f"launcher-{digest[:12]}",
        title="the launcher for CPython {}, with the extension modules of an application",
        inputs={
            "launcher": Tree({name: code[name] for name in ("exports.list", "linked.h")}),
            "plain": launcher(target, version),
            "python": cpython(target, version),
            "toolchain": toolchain(target),
            "zstd": library(target, "zstd"),
            **built,
        },
        extensions=tuple(built),
    )


@cache
def symbols(target: Target, version: str) -> Step:
    """``bin/launcher``: the plain launcher with its symbols, for tools that tell what runs."""
    plain = launcher(target, version)
    return _program(
        target,
        version,
        "symbols",
        title="the launcher for CPython {}, with its symbols",
        inputs={**plain.inputs, "plain": plain},
        ldflags=[flag for flag in LDFLAGS if flag != "-s"],
    )


@cache
def squeezed(target: Target, version: str, sdists: tuple[Sdist, ...] = ()) -> Step:
    """``bin/launcher``: the same launcher with what only some applications use stored compressed."""
    plain = linked(target, version, sdists) if sdists else launcher(target, version)
    code = rooms.files("launcher")
    return _program(
        target,
        version,
        "squeeze" + plain.name.partition("/launcher")[2],
        title="the compressed launcher for CPython {}",
        inputs={
            **launcher(target, version).inputs,
            **plain.inputs,
            "launcher": Tree({name: code[name] for name in ("exports.list", "linked.h", "squeeze/frame.c")}),
            "plain": launcher(target, version),
            "host-python": host_python(version),
            "host-zstd": library(targets.get(HOST), "zstd"),
            "tool": Tree(squeeze.tool()),
        },
        extensions=tuple(name for name in plain.inputs if name.startswith("extension-")),
        squeezed=True,
    )


def _program(
    target: Target, version: str, name: str, *, inputs: Mapping[str, Input], title: str, **values: Any
) -> Step:
    """A step that links a launcher; ``title`` has the CPython's series in it."""
    row, _ = pinned(version)
    values = {"outputs": ("bin/launcher",), "files": (), "extensions": (), "squeezed": False, **values}
    return step(
        target,
        name,
        template="launcher" if target.os == "linux" else f"launcher-{target.os}",
        title=title.format(row.series),
        inputs=inputs,
        cflags=("-O2",),
        minor=row.series,
        wrapped=_wrapped(target),
        libraries=target.build.get("libraries", ()),
        **values,
    )


def _wrapped(target: Target) -> tuple[str, ...]:
    """The functions that the launcher stands before by the linker. Of libc's these are dlsym, for the modules that are
    linked in, and, without shared libraries, all that it exports where there are some.
    """
    if target.os != "linux":
        return WRAPPED
    exports = rooms.files("launcher")["exports.list"].decode()
    return (*WRAPPED, "dlsym", *(re.findall(r"(\w+);", exports) if target.static else ()))
