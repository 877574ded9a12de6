"""The store: what it gives back, what it drops, what survives a kill, a full disk, and pruning."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oxcross import locks, trees
from oxcross.errors import SourceError, StoreError
from oxcross.plan import SOURCE_DATE_EPOCH
from oxcross.store import Store

KEY = "0123456789abcdef" * 4


class Notices(list[str]):
    """What the store told."""


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def store(tmp_path: Path, notices: Notices) -> Iterator[Store]:
    with Store(tmp_path / "store", notice=notices.append) as made:
        yield made


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def put(store: Store, key: str = KEY, name: str = "step", **files: bytes) -> Path:
    with store.temporary("test") as folder:
        (folder / "tree").mkdir()
        return store.put(key, fill(folder / "tree", files or {"file": b"content"}), name)


def leftovers(store: Store) -> list[str]:
    return sorted(path.name for path in (store.root / "tmp").iterdir())


def test_put_and_get(store: Store) -> None:
    assert store.get(KEY) is None
    assert not store.has(KEY)
    tree = put(store, file=b"content")
    assert (tree / "file").read_bytes() == b"content"
    assert store.has(KEY)
    assert store.get(KEY) == tree == store.get(KEY, verify=True)
    assert leftovers(store) == []


def test_entries_tell_nothing_of_who_made_them(store: Store) -> None:
    digests = []
    for key, umask in (("1" * 64, 0o077), ("2" * 64, 0o000)):
        with store.temporary("test") as folder:
            before = os.umask(umask)
            try:
                tree = fill(folder / "tree", {"lib/a": b"a", "bin/tool": b"t"})
                (tree / "bin/tool").chmod(0o500 if umask else 0o777)
                (tree / "link").symlink_to("./lib//a")
                (tree / "empty").mkdir(mode=0o700)
            finally:
                os.umask(before)
            made = store.put(key, tree, "step")
        digests.append(store.digest(key))
        modes = {path: entry.stat(follow_symlinks=False) for path, entry in trees.walk(made)}
        assert {name: oct(info.st_mode & 0o7777) for name, info in modes.items() if name != "link"} == {
            "lib": "0o755",
            "lib/a": "0o644",
            "bin": "0o755",
            "bin/tool": "0o755",
            "empty": "0o755",
        }
        assert {info.st_mtime for info in modes.values()} == {SOURCE_DATE_EPOCH}
        assert os.readlink(made / "link") == "./lib//a"  # noqa: PTH115
    assert digests[0] == digests[1]


def test_special_files_are_refused(store: Store) -> None:
    with store.temporary("test") as folder:
        (folder / "tree").mkdir()
        os.mkfifo(folder / "tree" / "pipe")
        with pytest.raises(StoreError, match="neither a file"):
            store.put(KEY, folder / "tree", "step")
    assert not store.has(KEY)
    assert leftovers(store) == []


def _flip(tree: Path) -> None:
    data = bytearray((tree / "file").read_bytes())
    data[0] ^= 1
    (tree / "file").write_bytes(data)
    os.utime(tree / "file", (SOURCE_DATE_EPOCH, SOURCE_DATE_EPOCH))  # as one who hides it


def _add(tree: Path) -> None:
    (tree / "more").touch()


def _mode(tree: Path) -> None:
    (tree / "file").chmod(0o755)


def _no_meta(tree: Path) -> None:
    (tree.parent / "meta.json").unlink()


def _bad_meta(tree: Path) -> None:
    (tree.parent / "meta.json").write_bytes(b"\xff{")
    (tree / "file").touch()


def _no_used(tree: Path) -> None:
    (tree.parent / "used").unlink()


@pytest.mark.parametrize(
    "damage",
    [
        _flip,
        _add,
        _mode,
        _no_meta,
        _bad_meta,
        _no_used,
        lambda tree: (tree / "file").unlink(),
        lambda tree: os.truncate(tree / "file", 3),
        shutil.rmtree,
    ],
)
def test_damaged_entries_are_dropped_and_made_anew(
    store: Store, notices: Notices, damage: Callable[[Path], object]
) -> None:
    damage(put(store))
    assert store.get(KEY) is None
    assert "damaged" in notices[0]
    assert not (store.root / "entries" / KEY).exists()
    assert store.get(put(store).parent.name) is not None
    assert leftovers(store) == []


def test_damage_under_an_intact_stamp_is_found_by_verify(store: Store, notices: Notices) -> None:
    tree = put(store)
    _flip(tree)
    (tree.parent / "stamp").write_text(trees.stamp(tree))
    assert store.get(KEY) == tree  # nothing is read on the fast path
    assert [item.key for item in store.verify()] == [KEY]
    assert store.get(KEY) is None


def test_touched_but_equal_entries_are_kept(store: Store, notices: Notices, tmp_path: Path) -> None:
    tree = put(store)
    (tree / "file").write_bytes(b"content")
    os.utime(tree / "file", (1, 1))
    assert store.get(KEY) == tree
    assert (tree.parent / "stamp").read_text() == trees.stamp(tree)
    trees.copy(store.root, tmp_path / "moved")  # another disk: every inode is another one
    with Store(tmp_path / "moved") as moved:
        assert moved.get(KEY) is not None
    assert not notices


def test_the_first_of_two_puts_stays(store: Store) -> None:
    first = put(store, file=b"content")
    inode = first.stat().st_ino
    assert put(store, file=b"content") == first
    assert first.stat().st_ino == inode


def test_keys_cannot_leave_the_store(store: Store) -> None:
    for key in ("../x", "", ".", "/etc", "a/b", "A"):
        with pytest.raises(ValueError, match="not a key"):
            store.get(key)


def test_sources(store: Store, tmp_path: Path) -> None:
    data = b"source"
    sha256 = hashlib.sha256(data).hexdigest()
    file = store.root / "tmp" / "download"
    file.write_bytes(data)
    path = store.add_source(sha256, "zlib.tar.gz", file)
    assert path.name == "zlib.tar.gz"
    assert path.read_bytes() == data
    assert store.source(sha256) == path
    assert store.has_source(sha256)
    file.write_bytes(b"others")
    with pytest.raises(SourceError, match="wrong bytes"):
        store.add_source("f" * 64, "zlib.tar.gz", file)
    assert not file.exists()
    assert store.source("f" * 64) is None
    path.write_bytes(b"damage")
    assert store.source(sha256) is None


def test_values(store: Store, notices: Notices) -> None:
    assert store.value("v") is None
    store.put_value("v", b"one\ntwo")
    assert store.value("v") == b"one\ntwo"
    store.put_value("v", b"")
    assert store.value("v") == b""
    (store.root / "values" / "v").write_bytes(b"0" * 64 + b"\nx")
    assert store.value("v") is None
    assert "damaged" in notices[0]


def test_locks_exclude_threads_and_can_be_given_up(store: Store) -> None:
    order: list[str] = []

    def second() -> None:
        with store.lock(KEY) as held:
            order.append(f"second {held}")

    with store.lock(KEY) as held:
        assert held
        thread = threading.Thread(target=second)
        thread.start()
        with store.lock(KEY, lambda: True) as other:
            assert not other
        order.append("first")
    thread.join(10)
    assert order == ["first", "second True"]


def test_temporaries_of_the_dead_are_swept(store: Store) -> None:
    code = f"""
