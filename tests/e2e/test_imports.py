"""What importlib promises holds in an executable: the same checks in an environment of the CPython that it is made of.

One executable with four small distributions, of which two share a namespace package, one has .pth files and one has
bytecode only; beside it a folder and an archive of plugins.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import wheels
from program import APPS, build, reference_python

SOURCE = APPS / "imports"
TARGETS = ["linux-x64", "macos-x64"]
SAME = {
    "specs": ["fields", "modules", "loader", "missing", "finders", "hooks", "tools", "sourceless", "initial"],
    "resources": ["files", "paths", "spaces", "readers", "functions"],
    "distributions": ["fields", "entry_points", "found"],
    "sources": ["inspected", "traced", "uncaught", "uncaught_import", "warned", "commands", "verbose"],
    "running": ["runs", "reloaded", "lazy", "pickled", "main"],
    "plugins": ["added", "first", "late", "archives", "removed", "before"],
    "together": ["once", "many", "circles", "interpreters"],
    "startup": ["lines"],
}
WRONG = """\
Error processing line 2 of ROOT/wrong.pth:

Traceback (most recent call last):
  File "<string>", line 1, in <module>
ValueError: line

Remainder of file ignored
"""
METADATA = "Summary: A distribution for tests\nClassifier: Topic :: Tests\nClassifier: Private :: Yes\n"


@dataclass(frozen=True)
class Place:
    """Where the checks are run: the line that runs one, the roots of what is imported, the folder of plugins."""

    line: tuple[str, ...]
    library: str
    root: str
    script: str
    outside: Path

    def outcome(self, check: str) -> tuple[int, str, str]:
        """Status, output and errors of a check, with the places' names instead of their paths."""
        argument = [str(self.outside)] if check.startswith("plugins.") or check == "own.closed" else []
        done = subprocess.run(
            [*self.line, check, *argument],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            cwd=self.outside,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, self._named(done.stdout), self._named(done.stderr)

    def _named(self, text: str) -> str:
        names = {self.library: "LIB", self.root: "ROOT", self.script: "ROOT", str(self.outside): "OUTSIDE"}
        for path, name in names.items():
            text = text.replace(path, name)
        return text


def _tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def _sourceless(folder: Path) -> dict[str, bytes]:
    """A distribution as some are sold: bytecode without source."""
    text = "def said():\n    return __name__\n"
    for name in ("hush", "muffled/__init__", "muffled/inside", "stale"):
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        code = f"import py_compile; py_compile.compile({str(path)!r}, {str(path)!r} + 'c', 'was/{name}.py', True)"
        subprocess.run([reference_python(), "-I", "-c", code], check=True)
    stale = folder / "stale.pyc"
    stale.write_bytes(b"\0\0\r\n" + stale.read_bytes()[4:])
    return {path: data for path, data in _tree(folder).items() if path.endswith(".pyc")}


@pytest.fixture(scope="session")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheels of the four distributions."""
    folder = tmp_path_factory.mktemp("distributions") / "wheels"
    parts = {part.name: _tree(part) for part in sorted((SOURCE / "distributions").iterdir())}
    wheels.make(folder, "alpha", files=parts["alpha"], metadata=METADATA)
    wheels.make(folder, "beta", "2.0", files=parts["beta"], requires=["alpha>=1", "none; extra == 'fast'"])
    wheels.make(folder, "lines", files=parts["lines"])
    wheels.make(folder, "wrong", files=parts["wrong"])
    wheels.make(folder, "mute", files=_sourceless(folder.parent / "mute"))
    return folder


@pytest.fixture(scope="session")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder and an archive of plugins."""
    folder = tmp_path_factory.mktemp("outside") / "plugins"
    shutil.copytree(SOURCE / "outside", folder)
    _pack(folder / "packed.zip")
    return folder


def _pack(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("packed/__init__.py", "")
        archive.writestr("packed/part.py", "value = 5\n\n\ndef fail():\n    raise ValueError(value)\n")
        archive.writestr("packed/note.txt", "a note\n")


def _project(folder: Path, configuration: str = "") -> Path:
    """The application in a folder of its own; with ``configuration`` added, and another distribution."""
    shutil.copytree(
        SOURCE, folder, ignore=shutil.ignore_patterns("distributions", "outside", "__pycache__", "build")
    )
    _pack(folder / "assets" / "packed.zip")
    file = folder / "pyproject.toml"
    text = file.read_text(encoding="utf-8").replace(
        '"mute"]', '"mute", "wrong"]' if configuration else '"mute"]'
    )
    file.write_text(text + configuration, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory, distributions: Path) -> Callable[[str, str], Path]:
    """A function that builds the executable for a target, with lines added to its configuration."""
    offline = {
        "UV_FIND_LINKS": str(distributions),
        "UV_NO_INDEX": "1",
        "UV_OFFLINE": "1",
        "UV_NO_CONFIG": "1",
    }
    return lambda target, configuration: build(
        _project(tmp_path_factory.mktemp("imports") / "imports", configuration), target=target, env=offline
    )


@pytest.fixture(scope="session", params=TARGETS)
def executable(
    request: pytest.FixtureRequest, make: Callable[[str, str], Path], outside: Path, emulated: None
) -> Place:
    del emulated
    path = str(make(request.param, ""))
    return Place((path,), f"{path}/lib/python3.13", path, path, outside)


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory, distributions: Path, outside: Path) -> Place:
    """The same in a virtual environment."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([reference_python(), "-I", "-m", "venv", "--without-pip", folder / "venv"], check=True)
    packages = next((folder / "venv").glob("lib/python3*/site-packages"))
    for wheel in sorted(distributions.glob("[!w]*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(packages)
    script = _project(folder / "script")
    shutil.copytree(script / "assets", packages / "assets")
    library = next(reference_python().parent.parent.glob("lib/python3*"))
    line = (
        str(folder / "venv" / "bin" / "python"),
        "-X",
        "utf8",
        "-X",
        "frozen_modules=off",
        str(script / "imports.py"),
    )
    return Place(line, str(library), str(packages), str(script), outside)


@pytest.mark.parametrize("check", [f"{module}.{name}" for module, names in SAME.items() for name in names])
def test_same_as_in_an_environment(executable: Place, environment: Place, check: str) -> None:
    expected = environment.outcome(check)
    assert expected[0] == (1 if "uncaught" in check else 0), expected[2]
    assert executable.outcome(check) == expected


def test_finders(executable: Place) -> None:
    status, output, errors = executable.outcome("own.finders")
    lines = output.splitlines()
    assert (status, errors) == (0, "")
    assert lines[0] == "['Finder', 'BuiltinImporter', 'FrozenImporter', 'PathFinder'] path_hook"
    assert lines[1] == "<_oxcross.Finder of ROOT> <_oxcross.Loader SourceFileLoader"
    assert lines[2:5] == ["ROOT/alpha/__init__.py [False]"] * 3
    assert lines[5].startswith("ModuleSpec(name='alpha.tool', loader=<_oxcross.Loader object")
    assert lines[6] == (
        "None ImportError: '/' is not a folder in this executable "
        "TypeError: expected str, bytes or os.PathLike object, not int"
    )
    assert lines[7] == "xml.dom.minidom"


def test_attributes_of_sys(executable: Place) -> None:
    assert executable.outcome("own.attributes") == (0, "[True, True, None]\n" * 3, "")


def test_code_is_what_the_compiler_makes(executable: Place) -> None:
    assert executable.outcome("own.codes") == (0, "True\n", "")


@pytest.fixture(scope="session", params=TARGETS)
def closed(
    request: pytest.FixtureRequest, make: Callable[[str, str], Path], outside: Path, emulated: None
) -> Place:
    """The executable with the other choice of every setting that concerns importing."""
    del emulated
    path = make(
        request.param,
        "[tool.oxcross.interpreter]\nfilesystem-importer = false\nsys-path = ['$ORIGIN/plugins']\n"
        "sys-frozen = false\nsys-oxidized = false\nsys-meipass = true\n",
    )
    (path.parent / "plugins").mkdir()
    (path.parent / "plugins" / "allowed_module.py").write_text("", encoding="utf-8")
    return Place((str(path),), f"{path}/lib/python3.13", str(path), str(path), outside)


def test_a_closed_file_system(closed: Place) -> None:
    missing = [
        f"ModuleNotFoundError: No module named '{name}' None"
        for name in ("plugin", "packed", "shared.outside")
    ]
    expected = [*missing, "embedded [] None", "True True", "5 outside", ""]
    assert closed.outcome("own.closed") == (0, "\n".join(expected), WRONG)


def test_the_other_attributes_of_sys(closed: Place) -> None:
    assert closed.outcome("own.attributes") == (0, "[None, None, 'ROOT']\n" * 3 + "['packed.zip']\n", WRONG)


def test_a_line_that_raises(closed: Place) -> None:
    """It is told of and ends its file, and the program goes on."""
    assert closed.outcome("own.lines") == (0, "True False by .pth\n", WRONG)


@pytest.mark.parametrize("target", TARGETS)
def test_a_commands_lines(tmp_path: Path, target: str, emulated: None) -> None:
    """Tracebacks show the lines of an application that is one command, as those of ``python -c``."""
    del emulated
    command = "def fail():\n    return 1 / 0\n\nfail()"
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "command"\nversion = "1"\n[tool.oxcross]\nrun-command = """{command}"""\n',
        encoding="utf-8",
    )
    lines = [[str(build(tmp_path, target=target))], [str(reference_python()), "-I", "-c", command]]
    done = [subprocess.run(line, capture_output=True, text=True, check=False) for line in lines]
    assert "    return 1 / 0\n" in done[1].stderr
    assert (done[0].returncode, done[0].stderr) == (done[1].returncode, done[1].stderr)
