"""Puts one file at its key: created there, or found there with the same content; nothing is ever written over.

Small files go up whole, each with its SHA-256, which the server checks. Large ones go up in parts, each with its own. The parts' size says
whose parts they are: it is the configured size and 20 bits of the file's SHA-256. So an upload that was stopped, on whatever
machine, is found by its key alone and goes on only if its parts are this file's, compared by size and digest; and
everybody's parts of the same file are the same, and so is the digest of their digests that the server keeps.

Once an object is there, whoever is still sending parts for its key can never finish: such uploads are given up.

Source: "Checking object integrity" and "Uploading and copying objects using multipart upload", Amazon's documentation of S3.
"""

from __future__ import annotations

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

from oxcross.errors import PublishError
from oxcross.publish import keys
from oxcross.publish.connection import THREADS, Conflict, Missing
from oxcross.publish.folder import File
from oxcross.publish.retry import AGAIN
from oxcross.publish.s3 import Bucket, Head, Look, Part

MOST_PARTS: Final = 10_000  # of an upload
_FEWEST_TRIES: Final = 5  # of an upload that others disturb
_SPREAD: Final = 1 << 20  # bytes; what the digest adds to a part's size


def part_size(size: int, sha256: str, least: int) -> int:
    """The size in bytes of the parts of a file, for the SHA-256 (hex) of it; ``least`` is the configured one."""
    needed = -(-size // (MOST_PARTS - 1))
    return max(least, needed) + int(sha256[:5], 16) % _SPREAD


@dataclass(frozen=True)
class Source:
    """A file and how it is cut. Parts are numbered from 1."""

    file: File
    least: int  # bytes, the configured size of parts

    @property
    def whole(self) -> bool:
        """Whether it goes up whole."""
        return self.file.size <= 2 * self.least

    @cached_property
    def part_size(self) -> int:
        """In bytes; of all but the last part."""
        return part_size(self.file.size, self.file.sha256, self.least)

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self.file.size // self.part_size)

    def read(self, number: int) -> bytes:
        """The content of a part."""
        descriptor = os.open(self.file.path, os.O_RDONLY)
        try:
            return _pread(descriptor, self.length(number), (number - 1) * self.part_size)
        finally:
            os.close(descriptor)

    def length(self, number: int) -> int:
        """The size of a part in bytes."""
        return min(self.part_size, self.file.size - (number - 1) * self.part_size)

    @cached_property
    def _digests(self) -> dict[int, bytes]:
        return {}

    def digest(self, number: int, content: bytes | None = None) -> bytes:
        """The SHA-256 of a part, of which ``content`` is what was read. Each is made once."""
        if (known := self._digests.get(number)) is None:
            known = hashlib.sha256(self.read(number) if content is None else content).digest()
            self._digests[number] = known
        return known

    def composite(self) -> str:
        """The digest of the parts' digests, as S3 writes it. PublishError when the file is not what it was."""
        digests = [self.digest(number) for number in range(1, self.count + 1)]
        self.file.unchanged()
        return composite(digests)


@lru_cache(maxsize=64)
def source_of(file: File, least: int) -> Source:
    """The same again is not hashed again."""
    return Source(file, least)


def composite(digests: list[bytes]) -> str:
    """The SHA-256 of the SHA-256s of parts, as S3 writes it: BASE64-COUNT."""
    whole = hashlib.sha256(b"".join(digests)).digest()
    return f"{base64.b64encode(whole).decode()}-{len(digests)}"


def look(bucket: Bucket, file: File) -> Look:
    """How a file of a release is served."""
    return Look(
        content_type=keys.content_type(file.name),
        cache_control=bucket.settings.versions_cache,
        sha256=file.sha256,
    )


def same(bucket: Bucket, key: str, head: Head, file: File) -> bool:
    """Whether the object is the file: by the digest that the server itself made of it, else by downloading it.

    A signature that is another one each time is not compared: the one that was there first stays.
    """
    if keys.varies(file.name):
        return True
    if head.size != file.size:
        return False
    if head.sha256:
        return head.sha256 == file.sha256
    source = source_of(file, bucket.settings.part_size)
    if head.composite and not source.whole and head.composite == source.composite():
        return True
    return bucket.holds(key, file.sha256, file.size)


def put(bucket: Bucket, key: str, file: File) -> bool:
    """Put the file at the key; False when it is there already. PublishError when something else is there."""
    source = source_of(file, bucket.settings.part_size)
    for _ in range(_FEWEST_TRIES):
        head = bucket.head(key)
        if head is not None:
            if not same(bucket, key, head, file):
                raise other(bucket, key)
            return False
        try:
            if source.whole:
                _whole(bucket, key, file)
            else:
                _in_parts(bucket, key, source)
        except (
            Conflict,
            Missing,
        ):  # someone else's, or an earlier try of ours whose answer was lost: look again
            continue
        return True
    raise PublishError("others keep writing there", where=bucket.where(key), hint=AGAIN)


def other(bucket: Bucket, key: str) -> PublishError:
    """The error for a key at which something else is."""
    return PublishError(
        "something else is published there already",
        where=bucket.where(key),
        hint="what is published never changes: raise the version",
    )


def _whole(bucket: Bucket, key: str, file: File) -> None:
    content = file.path.read_bytes()
    file.unchanged()
    bucket.create(key, content, look(bucket, file))


def _in_parts(bucket: Bucket, key: str, source: Source) -> None:
    upload, there = _stopped(bucket, key, source) or (bucket.begin(key, look(bucket, source.file)), {})

    def send(number: int) -> Part:
        if number in there:
            return there[number]
        content = source.read(number)
        sha256 = base64.b64encode(source.digest(number, content)).decode()
        etag = bucket.part(key, upload, number, content, sha256)
        return Part(number=number, size=len(content), etag=etag, sha256=sha256)

    pool = ThreadPoolExecutor(THREADS, thread_name_prefix="upload")
    try:
        parts = list(pool.map(send, range(1, source.count + 1)))
    except (Conflict, Missing):
        pool.shutdown(cancel_futures=True)  # all of them end so, at once
        raise
    except BaseException:
        bucket.stop()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
    bucket.finish(key, upload, parts, source.composite())


def _stopped(bucket: Bucket, key: str, source: Source) -> tuple[str, dict[int, Part]] | None:
    """An upload of this very file that was stopped, and the parts that it has; the one with the most of them."""
    try:
        uploads = [one for one in bucket.uploads(key) if one.key == key]
    except (PublishError, Missing):  # not every server lists them, and not everybody may: it is begun anew
        return None
    best: tuple[str, dict[int, Part]] | None = None
    for one in uploads:
        try:
            parts = bucket.parts(key, one.identifier)
        except Missing:
            continue
        if not any(part.size == source.part_size for part in parts):
            continue  # nothing says whose it is
        sound = [_sound(part, source) for part in parts]
        if best is None or len(sound) > len(best[1]):
            known = {part.number: part for part in sound if part}
            best = (one.identifier, known) if len(known) == len(sound) else best
    return best


def _sound(part: Part, source: Source) -> Part | None:
    """The part with its digest, if it is this file's."""
    if not 1 <= part.number <= source.count or part.size != source.length(part.number):
        return None
    sha256 = base64.b64encode(source.digest(part.number)).decode()
    if part.sha256:
        right = part.sha256 == sha256
    else:  # SeaweedFS does not say; an ETag is the part's MD5, unless it is encrypted by a key
        content = source.read(part.number)
        right = part.etag.strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest()
    return Part(number=part.number, size=part.size, etag=part.etag, sha256=sha256) if right else None


def tidy(bucket: Bucket, prefix: str, there: set[str]) -> int:
    """Give up the unfinished uploads for keys that are ``there``: nobody can ever finish them. How many there were."""
    try:
        useless = [one for one in bucket.uploads(prefix) if one.key in there]
        for one in useless:
            bucket.abort(one.key, one.identifier)
    except (PublishError, Missing):  # what was published stays published
        return 0
    return len(useless)


def _pread(descriptor: int, size: int, offset: int) -> bytes:
    """All of the bytes there; fewer when the file is shorter."""
    found = []
    while size and (chunk := os.pread(descriptor, size, offset)):
        found.append(chunk)
        size -= len(chunk)
        offset += len(chunk)
    return b"".join(found) if len(found) != 1 else found[0]
