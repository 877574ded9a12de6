"""The scripts of the workflows, run by bash as a runner starts them, on a real project: planned, built, released, published, reproduced."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import s3server
import workflows
from disturbed import ENVIRONMENT
from gits import commit, repository
from program import APPS, REPOSITORY

from oxcross.store import Store

CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")

# What the job that releases is given where nothing is signed.
UNSIGNED = {"ENVIRONMENT": "", "OXCROSS_SIGNING_KEY": "", "OXCROSS_SIGNING_PASSWORD": ""}


@dataclass
class Runner:
    """A machine of its own for a job: a home, a store, a folder for what is temporary."""

    checkout: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    said: str = ""

    @property
    def temp(self) -> Path:
        return self.home / "temp"

    def run(
        self, workflow: str, job: str, step: str, given: Mapping[str, str], *, status: int = 0
    ) -> dict[str, str]:
        """Run a step's script with the values for its variables; its outputs."""
        [found] = [
            one for name, _, one in workflows.steps(workflows.load(workflow))
            if name == job and step in (one.get("id"), one.get("name"))
        ]  # fmt: skip
        assert set(found.get("env", {})) == set(given)
        self.temp.mkdir(parents=True, exist_ok=True)
        script = self.home / "script"
        script.write_text(found["run"], encoding="utf-8")
        outputs = self.home / "outputs"
        outputs.write_text("", encoding="utf-8")
        tools = self.home / "bin"
        tools.mkdir(exist_ok=True)
        program = tools / "oxcross"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m oxcross "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.checkout,
            env={
                "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
                "PYTHONPATH": str(REPOSITORY),
                "HOME": str(self.home),
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_OUTPUT": str(outputs),
                **{name: value for name, value in os.environ.items() if name == "OXCROSS_MIRROR"},
                **self.env,
                **given,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        self.said = done.stdout + done.stderr
        assert done.returncode == status, self.said
        lines = outputs.read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a project in a folder whose name a shell would take apart."""
    top = tmp_path / "checkout"
    ignored = shutil.ignore_patterns("build", "dist", "oxcross.lock")
    shutil.copytree(APPS / "hello", top / "my app", ignore=ignored)
    (top / ".gitignore").write_text("build/\ndist/\n", encoding="utf-8")
    repository(top)
    return top


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3server.Server]:
    with s3server.running(tmp_path_factory.mktemp("server")) as server:
        with closing(server.client()) as client:
            client.create_bucket(Bucket="releases")
        yield server


def change(checkout: Path, old: str, new: str) -> None:
    path = checkout / "my app" / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    commit(checkout)


def test_matrix(checkout: Path, tmp_path: Path) -> None:
    """A job for each target builds; the last one has all of it, and builds nothing."""
    change(checkout, 'targets = ["linux-x64"]', 'targets = ["linux-x64", "linux-x64-musl"]')
    project = {"PROJECT": "my app"}
    first = Runner(checkout, tmp_path / "plan")
    planned = first.run("release.yml", "plan", "plan", {**project, "TARGETS": ""})
    assert json.loads(planned["targets"]) == ["linux-x64", "linux-x64-musl"]
    only = first.run("release.yml", "plan", "plan", {**project, "TARGETS": "linux-x64-musl"})
    assert json.loads(only["targets"]) == ["linux-x64-musl"]
    last = Runner(checkout, tmp_path / "release")
    (last.temp / "stores").mkdir(parents=True)
    for target in json.loads(planned["targets"]):
        runner = Runner(checkout, tmp_path / target)
        provide(target, runner.home / ".cache" / "oxcross" / "store", checkout / "my app")
        given = {**project, "TARGET": target, "ENVIRONMENT": "ONE=1\nTWO=a b\n"}
        step = "Build the target, and pack what other jobs can take of it"
        runner.run("release.yml", "steps", step, given)
        assert "building" not in runner.said
        (runner.temp / f"store-{target}.tar").rename(last.temp / "stores" / f"store-{target}.tar")
    last.run("release.yml", "release", "take", {})
    outputs = last.run("release.yml", "release", "release", {**project, **UNSIGNED, "TARGETS": ""})
    assert "building" not in last.said
    assert outputs == {"version": "1.0", "folder": "dist/hello/1.0"}
    names = {path.name for path in (checkout / "my app" / outputs["folder"]).iterdir()}
    assert {"hello-1.0-linux-x64", "hello-1.0-linux-x64-musl", "SHA256SUMS", "manifest.json"} <= names


def provide(target: str, folder: Path, project: Path) -> None:
    """What a cache would bring: the steps of that target, of the store that the tests have."""
    from oxcross import wanted
    from oxcross.plan import Plan

    [view] = wanted.select(str(project), target)
    with Store() as store, Store(folder) as other:
        keys = {step.key for step in Plan.of(wanted.known_steps(view, store)).steps}
        store.copy_to(other, lambda item: item.key in keys)


def test_release_publish_reproduce(checkout: Path, tmp_path: Path, server: s3server.Server) -> None:
    table = f'[tool.oxcross.publish]\nbucket = "releases"\nendpoint = "{server.address}"\n[tool.oxcross]'
    change(checkout, "[tool.oxcross]", table)
    secrets = {"KEY_ID": ENVIRONMENT[CREDENTIALS[0]], "KEY": ENVIRONMENT[CREDENTIALS[1]], "TOKEN": ""}
    quiet = {name: value for name, value in ENVIRONMENT.items() if name not in CREDENTIALS}
    runner = Runner(checkout, tmp_path / "runner", quiet)
    provide("linux-x64", runner.home / ".cache" / "oxcross" / "store", checkout / "my app")
    project = {"PROJECT": "my app"}
    again = {**project, **secrets, "VERSION": "", "TARGETS": "", "REBUILD": ""}
    assert runner.run("reproduce.yml", "reproduce", "reproduce", again) == {}
    assert "nothing is published yet" in runner.said

    given = {**project, **UNSIGNED, "TARGETS": "linux-x64"}
    outputs = runner.run("release.yml", "release", "release", given)
    folder = checkout / "my app" / outputs["folder"]
    moved = tmp_path / "artifact"  # the jobs behind it have the artifact only, and no rights of files
    shutil.move(checkout / "my app" / "dist", moved)
    for path in moved.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    sums = ["sha256sum", "--check", "--strict", "SHA256SUMS"]  # what is attested is what is there
    subprocess.run(sums, cwd=moved / "hello" / "1.0", check=True, capture_output=True)
    shutil.copytree(moved, checkout / "my app" / "dist")
    given = {**project, "CHANNEL": "", **secrets, "KEY_ID": "", "KEY": ""}
    runner.run("release.yml", "publish", "publish", given, status=10)
    assert "credentials" in runner.said
    runner.run("release.yml", "publish", "publish", {**project, "CHANNEL": "stable", **secrets})
    assert "channels/stable.json" in runner.said
    shutil.rmtree(folder)

    assert runner.run("reproduce.yml", "reproduce", "reproduce", again) == {"version": "1.0"}
    report: dict[str, Any] = json.loads((runner.temp / "reproduce.json").read_text(encoding="utf-8"))
    assert report["same"]
    given = {**again, "VERSION": "1.0", "TARGETS": "linux-x64"}
    assert runner.run("reproduce.yml", "reproduce", "reproduce", given) == {"version": "1.0"}

    change(checkout, 'version = "1.0"', 'version = "1.1"')
    (checkout / "my app" / "hello.py").write_text("print('in no commit')\n", encoding="utf-8")
    runner.run("release.yml", "release", "release", {**project, **UNSIGNED, "TARGETS": ""})
    runner.run("release.yml", "publish", "publish", {**project, "CHANNEL": "", **secrets})
    assert runner.run("reproduce.yml", "reproduce", "reproduce", again, status=12) == {"version": "1.1"}
    report = json.loads((runner.temp / "reproduce.json").read_text(encoding="utf-8"))
    assert not report["same"]
    assert (checkout / "my app" / "build" / "reproduce" / "1.1" / "hello-1.1-linux-x64").is_file()


def test_release_on_github(checkout: Path, tmp_path: Path) -> None:
    """GitHub itself is not here: what its program would be asked for is."""
    runner = Runner(checkout, tmp_path / "runner")
    (runner.home / "bin").mkdir(parents=True)
    gh = runner.home / "bin" / "gh"
    gh.write_text('#!/bin/sh\nprintf "<%s>" "$@"\n', encoding="utf-8")
    gh.chmod(0o755)
    (checkout / "dist" / "hello" / "1.0").mkdir(parents=True)
    for name in ("SHA256SUMS", "hello-1.0-linux-x64"):
        (checkout / "dist" / "hello" / "1.0" / name).write_text("", encoding="utf-8")
    given = {"FOLDER": "dist/hello/1.0", "GH_REPO": "o/r", "GH_TOKEN": "t", "TAG": "v1.0; ls"}
    runner.run("release.yml", "github-release", "create", given)
    assert re.sub("^.*?--title", "--title", runner.said) == (
        "--title><v1.0; ls><--generate-notes><dist/hello/1.0/SHA256SUMS><dist/hello/1.0/hello-1.0-linux-x64>"
    )
    assert runner.said.startswith("<release><create><v1.0; ls><--verify-tag>")
