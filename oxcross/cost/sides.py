"""The executables that are compared: a file, or all of a release by their targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from oxcross import project as projects
from oxcross.errors import UsageError

Side = Mapping[str, Path]  # by target; a file alone is under ""


def side(text: str, folder: str) -> Side:
    """What ``text`` names: an executable, the folder of a release, or a version in the dist/ of the project in ``folder``."""
    path = Path(text)
    if path.is_file():
        return {"": path}
    if path.is_dir():
        return _release(path)
    if "/" not in text and (Path(folder) / "pyproject.toml").is_file():
        project = projects.load(Path(folder))
        released = project.root / "dist" / project.name / text
        if released.is_dir():
            return _release(released)
        raise UsageError(
            "there is no such file, folder or release",
            where=text,
            hint=f"releases lie in {released.parent}",
        )
    raise UsageError("there is no such file or folder", where=text)


def pairs(one: Side, other: Side) -> list[tuple[Path, Path]]:
    """What is compared with what. UsageError when there is nothing."""
    if ("" in one) != ("" in other):
        raise UsageError("a file is compared with a file, a release with a release")
    common = [target for target in one if target in other]
    if not common:
        raise UsageError(f"they have no target in common: {', '.join(one)}; {', '.join(other)}")
    return [(one[target], other[target]) for target in common]


def _release(folder: Path) -> Side:
    path = folder / "manifest.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["artifacts"]
        found = {str(row["target"]): folder / str(row["file"]) for row in rows}
    except FileNotFoundError:
        raise UsageError("not a release: it has no manifest.json", where=str(folder)) from None
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"cannot be read: {error}", where=str(path)) from error
    return found
