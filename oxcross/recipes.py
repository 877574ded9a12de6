"""Recipes: the Steps that make a target's tool chain, libraries, CPython and launcher.

A recipe is a template of ``templates/``, rendered with the target's row and the pinned source's; what the
rendered script reads are its Step's inputs, and nothing else. The graph of one target:

    toolchain -> zlib, bzip2, xz, zstd, openssl, libffi, libuuid, sqlite, ncurses -> libedit
              -> cpython (with all of them) -> launcher
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from oxcross import packages, profiles, rooms, sources, squeeze, targets
from oxcross.collect.names import extension_suffixes
from oxcross.cpython import Series, pinned
from oxcross.plan import Input, Step, Tree
from oxcross.sdist import Sdist
from oxcross.sources import Source
from oxcross.targets import Target

HOST = "linux-x64"  # the build machine, whose programs the steps run

# Objects fit a PIE and a plain executable; a section a function and a datum lets the link drop what is
# unused; hardening is what costs little. No debug information: nothing of a build folder can leak by it.
_CFLAGS = (
    "-g0",
    "-fPIE",
    "-ffunction-sections",
    "-fdata-sections",
    "-fstack-protector-strong",
    "-D_FORTIFY_SOURCE=2",
    "-Wno-unused-command-line-argument",
)
# Nothing unwinds through the C libraries (their callbacks raise nothing); through libpython it may.
_LIBRARY_CFLAGS = ("-O2", "-fno-asynchronous-unwind-tables")
_LDFLAGS = ("-Wl,--as-needed", "-Wl,--gc-sections", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack", "-s")
_CPYTHON_CFLAGS = ("-O3",)  # CPython's own level; FORTIFY wants one in configure's checks as well
_OPT = ("-fwrapv", "-Wall")  # the rest of CPython's own; configure adds -DNDEBUG

# Launcher files that belong to one system or libc end in its name: importer_windows.c, real_musl.c.
_LAUNCHER_SYSTEMS = frozenset({"linux", "windows", "macos", "glibc", "musl"})

# Functions of libpython that the launcher stands in front of (__wrap_NAME): what links libpython must have these.
_WRAPPED = ("_PyConfig_InitPathConfig", "_PyGC_Init", "_PyImport_InitExternal")

# Compiled in by ncurses, for systems without a terminfo folder.
_TERMINALS = (
    "ansi", "dumb", "linux", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "vt220", "xterm",
    "xterm-256color", "alacritty", "foot", "konsole-256color", "rxvt-unicode-256color", "vte-256color",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Library:
    """A static library: its template's name is its own."""

    name: str
    title: str
    source: str
    archives: tuple[str, ...]
    needs: tuple[str, ...] = ()


LIBRARIES: Mapping[str, Library] = {
    library.name: library
    for library in (
        Library(name="zlib", title="zlib", source="zlib", archives=("libz.a",)),
        Library(name="bzip2", title="libbz2", source="bzip2", archives=("libbz2.a",)),
        Library(name="xz", title="liblzma", source="xz", archives=("liblzma.a",)),
        Library(name="zstd", title="libzstd", source="zstd", archives=("libzstd.a",)),
        Library(name="libyaml", title="LibYAML", source="libyaml", archives=("libyaml.a",)),
        Library(name="openssl", title="OpenSSL", source="openssl", archives=("libssl.a", "libcrypto.a")),
        Library(name="libffi", title="libffi", source="libffi", archives=("libffi.a",)),
        Library(name="libuuid", title="libuuid of util-linux", source="util-linux", archives=("libuuid.a",)),
        Library(name="sqlite", title="SQLite", source="sqlite", archives=("libsqlite3.a",)),
        Library(name="ncurses", title="ncurses", source="ncurses", archives=("libncursesw.a", "libpanelw.a")),
        Library(
            name="libedit", title="libedit", source="libedit", archives=("libedit.a",), needs=("ncurses",)
        ),
    )
}


@cache
def toolchain(target: Target) -> Step:
    """clang, lld and llvm-ar under the target's names, with a sysroot for it and one for this machine."""
    inputs: dict[str, Input] = {"zig": sources.get("ziglang")}
    if not _native(target):
        inputs["host-toolchain"] = toolchain(targets.get(HOST))
    if target.libc == "musl":
        inputs["musl"] = sources.get("musl")
    return _step(
        target,
        "toolchain",
        title="clang and lld under the triple's names, and sysroots",
        inputs=inputs,
        outputs=(f"bin/{target.triple}-cc", "bin/cc"),
        toolchain=False,
    )


