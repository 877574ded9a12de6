"""Paths inside archives, opened, listed, globbed, also where the standard library's are."""

from __future__ import annotations

import io
import pickle
import zipfile

import zipp
from zipp import glob


def main() -> None:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w") as archive:
        for name in ("a.txt", "b/c.txt", "b/d/e.txt", "b/d/f.py", "g/h/i.txt"):
            archive.writestr(name, f"content of {name}\n")
        archive.filename = "made.zip"
        root = zipp.Path(archive)
        root.joinpath("new.txt").open("w", encoding="utf-8").close()
        print([str(one) for one in root.iterdir()])
    with open("made.zip", "wb") as file:
        file.write(box.getvalue())
    root = zipp.Path("made.zip")
    print(
        [(one.name, one.is_dir()) for one in root.iterdir()],
        (root / "b" / "c.txt").read_text(encoding="utf-8"),
    )
    print(
        [one.at for one in root.glob("**/*.txt")],
        [one.at for one in root.rglob("*.py")],
        root.joinpath("b", "d", "e.txt").suffix,
    )
    print(
        (root / "b" / "d").parent.at,
        (root / "none").exists(),
        (root / "b/d/e.txt").relative_to(root / "b"),
        glob.Translator().translate("a/**"),
    )
    with (root / "a.txt").open("rb") as file:
        print(file.read(7))
    try:
        (root / "b").open()
    except IsADirectoryError as error:
        print(type(error).__name__)
    print(
        pickle.loads(pickle.dumps(root / "a.txt")).read_text(encoding="utf-8"),
        isinstance(root.root, zipp.CompleteDirs),
    )
