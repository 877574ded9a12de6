"""What could be left out of an executable, what that would save, and the lines of configuration that do it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from oxcross import squeeze
from oxcross.collect import parts
from oxcross.cost.content import BYTECODE, DATA, EXTENSION, GROUP, SOURCE, Content, Piece

_TESTS: Final = re.compile(r"(^|\.)(tests?|_tests)$")
_LOCALE: Final = re.compile(r"(^|/)locales?/(?!en(_|/))[^/]+/LC_MESSAGES/[^/]+$")
_CODE_OF_OTHERS: Final = (".c", ".cpp", ".f", ".h", ".hpp", ".pxd", ".pyx", ".pxi")
_MOST_NAMES: Final = 4
_UNKNOWN: Final = "whether it is imported is not known: the store lacks the CPython that reads the bytecode"


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Something to leave out: ``stored`` bytes less in the file. ``lines`` stand in ``table`` of pyproject.toml; ``note`` is what
    to think of before.
    """

    what: str
    stored: int
    table: str
    lines: tuple[str, ...]
    note: str

    @property
    def configuration(self) -> str:
        """As it is written in pyproject.toml."""
        return "\n".join((f"[{self.table}]", *self.lines))


def savings(content: Content, system: str, unreached: frozenset[str] | None) -> list[Saving]:
    """The greatest first. They overlap: to do two saves what both name only once.

    ``unreached`` is what nothing leads to (reached.py), None when that is not known.
    """
    found = [*_library(content, system, unreached), *_packages(content)]
    return sorted((one for one in found if one.stored), key=lambda one: (-one.stored, one.what))


def _stored(pieces: Iterable[Piece]) -> int:
    return sum(piece.stored for piece in pieces)


def _library(content: Content, system: str, unreached: frozenset[str] | None) -> Iterator[Saving]:
    builtin = set(content.manifest["builtin"])
    for group, tops in parts.load(system).items():
        gone = {name for name in _names(content) | builtin if _below(name, tops)}
        yield Saving(
            what=f"the standard library's {group}",
            stored=_without(content, gone, builtin),
            table="tool.oxcross.stdlib",
            lines=(f'exclude = ["{group}"]',),
            note=_imported(gone, unreached),
        )
    if unreached is not None:
        yield Saving(
            what="all of the standard library that no import statement leads to",
            stored=_without(content, unreached, builtin),
            table="tool.oxcross.stdlib",
            lines=("unreached = false",),
            note="modules that are imported by computed names have to be named in include",
        )


def _names(content: Content) -> set[str]:
    return {piece.name for piece in content.pieces if piece.stdlib and piece.kind in (BYTECODE, EXTENSION)}


def _below(name: str, tops: Iterable[str]) -> bool:
    return any(name == top or name.startswith(f"{top}.") for top in tops)


def _without(content: Content, names: Iterable[str], builtin: set[str]) -> int:
    """What these modules take: bytecode, text, and the compressed code of which nothing is left."""
    gone = set(names)
    groups = squeeze.unused(gone, builtin)
    return _stored(
        piece
        for piece in content.pieces
        if (piece.stdlib and piece.kind in (BYTECODE, EXTENSION, SOURCE) and piece.name in gone)
        or (piece.kind == GROUP and piece.name in groups)
    )


def _imported(gone: set[str], unreached: frozenset[str] | None) -> str:
    if unreached is None:
        return _UNKNOWN
    used = sorted(gone - unreached)
    if not used:
        return "no import statement leads to it"
    more = f" and {len(used) - _MOST_NAMES} more" if len(used) > _MOST_NAMES else ""
    return f"something imports {', '.join(used[:_MOST_NAMES])}{more}"


def _packages(content: Content) -> Iterator[Saving]:
    site = [piece for piece in content.pieces if piece.path and not piece.path.startswith("lib/")]
    yield Saving(
        what="source texts",
        stored=_stored(piece for piece in content.pieces if piece.kind == SOURCE),
        table="tool.oxcross",
        lines=("sources = false",),
        note="tracebacks then have no lines of text; nor has bytecode columns, which saves some more",
    )
    yield from _tests(site)
    data = [piece for piece in site if piece.kind == DATA]
    yield _data(data, "type stubs", lambda path: path.endswith(".pyi"), ['"**/*.pyi"'])
    present = [
        f'"**/*{suffix}"' for suffix in _CODE_OF_OTHERS if any(piece.path.endswith(suffix) for piece in data)
    ]
    yield _data(
        data, "sources of C, Cython and Fortran", lambda path: path.endswith(_CODE_OF_OTHERS), present
    )
    languages = ['"**/LC_MESSAGES/*"', '"!**/en/LC_MESSAGES/*"', '"!**/en_*/LC_MESSAGES/*"']
    yield _data(
        data, "texts in other languages than English", lambda path: bool(_LOCALE.search(path)), languages
    )


def _tests(site: list[Piece]) -> Iterator[Saving]:
    """The tests of each distribution, as modules with all below them."""
    packages: dict[str, set[str]] = {}
    for piece in site:
        if piece.kind not in (BYTECODE, EXTENSION):
            continue
        words = piece.name.split(".")
        for end in range(2, len(words) + 1):  # not a whole distribution that is called so
            if _TESTS.search(name := ".".join(words[:end])):
                packages.setdefault(piece.part, set()).add(name)
                break
    for part, names in packages.items():
        folders = tuple(name.replace(".", "/") + "/" for name in names)
        files = tuple(folder[:-1] + ".py" for folder in folders)
        listed = ", ".join(f'"{name}"' for name in sorted(names))
        yield Saving(
            what=f"the tests of {part}",
            stored=_stored(piece for piece in site if piece.path.startswith(folders) or piece.path in files),
            table="tool.oxcross",
            lines=(f"exclude-modules = [{listed}]",),
            note="few packages import their tests; run the application once without",
        )


def _data(data: list[Piece], what: str, is_one: Callable[[str], bool], patterns: Iterable[str]) -> Saving:
    return Saving(
        what=what,
        stored=_stored(piece for piece in data if is_one(piece.path)),
        table="tool.oxcross",
        lines=(f"exclude-files = [{', '.join(patterns)}]",),
        note="nothing that runs reads them, in most packages",
    )