@cache
def library(target: Target, name: str) -> Step:
    """One static library: ``lib/*.a``, ``include/``, ``licence/``."""
    row = LIBRARIES[name]
    source = sources.get(row.source)
    inputs: dict[str, Input] = {row.source: source, "toolchain": toolchain(target)}
    inputs |= {needed: library(target, needed) for needed in row.needs}
    if name == "ncurses" and not _native(target):
        inputs["host-ncurses"] = library(targets.get(HOST), "ncurses")
    return _step(
        target,
        name,
        title=f"{row.title} {source.version}",
        inputs=inputs,
        outputs=(*(f"lib/{archive}" for archive in row.archives), "include", "licence"),
        cflags=_LIBRARY_CFLAGS,
        version=source.version,
        terminals=_TERMINALS,
        compression=True,
    )


def libraries(target: Target) -> dict[str, Step]:
    """Every static library, by name."""
    return {name: library(target, name) for name in LIBRARIES}


@cache
def cpython(target: Target, version: str) -> Step:
    """CPython as ``lib/libpython3.x.a`` with all that it is linked with, headers, standard library and
    ``bin/python3.x``; ``link.json`` says how to link it, ``profile.json`` how much of the profile fits it.

    libpython is one object that link-time optimisation made. A version without a profile is built without one.
    """
    row, source = pinned(version)
    profile = profiles.get(source.version)
    facts = {
        "version": source.version,
        "soabi": target.soabi(source.version),
        "native": _native(target),
        "modules": row.modules,
        "components": _components(row, source, target),
        "seams": _WRAPPED,
    }
    inputs = _cpython_inputs(target, version, ["finish.py"], facts)
    if profile is not None:
        inputs["profile"] = Tree({"cpython.profdata.xz": profile.read()})
    return _step(
        target,
        "cpython",
        title=f"CPython {source.version}",
        inputs=inputs,
        memory=2_500_000_000,  # the optimisation of the whole
        outputs=(
            f"lib/libpython{row.series}.a",
            f"bin/python{row.series}",
            f"include/python{row.series}",
            "link.json",
            "profile.json",
        ),
        cflags=_CPYTHON_CFLAGS,
        minor=row.series,
        opt=_OPT,
        configure=row.configure,
        libraries=row.libraries,
        profile=profile is not None,
        wrapped=_WRAPPED,
    )


def host_python(version: str) -> Step:
    """The CPython that runs on the build machine: it compiles the bytecode of every target, and builds them."""
    return cpython(targets.get(HOST), version)


@cache
def training(version: str) -> Step:
    """``cpython.profdata.xz``: the profile of a CPython version, trained on the build machine.

    It counts how often what runs, so no two runs make the same bytes: what builds read is the one in profiles/.
    """
    target = targets.get(HOST)
    row, source = pinned(version)
    return _step(
        target,
        "profile",
        title=f"the profile of CPython {source.version}",
        inputs=_cpython_inputs(target, version, ["train.py"], {}),
        outputs=("cpython.profdata.xz", "facts.txt"),
        image="training",
        cflags=_CPYTHON_CFLAGS,
        minor=row.series,
        opt=_OPT,
        configure=row.configure,
        llvm=profiles.LLVM,
    )


def _cpython_inputs(target: Target, version: str, support: list[str], facts: object) -> dict[str, Input]:
    """What CPython is configured and compiled with; ``support`` are files of templates/cpython."""
    row, source = pinned(version)
    room = rooms.files("templates")
    parts = [*support, *(f"site-{part}" for part in target.build["config_site"])]
    tree = {part: room[f"cpython/{part}"] for part in parts}
    tree["facts.json"] = (json.dumps(facts, indent=1) + "\n").encode()
    inputs: dict[str, Input] = {
        "cpython": source,
        "toolchain": toolchain(target),
        "support": Tree(tree),
        **{name: library(target, name) for name in row.libraries},
    }
    if not _native(target):
        inputs["host-python"] = host_python(version)
    return inputs


