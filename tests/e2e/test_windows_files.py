"""Files below the executable on Windows: one application of checks, built once for each compression."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
import zipfile
from pathlib import Path

import pytest
from program import APPS, build

from oxcross import runner, targets

SOURCE = APPS / "winfiles"
TARGET = "win-x64"


def _build(folder: Path, settings: str = "") -> Path:
    """The application with the data that a program has to make."""
    project = folder / "winfiles"
    shutil.copytree(SOURCE, project)
    with (project / "pyproject.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(settings)
    data = project / "src" / "winfiles_app" / "data"
    (data / "big.bin").write_bytes(bytes(range(250)) * 20_000)
    with zipfile.ZipFile(data / "archive.zip", "w") as archive:
        archive.writestr("inner.txt", "inner\n")
    with zipfile.ZipFile(data / "modules.zip", "w") as archive:
        archive.writestr("zipped_module.py", "VALUE = 42\n")
    base = sqlite3.connect(data / "base.db")
    base.execute("create table words (word text)")
    base.executemany("insert into words values (?)", [("one",), ("two",), ("three",)])
    base.commit()
    base.close()
    return build(project, target=TARGET)


def _names() -> list[str]:
    return [
        name
        for module in sorted((SOURCE / "src" / "winfiles_app").glob("*.py"))
        for name in re.findall(r"^def check_(\w+)", module.read_text(encoding="utf-8"), re.MULTILINE)
    ]


def _windows_path(path: Path) -> str:
    """The path of a file of this machine as Wine's programs see it."""
    return "Z:" + str(path).replace("/", "\\")


def _checked(scratch: Path, executable: Path) -> dict[str, str | None]:
    """What came of the checks: None, or the traceback."""
    scratch.mkdir()
    row = targets.get(TARGET)
    done = subprocess.run(
        runner.line(row, executable),
        env={**runner.environment(row), "FILES_SCRATCH": _windows_path(scratch)},
        cwd=scratch,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    folder = tmp_path_factory.mktemp("winfiles")
    return _checked(folder / "scratch", _build(folder))


@pytest.mark.parametrize("name", _names())
def test_check(results: dict[str, str | None], name: str) -> None:
    assert results[name] is None, results[name]


def test_compressed(tmp_path: Path) -> None:
    """The same, with files that must be decoded."""
    results = _checked(tmp_path / "scratch", _build(tmp_path, 'compression = "zstd"\n'))
    assert sorted(results) == sorted(_names())
    assert {name: text for name, text in results.items() if text} == {}


def test_a_path_with_other_letters(tmp_path: Path) -> None:
    """The executable's own path has what no code page has."""
    folder = tmp_path / "gr\N{LATIN SMALL LETTER U WITH DIAERESIS}n \N{SNOWMAN} \N{GRINNING FACE}"
    folder.mkdir()
    executable = Path(shutil.copy(_build(tmp_path), folder / "app \N{SNOWMAN}.exe"))
    results = _checked(tmp_path / "scratch", executable)
    assert {name: text for name, text in results.items() if text} == {}
