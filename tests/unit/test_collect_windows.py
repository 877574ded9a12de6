"""Collecting for Windows: its names of extension modules, DLLs, paths and standard library."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import portable
import pytest
import wheels

from oxcross import pack, targets
from oxcross import project as projects
from oxcross.collect import dlls, libraries, names, stdlib
from oxcross.collect import windows as rules
from oxcross.collect.collected import Built, Collected, gather
from oxcross.collect.libraries import Shared
from oxcross.collect.settings import manifest
from oxcross.errors import CollectError
from oxcross.store import Store

WINDOWS = targets.get("win-x64")
SOABI = "cp313-win_amd64"
_SCHEMES = """\
_INSTALL_SCHEMES = {
    'posix_prefix': {
        'stdlib': '{installed_base}/{platlibdir}/{implementation_lower}{py_version_short}',
        'scripts': '{base}/bin',
        },
    'nt': {
        'stdlib': '{installed_base}/Lib',
        'platstdlib': '{base}/Lib',
        'scripts': '{base}/Scripts',
        },
    }
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """The layout of the cpython steps' outputs: that for Windows, and this interpreter."""
    tree = tmp_path / "cpython"
    for path, text in {
        "lib/python3.13/os.py": "import ntpath\n",
        "lib/python3.13/ntpath.py": "",
        "lib/python3.13/sysconfig/__init__.py": _SCHEMES,
        "lib/python3.13/_sysconfigdata__linux_x86_64-linux-gnu.py": "",
        "lib/python3.13/asyncio/windows_events.py": "",
        "lib/python3.13/asyncio/unix_events.py": "import fcntl\n",
        "link.json": json.dumps(
            {"version": "3.13.15", "soabi": SOABI, "builtin": ["nt", "sys"], "components": []}
        ),
        "bin/python3.13": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
    }.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    (tree / "bin/python3.13").chmod(0o755)
    return Built(cpython=tree, cpython_key="0" * 64, host=tree, host_key="0" * 64)


def write(root: Path, settings: str, files: dict[str, bytes]) -> projects.Project:
    text = f'[project]\nname = "app"\nversion = "1"\n[tool.oxcross]\nrun-file = "a.py"\n{settings}\n'
    for path, content in {"a.py": b"", **files, "pyproject.toml": text.encode()}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return projects.load(root)


def of_wheel(
    tmp_path: Path, store: Store, built: Built, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]
) -> Collected:
    index = tmp_path / "index"
    wheels.make(index, "native", files=files, tag="cp313-cp313-win_amd64")
    wheels.use(monkeypatch, index)
    project = write(tmp_path / "app", 'requirements = ["native"]', {})
    return gather(project, WINDOWS, built, store)


def test_module_names() -> None:
    """Source: Python/dynload_win.c."""
    suffixes = WINDOWS.extension_suffixes(SOABI)
    assert suffixes == (f".{SOABI}.pyd", ".pyd")
    cases = {
        f"a/c.{SOABI}.pyd": "a.c",
        "a/e.pyd": "a.e",
        "a/__init__.pyd": "a",
        "a/f.cp312-win_amd64.pyd": None,
        "a/g.abi3.so": None,
        "a/h.dll": None,
        "a.libs/i-1.dll": None,
    }
    for path, expected in cases.items():
        name = names.of(path, suffixes)
        assert (name and name.module) == expected, path


def test_a_wheel_with_dlls(
    tmp_path: Path, store: Store, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "native/__init__.py": b"from native import core, stable\n",
        f"native/core.{SOABI}.pyd": portable.dll(
            ["python313.dll", "Inner-1.dll", "KERNEL32.dll", "VCRUNTIME140.dll"]
        ),
        "native/stable.pyd": portable.dll(["python3.dll", "api-ms-win-crt-heap-l1-1-0.dll"], tls=True),
        "native/old.cp312-win_amd64.pyd": portable.dll(["python312.dll"]),
        "native/plugins/late.dll": portable.dll(["USER32.dll"]),
        "native.libs/Inner-1.dll": portable.dll(["deeper-2.dll"], delayed=["nowhere.dll"]),
        "native.libs/deeper-2.dll": portable.dll(["inner-1.dll"]),
        "native/tool-arm64.exe": portable.dll(["absent.dll"], machine=0xAA64),
        "native/foreign.so": Path("/bin/sh").read_bytes(),
        "native-1.0.data/scripts/native.exe": b"MZ, but no program",
    }
    found = of_wheel(tmp_path, store, built, monkeypatch, files)
    modules = {name: one for name, one in found.resources.modules.items() if not one.stdlib}
    assert {name for name, one in modules.items() if one.extension} == {"native.core", "native.stable"}
    table = {one.soname: one.path for one in found.resources.libraries.values()}
    assert table == {
        "deeper-2.dll": "native.libs/deeper-2.dll",
        "inner-1.dll": "native.libs/Inner-1.dll",
        "late.dll": "native/plugins/late.dll",
    }
    assert "bin/native.exe" in found.resources.files
    assert found.warnings == ()
    facts = manifest(write(tmp_path / "app", "", {}), WINDOWS, found, launcher_sha256="00")
    assert (facts["soabi"], facts["glibc"], facts["wheels_glibc"]) == (SOABI, None, None)
    blob = pack.Blob(pack.blob(found.resources))
    pack.check(blob)
    assert [library.soname for library in blob.libraries] == list(table)
    assert all(blob.nodes[library.node].data.offset % 64 == 0 for library in blob.libraries)


