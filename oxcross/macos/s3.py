"""Puts a file into a bucket of Amazon S3, where Apple's notary service takes uploads. botocore signs the request."""

from __future__ import annotations

import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 300.0  # without a sign of life


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What the notary service gives for one upload. ``token``: the session's; "" is none."""

    key_id: str
    secret: str
    token: str


def put(path: Path, sha256: str, address: str, credentials: Credentials, region: str) -> None:
    """Upload a file, whose SHA-256 (hex) that is. OSError (urllib's among them) when that fails."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Signing

    known = Signing(credentials.key_id, credentials.secret, credentials.token or None)
    headers = {"Content-Type": "application/octet-stream"}
    with path.open("rb") as stream:
        signed = AWSRequest(method="PUT", url=address, headers=headers, data=stream)
        S3SigV4Auth(known, "s3", region).add_auth(signed)
        if signed.headers["X-Amz-Content-SHA256"] != sha256:
            raise OSError(f"{path} changed while it was uploaded")
        sent = {**signed.headers, "Content-Length": str(path.stat().st_size)}
        request = urllib.request.Request(address, data=stream, headers=sent, method="PUT")  # noqa: S310 (https, or a test's)
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            answer.read()


def quoted(name: str) -> str:
    """An object's name as it stands in an address."""
    return urllib.parse.quote(name, safe="/-_.~")
