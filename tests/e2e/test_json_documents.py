"""What tasks print with --json after real builds and from a real bucket is what their help tells of; tests/unit/test_json.py has the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import disturbed
import publishing
import pytest
from disturbed import ENVIRONMENT, Place
from gits import repository
from program import oxcross
from shapes import assert_told


def told(task: str, *arguments: str, status: int = 0, env: dict[str, str] | None = None) -> dict[str, Any]:
    """The document of a task, which is all of stdout."""
    done = oxcross(task, *arguments, "--json", env=env)
    assert done.returncode == status, done.stderr[-4000:]
    document: dict[str, Any] = json.loads(done.stdout)
    assert_told(task, document, failed=status != 0)
    return document


def test_of_a_build(project: Callable[..., Path], tmp_path: Path) -> None:
    folder = project("hello")
    (folder / ".gitignore").write_text("build/\ndist/\n", encoding="utf-8")
    repository(folder)
    here = ("--project", str(folder))
    path = told("build", *here)["artifacts"][0]["path"]
    released = told("release", *here)
    told("inspect", path)
    assert "imports" in told("analyze", "--executable", path, "--start")
    told("analyze", "--executable", path)
    assert told("diff", path, path)["differences"][0]["changes"] == []
    assert told("reproduce", released["version"], "--from", "dist", *here)["same"]
    told("clean", *here)


def test_of_what_breaks_its_promises(project: Callable[..., Path], tmp_path: Path) -> None:
    """What was found is told, with the error beside it."""
    folder = project("hello")
    path = Path(told("build", "--project", str(folder))["artifacts"][0]["path"])
    damaged = tmp_path / "damaged"
    damaged.write_bytes(path.read_bytes()[:-4096])
    error = told("inspect", str(damaged), status=9)["error"]
    assert error["kind"] == "InspectError"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("documents"), ENVIRONMENT) as place:
        yield place


def test_of_a_bucket(place: Place, tmp_path: Path) -> None:
    here: tuple[str, ...] = ()
    environment = {**ENVIRONMENT, "XDG_STATE_HOME": str(tmp_path / "state")}
    for version in ("1.0", "1.1"):
        made = publishing.make(
            *(tmp_path / version, "documents", version, place.proxy.address),
            publishing.contents(int(version[-1]), large=False),
        )
        here = ("--project", str(made.root))
        told("publish", *here, "--dry-run", env=environment)
        published = told("publish", *here, "--channel", "stable", env=environment)
        assert {row["state"] for row in published["objects"]} == {"new"}
    assert told("rollback", *here, "--channel", "stable", env=environment)["version"] == "1.0"
    assert told("promote", "1.1", *here, "--channel", "stable", env=environment)["new"]
    assert len(told("releases", *here, env=environment)["releases"]) == 2
    told("verify", "1.1", *here, env=environment)
    told("yank", "1.0", *here, "--reason", "bad", env=environment)
    told("prune", *here, "--keep", "1", "--dry-run", env=environment)
    error = told("promote", "1.0", *here, "--channel", "stable", status=10, env=environment)["error"]
    assert error["kind"] == "PublishError"
    key = made.layout.file("1.1", "documents-1.1-linux-x64")
    place.client.put_object(Bucket=publishing.BUCKET, Key=key, Body=b"other")
    damaged = told("verify", "1.1", *here, status=10, env=environment)
    assert damaged["problems"]
