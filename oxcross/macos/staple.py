"""Puts the ticket of Apple's notary service into a bundle or package, so that macOS need not ask for it over the network.

Executables have no place for one. Source: "Customizing the notarization workflow", Apple's documentation, says what; where and how,
nobody at Apple does: apple-codesign's stapling.rs (github.com/indygreg/apple-platform-rs).
"""

from __future__ import annotations

import base64
import json
import plistlib
import urllib.error
import urllib.request
from pathlib import Path
from struct import Struct
from typing import Final

from oxcross import atomic
from oxcross.errors import PublishError, ToolError
from oxcross.macho import MachoError
from oxcross.macos import xar
from oxcross.macos.sign import machos
from oxcross.macos.verify import verify

_SECONDS: Final = 60.0
_TRAILER = Struct("<4sHHII")  # magic, version, kind, size of the ticket before it, zero
_MAGIC: Final = b"t8lr"
_END, _TICKET = 1, 2
_TICKET_MAGIC: Final = b"s8ch"
_SHA256: Final = 2
_SHA1: Final = 1


def executable(bundle: Path) -> Path:
    """The program of a bundle. PublishError when there is none."""
    contents = bundle / "Contents"
    try:
        info = plistlib.loads((contents / "Info.plist").read_bytes())
        path = contents / "MacOS" / str(info["CFBundleExecutable"])
    except (OSError, ValueError, KeyError, plistlib.InvalidFileException) as error:
        raise PublishError(f"it is no bundle: {error}", where=str(bundle)) from None
    if not path.is_file():
        raise PublishError(f"it has no {path.name}", where=str(bundle))
    return path


def record(path: Path) -> str:
    """The name of the ticket of a bundle or package, which is that of its signature. PublishError without one."""
    if path.is_dir():
        try:
            seen = verify(machos(executable(path).read_bytes())[0])
        except MachoError as error:
            raise PublishError(f"its signature is not right: {error}", where=str(path)) from None
        if seen is None:
            raise PublishError("it is not signed", where=str(path))
        return f"2/{_SHA256}/{seen.cdhash}"
    try:
        archive = xar.read(path.read_bytes())
    except xar.XarError as error:
        raise PublishError(f"it is no package: {error}", where=str(path)) from None
    kind = _SHA1 if archive.kind == "sha1" else _SHA256
    return f"2/{kind}/{archive.checksum[:20].hex()}"


def staple(path: Path, tickets: str) -> None:
    """Get the ticket of a bundle or package from the service at ``tickets``, and put it in. PublishError when there is
    none, ToolError when the service does not answer.
    """
    ticket = _fetch(record(path), tickets, path)
    if path.is_dir():
        with atomic.writing(path / "Contents" / "CodeResources", folder=path.parent) as stream:
            stream.write(ticket)
        return
    data = _without(path.read_bytes())
    end = _TRAILER.pack(_MAGIC, 1, _END, 0, 0)
    after = _TRAILER.pack(_MAGIC, 1, _TICKET, len(ticket), 0)
    atomic.write(path, data + end + ticket + after)


def stapled(path: Path) -> bytes:
    """The ticket in a bundle or package; empty when it has none."""
    if path.is_dir():
        place = path / "Contents" / "CodeResources"
        return place.read_bytes() if place.is_file() else b""
    data = path.read_bytes()
    length = len(data) - len(_without(data))
    return data[len(data) - length + _TRAILER.size : -_TRAILER.size] if length else b""


def _without(data: bytes) -> bytes:
    """A package without the ticket that it has."""
    if len(data) > 2 * _TRAILER.size:
        magic, _, kind, size, _ = _TRAILER.unpack_from(data, len(data) - _TRAILER.size)
        start = len(data) - 2 * _TRAILER.size - size
        if (magic, kind) == (_MAGIC, _TICKET) and start > 0 and data[start : start + 4] == _MAGIC:
            return data[:start]
    return data


def _fetch(name: str, tickets: str, path: Path) -> bytes:
    body = json.dumps({"records": [{"recordName": name}]}).encode()
    headers = {"Accept": "application/json", "Content-Type": "application/json"}
    request = urllib.request.Request(tickets, data=body, headers=headers)  # noqa: S310 (https, or a test's)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 (as above)
            [row] = json.load(answer)["records"]
    except urllib.error.HTTPError as error:
        raise PublishError(f"no ticket can be had: {error.code} {error.reason}", where=str(path)) from None
    except OSError as error:
        raise ToolError(
            f"{request.host} cannot be reached: {getattr(error, 'reason', error)}", hint="try again"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise PublishError("the answer is not that of Apple's service for tickets", where=tickets) from None
    try:
        ticket = base64.b64decode(row["fields"]["signedTicket"]["value"], validate=True)
    except (ValueError, KeyError, TypeError):
        reason = row.get("reason") or row.get("serverErrorCode") if isinstance(row, dict) else ""
        raise PublishError(
            f"there is no ticket for it: {reason or 'nothing was said'}", where=str(path)
        ) from None
    if not ticket.startswith(_TICKET_MAGIC):
        raise PublishError("its ticket is none", where=str(path))
    return ticket