@cache
def launcher(target: Target, version: str) -> Step:
    """``bin/launcher``: the C launcher with all of libpython, stripped, without a blob."""
    row, _ = pinned(version)
    foreign = {f"_{name}.c" for name in _LAUNCHER_SYSTEMS - {target.os, target.libc}}
    code = {
        path: data
        for path, data in rooms.files("launcher").items()
        if "/" not in path and path.endswith((".c", ".h", ".list")) and not path.endswith(tuple(foreign))
    }
    return _step(
        target,
        "launcher",
        title=f"the launcher for CPython {row.series}",
        inputs={
            "launcher": Tree(code),
            "python": cpython(target, version),
            "toolchain": toolchain(target),
            "zstd": library(target, "zstd"),
        },
        outputs=("bin/launcher", "objects"),
        cflags=("-O2",),
        minor=row.series,
        files=sorted(path for path in code if path.endswith(".c")),
        wrapped=_wrapped(target),
        extensions=(),
        squeezed=False,
    )


@cache
def cxx(target: Target) -> Step:
    """The C++ library: headers, and static libraries of which each extension module takes what it uses."""
    return _step(
        target,
        "cxx",
        title="libc++, libc++abi and libunwind",
        inputs={"zig": sources.get("ziglang"), "toolchain": toolchain(target)},
        outputs=("include", "lib/libc++.a", "lib/libc++abi.a", "lib/libunwind.a", "licence"),
        cflags=("-O2",),
    )


@cache
def extension(target: Target, version: str, sdist: Sdist) -> Step:
    """A distribution built from source: what is installed (``tree/``), and an object of each extension module."""
    row, source = pinned(version)
    known = packages.get(sdist.name)
    room = rooms.files("templates")
    support = {path.partition("/")[2]: data for path, data in room.items() if path.startswith("extension/")}
    wheels = {f"wheel-{number}": wheel for number, wheel in enumerate(sdist.wheels)}
    facts = {
        "filename": sdist.file.filename,
        "backend": sdist.backend,
        "backend_path": sdist.backend_path,
        "wheels": list(wheels),
        "libraries": known.libraries,
        "environment": dict(known.environment),
        "settings": dict(known.settings),
        "series": row.series,
        "suffixes": extension_suffixes(target.soabi(source.version)),
        "triple": target.triple,
        "machine": target.arch,
        "platform": f"{target.os}-{target.arch}",
        "cxx": sdist.cxx,
    }
    support["facts.json"] = (json.dumps(facts, indent=1) + "\n").encode()
    return _step(
        target,
        f"{sdist.name}-{sdist.version}",
        template="extension",
        title=f"{sdist.name} {sdist.version}, its extension modules as objects to link",
        inputs={
            "sdist": sdist.file,
            "support": Tree(support),
            "toolchain": toolchain(target),
            "host-python": host_python(version),
            "python": cpython(target, version),
            **wheels,
            **{name: library(target, name) for name in known.libraries},
            **({"cxx": cxx(target)} if sdist.cxx else {}),
        },
        outputs=("tree", "objects", "modules"),
        minor=row.series,
    )


@cache
def linked(target: Target, version: str, sdists: tuple[Sdist, ...]) -> Step:
    """``bin/launcher`` with the extension modules of ``sdists`` in it."""
    row, _ = pinned(version)
    built = {f"extension-{number}": extension(target, version, sdist) for number, sdist in enumerate(sdists)}
    code = rooms.files("launcher")
    digest = hashlib.sha256(" ".join(step.key for step in built.values()).encode()).hexdigest()
    return _step(
        target,
        f"launcher-{digest[:12]}",
        template="launcher",
        title=f"the launcher for CPython {row.series}, with the extension modules of an application",
        inputs={
            "launcher": Tree({name: code[name] for name in ("exports.list", "linked.h")}),
            "plain": launcher(target, version),
            "python": cpython(target, version),
            "toolchain": toolchain(target),
            "zstd": library(target, "zstd"),
            **built,
        },
        outputs=("bin/launcher",),
        cflags=("-O2",),
        minor=row.series,
        files=(),
        wrapped=_wrapped(target),
        extensions=tuple(built),
        squeezed=False,
    )


