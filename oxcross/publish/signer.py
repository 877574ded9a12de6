"""Amazon's signatures (version 4), with the server's clock where this machine's is wrong.

A signature is good for 15 minutes around its time. botocore takes the machine's clock and never looks at the server's; Amazon's
other kits correct it, by the answer's Date header, as this does. It is a signer of its own beside botocore's, chosen
for one client when that was found.
"""

from __future__ import annotations

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
    """What is added to this machine's clock, in seconds, for the signatures of one client."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def correct(self, client: Any, ahead: float) -> None:
        """From now on ``client`` signs with the server's time."""
        self.ahead = ahead
        clock = self

        class Signer(botocore.auth.S3SigV4Auth):
            def _modify_request_before_signing(self, request: Any) -> None:
                now = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=clock.ahead)
                request.context["timestamp"] = now.strftime(_FORMAT)
                super()._modify_request_before_signing(request)  # type: ignore[misc]

        name = f"{_NAME}-{id(self)}"
        botocore.auth.AUTH_TYPE_MAPS[name] = Signer
        client.meta.events.register("choose-signer.s3", lambda **_: name, unique_id=_NAME)
