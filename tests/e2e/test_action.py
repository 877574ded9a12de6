"""The script of the action that builds, run by bash as a runner starts it, on a project whose folder has a space in its name."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import workflows
from program import APPS, REPOSITORY


@pytest.mark.parametrize("targets", ["", "linux-x64"])
def test_what_the_action_builds_runs(tmp_path: Path, targets: str) -> None:
    ignored = shutil.ignore_patterns("build", "dist", "oxcross.lock")
    shutil.copytree(APPS / "hello", tmp_path / "my app", ignore=ignored)
    program = tmp_path / "bin" / "oxcross"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m oxcross "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    action = workflows.parse((REPOSITORY / "action.yml").read_text(encoding="utf-8"))
    [step] = [one for one in action["runs"]["steps"] if one.get("id") == "build"]
    outputs = tmp_path / "outputs"
    env = {
        **os.environ,
        "PATH": f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(REPOSITORY),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(outputs),
    }
    given = {"PROJECT": "my app", "TARGETS": targets}
    assert step["env"].keys() == given.keys()
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=tmp_path,
        env=env | given,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    name, _, value = outputs.read_text(encoding="utf-8").partition("=")
    assert name == "files"
    [file] = json.loads(value)
    said = subprocess.run([file], capture_output=True, text=True, check=True).stdout
    assert said == "hello world\n"