@cache
def squeezed(target: Target, version: str, sdists: tuple[Sdist, ...] = ()) -> Step:
    """``bin/launcher``: the same launcher with what only some applications use stored compressed."""
    row, _ = pinned(version)
    plain = linked(target, version, sdists) if sdists else launcher(target, version)
    code = rooms.files("launcher")
    return _step(
        target,
        "squeeze" + plain.name.partition("/launcher")[2],
        template="launcher",
        title=f"the compressed launcher for CPython {row.series}",
        inputs={
            **launcher(target, version).inputs,
            **plain.inputs,
            "launcher": Tree({name: code[name] for name in ("exports.list", "linked.h", "squeeze/frame.c")}),
            "plain": launcher(target, version),
            "host-python": host_python(version),
            "host-zstd": library(targets.get(HOST), "zstd"),
            "tool": Tree(squeeze.tool()),
        },
        outputs=("bin/launcher",),
        cflags=("-O2",),
        minor=row.series,
        files=(),
        wrapped=_wrapped(target),
        extensions=_extensions(plain),
        squeezed=True,
    )


def _extensions(step: Step) -> tuple[str, ...]:
    """The inputs of a launcher that are extension modules."""
    return tuple(name for name in step.inputs if name.startswith("extension-"))


@cache
def runtime(target: Target) -> Step | None:
    """Shared libraries that wheels may expect of the system, for systems that lack them: libstdc++, libgcc_s
    and zlib. None where no wheel can need them.
    """
    if not target.runtime:
        return None
    inputs: dict[str, Input] = {name: sources.get(name) for name in target.runtime}
    return _step(
        target,
        "runtime",
        title="shared libraries that wheels may need",
        inputs={**inputs, "toolchain": toolchain(target), "zlib": sources.get("zlib")},
        outputs=("lib/libgcc_s.so.1", "lib/libstdc++.so.6", "lib/libz.so.1"),
        cflags=("-O2",),
        packages=target.runtime,
        floor="2.18",
    )


def steps(
    target: Target, version: str = "3.13", compression: str = "none", sdists: tuple[Sdist, ...] = ()
) -> list[Step]:
    """Every step of a target, the launcher's last; with ``compression`` "zstd" that is the compressed one.

    Of ``sdists`` the extension modules are in it.
    """
    extra = runtime(target)
    if compression == "zstd":
        last = squeezed(target, version, sdists)
    else:
        last = linked(target, version, sdists) if sdists else launcher(target, version)
    built = [extension(target, version, sdist) for sdist in sdists]
    return [*([extra] if extra else []), *built, last]


def _components(row: Series, source: Source, target: Target) -> list[dict[str, str]]:
    """What ends in a launcher: name, version, SPDX licence. (CPython's bundled ones are added by finish.py.)"""
    names = dict.fromkeys([*row.libraries, "zstd"])
    parts = [source, *(sources.get(LIBRARIES[name].source) for name in names)]
    if target.static:
        parts.append(sources.get(target.libc))
    return [{"name": one.name, "version": one.version, "licence": one.licence} for one in parts]


def _wrapped(target: Target) -> tuple[str, ...]:
    """The functions that the launcher stands before by the linker. Of libc's these are dlsym, for the modules that are
    linked in, and, without shared libraries, all that it exports where there are some.
    """
    exports = rooms.files("launcher")["exports.list"].decode()
    return (*_WRAPPED, "dlsym", *(re.findall(r"(\w+);", exports) if target.static else ()))


def _native(target: Target) -> bool:
    """Whether the target's programs run on the build machine itself."""
    return target.triple == targets.get(HOST).triple


def _step(
    target: Target,
    name: str,
    *,
    title: str,
    inputs: Mapping[str, Input],
    outputs: Iterable[str],
    template: str = "",
    cflags: Iterable[str] = (),
    memory: int = 500_000_000,
    image: str | None = None,
    **values: Any,
) -> Step:
    values.setdefault("toolchain", True)
    script = _template(f"{template or name}.sh.j2").render(
        target=target,
        host=targets.get(HOST),
        native=_native(target),
        step=name,
        title=title,
        inputs=sorted(inputs),
        cflags=(*_CFLAGS, *cflags),
        ldflags=_LDFLAGS,
        **values,
    )
    return Step(
        name=f"{target.name}/{name}",
        script=script,
        inputs=inputs,
        image=image or target.image,
        outputs=tuple(outputs),
        memory=memory,
    )


def _template(name: str) -> Any:
    """A template of the room; a name that it uses and nobody gives is an error."""
    return _environment().get_template(name)


@cache
def _environment() -> Any:
    """One for all templates: what many of them include is compiled once."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(rooms.room("templates")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (shell scripts, not HTML)
    )
