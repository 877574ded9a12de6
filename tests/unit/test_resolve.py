"""Resolving and installing with real uv (a folder of wheels, no network), and the lock beside the project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import wheels

from oxcross import project as projects
from oxcross import targets
from oxcross.collect import environment, lockfile, requirements, uv
from oxcross.collect.lockfile import Built, Lock, Locked
from oxcross.collect.resolve import known, resolve
from oxcross.errors import CollectError, ToolError
from oxcross.project import Project
from oxcross.sdist import IndexFile, Sdist
from oxcross.store import Store

LINUX = targets.get("linux-x64")
WINDOWS = targets.get("win-x64")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    wheels.make(folder, "alpha", "1.0", requires=["beta>=1", 'winonly; sys_platform == "win32"'])
    wheels.make(folder, "beta", "1.0")
    wheels.make(folder, "native", "2.0", tag="cp313-cp313-manylinux_2_17_x86_64")
    wheels.make(folder, "newlibc", "1.0", tag="cp313-cp313-manylinux_2_34_x86_64")
    wheels.make(folder, "winonly", "1.0", tag="cp313-cp313-win_amd64")
    wheels.use(monkeypatch, folder)
    return folder


def project(folder: Path, text: str, head: str = "") -> Project:
    root = folder / "project"
    root.mkdir(exist_ok=True)
    (root / "app.py").write_text("print('app')\n")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\n{head}\n[tool.oxcross]\nrun-file = "app.py"\n{text}\n'
    )
    return projects.load(root)


def names(lines: tuple[str, ...]) -> list[str]:
    return [line.partition(" ")[0] for line in lines]


def test_resolution_is_locked_and_needs_no_uv_again(
    tmp_path: Path, store: Store, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = project(tmp_path, 'requirements = ["alpha", "native"]')
    assert known(wanted, LINUX, store) is None
    first = resolve(wanted, LINUX, store)
    assert names(first.lines) == ["alpha==1.0", "beta==1.0", "native==2.0"]
    digest = hashlib.sha256((index / "beta-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    assert first.lines[1] == f"beta==1.0 --hash=sha256:{digest}"
    lock = (wanted.root / "oxcross.lock").read_bytes()
    assert b"http" not in lock
    assert str(tmp_path).encode() not in lock
    wheels.make(index, "beta", "1.1")
    monkeypatch.setattr(uv, "find", lambda: pytest.fail("uv is not needed"))
    assert resolve(wanted, LINUX, store) == first == known(wanted, LINUX, store)


def test_changed_requirements_keep_the_other_versions(tmp_path: Path, store: Store, index: Path) -> None:
    resolve(project(tmp_path, 'requirements = ["beta"]'), LINUX, store)
    wheels.make(index, "beta", "1.1")
    more = project(tmp_path, 'requirements = ["beta", "native"]')
    assert names(resolve(more, LINUX, store).lines) == ["beta==1.0", "native==2.0"]
    assert names(resolve(more, LINUX, store, upgrade=True).lines) == ["beta==1.1", "native==2.0"]


def test_excluded_distributions(tmp_path: Path, store: Store, index: Path) -> None:
    wanted = project(tmp_path, 'requirements = ["alpha"]\nexclude-packages = ["Beta"]')
    assert names(resolve(wanted, LINUX, store).lines) == ["alpha==1.0"]
    assert b"beta==1.0" in (wanted.root / "oxcross.lock").read_bytes()


def test_every_missing_wheel_is_told(tmp_path: Path, store: Store, index: Path) -> None:
    wanted = project(tmp_path, 'requirements = ["beta", "winonly", "newlibc", "nosuch>=3"]')
    with pytest.raises(CollectError) as caught:
        resolve(wanted, LINUX, store)
    text = str(caught.value)
    for word in ("winonly", "newlibc", "nosuch", "linux-x64", "wheels"):
        assert word in text
    assert "beta" not in text
    assert not (wanted.root / "oxcross.lock").exists()


def test_glibc_decides_which_wheels_fit(tmp_path: Path, store: Store, index: Path) -> None:
    wanted = project(tmp_path, 'requirements = ["newlibc"]\nglibc = "2.35"')
    assert names(resolve(wanted, LINUX, store).lines) == ["newlibc==1.0"]


_MARKED = [
    'colour; sys_platform == "win32"',
    'zones; os_name == "nt" and platform_system == "Windows" and platform_machine == "AMD64"',
    'unixonly; sys_platform != "win32"',
    'beta; python_full_version >= "3.13" and implementation_name == "cpython"',
]


def test_windows_beside_linux(
    tmp_path: Path, store: Store, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each target's markers and wheels; both resolutions are in oxcross.lock, whatever came first."""
    for name in ("colour", "unixonly"):
        wheels.make(index, name)
    wheels.make(index, "zones", tag="cp313-none-win_amd64")
    wheels.make(index, "native", "2.0", tag="cp313-cp313-win_amd64")
    wheels.make(index, "native", "3.0", tag="cp313-cp313-win32")
    wheels.make(index, "native", "4.0", tag="cp312-cp312-win_amd64")
    wheels.make(index, "stable", "1.0", tag="cp39-abi3-win_amd64")
    wheels.make(index, "stable", "1.0", tag="cp39-abi3-manylinux_2_17_x86_64")
    wheels.make(index, "marked", requires=_MARKED)
    wanted = project(tmp_path, 'requirements = ["marked", "native", "stable"]')
    windows = resolve(wanted, WINDOWS, store)
    assert names(windows.lines) == [
        "beta==1.0", "colour==1.0", "marked==1.0", "native==2.0", "stable==1.0", "zones==1.0",
    ]  # fmt: skip
    linux = resolve(wanted, LINUX, store)
    assert names(linux.lines) == ["beta==1.0", "marked==1.0", "native==2.0", "stable==1.0", "unixonly==1.0"]
    lock = lockfile.read(wanted.root / "oxcross.lock")
    assert {name: entry.requirements for name, entry in lock.targets.items()} == {
        "linux-x64": linux.lines,
        "win-x64": windows.lines,
    }
    monkeypatch.setattr(uv, "find", lambda: pytest.fail("uv is not needed"))
    assert known(wanted, WINDOWS, store) == windows
    assert known(wanted, LINUX, store) == linux


