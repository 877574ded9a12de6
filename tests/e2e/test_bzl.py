"""PyOxidizer's configuration files of several kinds, built and run for linux-x64; and what they migrate to."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from program import HERE, oxcross

from oxcross.bzl import NAME

INPUTS = HERE / "inputs" / "bzl"
TRIPLE = "x86_64-unknown-linux-gnu"
# What each prints, and the target that it is built as.
SAID = {
    "hello": ("install", "hello from PyOxidizer's file\n"),
    "wheels": ("exe", "&lt;b&gt;\n"),
    "requirements": ("exe", "LOUD WORDS\n"),
    "package_root": ("exe", "good morning, world\n"),
    "callback": (
        "exe",
        "{'six': True, 'app.secret': False, 'app.tests': False, 'wave': False}\n['data.txt'] None\n[]\n",
    ),
    "interpreter": (
        "exe",
        (
            "{'dev': True, 'seed': 1, 'bytes': 1, 'optimize': 1, 'x': 'yes', 'meipass': True, 'frozen': False, "
            "'faulthandler': True, 'isolated': 1, 'paths': ['plugins', 'more']}\n"
        ),
    ),
    "targets": ("install", "one and another\n"),
    "manifest": ("install", "all about it\n\n"),
    "windows": ("exe", "linux\n"),
    "beside": ("exe", "lib/plugin/__init__\nlib/made\nlib/markupsafe/_speedups\nbeside/main.py\n"),
    "setup_py": ("exe", "2.5 1.17.0 a piece\n"),
    "project": ("exe", "4.2 1.17.0 True\n"),
    "filter": ("exe", "['decimal']\n"),
}


def _copied(name: str, folder: Path) -> Path:
    return Path(shutil.copytree(INPUTS / name, folder / name))


def _build(*words: str) -> list[dict[str, Any]]:
    done = oxcross("build", *words, "--json")
    assert done.returncode == 0, done.stderr[-8000:]
    found: list[dict[str, Any]] = json.loads(done.stdout)["artifacts"]
    return found


def _run(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SAID)
def test_builds_and_runs(name: str, tmp_path: Path) -> None:
    goal, said = SAID[name]
    folder = _copied(name, tmp_path)
    path = Path(_build("--path", str(folder))[-1]["path"])
    assert path.is_relative_to(folder / "build" / TRIPLE / "release" / goal)
    assert _run(path, *(["loud", "words"] if name == "requirements" else [])) == said


def test_variables_and_where_it_is_built(tmp_path: Path) -> None:
    folder = _copied("variables", tmp_path)
    words = ("exe", "--path", str(folder), "--release", "--var", "DEBUG", "yes", "--var=APP_NAME=other")
    env = {"SOME_HOME": "/somewhere"}
    done = oxcross("build", *words, "--var-env", "HOME_OF", "SOME_HOME", "--json", env=env)
    assert done.returncode == 0, done.stderr
    path = folder / "out" / TRIPLE / "release" / "exe" / "other"
    assert json.loads(done.stdout)["artifacts"][0]["path"] == str(path)
    assert _run(path) == (
        f"{{'app': 'other', 'debug': True, 'triple': '{TRIPLE}', 'linux': True, 'file': '{NAME}', "
        "'below': True, 'context': 'Context', 'home': '/somewhere'}\n"
    )


def test_files_around_the_executable(tmp_path: Path) -> None:
    folder = _copied("manifest", tmp_path)
    _build("--path", str(folder))
    made = folder / "build" / TRIPLE / "release" / "install"
    paths = {
        path.relative_to(made).as_posix(): os.access(path, os.X_OK)
        for path in made.rglob("*")
        if path.is_file()
    }
    assert paths == {
        "ABOUT": False,
        "bin/manifest": True,
        "icons/app.svg": False,
        "lib/helper.py": False,
        "share/about.txt": False,
        "share/icons/app.svg": False,
        "share/licences/LICENSE": False,
        "start": True,
    }
    assert _run(made / "start") == "all about it\n\n"
    assert (folder / "build/copy/bin/manifest").read_bytes() == (made / "bin/manifest").read_bytes()


def test_what_lies_outside_of_the_build_path_stays(tmp_path: Path) -> None:
    folder = _copied("manifest", tmp_path)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/precious").write_text("")
    text = (folder / NAME).read_text(encoding="utf-8")
    (folder / NAME).write_text(text.replace('install("copy")', 'install("../../elsewhere")'))
    _build("--path", str(folder))
    assert (tmp_path / "elsewhere/precious").exists()
    assert (tmp_path / "elsewhere/start").exists()


def test_run_starts_what_the_target_makes(tmp_path: Path) -> None:
    folder = _copied("targets", tmp_path)
    done = oxcross("run", "exe", "--path", str(folder), "--", "an", "argument")
    assert (done.returncode, done.stdout) == (0, "one\n"), done.stderr


def test_built_for_windows(tmp_path: Path) -> None:
    folder = _copied("windows", tmp_path)
    [artifact] = _build("--path", str(folder), "--target-triple", "x86_64-pc-windows-msvc")
    assert artifact["path"].endswith("build/x86_64-pc-windows-msvc/release/exe/windows.exe")
    assert artifact["target"] == "win-x64"


def test_what_was_resolved_lies_beside_the_file(tmp_path: Path) -> None:
    folder = _copied("wheels", tmp_path)
    _build("--path", str(folder))
    lock = (folder / "oxcross.lock").read_bytes()
    assert b"markupsafe==3.0.2" in lock
    assert b"six==1.17.0" in lock
    _build("--path", str(folder))
    assert (folder / "oxcross.lock").read_bytes() == lock


@pytest.mark.parametrize(
    "name",
    ["hello", "wheels", "requirements", "package_root", "callback", "interpreter", "setup_py", "project"],
)
def test_migrated_it_is_the_same_executable(name: str, tmp_path: Path) -> None:
    folder = _copied(name, tmp_path)
    [read] = _build("--path", str(folder))
    done = oxcross("migrate", "--path", str(folder), "--write")
    assert (done.returncode, done.stdout) == (0, f"written: {folder / 'pyproject.toml'}\n"), done.stderr
    [migrated] = _build("--project", str(folder))
    assert Path(migrated["path"]).parent == folder / "build" / "linux-x64"
    assert migrated["sha256"] == read["sha256"]


def test_what_has_no_equal_is_a_comment(tmp_path: Path) -> None:
    said = {
        name: oxcross("migrate", "--path", str(_copied(name, tmp_path))).stdout.splitlines()[0]
        for name in ("beside", "targets", "manifest")
    }
    assert said == {
        "beside": "# what lay beside the executable, in lib, lies in it",
        "targets": "# another executable, a project of its own: other",
        "manifest": "# a file beside the executable, which is for your own packaging: share/about.txt",
    }


def test_requirement_that_cannot_be_had_names_the_line(tmp_path: Path) -> None:
    folder = _copied("requirements", tmp_path)
    (folder / "requirements.txt").write_text("six==0.0.999\n")
    done = oxcross("build", "--path", str(folder))
    assert done.returncode == 4
    assert f"asked for by {folder / NAME}:7: in make_exe" in done.stderr
