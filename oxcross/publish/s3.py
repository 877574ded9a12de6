"""The seam to the bucket: the only module that speaks to boto3, and all requests go through ``Bucket._call``.

Each request is tried again until the configuration's patience ends (retry.py); botocore's own retries are off. Nothing here logs,
and what a server says is shown without the credentials, should it repeat them. boto3 is slow to import: only tasks that publish do.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
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

ABSENT: Final[Mapping[str, str]] = {"IfNoneMatch": "*"}
THREADS: Final = 8  # parts on their way at once
_CHUNK: Final = 1 << 20
_TELLING: Final = 5  # tries without a word
_UNSAID: Final = (400, 403)  # clocks, tokens, permissions
# Someone else writes there right now. Amazon's servers want uploads in parts begun anew then, so it is the caller's to decide.
_CONFLICTS: Final = ("ConditionalRequestConflict",)
_CONNECT_SECONDS: Final = 15.0
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


@dataclass(frozen=True, kw_only=True)
class Head:
    """What the server says of an object without giving it."""

    size: int
    etag: str
    sha256: str  # hex; "" when the server keeps none, or it went up in parts
    composite: str  # the SHA-256 of the parts' SHA-256s, "BASE64-COUNT"; "" when it did not, or the server keeps none
    noted: str  # the SHA-256 (hex) in the metadata; what whoever uploaded it said
    modified: datetime


@dataclass(frozen=True, kw_only=True)
class Object:
    """A line of a listing."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of an upload that the server has."""

    number: int  # from 1
    size: int
    etag: str
    sha256: str  # base64; "" when the server does not say


@dataclass(frozen=True, kw_only=True)
class Upload:
    """An upload in parts that was begun and is not finished."""

    key: str
    identifier: str
    begun: datetime


@dataclass(frozen=True, kw_only=True)
class Look:
    """What goes with an object: how it is served, and its digest."""

    content_type: str
    cache_control: str
    sha256: str  # hex

    def parameters(self) -> dict[str, Any]:
        """As boto3 takes it."""
        return {
            "ContentType": self.content_type,
            "CacheControl": self.cache_control,
            "Metadata": {"sha256": self.sha256},
        }