def test_windows_wheels_are_installed(tmp_path: Path, store: Store, index: Path) -> None:
    """Programs that are generated are left out, those that the wheel has stay: ruff.exe is one."""
    files = {
        "tool/_core.cp313-win_amd64.pyd": b"MZ",
        "tool.libs/inner.dll": b"MZ",
        "tool-1.0.data/scripts/real.exe": b"MZ\0#!python\n",
        "tool-1.0.data/data/share/x.txt": b"x",
        "tool-1.0.dist-info/entry_points.txt": b"[console_scripts]\ntool = tool:main\n[gui_scripts]\nwin = tool:win\n",
    }
    wheels.make(index, "tool", files=files, tag="cp313-cp313-win_amd64")
    wanted = project(tmp_path, 'requirements = ["tool"]')
    tree = environment.environment(resolve(wanted, WINDOWS, store).lines, wanted, WINDOWS, store)
    found = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    information = {
        f"tool-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")
    }
    assert found - information == {
        "bin/real.exe", "share/x.txt", "tool.libs/inner.dll", "tool/_core.cp313-win_amd64.pyd",
    }  # fmt: skip
    assert (tree / "bin/real.exe").read_bytes() == files["tool-1.0.data/scripts/real.exe"]
    record = (tree / "tool-1.0.dist-info/RECORD").read_text()
    assert "\\" not in record
    assert "bin/tool" not in record
    assert "bin/real.exe,sha256=" in record


def test_a_wheel_that_windows_lacks(tmp_path: Path, store: Store, index: Path) -> None:
    with pytest.raises(CollectError, match=r"cannot be had for win-x64(.|\n)*newlibc") as caught:
        resolve(project(tmp_path, 'requirements = ["beta", "newlibc"]'), WINDOWS, store)
    assert "has a wheel for this target" in (caught.value.hint or "")


def test_windows_builds_nothing_from_source(tmp_path: Path, store: Store, index: Path) -> None:
    wanted = project(tmp_path, 'requirements = ["beta"]\nlink = "static"')
    with pytest.raises(
        CollectError, match="no extension modules are built from source for win-x64"
    ) as caught:
        resolve(wanted, WINDOWS, store)
    assert "tool.oxcross.link" in str(caught.value)


