"""One file from one address, going on where an earlier try stopped.

All tries for a source share one partial file: every address is to give the same pinned bytes, so a
download that one mirror began another may complete. The hash decides at the end.
"""

from __future__ import annotations

import http.client
import shutil
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 30.0
_ABSENT = (403, 404, 410)  # S3 answers 403 to who may not list
_ATTEMPTS = 5  # in a row without a single new byte

Progress = Callable[[int], None]


class TransferError(Exception):
    """This address did not give the file; the text says why."""


class Absent(TransferError):
    """There is no such file at this address."""


class Oversized(TransferError):
    """There are more bytes at this address than there should be."""


class Stopped(Exception):
    """The caller asked to stop."""


def download(
    url: str,
    partial: Path,
    size: int,
    progress: Progress,
    stopped: Callable[[], bool],
    timeout: float = _TIMEOUT_SECONDS,
) -> None:
    """Complete ``partial`` (which may not exist) from ``url``.

    ``size`` is the expected length in bytes, 0 when unknown; more than that is refused. A connection
    that is cut, or silent for ``timeout`` seconds, is taken up again while it brings new bytes. Raises TransferError, Stopped, and
    OSError for what is wrong on this side (no space).
    """
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme == "file":
        _copy(Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path)), partial)
        return
    if scheme not in ("http", "https"):
        raise TransferError(f"no such scheme: {scheme}")
    failures = 0
    while True:
        before = _length(partial)
        if size and before == size:
            return
        try:
            if _request(url, partial, size, progress, stopped, timeout):
                return
            reason = "the connection was cut"
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and before:
                partial.unlink()
                before = 0
            elif error.code < 500:  # asking again does not help
                kind = Absent if error.code in _ABSENT else TransferError
                raise kind(f"HTTP {error.code} {error.reason}") from None
            reason = f"HTTP {error.code} {error.reason}"
        except urllib.error.URLError as error:
            reason = str(error.reason)
            if isinstance(error.reason, ssl.SSLCertVerificationError):
                raise TransferError(reason) from None
        except (http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
            reason = str(error) or type(error).__name__
        failures = 0 if _length(partial) > before else failures + 1
        # An address that never answered is not worth five tries: its neighbour may be quick.
        if failures >= (_ATTEMPTS if _length(partial) else 2):
            raise TransferError(reason)


def _request(
    url: str,
    partial: Path,
    size: int,
    progress: Progress,
    stopped: Callable[[], bool],
    timeout: float,
) -> bool:
    """One request for what is missing; whether all that was announced arrived."""
    offset = _length(partial)
    headers = {"User-Agent": "oxcross", "Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - the caller checked the scheme
    with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
            raise TransferError("the server answered another range than the one asked for")
        done = offset if resumed else 0
        announced = response.headers.get("Content-Length")
        with partial.open("ab" if resumed else "wb") as stream:
            received = _pump(response, stream, done, size, progress, stopped)
    return announced is None or received - done == int(announced)


def _pump(
    response: http.client.HTTPResponse,
    stream: BinaryIO,
    done: int,
    size: int,
    progress: Progress,
    stopped: Callable[[], bool],
) -> int:
    progress(done)
    while chunk := response.read1(_CHUNK):
        if stopped():
            raise Stopped
        stream.write(chunk)
        done += len(chunk)
        if size and done > size:
            raise Oversized(f"more than the {size} bytes that are pinned")
        progress(done)
    return done


def _copy(source: Path, partial: Path) -> None:
    try:
        stream = source.open("rb")
    except OSError as error:
        raise TransferError(error.strerror or str(error)) from None
    with stream, partial.open("wb") as target:
        shutil.copyfileobj(stream, target, _CHUNK)


def _length(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
