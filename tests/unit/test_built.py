"""Which distributions are built from source, with what, and which cannot be."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import wheels
from recording import Recorder

from oxcross import project as projects
from oxcross import targets
from oxcross.collect import uv
from oxcross.collect.resolve import known, resolve
from oxcross.errors import CollectError, ConfigErrors, SourceError
from oxcross.fetch import Fetcher
from oxcross.project import Project
from oxcross.store import Store
from oxcross.targets import Target

LINUX = targets.get("linux-x64")
WINDOWS = targets.get("win-x64")
MUSL = targets.get("linux-x64-musl")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


def sdist(
    folder: Path, name: str, build_system: str, files: Sequence[str] = (), setup: str | None = None
) -> Path:
    """A source distribution of version 1.0 with this [build-system]; ``setup`` is its setup.py."""
    information = f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
    project = f'[project]\nname = "{name}"\nversion = "1.0"\n{build_system}'
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in {
            "PKG-INFO": information,
            "pyproject.toml": project,
            **dict.fromkeys(files, ""),
            **({"setup.py": setup} if setup is not None else {}),
        }.items():
            data = text.encode()
            entry = tarfile.TarInfo(f"{name}-1.0/{member}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


SETUPTOOLS = '[build-system]\nrequires = ["tool>=1"]\nbuild-backend = "setuptools.build_meta"\n'
RUST = '[build-system]\nrequires = ["maturin>=1"]\nbuild-backend = "maturin"\n'


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "index"
    wheels.make(folder, "pure")
    wheels.make(folder, "tool")
    for platform in ("manylinux_2_17_x86_64", "musllinux_1_2_x86_64"):
        for name in ("fast", "both", "rusty", "either", "closed"):
            wheels.make(folder, name, tag=f"cp313-cp313-{platform}")
        wheels.make(folder, "program", tag=f"py3-none-{platform}")
    for name in ("both", "either"):
        wheels.make(folder, name)
    for name, system in (("fast", SETUPTOOLS), ("both", SETUPTOOLS), ("rusty", RUST), ("either", RUST)):
        sdist(folder, name, system)
    wheels.use(monkeypatch, folder)
    return folder


def project(folder: Path, text: str, target: str = "linux-x64-musl") -> Project:
    root = folder / "project"
    root.mkdir(exist_ok=True)
    (root / "app.py").write_text("print('app')\n")
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\n[tool.oxcross]\nrun-file = "app.py"\ntargets = ["{target}"]\n{text}\n'
    )
    return projects.load(root).for_target(target)


def names(lines: Sequence[str]) -> list[str]:
    return [line.partition("==")[0] for line in lines]


def test_a_static_target_builds_what_it_cannot_load(
    tmp_path: Path, store: Store, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = project(tmp_path, 'requirements = ["pure", "fast", "both", "program", "either"]')
    assert known(wanted, MUSL, store) is None
    said: list[str] = []
    found = resolve(wanted, MUSL, store, notice=said.append)
    assert names(found.lines) == ["either", "program", "pure"]
    assert [one.name for one in found.built] == ["both", "fast"]
    assert [wheel.filename for wheel in found.built[1].wheels] == ["tool-1.0-py3-none-any.whl"]
    assert found.built[1].file.filename == "fast-1.0.tar.gz"
    assert any("either 1.0: its pure wheel is taken: its build needs maturin (Rust)" in text for text in said)
    pure = [line for line in found.lines if line.startswith("either==")]
    assert len(pure[0].split("--hash")) == 2  # of all its files only the pure wheel
    lock = (wanted.root / "oxcross.lock").read_bytes()
    assert str(tmp_path).encode() not in lock
    monkeypatch.setattr(uv, "find", lambda: pytest.fail("uv is not needed"))
    assert resolve(wanted, MUSL, store) == found == known(wanted, MUSL, store)


def test_a_pure_wheel_can_be_preferred(tmp_path: Path, store: Store, index: Path) -> None:
    found = resolve(project(tmp_path, 'requirements = ["both"]\npure-packages = ["Both"]'), MUSL, store)
    assert names(found.lines) == ["both"]
    assert found.built == ()


def test_what_cannot_be_built_is_told(tmp_path: Path, store: Store, index: Path) -> None:
    with pytest.raises(CollectError) as caught:
        resolve(project(tmp_path, 'requirements = ["fast", "rusty", "closed"]'), MUSL, store)
    text = str(caught.value)
    assert "rusty 1.0: its build needs maturin (Rust)" in text
    assert "closed 1.0: it has extension modules, and no source distribution" in text
    assert "fast" not in text
    assert "linux-x64-musl" in text
    assert "build for linux-x64, which loads the extension modules of wheels" in text


def test_wheels_are_the_default_where_they_can_be_loaded(tmp_path: Path, store: Store, index: Path) -> None:
    wanted = 'requirements = ["fast", "rusty"]'
    found = resolve(project(tmp_path, wanted, "linux-x64"), LINUX, store)
    assert names(found.lines) == ["fast", "rusty"]
    assert found.built == ()
    some = resolve(project(tmp_path, f'{wanted}\nlink = ["Fast"]', "linux-x64"), LINUX, store)
    assert names(some.lines) == ["rusty"]
    assert [one.name for one in some.built] == ["fast"]
    with pytest.raises(CollectError, match=r"rusty 1\.0: its build needs maturin \(Rust\)\n.*link = \["):
        resolve(project(tmp_path, f'{wanted}\nlink = "static"', "linux-x64"), LINUX, store)


def test_hashes_of_a_file_hold_for_sources_too(tmp_path: Path, store: Store, index: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text(f"fast==1.0 --hash=sha256:{'0' * 64}\n")
    with pytest.raises(CollectError, match=r"fast-1\.0\.tar\.gz is needed, and its hash is not among"):
        resolve(project(tmp_path, 'requirements-file = "requirements.txt"'), MUSL, store)


def test_a_static_target_can_load_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match="can load no extension modules: all of them are linked in"):
        project(tmp_path, 'link = "memory"')
    text = '[tool.oxcross.target.linux-x64-musl]\nlink = "static"'
    assert project(tmp_path, f"link = 'memory'\n{text}").link == "static"
    assert project(tmp_path, "link = ['fast']").link == "static"


def test_the_same_builds_again_with_the_same_wheels(tmp_path: Path, store: Store, index: Path) -> None:
    resolve(project(tmp_path, 'requirements = ["fast"]'), MUSL, store)
    wheels.make(index, "tool", "1.1")
    more = project(tmp_path, 'requirements = ["fast", "both"]')
    built = {one.name: one.wheels[0].version for one in resolve(more, MUSL, store).built}
    assert built == {"fast": "1.0", "both": "1.1"}
    built = {one.name: one.wheels[0].version for one in resolve(more, MUSL, store, upgrade=True).built}
    assert built == {"fast": "1.1", "both": "1.1"}


def test_what_is_built_is_fetched_by_its_pins(
    tmp_path: Path, store: Store, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [fast] = resolve(project(tmp_path, 'requirements = ["fast"]'), MUSL, store).built
    with Store(tmp_path / "other") as other:
        found = Fetcher(other, (), Recorder()).fetch([fast.file, *fast.wheels])
        assert found[fast.file.sha256].read_bytes() == (index / "fast-1.0.tar.gz").read_bytes()
        assert found[fast.wheels[0].sha256].read_bytes() == (index / "tool-1.0-py3-none-any.whl").read_bytes()
    sdist(index, "fast", SETUPTOOLS, ["changed.c"])
    with (
        Store(tmp_path / "third") as third,
        pytest.raises(SourceError, match=r"no file of fast 1\.0 has its SHA-256"),
    ):
        Fetcher(third, (), Recorder()).fetch([fast.file])


@pytest.fixture
def sources(index: Path) -> Path:
    """The index with distributions that have no wheel at all, and one whose only wheel is for another platform."""
    sdist(index, "plain", SETUPTOOLS)
    sdist(index, "native", SETUPTOOLS, ["native.c"], setup="setup(ext_modules=[])")
    sdist(index, "elsewhere", SETUPTOOLS)
    wheels.make(index, "elsewhere", tag="cp313-cp313-macosx_11_0_arm64")
    return index


@pytest.mark.parametrize("target", [LINUX, WINDOWS, MUSL], ids=lambda target: target.name)
def test_what_has_no_wheel_is_built_from_source(
    tmp_path: Path, store: Store, sources: Path, monkeypatch: pytest.MonkeyPatch, target: Target
) -> None:
    wanted = project(tmp_path, 'requirements = ["pure", "plain", "elsewhere"]', target.name)
    found = resolve(wanted, target, store)
    assert names(found.lines) == ["pure"]
    assert [(one.name, one.pure) for one in found.built] == [("elsewhere", True), ("plain", True)]
    assert [wheel.filename for wheel in found.built[1].wheels] == ["tool-1.0-py3-none-any.whl"]
    monkeypatch.setattr(uv, "find", lambda: pytest.fail("uv is not needed"))
    assert resolve(wanted, target, store) == found == known(wanted, target, store)


def test_a_wheel_is_taken_where_there_is_one(tmp_path: Path, store: Store, sources: Path) -> None:
    """uv takes the newest version that has a wheel; nothing is built, and nothing said of it in the lock."""
    sdist(sources, "pure", SETUPTOOLS)
    found = resolve(project(tmp_path, 'requirements = ["pure", "fast"]', "linux-x64"), LINUX, store)
    assert (names(found.lines), found.built) == (["fast", "pure"], ())
    lock = (tmp_path / "project" / "oxcross.lock").read_text(encoding="utf-8")
    assert "wheelless" not in lock
    assert "built" not in lock


def test_extension_modules_without_a_wheel(tmp_path: Path, store: Store, sources: Path) -> None:
    """They are built where oxcross builds any, or left out where the project says that it does without them."""
    wanted = 'requirements = ["native"]'
    [native] = resolve(project(tmp_path, wanted, "linux-x64"), LINUX, store).built
    assert not native.pure
    with pytest.raises(CollectError, match="without a wheel, and cannot be built for win-x64") as caught:
        resolve(project(tmp_path, wanted, "win-x64"), WINDOWS, store)
    assert "native 1.0: it has extension modules, which oxcross does not build" in caught.value.message
    assert "pure-packages" in (caught.value.hint or "")
    without = project(tmp_path, f'{wanted}\npure-packages = ["native"]', "win-x64")
    [pure] = resolve(without, WINDOWS, store).built
    assert pure.pure
    assert (pure.file, pure.wheels) == (native.file, native.wheels)


def test_neither_a_wheel_nor_a_source_distribution(tmp_path: Path, store: Store, sources: Path) -> None:
    """What else has no wheel is no reason not to name it, and is not named."""
    wanted = project(tmp_path, 'requirements = ["plain", "closed"]', "win-x64")
    with pytest.raises(CollectError, match="cannot be had for win-x64") as caught:
        resolve(wanted, WINDOWS, store)
    assert "closed" in caught.value.message
    assert "plain" not in caught.value.message
    assert "has a wheel for this target" in (caught.value.hint or "")


def test_a_lock_with_a_source_distribution(tmp_path: Path, store: Store, sources: Path) -> None:
    root = project(tmp_path, "").root
    digest = hashlib.sha256((sources / "plain-1.0.tar.gz").read_bytes()).hexdigest()
    other = hashlib.sha256((sources / "pure-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    (root / "pylock.toml").write_text(
        f"""
        lock-version = "1.0"
        [[packages]]
        name = "plain"
        version = "1.0"
        sdist = {{ name = "plain-1.0.tar.gz", hashes = {{ sha256 = "{digest}" }} }}
        [[packages]]
        name = "pure"
        version = "1.0"
        wheels = [{{ name = "pure-1.0-py3-none-any.whl", hashes = {{ sha256 = "{other}" }} }}]
        """,
        encoding="utf-8",
    )
    wanted = project(tmp_path, 'lock = "pylock.toml"', "linux-x64")
    found = resolve(wanted, LINUX, store)
    assert names(found.lines) == ["pure"]
    assert [one.file.sha256 for one in found.built] == [digest]
    assert known(wanted, LINUX, store) == found


def test_a_requirements_file_with_a_source_distribution(
    tmp_path: Path, store: Store, sources: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path, "").root
    files = ("plain-1.0.tar.gz", "pure-1.0-py3-none-any.whl")
    digests = [hashlib.sha256((sources / name).read_bytes()).hexdigest() for name in files]
    lines = [
        f"{name}==1.0 --hash=sha256:{one}\n" for name, one in zip(("plain", "pure"), digests, strict=True)
    ]
    (root / "requirements.txt").write_text("".join(lines), encoding="utf-8")
    wanted = project(tmp_path, 'requirements-file = "requirements.txt"', "linux-x64")
    assert known(wanted, LINUX, store) is None
    found = resolve(wanted, LINUX, store)
    assert (names(found.lines), [one.file.sha256 for one in found.built]) == (["pure"], digests[:1])
    monkeypatch.setattr(uv, "find", lambda: pytest.fail("uv is not needed"))
    assert resolve(wanted, LINUX, store) == found == known(wanted, LINUX, store)
