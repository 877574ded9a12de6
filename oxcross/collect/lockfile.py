"""``oxcross.lock``: the exact requirements of each target, beside pyproject.toml, to be committed.

::

    version = 1

    [targets.linux-x64]
    input = "SHA-256 of what was resolved"
    requirements = ["flask==3.1.3 --hash=sha256:…", …]
"""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from oxcross.errors import CollectError

NAME = "oxcross.lock"
_VERSION = 1
_HEAD = """\
# The exact requirements of each target. Written by oxcross: commit it, do not edit it.
# It is renewed when the requirements change, and by `oxcross build --upgrade`.
version = 1
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """One target's entry: the digest of what was resolved, and the lines that came out."""

    input: str
    requirements: tuple[str, ...]


def read(path: Path) -> dict[str, Locked]:
    """The entries by target; none when there is no file. CollectError for one that is not ours."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CollectError(f"cannot be read: {error}", where=str(path), hint=f"delete {path}") from error
    if document.get("version") != _VERSION:
        raise CollectError(
            f"written by another version of oxcross (version {document.get('version')})",
            where=str(path),
            hint="delete it, or use that version",
        )
    try:
        return {
            target: Locked(row["input"], tuple(row["requirements"]))
            for target, row in document.get("targets", {}).items()
        }
    except (AttributeError, KeyError, TypeError) as error:
        raise CollectError("not as oxcross wrote it", where=str(path), hint=f"delete {path}") from error


def write(path: Path, entries: dict[str, Locked]) -> None:
    """Write the entries, in one atomic step; the same entries give the same bytes."""
    parts = [_HEAD]
    for target in sorted(entries):
        # A JSON string is a TOML basic string as long as it is ASCII.
        lines = "".join(f"  {json.dumps(line)},\n" for line in entries[target].requirements)
        parts.append(
            f"\n[targets.{target}]\ninput = {json.dumps(entries[target].input)}\nrequirements = [\n{lines}]\n"
        )
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".oxcross.lock.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o644)
            file.write("".join(parts))
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
