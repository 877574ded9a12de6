"""What of the pinned sources ends in executables, besides distributions: each with its licence and where its text is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from oxcross import sources
from oxcross.cpython import pinned
from oxcross.recipes.interpreter import LIBRARIES, has
from oxcross.sources import Source
from oxcross.targets import Target

LIBCXX = "libc++"  # of extension modules in C++ that are linked in
_ALWAYS = frozenset({"compiler-rt", "hacl-star", "glibc-start-files"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """``licence`` is an SPDX expression, ``files`` as ``Source.licence_files``. A part of a source (``part``) is not all of it."""

    name: str
    version: str
    licence: str
    source: Source
    files: tuple[str, ...]
    part: bool = False

    @property
    def always(self) -> bool:
        """Whether every executable has it, though no list of what was linked says so."""
        return self.name in _ALWAYS


@cache
def of(target: Target, version: str) -> Mapping[str, Component]:
    """All that executables for the target may have in them, by name, with CPython ``version``."""
    _, python = pinned(version)
    names = dict.fromkeys(row.source for name, row in LIBRARIES.items() if has(target, name))
    own = [python, *map(sources.get, names), *(sources.get(target.libc) for _ in range(target.static))]
    own += [source for name in target.runtime if (source := sources.get(name)).licence_files]
    found = {one.name: one for source in own for one in (_whole(source), *_parts(source))}
    wanted = _of_compiler(target)
    return found | {one.name: one for one in _parts(sources.get("ziglang")) if one.name in wanted}


def _of_compiler(target: Target) -> set[str]:
    """What the compiler brings: on macOS nothing, for libSystem has all of it."""
    return {
        *(["compiler-rt"] if target.os != "macos" else []),
        *(["glibc-start-files"] if target.libc == "glibc" else []),
        *(["mingw-w64"] if target.os == "windows" else []),
        *([LIBCXX] if target.from_source else []),
    }


def _whole(source: Source) -> Component:
    return Component(
        name=source.name,
        version=source.version,
        licence=source.licence,
        source=source,
        files=source.licence_files,
    )


def _parts(source: Source) -> Iterator[Component]:
    for part in source.parts:
        yield Component(
            name=part.name,
            version=part.version or source.version,
            licence=part.licence,
            source=source,
            files=part.licence_files,
            part=True,
        )
