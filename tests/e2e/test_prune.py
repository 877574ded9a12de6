"""What becomes of published releases: verified, yanked, and pruned, whoever publishes, promotes or is killed meanwhile."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import disturbed
import faults
import publishing
import pytest
from disturbed import ENVIRONMENT, Maker, Place
from publishing import BUCKET, Made, opened

from oxcross.publish import marks, retention
from oxcross.publish import publishing as publisher
from oxcross.publish.s3 import Bucket


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("prune"), ENVIRONMENT) as place:
        yield place


@pytest.fixture(autouse=True)
def quiet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    disturbed.quiet(place, monkeypatch)


@pytest.fixture
def make(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    return disturbed.maker(place, tmp_path, request.node.name)


def test_verify(place: Place, make: Maker) -> None:
    made = make("1.0")
    place.good(made, "publish", "--channel", "stable")
    found = place.good(made, "verify", "1.0")
    assert (found["files"], found["channels"], found["problems"]) == (6, ["stable"], [])
    exe = made.layout.file("1.0", f"{made.name}-1.0-linux-x64")
    place.client.put_object(Bucket=BUCKET, Key=exe, Body=b"virus")
    place.client.delete_object(Bucket=BUCKET, Key=made.layout.file("1.0", f"{made.name}-1.0-win-x64"))
    place.client.put_object(Bucket=BUCKET, Key=made.layout.file("1.0", "app.spdx.json"), Body=b"[]\n")
    pointer = publishing.content(place.client, made.layout.pointer("stable"))
    history = made.layout.history("stable", hashlib.sha256(pointer).hexdigest())
    place.client.delete_object(Bucket=BUCKET, Key=history)
    said = place.refused(made, "verify", "1.0")
    assert f"{exe}: its SHA-256 is {hashlib.sha256(b'virus').hexdigest()}" in said
    assert f"{made.name}-1.0-win-x64: it is missing" in said
    assert f"{history}: this pointer of the channel's history is missing" in said


def test_yank(place: Place, make: Maker) -> None:
    one, two = make("1.0"), make("1.1")
    place.good(one, "publish", "--channel", "stable")
    place.good(two, "publish", "--channel", "stable")
    done = place.run(two, "yank", "1.1", "--reason", "it eats files")
    assert done.status == 0, done.output
    assert "stable still points at 1.1" in done.output
    assert not place.good(two, "yank", "1.1")["new"]
    assert place.good(two, "rollback", "--channel", "stable")["version"] == "1.0"
    assert "yanked" in place.refused(two, "promote", "1.1", "--channel", "stable")
    assert "it eats files" in place.refused(two, "publish", "--channel", "stable")
    states = {row["version"]: row["state"] for row in place.good(two, "releases")["releases"]}
    assert states == {"1.0": "complete", "1.1": "yanked"}
    assert "is not published" in place.refused(two, "yank", "9")


def actions(document: dict[str, Any]) -> dict[str, str]:
    return {row["version"]: row["action"] for row in document["versions"]}


def test_prune(place: Place, make: Maker) -> None:
    made = {version: make(version) for version in ("1.0", "1.1", "1.2", "1.3", "1.4")}
    for one in made.values():
        place.good(one, "publish")
    last = made["1.4"]
    for version in ("1.0", "1.2"):
        place.good(last, "promote", version, "--channel", "stable")
    unfinished = last.layout.file("0.9", "part")
    place.client.put_object(Bucket=BUCKET, Key=unfinished, Body=b"x")
    before = publishing.snapshot(place.client, last.layout)
    wanted = {"1.4": "keep", "1.3": "mark", "1.2": "keep", "1.1": "mark", "1.0": "keep", "0.9": "keep"}
    assert actions(place.good(last, "prune", "--keep", "1", "--dry-run")) == wanted
    assert publishing.snapshot(place.client, last.layout) == before
    assert actions(place.good(last, "prune", "--keep", "1", "--age", "1")) == dict.fromkeys(wanted, "keep")
    assert actions(place.good(last, "prune", "--keep", "1")) == wanted
    assert "was pruned" in place.refused(last, "promote", "1.1", "--channel", "stable")
    waiting = {**wanted, "1.3": "wait", "1.1": "wait"}
    assert actions(place.good(last, "prune", "--keep", "1")) == waiting
    assert before.items() <= publishing.snapshot(place.client, last.layout).items()
    gone = {**wanted, "1.3": "remove", "1.1": "remove", "0.9": "abandoned"}
    assert actions(place.good(last, "prune", "--keep", "1", "--grace", "0", "--unfinished", "0")) == gone
    assert actions(place.good(last, "prune", "--keep", "1", "--grace", "0"))["0.9"] == "remove"
    left = {
        key.removeprefix(last.layout.root).partition("/")[0]
        for key in publishing.snapshot(place.client, last.layout)
    }
    assert left == {"1.4", "1.2", "1.0", "channels", "latest", "pruned", "layout.json"}
    assert "a version is never used again" in place.refused(made["1.1"], "publish")
    assert "nothing says what to let go" in place.refused(last, "prune", status=2)
    assert marks_left(last) == {"1.1", "1.3"}  # nobody ever had 0.9


def marks_left(made: Made) -> set[str]:
    with opened(made) as bucket:
        return set(marks.all_of(bucket, made.layout, "pruned"))


def test_prune_and_promote_at_once(place: Place, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is moved between the look and the mark keeps its release."""
    one, two = make("1.0"), make("1.1")
    for made in (one, two):
        place.good(made, "publish", "--channel", "stable")
    place.good(make("1.2"), "publish", "--channel", "stable")
    put = marks.put

    def late(bucket: Bucket, *args: Any, **kwargs: Any) -> bool:
        publisher.promote(bucket, one.layout, "1.0", "beta")
        return put(bucket, *args, **kwargs)

    monkeypatch.setattr(marks, "put", late)
    policy = retention.Policy(keep=1, age=None, unfinished=dt.timedelta(7), grace=dt.timedelta())
    with opened(one) as bucket:
        found = {row.version: row.what for row in retention.prune(bucket, one.layout, policy)}
        assert found == {"1.0": "keep", "1.1": "keep", "1.2": "keep"}
        assert marks.get(bucket, one.layout, "pruned", "1.0") is None


