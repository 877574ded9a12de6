"""What is put into stores, and what is left in them: for the store's tests."""

from __future__ import annotations

from pathlib import Path

from oxcross.store import Store

KEY = "0123456789abcdef" * 4


class Notices(list[str]):
    """What the store told."""


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
