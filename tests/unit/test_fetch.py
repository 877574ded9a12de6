"""Fetching: a real HTTP server on this machine that cuts, refuses, ignores ranges, or lies."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from recording import Recorder, pin

from oxcross.errors import SourceError, StoreError
from oxcross.fetch import Fetcher, apt, wheel
from oxcross.fetch.download import Stopped, TransferError, download
from oxcross.store import Store

DATA = hashlib.shake_256(b"source").digest(1_500_000)
OTHER = hashlib.shake_256(b"other").digest(1_500_000)


class Server(http.server.ThreadingHTTPServer):
    """Serves ``files``; ``cut`` is how many bytes a connection gives before it is closed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {"/zlib-1.tar.gz": DATA}
        self.cut: int | None = None
        self.ranges = True
        self.answer: int | None = None
        self.seen: list[tuple[str, str | None]] = []
        self.hold: threading.Event | None = None

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.server.seen.append((self.path, wanted))
        data = self.server.files.get(self.path)
        if data is None or self.server.answer:
            self.send_error(self.server.answer or 404)
            return
        begin = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.server.ranges else 0
        if begin >= len(data):
            self.send_error(416)
            return
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        end = len(data) if self.server.cut is None else min(len(data), begin + self.server.cut)
        self.wfile.write(data[begin:end])
        if self.server.hold is not None:
            self.wfile.flush()
            self.server.hold.wait(20)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def fetcher(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Fetcher]:
    for name in ("OXCROSS_MIRROR", "OXCROSS_OFFLINE", "http_proxy"):
        monkeypatch.delenv(name, raising=False)

    def make(*mirrors: str, reporter: Recorder | None = None, apt_folder: Path | None = None) -> Fetcher:
        return Fetcher(store, mirrors, reporter or Recorder(), apt_folder=apt_folder or tmp_path / "no-apt")

    return make


def test_upstream_then_store(server: Server, store: Store, fetcher: Callable[..., Fetcher]) -> None:
    recorder = Recorder()
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    found = fetcher(reporter=recorder).fetch([source, source])
    assert found[source.sha256].read_bytes() == DATA
    assert found[source.sha256].name == "zlib-1.tar.gz"
    assert recorder.calls[0] == ("fetch", "zlib", len(DATA))
    assert ("progress", "zlib", len(DATA), len(DATA)) in recorder.calls
    assert recorder.calls[-1] == ("fetched", "zlib")
    assert fetcher().fetch([source]) == found
    assert len(server.seen) == 1


def test_a_cut_connection_is_taken_up_again(server: Server, fetcher: Callable[..., Fetcher]) -> None:
    server.cut = 400_000
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    assert fetcher().fetch([source])[source.sha256].read_bytes() == DATA
    assert [wanted for _, wanted in server.seen] == [
        None,
        *(f"bytes={n}-" for n in (400_000, 800_000, 1_200_000)),
    ]


def test_a_later_run_goes_on_where_the_first_stopped(
    server: Server, store: Store, fetcher: Callable[..., Fetcher]
) -> None:
    store.partial(pin(DATA).sha256).write_bytes(DATA[:1_000_000])
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    fetcher().fetch([source])
    assert server.seen == [("/zlib-1.tar.gz", "bytes=1000000-")]


def test_a_server_without_ranges(server: Server, store: Store, fetcher: Callable[..., Fetcher]) -> None:
    server.ranges = False
    store.partial(pin(DATA).sha256).write_bytes(OTHER[:1_000_000])
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    assert fetcher().fetch([source])[source.sha256].read_bytes() == DATA


def test_a_wrong_beginning_is_fetched_again(
    server: Server, store: Store, fetcher: Callable[..., Fetcher]
) -> None:
    store.partial(pin(DATA).sha256).write_bytes(OTHER[:1_000_000])
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    assert fetcher().fetch([source])[source.sha256].read_bytes() == DATA
    assert [wanted for _, wanted in server.seen] == ["bytes=1000000-", None]


