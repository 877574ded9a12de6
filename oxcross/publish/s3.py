"""The seam to the bucket: every request there is, as a method. Nothing else speaks to boto3 (connection.py: how it is asked, and asked again)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import botocore.exceptions

from oxcross.errors import PublishError
from oxcross.publish.connection import Conflict, Connection, Missing

ABSENT: Final[Mapping[str, str]] = {"IfNoneMatch": "*"}
_CHUNK: Final = 1 << 20


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


class Bucket(Connection):
    """One bucket. Methods raise PublishError when the server refuses, or the patience ends.

    Usable by several threads at once, as boto3's clients are.
    """

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
        """The SHA-256 (hex) and size of an object as it is downloaded."""
        digest = hashlib.sha256()
        size = self.download(key, digest.update)
        return None if size is None else (digest.hexdigest(), size)

    def download(self, key: str, sink: Callable[[bytes], object]) -> int | None:
        """Hand an object's bytes to ``sink``; how many there were. A cut download goes on where it was cut; what ``sink`` raises
        ends it, unless it is an OSError.
        """
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
                    sink(chunk)
                    done += len(chunk)
            if done < end:
                raise botocore.exceptions.IncompleteReadError(actual_bytes=done, expected_bytes=end)

        try:
            self._tried("read the object", key, request)
        except Missing:
            return None
        except Conflict:
            raise PublishError("it changed while it was read", where=self.where(key)) from None
        return done

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

    def copy(self, source: str, key: str, look: Look) -> None:
        """Write an object, whatever was there, that is a copy of another one, made by the server. Missing when there is no such one."""
        self._call(
            "copy the object",
            "copy_object",
            key=key,
            CopySource={"Bucket": self.name, "Key": source},
            MetadataDirective="REPLACE",
            ChecksumAlgorithm="SHA256",
            **look.parameters(),
            **self._common(),
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
