"""A release as a folder: ``dist/NAME/VERSION/``, which never changes once it is there.

It holds the executables (``app-1.0-linux-x64``), what was packed of them (``app-1.0-macos-arm64.zip``, ``.pkg``), SHA256SUMS
and manifest.json, nothing that depends on the time or the machine: the same executables give the same folder. It is written beside its place,
flushed and renamed, so there is either all of it or nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
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
    @property
    def packages(self) -> Sequence[Path]: ...  # what it was packed into; folders (bundles) are not released


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
    files = {
        file: path for artifact in built for file, path in released_files(name, version, artifact).items()
    }
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
                **_packages(name, version, artifact),
            }
            for artifact in built
        ],
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locks.locked(folder.parent / ".lock", passing=True):
            if not folder.exists():
                _write(folder, manifest, files)
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


def released_files(name: str, version: str, artifact: Built) -> dict[str, Path]:
    """The files of an executable in a release, by name: itself first."""
    own = file_name(name, version, artifact)
    packed = {f"{own}{path.suffix}": path for path in artifact.packages if path.is_file()}
    return {own: artifact.path, **packed}


def _packages(name: str, version: str, artifact: Built) -> dict[str, Any]:
    """The manifest's rows of what an executable was packed into."""
    rows = [
        {"file": file, "sha256": _sha256(path), "size": path.stat().st_size}
        for file, path in released_files(name, version, artifact).items()
        if path != artifact.path
    ]
    return {"packages": rows} if rows else {}


def _rows(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of all files."""
    return [row for one in manifest["artifacts"] for row in (one, *one.get("packages", ()))]


def _write(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    for stale in folder.parent.glob(f".{folder.name}.*"):  # left by a killed release: we hold the lock
        shutil.rmtree(stale, ignore_errors=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for row in _rows(manifest):
            _copy(files[row["file"]], beside / row["file"], row["sha256"])
        sums = "".join(f"{row['sha256']}  {row['file']}\n" for row in _rows(manifest))
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
    target.chmod(0o644 if source.suffix in (".zip", ".pkg") else 0o755)
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
        if known.get("packages") != row.get("packages"):
            raise PublishError(
                f"is released already, with other packages of {known['file']}", where=str(folder), hint=hint
            )
    for row in _rows({"artifacts": rows.values()}):
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
