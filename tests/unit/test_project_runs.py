"""What a project runs: its scripts, commands and entry points, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest
from configuring import Write, error, load, writer

from oxcross.project import Run

SCRIPTS = '[project.scripts]\none = "app:main"\ntwo = "app:main [extra]"\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writer(tmp_path)


def test_no_table_and_one_script(write: Write) -> None:
    found = load(write('[project.scripts]\nanything = "app:main"\n'))
    assert found.run == Run("entry-point", "app:main")
    assert found.include_project  # the function lies in the project


def test_several_scripts(write: Write) -> None:
    text = error(write('[project.scripts]\none = "app:main"\ntwo = "app:main"\n'))
    assert "tool.oxcross.entry-point" in text
    assert "2 scripts" in text


@pytest.mark.parametrize("value", ["true", '["one", "two"]'])
def test_commands_that_are_scripts(write: Write, value: str) -> None:
    found = load(write(f"{SCRIPTS}[tool.oxcross]\ncommands = {value}\n"))
    assert found.run == Run("commands")
    assert [(one.name, one.run) for one in found.commands] == [
        ("one", Run("entry-point", "app:main")),
        ("two", Run("entry-point", "app:main")),
    ]
    assert found.include_project


def test_commands_by_what_they_run_and_a_default(write: Write) -> None:
    text = """
        [tool.oxcross]
        run-module = "app"
        requirements = ["pip"]
        commands = {serve = {run-module = "http.server"}, go = "app:main", pip = {}}
    """
    found = load(write(text))
    assert found.run == Run("module", "app")
    assert [(one.name, one.run) for one in found.commands] == [
        ("serve", Run("module", "http.server")),
        ("go", Run("entry-point", "app:main")),
        ("pip", None),  # the requirement's console script
    ]


def test_a_misspelt_script(write: Write) -> None:
    text = error(write(f"{SCRIPTS}[tool.oxcross]\ncommands = ['one', 'tow']\n"))
    assert "pyproject.toml:8: tool.oxcross.commands.tow: there is no script 'tow'" in text
    assert "did you mean 'two'?" in text


def test_commands_of_one_target(write: Write) -> None:
    text = "[tool.oxcross]\ncommands = ['one']\n[tool.oxcross.target.linux-arm64]\ncommands = ['two']\n"
    found = load(write(SCRIPTS + text))
    assert [one.name for one in found.commands] == ["one"]
    assert [one.name for one in found.for_target("linux-arm64").commands] == ["two"]


def test_nothing_to_run(write: Write) -> None:
    text = error(write("[tool.oxcross]\n"))
    assert "nothing says what the executable runs" in text
    assert "run-module" in text


def test_what_runs_has_the_wrong_type(write: Write) -> None:
    assert "must be a string, not 3" in error(write("[tool.oxcross]\nentry-point = 3\n"))
    assert "must be true, not false" in error(write("[tool.oxcross]\nrepl = false\n"))


def test_run_kinds_exclude_each_other(write: Write) -> None:
    text = error(write('[tool.oxcross]\nrun-file = "app.py"\nrun-module = "app"\n'))
    assert "run-module and run-file exclude each other" in text


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("app:mian", "app has no 'mian'\n  did you mean 'main'?"),
        ("app.sub:main", "there is no module 'app.sub'"),
        ("pkg.clj:main", "did you mean 'pkg.cli'?"),
        ("pkg.cli", "package.module:function"),
        ("ap:main", "did you mean 'app'?"),
        ("tkinter:Tk", "tkinter is not part"),
    ],
)
def test_entry_point_that_is_not_there(write: Write, value: str, says: str) -> None:
    folder = write(
        f'[tool.oxcross]\nentry-point = "{value}"\n',
        **{"src/pkg/__init__.py": "", "src/pkg/cli.py": "x = 1\n"},
    )
    text = error(folder)
    assert "tool.oxcross.entry-point" in text
    assert says in text


@pytest.mark.parametrize(
    "body",
    [
        "def run(): ...",
        "async def run(): ...",
        "class run: ...",
        "run = print",
        "run: object = print",
        "a, run = 1, print",
        "from other import run",
        "from other import go as run",
        "import run",
        "from other import *",
        "if True:\n    def run(): ...",
        "try:\n    import run\nexcept ImportError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    run = 1",
        "def __getattr__(name): ...",
        "this is a newer syntax ]",
    ],
)
def test_entry_point_that_is_there(write: Write, body: str) -> None:
    found = load(write('[tool.oxcross]\nentry-point = "pkg.cli:run"\n', **{"src/pkg/cli.py": f"{body}\n"}))
    assert found.run == Run("entry-point", "pkg.cli:run")


def test_entry_point_in_a_requirement(write: Write) -> None:
    found = load(write('[tool.oxcross]\nentry-point = "httpie.__main__:main"\nrequirements = ["httpie"]\n'))
    assert not found.include_project


def test_entry_point_in_the_standard_library(write: Write) -> None:
    assert load(write('[tool.oxcross]\nrun-module = "http.server"\n')).run == Run("module", "http.server")


def test_module_without_main(write: Write) -> None:
    text = error(write('[tool.oxcross]\nrun-module = "pkg"\n', **{"pkg/__init__.py": ""}))
    assert "__main__.py" in text


def test_project_left_out_but_run(write: Write) -> None:
    text = error(write('[tool.oxcross]\nentry-point = "app:main"\nproject = false\n'))
    assert "lies in this project" in text


@pytest.mark.parametrize(
    "layout",
    [
        '[tool.hatch.build.targets.wheel]\npackages = ["python/pkg"]',
        '[tool.setuptools.packages.find]\nwhere = ["python"]',
        '[tool.setuptools.package-dir]\n"" = "python"',
        '[tool.poetry]\npackages = [{include = "pkg", from = "python"}]',
        '[tool.maturin]\npython-source = "python"',
    ],
)
def test_sources_where_the_build_backend_has_them(write: Write, layout: str) -> None:
    files = {"python/pkg/__init__.py": "", "python/pkg/cli.py": "def main(): ..."}
    load(write(f'{layout}\n[tool.oxcross]\nentry-point = "pkg.cli:main"\n', **files))
    text = error(write(f'{layout}\n[tool.oxcross]\nentry-point = "pkg.cli:mian"\n', **files))
    assert "did you mean 'main'?" in text
