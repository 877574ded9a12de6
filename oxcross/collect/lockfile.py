"""``oxcross.lock``: the exact requirements of each target, beside pyproject.toml, to be committed.

::

    version = 1

    [targets.linux-x64]
    input = "SHA-256 of what was resolved"
    requirements = ["flask==3.1.3 --hash=sha256:…", …]
    wheelless = ["docopt"]              # those that have no wheel, if there are any

    [built.linux-x64-musl]              # where distributions are built from source
    input = "SHA-256 of what was chosen from"
    requirements = ["flask==3.1.3 --hash=sha256:…", …]  # those that are not

    [[built.linux-x64-musl.sdists]]
    sdist = "markupsafe==3.0.4 markupsafe-3.0.4.tar.gz 153777 sha256:…"
    backend = "setuptools.build_meta"
    backend-path = []
    languages = []                      # besides C; ["python"]: it has no extension modules
    wheels = ["setuptools==80.9.0 setuptools-80.9.0-py3-none-any.whl 1201486 sha256:…"]
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oxcross import atomic
from oxcross.errors import CollectError
from oxcross.sdist import Sdist

NAME = "oxcross.lock"
_VERSION = 1
_HEAD = """\
# The exact requirements of each target. Written by oxcross: commit it, do not edit it.
# It is renewed when the requirements change, and by `oxcross build --upgrade`.
version = 1
"""


@dataclass(frozen=True, slots=True)
class Locked:
    """One target's entry: the digest of what was resolved, the lines that came out, and the names of those that have no wheel."""

    input: str
    requirements: tuple[str, ...]
    wheelless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """How one target's requirements are taken: ``requirements`` as wheels, ``sdists`` from source."""

    input: str
    requirements: tuple[str, ...]
    sdists: tuple[Sdist, ...]


@dataclass(slots=True)
class Lock:
    """The whole file: by target what was resolved, and how that is taken where not all are wheels."""

    targets: dict[str, Locked] = field(default_factory=dict)
    built: dict[str, Built] = field(default_factory=dict)


def read(path: Path) -> Lock:
    """What the file holds; nothing when there is no file. CollectError for one that is not ours."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Lock()
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CollectError(f"cannot be read: {error}", where=str(path), hint=f"delete {path}") from error
    if document.get("version") != _VERSION:
        raise CollectError(
            f"written by another version of oxcross (version {document.get('version')})",
            where=str(path),
            hint="delete it, or use that version",
        )
    try:
        return Lock(
            {
                target: Locked(row["input"], tuple(row["requirements"]), tuple(row.get("wheelless", ())))
                for target, row in document.get("targets", {}).items()
            },
            {
                target: Built(
                    row["input"], tuple(row["requirements"]), tuple(map(Sdist.of, row.get("sdists", ())))
                )
                for target, row in document.get("built", {}).items()
            },
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CollectError("not as oxcross wrote it", where=str(path), hint=f"delete {path}") from error


def write(path: Path, lock: Lock) -> None:
    """Write the file, in one atomic step; the same entries give the same bytes."""
    parts = [_HEAD]
    for target, locked in sorted(lock.targets.items()):
        table: dict[str, str | Sequence[str]] = {"input": locked.input, "requirements": locked.requirements}
        if locked.wheelless:
            table["wheelless"] = locked.wheelless
        parts += _table(f"[targets.{target}]", table)
    for target, built in sorted(lock.built.items()):
        parts += _table(f"[built.{target}]", {"input": built.input, "requirements": built.requirements})
        for sdist in built.sdists:
            parts += _table(f"[[built.{target}.sdists]]", sdist.row())
    atomic.write(path, "".join(parts).encode())


def _table(head: str, values: Mapping[str, str | Sequence[str]]) -> Iterator[str]:
    """A table's lines. A JSON string is a TOML basic string as long as it is ASCII."""
    yield f"\n{head}\n"
    for key, value in values.items():
        if isinstance(value, str):
            yield f"{key} = {json.dumps(value)}\n"
        elif value:
            yield f"{key} = [\n" + "".join(f"  {json.dumps(item)},\n" for item in value) + "]\n"
        else:
            yield f"{key} = []\n"
