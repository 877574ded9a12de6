"""importlib.resources: files() of packages and namespace packages, readers, the older functions."""

import importlib.resources as resources
import importlib.resources.abc
import os
import warnings
from pathlib import Path

import alpha
import alpha.sub

from contract import told


def tree(folder, level=0):
    for one in sorted(folder.iterdir(), key=lambda one: one.name):
        if one.name != "__pycache__":
            print("    " * level, one.name, one.is_dir(), one.is_file())
            if one.is_dir():
                tree(one, level + 1)


def files():
    for anchor in ("alpha", alpha, "alpha.sub", "shared", alpha.sub.deep):
        folder = resources.files(anchor)
        print(anchor, isinstance(folder, importlib.resources.abc.Traversable), folder.is_dir(), folder.is_file())
        tree(folder)
    folder = resources.files("alpha")
    print(folder, folder.name, folder / "data.txt", folder.joinpath("folder", "inner.txt").read_text())
    print((folder / "data.txt").read_text(encoding="utf-8"), (folder / "data.txt").read_bytes())
    with (folder / "data.txt").open("rb") as stream:
        print(stream.read(4), stream.fileno() >= 0)
    with (folder / "data.txt").open(encoding="utf-8") as stream:
        print(stream.readline())
    print((folder / "nowhere").is_file(), told((folder / "nowhere").read_text).partition(":")[0])


def paths():
    for one in (resources.files("alpha") / "data.txt", resources.files("shared") / "right.txt"):
        with resources.as_file(one) as path:
            print(path, path.exists(), path.stat().st_size, path.read_bytes())
    with resources.as_file(resources.files("alpha") / "folder") as path:
        print(path, os.listdir(path))


def spaces():
    folder = resources.files("shared")
    print(type(folder).__name__, folder.name, (folder / "left.txt").read_text(), (folder / "right.txt").read_text())
    print(sorted(one.name for one in folder.iterdir() if one.name != "__pycache__"))
    import shared

    reader = shared.__loader__.get_resource_reader("shared")
    print(type(reader).__name__, reader.is_resource("left.txt"), reader.files().joinpath("right.txt").is_file())


def readers():
    reader = alpha.__loader__.get_resource_reader("alpha")
    print(sorted(set(reader.contents()) - {"__pycache__"}), reader.is_resource("data.txt"), reader.is_resource("folder"))
    print(reader.open_resource("data.txt").read(), reader.resource_path("data.txt"))
    print(told(reader.open_resource, "nowhere").partition(":")[0], isinstance(reader.files(), Path))


def functions():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        print(resources.read_text("alpha", "data.txt", encoding="utf-8"), resources.read_binary("alpha", "data.txt"))
        print(resources.is_resource("alpha", "data.txt"), resources.is_resource("alpha", "folder"))
        print(sorted(set(resources.contents("alpha")) - {"__pycache__"}))
        with resources.path("alpha", "data.txt") as path:
            print(path, path.is_file())
        with resources.open_binary("alpha", "data.txt") as stream:
            print(stream.read())
