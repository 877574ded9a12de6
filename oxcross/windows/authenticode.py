"""Reads a signed executable's signature: whose certificates are in it, and what osslsigncode says of it.

Source: "Windows Authenticode Portable Executable Signature Format", Microsoft; RFC 2315 (PKCS #7) and X.690 (DER).
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from struct import Struct

from oxcross.pe import Pe, PeError

_PROGRAM = "osslsigncode"
_CERTIFICATE = Struct("<IHH")  # WIN_CERTIFICATE: size, revision, type
_SEQUENCE, _FIRST = 0x30, 0xA0  # tags; the second is [0]
_SECONDS = 120.0
_DIGEST = re.compile(r"^(?:Current|Calculated) message digest\s*: ([0-9A-F]+)", re.MULTILINE)
_SUBJECT = re.compile(r"Signer #0:\s*\n\s*Subject: (.*)\n\s*Issuer : (.*)")
_UNTRUSTED = (
    "self-signed certificate",
    "self signed certificate",
    "unable to get",
    "not found in local repository",
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signature turned out to be. ``verified``: all of it is right; ``intact``: the file is what was signed;
    ``untrusted``: what is missing is only somebody who vouches for the certificate.
    """

    subject: str
    issuer: str
    verified: bool
    intact: bool
    untrusted: bool
    timestamp: bool
    reason: str


def available() -> bool:
    """Whether there is a program that can read signatures."""
    return shutil.which(_PROGRAM) is not None


def verify(path: Path, trusted: Path | None = None) -> Signature:
    """What osslsigncode says of a signed file, with the authorities in the PEM file ``trusted`` (default: the system's).

    Nothing is fetched from the network where osslsigncode can be told so. OSError or subprocess.TimeoutExpired when it
    does not run.
    """
    line = [_PROGRAM, "verify"]
    if "-ignore-cdp" in _options():
        line.append("-ignore-cdp")
    if trusted:
        line += ["-CAfile", str(trusted)]
    done = subprocess.run(
        [*line, "-in", str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    said = done.stdout + done.stderr
    digests = _DIGEST.findall(said)
    names = _SUBJECT.search(said)
    errors = re.findall(r"(?:Error|Verify error): (.*)", said)
    intact = len(digests) >= 2 and digests[0] == digests[1]
    return Signature(
        subject=names[1].strip() if names else "",
        issuer=names[2].strip() if names else "",
        verified=done.returncode == 0 and intact,
        intact=intact,
        untrusted=any(text in error for error in errors for text in _UNTRUSTED),
        timestamp="Timestamp time:" in said,
        reason="the file is not what was signed"
        if digests and not intact
        else "; ".join(dict.fromkeys(errors)) or "no reason given",
    )


@cache
def _options() -> str:
    done = subprocess.run(
        [_PROGRAM, "verify", "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def certificates(data: bytes) -> str:
    """The certificates in a signed executable's signature, as PEM. PeError for a signature that cannot be read."""
    offset, _ = Pe(data).signature
    if not offset or offset + _CERTIFICATE.size > len(data):
        raise PeError("it is not signed")
    (length, _, _) = _CERTIFICATE.unpack_from(data, offset)
    view = data[offset + _CERTIFICATE.size : offset + length]
    # ContentInfo: type, [0] SignedData: version, digests, content, [0] certificates …
    info = list(_children(_only(view, _SEQUENCE)))
    signed = list(_children(_only(_tagged(info, _FIRST), _SEQUENCE)))
    found = [whole for tag, _, whole in _children(_tagged(signed, _FIRST)) if tag == _SEQUENCE]
    return "".join(map(_pem, found))


def _pem(der: bytes) -> str:
    text = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n"


def _children(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The tag, content and whole of every DER value in a row."""
    at = 0
    while at + 2 <= len(data):
        tag, size, start = data[at], data[at + 1], at + 2
        if size & 0x80:
            count = size & 0x7F
            size, start = int.from_bytes(data[start : start + count], "big"), start + count
        if not tag or start + size > len(data):
            if any(data[at:]):
                raise PeError("its signature is damaged")
            return  # padding
        yield tag, data[start : start + size], data[at : start + size]
        at = start + size


def _only(data: bytes, tag: int) -> bytes:
    return _tagged(list(_children(data)), tag)


def _tagged(values: list[tuple[int, bytes, bytes]], tag: int) -> bytes:
    for known, content, _ in values:
        if known == tag:
            return content
    raise PeError("its signature is damaged")
