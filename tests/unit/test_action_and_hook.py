"""The action and the hook that other repositories use: valid, pinned, every name in them is there, and what they run is sound."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import workflows
from ruamel.yaml import YAML
from tools import need

from oxcross import targets

FILE = workflows.REPOSITORY / "action.yml"
TEXT = FILE.read_text(encoding="utf-8")
ACTION = workflows.parse(TEXT)
STEPS = ACTION["runs"]["steps"]
BESIDE = Path(sys.executable).parent


def checked(*line: object, text: str | None = None) -> None:
    words = [str(word) for word in line]
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_the_action_is_one() -> None:
    checked(BESIDE / "check-jsonschema", "--builtin-schema", "vendor.github-actions", FILE)
    checked(BESIDE / "zizmor", "--offline", "--persona=pedantic", "--no-progress", FILE)


def test_actions_are_pinned_as_in_the_workflows() -> None:
    pinned = {
        one
        for path in workflows.FILES
        for one in re.findall(r"uses: (.*@.*)", path.read_text(encoding="utf-8"))
    }
    used = re.findall(r"^ *- uses: (.*)$", TEXT, re.MULTILINE)
    assert used
    assert set(used) <= pinned


def test_every_name_is_there() -> None:
    outputs = {name: one["value"] for name, one in ACTION["outputs"].items()}
    called = {"on": {"workflow_call": {"inputs": ACTION["inputs"]}}}
    job = {"steps": STEPS, "outputs": outputs}
    assert list(workflows.dangling({**called, "jobs": {"action": job}})) == []
    used = {names[0] for context, names in workflows.references(STEPS) if context == "inputs"}
    assert used == set(ACTION["inputs"])


@pytest.mark.parametrize("step", [one for one in STEPS if "run" in one], ids=lambda one: one["name"])
def test_scripts(step: dict[str, Any]) -> None:
    need(shellcheck="shellcheck")
    assert "${{" not in step["run"]
    given = sorted({"GITHUB_ACTION_PATH", "GITHUB_OUTPUT", "RUNNER_TEMP", *step["env"]})
    lines = [f'export {name}="${{1:-}}"' for name in given]
    script = "\n".join(["#!/bin/bash", "set -eo pipefail", *lines, step["run"]])
    checked("shellcheck", "--shell=bash", "--enable=check-unassigned-uppercase", "-", text=script)


def test_the_example_of_the_page() -> None:
    page = (workflows.REPOSITORY / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```yaml\n(- uses: OWNER/oxcross@.*?)```", page, re.DOTALL)
    [step] = YAML(typ="safe").load(text)
    assert step["with"].keys() <= ACTION["inputs"].keys()
    assert "oxcross-check" in page


HEAD = '[project]\nname = "app"\nversion = "1.0"\n[tool.oxcross]\nrun-file = "app.py"\n'


def hook(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the hook runs, in a repository."""
    [found] = YAML(typ="safe").load(
        (workflows.REPOSITORY / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    )
    assert found.keys() == {"id", "name", "description", "entry", "language", "files", "pass_filenames"}
    assert re.search(found["files"], "some/where/pyproject.toml")
    assert not re.search(found["files"], "pyproject.toml.j2")
    program, *arguments = shlex.split(found["entry"])
    assert program == "oxcross"
    env = {**os.environ, "PYTHONPATH": str(workflows.REPOSITORY)}
    line = [sys.executable, "-m", program, *arguments]
    return subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_hook_and_a_right_configuration(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(HEAD, encoding="utf-8")
    (tmp_path / "app.py").touch()
    done = hook(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"app 1\.0: app\.py, with CPython 3\.13\.\d+, for linux-x64\n", done.stdout)


def test_the_hook_and_a_wrong_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'{HEAD}targets = ["linux-x46"]\n', encoding="utf-8")
    done = hook(tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no file 'app.py'" in done.stderr
    assert "there is no target 'linux-x46'" in done.stderr


def test_check_as_json(tmp_path: Path) -> None:
    text = f'{HEAD}targets = {json.dumps(list(targets.load()))}\ncommands = {{ serve = {{ run-module = "http.server" }} }}\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    (tmp_path / "app.py").touch()
    line = [sys.executable, "-m", "oxcross", "check", "--json", "--project", str(tmp_path)]
    done = subprocess.run(line, cwd=workflows.REPOSITORY, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert found.pop("python").startswith("3.13.")
    assert found == {
        "name": "app",
        "version": "1.0",
        "targets": list(targets.load()),
        "runs": {"kind": "file", "value": "app.py"},
        "commands": ["serve"],
    }
