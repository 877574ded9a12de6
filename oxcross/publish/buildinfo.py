"""What a release was built from, in its manifest: enough to build it again, and to tell at once why that would differ."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import oxcross
from oxcross.collect import lockfile
from oxcross.project import Project
from oxcross.publish import revision
from oxcross.publish.draft import Addition, Draft

_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def addition(project: Project) -> Addition:
    """Puts ``"build"`` into the manifest: nothing of the time, the machine or the user."""

    def add(draft: Draft) -> None:
        source = revision.current(project.root)
        draft.manifest["build"] = {
            "oxcross": oxcross.__version__,
            "source": source.document() if source else None,
            "config": digest(project.pyproject),
            "lock": digest(project.root / lockfile.NAME),
            "steps": {built.target: dict(built.steps) for built in draft.artifacts},
        }

    return add


@dataclass(frozen=True, kw_only=True)
class BuildInfo:
    """The same as it is read again; digests are SHA-256 (hex), None where there was no such file."""

    oxcross: str
    source: revision.Revision | None
    config: str | None
    lock: str | None
    steps: dict[str, dict[str, str]]  # target -> name of a step -> key


def parse(manifest: dict[str, Any]) -> BuildInfo | None:
    """What a manifest says of its build; None when it says nothing that can be read."""
    try:
        found = manifest["build"]
        source = found["source"]
        return BuildInfo(
            oxcross=str(found["oxcross"]),
            source=None if source is None else _revision(source),
            config=found["config"],
            lock=found["lock"],
            steps={target: dict(steps) for target, steps in found["steps"].items()},
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _revision(row: dict[str, Any]) -> revision.Revision:
    commit, path = str(row["commit"]), PurePosixPath(row["path"])
    if not _COMMIT.fullmatch(commit) or path.is_absolute() or ".." in path.parts:
        raise ValueError(
            "what git and the file system are asked for must be a commit, and a folder inside of it"
        )
    return revision.Revision(commit=commit, path=row["path"], dirty=bool(row["dirty"]))


def digest(path: Path) -> str | None:
    """The SHA-256 (hex) of a file; None when there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
