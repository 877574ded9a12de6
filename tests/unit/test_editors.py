"""The schema in the programs that it is for: Taplo, which editors ask, and validate-pyproject."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from oxcross.config import reference, schema

ROOT = Path(__file__).parents[2]
BESIDE = Path(sys.executable).parent
GOOD = """\
[project]
name = "app"
version = "1.0"

[tool.other]
key = 1

[tool.oxcross]
entry-point = "app.cli:main"
targets = ["linux-x64", "win-x64"]
data = ["assets/**", { from = "a", to = "b" }]
commands = { serve = "app.cli:serve" }

[tool.oxcross.windows]
subsystem = "windows"

[tool.oxcross.target.win-x64]
compression = "zstd"
"""
# What is wrong, and a word of what both programs say of it.
BAD = [
    ('entry-point = "app.cli:main"', 'entry-pont = "app.cli:main"', "entry-pont"),
    ('subsystem = "windows"', 'subsystem = "window"', "window"),
    ('compression = "zstd"', 'compression = "zip"', "compression"),
    ('targets = ["linux-x64", "win-x64"]', "targets = 1", "targets"),
]


def pyproject(folder: Path, old: str = "", new: str = "") -> Path:
    assert old in GOOD
    path = folder / "pyproject.toml"
    path.write_text(GOOD.replace(old, new) if old else GOOD, encoding="utf-8")
    return path


def taplo(folder: Path) -> subprocess.CompletedProcess[str]:
    """`taplo lint`, set up as docs/configuration.md says."""
    page = reference.page()
    [rule] = [block for block in page.split("```toml\n")[1:] if block.startswith("[[rule]]")]
    (folder / ".taplo.toml").write_text(rule.partition("```")[0], encoding="utf-8")
    line = [sys.executable, "-m", "oxcross", "schema", "--pyproject"]
    made = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (folder / "oxcross.schema.json").write_text(made, encoding="utf-8")
    return subprocess.run(
        [BESIDE / "taplo", "lint", "--colors", "never"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def validate_pyproject(folder: Path, file: Path) -> subprocess.CompletedProcess[str]:
    """validate-pyproject where oxcross is installed: a checkout has no entry points of its own, so they are written as an installer does."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    lines = [
        line
        for group, names in points.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in names.items()))
    ]
    installed = folder / "site/oxcross-0.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: oxcross\nVersion: 0.1.0\n", encoding="utf-8"
    )
    return subprocess.run(
        [BESIDE / "validate-pyproject", file],
        env={**os.environ, "PYTHONPATH": f"{folder / 'site'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_taplo_takes_what_is_right(tmp_path: Path) -> None:
    pyproject(tmp_path)
    done = taplo(tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("old", "new", "says"), BAD)
def test_taplo_refuses_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    pyproject(tmp_path, old, new)
    done = taplo(tmp_path)
    assert done.returncode == 1
    assert says in done.stderr


def test_validate_pyproject_takes_what_is_right(tmp_path: Path) -> None:
    done = validate_pyproject(tmp_path, pyproject(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "Valid file" in done.stdout


@pytest.mark.parametrize(("old", "new", "says"), BAD)
def test_validate_pyproject_refuses_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    done = validate_pyproject(tmp_path, pyproject(tmp_path, old, new))
    assert done.returncode == 1
    assert "tool.oxcross" in done.stdout + done.stderr
    assert says in done.stdout + done.stderr


def test_this_repository_s_own(tmp_path: Path) -> None:
    assert validate_pyproject(tmp_path, ROOT / "pyproject.toml").returncode == 0
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    assert taplo(tmp_path).returncode == 0


def test_both_schemas_cannot_be_printed_at_once() -> None:
    line = [sys.executable, "-m", "oxcross", "schema", "--pyproject", "--manifest"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "these are two schemas" in done.stderr


def described(document: dict[str, Any]) -> list[str]:
    """The keys without a description, of their own or of the table that they are."""
    tables = document["$defs"]
    lacking = []
    for name, table in {"tool.oxcross": document, **tables}.items():
        assert table["title"]
        for key, node in table.get("properties", {}).items():
            nodes = [node, *node.get("anyOf", ())]
            texts = [
                tables[one["$ref"].rpartition("/")[2]].get("description") for one in nodes if "$ref" in one
            ]
            if not any([node.get("description"), *texts]):
                lacking.append(f"{name}.{key}")
    return lacking


def test_every_key_is_described() -> None:
    document = schema.json_schema()
    assert described(document) == []
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    del document["properties"]["python"]["description"]
    assert described(document) == ["tool.oxcross.python"]


def test_examples_are_valid() -> None:
    found = {
        key: node["examples"]
        for key, node in schema.json_schema()["properties"].items()
        if "examples" in node
    }
    assert {"entry-point", "targets"} <= found.keys()
    for key, values in found.items():
        for value in values:
            schema.Config.model_validate({key: value})