def test_prune_is_killed(place: Place, make: Maker) -> None:
    """At one request after another: what a channel points at stays whole, and in the end all is done."""
    made = {version: make(version) for version in ("1.0", "1.1", "1.2", "1.3")}
    for one in made.values():
        place.good(one, "publish", "--channel", "stable")
    last = made["1.3"]
    releases = {version: [one] for version, one in made.items()}
    line = ("prune", "--keep", "1", "--grace", "0", "--project", str(last.root))
    for at in (*range(18, 60, 3), 10_000):
        pids: list[int] = []
        started = threading.Event()

        def kill(pids: list[int] = pids, started: threading.Event = started) -> None:
            started.wait(10)
            os.kill(pids[0], signal.SIGKILL)

        place.proxy.reset(faults.once(at, faults.KILL), at, kill)
        pids.append(place.publishers.start(*line))
        started.set()
        assert place.publishers.wait(pids[0]).status in (0, -signal.SIGKILL)
        before = {
            key: value
            for key, value in publishing.snapshot(place.client, last.layout).items()
            if "/channels/" in key
        }
        assert publishing.violations(place.client, last.layout, before, releases) == []
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    states = {row["version"]: row["state"] for row in place.good(last, "releases")["releases"]}
    assert states == {"1.3": "complete", "1.2": "complete"}
    assert marks_left(last) == {"1.0", "1.1"}


def test_violations_are_seen(place: Place, make: Maker) -> None:
    """What the runs with faults look for would be found, were it there."""
    made = make("1.0")
    place.good(made, "publish", "--channel", "stable")
    layout, client = made.layout, place.client
    before = publishing.snapshot(client, layout)
    releases = {"1.0": [made]}
    log = list(place.proxy.log)
    assert publishing.violations(client, layout, before, releases, log) == []
    twice = [*log, *(entry for entry in log if entry.key.endswith("/1.0/manifest.json"))]
    assert any(
        "written 2 times" in one for one in publishing.violations(client, layout, before, releases, twice)
    )
    assert any(
        "nobody published" in one for one in publishing.violations(client, layout, before, {"1.0": []})
    )
    exe = layout.file("1.0", f"{made.name}-1.0-linux-x64")
    client.put_object(Bucket=BUCKET, Key=exe, Body=b"other")
    found = publishing.violations(client, layout, before, releases)
    assert {f"overwritten: {exe}", f"pointed at with another {exe}"} <= set(found)
    client.delete_object(Bucket=BUCKET, Key=exe)
    found = publishing.violations(client, layout, before, releases)
    assert {f"lost: {exe}", f"pointed at without {exe}"} <= set(found)
    [history] = [key for key in before if key.startswith(layout.history("stable"))]
    client.delete_object(Bucket=BUCKET, Key=history)
    assert "stable's pointer 1 is lost" in publishing.violations(client, layout, before, releases)
