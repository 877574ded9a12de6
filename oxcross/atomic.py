"""Files that are there as a whole or as they were before: written beside their place, flushed, renamed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write the file with these rights. OSError; then nothing half-written stays."""
    with writing(path, mode) as stream:
        stream.write(content)


@contextmanager
def writing(path: Path, mode: int = 0o644, *, folder: Path | None = None) -> Iterator[BinaryIO]:
    """A stream whose content is the file's, when all went well. It is written in ``folder``, on the same file system, where that
    is not the file's own: no stranger's file is to be seen in a bundle. OSError, as above.
    """
    descriptor, name = tempfile.mkstemp(dir=folder or path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, mode)
            yield stream
            stream.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
