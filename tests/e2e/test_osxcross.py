"""Executables for macOS by a user's own osxcross, compared with those of the default tool chain.

No SDK of Apple's can be here: that of own_osxcross.py is the default's by another version. So all that is made must be the
same but for that version; anything else would be the wrappers' doing.

The tool chain and some libraries are always built with it, all of CPython and the launcher with OXCROSS_IDENTITY=all.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import own_osxcross
import pytest
from program import APPS, build, oxcross

from oxcross import recipes, report, targets
from oxcross.build import workshop
from oxcross.engine import docker
from oxcross.macho import Macho, dotted
from oxcross.macos import osxcross as user
from oxcross.plan import Folder, Step
from oxcross.store import Store
from oxcross.targets import Target

X64, ARM64 = targets.get("macos-x64"), targets.get("macos-arm64")
LIBRARIES = ("zlib", "libffi", "xz", "ncurses")
# Of LC_BUILD_VERSION: platform, oldest system, SDK.
OURS, THEIRS = (struct.pack("<3I", 1, 11 << 16, sdk) for sdk in (11 << 16, 11 << 16 | 3 << 8))

PROBE = """#include <CoreFoundation/CoreFoundation.h>
#include <stdio.h>
int main(void)
{
    if (__builtin_available(macOS 12.3, *))
        puts(__FILE__);
    return CFStringGetLength(0) != 0;
}
"""


@pytest.fixture(scope="session")
def store() -> Iterator[Store]:
    with Store() as opened:
        yield opened


def make(store: Store, *steps: Step) -> list[Path]:
    """The outputs of steps of one tool chain, built where they are not there yet."""
    with report.terminal() as terminal:
        made = workshop(store, terminal).make(steps)
    return [made[step] for step in steps]


def both(
    store: Store, folder: Path, recipe: Callable[[Target], Step], target: Target = X64
) -> tuple[Path, Path]:
    """A step's output by the default tool chain, and by the folder's."""
    [default], [own] = make(store, recipe(target)), make(store, recipe(row(target, folder, store)))
    return default, own


@pytest.fixture(scope="session")
def folder(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An osxcross: the default tool chain's SDK, as one of macOS 11.3, below wrappers for both machines."""
    root = tmp_path_factory.mktemp("own") / "osxcross"
    [default] = make(store, recipes.toolchain(X64))
    return own_osxcross.make(root, default)


def row(target: Target, folder: Path, store: Store) -> Target:
    return user.target(target, str(folder), store, "the test")


def neutral(data: bytes) -> bytes:
    """What was built with that SDK, as if it had been the default's."""
    return data.replace(THEIRS, OURS)


def versions(file: Macho) -> tuple[str, str]:
    """The oldest system that it starts on, and the SDK that it was built with."""
    assert file.build
    return dotted(file.build.oldest), dotted(file.build.sdk)


def bare(file: Macho) -> bytes:
    """A linked file without what is a digest of the rest: its UUID and its signature; and by the default's SDK."""
    signature = file.part("signature")
    assert file.uuid
    assert signature
    return neutral(bytes(file.view[: signature.offset])).replace(file.uuid, bytes(16), 1)


def compile_probe(folder: Path, target: Target, toolchain: Path, root: Path) -> Path:
    """A program that the target's compiler makes outside of a step, as a step would."""
    (root / "in").mkdir(parents=True)
    (root / "in" / "toolchain").symlink_to(toolchain)
    (root / "in" / "osxcross").symlink_to(folder)
    (root / "probe.c").write_text(PROBE, encoding="utf-8")
    line = [
        f"{target.triple}-cc",
        "-O2",
        str(root / "probe.c"),
        "-framework",
        "CoreFoundation",
        "-Wl,-adhoc_codesign",
    ]
    subprocess.run(
        [*line, "-o", str(root / "probe")],
        env={"PATH": f"{toolchain}/bin:/usr/bin:/bin", "IN": str(root / "in"), "ROOT": str(root)},
        check=True,
    )
    return root / "probe"


@pytest.mark.parametrize("target", [X64, ARM64], ids=lambda target: target.name)
def test_probe(folder: Path, store: Store, tmp_path: Path, target: Target) -> None:
    toolchains = both(store, folder, recipes.toolchain, target)
    made = [
        compile_probe(folder, target, toolchain, tmp_path / name)
        for name, toolchain in zip(("default", "own"), toolchains, strict=True)
    ]
    default, own = (Macho(path.read_bytes()) for path in made)
    assert default.arch == own.arch == target.arch
    assert versions(default) == ("11.0", "11.0")
    assert versions(own) == ("11.0", "11.3"), "the floor is not the SDK's"
    assert [one.name for one in own.dylibs] == [one.name for one in default.dylibs]
    assert b"/oxcross/probe.c" in made[1].read_bytes(), "no path of a build is in it"