import os, signal
from pathlib import Path
from oxcross.store import Store
manager = Store(Path({str(store.root)!r})).temporary("dead")
folder = manager.__enter__()
(folder / "deep").mkdir()
(folder / "deep" / "file").touch()
(folder / "deep").chmod(0o500)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with store.temporary("alive") as alive:
        subprocess.run([sys.executable, "-c", code], check=False)
        assert len(leftovers(store)) == 4
        with Store(store.root) as another, another.temporary("new"):
            pass
        assert alive.is_dir()
        assert leftovers(store) == [alive.name, alive.name + ".lock"]


_PUTS = """
import hashlib, sys
from pathlib import Path
from oxcross.store import Store

store = Store(Path(sys.argv[1]))
print("ready", flush=True)
number = 0
while True:
    number += 1
    key = hashlib.sha256(str(number % 40).encode()).hexdigest()
    if number % 7 == 0:
        store.discard(store.root / "entries" / key)
    if store.get(key) is None:
        with store.temporary("step") as folder:
            (folder / "tree" / "lib").mkdir(parents=True)
            for part in range(5):
                (folder / "tree" / "lib" / str(part)).write_bytes(f"{key} {part}".encode() * 500)
            store.put(key, folder / "tree", "step")
    store.put_value(key, key.encode() * 100)
"""


def test_kill_at_any_moment_leaves_whole_entries_only(store: Store, notices: Notices) -> None:
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    for _ in range(25):
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", _PUTS, str(store.root)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(2)
        ]
        for worker in workers:
            assert worker.stdout is not None
            worker.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.15))
        early = [worker.poll() for worker in workers]
        for worker in workers:
            worker.kill()
        assert early == [None, None], [worker.communicate()[1].decode() for worker in workers]
        for worker in workers:
            worker.communicate()
    entries = list((store.root / "entries").iterdir())
    assert len(entries) > 5
    for entry in entries:
        tree = store.get(entry.name, verify=True)
        assert tree is not None, notices
        for part in range(5):
            assert (tree / "lib" / str(part)).read_bytes() == f"{entry.name} {part}".encode() * 500
        assert store.value(entry.name) in (None, entry.name.encode() * 100)
    assert store.verify() == []
    assert notices == []
    with Store(store.root) as later, later.temporary("new"):
        pass
    assert leftovers(store) == []


