"""Where the cache is read from: a bucket, with credentials, or an address, without. Both short of patience."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from oxcross.cache.settings import Cache
from oxcross.errors import PublishError, StoreError

if TYPE_CHECKING:
    from oxcross.publish.s3 import Bucket

ROOT: Final = "v1/"
STEPS: Final = f"{ROOT}steps/"
BLOBS: Final = f"{ROOT}blobs/"
SOURCES: Final = f"{ROOT}sources/"

_SECONDS: Final = 5.0  # without a sign of life
_PATIENCE: Final = 5.0  # seconds that a request is tried again
_SLOWEST: Final = 20_000  # bytes a second, once the first seconds are over

Progress = Callable[[int], None]


class Unreachable(Exception):
    """The server does not answer as it should; the text says how."""


class TooLarge(Exception):
    """There is more at the key than there should be."""


class Reader(Protocol):
    """Reads objects by keys below the cache's place, from several threads. Methods raise Unreachable."""

    def read(self, key: str, most: int) -> bytes | None:
        """A small object; None when there is none. TooLarge."""

    def download(
        self, key: str, path: Path, size: int, progress: Progress, stopped: Callable[[], bool]
    ) -> bool:
        """Write an object to the new file ``path``; False when there is none. Of another size than ``size`` (0: unknown)
        it may be cut. ``fetch.download.Stopped``, TooLarge, and OSError for what is wrong on this side.
        """

    def stop(self) -> None:
        """Let other threads' requests end."""

    def close(self) -> None:
        """Give the connection back."""


def reader(settings: Cache) -> Reader:
    """What reads the cache. PublishError when the bucket's configuration does not do."""
    if settings.url:
        return _Address(settings.url)
    from oxcross.publish.s3 import Bucket

    place = dataclasses.replace(settings.place, timeout=_SECONDS, patience=_PATIENCE)
    return _InBucket(Bucket(place), key_prefix(settings))


def key_prefix(settings: Cache) -> str:
    """What keys in the bucket begin with, with a slash at its end; "" for none."""
    return f"{settings.place.prefix}/" if settings.place.prefix else ""


def statement_key(step: str, public: str) -> str:
    """The key of what the builder with that public key says of a step."""
    from oxcross.cache import signing

    return f"{STEPS}{step}/{signing.short(public)}.json"


@contextmanager
def told() -> Iterator[None]:
    """What a bucket refuses is told as the cache's to mend (StoreError), not as a release's."""
    try:
        yield
    except PublishError as error:
        hint = error.hint.replace("tool.oxcross.publish", "tool.oxcross.cache") if error.hint else None
        raise StoreError(error.message, where=error.where, hint=hint) from None


class _Pace:
    """Gives a download up that goes on, but never ends."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._begun = time.monotonic()

    def __call__(self, done: int) -> None:
        passed = time.monotonic() - self._begun - _SECONDS
        if passed > 0 and done < passed * _SLOWEST:
            raise Unreachable("it is too slow")
        self._progress(done)


class _Address:
    def __init__(self, url: str) -> None:
        self._url = url

    def read(self, key: str, most: int) -> bytes | None:
        with tempfile.TemporaryDirectory(prefix="oxcross-") as folder:
            path = Path(folder) / "object"
            if not self.download(key, path, most, lambda _: None, lambda: False):
                return None
            return path.read_bytes()

    def download(
        self, key: str, path: Path, size: int, progress: Progress, stopped: Callable[[], bool]
    ) -> bool:
        from oxcross.fetch import download

        try:
            download.download(f"{self._url}/{key}", path, size, _Pace(progress), stopped, _SECONDS)
        except download.Absent:
            return False
        except download.Oversized:
            raise TooLarge(f"more than {size} bytes") from None
        except download.TransferError as error:
            raise Unreachable(str(error)) from None
        return True

    def stop(self) -> None:
        """Its downloads ask whether to stop."""

    def close(self) -> None:
        """Every request has a connection of its own."""


class _InBucket:
    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix

    def read(self, key: str, most: int) -> bytes | None:
        found = bytearray()

        def sink(chunk: bytes) -> None:
            found.extend(chunk)
            if len(found) > most:
                raise TooLarge(f"more than {most} bytes")

        return bytes(found) if self._download(key, sink) else None

    def download(
        self, key: str, path: Path, size: int, progress: Progress, stopped: Callable[[], bool]
    ) -> bool:
        from oxcross.fetch.download import Stopped

        pace = _Pace(progress)
        refused: list[OSError] = []
        done = 0
        with path.open("xb") as file:

            def sink(chunk: bytes) -> None:
                nonlocal done
                if stopped():
                    raise Stopped
                done += len(chunk)
                if size and done > size:
                    raise TooLarge(f"more than {size} bytes")
                try:
                    file.write(chunk)
                except OSError as error:  # ours, not the server's
                    refused.append(error)
                    raise Stopped from None
                pace(done)

            try:
                return self._download(key, sink)
            except Stopped:
                if refused:
                    raise refused[0] from None
                raise

    def _download(self, key: str, sink: Callable[[bytes], None]) -> bool:
        try:
            return self._bucket.download(self._prefix + key, sink) is not None
        except PublishError as error:
            raise Unreachable(error.message) from None

    def stop(self) -> None:
        self._bucket.stop()

    def close(self) -> None:
        self._bucket.__exit__()
