"""The rooms are found in a checkout and in a wheel, and bring along only what a build reads."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from oxcross import rooms

REPOSITORY = Path(__file__).resolve().parents[2]


def test_rooms_of_the_checkout() -> None:
    for name in ("templates", "images", "launcher"):
        assert rooms.room(name) == REPOSITORY / name
        assert rooms.files(name)
    assert "resources.h" in rooms.files("launcher")
    assert "cpython.sh.j2" in rooms.files("templates")


def test_what_is_aside_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("main.c", "deep/a.c", "fuzz/f.c", "tests/t.c", ".hidden/x.c", "main.o", ".main.c.swp"):
        path = tmp_path / "launcher" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    monkeypatch.setattr(rooms, "_PACKAGE", tmp_path / "oxcross")
    assert rooms.files("launcher") == {"deep/a.c": b"deep/a.c", "main.c": b"main.c"}


def test_an_installation_without_rooms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "_PACKAGE", tmp_path / "oxcross")
    with pytest.raises(FileNotFoundError, match="has no templates/"):
        rooms.room("templates")
    with pytest.raises(FileNotFoundError, match="has no LICENSE"):
        rooms.licence()
    with pytest.raises(FileNotFoundError, match=r"has no docs/errors\.md"):
        rooms.errors_page()


def test_the_wheel_s_rooms(tmp_path: Path) -> None:
    """What pyproject.toml forces into the wheel is where rooms.py looks in an installation."""
    script = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from oxcross import rooms
assert Path(rooms.__file__).is_relative_to(sys.argv[1])
assert rooms.licence().startswith("MIT License")
assert rooms.errors_page().startswith("# Errors")
print(rooms.room("launcher"), len(rooms.files("templates")))
"""
    import tomllib

    forced = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    table = forced["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    archive = tmp_path / "wheel.zip"
    with zipfile.ZipFile(archive, "w") as wheel:
        for source, target in {"oxcross": "oxcross", **table}.items():
            for path in (REPOSITORY / source, *(REPOSITORY / source).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    wheel.write(path, Path(target) / path.relative_to(REPOSITORY / source))
    with zipfile.ZipFile(archive) as wheel:
        wheel.extractall(tmp_path / "site")
    line = [sys.executable, "-P", "-c", script, str(tmp_path / "site")]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "site/oxcross/_rooms/launcher"))
