"""Archives of a release's executables: ``app-1.0-linux-x64.tar.gz``, for Windows ``.zip``, with README and licences.

Each holds one folder, and in it the executable under its own name. The same executables give the same bytes: names in order, one fixed
time, nobody's user. Only zlib, whose compression may change with its version, has a word in it: what a release holds was compressed once,
and its digests are in SHA256SUMS.
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import time
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from oxcross import targets
from oxcross.errors import PublishError
from oxcross.plan import SOURCE_DATE_EPOCH
from oxcross.project import Project
from oxcross.publish.draft import Built, Draft, Row

LICENSES: Final = "LICENSES.txt"
_LEVEL: Final = 6  # of deflate; 9 takes several times as long for a hundredth
_CHUNK: Final = 1 << 20


class Archives:
    """The addition that makes an archive of each executable that has none, unless the project wants none."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def __call__(self, draft: Draft) -> None:
        if not self._project.release.archives:
            return
        documents = _documents(self._project)
        licenses = draft.manifest.get("licenses")
        if licenses:
            documents.setdefault(LICENSES, draft.folder / licenses["file"])
        for built, row in draft.pairs():
            folder = f"{draft.name}-{draft.version}-{built.target}"
            if f"{folder}.zip" not in draft.files:  # a bundle for macOS, which is an archive already
                row["archive"] = _archive(draft, folder, built, row, documents)


def _archive(draft: Draft, folder: str, built: Built, row: Row, documents: Mapping[str, Path]) -> Row:
    zipped = targets.get(built.target).os == "windows"
    file = f"{folder}.zip" if zipped else f"{folder}.tar.gz"
    if built.path.name in documents:
        raise PublishError(
            f"the executable and a document are both called {built.path.name}",
            where=str(documents[built.path.name]),
            hint="call one otherwise, or set archives = false in [tool.oxcross.release]",
        )
    members = {built.path.name: draft.folder / row["file"], **documents}
    with (draft.folder / file).open("wb") as stream:
        pack = _zip if zipped else _tar
        pack(stream, {f"{folder}/{name}": members[name] for name in sorted(members)}, built.path.name)
    return draft.written(file)


def _tar(stream: IO[bytes], members: Mapping[str, Path], executable: str) -> None:
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, path in members.items():
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = _mode(name, executable)
            member.mtime = SOURCE_DATE_EPOCH
            with path.open("rb") as content:
                archive.addfile(member, content)


def _zip(stream: IO[bytes], members: Mapping[str, Path], executable: str) -> None:
    moment = time.gmtime(SOURCE_DATE_EPOCH)[:6]
    with zipfile.ZipFile(stream, "w") as archive:
        for name, path in members.items():
            member = zipfile.ZipInfo(name, moment)
            member.create_system = 3  # Unix, whose modes follow: the same wherever it is made
            member.external_attr = (0o100000 | _mode(name, executable)) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            member.file_size = path.stat().st_size
            member._compresslevel = _LEVEL  # type: ignore[attr-defined] # noqa: SLF001 (public from Python 3.13 on)
            with path.open("rb") as content, archive.open(member, "w") as packed:
                shutil.copyfileobj(content, packed, _CHUNK)


def _mode(name: str, executable: str) -> int:
    return 0o755 if name.partition("/")[2] == executable else 0o644


def _documents(project: Project) -> dict[str, Path]:
    """The README and the licences that pyproject.toml names, by name in an archive."""
    meta = tomllib.loads(project.pyproject.read_text(encoding="utf-8")).get("project", {})
    found = {}
    for path in (*_named(project.root, meta), *_licences(project.root, meta)):
        name = path.relative_to(project.root)
        if ".." not in name.parts and path.is_file():
            found[name.as_posix()] = path
    return found


def _named(root: Path, meta: Mapping[str, Any]) -> Iterator[Path]:
    """What stands there as a file's name; ``license = "MIT"`` is none."""
    readme = meta.get("readme")
    if isinstance(readme, str):
        yield root / readme.lstrip("/")
    for table in (readme, meta.get("license")):
        if isinstance(table, dict) and isinstance(table.get("file"), str):
            yield root / table["file"].lstrip("/")


def _licences(root: Path, meta: Mapping[str, Any]) -> Iterator[Path]:
    """What ``license-files`` matches (PEP 639)."""
    patterns = meta.get("license-files", ())
    for pattern in patterns if isinstance(patterns, list) else ():
        if isinstance(pattern, str) and pattern and not Path(pattern).is_absolute():
            yield from sorted(root.glob(pattern))
