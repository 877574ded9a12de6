"""A target's tool chain, libraries and CPython."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from oxcross import profiles, rooms, sources, targets
from oxcross.cpython import Series, pinned
from oxcross.plan import Input, Step, Tree
from oxcross.recipes.rendering import HOST, native, step
from oxcross.sources import Source
from oxcross.targets import Target

# Nothing unwinds through the C libraries (their callbacks raise nothing); through libpython it may.
_LIBRARY_CFLAGS = ("-O2", "-fno-asynchronous-unwind-tables")
_CPYTHON_CFLAGS = ("-O3",)  # CPython's own level; FORTIFY wants one in configure's checks as well
_OPT = ("-fwrapv", "-Wall")  # the rest of CPython's own; configure adds -DNDEBUG


# Functions of libpython that the launcher stands in front of (__wrap_NAME): what links libpython must have these.
WRAPPED = ("_PyConfig_InitPathConfig", "_PyGC_Init", "_PyImport_InitExternal")

# Compiled in by ncurses, for systems without a terminfo folder.
_TERMINALS = (
    "ansi", "dumb", "linux", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "vt220", "xterm",
    "xterm-256color", "alacritty", "foot", "konsole-256color", "rxvt-unicode-256color", "vte-256color",
)  # fmt: skip

# Libraries that a system has its own in the place of, or nothing.
_WITHOUT = {"windows": frozenset({"libuuid", "ncurses", "libedit"}), "macos": frozenset({"libuuid"})}


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
    if not native(target):
        inputs["host-toolchain"] = toolchain(targets.get(HOST))
    if target.libc == "musl":
        inputs["musl"] = sources.get("musl")
    kind = "toolchain" if target.os == "linux" else f"toolchain-{target.os}"
    if target.os == "macos":
        inputs["lld"] = sources.get("smol-clang")
        inputs["support"] = Tree(_below("macos/"))
    if target.osxcross:
        kind = "toolchain-osxcross"
        inputs["support"] = Tree({"availability.c": _below("macos/")["availability.c"]})
        inputs["osxcross"] = target.osxcross.folder
    return step(
        target,
        "toolchain",
        template=kind,
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
    if name == "ncurses" and not native(target):
        inputs["host-ncurses"] = library(targets.get(HOST), "ncurses")
    return step(
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
    return {name: library(target, name) for name in _own(target, LIBRARIES)}


@cache
def cpython(target: Target, version: str) -> Step:
    """CPython as ``lib/libpython3.x.a`` with all that it is linked with, headers, standard library and
    ``bin/python3.x`` (but for macOS); ``link.json`` says how to link it, ``profile.json`` how much of the profile fits it.

    libpython is one object that link-time optimisation made. A version without a profile is built without one.
    """
    row, source = pinned(version)
    if target.os == "windows":
        return _cpython_windows(target, version)
    macos = target.os == "macos"
    profile = profiles.get(source.version)
    facts = {
        "version": source.version,
        "soabi": target.soabi(source.version),
        "native": native(target),
        "modules": row.on(target.os),
        "components": _components(row, source, target),
        "seams": WRAPPED,
    }
    support = ["finish.py", f"macos-{row.series}.patch"] if macos else ["finish.py"]
    inputs = _cpython_inputs(target, version, support, facts)
    if profile is not None:
        inputs["profile"] = Tree({"cpython.profdata.xz": profile.read()})
    return step(
        target,
        "cpython",
        template="cpython-macos" if macos else "cpython",
        title=f"CPython {source.version}",
        inputs=inputs,
        memory=2_500_000_000,  # the optimisation of the whole
        outputs=(
            f"lib/libpython{row.series}.a",
            *([] if macos else [f"bin/python{row.series}"]),
            f"include/python{row.series}",
            "link.json",
            "profile.json",
        ),
        cflags=_CPYTHON_CFLAGS,
        minor=row.series,
        opt=_OPT,
        configure=row.configure,
        libraries=_own(target, row.libraries),
        profile=profile is not None,
        wrapped=WRAPPED,
    )


def _cpython_windows(target: Target, version: str) -> Step:
    """The same for Windows, which CPython has no configure for. Nothing of it runs on the build machine."""
    row, source = pinned(version)
    profile = profiles.get(source.version)
    built = _own(target, row.libraries)
    facts = {
        "minor": row.series,
        "version": source.version,
        "soabi": target.soabi(source.version),
        "modules": row.on(target.os),
        "libs": [archive for name in built for archive in LIBRARIES[name].archives],
        "components": _components(row, source, target),
        "seams": WRAPPED,
    }
    inputs = _cpython_inputs(
        target, version, ["finish.py", "windows.py", f"windows-{row.series}.patch"], facts
    )
    if profile is not None:
        inputs["profile"] = Tree({"cpython.profdata.xz": profile.read()})
    return step(
        target,
        "cpython",
        template="cpython-windows",
        title=f"CPython {source.version}",
        inputs=inputs,
        memory=2_500_000_000,
        outputs=(f"lib/libpython{row.series}.a", f"include/python{row.series}", "link.json", "profile.json"),
        cflags=_CPYTHON_CFLAGS,
        minor=row.series,
        opt=_OPT,
        libraries=built,
        profile=profile is not None,
        wrapped=WRAPPED,
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
    return step(
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
    parts = [*support, *(f"site-{part}" for part in target.build.get("config_site", ()))]
    tree = {part: room[f"cpython/{part}"] for part in parts}
    tree["facts.json"] = (json.dumps(facts, indent=1) + "\n").encode()
    inputs: dict[str, Input] = {
        "cpython": source,
        "toolchain": toolchain(target),
        "support": Tree(tree),
        **{name: library(target, name) for name in _own(target, row.libraries)},
    }
    if not native(target):
        inputs["host-python"] = host_python(version)
    return inputs


@cache
def runtime(target: Target) -> Step | None:
    """Shared libraries that wheels may expect of the system, for systems that lack them: libstdc++, libgcc_s
    and zlib. None where no wheel can need them.
    """
    if not target.runtime:
        return None
    inputs: dict[str, Input] = {name: sources.get(name) for name in target.runtime}
    return step(
        target,
        "runtime",
        title="shared libraries that wheels may need",
        inputs={**inputs, "toolchain": toolchain(target), "zlib": sources.get("zlib")},
        outputs=("lib/libgcc_s.so.1", "lib/libstdc++.so.6", "lib/libz.so.1"),
        cflags=("-O2",),
        packages=target.runtime,
        floor="2.18",
    )


def has(target: Target, name: str) -> bool:
    """Whether a library is built for the target."""
    return name not in _WITHOUT.get(target.os, ())


def _own(target: Target, names: Iterable[str]) -> list[str]:
    """The libraries among ``names`` that are built for the target."""
    return [name for name in names if has(target, name)]


def _below(folder: str) -> dict[str, bytes]:
    """The files of a folder of templates/, by their names in it."""
    room = rooms.files("templates")
    return {path.removeprefix(folder): data for path, data in room.items() if path.startswith(folder)}


def _components(row: Series, source: Source, target: Target) -> list[dict[str, str]]:
    """What ends in a launcher: name, version, SPDX licence. (CPython's bundled ones are added by finish.py.)"""
    names = dict.fromkeys([*_own(target, row.libraries), "zstd"])
    parts = [source, *(sources.get(LIBRARIES[name].source) for name in names)]
    if target.static:
        parts.append(sources.get(target.libc))
    found = [{"name": one.name, "version": one.version, "licence": one.licence} for one in parts]
    if "libc" in target.build:
        found.append(dict(target.build["libc"]))
    return found
