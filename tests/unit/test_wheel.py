"""The project's own wheel: built by its backend, and refreshed after an edit with the same result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import wheels

from oxcross import targets
from oxcross.collect import projectfiles, refresh, uv, wheel
from oxcross.errors import CollectError
from oxcross.store import Store

# uv builds these itself: no network, no environment.
BUILD = '[build-system]\nrequires = ["uv_build>=0.9,<1"]\nbuild-backend = "uv_build"\n'
PROJECT = '[project]\nname = "demo"\nversion = "1.0"\nreadme = "README.md"\nlicense-files = ["LICENSE"]\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for path, text in {
        "pyproject.toml": PROJECT + BUILD,
        "README.md": "Demo.\n",
        "LICENSE": "free\n",
        "src/demo/__init__.py": "",
        "src/demo/sub/__init__.py": "",
        "src/demo/main.py": "print('one')\n",
        "src/demo/templates/index.html": "<p>\n",
        "tests/test_demo.py": "",
        ".venv/pyvenv.cfg": "",
        "env/pyvenv.cfg": "",
        "build/old.py": "",
        "src/demo/__pycache__/main.cpython-313.pyc": "x",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def test_project_files(root: Path) -> None:
    assert sorted(projectfiles.digests(root)) == [
        "LICENSE",
        "README.md",
        "pyproject.toml",
        "src/demo/__init__.py",
        "src/demo/main.py",
        "src/demo/sub/__init__.py",
        "src/demo/templates/index.html",
        "tests/test_demo.py",
    ]


def test_wheel_is_built_once(root: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    built = wheel.build(root, store)
    assert "demo/templates/index.html" in built.files
    assert built.information == "demo-1.0.dist-info"
    assert b"\nName: demo\n" in built.metadata
    monkeypatch.setattr(uv, "run", lambda *_, **__: pytest.fail("nothing is to be built"))
    assert wheel.build(root, store) == built


@pytest.mark.parametrize(
    "path", ["src/demo/main.py", "src/demo/templates/index.html", "src/demo/__init__.py"]
)
def test_refreshing_is_as_building(root: Path, tmp_path: Path, store: Store, path: str) -> None:
    before = wheel.build(root, store)
    (root / path).write_text("x = 'edited'\n")
    said: list[str] = []
    refreshed = wheel.build(root, store, notice=said.append)
    assert said == [], "the backend ran"
    assert refreshed.key != before.key
    with Store(tmp_path / "other") as other:
        assert wheel.build(root, other) == refreshed
    (root / path).write_text("x = 'again'\n")
    assert wheel.build(root, store, notice=said.append).files[path.removeprefix("src/")] == b"x = 'again'\n"
    assert said == []


@pytest.mark.parametrize(
    "change", ["new file", "file gone", "pyproject.toml", "README.md", "LICENSE", "tests/test_demo.py"]
)
def test_anything_else_is_a_full_build(root: Path, store: Store, change: str) -> None:
    wheel.build(root, store)
    if change == "new file":
        (root / "src/demo/more.py").write_text("")
    elif change == "file gone":
        (root / "src/demo/templates/index.html").unlink()
    else:
        with (root / change).open("a") as file:
            file.write("\n# edited\n")
    said: list[str] = []
    built = wheel.build(root, store, notice=said.append)
    assert said == ["building project"]
    assert ("demo/more.py" in built.files) == (change == "new file")
    assert ("demo/templates/index.html" in built.files) == (change != "file gone")


@pytest.mark.parametrize(
    "pyproject",
    [
        PROJECT.replace('version = "1.0"', 'dynamic = ["version"]') + BUILD,
        PROJECT + BUILD.replace('"uv_build"', '"mybackend"'),
        PROJECT + BUILD + 'backend-path = ["."]\n',
        PROJECT + BUILD + "[tool.hatch.build.hooks.custom]\n",
        PROJECT,
    ],
)
def test_what_is_not_plain_is_never_refreshed(root: Path, store: Store, pyproject: str) -> None:
    built = wheel.build(root, store)
    (root / "pyproject.toml").write_text(pyproject)
    files = projectfiles.digests(root)
    refresh.remember(root, files, built.files, built.key, store)
    assert refresh.refreshed(root, files, store) is None


def test_setup_py_is_never_refreshed(root: Path, store: Store) -> None:
    (root / "setup.py").write_text("")
    built = wheel.build(root, store)
    assert refresh.refreshed(root, projectfiles.digests(root), store) is None
    assert built.files


def test_generated_files_are_never_refreshed(root: Path, store: Store) -> None:
    built = wheel.build(root, store)
    files = projectfiles.digests(root)
    refresh.remember(root, files, {**built.files, "demo/_version.py": b"v"}, built.key, store)
    assert refresh.refreshed(root, files, store) is None


BACKEND = """\
import os, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    seen = sorted(os.path.join(top, name) for top, _, names in os.walk(".") for name in names)
    os.makedirs("build/lib")
    with zipfile.ZipFile(os.path.join(folder, "demo-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("seen.txt", "\\n".join(seen))
        wheel.writestr("demo-1.0.dist-info/METADATA", "Name: demo\\nVersion: 1.0\\n")
        wheel.writestr("demo-1.0.dist-info/WHEEL", "Tag: py3-none-any\\n")
    return "demo-1.0-py3-none-any.whl"
"""


def test_backend_sees_the_project_only_and_leaves_nothing(
    root: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    (root / "backend.py").write_text(BACKEND)
    (root / "pyproject.toml").write_text(
        PROJECT + '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    before = sorted(root.rglob("*"))
    seen = wheel.build(root, store).files["seen.txt"].decode().splitlines()
    assert seen == sorted(f"./{path}" for path in projectfiles.digests(root))
    assert sorted(root.rglob("*")) == before


def test_failing_backend(root: Path, store: Store) -> None:
    (root / "src/demo/__init__.py").unlink()
    with pytest.raises(CollectError, match="wheel cannot be built") as caught:
        wheel.build(root, store)
    assert "__init__.py" in caught.value.message


def test_compiled_wheels_of_one_platform_are_refused(tmp_path: Path, store: Store) -> None:
    path = wheels.make(tmp_path / "w", "fast", tag="cp313-cp313-linux_x86_64")
    with pytest.raises(CollectError, match="one platform only"):
        wheel.of(path, store)
    path = wheels.make(tmp_path / "w", "sly", files={"sly.so": Path("/bin/sh").read_bytes()})
    with pytest.raises(CollectError, match="one platform only"):
        wheel.of(path, store)


def test_bad_wheels(tmp_path: Path) -> None:
    with pytest.raises(CollectError, match="damaged"):
        wheel.unpack(b"no zip", "x")
    outside = wheels.make(tmp_path / "w", "out", files={"../evil.py": b""})
    with pytest.raises(CollectError, match="outside"):
        wheel.unpack(outside.read_bytes(), "x")


def test_data_is_placed_as_installers_do(tmp_path: Path) -> None:
    path = wheels.make(
        tmp_path / "w",
        "placed",
        files={
            "placed-1.0.data/purelib/placed.py": b"",
            "placed-1.0.data/data/share/x.txt": b"x",
            "placed-1.0.data/scripts/run": b"",
            "placed-1.0.data/headers/x.h": b"",
        },
    )
    files = wheel.unpack(path.read_bytes(), "x")
    information = {name for name in files if name.startswith("placed-1.0.dist-info/")}
    assert set(files) - information == {"placed.py", "share/x.txt", "bin/run"}
    assert b"share/x.txt,sha256=" in files["placed-1.0.dist-info/RECORD"]


def test_no_folder(store: Store, tmp_path: Path) -> None:
    with pytest.raises(CollectError, match="no such folder"):
        wheel.of(tmp_path / "none", store)


def test_extras() -> None:
    metadata = (
        b"Name: x\nVersion: 1\nRequires-Dist: a\nRequires-Dist: b; extra == 'one'\n"
        b"Requires-Dist: c; extra == 'two' and python_version > '3'\nRequires-Dist: d; sys_platform == 'win32'\n"
        b"Requires-Dist: e; extra == 'three' and os_name == 'nt'\n"
        b"Requires-Dist: f; extra == 'three' and platform_machine == 'AMD64' and platform_system == 'Windows'\n"
    )
    linux, windows = targets.get("linux-x64"), targets.get("win-x64")
    assert wheel.requires(metadata, "", linux) == ["a", "d; sys_platform == 'win32'"]
    assert wheel.requires(metadata, "[one]", linux) == ["a", "b", "d; sys_platform == 'win32'"]
    assert wheel.requires(metadata, "[one, two]", linux) == ["a", "b", "c", "d; sys_platform == 'win32'"]
    assert wheel.requires(metadata, "[three]", linux) == ["a", "d; sys_platform == 'win32'"]
    assert wheel.requires(metadata, "[three]", windows) == ["a", "d; sys_platform == 'win32'", "e", "f"]
