"""oxidized_importer's way with paths, on the system of the machine and with Windows' rules (ntpath).

What it does in an executable: tests/e2e/apps/oxidized.
"""

from __future__ import annotations

import importlib
import ntpath
import os
import posixpath
import sys
import types
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import pytest

ROOM = Path(__file__).parents[2] / "launcher" / "python"
MOUNTS = {posixpath: "/opt/bin/app", ntpath: r"C:\bin\app.exe"}


@pytest.fixture(params=[posixpath, ntpath], ids=["posix", "windows"])
def package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """The package, with an executable of that system; ``os`` has its rules for paths."""
    launcher = types.ModuleType("_oxcross")
    vars(launcher).update(mount=MOUNTS[request.param], Finder=type("Finder", (), {}), modules=list)
    monkeypatch.setitem(sys.modules, "_oxcross", launcher)
    monkeypatch.syspath_prepend(str(ROOM))
    yield importlib.import_module("oxidized_importer")
    for name in [name for name in sys.modules if name.partition(".")[0] == "oxidized_importer"]:
        monkeypatch.delitem(sys.modules, name)


def part(package: types.ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the package that has the system's own ``os``."""
    module = importlib.import_module(f"{package.__name__}.{name}")
    rules = ntpath if "\\" in module.MOUNT else posixpath
    system = types.SimpleNamespace(path=rules, sep=rules.sep, fsencode=os.fsencode, fsdecode=os.fsdecode)
    monkeypatch.setattr(module, "os", system)
    return module


def test_the_package_of_a_path(package: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = part(package, "_paths", monkeypatch)
    mount = paths.MOUNT
    assert paths.package_of(mount) is None
    assert paths.package_of(f"{mount}/a/b") == paths.package_of(f"{mount}\\a\\b") == "a.b"
    for wrong in (f"{mount}x/a", f"{mount}/a/", f"{mount}/.a", "elsewhere"):
        with pytest.raises(ValueError, match="path"):
            paths.package_of(wrong)
    if mount.startswith("C:"):
        assert paths.package_of("c:/BIN/app.EXE/Flask") == "Flask"
    else:
        with pytest.raises(ValueError, match="does not begin"):
            paths.package_of("/opt/BIN/app/flask")


def test_files_have_slashes(package: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    embedded = part(package, "_embedded", monkeypatch)
    mount, path = embedded.MOUNT, embedded.os.path
    tree = [("", ["app.py"]), ("flask", ["x.txt", "core.dll"]), (path.join("flask", "templates"), ["a.html"])]
    seen: list[str] = []

    def walk(folder: str) -> Iterator[tuple[str, list[str], list[str]]]:
        seen.append(folder)
        return ((path.join(folder, below), [], names) for below, names in tree)

    embedded.os.walk = walk
    assert list(embedded._files()) == ["app.py", "flask/x.txt", "flask/core.dll", "flask/templates/a.html"]
    assert seen == [mount + path.sep]
    found = {"flask": embedded.OxidizedResource()}
    for name in embedded._files():
        embedded._add_file(found, {"flask": "flask"}, name)
    assert sorted(found["flask"]._values["in_memory_package_resources"].paths) == [
        "templates/a.html",
        "x.txt",
    ]
    assert found["core.dll"].is_shared_library


def test_packed_paths_are_alike(package: types.ModuleType) -> None:
    packed = importlib.import_module("oxidized_importer._packed")
    resource = package.OxidizedResource()
    resource.name = "a"
    resource.is_module = True
    resource.relative_path_module_source = "lib/a.py"
    [again] = packed.read(packed.write([resource]))
    assert again.relative_path_module_source == Path("lib/a.py")
    assert PureWindowsPath(r"lib\a.py").as_posix() == "lib/a.py"


def test_where_a_module_on_disk_lies(
    package: types.ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package's folder is told from its file, and from its bytecode's in __pycache__."""
    resource = package.OxidizedResource()
    resource.name = "a"
    resource.is_module = resource.is_package = True
    loading = part(package, "_loading", monkeypatch)
    join = loading.os.path.join
    resource._values["relative_path_module_source"] = join("lib", "a", "__init__.py")
    [folder] = loading.spec_of(resource, r"C:\bin", None).submodule_search_locations
    assert folder == join(r"C:\bin", "lib", "a")
    del resource._values["relative_path_module_source"]
    resource._values["relative_path_module_bytecode"] = join("lib", "a", "__pycache__", "__init__.pyc")
    [folder] = loading.spec_of(resource, r"C:\bin", None).submodule_search_locations
    assert folder == join(r"C:\bin", "lib", "a")
