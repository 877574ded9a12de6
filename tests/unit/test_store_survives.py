"""The store: what survives a kill, a full disk, pruning and copying."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from storing import KEY, Notices, leftovers, put

import oxcross
from oxcross.errors import StoreError
from oxcross.store import Store, named


@pytest.fixture
def notices() -> Notices:
    return Notices()


@pytest.fixture
def store(tmp_path: Path, notices: Notices) -> Iterator[Store]:
    with Store(tmp_path / "store", notice=notices.append) as made:
        yield made


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


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("/proc/store", "No such file or directory"),
        ("file/store", "Not a directory"),
        ("file", "Not a directory"),
        ("used", "File exists"),
        ("loop/store", "Too many levels of symbolic links"),
        ("nowhere", "File exists"),
        ("long" * 100, "File name too long"),
    ],
)
def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, folder: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "entries").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "nowhere").symlink_to("gone")
    with pytest.raises(StoreError, match=f"the store cannot be written: {reason}") as caught:
        Store(tmp_path / folder)
    assert str(caught.value.where).startswith(str(tmp_path / folder))
    assert "OXCROSS_STORE" in str(caught.value.hint)


_UNWRITABLE = """
import sys
from pathlib import Path
from oxcross.errors import StoreError
from oxcross.store import Store

try:
    Store(Path(sys.argv[1]))
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("mount", "reason"),
    [
        ("mount -t tmpfs -o ro none {}", "the store cannot be written: Read-only file system"),
        ("mount -t tmpfs -o nr_inodes=1 none {}", "no space left on the device"),
    ],
)
def test_a_file_system_that_takes_no_folder_is_said(tmp_path: Path, mount: str, reason: str) -> None:
    line = f'{mount.format(tmp_path)} && exec "$0" -c "$1" {tmp_path}/store'
    run = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", line, sys.executable, _UNWRITABLE],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout.startswith(f"{tmp_path}/store: {reason}"), run.stderr


def test_a_folder_that_cannot_be_told(tmp_path: Path) -> None:
    """The home of nobody, and a relative path in a folder that is gone."""
    with pytest.raises(StoreError, match="name it by its whole path"):
        named("~nobody-has-this-name/store")
    gone = tmp_path / "gone"
    gone.mkdir()
    line = [sys.executable, "-m", "oxcross", "cache", "--store", "store"]
    run = subprocess.run(
        ["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(gone), *line],
        env={**os.environ, "PYTHONPATH": str(Path(oxcross.__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 8, run.stderr
    assert run.stderr.startswith("error: store: the store's folder cannot be told")


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
