"""The connection to the server: made with the user's credentials, each request tried again until the patience ends (retry.py).

botocore's own retries are off. Nothing here logs, and what a server says is shown without the credentials, should it repeat them.
boto3 is slow to import: only tasks that publish do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Self

import boto3
import botocore.exceptions
import botocore.parsers
import urllib3.exceptions
from botocore.config import Config

from oxcross.errors import PublishError
from oxcross.publish import retry, signer
from oxcross.publish.retry import Answer, Trying, Verdict
from oxcross.publish.settings import Publish

THREADS: Final = 8  # parts on their way at once
_CONNECT_SECONDS: Final = 15.0
_TELLING: Final = 5  # tries without a word
_UNSAID: Final = (400, 403)  # clocks, tokens, permissions
# Someone else writes there right now. Amazon's servers want uploads in parts begun anew then, so it is the caller's to decide.
_CONFLICTS: Final = ("ConditionalRequestConflict",)
_NETWORK: Final = (
    botocore.exceptions.ConnectionError,  # refused, timed out
    botocore.exceptions.HTTPClientError,  # cut
    botocore.exceptions.ResponseStreamingError,
    botocore.exceptions.IncompleteReadError,
    botocore.parsers.ResponseParserError,  # the answer ends too early
    urllib3.exceptions.HTTPError,
    OSError,
)


class Conflict(Exception):
    """If-None-Match or If-Match does not hold: something (else) is there. Also when an earlier try of ours put it there."""


class Missing(Exception):
    """There is no such object, or no such upload."""


@dataclass
class _Session:
    client: Any
    clock: signer.Clock
    secrets: tuple[str, ...]


class Connection:
    """A connection for the requests about one bucket. Methods raise PublishError when the server refuses, or the patience ends.

    Usable by several threads at once, as boto3's clients are.
    """

    def __init__(self, settings: Publish, notice: Callable[[str], None] = lambda _: None) -> None:
        self.settings = settings
        self.name = settings.bucket
        self._notice = notice
        self._session = self._connect()
        self._renewed = False
        self._renewing = threading.Lock()
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.client.close()

    def stop(self) -> None:
        """Nothing is tried again any more: other threads' requests end."""
        self._stopping.set()

    def where(self, key: str) -> str:
        """A key as it is told: s3://BUCKET/KEY."""
        return f"s3://{self.name}/{key}"

    def _connect(self) -> _Session:
        settings = self.settings
        try:
            session = boto3.Session(
                profile_name=settings.profile or None, region_name=settings.region or None
            )
            client = session.client(
                "s3",
                endpoint_url=settings.endpoint or None,
                config=Config(
                    connect_timeout=min(_CONNECT_SECONDS, settings.timeout),
                    read_timeout=settings.timeout,
                    retries={"total_max_attempts": 1},
                    max_pool_connections=THREADS + 2,
                    signature_version="s3v4",
                    s3={"addressing_style": "path" if settings.path_style else "auto"},
                    request_checksum_calculation="when_required",  # we bring our own, SHA-256
                    response_checksum_validation="when_supported",
                    user_agent_extra="oxcross",
                ),
            )
            credentials = session.get_credentials()
            frozen = credentials.get_frozen_credentials() if credentials else None
        except (botocore.exceptions.BotoCoreError, ValueError) as error:
            raise PublishError(
                f"the configuration for Amazon's programs does not do: {error}",
                hint="see profile, region and endpoint in [tool.oxcross.publish], and ~/.aws/config",
            ) from None
        if frozen is None:
            raise PublishError(
                "there are no credentials for the bucket",
                where=f"s3://{self.name}",
                hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile in [tool.oxcross.publish], or log in",
                page="no-credentials",
            )
        secrets = tuple(text for text in (frozen.secret_key, frozen.token) if text)
        return _Session(client, signer.Clock(client), secrets)

    def _call(self, what: str, operation: str, *, key: str = "", **parameters: Any) -> dict[str, Any]:
        """One request, tried again as retry.py says. ``what``: "write the object" and the like.

        Conflict, Missing, PublishError.
        """
        if key:
            parameters["Key"] = key
        found: dict[str, Any] = self._tried(
            what,
            key,
            lambda: getattr(self._session.client, operation)(Bucket=self.name, **parameters),
            silent=operation == "head_object",
        )
        return found

    def _tried(self, what: str, key: str, request: Callable[[], Any], *, silent: bool = False) -> Any:
        """``silent``: an error has no body that says which (HEAD)."""
        trying = Trying(self.settings.patience)
        while True:
            session = self._session
            try:
                return request()
            except botocore.exceptions.ClientError as error:
                answer = self._clean(retry.answer_of(error.response))
                if silent and answer.status in _UNSAID:
                    answer = self._spoken(key)
                verdict = retry.judge(answer)
            except (botocore.exceptions.SSLError, botocore.exceptions.ProxyConnectionError) as error:
                raise PublishError(
                    f"no safe connection to the server: {self._without_secrets(str(error))}",
                    where=self.where(key),
                    hint="see endpoint in [tool.oxcross.publish], AWS_CA_BUNDLE, HTTPS_PROXY",
                ) from None
            except botocore.exceptions.FlexibleChecksumError as error:
                answer, verdict = _broken(error), Verdict.AGAIN
            except _NETWORK as error:
                answer, verdict = _broken(error), Verdict.AGAIN
            except botocore.exceptions.BotoCoreError as error:  # no credentials, no region, a bad parameter
                raise PublishError(
                    f"cannot {what}: {self._without_secrets(str(error))}", where=self.where(key)
                ) from None
            if verdict is Verdict.EXISTS or answer.code in _CONFLICTS:
                raise Conflict(key)
            if verdict is Verdict.MISSING:
                raise Missing(key)
            pause = trying.pause(verdict, answer.headers)
            if trying.failed == _TELLING:
                self._notice(f"trying again to {what}: {answer.code} {answer.message}".rstrip())
            if pause is None or not self._worth_another(verdict, answer, session):
                raise retry.refusal(answer, verdict, what, self.where(key))
            if self._stopping.wait(pause):
                raise retry.refusal(answer, verdict, what, self.where(key))

    def _spoken(self, key: str) -> Answer:
        """Why the server refuses to look at an object, which it says only to who would read it."""
        try:
            answer = self._session.client.get_object(Bucket=self.name, Key=key, Range="bytes=0-0")
            answer["Body"].close()
        except botocore.exceptions.ClientError as error:
            return self._clean(retry.answer_of(error.response))
        except _NETWORK as error:
            return _broken(error)
        return Answer(503, "ServiceUnavailable", "refused once, and not again", {})

    def _worth_another(self, verdict: Verdict, answer: Answer, session: _Session) -> bool:
        """Whether the next try may do better than that with ``session``; what is to be done for it is done."""
        if verdict is Verdict.CLOCK:
            ahead = signer.skew(answer.headers.get("date", ""))
            if ahead is not None and abs(ahead - session.clock.ahead) > 60:
                way = "behind" if ahead > 0 else "ahead of"
                self._notice(
                    f"this machine's clock is {abs(ahead) / 60:.0f} min {way} the server's, which is taken for signing"
                )
                session.clock.ahead = ahead
            return True
        if verdict is Verdict.EXPIRED:
            with self._renewing:
                if self._session is not session:  # another thread was faster
                    return True
                if self._renewed:
                    return False
                self._renewed = True  # somebody may have logged in since
                self._session = self._connect()
                return True
        return verdict in (Verdict.AGAIN, Verdict.DAMAGED)

    def _clean(self, answer: Answer) -> Answer:
        return Answer(answer.status, answer.code, self._without_secrets(answer.message), answer.headers)

    def _without_secrets(self, text: str) -> str:
        for secret in self._session.secrets:
            text = text.replace(secret, "***")
        return text[:500]


def _broken(error: Exception) -> Answer:
    """A connection that failed, as an answer."""
    text = str(error).partition("?")[0]  # without what may be signed in an address
    return Answer(0, type(error).__name__, text, {})
