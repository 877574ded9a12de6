"""The task that prints bills of materials."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from invoke.context import Context

from oxcross.command import command
from oxcross.errors import UsageError


@command(
    help={
        "file": "an executable that oxcross made",
        "output": "write it to this file instead of stdout",
    }
)
def sbom(_c: Context, file: str, output: str = "") -> None:
    """Print the bill of materials of an executable: CycloneDX 1.6, JSON.

    It is made of what the executable carries; the same executable gives the same bytes.
    """
    from oxcross import sbom as bills
    from oxcross.inspect import carried

    content = bills.document(carried.read(Path(file)))
    if not output:
        sys.stdout.write(content.decode())
        return
    try:
        write(Path(output), content)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=output) from error


def write(path: Path, content: bytes) -> None:
    """Write beside, flush, rename: there is all of it or what was there before."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