@pytest.mark.parametrize(
    ("glibc", "platform"),
    [
        ("2.17", "2_17"),
        ("2.27", "2_17"),
        ("2.28", "2_28"),
        ("2.30", "2_28"),
        ("2.36", "2_36"),
        ("2.99", "2_40"),
    ],
)
def test_platforms(glibc: str, platform: str) -> None:
    assert uv.platform(LINUX, glibc) == f"x86_64-manylinux_{platform}"
    assert uv.platform(targets.get("linux-x64-musl"), glibc) == "x86_64-unknown-linux-musl"
    assert uv.platform(WINDOWS, glibc) == "x86_64-pc-windows-msvc"


def test_project_dependencies(tmp_path: Path, store: Store, index: Path) -> None:
    head = (
        'dependencies = ["beta"]\n[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"'
    )
    assert names(resolve(project(tmp_path, "", head), LINUX, store).lines) == ["beta==1.0"]
    without = project(tmp_path, "project = false", head)
    assert resolve(without, LINUX, store).lines == ()


def test_dependencies_that_only_the_build_backend_knows(tmp_path: Path, store: Store) -> None:
    """setup.py, or Poetry's own tables: there is no [project] to read them from."""
    build = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    (tmp_path / "app.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        f'{build}[tool.oxcross]\nname = "app"\nversion = "1"\nrun-file = "app.py"\n'
    )
    assert known(projects.load(tmp_path), LINUX, store) is None


def test_no_requirements_no_lock(tmp_path: Path, store: Store) -> None:
    wanted = project(tmp_path, "")
    assert resolve(wanted, LINUX, store).lines == ()
    assert not (wanted.root / "oxcross.lock").exists()


def test_local_wheels_bring_their_requirements(tmp_path: Path, store: Store, index: Path) -> None:
    wheel = wheels.make(tmp_path / "mine", "mine", requires=["beta", 'native; extra == "fast"'])
    plain = project(tmp_path, f'requirements = ["mine @ {wheel.as_uri()}"]')
    found = resolve(plain, LINUX, store)
    assert names(found.lines) == ["beta==1.0"]
    assert [one.path for one in found.local] == [wheel]
    fast = project(tmp_path, f'requirements = ["mine[fast] @ {wheel.as_uri()}"]')
    assert names(resolve(fast, LINUX, store).lines) == ["beta==1.0", "native==2.0"]


def test_version_control_is_refused(tmp_path: Path, store: Store) -> None:
    wanted = project(tmp_path, 'requirements = ["x @ git+https://example.org/x"]')
    with pytest.raises(CollectError, match="version control"):
        resolve(wanted, LINUX, store)


def test_requirements_file_is_taken_as_it_is(tmp_path: Path, store: Store, index: Path) -> None:
    digest = hashlib.sha256((index / "beta-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (tmp_path / "project").mkdir()
    (tmp_path / "project/fixed.txt").write_text(
        f"# pinned\nbeta==1.0 \\\n    --hash=sha256:{digest}  # why\n"
    )
    wanted = project(tmp_path, 'requirements-file = "fixed.txt"')
    found = resolve(wanted, LINUX, store)
    assert found.lines == (f"beta==1.0 --hash=sha256:{digest}",)
    assert known(wanted, LINUX, store) == found
    tree = environment.environment(found.lines, wanted, LINUX, store)
    assert (tree / "beta.py").is_file()


def test_pylock(tmp_path: Path, store: Store) -> None:
    (tmp_path / "project").mkdir()
    lock = tmp_path / "project/pylock.toml"
    lock.write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n'
        '[[packages]]\nname = "beta"\nversion = "1.0"\nmarker = "python_version > \'3\'"\n'
        'wheels = [{name = "b.whl", hashes = {sha256 = "aa"}}, {name = "c.whl", hashes = {sha256 = "bb"}}]\n'
    )
    found = resolve(project(tmp_path, 'lock = "pylock.toml"'), LINUX, store)
    assert found.lines == ("beta==1.0 ; python_version > '3' --hash=sha256:aa --hash=sha256:bb",)
    lock.write_text('lock-version = "1.0"\n[[packages]]\nname = "beta"\nversion = "1.0"\nsdist = {}\n')
    with pytest.raises(CollectError, match="locked without a wheel"):
        requirements.pylock_lines(lock)
    lock.write_text("packages = 3\n")
    with pytest.raises(CollectError, match="not a lock file"):
        requirements.pylock_lines(lock)


def test_wrong_hash(tmp_path: Path, store: Store, index: Path) -> None:
    wanted = project(tmp_path, "")
    with pytest.raises(CollectError, match=r"beta(.|\n)*hashes"):
        environment.environment([f"beta==1.0 --hash=sha256:{'0' * 64}"], wanted, LINUX, store)
    assert not store.has(environment.key([f"beta==1.0 --hash=sha256:{'0' * 64}"], wanted, LINUX))


def test_environment_is_installed_once_and_clean(tmp_path: Path, store: Store, index: Path) -> None:
    scripts = {
        "tool.py": b"def main(): pass\n",
        "tool-1.0.data/scripts/real.sh": b"#!/bin/sh\n",
        "tool-1.0.data/scripts/real.py": b"#!python\nprint()\n",
        "tool-1.0.dist-info/entry_points.txt": b"[console_scripts]\ntool = tool:main\n",
    }
    wheel = wheels.make(index, "tool", files=scripts)
    line = f"tool==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    wanted = project(tmp_path, "")
    tree = environment.environment([line], wanted, LINUX, store)
    found = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    assert found == {
        "bin/real.py",
        "bin/real.sh",
        "tool.py",
        *(f"tool-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")),
    }
    assert (tree / "bin/real.py").read_bytes().startswith(b"#!/usr/bin/env python3\n")
    record = (tree / "tool-1.0.dist-info/RECORD").read_text()
    assert "bin/tool" not in record
    assert "tool.py,sha256=" in record
    wheel.unlink()
    assert environment.environment([line], wanted, LINUX, store) == tree


