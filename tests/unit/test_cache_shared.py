"""What a build takes from a cache behind an address, and what it does not: a real HTTP server that lies, refuses, hangs."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recording import Recorder, pin
from storing import fill, leftovers

from oxcross import executor, trees
from oxcross.cache import archive, remote, settings, signing
from oxcross.cache.settings import Cache
from oxcross.cache.shared import SharedCache, opened, shareable
from oxcross.cache.statement import Statement
from oxcross.engine.local import LocalEngine
from oxcross.errors import ConfigError, StoreError
from oxcross.fetch import Fetcher
from oxcross.plan import Folder, Plan, Step
from oxcross.store import Store

PUBLIC, SECRET = signing.generate()
SIGNER = signing.signer(Cache(trust=(PUBLIC,)), {settings.KEY_ENV: SECRET})
STRANGER_PUBLIC, STRANGER_SECRET = signing.generate()
STRANGER = signing.signer(Cache(trust=(STRANGER_PUBLIC,)), {settings.KEY_ENV: STRANGER_SECRET})


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files`` by their keys. ``answer``: to everything. ``held``: blobs are begun, and go on when it is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.answer = 0
        self.held: threading.Event | None = None
        self.seen: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/shared"

    def say(
        self, statement: Statement, signer: signing.Signer = SIGNER, *, of: str = "", at: str = ""
    ) -> None:
        """Lay a statement where the builder ``of`` that public key lays one about the step ``at``."""
        key = remote.statement_key(at or statement.key, of or signer.public)
        self.files[key] = statement.signed(signer)

    @property
    def blobs(self) -> list[str]:
        """The keys of archives that were asked for."""
        return [key for key in self.seen if key.startswith(remote.BLOBS)]


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        key = self.path.removeprefix("/shared/")
        self.server.seen.append(key)
        data = self.server.files.get(key)
        if self.server.answer or data is None:
            self.send_error(self.server.answer or 404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.server.held and key.startswith(remote.BLOBS):
            self.wfile.write(data[:10])
            self.wfile.flush()
            self.server.held.wait(20)
            data = data[10:]
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def cache(server: Server, store: Store, recorder: Recorder) -> Iterator[SharedCache]:
    made = SharedCache(Cache(url=server.url, trust=(PUBLIC,)), store, recorder)
    yield made
    made.close()


Run = Callable[..., dict[Step, Path]]


@pytest.fixture
def run(store: Store, recorder: Recorder, cache: SharedCache, tmp_path: Path) -> Run:
    def go(*steps: Step) -> dict[Step, Path]:
        fetcher = Fetcher(store, [], recorder, apt_folder=tmp_path, cache=cache)
        return executor.run(Plan.of(steps), LocalEngine(), store, fetcher, recorder, 2, cache)

    return go


TOOL = Step(name="t/tool", script='echo tool >"$OUT/tool"\n')
APP = Step(name="t/app", script='cat "$IN/tool/tool" >"$OUT/app"\n', inputs={"tool": TOOL})


def lay(server: Server, folder: Path, step: Step, **files: bytes) -> Statement:
    """Put a tree into the cache as what the step made; what is said of it, which is still to be laid beside it."""
    tree = folder / step.key / "tree"
    fill(tree, files)
    trees.normalise(tree)
    rows = trees.listing(tree)
    packed = tree.with_name("packed")
    archive.pack(tree, packed)
    data = packed.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    server.files[f"{remote.BLOBS}{sha256}"] = data
    return Statement(
        key=step.key,
        name=step.name,
        digest=trees.digest(rows),
        size=trees.total_size(rows),
        paths=len(rows),
        archive=sha256,
        archive_size=len(data),
    )


def changed(statement: Statement, **fields: object) -> Statement:
    return Statement(**{**vars(statement), **fields})


def test_the_last_step_is_taken_and_nothing_before_it(
    run: Run, server: Server, recorder: Recorder, tmp_path: Path
) -> None:
    server.say(lay(server, tmp_path, TOOL, tool=b"tool\n"))
    server.say(lay(server, tmp_path, APP, app=b"tool\n"))
    made = run(APP)
    assert (made[APP] / "app").read_bytes() == b"tool\n"
    assert recorder.of("fetched") == ["t/app"]
    assert recorder.of("started") == recorder.of("built") == recorder.of("cached") == []
    assert len(server.seen) == 2
    run(APP)
    assert len(server.seen) == 2


def test_what_the_cache_lacks_is_built_with_what_it_has(
    run: Run, server: Server, recorder: Recorder, tmp_path: Path
) -> None:
    server.say(lay(server, tmp_path, TOOL, tool=b"theirs\n"))
    assert (run(APP)[APP] / "app").read_bytes() == b"theirs\n"
    assert recorder.of("fetched") == ["t/tool"]
    assert recorder.of("built") == ["t/app"]


Poison = Callable[[Server, Path, Statement], None]


def _foreign(server: Server, folder: Path, said: Statement) -> None:
    server.say(said, STRANGER)


def _in_anothers_place(server: Server, folder: Path, said: Statement) -> None:
    server.say(said, STRANGER, of=PUBLIC)


def _about_another(server: Server, folder: Path, said: Statement) -> None:
    server.say(changed(said, key=TOOL.key), at=APP.key)


def _swapped(server: Server, folder: Path, said: Statement) -> None:
    other = lay(server, folder, Step(name="o", script=""), app=b"else\n")
    server.say(changed(said, archive=other.archive, archive_size=other.archive_size))


def _gone(server: Server, folder: Path, said: Statement) -> None:
    server.say(said)
    del server.files[f"{remote.BLOBS}{said.archive}"]


def _damaged(server: Server, folder: Path, said: Statement) -> None:
    server.say(said)
    data = bytearray(server.files[f"{remote.BLOBS}{said.archive}"])
    data[len(data) // 2] ^= 1
    server.files[f"{remote.BLOBS}{said.archive}"] = bytes(data)


def _longer(server: Server, folder: Path, said: Statement) -> None:
    server.say(said)
    server.files[f"{remote.BLOBS}{said.archive}"] += b"more"


def _no_archive(server: Server, folder: Path, said: Statement) -> None:
    data = b"no archive"
    sha256 = hashlib.sha256(data).hexdigest()
    server.files[f"{remote.BLOBS}{sha256}"] = data
    server.say(changed(said, archive=sha256, archive_size=len(data)))


def _more_than_said(server: Server, folder: Path, said: Statement) -> None:
    server.say(changed(said, paths=0))


def _endless(server: Server, folder: Path, said: Statement) -> None:
    server.files[remote.statement_key(APP.key, PUBLIC)] = bytes(1_000_000)


@pytest.mark.parametrize(
    ("poison", "told"),
    [
        (_foreign, ""),  # nobody looks there
        (_in_anothers_place, "another key signed it"),
        (_about_another, "it is about another step"),
        (_swapped, "its archive holds another tree than is signed"),
        (_gone, "its archive is gone"),
        (_damaged, "its archive has another SHA-256 than is signed"),
        (_longer, "more than"),
        (_no_archive, "its archive is damaged"),
        (_more_than_said, "its archive holds more than is said"),
        (_endless, "more than 16384 bytes"),
    ],
)
def test_poison(
    run: Run, server: Server, store: Store, recorder: Recorder, tmp_path: Path, poison: Poison, told: str
) -> None:
    """It is not used, that is said in a line, and the step is built."""
    poison(server, tmp_path, lay(server, tmp_path, APP, app=b"evil\n"))
    made = run(APP)
    assert (made[APP] / "app").read_bytes() == b"tool\n"
    assert recorder.of("built") == ["t/tool", "t/app"]
    notices = [str(text) for text in recorder.of("notice")]
    if told:
        assert len(notices) == 1
        assert notices[0].startswith("not taken from the shared cache: t/app: ")
        assert told in notices[0]
    else:
        assert notices == []
    assert leftovers(store) == []


def test_each_trusted_builder_is_asked(
    server: Server, store: Store, recorder: Recorder, tmp_path: Path
) -> None:
    said = lay(server, tmp_path, APP, app=b"tool\n")
    server.say(said, SIGNER, of=STRANGER_PUBLIC)  # the first one's is no good
    server.say(said)
    both = SharedCache(Cache(url=server.url, trust=(STRANGER_PUBLIC, PUBLIC)), store, recorder)
    assert APP in both.fetch([APP])
    both.close()
    assert len(recorder.of("notice")) == 1


def test_a_busy_server_is_left_alone(run: Run, server: Server, recorder: Recorder) -> None:
    server.answer = 503
    run(APP)
    assert recorder.of("built") == ["t/tool", "t/app"]
    assert recorder.of("notice") == ["the shared cache is left out: HTTP 503 Service Unavailable"]
    assert set(server.seen) == {remote.statement_key(APP.key, PUBLIC)}  # and was not asked about the other


def test_no_server(store: Store, recorder: Recorder) -> None:
    cache = SharedCache(Cache(url="http://127.0.0.1:9", trust=(PUBLIC,)), store, recorder)
    begun = time.monotonic()
    assert cache.fetch([TOOL, APP]) == {}
    assert not cache.source(pin(b"source"), store.root / "file", lambda _: None)
    assert time.monotonic() - begun < 5
    assert len(recorder.of("notice")) == 1
    cache.close()


def test_a_server_that_hangs(
    run: Run, server: Server, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_SECONDS", 0.3)
    server.held = threading.Event()
    server.say(lay(server, tmp_path, APP, app=b"tool\n"))
    begun = time.monotonic()
    run(APP)
    assert time.monotonic() - begun < 15
    server.held.set()
    assert recorder.of("built") == ["t/tool", "t/app"]
    assert [str(text)[:30] for text in recorder.of("notice")] == ["the shared cache is left out: "]


def test_stopped(server: Server, store: Store, cache: SharedCache, tmp_path: Path) -> None:
    """It ends soon, and leaves nothing."""
    server.held = threading.Event()
    server.say(lay(server, tmp_path, APP, app=bytes(1000)))

    def later() -> None:
        while not server.blobs:
            time.sleep(0.02)
        cache.stop()
        server.held.set()  # type: ignore[union-attr]

    thread = threading.Thread(target=later)
    thread.start()
    assert cache.fetch([APP]) == {}
    thread.join()
    assert not store.has(APP.key)
    assert leftovers(store) == []


def test_a_full_disk(
    server: Server, store: Store, cache: SharedCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is this machine's matter: no notice that the cache is wrong."""
    server.say(lay(server, tmp_path, APP, app=b"tool\n"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "unpack", full)
    with pytest.raises(StoreError, match="no space left"):
        cache.fetch([APP])
    assert leftovers(store) == []


def test_sources(run: Run, server: Server, recorder: Recorder) -> None:
    """They need no signature: the pin tells."""
    good, bad = pin(b"source", "good"), pin(b"other", "bad")
    server.files[f"{remote.SOURCES}{good.sha256}"] = b"source"
    step = Step(name="t/copy", script='cat "$IN/src" >"$OUT/copy"\n', inputs={"src": good})
    assert (run(step)[step] / "copy").read_bytes() == b"source"
    server.files[f"{remote.SOURCES}{bad.sha256}"] = b"wrong"
    with pytest.raises(Exception, match="the shared cache: wrong bytes"):
        run(Step(name="t/bad", script=":\n", inputs={"src": bad}))


def test_what_is_not_shared(run: Run, server: Server, tmp_path: Path) -> None:
    """Not what a folder of this machine's went into, nor what is made of that."""
    (tmp_path / "sdk").mkdir()
    sdk = Folder(tmp_path / "sdk", trees.digest([]))
    first = Step(name="t/first", script=': >"$OUT/x"\n', inputs={"sdk": sdk})
    second = Step(name="t/second", script=': >"$OUT/x"\n', inputs={"first": first})
    assert [shareable(step) for step in (TOOL, APP, first, second)] == [True, True, False, False]
    run(second)
    assert server.seen == []


def test_opened(store: Store, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OXCROSS_OFFLINE", "OXCROSS_CACHE_URL", "OXCROSS_CACHE_BUCKET", settings.KEY_ENV):
        monkeypatch.delenv(name, raising=False)
    with opened(Cache(), store, recorder) as cache:
        assert cache is None
    url = Cache(url="http://127.0.0.1:9", trust=(PUBLIC,))
    with opened(url, store, recorder) as cache:
        assert cache
        cache.offer(APP)  # nobody asked for it to be pushed
    with (
        pytest.raises(ConfigError, match="--push: no cache is configured"),
        opened(Cache(), store, recorder, push=True),
    ):
        pass
    with (
        pytest.raises(ConfigError, match="only a bucket can be pushed to"),
        opened(url, store, recorder, push=True),
    ):
        pass