_FULL = """
import sys
from pathlib import Path
from oxcross.errors import StoreError
from oxcross.store import Store

root = Path(sys.argv[1])
store = Store(root)
def attempt(function, *arguments):
    try:
        function(*arguments)
    except StoreError as error:
        text = str(error)
        assert "no space left" in text and "free" in text and "prune" in text, text
        return
    raise SystemExit("no error")

def put():
    with store.temporary("step") as folder:
        tree = folder / "tree"
        tree.mkdir()
        with store.guard(4_000_000):
            (tree / "file").write_bytes(bytes(4_000_000))
        store.put("1" * 64, tree, "step")

def tight():
    # The content fits, what the store writes beside it does not.
    with store.temporary("step") as folder:
        tree = folder / "tree"
        tree.mkdir()
        for number in range(200):
            (tree / ("long-" * 40 + str(number))).touch()
        with store.guard():
            (tree / "file").write_bytes(bytes(1_990_000))
            while True:
                with (tree / "file").open("ab") as stream:
                    try:
                        stream.write(bytes(4096)); stream.flush()
                    except OSError:
                        break
        store.put("2" * 64, tree, "step")

attempt(put)
attempt(tight)
attempt(store.put_value, "v", bytes(4_000_000))
kept = [path for path in root.rglob("*") if path.is_file() and path.stat().st_size]
assert not kept, kept
assert not store.has("1" * 64) and store.value("v") is None
store.put_value("v", b"small")
assert store.value("v") == b"small"
print("well")
"""


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = f'mount -t tmpfs -o size=2m none {place} && exec "$0" -c "$1" {place}/store'
    run = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, sys.executable, _FULL],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "well\n", run.stderr


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="OXCROSS_STORE"):
        Store(tmp_path / "file" / "store")


def _age(store: Store, key: str, days: float) -> None:
    when = time.time() - days * 86400
    os.utime(store.root / "entries" / key / "used", (when, when))


def test_size_and_pruning(store: Store) -> None:
    keys = [str(number) * 64 for number in range(4)]
    for number, key in enumerate(keys):
        put(store, key, file=bytes(1000))
        _age(store, key, days=10 - number)
    store.close()
    assert store.size() == 4000
    assert [item.key for item in store.entries()] == keys
    assert [item.key for item in store.prune(max_age_days=9.5)] == keys[:1]
    assert store.get(keys[1]) is not None  # a use: now the youngest, and held
    assert [item.key for item in store.prune(max_bytes=1500)] == keys[2:]
    assert store.prune(max_bytes=0) == []  # what is in use stays
    store.close()
    assert [item.key for item in store.prune(max_bytes=0)] == [keys[1]]
    assert store.size() == 0
    assert leftovers(store) == []


def test_pruning_spares_what_another_process_uses(store: Store) -> None:
    put(store)
    store.close()
    code = f"""
import sys
from pathlib import Path
from oxcross.store import Store
store = Store(Path({str(store.root)!r}))
print(store.get({KEY!r}), flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline().strip().endswith(b"/tree")
        assert store.prune(max_bytes=0) == []
        user.communicate(b"")
    assert [item.key for item in store.prune(max_bytes=0)] == [KEY]


def test_pruning_takes_values_logs_and_partials(store: Store) -> None:
    store.put_value("v", b"value")
    store.log_path(KEY, "linux-x64/zlib").write_text("log")
    store.partial(KEY).write_bytes(b"part")
    with store.lock("held"):
        assert sorted(item.kind for item in store.prune(max_age_days=0)) == ["log", "partial", "value"]
        assert [path.name for path in (store.root / "locks").iterdir()] == ["held"]
    assert store.size() == 0


def test_copying_to_another_store(store: Store, tmp_path: Path) -> None:
    put(store, "1" * 64, name="linux-x64/zlib")
    put(store, "2" * 64, name="linux-x64/xz")
    with Store(tmp_path / "other") as other:
        copied = store.copy_to(other, lambda item: item.name != "linux-x64/xz")
        assert [item.key for item in copied] == ["1" * 64]
        assert other.get("1" * 64, verify=True) is not None
        assert not other.has("2" * 64)
        assert other.digest("1" * 64) == store.digest("1" * 64)


def test_default_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OXCROSS_STORE", str(tmp_path / "named"))
    with Store() as named:
        assert named.root == tmp_path / "named"
    monkeypatch.delenv("OXCROSS_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Store() as usual:
        assert usual.root == tmp_path / "cache" / "oxcross" / "store"


def test_remove_takes_read_only_folders(tmp_path: Path) -> None:
    tree = fill(tmp_path / "tree", {"a/b/c": b""})
    for folder in ("a/b", "a", "."):
        (tree / folder).chmod(0o500)
    trees.remove(tree)
    assert not tree.exists()
    trees.remove(tree)


def test_a_lock_file_that_is_removed_does_not_let_two_in(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first = locks.try_lock(path)
    assert first is not None
    path.unlink()
    second = locks.try_lock(path)  # a new file: the first holder's is gone
    assert second is not None
    assert locks.try_lock(path) is None
    os.close(first)
    os.close(second)