def test_dlls_that_nobody_has(
    tmp_path: Path, store: Store, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "native/core.pyd": portable.dll(["MSVCP140.dll", "libfoo.dll"]),
        "native/more.pyd": portable.dll(["libfoo.dll", "vcomp140.dll"]),
    }
    warnings = of_wheel(tmp_path, store, built, monkeypatch, files).warnings
    assert len(warnings) == 3
    assert warnings[0].startswith(
        "msvcp140.dll: needed by native/core.pyd of native, and no wheel has it: where it is not installed, users need the Microsoft"
    )
    assert warnings[1] == (
        "libfoo.dll: needed by native/core.pyd of native, and no wheel has it: it must be on the user's system"
    )
    assert warnings[2].startswith("vcomp140.dll: needed by native/more.pyd of native")


def shared(path: str, *needed: str, delayed: tuple[str, ...] = ()) -> Shared:
    return Shared(path, path.rpartition("/")[2].lower(), needed, (), (), "x86_64", delayed)


def test_what_plugins_and_programs_ask_for() -> None:
    """Only what runs of itself needs is told when it is built; Microsoft's run time also for plugins."""
    files = [
        shared("a/x.pyd", "inner.dll"),
        shared("a.libs/inner.dll", "deep.dll"),
        shared("a/plugin.dll", "rare.dll", "msvcp140.dll"),
        Shared("a/tool.exe", None, ("other.dll", "mfc140u.dll"), (), (), "x86_64", program=True),
    ]
    assert set(dlls.order(files).missing) == {
        "deep.dll",
        "rare.dll",
        "msvcp140.dll",
        "other.dll",
        "mfc140u.dll",
    }
    assert dlls.reached(files) == {"a/x.pyd", "a.libs/inner.dll"}
    warnings = rules.add_libraries(pack.Resources(), files)
    assert [warning.partition(":")[0] for warning in warnings] == ["deep.dll", "msvcp140.dll"]
    assert "a.libs/inner.dll" in warnings[0]


def test_one_dll_of_a_name() -> None:
    """It is the one that is asked for first, from the folder of who asks; modules that are asked for are in the table, too."""
    files = [
        shared("a/x.pyd", "same.dll", "pywin.pyd"),
        shared("a/same.dll", "kernel32.dll"),
        shared("b/Same.dll"),
        shared("b/pywin.pyd"),
        shared("b/unused.pyd"),
        shared("b/y.pyd", delayed=("lazy.dll", "gone.dll")),
        shared("c/lazy.dll"),
    ]
    found = dlls.order(files)
    assert [(one.soname, one.path) for one in found.libraries] == [
        ("same.dll", "a/same.dll"),
        ("pywin.pyd", "b/pywin.pyd"),
        ("lazy.dll", "c/lazy.dll"),
    ]
    assert found.twins == {"b/Same.dll": "a/same.dll"}
    assert found.missing == {}


def test_what_windows_must_load_itself() -> None:
    """What a library with variables for each thread needs, Windows' loader must see; the rest is mapped from memory."""

    def file(name: str, *needed: str, thread_local: bool = False) -> Shared:
        return Shared(f"p/{name}", name, needed, (), (), "x86_64", thread_local=thread_local)

    files = [
        file("one.pyd", "a.dll", thread_local=True),
        file("two.pyd", "b.dll", "c.dll"),
        file("a.dll", "b.dll"),
        file("b.dll"),
        file("c.dll"),
    ]
    found = {library.soname: library.systems for library in dlls.order(files).libraries}
    assert found == {"a.dll": True, "b.dll": True, "c.dll": False}


def test_twins_that_differ() -> None:
    def resources(*contents: bytes) -> pack.Resources:
        made = pack.Resources()
        for path, data in zip(("a/z.dll", "b/z.dll"), contents, strict=True):
            made.add_file(pack.File(path, pack.Payload.raw(data)))
        return made

    files = [shared("a/z.dll"), shared("b/z.dll")]
    assert rules.add_libraries(resources(b"1", b"1"), files) == []
    assert rules.add_libraries(resources(b"1", b"2"), files) == [
        "b/z.dll: a/z.dll has the same name, and is what is loaded by it"
    ]