@pytest.mark.parametrize("lie", [OTHER, DATA[:-1], DATA + b"x", b""])
def test_wrong_bytes_are_refused_and_deleted(
    server: Server, store: Store, fetcher: Callable[..., Fetcher], lie: bytes
) -> None:
    server.files["/zlib-1.tar.gz"] = lie
    server.files["/good"] = DATA
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    with pytest.raises(SourceError) as caught:
        fetcher().fetch([source])
    assert server.base + "/zlib-1.tar.gz" in str(caught.value)
    assert source.sha256 in str(caught.value)
    assert store.source(source.sha256) is None
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz", server.base + "/good"))
    assert fetcher().fetch([source])[source.sha256].read_bytes() == DATA
    assert list((store.root / "partial").iterdir()) == []


@pytest.mark.parametrize(("status", "tries"), [(404, 1), (503, 2)])
def test_errors_name_every_try(
    server: Server, fetcher: Callable[..., Fetcher], status: int, tries: int, tmp_path: Path
) -> None:
    server.answer = status
    source = pin(DATA, upstream=(server.base + "/a", "http://127.0.0.1:9/b", "gopher://x/c"))
    with pytest.raises(SourceError) as caught:
        fetcher(str(tmp_path)).fetch([source])
    text = str(caught.value)
    assert f"{server.base}/a: HTTP {status}" in text
    assert "127.0.0.1:9/b: [Errno 111] Connection refused" in text
    assert "gopher://x/c: no such scheme" in text
    assert len(server.seen) == tries


def test_several_failures_are_one_error(fetcher: Callable[..., Fetcher]) -> None:
    with pytest.raises(SourceError, match="2 sources") as caught:
        fetcher().fetch([pin(b"a", "zlib"), pin(b"b", "xz")])
    assert "zlib-1.tar.gz" in str(caught.value)
    assert "xz-1.tar.gz" in str(caught.value)


def test_several_at_a_time(server: Server, fetcher: Callable[..., Fetcher]) -> None:
    server.hold = threading.Event()
    datas = {f"lib{number}": bytes([number]) * 1000 for number in range(3)}
    for name, data in datas.items():
        server.files[f"/{name}"] = data
    sources = [pin(data, name, size=0, upstream=(f"{server.base}/{name}",)) for name, data in datas.items()]
    thread = threading.Thread(target=fetcher().fetch, args=(sources, 3))
    thread.start()
    for _ in range(200):
        if len(server.seen) == 3:
            break
        thread.join(0.05)
    assert len(server.seen) == 3  # no one waited for another's end
    server.hold.set()
    thread.join(20)