def test_the_step_has_none_of_it(folder: Path, store: Store) -> None:
    [toolchain] = make(store, recipes.toolchain(row(X64, folder, store)))
    assert not (toolchain / "SDK").exists()
    theirs = {path.name for path in (folder / "SDK").rglob("*") if path.is_file()}
    ours = {path.name for path in toolchain.rglob("*.tbd")} | {path.name for path in toolchain.rglob("CF*.h")}
    assert not theirs & ours


def test_libraries(folder: Path, store: Store) -> None:
    defaults, others = (
        make(store, *(recipes.library(one, name) for name in LIBRARIES))
        for one in (X64, row(X64, folder, store))
    )
    for name, default, other in zip(LIBRARIES, defaults, others, strict=True):
        assert _files(other) == _files(default), name
        for file in _files(default):
            before, after = (default / file).read_bytes(), (other / file).read_bytes()
            assert neutral(after) == before, f"{name}: {file}"
            assert (after == before) is not file.endswith(".a"), f"{name}: {file}"


def _files(tree: Path) -> list[str]:
    return sorted(path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file())


@pytest.mark.parametrize("engine", ["local", "docker"])
def test_engines(folder: Path, store: Store, tmp_path: Path, engine: str) -> None:
    """zlib once more, in a store of its own."""
    step = recipes.library(row(X64, folder, store), "zlib")
    [expected] = make(store, step)
    needed = {need.key for need in step.needs} | {source.sha256 for source in step.sources}
    with Store(tmp_path / "store") as other, report.terminal() as terminal:
        store.copy_to(other, lambda item: item.key in needed)
        made = workshop(other, terminal, engine=engine).make([step])
        assert (made[step] / "lib" / "libz.a").read_bytes() == (expected / "lib" / "libz.a").read_bytes()


def test_image(folder: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(user, "_seen", {})
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w") as archive:
        archive.add(folder, "osxcross")
    api = docker.client()
    name = "oxcross-test-osxcross:11.3"
    try:
        api.import_image_from_data(spool.getvalue(), repository=name.partition(":")[0], tag="11.3")
        seen = user.look(f"image:{name}", store, "the test")
        digest = str(api.inspect_image(name)["Id"])  # type: ignore[no-untyped-call]
    finally:
        api.remove_image(name, force=True)
        api.close()
    assert seen.folder.path == tmp_path / "oxcross" / "osxcross" / digest.removeprefix("sha256:")
    found = row(X64, folder, store).osxcross
    assert found
    assert seen.folder == Folder(seen.folder.path, found.folder.sha256), "the same content, the same steps"


if os.environ.get("OXCROSS_IDENTITY") == "all":  # CPython is built once more: a quarter of an hour

    def test_hello(folder: Path, store: Store, tmp_path: Path) -> None:
        places = []
        for name in ("default", "own"):
            shutil.copytree(
                APPS / "hello", tmp_path / name, ignore=shutil.ignore_patterns("build", "oxcross.lock")
            )
            places.append(tmp_path / name)
        with (places[1] / "pyproject.toml").open("a", encoding="utf-8") as file:
            file.write(f'\n[tool.oxcross.macos]\nosxcross = "{folder}"\n')
        hellos = [build(place, target="macos-x64") for place in places]

        pythons = both(store, folder, lambda target: recipes.cpython(target, "3.13"))
        assert _files(pythons[0]) == _files(pythons[1])
        different = [
            file
            for file in _files(pythons[0])
            if neutral((pythons[1] / file).read_bytes()) != (pythons[0] / file).read_bytes()
        ]
        assert (
            different == []
        )  # pyconfig.h, link.json with the modules, profile.json, each library, libpython

        launchers = both(store, folder, lambda target: recipes.launcher(target, "3.13"))
        default, other = (Macho((tree / "bin" / "launcher").read_bytes()) for tree in launchers)
        assert versions(other) == ("11.0", "11.3")
        assert other.dylibs == default.dylibs
        assert bare(other) == bare(default)  # that is all: program, data, imports, exports
        reports = [json.loads(oxcross("inspect", str(path), "--json").stdout) for path in hellos]
        for key in ("target", "needed", "external", "hardening", "modules"):
            assert reports[0][key] == reports[1][key], key
        done = subprocess.run([hellos[1]], capture_output=True, text=True, check=True)
        assert re.fullmatch("hello world\n", done.stdout)
