"""Puts a file into a bucket of Amazon S3, where Apple's notary service takes uploads.

Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)", Amazon's documentation of S3.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_SECONDS: Final = 300.0  # without a sign of life


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What the notary service gives for one upload. ``token``: the session's; "" is none."""

    key_id: str
    secret: str
    token: str


def authorization(
    address: str,
    headers: Mapping[str, str],
    credentials: Credentials,
    region: str,
    when: dt.datetime,
) -> str:
    """The header Authorization of a PUT with these headers, of which x-amz-content-sha256 is one."""
    parts = urllib.parse.urlsplit(address)
    signed = {name.lower(): value.strip() for name, value in headers.items()} | {"host": parts.netloc}
    names = ";".join(sorted(signed))
    request = "\n".join([
        "PUT",
        parts.path,
        parts.query,
        *(f"{name}:{signed[name]}" for name in sorted(signed)),
        "",
        names,
        signed["x-amz-content-sha256"],
    ])  # fmt: skip
    scope = f"{when:%Y%m%d}/{region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{when:%Y%m%dT%H%M%SZ}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + credentials.secret.encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return f"{_ALGORITHM} Credential={credentials.key_id}/{scope},SignedHeaders={names},Signature={key.hex()}"


def put(path: Path, sha256: str, address: str, credentials: Credentials, region: str) -> None:
    """Upload a file, whose SHA-256 (hex) that is. OSError (urllib's among them) when that fails."""
    when = dt.datetime.now(dt.UTC)
    headers = {
        "Content-Type": "application/octet-stream",
        "x-amz-content-sha256": sha256,
        "x-amz-date": f"{when:%Y%m%dT%H%M%SZ}",
    }
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["Authorization"] = authorization(address, headers, credentials, region, when)
    headers["Content-Length"] = str(path.stat().st_size)
    with path.open("rb") as stream:
        request = urllib.request.Request(address, data=stream, headers=headers, method="PUT")  # noqa: S310 (https, or a test's)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            answer.read()


def quoted(name: str) -> str:
    """An object's name as it stands in an address."""
    return urllib.parse.quote(name, safe="/-_.~")
