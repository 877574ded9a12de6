"""The workflows: valid, pinned, with no more rights than they need; every name in them is there; their scripts are sound."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import workflows
from tools import need

NAMES = [path.name for path in workflows.FILES]
BESIDE = Path(sys.executable).parent
# What scripts may read besides what their step gives them, and what they set themselves.
GIVEN = {"GITHUB_OUTPUT", "RUNNER_TEMP", "HOME"}
PAGE = (workflows.REPOSITORY / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
EXAMPLES = [text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "jobs:" in text]


def checked(*line: str, text: str | None = None) -> None:
    done = subprocess.run(line, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_there_are_workflows() -> None:
    assert {"release.yml", "reproduce.yml", "test.yml"} <= set(NAMES)


@pytest.mark.parametrize("path", workflows.FILES, ids=NAMES)
def test_schema(path: Path) -> None:
    checked(str(BESIDE / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))


@pytest.mark.parametrize("path", workflows.FILES, ids=NAMES)
def test_audit(path: Path) -> None:
    checked(str(BESIDE / "zizmor"), "--offline", "--persona=pedantic", "--no-progress", str(path))


@pytest.mark.parametrize("name", NAMES)
def test_scripts(name: str) -> None:
    need(shellcheck="shellcheck")
    for job, _, step in workflows.steps(workflows.load(name)):
        if "run" not in step:
            continue
        assert "${{" not in step["run"], f"{job}: what is put into a script can be a script"
        shellchecked(step)


def test_a_variable_that_nothing_sets_is_found() -> None:
    shellchecked({"run": 'echo "$NAME"', "env": {"NAME": ""}})
    with pytest.raises(AssertionError, match="NAME is referenced but not assigned"):
        shellchecked({"run": 'echo "$NAME"'})


def shellchecked(step: Mapping[str, Any]) -> None:
    checked("shellcheck", "--shell=bash", "--enable=check-unassigned-uppercase", "-", text=preamble(step))


def preamble(step: Mapping[str, Any]) -> str:
    """The script after what sets its variables, as the runner starts it."""
    given = sorted({*GIVEN, *step.get("env", {})})
    lines = [f'export {name}="${{1:-}}"' for name in given]
    return "\n".join(["#!/bin/bash", "set -eo pipefail", *lines, step["run"]])


@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_there(name: str) -> None:
    assert list(workflows.dangling(workflows.load(name))) == []


def test_names_that_are_not_there_are_found() -> None:
    text = """
on: {workflow_call: {inputs: {one: {type: string}}, outputs: {out: {value: "${{ jobs.a.outputs.no }}"}}}}
concurrency: ${{ inputs.no }}
jobs:
  a:
    needs: [b, c]
    if: inputs.two && 'inputs.text'
    outputs: {x: "${{ steps.later.outputs.x }}"}
    steps:
      - run: echo
        env: {A: "${{ inputs.one }}", B: "${{ steps.later.outputs.x }}", C: "${{ needs.b.outputs.no }}"}
      - {id: later, run: echo, env: {A: "${{ secrets.no }}", B: "${{ matrix.no }}"}}
  b: {}
"""
    assert sorted(workflows.dangling(workflows.parse(text))) == [
        "a: inputs.two",
        "a: matrix.no",
        "a: needs c",
        "a: needs.b.outputs.no",
        "a: secrets.no",
        "a: steps.later.outputs.x",
        "output out: jobs.a.outputs.no",
        "the workflow: inputs.no",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_inputs_and_secrets_are_used(name: str) -> None:
    workflow = workflows.load(name)
    used = {(context, names[0]) for context, names in workflows.references(workflow)}
    for part in ("inputs", "secrets"):
        assert [one for one in workflows.call(workflow, part) if (part, one) not in used] == []


@pytest.mark.parametrize("name", NAMES)
def test_pinned_and_with_few_rights(name: str) -> None:
    text = (workflows.REPOSITORY / ".github" / "workflows" / name).read_text(encoding="utf-8")
    used = re.findall(r"^ *(?:- )?uses: (.*)$", text, re.MULTILINE)
    assert used
    for one in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one), one
    workflow = workflows.load(name)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job_name, job in workflow["jobs"].items():
        assert job["timeout-minutes"] <= 300, job_name
        assert job.get("permissions") != "write-all", job_name
    for job_name, job, step in workflows.steps(workflow):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, job_name
            rights = job.get("permissions", workflow["permissions"])
            assert rights.get("contents") == "read", f"{job_name}: what checks out must not write"


def test_one_action_one_version() -> None:
    found: dict[str, set[str]] = {}
    for path in workflows.FILES:
        for action, version in re.findall(r"uses: ([\w/-]+)@(.*)", path.read_text(encoding="utf-8")):
            found.setdefault(action, set()).add(version)
    assert {action: versions for action, versions in found.items() if len(versions) > 1} == {}


def test_what_has_secrets_of_the_cloud_builds_nothing() -> None:
    for job_name, job, step in workflows.steps(workflows.load("release.yml")):
        secret = {names[0] for context, names in workflows.references(step) if context == "secrets"}
        if job.get("permissions", {}).get("id-token") or any(one.startswith("AWS_") for one in secret):
            script = step.get("run", "")
            assert "oxcross build" not in script, job_name
            assert "oxcross release" not in script, job_name


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_the_page(text: str, tmp_path: Path) -> None:
    """A caller's names are those of the workflow, and it grants all that the jobs ask for."""
    path = tmp_path / "caller.yml"
    path.write_text(text, encoding="utf-8")
    checked(str(BESIDE / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", str(path))
    for job in workflows.parse(text)["jobs"].values():
        found = re.fullmatch(r"OWNER/oxcross/\.github/workflows/([\w.-]+)@v[\d.]+", job["uses"])
        assert found
        workflow = workflows.load(found[1])
        assert set(job.get("with", {})) <= set(workflows.call(workflow, "inputs"))
        assert set(job.get("secrets", {})) <= set(workflows.call(workflow, "secrets"))
        wanted: dict[str, str] = {}
        for called in workflow["jobs"].values():
            for right, level in called.get("permissions", {}).items():
                wanted[right] = "write" if "write" in (level, wanted.get(right)) else level
        assert job["permissions"] == wanted
