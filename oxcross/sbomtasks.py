"""The task that prints bills of materials."""

from __future__ import annotations

import sys
from pathlib import Path

from invoke.context import Context

from oxcross import atomic
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

    Examples:
      oxcross sbom build/linux-x64/myapp --output myapp.cdx.json  # of any executable that oxcross made
    """
    from oxcross import sbom as bills
    from oxcross.inspect import carried

    content = bills.document(carried.read(Path(file)))
    if not output:
        sys.stdout.write(content.decode())
        return
    try:
        atomic.write(Path(output), content)
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=output) from error
