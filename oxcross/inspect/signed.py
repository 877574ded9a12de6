"""Looks at the signature of an executable of Windows or macOS."""

from __future__ import annotations

import subprocess
from pathlib import Path

from oxcross.errors import InspectError
from oxcross.inspect.report import CodeSignatureFact, SignatureFact
from oxcross.macho import Macho
from oxcross.pe import Pe
from oxcross.windows import authenticode


def look(path: Path, file: Pe) -> SignatureFact | None:
    """Who signed the executable; None when nobody did, and where osslsigncode is missing, which can tell.

    Raises InspectError for a file that was changed after it was signed.
    """
    if file.signature == (0, 0) or not authenticode.available():
        return None
    try:
        seen = authenticode.verify(path)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if not seen.intact:
        raise InspectError(f"damaged: its signature is not right: {seen.reason}", where=str(path))
    return SignatureFact(
        subject=seen.subject, issuer=seen.issuer, timestamp=seen.timestamp, trusted=seen.verified
    )


def look_macho(file: Macho) -> CodeSignatureFact | None:
    """The signature of an executable of macOS; None when it has none.

    Raises MachoError for a file that was changed after it was signed.
    """
    from oxcross.macos.verify import verify

    seen = verify(file)
    if seen is None:
        return None
    return CodeSignatureFact(seen.identifier, seen.adhoc, seen.linker_signed, seen.cdhash)
