"""Getting pinned sources, each by its SHA-256, from wherever it can be had.

The order: the store; the mirrors that were configured; the shared cache; upstream; the machine's package mirrors.
Where bytes come from does not matter, they are the pinned ones or they are refused and deleted.
"""

from __future__ import annotations

import os
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from oxcross.errors import OxcrossError, SourceError
from oxcross.fetch import apt
from oxcross.plan import Pinned, Reporter
from oxcross.sdist import IndexFile
from oxcross.store import Store

if TYPE_CHECKING:
    from oxcross.cache.shared import SharedCache

_PROGRESS_SECONDS = 0.1


class Fetcher:
    """Fetches into ``store``, telling ``reporter``. May be used from several threads.

    ``mirrors``: folders, ``file://`` or ``http(s)://`` bases, in which a file is looked for by its
    names and by its SHA-256 (``NAME``, ``SHA256``, ``SHA256/NAME``, and ``SHA256/tree/NAME`` as in the
    ``sources`` folder of another store). Those of ``$OXCROSS_MIRROR``,
    separated by colons or spaces, come before them. With ``OXCROSS_OFFLINE=1`` nothing else is asked.
    """

    def __init__(
        self,
        store: Store,
        mirrors: Sequence[str],
        reporter: Reporter,
        *,
        apt_folder: Path = apt.APT_FOLDER,
        cache: SharedCache | None = None,
    ) -> None:
        self._store = store
        self._mirrors = [*_listed(os.environ.get("OXCROSS_MIRROR", "")), *mirrors]
        self._offline = os.environ.get("OXCROSS_OFFLINE", "0") not in ("", "0")
        self._reporter = reporter
        self._apt_folder = apt_folder
        self._cache = cache
        self._stop = threading.Event()

    def fetch(self, sources: Iterable[Pinned], jobs: int = 4) -> dict[str, Path]:
        """Have every source in the store; SHA-256 -> file. Up to ``jobs`` transfers at a time.

        SourceError, after all were tried, names every source that could not be had and every
        address with its reason.
        """
        wanted = {source.sha256: source for source in sources}
        found: dict[str, Path] = {}
        for sha256 in list(wanted):
            if (path := self._store.source(sha256)) is not None:
                found[sha256] = path
                del wanted[sha256]
        if not wanted:
            return found
        from concurrent.futures import ThreadPoolExecutor, wait

        with ThreadPoolExecutor(max_workers=max(1, jobs), thread_name_prefix="fetch") as pool:
            futures = {pool.submit(self._one, source): sha256 for sha256, source in wanted.items()}
            try:
                wait(futures)
            except BaseException:
                self.stop()
                pool.shutdown(cancel_futures=True)
                raise
        errors: list[SourceError] = []
        for future, sha256 in futures.items():
            try:
                found[sha256] = future.result()
            except SourceError as error:
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            message = f"{len(errors)} sources cannot be had\n" + "\n".join(map(str, errors))
            raise SourceError(message, page="no-network-and-an-empty-store")
        return found

    def stop(self) -> None:
        """Let every transfer end now; what is there of it is kept for the next time."""
        self._stop.set()
        if self._cache:
            self._cache.stop()

    def _one(self, source: Pinned) -> Path:
        with self._store.lock(source.sha256, self._stop.is_set, name=source.filename) as held:
            if not held:
                raise OxcrossError("stopped", where=source.filename)
            if (path := self._store.source(source.sha256)) is not None:  # another process was faster
                return path
            self._reporter.fetch_started(source.name, source.size)
            ok = False
            try:
                path = self._transfer(source)
                ok = True
            finally:
                self._reporter.fetch_finished(source.name, ok=ok)
            return path

    def _transfer(self, source: Pinned) -> Path:
        from oxcross.fetch.download import Stopped, TransferError

        tries: list[str] = []
        for place, get in self._places(source):
            if self._stop.is_set():
                raise OxcrossError("stopped", where=source.filename)
            try:
                with self._store.guard(source.size or None):
                    return get()
            except Stopped:
                raise OxcrossError("stopped", where=source.filename) from None
            except (TransferError, SourceError) as error:
                tries.append(f"  {place}: {getattr(error, 'message', error)}")
            except OxcrossError:  # no space: what was written must not take more of it
                self._store.partial(source.sha256).unlink(missing_ok=True)
                raise
        raise SourceError(
            "this source cannot be had; tried\n" + "\n".join(tries or ["  nothing: no address is known"]),
            where=source.filename,
            hint=f"put a file with SHA-256 {source.sha256} into a folder and name it in OXCROSS_MIRROR",
            page="no-network-and-an-empty-store",
        )

    def _places(self, source: Pinned) -> Iterator[tuple[str, Callable[[], Path]]]:
        names = [source.filename, *(PurePosixPath(p).name for p in (source.pool, *source.upstream) if p)]
        # By its digest, too: alone, as a folder, and as another store keeps its sources.
        folder = source.sha256
        names = [*names, folder, f"{folder}/{source.filename}", f"{folder}/tree/{source.filename}"]
        names = list(dict.fromkeys(names))
        for mirror in self._mirrors:
            base = mirror if "://" in mirror else Path(mirror).expanduser().absolute().as_uri()
            for name in names:
                if not base.startswith("file://") or _local(base, name).is_file():
                    yield self._place(source, _join(base, name))
        if self._offline:
            return
        if self._cache:
            yield "the shared cache", lambda: self._cached(source)
        if source.kind == "wheel":
            yield "the package index", lambda: self._wheel(source)
        if isinstance(source, IndexFile):
            yield "the package index", lambda: self._indexed(source)
        for url in source.upstream:
            yield self._place(source, url)
        if source.pool:
            for base in apt.mirrors(self._apt_folder):
                yield self._place(source, _join(base, source.pool))

    def _place(self, source: Pinned, url: str) -> tuple[str, Callable[[], Path]]:
        return url, lambda: self._download(source, url)

    def _download(self, source: Pinned, url: str) -> Path:
        from oxcross.fetch.download import download

        partial = self._store.partial(source.sha256)
        resumed = partial.exists()
        try:
            download(url, partial, source.size, self._progress(source), self._stop.is_set)
            return self._store.add_source(source.sha256, source.filename, partial)
        except SourceError:
            if not resumed:
                raise
        # The first part came from elsewhere, and may have been what was wrong.
        return self._download(source, url)

    def _progress(self, source: Pinned) -> Callable[[int], None]:
        last = 0.0

        def progress(done: int) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PROGRESS_SECONDS or done == source.size:
                last = now
                self._reporter.fetch_progress(source.name, done, source.size)

        return progress

    def _cached(self, source: Pinned) -> Path:
        with self._store.temporary("cache") as folder:
            file = folder / "source"
            if not self._cache or not self._cache.source(source, file, self._progress(source)):
                raise SourceError("it has it not", where=source.filename)
            return self._store.add_source(source.sha256, source.filename, file)

    def _indexed(self, file: IndexFile) -> Path:
        from oxcross.collect.index import address

        try:
            location = address(file)
        except OxcrossError as error:
            raise SourceError(error.message, where=error.where) from None
        return self._download(file, location if "://" in location else Path(location).as_uri())

    def _wheel(self, source: Pinned) -> Path:
        from oxcross.fetch.wheel import download_wheel

        with self._store.temporary("wheel") as folder:
            return self._store.add_source(source.sha256, source.filename, download_wheel(source, folder))


def _listed(text: str) -> list[str]:
    """The words of ``$OXCROSS_MIRROR``: a colon separates unless it belongs to an address."""
    return [word for word in re.split(r"\s+|:(?=[~.]|/(?!/)|file://|https?://)", text) if word]


def _join(base: str, path: str) -> str:
    return base.rstrip("/") + "/" + urllib.parse.quote(path, safe="/+~:@")


def _local(base: str, name: str) -> Path:
    return Path(urllib.parse.unquote(urllib.parse.urlsplit(base).path)) / name