def test_mirrors_come_first(
    server: Server, fetcher: Callable[..., Fetcher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / name for name in "abcde"]
    source = pin(DATA, pool="pool/main/z/zlib/zlib_1.orig.tar.gz", upstream=(server.base + "/u.tgz",))
    names = ["zlib-1.tar.gz", "zlib_1.orig.tar.gz", "u.tgz", f"{source.sha256}/zlib-1.tar.gz"]
    names.append(f"{source.sha256}/tree/zlib-1.tar.gz")
    for folder, name in zip(folders, names, strict=True):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(DATA)
        with Store(tmp_path / f"store-{folder.name}") as store:
            found = Fetcher(store, [str(folder)], Recorder(), apt_folder=tmp_path).fetch([source])
            assert found[source.sha256].read_bytes() == DATA
    assert server.seen == []
    monkeypatch.setenv("OXCROSS_MIRROR", f"{tmp_path}/none:{server.base}/mirror:{tmp_path}")
    server.files[f"/mirror/{source.sha256}"] = DATA
    fetcher(folders[0].as_uri()).fetch([source])
    assert [path for path, _ in server.seen][-1] == f"/mirror/{source.sha256}"


def test_offline_asks_mirrors_only(
    server: Server, fetcher: Callable[..., Fetcher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OXCROSS_OFFLINE", "1")
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    with pytest.raises(SourceError):
        fetcher().fetch([source])
    (tmp_path / "zlib-1.tar.gz").write_bytes(DATA)
    assert source.sha256 in fetcher(str(tmp_path)).fetch([source])
    assert server.seen == []


def test_apt_mirrors_are_the_last_resort(
    server: Server, fetcher: Callable[..., Fetcher], tmp_path: Path
) -> None:
    (tmp_path / "sources.list").write_text(f"deb [signed-by=/k] {server.base}/debian/ trixie main\n")
    server.files["/debian/pool/main/z/zlib/zlib_1.3.dfsg+really1.3.1.orig.tar.gz"] = DATA
    pool = "pool/main/z/zlib/zlib_1.3.dfsg+really1.3.1.orig.tar.gz"
    source = pin(DATA, pool=pool, upstream=(server.base + "/gone",))
    assert source.sha256 in fetcher(apt_folder=tmp_path).fetch([source])
    assert [path for path, _ in server.seen] == ["/gone", f"/debian/{pool}"]


def test_apt_formats(tmp_path: Path) -> None:
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (tmp_path / "mirrors").write_text("# two\nhttp://m1/debian\tpriority:1\nhttp://m2/debian\n")
    (tmp_path / "sources.list").write_text(
        "# deb http://commented/out trixie main\n"
        "deb [ arch=amd64 signed-by=/usr/share/k.gpg ] http://one/debian/ trixie main contrib # why\n"
        "deb-src http://one/debian trixie main\n"
        "deb cdrom:[Debian]/ trixie main\n"
        "nonsense\n"
    )
    (parts / "a.list").write_text(f"deb mirror+file:{tmp_path}/mirrors trixie main\n")
    (parts / "b.sources").write_text(
        "Types: deb deb-src\n# a comment\nURIs: http://two/debian\n https://three/debian/\n"
        "Suites: trixie trixie-updates\nComponents: main\nSigned-By:\n -----BEGIN PGP\n .\n key\n"
        "\nEnabled: no\nTypes: deb\nURIs: http://off/\nSuites: x\nComponents: main\n"
        " \nTypes: deb\nURIs: copy:/srv/debian\nSuites: ./\nSigned-By: /k.gpg\n"
    )
    (parts / "c.sources.disabled").write_text("Types: deb\nURIs: http://disabled/\n")
    assert apt.mirrors(tmp_path) == [
        "http://one/debian",
        "http://m1/debian",
        "http://m2/debian",
        "http://two/debian",
        "https://three/debian",
        "file:/srv/debian",
    ]
    first = apt.repositories(tmp_path)[0]
    assert first.options == (("arch", "amd64"), ("signed-by", "/usr/share/k.gpg"))
    assert (first.suites, first.components) == (("trixie",), ("main", "contrib"))
    updates = next(entry for entry in apt.repositories(tmp_path) if entry.uri == "http://two/debian")
    assert updates.suites == ("trixie", "trixie-updates")
    assert updates.options == ()


def test_stopping_keeps_what_is_there(server: Server, tmp_path: Path) -> None:
    server.hold = threading.Event()
    done: list[int] = []
    with pytest.raises(Stopped):
        download(
            server.base + "/zlib-1.tar.gz",
            tmp_path / "part",
            len(DATA),
            done.append,
            lambda: bool(done and done[-1] > 500_000),
        )
    server.hold.set()
    assert (tmp_path / "part").stat().st_size > 500_000
    assert DATA.startswith((tmp_path / "part").read_bytes())


def test_more_than_pinned_is_not_taken(server: Server, tmp_path: Path) -> None:
    with pytest.raises(TransferError, match="more than the 1000 bytes"):
        download(server.base + "/zlib-1.tar.gz", tmp_path / "part", 1000, lambda _: None, lambda: False)


def test_no_space_leaves_no_partial(server: Server, store: Store, fetcher: Callable[..., Fetcher]) -> None:
    source = pin(DATA, upstream=(server.base + "/zlib-1.tar.gz",))
    store.partial(source.sha256).symlink_to("/dev/full")
    with pytest.raises(StoreError, match="no space left"):
        fetcher().fetch([source])
    assert not store.partial(source.sha256).is_symlink()


def _wheel(folder: Path) -> Path:
    path = folder / "oxcross_probe-1.0-py3-none-manylinux_2_12_x86_64.manylinux2010_x86_64.whl"
    info = "oxcross_probe-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("oxcross_probe.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: oxcross-probe\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_wheels_come_from_the_package_index(
    store: Store, fetcher: Callable[..., Fetcher], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real installer fetches from what it is configured with: here, a folder."""
    file = _wheel(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert list(wheel.installers())
    source = pin(file.read_bytes(), "probe", filename=file.name, kind="wheel")
    found = fetcher().fetch([source])[source.sha256]
    assert (found.name, found.read_bytes()) == (file.name, file.read_bytes())
    wrong = pin(b"others", "probe", filename=file.name, kind="wheel")
    with pytest.raises(SourceError, match="the package index"):
        fetcher().fetch([wrong])
    assert store.source(wrong.sha256) is None