def test_uv_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    uv.find.cache_clear()
    with pytest.raises(ToolError, match="uv is needed"):
        uv.find()
    uv.find.cache_clear()


def test_lock_file(tmp_path: Path) -> None:
    path = tmp_path / "oxcross.lock"
    assert lockfile.read(path) == Lock()
    sdist = Sdist(
        file=IndexFile(name="c", version="3", filename="c-3.tar.gz", sha256="c" * 64, size=3),
        backend="build",
        backend_path=("in", "tree"),
        wheels=(IndexFile(name="d", version="4", filename="d-4-py3-none-any.whl", sha256="d" * 64, size=0),),
    )
    lock = Lock(
        {
            "linux-x64": Locked(
                "aa", ('a==1 ; python_version > "3" --hash=sha256:00', "b==2 --hash=sha256:11")
            ),
            "win-x64": Locked("bb", ()),
        },
        {"linux-x64": Built("cc", ("b==2 --hash=sha256:11",), (sdist,)), "win-x64": Built("dd", (), ())},
    )
    lockfile.write(path, lock)
    assert lockfile.read(path) == lock
    assert [one.name for one in tmp_path.iterdir()] == ["oxcross.lock"]
    wrong = (
        '[built.x]\ninput = "a"\nrequirements = []\n[[built.x.sdists]]\nsdist = "a==1 a.tar.gz 1 md5:00"\n'
    )
    for text in (
        "version = 2\n",
        "not toml",
        "version = 1\n[targets.x]\nlines = 3\n",
        f"version = 1\n{wrong}",
    ):
        path.write_text(text)
        with pytest.raises(CollectError, match=r"oxcross\.lock"):
            lockfile.read(path)


@pytest.mark.parametrize(
    ("line", "name", "path"),
    [
        ("Flask_SQL.Alchemy==1.0 --hash=sha256:00", "flask-sql-alchemy", None),
        ("a[b]>=1 ; python_version > '3'", "a", None),
        ("./libs/x", None, "libs/x"),
        ("-e ./libs/x", None, "libs/x"),
        ("-e .", None, "."),
        ("x @ file:///tmp/a%20b", "x", "/tmp/a b"),
        ("--index-url https://example.org", None, None),
    ],
)
def test_lines(tmp_path: Path, line: str, name: str | None, path: str | None) -> None:
    local = requirements.local_of(line, tmp_path)
    assert (local.path if local else None) == ((tmp_path / path).resolve() if path else None)
    if local is None:
        assert requirements.name_of(line) == name


def test_includes_and_comments(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("b==1\n")
    (tmp_path / "r.txt").write_text(
        "# head\na==1 \\\n  --hash=sha256:00 # tail\n-r more.txt\n\nc @ https://x.org/c#egg=c\n"
    )
    assert requirements.logical_lines(tmp_path / "r.txt") == [
        "a==1 --hash=sha256:00",
        "b==1",
        "c @ https://x.org/c#egg=c",
    ]
    with pytest.raises(CollectError, match="cannot be read"):
        requirements.logical_lines(tmp_path / "none.txt")
