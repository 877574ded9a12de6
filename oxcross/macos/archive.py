"""Packs a bundle or an executable into a zip, as ``ditto -c -k --keepParent`` does: the folder itself is in it, modes are kept.

Apple's notary service takes such a file. The same inputs give the same bytes: files are in the order of their names, and have
no times. Source: "Customizing the notarization workflow", Apple's documentation; APPNOTE.TXT of PKWARE, section 4.4.15.
"""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from oxcross import atomic

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the first time that a zip can have
_UNIX: Final = 3


def write(source: Path, out: Path) -> Path:
    """Write ``out``, in one atomic step: ``source`` and all that is in it. OSError when that cannot be done."""
    with atomic.writing(out) as stream, zipfile.ZipFile(stream, "w") as archive:
        for path in entries(source):
            _add(archive, path, path.relative_to(source.parent).as_posix())
    return out


def entries(source: Path) -> Iterator[Path]:
    """The path and all below it, folders before what is in them."""
    yield source
    if source.is_dir():
        yield from sorted(source.rglob("*"), key=lambda path: path.relative_to(source).parts)


def mode(path: Path) -> int:
    """The mode that a packed file has: what its owner may do, everybody may, save writing."""
    if path.is_dir():
        return stat.S_IFDIR | 0o755
    return stat.S_IFREG | (0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644)


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    folder = path.is_dir()
    row = zipfile.ZipInfo(f"{name}/" if folder else name, _EPOCH)
    row.create_system = _UNIX
    row.external_attr = mode(path) << 16 | (0x10 if folder else 0)
    row.compress_type = zipfile.ZIP_STORED if folder else zipfile.ZIP_DEFLATED
    if folder:
        archive.writestr(row, b"")
        return
    row.file_size = path.stat().st_size
    with path.open("rb") as source, archive.open(row, "w") as target:
        shutil.copyfileobj(source, target, 1 << 20)
