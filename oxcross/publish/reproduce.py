"""Whether a release can be built again, bit for bit, and where not, why: original.py, rebuild.py and difference.py, put one after another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from oxcross.build import Artifact
from oxcross.errors import UsageError, nearest
from oxcross.project import Project
from oxcross.publish import difference, diffoscope, dist, folder, keys, rebuild
from oxcross.publish.draft import Addition, sha256_of
from oxcross.publish.original import Original

State = Literal["equal", "signed", "signature", "differs", "missing", "added"]

WORDS: Final[dict[State, str]] = {
    "equal": "equal",
    "signed": "equal but for a certificate's signature",
    "signature": "not compared: a signature",
    "differs": "differs",
    "missing": "is not made any more",
    "added": "was not in the release",
}
_GOOD: Final = ("equal", "signed", "signature")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A file of a release, or of what was built again. Digests are SHA-256 (hex), "" where there is no such file."""

    file: str
    target: str  # "" when it is of the whole release
    state: State
    released: str
    rebuilt: str
    why: tuple[str, ...] = ()  # lines for people

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "file": self.file,
            "target": self.target,
            "state": self.state,
            "released": self.released,
            "rebuilt": self.rebuilt,
            "why": list(self.why),
        }


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What came out. ``kept``: the folder with what differs, as it was built again; None when nothing does."""

    rows: tuple[Row, ...]
    kept: Path | None

    @property
    def same(self) -> bool:
        """Whether all of it was built again."""
        return all(row.state in _GOOD for row in self.rows)


def targets(original: Original, wanted: str) -> list[str]:
    """Those of the release, or those that are named (comma-separated). UsageError for one that it has not."""
    known = [row["target"] for row in original.manifest["artifacts"]]
    named = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    for name in named:
        if name not in known:
            raise UsageError(f"the release has no {name!r}", where="--targets", hint=nearest(name, known))
    return named or known


def lay_out(
    project: Project,
    original: Original,
    artifacts: Sequence[Artifact],
    into: Path,
    additions: Sequence[Addition],
) -> tuple[Path, set[str]]:
    """The release folder anew, unsigned; and the names of the files in it that are the release's own, for they are signed."""
    ready, taken = rebuild.with_signatures(project, original, artifacts, into / "signed")
    made = dist.release(*(into, project.name, project.version, ready), additions=additions)
    return made.path, taken


def compare(
    original: Original,
    made: Path,
    taken: set[str],
    wanted: Sequence[str],
    kept: Path,
    stage: Callable[..., Any],
) -> Compared:
    """All files of the release with those of the folder ``made``; when not all targets are wanted, their executables and packages:
    what else a release holds may tell of all of them.

    What differs is copied to ``kept``, which is emptied first, with diffoscope's answer beside it.
    """
    shutil.rmtree(kept, ignore_errors=True)
    rows = list(_rows(original, made, taken, wanted))
    for number, row in enumerate(rows):
        if row.state == "differs":
            with stage(row.file, "explain"):
                rows[number] = replace(
                    row, why=_explained(original.folder / row.file, made / row.file, kept / row.file)
                )
    return Compared(rows=tuple(rows), kept=kept if kept.is_dir() else None)


def _rows(original: Original, made: Path, taken: set[str], wanted: Sequence[str]) -> Iterator[Row]:
    owners = {file: row["target"] for row in original.manifest["artifacts"] for file in folder.rows(row)}
    there = {one.relative_to(made).as_posix(): one for one in sorted(made.rglob("*")) if one.is_file()}
    names = dict.fromkeys([*original.listed, *sorted(original.files), *there])
    rows = original.manifest["artifacts"]
    partial = set(wanted) != {row["target"] for row in rows}
    alone = {
        one["file"] for row in rows if row["target"] in wanted for one in (row, *row.get("packages", ()))
    }
    for name in sorted(names, key=lambda name: keys.rank(name, artifact=name in owners)):
        target = owners.get(name, "")
        if partial and name not in alone:
            continue
        released = original.files.get(name, "")
        rebuilt = sha256_of(there[name]) if name in there else ""
        state: State
        if name in original.signatures and name not in there:
            state = "signature"
        elif name in taken:
            state = "signed"
        elif not rebuilt:
            state = "missing"
        elif released == rebuilt:
            state = "equal"
        else:
            state = "differs" if released else "added"
        yield Row(file=name, target=target, state=state, released=released, rebuilt=rebuilt)


def _explained(released: Path, rebuilt: Path, kept: Path) -> tuple[str, ...]:
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(rebuilt, kept)
    found = difference.explain(released, rebuilt)
    answer = kept.with_name(f"{kept.name}.diffoscope.txt")
    return (*found.lines, *diffoscope.look(released, rebuilt, found, answer))