def base64_of(sha256: str) -> str:
    """A SHA-256 in hex as S3 writes it."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()


@dataclass
class _Session:
    client: Any
    clock: signer.Clock
    secrets: tuple[str, ...]


class Bucket:
    """One bucket. Methods raise PublishError when the server refuses, or the patience ends.

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

    # -- objects ----------------------------------------------------------------------------

    def head(self, key: str) -> Head | None:
        """What is known of an object; None when there is none."""
        try:
            answer = self._call("look at the object", "head_object", key=key, ChecksumMode="ENABLED")
        except Missing:
            return None
        checksum = answer.get("ChecksumSHA256", "")
        whole = checksum and "-" not in checksum and answer.get("ChecksumType") != "COMPOSITE"
        return Head(
            size=answer["ContentLength"],
            etag=answer["ETag"],
            sha256=base64.b64decode(checksum).hex() if whole else "",
            composite="" if whole else checksum,
            noted=answer.get("Metadata", {}).get("sha256", ""),
            modified=answer["LastModified"],
        )

    def get(self, key: str) -> tuple[bytes, str] | None:
        """A small object and its ETag; None when there is none."""

        def request() -> tuple[bytes, str]:
            answer = self._session.client.get_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
            with closing(answer["Body"]) as stream:  # its own context manager would go past the checksum
                return stream.read(), answer["ETag"]

        try:
            content, etag = self._tried("read the object", key, request)
        except Missing:
            return None
        return content, etag

    def digest(self, key: str) -> tuple[str, int] | None:
        """The SHA-256 (hex) and size of an object as it is downloaded; a cut download goes on where it was cut."""
        digest = hashlib.sha256()
        done = 0
        etag = ""

        def request() -> None:
            nonlocal done, etag
            rest = {"Range": f"bytes={done}-", "IfMatch": etag} if done else {}
            answer = self._session.client.get_object(Bucket=self.name, Key=key, **rest)
            etag = answer["ETag"]
            end = done + answer["ContentLength"]
            with answer["Body"] as stream:  # past botocore's checksum, which no part of a download has
                while done < end and (chunk := stream.read(min(_CHUNK, end - done))):
                    digest.update(chunk)
                    done += len(chunk)
            if done < end:
                raise botocore.exceptions.IncompleteReadError(actual_bytes=done, expected_bytes=end)

        try:
            self._tried("read the object", key, request)
        except Missing:
            return None
        except Conflict:
            raise PublishError("it changed while it was read", where=self.where(key)) from None
        return digest.hexdigest(), done

    def holds(self, key: str, sha256: str, size: int) -> bool:
        """Whether the object is that, downloaded; once more when it is not: the way may have damaged it."""
        return any(self.digest(key) == (sha256, size) for _ in range(2))

    def create(self, key: str, content: bytes, look: Look) -> None:
        """Write an object that is not there yet; Conflict when it is."""
        if self._asks and self.head(key) is not None:
            raise Conflict(key)
        try:
            self._put(key, content, look, {} if self._asks else ABSENT)
        except Missing:
            raise PublishError("the server has no place for it", where=self.where(key)) from None

    def exchange(self, key: str, content: bytes, look: Look, etag: str) -> None:
        """Write an object in place of the one with that ETag ("": of none); Conflict when another one, or none, is there."""
        if not etag:
            self.create(key, content, look)
            return
        if self._asks and ((there := self.head(key)) is None or there.etag != etag):
            raise Conflict(key)
        try:
            self._put(key, content, look, {} if self._asks else {"IfMatch": etag})
        except Missing:
            raise Conflict(key) from None

    @property
    def _asks(self) -> bool:
        """Whether to look before writing, for a server that does not: two writers may then both find nothing."""
        return self.settings.conditional == "check"

    def _put(self, key: str, content: bytes, look: Look, condition: Mapping[str, str]) -> None:
        self._call(
            "write the object",
            "put_object",
            key=key,
            Body=content,
            ChecksumSHA256=base64_of(hashlib.sha256(content).hexdigest()),
            **look.parameters(),
            **self._common(),
            **condition,
        )

    def delete(self, key: str) -> None:
        """Remove an object; nothing happens when there is none."""
        try:
            self._call("remove the object", "delete_object", key=key)
        except Missing:
            return

    def objects(self, prefix: str) -> Iterator[Object]:
        """All objects whose keys begin so, in the keys' order."""
        token: dict[str, str] = {}
        while True:
            answer = self._call("list the bucket", "list_objects_v2", Prefix=prefix, **token)
            for row in answer.get("Contents", ()):
                yield Object(key=row["Key"], size=row["Size"], modified=row["LastModified"])
            if not answer.get("IsTruncated"):
                return
            token = {"ContinuationToken": answer["NextContinuationToken"]}

    def _common(self) -> dict[str, Any]:
        """What every new object has."""
        found: dict[str, Any] = {}
        if self.settings.acl:
            found["ACL"] = self.settings.acl
        if self.settings.kms_key:
            found |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.settings.kms_key}
        return found

    # -- uploads in parts -------------------------------------------------------------------

    def begin(self, key: str, look: Look) -> str:
        """Begin an upload in parts; its identifier."""
        answer = self._call(
            "begin the upload",
            "create_multipart_upload",
            key=key,
            ChecksumAlgorithm="SHA256",
            **look.parameters(),
            **self._common(),
        )
        return str(answer["UploadId"])

    def part(self, key: str, upload: str, number: int, content: bytes, sha256: str) -> str:
        """Send a part, whose SHA-256 (base64) that is; its ETag. Missing when the upload is no more."""
        answer = self._call(
            "send a part",
            "upload_part",
            key=key,
            UploadId=upload,
            PartNumber=number,
            Body=content,
            ChecksumSHA256=sha256,
        )
        return str(answer["ETag"])

    def parts(self, key: str, upload: str) -> list[Part]:
        """The parts that the server has, in order. Missing when the upload is no more."""
        found = []
        marker: dict[str, int] = {}
        while True:
            answer = self._call("list the parts", "list_parts", key=key, UploadId=upload, **marker)
            found += [
                Part(
                    number=row["PartNumber"],
                    size=row["Size"],
                    etag=row["ETag"],
                    sha256=row.get("ChecksumSHA256", ""),
                )
                for row in answer.get("Parts", ())
            ]
            if not answer.get("IsTruncated"):
                return found
            marker = {"PartNumberMarker": int(answer["NextPartNumberMarker"])}

    def finish(self, key: str, upload: str, parts: Sequence[Part], composite: str) -> None:
        """Make the object of its parts, if none is there: Conflict. Missing when the upload is no more: it may be finished."""
        if self._asks and self.head(key) is not None:
            raise Conflict(key)
        rows = [{"PartNumber": one.number, "ETag": one.etag, "ChecksumSHA256": one.sha256} for one in parts]
        self._call(
            "finish the upload",
            "complete_multipart_upload",
            key=key,
            UploadId=upload,
            MultipartUpload={"Parts": rows},
            ChecksumSHA256=composite,
            **({} if self._asks else ABSENT),
        )

    def abort(self, key: str, upload: str) -> None:
        """Give an upload up; its parts are gone then."""
        try:
            self._call("give the upload up", "abort_multipart_upload", key=key, UploadId=upload)
        except Missing:
            return

    def uploads(self, prefix: str) -> list[Upload]:
        """The unfinished uploads whose keys begin so."""
        found = []
        marker: dict[str, str] = {}
        while True:
            answer = self._call("list the uploads", "list_multipart_uploads", Prefix=prefix, **marker)
            found += [
                Upload(key=row["Key"], identifier=row["UploadId"], begun=row["Initiated"])
                for row in answer.get("Uploads", ())
            ]
            if not answer.get("IsTruncated"):
                return found
            marker = {
                "KeyMarker": answer["NextKeyMarker"],
                "UploadIdMarker": answer["NextUploadIdMarker"],
            }


def _broken(error: Exception) -> Answer:
    """A connection that failed, as an answer."""
    text = str(error).partition("?")[0]  # without what may be signed in an address
    return Answer(0, type(error).__name__, text, {})
