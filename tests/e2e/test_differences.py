"""What analyze says of real applications, and that what its rules say is so."""

from __future__ import annotations

import ast
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import build, oxcross

Project = Callable[..., Path]


def analyze(project: Path) -> dict[str, Any]:
    done = oxcross("analyze", "--project", str(project), "--json")
    assert done.returncode == 0, done.stderr
    [document] = json.loads(done.stdout)["targets"]
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("app", ["hello", "flask_app", "numpy_app"])
def test_nothing_is_told_of_applications_that_just_work(app: str, project: Project) -> None:
    document = analyze(project(app))
    told = [one for one in document["findings"] if one["severity"] != "note"]
    assert told == []


def test_a_difference_that_matters(project: Project) -> None:
    """HTTPie turns things off when sys.frozen is set."""
    told = [one for one in analyze(project("httpie"))["findings"] if one["severity"] != "note"]
    assert [(one["rule"], one["path"]) for one in told] == [("frozen", "httpie/compat.py")]


def test_what_the_rules_say_is_so(project: Project, tmp_path: Path) -> None:
    folder = project("differs")
    with sqlite3.connect(folder / "differs" / "data.sqlite") as database:
        database.execute("CREATE TABLE numbers (number)")
    database.close()

    # Each function does what the rule of its name is about, and nothing else.
    tree = ast.parse((folder / "differs" / "__init__.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.decorator_list]
    found = {
        (node.name, one["rule"].replace("-", "_"))
        for one in analyze(folder)["findings"]
        for node in functions
        if node.lineno <= (one["line"] or 0) <= (node.end_lineno or 0)
    }
    assert found == {(node.name, node.name) for node in functions}

    executable = build(folder)
    done = subprocess.run(
        [executable.name],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{executable.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )
    came: dict[str, Any] = json.loads(done.stdout)
    assert came.keys() == {node.name for node in functions}
    assert came["write_beside_file"].startswith("OSError: [Errno 30]")
    assert came["write_in_prefix"].startswith("OSError: [Errno 30]")
    assert came["database_beside_file"] == "OperationalError: attempt to write a readonly database"
    assert came["relative_path"].startswith("FileNotFoundError")
    assert came["program_folder"] == str(executable.parent)
    assert came["main_file"].startswith("AttributeError")
    assert came["child_option"] == "the application's own help\n"
    assert came["child_module"] == [1, ""]
    assert "Error" in str(came["install_packages"])
    assert came["site_packages"] is False
    assert came["virtual_environment"] is True
    assert came["frozen"] is True
    assert came["meipass"].startswith("AttributeError")
    assert came["left_out_module"].startswith("ModuleNotFoundError")
    assert came["missing_module"].startswith("ModuleNotFoundError")
