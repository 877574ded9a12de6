"""What an answer of the server means: try again, and when; or stop, and what the user is told.

Sources: "Error responses" and "Request throttling" in Amazon's documentation of S3; "Exponential backoff and jitter", Amazon's
Architecture blog (the delays are its "full jitter").
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from oxcross.errors import PublishError

_FIRST_SECONDS: Final = 0.2
_LONGEST_SECONDS: Final = 15.0
_DAMAGED_TRIES: Final = 5


class Verdict(Enum):
    """What to do about an answer."""

    AGAIN = "again"  # busy, broken, cut off: the same later
    DAMAGED = "damaged"  # what arrived is not what was sent; or what was to be sent is not what it was
    CLOCK = "clock"  # this machine's clock is wrong
    EXPIRED = "expired"  # the credentials were good once
    EXISTS = "exists"  # If-None-Match or If-Match does not hold
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True)
class Answer:
    """An answer that is an error. ``headers``: names in lower case."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str]


_VERDICTS: Final[Mapping[str, Verdict]] = {
    **dict.fromkeys(
        (
            "SlowDown",
            "Throttling",
            "ThrottlingException",
            "TooManyRequests",
            "RequestLimitExceeded",
            "BandwidthLimitExceeded",
            "RequestTimeout",
            "InternalError",
            "ServiceUnavailable",
            "OperationAborted",
        ),
        Verdict.AGAIN,
    ),
    **dict.fromkeys(
        (
            "BadDigest",
            "InvalidDigest",
            "XAmzContentSHA256Mismatch",
            "XAmzContentChecksumMismatch",
            "IncompleteBody",
            "MalformedXML",
            "MissingContentLength",
        ),
        Verdict.DAMAGED,
    ),
    "RequestTimeTooSkewed": Verdict.CLOCK,
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"), Verdict.EXPIRED
    ),
    "PreconditionFailed": Verdict.EXISTS,
    **dict.fromkeys(("NoSuchKey", "NoSuchUpload", "NotFound", "404"), Verdict.MISSING),
    "NoSuchBucket": Verdict.REFUSED,
}


def judge(answer: Answer) -> Verdict:
    """What an answer means."""
    if (known := _VERDICTS.get(answer.code)) is not None:
        return known
    if answer.status in (0, 408, 429) or (answer.status >= 500 and answer.status not in (501, 505)):
        return Verdict.AGAIN
    if answer.status == 412:
        return Verdict.EXISTS
    if answer.status == 404:
        return Verdict.MISSING
    return Verdict.REFUSED


class Trying:
    """The tries of one request: how long to wait before the next, until patience ends."""

    def __init__(
        self,
        patience: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,  # in [0, 1)
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._chance = chance
        self._begun: float | None = None
        self.failed = 0
        self._damaged = 0

    def pause(self, verdict: Verdict, headers: Mapping[str, str]) -> float | None:
        """Seconds to wait before the next try; None: it is enough. ``headers``: Retry-After is heard."""
        now = self._clock()
        if self._begun is None:
            self._begun = now
        self.failed += 1
        self._damaged += verdict is Verdict.DAMAGED
        if self._damaged >= _DAMAGED_TRIES:
            return None
        left = self._begun + self._patience - now
        ceiling = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2 ** min(self.failed - 1, 10))
        wait = max(self._chance() * ceiling, _asked(headers))
        return wait if wait < left else None


def _asked(headers: Mapping[str, str]) -> float:
    """The seconds that Retry-After asks for; its other form, a date, is no server's of S3."""
    text = headers.get("retry-after", "")
    return min(float(text), 60.0) if text.isdigit() else 0.0


_ADVICE: Final[Mapping[str, tuple[str, str]]] = {
    "NoSuchBucket": ("there is no such bucket", "see bucket, region and endpoint in [tool.oxcross.publish]"),
    "InvalidAccessKeyId": (
        "the server does not know the access key",
        "see AWS_ACCESS_KEY_ID, or the profile in ~/.aws/credentials",
    ),
    "SignatureDoesNotMatch": (
        "the server does not accept the secret key",
        "see AWS_SECRET_ACCESS_KEY, or the profile in ~/.aws/credentials",
    ),
    "InvalidToken": ("the session token is not right", "log in anew, then run the same again"),
    "AccessControlListNotSupported": ("the bucket allows no ACLs", "leave acl out of [tool.oxcross.publish]"),
    "NotImplemented": ("the server cannot do what is asked", "see [tool.oxcross.publish]"),
    **dict.fromkeys(
        ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "301"),
        ("the bucket is in another region", "set region in [tool.oxcross.publish], or AWS_REGION"),
    ),
}

AGAIN: Final = "run the same again: what is there already stays, and it goes on where it stopped"


def refusal(answer: Answer, verdict: Verdict, what: str, where: str) -> PublishError:
    """What the user is told when a request is given up. ``what``: "write the object" and the like."""
    said = f"{answer.code}: {answer.message}".rstrip(": ")
    if verdict is Verdict.EXPIRED:
        return PublishError(
            f"the credentials have expired ({said})",
            where=where,
            hint=f"get new ones (`aws sso login`, a new session token), then {AGAIN}",
        )
    if verdict is Verdict.CLOCK:
        return PublishError(
            f"this machine's clock is wrong ({said})", where=where, hint=f"set it, then {AGAIN}"
        )
    if verdict is Verdict.AGAIN:
        message = f"the server does not get to {what} ({said})"
        return PublishError(message, where=where, hint=AGAIN, page="no-server")
    if verdict is Verdict.DAMAGED:
        return PublishError(
            f"what the server received is not what was sent ({said})",
            where=where,
            hint=f"if the file did not change meanwhile, something on the way changes it; {AGAIN}",
        )
    if (advice := _ADVICE.get(answer.code)) is not None:
        text, hint = advice
        region = answer.headers.get("x-amz-bucket-region")
        return PublishError(
            f"{text} ({said})", where=where, hint=f"{hint}; it is in {region}" if region else hint
        )
    if answer.status == 403:
        return PublishError(
            f"not allowed to {what} ({said})",
            where=where,
            hint="the credentials need s3:GetObject, s3:PutObject, s3:ListBucket, s3:ListBucketMultipartUploads, "
            "s3:ListMultipartUploadParts and s3:AbortMultipartUpload there; prune, and copies that a channel has no more, s3:DeleteObject, too",
        )
    return PublishError(f"the server refuses to {what} ({answer.status} {said})", where=where)


def answer_of(response: Mapping[str, Any]) -> Answer:
    """botocore's parsed error as an Answer."""
    error = response.get("Error", {})
    meta = response.get("ResponseMetadata", {})
    return Answer(
        status=int(meta.get("HTTPStatusCode", 0)),
        code=str(error.get("Code", "")),
        message=str(error.get("Message", "")),
        headers={str(name).lower(): str(value) for name, value in meta.get("HTTPHeaders", {}).items()},
    )