def test_what_windows_brings() -> None:
    known = dlls.known()
    for name in (
        "kernel32.dll",
        "ucrtbase.dll",
        "api-ms-win-core-synch-l1-2-0.dll",
        "python313.dll",
        "winspool.drv",
    ):
        assert known.brings(name), name
    for name in (
        "msvcp140.dll",
        "msvcp140_1.dll",
        "vcomp140.dll",
        "mfc140u.dll",
        "msvcr120.dll",
        "concrt140.dll",
    ):
        assert known.is_runtime(name), name
        assert not known.brings(name), name
    for name in ("libcrypto-3.dll", "zlib1.dll", "msvcp140-a4c2229b.dll2"):
        assert not known.brings(name), name
        assert not known.is_runtime(name), name
    assert not known.is_runtime("msvcrt.dll")
    assert all(name == name.lower() for name in known.system)


def test_what_is_no_dll_for_the_target(tmp_path: Path) -> None:
    assert libraries.describe("a.dll", Path("/bin/sh").read_bytes(), "windows") is None
    assert libraries.describe("a.dll", b"MZ", "windows") is None
    assert libraries.describe("a.so", portable.dll(["x.dll"]), "linux") is None
    found = libraries.describe(
        "p/A.DLL", portable.dll(["X.dll", "x.DLL"], delayed=["Y.dll"], tls=True), "windows"
    )
    assert found == Shared("p/A.DLL", "a.dll", ("x.dll",), (), (), "x86_64", ("y.dll",), thread_local=True)


def test_standard_library(tmp_path: Path, store: Store, built: Built) -> None:
    """Windows has the same but for the facts of a POSIX build, and folders as executables have them."""
    found = gather(write(tmp_path / "app", "", {}), WINDOWS, built, store).resources
    library = {name for name, module in found.modules.items() if module.stdlib}
    assert {"asyncio.unix_events", "asyncio.windows_events", "ntpath", "tkinter"} <= library
    assert not any(name.startswith("_sysconfigdata") for name in library)
    text = pack.decode(found.files["lib/python3.13/sysconfig/__init__.py"].data).decode()
    namespace: dict[str, dict[str, dict[str, str]]] = {}
    exec(text, namespace)  # noqa: S102
    assert namespace["_INSTALL_SCHEMES"]["nt"] == {
        "stdlib": "{installed_base}/lib/python{py_version_short}",
        "platstdlib": "{base}/lib/python{py_version_short}",
        "scripts": "{base}/bin",
    }
    linux = stdlib.tree(built.cpython, "3.13.15", "linux")
    assert linux["sysconfig/__init__.py"].read() == _SCHEMES.encode()
    assert "_sysconfigdata__linux_x86_64-linux-gnu.py" in linux
    assert stdlib.identity("linux") != stdlib.identity("windows")


@pytest.mark.parametrize(
    "path",
    [
        "pack/aux.txt", "pack/NUL", "pack/Com1.tar.gz", "con/inside.txt", "pack/lpt9", "pack/what?.txt", "pack/a:b",
        "pack/dot.", "pack/space ", "pack/dot./x.txt", "pack/ni\x01.txt", "pack/back\\slash", "pack/COM\u00b2", "CONIN$",
    ],
)  # fmt: skip
def test_names_that_windows_cannot_have(tmp_path: Path, store: Store, built: Built, path: str) -> None:
    resources = pack.Resources()
    for one in (path, "pack/auxiliary.txt", "pack/com10", "pack/.hidden", "pack/a.b", "console/x"):
        resources.add_file(pack.File(one, pack.Payload.raw(b"")))
    [warning] = rules.check(resources, write(tmp_path / "app", "", {}))
    assert path.startswith(warning.partition(": Windows")[0])
    assert path not in resources.files
    assert len(resources.files) == 5


def test_modules_that_windows_cannot_have(tmp_path: Path, store: Store, built: Built) -> None:
    project = write(tmp_path / "app", "", {"aux.py": b"", "con/__init__.py": b"", "con/more.py": b""})
    with pytest.raises(CollectError, match=r"names: aux\.py, con/__init__\.py, con/more\.py") as caught:
        gather(project, WINDOWS, built, store)
    assert "rename" in (caught.value.hint or "")
    without = write(tmp_path / "app", 'exclude-modules = ["aux", "con"]', {})
    assert "a" in gather(without, WINDOWS, built, store).resources.modules


def test_paths_that_are_one_on_windows(tmp_path: Path, store: Store, built: Built) -> None:
    files = {"Foo.py": b"", "foo.py": b"", "pack/__init__.py": b"", "Pack/__init__.py": b"", "Pack/a.py": b""}
    with pytest.raises(CollectError, match=r"case only: Foo\.py and foo\.py, Pack and pack\n"):
        gather(write(tmp_path / "app", "", files), WINDOWS, built, store)


def test_pure_projects_are_as_everywhere(tmp_path: Path, store: Store, built: Built) -> None:
    """A blob for Windows has slashes in its paths, and programs of commands at their usual place."""
    project = write(
        tmp_path / "app",
        'commands = {serve = {run-module = "pack.server"}}',
        {"pack/__init__.py": b"", "pack/server.py": b""},
    )
    found = gather(project, WINDOWS, built, store)
    assert found.resources.modules["pack.server"].path == "pack/server.py"
    assert "bin/serve" in found.resources.files
    assert found.warnings == ()
    assert found.resources.libraries == {}
