"""A release as a folder: ``dist/NAME/VERSION/``, which never changes once it is there.

It holds the executables (``app-1.0-linux-x64``), SHA256SUMS and manifest.json, nothing that depends on
the time or the machine: the same executables give the same folder. It is written beside its place,
flushed and renamed, so there is either all of it or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oxcross import locks
from oxcross.errors import PublishError

MANIFEST_FORMAT = 1
_CHUNK = 1 << 20


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


@dataclass(frozen=True, kw_only=True)
class Release:
    """A released folder; ``new`` is False when it was there already."""

    path: Path
    name: str
    version: str
    new: bool
    manifest: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """What ``release --json`` prints."""
        artifacts = [{**row, "path": str(self.path / row["file"])} for row in self.manifest["artifacts"]]
        return {**self.manifest, "artifacts": artifacts, "path": str(self.path), "new": self.new}


def release(root: Path, name: str, version: str, artifacts: Iterable[Built]) -> Release:
    """Lay the executables out below ``root``/NAME/VERSION.

    PublishError when that version is there with other content, or cannot be written.
    """
    folder = root / name / version
    built = sorted(artifacts, key=lambda artifact: artifact.target)
    manifest = {
        "format": MANIFEST_FORMAT,
        "name": name,
        "version": version,
        "artifacts": [
            {
                "target": artifact.target,
                "file": file_name(name, version, artifact),
                "sha256": artifact.sha256,
                "size": artifact.size,
                **artifact.facts,
            }
            for artifact in built
        ],
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locks.locked(folder.parent / ".lock", passing=True):
            if not folder.exists():
                _write(folder, manifest, {file_name(name, version, a): a.path for a in built})
                return Release(path=folder, name=name, version=version, new=True, manifest=manifest)
            return _existing(folder, manifest)
    except OSError as error:
        raise PublishError(
            f"cannot be written: {error.strerror}", where=str(error.filename or folder)
        ) from error


def file_name(name: str, version: str, artifact: Built) -> str:
    """What an executable is called in a release: app-1.0-linux-x64."""
    return (
        f"{name}-{version}-{artifact.target}{artifact.path.suffix if artifact.path.suffix == '.exe' else ''}"
    )


def _write(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    for stale in folder.parent.glob(f".{folder.name}.*"):  # left by a killed release: we hold the lock
        shutil.rmtree(stale, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for row in manifest["artifacts"]:
            _copy(files[row["file"]], beside / row["file"], row["sha256"])
        sums = "".join(f"{row['sha256']}  {row['file']}\n" for row in manifest["artifacts"])
        (beside / "SHA256SUMS").write_text(sums, encoding="utf-8")
        (beside / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        for file in beside.iterdir():
            _flush(file)
        beside.chmod(0o755)
        _flush(beside)
        beside.rename(folder)
        _flush(folder.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _copy(source: Path, target: Path, sha256: str) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)
    if _sha256(target) != sha256:
        raise PublishError(
            "the executable changed while it was released", where=str(source), hint="release again"
        )


def _existing(folder: Path, manifest: Mapping[str, Any]) -> Release:
    """The release that is there, when it holds the wanted executables, unchanged."""
    there: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        there = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    rows = {row["target"]: row for row in there.get("artifacts", [])}
    hint = f"raise the version, or delete {folder} if nobody has that release yet"
    for row in manifest["artifacts"]:
        known = rows.get(row["target"])
        if known is None:
            targets = ", ".join(rows) or "nothing readable"
            raise PublishError(
                f"is released already, with {targets} and without {row['target']}",
                where=str(folder),
                hint=hint,
            )
        if known["sha256"] != row["sha256"]:
            raise PublishError(
                f"is released already, with another {known['file']}", where=str(folder), hint=hint
            )
    for row in rows.values():
        file = folder / row["file"]
        if not file.is_file() or _sha256(file) != row["sha256"]:
            raise PublishError(
                "was changed or removed after its release",
                where=str(file),
                hint=f"delete {folder}, then release again",
            )
    return Release(path=folder, name=there["name"], version=there["version"], new=False, manifest=there)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
