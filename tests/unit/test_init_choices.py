"""The first [tool.oxcross] of many kinds of projects: what is chosen, that it loads, and that nothing else in the file changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oxcross import init
from oxcross import project as projects
from oxcross.errors import ConfigError, OxcrossError
from oxcross.init import table
from oxcross.project import Project, Run

PACKAGE = {"app/__init__.py": "__version__ = '2.5'\n", "app/cli.py": "def main(): ...\ndef serve(): ...\n"}
SOURCES = {f"src/{path}": text for path, text in PACKAGE.items()}
HEAD = '[project]\nname = "app"\nversion = "1.0"\n'
ONE = '[project.scripts]\napp = "app.cli:main"\n'
TWO = f'{ONE}serve = "app.cli:serve [extra]"\n'
LINES = '[tool.oxcross]\ntargets = ["linux-x64"]\n'
MAIN = {"app/__init__.py": "", "app/__main__.py": "print('hello')\n"}
INLINE = '# /// script\n# requires-python = ">=3.12"\n# dependencies = [\n#   "six>=1.16",\n# ]\n# ///\nimport six\n'
HASHED = f"six==1.16.0 --hash=sha256:{'0' * 64}\n"


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def begin(folder: Path, script: str = "") -> tuple[dict[str, Any], Project, init.Proposal]:
    """Init for real: the new table as data, the project that it makes, and what was proposed."""
    file = folder / "pyproject.toml"
    before = file.read_bytes() if file.exists() else b""
    proposal = init.propose(folder, script)
    proposal.write()
    after = file.read_bytes()
    assert after.startswith(before)
    assert after == proposal.content
    document = tomllib.loads(after.decode())
    old = tomllib.loads(before.decode())
    mine = document["tool"].pop("oxcross")
    if before:
        added = {name: document[name] for name in document.keys() - old.keys() if name != "tool"}
        assert added.keys() <= {"build-system"}
        old.setdefault("tool", {})
        assert document == old | added
    assert mine.pop("targets") == ["linux-x64"]
    return mine, projects.load(folder), proposal


BACKENDS = {
    "hatch": '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
    "flit": '[build-system]\nrequires = ["flit_core >=3.2,<4"]\nbuild-backend = "flit_core.buildapi"\n',
    "setuptools": '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n',
    "uv": '[build-system]\nrequires = ["uv_build"]\nbuild-backend = "uv_build"\n',
    "pdm": '[build-system]\nrequires = ["pdm-backend"]\nbuild-backend = "pdm.backend"\n',
    "none": "",
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layout", [PACKAGE, SOURCES], ids=["flat", "src"])
def test_one_script(tmp_path: Path, backend: str, layout: dict[str, str]) -> None:
    lay(tmp_path, {"pyproject.toml": BACKENDS[backend] + HEAD + ONE, **layout})
    mine, project, proposal = begin(tmp_path)
    assert mine == {}  # it goes without saying, but for a comment
    assert "# It runs app, the one program in [project.scripts].\n" in proposal.added
    assert (project.name, project.version) == ("app", "1.0")
    assert project.run == Run("entry-point", "app.cli:main")
    assert project.include_project
    assert not proposal.new


def test_several_scripts(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": HEAD + TWO, **PACKAGE})
    mine, project, proposal = begin(tmp_path)
    assert mine == {"commands": True}
    assert [one.name for one in project.commands] == ["app", "serve"]
    how = "called app it runs that, by a link called serve the other"
    assert proposal.choices[0].why == f"all of [project.scripts]; {how}"


def test_several_scripts_of_other_names(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": HEAD.replace("app", "suite") + TWO, **PACKAGE})
    mine, _, proposal = begin(tmp_path)
    assert mine == {"commands": True}
    assert "the first argument picks one" in proposal.choices[0].why


def test_windowed_programs(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": HEAD + ONE.replace("scripts", "gui-scripts"), **PACKAGE})
    mine, project, _ = begin(tmp_path)
    assert mine == {}
    assert project.run == Run("entry-point", "app.cli:main")


def test_windowed_programs_beside_scripts(tmp_path: Path) -> None:
    windowed = '[project.gui-scripts]\nappw = "app.cli:serve"\n'
    lay(tmp_path, {"pyproject.toml": HEAD + ONE + windowed, **PACKAGE})
    mine, project, proposal = begin(tmp_path)
    assert mine == {}
    assert project.run.value == "app.cli:main"
    assert "appw" in proposal.notes[0]


@pytest.mark.parametrize(
    ("backend", "tool", "files"),
    [
        (
            "hatch",
            '[tool.hatch.version]\npath = "app/about.py"\n',
            {"app/about.py": '__version__ = "3.1"\n'},
        ),
        ("setuptools", '[tool.setuptools.dynamic]\nversion = {file = ["VERSION"]}\n', {"VERSION": "3.1\n"}),
    ],
)
def test_a_version_that_is_computed(tmp_path: Path, backend: str, tool: str, files: dict[str, str]) -> None:
    """It stands nowhere else: the build asks the backend, too."""
    head = '[project]\nname = "app"\ndynamic = ["version"]\n'
    lay(tmp_path, {"pyproject.toml": BACKENDS[backend] + head + ONE + tool, **PACKAGE, **files})
    mine, project, proposal = begin(tmp_path)
    assert mine == {}
    assert project.version == "3.1"
    assert "build backend computes" in proposal.notes[0]


def test_a_version_in_the_code(tmp_path: Path) -> None:
    """Of a project that nothing builds."""
    lay(tmp_path, {"pyproject.toml": '[project]\nname = "app"\ndynamic = ["version"]\n' + ONE, **PACKAGE})
    mine, project, proposal = begin(tmp_path)
    assert mine == {"version": "2.5"}
    assert project.version == "2.5"
    assert proposal.choices[0].why == "as in app/__init__.py; change it there and here"


POETRY = '[tool.poetry]\nname = "app"\nversion = "4.0"\n[tool.poetry.dependencies]\npython = "^3.11"\nsix = "^1.16"\n'
POETRY_BUILD = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'


def test_poetry_s_own_tables(tmp_path: Path) -> None:
    scripts = '[tool.poetry.scripts]\napp = "app.cli:main"\n'
    lay(tmp_path, {"pyproject.toml": POETRY + scripts + POETRY_BUILD, "poetry.lock": "", **PACKAGE})
    mine, project, proposal = begin(tmp_path)
    assert mine == {"name": "app", "version": "4.0", "entry-point": "app.cli:main"}
    assert project.include_project
    assert proposal.choices[0].why == "as in [tool.poetry]"
    assert "poetry.lock is not read" in proposal.notes[0]


def test_poetry_s_scripts(tmp_path: Path) -> None:
    scripts = '[tool.poetry.scripts]\napp = "app.cli:main"\n"other.one" = "app.cli:serve"\n'
    lay(tmp_path, {"pyproject.toml": POETRY + scripts + POETRY_BUILD, **PACKAGE})
    mine, project, _ = begin(tmp_path)
    assert mine["commands"] == {"app": "app.cli:main", "other.one": "app.cli:serve"}
    assert [one.name for one in project.commands] == ["app", "other.one"]


def test_poetry_without_a_package(tmp_path: Path) -> None:
    mode = "[tool.poetry]\npackage-mode = false\n"
    head = f'{HEAD}dependencies = ["six"]\n'
    lay(tmp_path, {"pyproject.toml": head + mode + POETRY_BUILD, "main.py": ""})
    mine, project, _ = begin(tmp_path)
    assert mine == {"run-file": "main.py", "project": False, "requirements": ["six"]}
    assert not project.include_project


def test_setup_cfg(tmp_path: Path) -> None:
    text = """
        [metadata]
        name = app
        version = attr: app.__version__
        [options]
        python_requires = >=3.9
        install_requires = six
        [options.entry_points]
        console_scripts =
            app = app.cli:main
    """
    lay(tmp_path, {"setup.cfg": "\n".join(line[8:] for line in text.splitlines()), **PACKAGE})
    mine, project, proposal = begin(tmp_path)
    assert mine == {"name": "app", "version": "2.5", "entry-point": "app.cli:main"}
    assert proposal.new
    built = tomllib.loads(proposal.added)["build-system"]
    assert built["build-backend"] == "setuptools.build_meta:__legacy__"
    assert project.include_project


@pytest.mark.parametrize(
    "points",
    [
        '{"console_scripts": ["app=app.cli:main", "serve = app.cli:serve"]}',
        '"[console_scripts]\\napp = app.cli:main\\nserve = app.cli:serve\\n"',
    ],
)
def test_setup_py(tmp_path: Path, points: str) -> None:
    code = f"import setuptools\nsetuptools.setup(name='app', version='1.2', long_description=open('x').read(), entry_points={points})\n"
    tools = "[tool.ruff]\nline-length = 100"  # and no line end
    lay(tmp_path, {"setup.py": code, "pyproject.toml": tools, **PACKAGE})
    mine, project, _ = begin(tmp_path)
    assert mine.pop("commands") == {"app": "app.cli:main", "serve": "app.cli:serve"}
    assert mine == {"name": "app", "version": "1.2"}
    assert project.include_project


def test_a_setup_cfg_of_other_tools(tmp_path: Path) -> None:
    lay(tmp_path, {"setup.cfg": "[flake8]\nmax-line-length = 100\n", "hello.py": ""})
    mine, project, proposal = begin(tmp_path)
    assert mine == {"run-file": "hello.py"}
    assert "build-system" not in proposal.added
    assert not project.include_project


def test_a_package_that_is_run(tmp_path: Path) -> None:
    folder = tmp_path / "My App!"
    lay(folder, {**MAIN, "tests/__init__.py": "", "tests/__main__.py": ""})
    mine, project, proposal = begin(folder)
    assert mine == {"run-module": "app"}
    assert (project.name, project.version) == ("My-App", "0.1.0")
    assert project.run == Run("module", "app")
    assert proposal.new


def test_of_several_packages_the_project_s(tmp_path: Path) -> None:
    other = {"other/__init__.py": "", "other/__main__.py": ""}
    lay(tmp_path, {"pyproject.toml": HEAD, **MAIN, **other})
    assert begin(tmp_path)[0] == {"run-module": "app"}


@pytest.mark.parametrize(
    ("files", "chosen"),
    [
        ({"hello.py": "", "setup.py": "", "conftest.py": ""}, "hello.py"),
        ({"main.py": "", "helper.py": ""}, "main.py"),
        ({"one.py": "", "two.py": "if __name__ == '__main__':\n    pass\n"}, "two.py"),
    ],
)
def test_a_file_that_is_run(tmp_path: Path, files: dict[str, str], chosen: str) -> None:
    mine, _, _ = begin(lay(tmp_path, files | {"pyproject.toml": HEAD}))
    assert mine["run-file"] == chosen


def test_files_beside_a_script(tmp_path: Path) -> None:
    lay(tmp_path, {"hello.py": "", "assets/a.txt": "", "templates/deep/b.html": "", "data/__init__.py": ""})
    mine, project, _ = begin(tmp_path)
    assert mine["data"] == ["assets/**", "templates/**"]
    assert [one.path for one in project.data] == ["assets/a.txt", "templates/deep/b.html"]


def test_files_beside_a_package_are_named(tmp_path: Path) -> None:
    setuptools = '[tool.setuptools.package-data]\napp = ["*.txt"]\n'
    lay(tmp_path, {"pyproject.toml": HEAD + ONE + setuptools, **PACKAGE, "assets/a.txt": ""})
    mine, _, proposal = begin(tmp_path)
    assert mine == {}
    assert 'data = ["assets/**"]' in proposal.notes[0]
    assert "package-data" in proposal.notes[1]


def test_dependencies_of_what_is_not_a_package(tmp_path: Path) -> None:
    """As `uv init` makes it: [project] without a build system, and main.py."""
    lay(tmp_path, {"pyproject.toml": f'{HEAD}dependencies = ["six"]\n', "main.py": ""})
    mine, project, _ = begin(tmp_path)
    assert mine == {"run-file": "main.py", "project": True}
    assert project.include_project


LOCK = 'version = 1\n[[package]]\nname = "app"\nsource = { virtual = "." }\n'


def test_uv_s_lock(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": f'{HEAD}dependencies = ["six"]\n', "main.py": "", "uv.lock": LOCK})
    mine, project, _ = begin(tmp_path)
    assert mine == {"run-file": "main.py", "lock": "uv.lock"}
    assert project.lock == tmp_path / "uv.lock"


@pytest.mark.parametrize(
    "lock", [LOCK + '[[package]]\nname = "lib"\nsource = { editable = "../lib" }\n', "no lock", "[package]\n"]
)
def test_a_lock_that_does_not_do(tmp_path: Path, lock: str) -> None:
    lay(tmp_path, {"pyproject.toml": HEAD + ONE, **PACKAGE, "uv.lock": lock})
    mine, _, proposal = begin(tmp_path)
    assert mine == {}
    assert "uv.lock is not taken" in proposal.notes[0]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("six>=1 # comment\n\n# another\nattrs\n", {"requirements": ["six>=1", "attrs"]}),
        (HASHED, {"requirements-file": "requirements.txt"}),
        ("-r other.txt\nsix\n", {}),
        ("# nothing\n", {}),
    ],
)
def test_requirements_txt(tmp_path: Path, text: str, chosen: dict[str, Any]) -> None:
    lay(tmp_path, {"hello.py": "", "requirements.txt": text})
    mine, _, proposal = begin(tmp_path)
    assert mine == {"run-file": "hello.py", **chosen}
    assert bool(proposal.notes) == text.startswith("-r")


def test_a_script_with_inline_metadata(tmp_path: Path) -> None:
    mine, project, proposal = begin(lay(tmp_path, {"tool.py": INLINE, "other.py": ""}), "tool.py")
    assert mine == {"run-file": "tool.py", "requirements": ["six>=1.16"]}
    assert project.name == "tool"
    assert tomllib.loads(proposal.added)["project"]["requires-python"] == ">=3.12"


def test_a_script_of_a_project(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": BACKENDS["hatch"] + HEAD + ONE, **PACKAGE, "tools/tool.py": INLINE})
    mine, project, _ = begin(tmp_path, "tools/tool.py")
    assert mine == {
        "name": "tool",
        "run-file": "tools/tool.py",
        "requirements": ["six>=1.16"],
        "project": False,
    }
    assert (project.name, project.version) == ("tool", "1.0")


def test_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(HEAD.replace("\n", "\r\n").encode())
    (tmp_path / "app.py").write_bytes(INLINE.replace("\n", "\r\n").encode())
    mine, _, proposal = begin(tmp_path)
    assert mine["requirements"] == ["six>=1.16"]
    assert proposal.content.count(b"\n") == proposal.content.count(b"\r\n")


@pytest.mark.parametrize(("wanted", "chosen"), [(">=3.14", "3.14"), ("<3.13", "3.12"), (">=3.9", None)])
def test_another_python(tmp_path: Path, wanted: str, chosen: str | None) -> None:
    text = f'{HEAD}requires-python = "{wanted}"\n'
    mine, project, _ = begin(lay(tmp_path, {"pyproject.toml": text, "app.py": ""}))
    assert mine.get("python") == chosen
    assert project.python.startswith(chosen or "3.13.")


def test_a_link_and_rights_stay(tmp_path: Path) -> None:
    lay(tmp_path, {"real/project.toml": HEAD, "app/app.py": ""})
    (tmp_path / "real/project.toml").chmod(0o640)
    (tmp_path / "app/pyproject.toml").symlink_to("../real/project.toml")
    begin(tmp_path / "app")
    assert (tmp_path / "app/pyproject.toml").is_symlink()
    assert (tmp_path / "real/project.toml").stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path / "real") == ["project.toml"]  # noqa: PTH208 (hidden ones, too)


@pytest.mark.parametrize(
    ("files", "script", "says"),
    [
        ({}, "", r"nothing says what the executable is to run\n.*project.scripts"),
        ({"a.py": "", "b.py": ""}, "", r'--script FILE(.|\n)*run-file = "a.py"\n    run-file = "b.py"'),
        (
            {"a/__main__.py": "", "b/__main__.py": ""},
            "",
            r'nothing says(.|\n)*run-module = "a"\n    run-module = "b"',
        ),
        (
            {"pyproject.toml": f"{HEAD}{LINES}", "app.py": ""},
            "",
            r"pyproject.toml:4: there is a \[tool.oxcross\]",
        ),
        ({"pyproject.toml": "[tool]\noxcross.repl = true\n"}, "", r"there is a \[tool.oxcross\]"),
        ({"pyproject.toml": "[project"}, "", "pyproject.toml: cannot be read"),
        ({"pyproject.toml": "tool = { ruff = {} }\n", "app.py": ""}, "", "no table can be added at its end"),
        ({"pyproject.toml": "tool = 3\n", "app.py": ""}, "", "no table can be added at its end"),
        ({"pyproject.toml": "project = 3\n", "app.py": ""}, "", "project must be a table"),
        ({"pyproject.toml": f"{HEAD}{ONE}"}, "", "there is no module 'app.cli'"),
        ({"app.py": ""}, "ap.py", "--script: there is no file 'ap.py'(.|\n)*did you mean 'app.py'"),
        ({"app.py": ""}, "../app.py", "lies outside the project"),
        ({"app.py": "# /// script\n# x = \n# ///\n"}, "", r"app.py: # /// script: not TOML"),
        ({"app.py": "# /// script\n# dependencies = 3\n# ///\n"}, "app.py", "must be a list of strings"),
        ({"app.py": "# /// script\n# requires-python = 3\n# ///\n"}, "app.py", "must be a string"),
        ({"app.py": INLINE + INLINE}, "app.py", "several"),
        ({"app.py": INLINE.replace("six>=", "six=")}, "", "not a requirement"),
    ],
)
def test_what_is_refused(tmp_path: Path, files: dict[str, str], script: str, says: str) -> None:
    lay(tmp_path, files)
    with pytest.raises(ConfigError, match=says):
        begin(tmp_path, script)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == set(
        files
    )
    assert all((tmp_path / name).read_text(encoding="utf-8") == text for name, text in files.items())


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        init.propose(tmp_path / "nowhere")


@example("\x7f")
@given(st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.text()) | st.booleans())
def test_values_are_toml(value: object) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return  # no text that a file could have
    assert tomllib.loads(f"key = {table.quoted(value)}\n") == {"key": value}


SCRAPS = [
    HEAD,
    ONE,
    POETRY,
    "[project]\n",
    "[tool]\n",
    "tool.x = 1\n",
    "[tool.poetry]\nscripts = 3\n",
    "[project.scripts]\n1 = 2\n",
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SCRAPS), max_size=3), st.binary(max_size=60), st.booleans())
def test_anything_is_a_table_or_an_error(scraps: list[str], more: bytes, first: bool) -> None:
    import tempfile

    text = "".join(scraps).encode()
    with tempfile.TemporaryDirectory() as name:
        folder = lay(Path(name), {"main.py": "", **PACKAGE})
        for file in ("pyproject.toml", "setup.cfg", "setup.py", "requirements.txt", "uv.lock"):
            (folder / file).write_bytes(text if first and file == "pyproject.toml" else more)
        try:
            begin(folder)
        except OxcrossError:
            return


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-W", "error", "-m", "oxcross", *arguments]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(line, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_the_task(tmp_path: Path) -> None:
    lay(tmp_path, {"pyproject.toml": HEAD + ONE, **PACKAGE})
    shown = run("init", "--dry-run", cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.startswith("would be added to pyproject.toml:\n\n    [tool.oxcross]\n")
    assert (tmp_path / "pyproject.toml").read_text(encoding="utf-8") == HEAD + ONE
    done = run("init", "--json", cwd=tmp_path)
    document = json.loads(done.stdout)
    assert document["written"] is True
    assert document["next"] == "oxcross build"
    assert (tmp_path / "pyproject.toml").read_text(encoding="utf-8") == f"{HEAD}{ONE}\n{document['added']}"
    again = run("init", cwd=tmp_path)
    assert (again.returncode, again.stdout) == (3, "")
    assert "there is a [tool.oxcross] already" in again.stderr


@pytest.mark.parametrize("scripts", ["", TWO])
def test_a_build_without_a_table_that_cannot_tell(tmp_path: Path, scripts: str) -> None:
    lay(tmp_path, {"pyproject.toml": HEAD + scripts, **PACKAGE})
    done = run("build", cwd=tmp_path)
    assert done.returncode == 3
    assert "nothing says what the executable runs" in done.stderr
    assert "`oxcross init`" in done.stderr
    assert ('entry-point = "app.cli:serve"  # serve' in done.stderr) == bool(scripts)
