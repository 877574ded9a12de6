"""Collecting end to end with a small interpreter tree: what is a module, what goes in, what is cached."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import wheels

from oxcross import pack, sources, targets
from oxcross import project as projects
from oxcross.collect import bytecode, globs, libraries, make, names
from oxcross.collect.collected import Built, gather
from oxcross.collect.libraries import Shared
from oxcross.collect.settings import manifest as manifest_of
from oxcross.collect.settings import settings as settings_of
from oxcross.errors import CollectError
from oxcross.pack.format import Key
from oxcross.pack.format import Run as RunKind
from oxcross.project import Run
from oxcross.store import Store

LINUX = targets.get("linux-x64")
SOABI = "cpython-313-x86_64-linux-gnu"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def built(tmp_path: Path) -> Built:
    """The layout of the cpython step's output, with this interpreter and a library of a few files."""
    tree = tmp_path / "cpython"
    for path, text in {
        "lib/python3.13/os.py": "import this\n",
        "lib/python3.13/posixpath.py": "",
        "lib/python3.13/email/__init__.py": "",
        "lib/python3.13/email/data.txt": "data",
        "lib/python3.13/test/test_os.py": "",
        "lib/python3.13/tkinter/__init__.py": "",
        "lib/python3.13/turtle.py": "import tkinter\n",
        "lib/python3.13/config-3.13-x/Makefile": "",
        "lib/python3.13/site-packages/README.txt": "",
        "link.json": json.dumps(
            {
                "version": "3.13.15",
                "soabi": SOABI,
                "builtin": ["_ssl", "sys"],
                "components": [{"name": "cpython", "version": "3.13.15", "licence": "PSF-2.0"}],
            }
        ),
        "bin/python3.13": f'#!/bin/sh\nexec "{sys.executable}" "$@"\n',
    }.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    (tree / "bin/python3.13").chmod(0o755)
    return Built(cpython=tree, cpython_key="0" * 64, host=tree, host_key="0" * 64)


def write(root: Path, settings: str, files: dict[str, str], head: str = "") -> projects.Project:
    text = f'[project]\nname = "app"\nversion = "1"\n{head}\n[tool.oxcross]\n{settings}\n'
    for path, content in {**files, "pyproject.toml": text}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    return projects.load(root)


def test_script_with_what_lies_beside_it(tmp_path: Path, store: Store, built: Built) -> None:
    files = {
        "hello.py": "import helper\n",
        "helper.py": "",
        "pack/__init__.py": "",
        "pack/page.html": "<p>",
        "plain/notes.txt": "",
        "tests/__init__.py": "",
        "setup.py": "",
        ".hidden/x.py": "",
        "assets/logo.svg": "<svg/>",
    }
    project = write(tmp_path / "app", 'run-file = "hello.py"\ndata = ["assets/*.svg"]', files)
    found = gather(project, LINUX, built, store)
    site = {name for name, module in found.resources.modules.items() if not module.stdlib}
    assert site == {"hello", "helper", "pack"}
    assert {path for path in found.resources.files if not path.startswith("lib/")} == {
        "assets/logo.svg",
        "hello.py",
        "helper.py",
        "pack/__init__.py",
        "pack/page.html",
    }
    assert found.warnings == ()


def test_programs_stay_executable(tmp_path: Path, store: Store, built: Built) -> None:
    files = {"hello.py": "", "tools/run.sh": "#!/bin/sh\n", "tools/text": ""}
    (tmp_path / "app" / "tools").mkdir(parents=True)
    (tmp_path / "app" / "tools" / "run.sh").touch(0o755)
    project = write(tmp_path / "app", 'run-file = "hello.py"\ndata = ["tools/*"]', files)

    def executable() -> set[str]:
        return {
            path
            for path, file in gather(project, LINUX, built, store).resources.files.items()
            if file.executable
        }

    assert executable() == {"tools/run.sh"}
    (tmp_path / "app" / "tools" / "run.sh").chmod(0o644)
    assert executable() == set()


def test_standard_library(tmp_path: Path, store: Store, built: Built) -> None:
    project = write(tmp_path / "app", 'run-file = "a.py"', {"a.py": "", "os.py": "shadowed = 1\n"})
    found = gather(project, LINUX, built, store).resources
    library = {name for name, module in found.modules.items() if module.stdlib}
    assert {"os", "email", "tkinter", "turtle", "idlelib", "_tkinter"} <= library
    assert not any(name.startswith("test") for name in library)
    assert found.modules["os"].path == "lib/python3.13/os.py"
    assert "lib/python3.13/email/data.txt" in found.files
    assert not any("config-" in path or "site-packages" in path for path in found.files)
    code = found.modules["tkinter"].code
    assert code is not None
    with pytest.raises(ModuleNotFoundError, match="not part of executables made by oxcross"):
        exec(marshal.loads(pack.decode(code)), {})  # noqa: S102, S302


