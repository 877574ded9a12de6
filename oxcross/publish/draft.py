"""A release while it is made: a folder beside its place, its manifest, and what SHA256SUMS will say."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from oxcross.errors import PublishError

_CHUNK = 1 << 20

Row = dict[str, Any]  # of the manifest: {"file", "sha256", "size"} and what else is said of a file


class Built(Protocol):
    """What a release asks of an executable."""

    @property
    def target(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...  # lower-case hex
    @property
    def size(self) -> int: ...  # bytes
    @property
    def facts(self) -> Mapping[str, Any]: ...  # JSON: python, glibc …
    @property
    def packages(self) -> Sequence[Path]: ...  # what it was packed into; folders (bundles) are not released
    @property
    def steps(self) -> Mapping[str, str]: ...  # what it was put together from: name of a step -> key


@dataclass(kw_only=True)
class Draft:
    """What additions work on. ``manifest["artifacts"]`` has a row for each of ``artifacts``, in the same order."""

    name: str
    version: str
    folder: Path
    artifacts: tuple[Built, ...]  # by target
    manifest: dict[str, Any]
    files: dict[str, Row] = field(default_factory=dict)  # by name, in the order of SHA256SUMS

    def pairs(self) -> Iterable[tuple[Built, Row]]:
        """Each executable and its row in the manifest."""
        return zip(self.artifacts, self.manifest["artifacts"], strict=True)

    def add(self, file: str, content: bytes | Path, *, executable: bool = False) -> Row:
        """Put a file into the release; its row, which the caller puts into the manifest."""
        target = self.folder / file
        if isinstance(content, Path):
            shutil.copyfile(content, target)
        else:
            target.write_bytes(content)
        return self.written(file, executable=executable)

    def written(self, file: str, *, executable: bool = False) -> Row:
        """Take a file in that was written into ``folder``; its row, which the caller puts into the manifest."""
        target = self.folder / file
        target.chmod(0o755 if executable else 0o644)
        row: Row = {"file": file, "sha256": sha256_of(target), "size": target.stat().st_size}
        self.files[file] = row
        return dict(row)

    def add_built(self, file: str, built: Built) -> None:
        """Put an executable into the release. PublishError when it is not what was built."""
        if self.add(file, built.path, executable=True)["sha256"] != built.sha256:
            raise PublishError(
                "the executable changed while it was released", where=str(built.path), hint="release again"
            )


Addition = Callable[[Draft], None]
"""Adds files to a draft and rows to its manifest; the same draft gives the same bytes. In the order of ``contents.additions``."""

Signing = Callable[[Path], Mapping[str, bytes]]
"""The signatures of a file: suffix -> content."""


def sha256_of(path: Path) -> str:
    """A file's SHA-256, lower-case hex."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
