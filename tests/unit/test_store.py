"""The store: what it gives back, what it drops, sources, values and locks."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from storing import KEY, Notices, fill, leftovers, put

from oxcross import locks, trees
from oxcross.errors import SourceError, StoreError
from oxcross.plan import SOURCE_DATE_EPOCH
from oxcross.store import Store


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def store(tmp_path: Path, notices: Notices) -> Iterator[Store]:
    with Store(tmp_path / "store", notice=notices.append) as made:
        yield made


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


def test_a_long_wait_is_said_once(store: Store, notices: Notices) -> None:
    def wait() -> None:
        with store.lock(KEY, lambda: len(notices) > 1 or released.is_set(), name="linux-x64/zlib"):
            pass

    released = threading.Event()
    thread = threading.Thread(target=wait)
    with store.lock(KEY):
        thread.start()
        while not notices:
            time.sleep(0.01)
        released.wait(0.2)  # long enough for a second time
    released.set()
    thread.join()
    assert notices == [f"waiting for linux-x64/zlib: process {os.getpid()} on {os.uname().nodename} is at it"]


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
