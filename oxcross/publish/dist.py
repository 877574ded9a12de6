"""A release as a folder: ``dist/NAME/VERSION/``, which never changes once it is there.

It holds the executables (``app-1.0-linux-x64``), what was packed of them (``app-1.0-macos-arm64.zip``, ``.pkg``), what contents.py
adds, SHA256SUMS (of all that but itself), manifest.json and the signatures of these two; nothing that depends on the time or the
machine: the same executables give the same folder. It is written beside its place, flushed and renamed, so there is either all of it or nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross import locks, targets
from oxcross.errors import PublishError
from oxcross.publish import folder as folders
from oxcross.publish.draft import Addition, Built, Draft, Row, Signing, sha256_of
from oxcross.publish.keys import MANIFEST, SUMS
from oxcross.publish.manifest import FORMAT


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


def release(
    root: Path,
    name: str,
    version: str,
    artifacts: Iterable[Built],
    additions: Sequence[Addition] = (),
    signing: Sequence[Signing] = (),
) -> Release:
    """Lay the executables out below ``root``/NAME/VERSION, with what is added to them, signed.

    A release that is there already gets the signatures that it lacks. PublishError when that version is there with other
    executables, or cannot be written.
    """
    folder = root / name / version
    built = tuple(sorted(artifacts, key=lambda artifact: artifact.target))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locks.locked(folder.parent / ".lock", passing=True):
            if folder.exists():
                there = _existing(folder, name, version, built)
                _sign_existing(folder, signing)
                return Release(path=folder, name=name, version=version, new=False, manifest=there)
            manifest = _write(folder, name, version, built, additions, signing)
            return Release(path=folder, name=name, version=version, new=True, manifest=manifest)
    except OSError as error:
        raise PublishError(
            f"cannot be written: {error.strerror}", where=str(error.filename or folder)
        ) from error


def file_name(name: str, version: str, artifact: Built) -> str:
    """What an executable is called in a release: app-1.0-linux-x64."""
    suffix = ".exe" if artifact.path.suffix == ".exe" else ""
    return f"{name}-{version}-{artifact.target}{suffix}"


def _packages(name: str, version: str, artifact: Built) -> dict[str, Path]:
    """What an executable was packed into, by name in a release."""
    own = file_name(name, version, artifact)
    return {f"{own}{path.suffix}": path for path in artifact.packages if path.is_file()}


def _write(
    folder: Path,
    name: str,
    version: str,
    built: tuple[Built, ...],
    additions: Sequence[Addition],
    signing: Sequence[Signing],
) -> dict[str, Any]:
    beside = _beside(folder)
    try:
        draft = _draft(beside, name, version, built)
        for add in additions:
            add(draft)
        sums = "".join(f"{row['sha256']}  {file}\n" for file, row in draft.files.items())
        (beside / SUMS).write_text(sums, encoding="utf-8")
        (beside / MANIFEST).write_text(json.dumps(draft.manifest, indent=2) + "\n", encoding="utf-8")
        for file, content in _signatures(beside, signing):
            file.write_bytes(content)
        for file in beside.iterdir():
            _flush(file)
        beside.chmod(0o755)
        _flush(beside)
        beside.rename(folder)
        _flush(folder.parent)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return draft.manifest


def _beside(folder: Path) -> Path:
    """A new folder beside a release's; those that a killed release left are removed, for we hold the lock."""
    for stale in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))


def _signatures(folder: Path, signing: Sequence[Signing]) -> Iterator[tuple[Path, bytes]]:
    """The files of the signatures, and what is to be in them."""
    for file in (folder / SUMS, folder / MANIFEST):
        for sign in signing:
            for suffix, content in sign(file).items():
                yield file.with_name(file.name + suffix), content


def _sign_existing(folder: Path, signing: Sequence[Signing]) -> None:
    """Add the signatures that a release lacks. PublishError when it has others."""
    beside = _beside(folder)
    try:
        for file, content in _signatures(folder, signing):
            if file.exists():
                if file.read_bytes() != content:
                    raise PublishError(
                        "it is another signature than the key makes",
                        where=str(file),
                        hint="delete it if nobody has that release yet, then release again",
                    )
                continue
            new = beside / file.name
            new.write_bytes(content)
            _flush(new)
            new.rename(file)
        _flush(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _draft(beside: Path, name: str, version: str, built: tuple[Built, ...]) -> Draft:
    """The executables and what they were packed into."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "name": name,
        "version": version,
        "artifacts": [],
    }
    draft = Draft(name=name, version=version, folder=beside, artifacts=built, manifest=manifest)
    for artifact in built:
        own = file_name(name, version, artifact)
        draft.add_built(own, artifact)
        packages = [draft.add(file, path) for file, path in _packages(name, version, artifact).items()]
        row: Row = {
            "target": artifact.target,
            "file": own,
            "sha256": artifact.sha256,
            "size": artifact.size,
            **_platform(artifact.target),
            **artifact.facts,
            **({"packages": packages} if packages else {}),
        }
        manifest["artifacts"].append(row)
    return draft


def _platform(name: str) -> Row:
    """What an installer chooses by; an executable may ask for a newer system than its target does."""
    target = targets.get(name)
    return {
        "triple": target.triple,
        "os": target.os,
        "arch": target.arch,
        "libc": target.libc,
        "minimum": target.floor,
    }


def _existing(folder: Path, name: str, version: str, built: Sequence[Built]) -> dict[str, Any]:
    """The manifest of the release that is there, when it holds the wanted executables and nothing of it was changed."""
    there: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        there = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    rows = {row["target"]: row for row in there.get("artifacts", [])}
    hint = f"raise the version, or delete {folder} if nobody has that release yet"
    for artifact in built:
        known = rows.get(artifact.target)
        if known is None:
            targets = ", ".join(rows) or "nothing readable"
            raise PublishError(
                f"is released already, with {targets} and without {artifact.target}",
                where=str(folder),
                hint=hint,
            )
        if known["sha256"] != artifact.sha256:
            raise PublishError(
                f"is released already, with another {known['file']}", where=str(folder), hint=hint
            )
        packed = {row["file"]: row["sha256"] for row in known.get("packages", ())}
        if packed != {file: sha256_of(path) for file, path in _packages(name, version, artifact).items()}:
            raise PublishError(
                f"is released already, with other packages of {known['file']}", where=str(folder), hint=hint
            )
    try:
        folders.read(folder, name, version)
    except PublishError as error:
        raise PublishError(
            f"was changed or removed after its release: {error.message}",
            where=error.where,
            hint=f"delete {folder}, then release again",
        ) from None
    return there


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
