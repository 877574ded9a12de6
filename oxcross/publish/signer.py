"""Amazon's signatures (version 4), with the server's clock where this machine's is wrong.

A signature is good for 15 minutes around its time. botocore takes the machine's clock and never looks at the server's; Amazon's
other kits correct it, by the answer's Date header, as this does. It is a signer of its own beside botocore's, chosen
for one client. Where it has to sign the content, too (without TLS), it takes the SHA-256 that the request has already.
"""

from __future__ import annotations

import base64
import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Any, Final

import botocore.auth

_NAME: Final = "oxcross-s3v4"
_FORMAT: Final = "%Y%m%dT%H%M%SZ"


def skew(date: str, now: dt.datetime | None = None) -> float | None:
    """By how many seconds the clock that wrote ``date`` (RFC 9110) is ahead of this machine's; None: unreadable."""
    try:
        then = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=dt.UTC)
    return (then - (now or dt.datetime.now(dt.UTC))).total_seconds()


class Clock:
    """What is added to this machine's clock for the signatures of one client."""

    def __init__(self, client: Any) -> None:
        self.ahead = 0.0  # seconds
        clock = self

        class Signer(botocore.auth.S3SigV4Auth):
            def _modify_request_before_signing(self, request: Any) -> None:
                if clock.ahead:
                    now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=clock.ahead)
                    request.context["timestamp"] = now.strftime(_FORMAT)
                super()._modify_request_before_signing(request)  # type: ignore[misc]

            def payload(self, request: Any) -> str:
                known = request.headers.get("x-amz-checksum-sha256", "")
                if isinstance(known, bytes):
                    known = known.decode()
                if request.method == "PUT" and known and request.url.startswith("http:"):
                    return base64.b64decode(known).hex()
                return str(super().payload(request))

        name = f"{_NAME}-{id(self)}"
        botocore.auth.AUTH_TYPE_MAPS[name] = Signer
        client.meta.events.register("choose-signer.s3", lambda **_: name, unique_id=_NAME)