def test_sources_are_a_choice(tmp_path: Path, store: Store, built: Built) -> None:
    files = {"a.py": "x = 1\n", "not-a-module.py": "y = 1\n"}
    with_sources = gather(write(tmp_path / "app", 'run-file = "a.py"', files), LINUX, built, store)
    assert with_sources.resources.files["a.py"].data.size == 6
    project = write(tmp_path / "app", 'run-file = "a.py"\nsources = false', files)
    without = gather(project, LINUX, built, store).resources
    assert "a.py" not in without.files
    assert "lib/python3.13/os.py" not in without.files
    assert without.modules["a"].path == "a.py"


def test_only_what_changed_is_compiled(
    tmp_path: Path, store: Store, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.py": "import b\n", "b.py": "x = 1\n"}
    project = write(tmp_path / "app", 'run-file = "a.py"', files)
    first = gather(project, LINUX, built, store)
    compiled: list[str] = []
    original = bytecode.compile_all

    def spy(
        python: Path, sources: dict[str, bytes], *, optimize: int, columns: bool
    ) -> dict[str, bytecode.Compiled]:
        compiled.extend(sources)
        return original(python, sources, optimize=optimize, columns=columns)

    monkeypatch.setattr(bytecode, "compile_all", spy)
    again = gather(project, LINUX, built, store)
    assert compiled == []
    assert pack.blob(again.resources) == pack.blob(first.resources)
    (tmp_path / "app/b.py").write_text("x = 2\n")
    changed = gather(project, LINUX, built, store)
    assert compiled == ["b.py"]
    assert pack.blob(changed.resources) != pack.blob(first.resources)


def test_same_bytes_from_another_folder_and_store(tmp_path: Path, built: Built) -> None:
    blobs = []
    for name in ("one", "two"):
        project = write(
            tmp_path / name / "app", 'run-file = "a.py"\ncompression = "zstd"', {"a.py": "x = 1\n"}
        )
        with Store(tmp_path / name / "store") as store:
            found = gather(project, LINUX, built, store)
            manifest = manifest_of(project, LINUX, found, launcher_sha256="00")
            blobs.append(pack.blob(found.resources, settings_of(project, found), manifest))
    assert blobs[0] == blobs[1]
    assert str(tmp_path).encode() not in blobs[0]


def test_wheels_and_project(
    tmp_path: Path, store: Store, built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = tmp_path / "index"
    wheels.make(
        index,
        "dep",
        files={
            "dep/__init__.py": b"",
            "dep/old.py": b"print 'old'\n",
            "dep/templates/a.html": b"<p>",
            "email/shadow.py": b"",
            "_ssl.py": b"",
            "ns/inner/mod.py": b"",
        },
        metadata="License-Expression: MIT\n",
    )
    wheels.use(monkeypatch, index)
    head = (
        'dependencies = ["dep"]\n[build-system]\nrequires = ["uv_build>=0.9,<1"]\nbuild-backend = "uv_build"'
    )
    files = {"src/app/__init__.py": "def main(): pass\n", "src/app/bad.py": "def (:\n"}
    project = write(tmp_path / "app", 'entry-point = "app:main"', files, head)
    found = gather(project, LINUX, built, store)
    modules = found.resources.modules
    site = {name for name, module in modules.items() if not module.stdlib}
    assert site == {"app", "dep", "dep.templates", "ns", "ns.inner", "ns.inner.mod"}
    assert modules["dep.templates"].namespace
    assert "dep/old.py" in found.resources.files
    assert [(one.name, one.version, one.licence) for one in found.distributions] == [
        ("app", "1", "unknown"),
        ("dep", "1.0", "MIT"),
    ]
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("app/bad.py: not compiled")
    manifest = manifest_of(project, LINUX, found, launcher_sha256="00")
    source = sources.get("cpython", "3.13")
    assert manifest["libraries"][0] == {
        "name": "cpython",
        "version": "3.13.15",
        "licence": "PSF-2.0",
        "source": {"file": source.filename, "sha256": source.sha256, "url": source.upstream[0]},
    }
    always = ["zstd", "hacl-star", "compiler-rt", "glibc-start-files", "oxcross"]
    assert [one["name"] for one in manifest["libraries"]] == ["cpython", *always]
    [app, dep] = manifest["distributions"]
    assert app == {
        "name": "app",
        "version": "1",
        "licence": "unknown",
        "files": app["files"],
        "requires": ["dep"],
    }
    wheel = index / "dep-1.0-py3-none-any.whl"
    sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert dep["source"] == {"file": wheel.name, "sha256": sha256}
    assert dep["requires"] == []
    assert [one.heads for one in found.notices] == [("app 1: unknown",), ("dep 1.0: MIT",)]
    settings = {setting.key: setting for setting in settings_of(project, found)}
    assert settings[Key.RUN_KIND].number == RunKind.ENTRY_POINT
    assert settings[Key.RUN_TARGET].text == "app:main"
    assert settings[Key.STDLIB].text == "lib/python3.13"


def test_commands(tmp_path: Path, store: Store, built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    points = b"[console_scripts]\ndep = dep:main [fast]\nother = dep:other.run\n[gui_scripts]\nwin=dep:win\n"
    files = {"dep.py": b"def main(): pass\n", "dep-1.0.dist-info/entry_points.txt": points}
    wheels.make(index, "dep", files=files)
    wheels.use(monkeypatch, index)
    text = 'requirements = ["dep"]\npolicy.include-metadata = false\ncommands = '
    project = write(
        tmp_path / "app", text + '{other = {}, serve = {run-module = "server"}}', {"server.py": ""}
    )
    found = gather(project, LINUX, built, store)
    settings = settings_of(project, found)
    assert [(one.number, one.text) for one in settings if one.key == Key.COMMAND] == [
        (RunKind.ENTRY_POINT, "other=dep:other.run"),
        (RunKind.MODULE, "serve=server"),
    ]
    assert next(one.number for one in settings if one.key == Key.RUN_KIND) == RunKind.COMMANDS
    programs = [one for path, one in found.resources.files.items() if path.startswith("bin/")]
    assert [(one.path, one.executable) for one in programs] == [("bin/other", True), ("bin/serve", True)]
    assert b"from dep import other\n\nsys.exit(other.run())\n" in pack.decode(programs[0].data)
    with pytest.raises(CollectError, match=r"console script 'othr'\n  did you mean 'other'\?") as caught:
        gather(write(tmp_path / "wrong", text + '["dep", "othr"]', {}), LINUX, built, store)
    assert "pyproject.toml: tool.oxcross.commands.othr" in str(caught.value)


def test_settings_of_the_importer(tmp_path: Path, store: Store, built: Built) -> None:
    keys = {Key.FILESYSTEM: "filesystem-importer", Key.FROZEN: "sys-frozen", Key.OXIDIZED: "sys-oxidized"}
    keys[Key.MEIPASS] = "sys-meipass"
    files = {"a.py": "", "extra/b.py": "", "one.pth": "extra\nimport os\n"}
    usual = "run-file = 'a.py'\ndata = ['one.pth', 'extra/b.py']"
    other = "".join(f"\ninterpreter.{key} = {str(key == 'sys-meipass').lower()}" for key in keys.values())
    expected = {usual: [1, 1, 1, 0], usual + other: [0, 0, 0, 1]}
    for number, (text, values) in enumerate(expected.items()):
        project = write(tmp_path / str(number), text, files)
        settings = settings_of(project, gather(project, LINUX, built, store))
        assert [one.number for one in settings if one.key in keys] == values
        found = [(one.number, one.text) for one in settings if one.key in (Key.INNER_PATH, Key.START_LINE)]
        assert found == [(0, "extra"), (2, "one.pth\nimport os")]


def test_exclusions(tmp_path: Path, store: Store, built: Built) -> None:
    files = {"a.py": "", "b.py": "", "pack/__init__.py": "", "pack/data.txt": "", "pack/sub.py": ""}
    settings = 'run-file = "a.py"\nexclude-modules = ["pack", "b", "email", "nothing"]'
    found = gather(write(tmp_path / "app", settings, files), LINUX, built, store)
    assert {name for name, one in found.resources.modules.items() if not one.stdlib} == {"a"}
    assert "email" not in found.resources.modules
    assert {path for path in found.resources.files if not path.startswith("lib/")} == {"a.py"}
    assert not any("email" in path for path in found.resources.files)
    assert found.warnings == ("exclude-modules: there is no module nothing",)


def test_excluded_files(tmp_path: Path, store: Store, built: Built) -> None:
    """Modules are files, too; folders that are empty then are no packages any more; what is asked for by name stays."""
    data = [
        "data/list.json",
        "data/ec2/1/x.gz",
        "data/s3/1/x.gz",
        "data/s3/1/y.json",
        "data/sts/x.gz",
        "data/code.py",
    ]
    files = {"a.py": "", "pack/__init__.py": "", **{f"pack/{name}": "1" for name in data}}
    wanted = [
        *("pack/data/**", "!pack/data/*.json", "!pack/data/s3/**", "pack/**/?.json", "pack/nothing/*"),
        "lib/python3.13/email/**",
    ]
    settings = f'run-file = "a.py"\nexclude-files = {json.dumps(wanted)}'
    found = gather(write(tmp_path / "app", settings, files), LINUX, built, store)
    assert {path for path in found.resources.files if not path.startswith("lib/")} == {
        "a.py", "pack/__init__.py", "pack/data/list.json", "pack/data/s3/1/x.gz"
    }  # fmt: skip
    modules = {name for name, one in found.resources.modules.items() if not one.stdlib}
    assert modules == {"a", "pack", "pack.data", "pack.data.s3"}
    assert "email" not in found.resources.modules
    assert not any("ec2" in path or "sts" in path for path in found.resources.directories)
    assert found.warnings == ("exclude-files: nothing matches pack/nothing/*",)
    asked = write(tmp_path / "asked", f'{settings}\ndata = ["pack/data/sts/x.gz"]', files)
    assert "pack/data/sts/x.gz" in gather(asked, LINUX, built, store).resources.files


@pytest.mark.parametrize(
    ("pattern", "matches", "not_these"),
    [
        ("a/*", ["a/b", "a/b.json"], ["a/b/c", "a", "ba/b"]),
        ("a/**", ["a/b", "a/b/c"], ["b/a/b"]),
        ("**/x.json", ["x.json", "a/b/x.json"], ["ax.json", "x_json"]),
        ("a/**/x", ["a/x", "a/b/c/x"], ["a/bx"]),
        ("a[1]/?", ["a[1]/b"], ["a1/b", "a[1]/", "a[1]//"]),
    ],
)
def test_globs(pattern: str, matches: list[str], not_these: list[str]) -> None:
    found = globs.compiled(pattern)
    assert [path for path in (*matches, *not_these) if found.fullmatch(path)] == matches


def test_policy(tmp_path: Path, store: Store, built: Built) -> None:
    files = {
        "pack/__init__.py": "",
        "pack/tests/__init__.py": "",
        "pack/tests/data.txt": "",
        "pack/page.html": "",
        "a.py": "",
    }
    project = write(tmp_path / "app", 'run-file = "a.py"', files)
    policy = project.policy.model_copy(update={"include_tests": False, "include_data": False})
    found = gather(dataclasses.replace(project, policy=policy), LINUX, built, store).resources
    assert {name for name, one in found.modules.items() if not one.stdlib} == {"a", "pack"}
    assert {path for path in found.files if not path.startswith("lib/")} == {"a.py", "pack/__init__.py"}


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (Run("module", "nothere"), "has the module nothere"),
        (Run("entry-point", "other.mod:main"), "has the module other.mod"),
        (Run("module", "email"), "without __main__"),
    ],
)
def test_what_is_run_must_be_inside(
    tmp_path: Path, store: Store, built: Built, run: Run, message: str
) -> None:
    project = dataclasses.replace(write(tmp_path / "app", 'run-file = "a.py"', {"a.py": ""}), run=run)
    with pytest.raises(CollectError, match=message):
        gather(project, LINUX, built, store)


def test_what_is_run_may_be_bytecode_alone(tmp_path: Path, store: Store, built: Built) -> None:
    files = {"a.py": "", "mute/__init__.pyc": "", "mute/one.pyc": ""}
    project = write(tmp_path / "app", 'run-file = "a.py"\ndata = ["mute/*"]', files)
    for run in (Run("entry-point", "mute:main"), Run("module", "mute.one")):
        found = gather(dataclasses.replace(project, run=run), LINUX, built, store)
        assert "mute/one.pyc" in found.resources.files


def test_module_names() -> None:
    suffixes = LINUX.extension_suffixes(SOABI)
    cases = {
        "a.py": ("a", "source", False),
        "a/b/__init__.py": ("a.b", "source", True),
        f"a/c.{SOABI}.so": ("a.c", "extension", False),
        "a/d.abi3.so": ("a.d", "extension", False),
        "a/e.so": ("a.e", "extension", False),
        "a/f.cpython-312-x86_64-linux-gnu.so": None,
        "a-b/c.py": None,
        "a/2.py": None,
        "__init__.py": None,
        "a/x.txt": None,
        "x.libs/liby-1.so.2": None,
    }
    for path, expected in cases.items():
        name = names.of(path, suffixes)
        assert (name and (name.module, name.kind, name.package)) == expected, path
    assert names.namespaces(["a/b/c.txt", "a-1.dist-info/x", "d/e.py", "f.py"], ["d", "d.e"]) == ["a", "a.b"]
    assert names.namespaces(["a/__init__.pyc", "a/b/c.pyc", "__init__.pyc"], []) == ["a.b"]


def test_best_file_of_a_module(tmp_path: Path) -> None:
    tree = {
        path: make.Entry.of(b"x = 1\n")
        for path in ("a.py", "a/__init__.py", "b.py", "b.abi3.so", f"b.{SOABI}.so", "c.py", "c/data.txt")
    }
    options = make.Options(
        Path(sys.executable), LINUX, SOABI, 0, sources=True, columns=True, encoder=pack.Encoder()
    )
    found = make.make(tmp_path, tree, options).resources
    assert {name: one.path for name, one in found.modules.items()} == {
        "a": "a/__init__.py",
        "b": f"b.{SOABI}.so",
        "c": "c.py",
    }
    assert set(found.files) == set(tree)


def shared(path: str, needed: tuple[str, ...] = (), soname: str | None = None, runpath: str = "") -> Shared:
    return Shared(path, soname, needed, (runpath,) if runpath else (), (), "x86_64")


def test_libraries_are_loaded_after_what_they_need() -> None:
    files = [
        shared("np/core.so", ("libblas-1.so", "libc.so.6", "libm.so.6"), runpath="$ORIGIN/../np.libs"),
        shared("np.libs/libblas-1.so", ("libgfortran-2.so", "libc.so.6"), "libblas-1.so"),
        shared("np.libs/libgfortran-2.so", ("libquadmath-3.so",), "libgfortran-2.so"),
        shared("np.libs/libquadmath-3.so", (), "libquadmath-3.so"),
        shared("np.libs/libunused.so", (), "libunused.so"),
    ]
    loading = libraries.order(files, {})
    assert [one.soname for one in loading.libraries] == [
        "libquadmath-3.so",
        "libgfortran-2.so",
        "libblas-1.so",
    ]
    assert loading.missing == {}


def test_libraries_in_a_circle_come_to_an_end() -> None:
    files = [shared("a.so", ("b.so",)), shared("b.so", ("c.so",), "b.so"), shared("c.so", ("b.so",), "c.so")]
    assert {one.soname for one in libraries.order(files, {}).libraries} == {"b.so", "c.so"}


def test_a_library_that_is_known_by_its_files_name_only() -> None:
    files = [
        shared("a.so", ("libb.so", "libc.so")),
        shared("a.libs/libb.so", ()),
        shared("a.libs/libc.so", (), "libc.so"),
    ]
    assert [(one.soname, one.nameless) for one in libraries.order(files, {}).libraries] == [
        ("libb.so", True),
        ("libc.so", False),
    ]


def test_run_path_decides_between_libraries_of_one_name() -> None:
    files = [
        shared("a/x.so", ("libz.so",), runpath="$ORIGIN/../b.libs"),
        shared("a.libs/libz.so", (), "libz.so"),
        shared("b.libs/libz.so", (), "libz.so"),
    ]
    assert [one.path for one in libraries.order(files, {}).libraries] == ["b.libs/libz.so"]


def test_fallback_and_missing_libraries() -> None:
    files = [shared("a/x.so", ("libstdc++.so.6", "libX11.so.6"))]
    loading = libraries.order(files, {"libstdc++.so.6": ("libgcc_s.so.1", "libc.so.6"), "libgcc_s.so.1": ()})
    assert [(one.soname, one.path, one.fallback) for one in loading.libraries] == [
        ("libgcc_s.so.1", "lib/oxcross/libgcc_s.so.1", True),
        ("libstdc++.so.6", "lib/oxcross/libstdc++.so.6", True),
    ]
    assert loading.missing == {"libX11.so.6": ("a/x.so",)}
