"""Releases in a bucket of a real S3 server: published, found again, promoted, rolled back, verified, pruned, yanked."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import disturbed
import faults
import publishing
import pytest
import s3server
from disturbed import ENVIRONMENT, Place
from program import oxcross
from publisher import Done
from publishing import BUCKET, Made

from oxcross import project as projects
from oxcross.errors import PublishError
from oxcross.publish import folder as folders
from oxcross.publish import marks, retention, upload
from oxcross.publish import publishing as publisher
from oxcross.publish.s3 import Bucket, Look


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("publish"), ENVIRONMENT) as place:
        yield place


@pytest.fixture(autouse=True)
def quiet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy lets all pass, and this process has the credentials, too."""
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


Maker = Callable[..., Made]


@pytest.fixture
def make(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    """A function that makes a release: ``make("1.0", seed=1, large=True, part_size=5)``."""
    name = request.node.name.replace("test_", "").replace("_", "-")

    def one(version: str, *, seed: int = 0, large: bool = False, **settings: object) -> Made:
        contents = publishing.contents(seed or int(version.replace(".", "")), large=large)
        root = tmp_path / f"{version}-{seed}"
        extra = {"app.spdx.json": "{}\n", "SHA256SUMS.asc": "signed\n"}
        return publishing.make(
            root,
            name,
            version,
            place.proxy.address,
            contents,
            extra=extra,
            settings={"channels": ["stable", "beta"], **settings},
        )

    return one


def run(place: Place, made: Made, *argv: str, **env: str) -> Done:
    return place.publishers.run(*argv, "--project", str(made.root), **env)


def good(place: Place, made: Made, *argv: str, **env: str) -> dict[str, Any]:
    """Its --json."""
    done = run(place, made, *argv, "--json", **env)
    assert done.status == 0, done.output
    document: dict[str, Any] = json.loads(done.output[done.output.index("{") :])  # behind what stderr says
    return document


def refused(place: Place, made: Made, *argv: str, status: int = 10, **env: str) -> str:
    done = run(place, made, *argv, **env)
    assert done.status == status, done.output
    assert s3server.SECRET not in done.output
    return done.output


def opened(made: Made) -> Bucket:
    return Bucket(projects.load(made.root).publish)


def release_folder(made: Made) -> folders.Folder:
    return folders.read(made.folder, made.name, made.version)


# -- publish --------------------------------------------------------------------------------


def test_publish(place: Place, make: Maker) -> None:
    made = make("1.0", large=True)
    document = good(place, made, "publish", "--channel", "stable")
    assert {row["state"] for row in document["objects"]} == {"new"}
    assert document["channel"] == {"channel": "stable", "before": None, "version": "1.0", "new": True}
    written = [
        entry.key.removeprefix(f"{BUCKET}/{made.layout.root}") for entry in place.proxy.log if entry.writes
    ]
    files = [one.removeprefix("1.0/") for one in dict.fromkeys(written) if one.startswith("1.0/")]
    assert files == [
        f"{made.name}-1.0-linux-x64",
        f"{made.name}-1.0-win-x64",
        "app.spdx.json",
        "SHA256SUMS",
        "SHA256SUMS.asc",
        "manifest.json",
    ]
    moved = written.index("channels/stable.json")
    assert written.index("1.0/manifest.json") < moved
    assert all(one.startswith("latest/stable/") for one in written[moved + 1 :])
    for name, sha256 in made.files().items():
        key = made.layout.file("1.0", name)
        assert hashlib.sha256(publishing.content(place.client, key)).hexdigest() == sha256
        head = place.client.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
        assert head["CacheControl"] == "public, max-age=31536000, immutable"
        assert head["Metadata"] == {"sha256": sha256}
        assert head["ChecksumSHA256"]
    manifest = place.client.head_object(Bucket=BUCKET, Key=made.layout.file("1.0", "manifest.json"))
    assert manifest["ContentType"] == "application/json"
    pointer = place.client.head_object(Bucket=BUCKET, Key=made.layout.pointer("stable"))
    assert pointer["CacheControl"] == "public, max-age=60"
    assert publishing.unfinished(place.client, made.layout) == []


def test_the_same_again_is_nothing_to_do(place: Place, make: Maker) -> None:
    made = make("1.0", large=True)
    good(place, made, "publish", "--channel", "stable")
    before = publishing.snapshot(place.client, made.layout)
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    document = good(place, made, "publish", "--channel", "stable")
    assert {row["state"] for row in document["objects"]} == {"there"}
    assert document["channel"] == {"channel": "stable", "before": "1.0", "version": "1.0", "new": False}
    assert publishing.snapshot(place.client, made.layout) == before
    assert not any(entry.writes for entry in place.proxy.log)


def test_dry_run(place: Place, make: Maker) -> None:
    made = make("1.0")
    done = run(place, made, "publish", "--channel", "stable", "--dry-run")
    assert done.status == 0, done.output
    for name in made.files():
        assert f"s3://{BUCKET}/{made.layout.file('1.0', name)}" in done.output
    assert "- -> 1.0" in done.output
    assert {entry.method for entry in place.proxy.log} <= {"GET", "HEAD"}
    assert publishing.snapshot(place.client, made.layout) == {}
    good(place, made, "publish")
    done = run(place, make("1.0", seed=2), "publish", "--dry-run")
    assert done.status == 10
    assert "refuse" in done.output


def test_other_content_is_refused(place: Place, make: Maker) -> None:
    made = make("1.0")
    good(place, made, "publish", "--channel", "stable")
    before = publishing.snapshot(place.client, made.layout)
    said = refused(place, make("1.0", seed=2), "publish", "--channel", "stable")
    assert "something else is published there already" in said
    assert "raise the version" in said
    assert publishing.snapshot(place.client, made.layout) == before


def test_a_changed_folder_is_refused(place: Place, make: Maker) -> None:
    made = make("1.0")
    file = made.folder / f"{made.name}-1.0-linux-x64"
    file.write_bytes(b"other")
    assert "it is not what manifest.json says" in refused(place, made, "publish")
    shutil.rmtree(made.folder)
    assert "there is no release 1.0" in refused(place, made, "publish")
    assert publishing.snapshot(place.client, made.layout) == {}


# -- uploads in parts -----------------------------------------------------------------------


def parts_sent(place: Place) -> int:
    """How many parts the server took."""
    return sum(
        entry.method == "PUT" and not entry.writes and entry.status == 200 for entry in place.proxy.log
    )


def test_a_stopped_upload_goes_on(place: Place, make: Maker) -> None:
    made = make("1.0", large=True, patience=0)

    def plan(_number: int, request: faults.Request) -> str:
        stopped = "partNumber=" in request.path and "partNumber=1&" not in f"{request.path}&"
        return faults.CUT_REQUEST if stopped else faults.THROUGH

    place.proxy.reset(plan, 0)
    refused(place, made, "publish")
    end = time.monotonic() + 10  # the first may still be on its way to the server
    while parts_sent(place) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert parts_sent(place) == 1
    assert len(publishing.unfinished(place.client, made.layout)) == 1
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    good(place, made, "publish")
    assert parts_sent(place) == 2  # of three
    assert publishing.unfinished(place.client, made.layout) == []
    good(place, made, "verify", "1.0")


def test_another_files_upload_is_not_gone_on_with(place: Place, make: Maker) -> None:
    """Even when its first part is the same: what it says of itself would be wrong."""
    made = make("1.0", large=True)
    file = next(one for one in release_folder(made).files if one.size == publishing.LARGE)
    key = made.layout.file("1.0", file.name)
    size = upload.part_size(file.size, "12345" + "0" * 59, 5 << 20)
    begun = place.client.create_multipart_upload(Bucket=BUCKET, Key=key, Metadata={"sha256": "other"})
    part = file.path.read_bytes()[:size]
    place.client.upload_part(Bucket=BUCKET, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=part)
    good(place, made, "publish")
    assert parts_sent(place) == 3
    head = place.client.head_object(Bucket=BUCKET, Key=key)
    assert head["Metadata"] == {"sha256": file.sha256}
    assert publishing.unfinished(place.client, made.layout) == []  # nobody can ever finish it


# -- channels -------------------------------------------------------------------------------


def test_channels(place: Place, make: Maker) -> None:
    versions = [make(version) for version in ("1.0", "1.1", "1.10")]
    for made in versions:
        good(place, made, "publish", "--channel", "stable")
    made = versions[0]
    layout = made.layout
    assert publishing.pointer(place.client, layout) is not None
    said = refused(place, made, "publish", "--channel", "stable")
    assert "stable points at 1.10 already, which is newer than 1.0" in said
    assert "points at 1.10, not at 1.1" in refused(
        place, made, "rollback", "--channel", "stable", "--bad", "1.1"
    )
    for new in (True, False):
        moved = good(place, made, "rollback", "--channel", "stable", "--bad", "1.10")
        assert (moved["version"], moved["new"]) == ("1.1", new)
    assert good(place, made, "rollback", "--channel", "stable")["version"] == "1.0"
    assert "pointed at nothing before 1.0" in refused(place, made, "rollback", "--channel", "stable")
    assert good(place, made, "promote", "1.10", "--channel", "stable")["before"] == "1.0"
    assert good(place, made, "rollback", "--channel", "stable")["version"] == "1.0"
    assert good(place, made, "promote", "1.1", "--channel", "beta")["new"]
    assert not good(place, made, "promote", "1.1", "--channel", "beta")["new"]
    pointer = publishing.pointer(place.client, layout)
    assert pointer
    assert (pointer["version"], pointer["sequence"], pointer["action"]) == ("1.0", 7, "rollback")
    releases = {("1.0"): [versions[0]], "1.1": [versions[1]], "1.10": [versions[2]]}
    assert publishing.violations(place.client, layout, {}, releases) == []
    listed = good(place, made, "releases")["releases"]
    assert [(row["version"], row["channels"]) for row in listed] == [
        ("1.10", []),
        ("1.1", ["beta"]),
        ("1.0", ["stable"]),
    ]
    assert "did you mean 'stable'?" in refused(place, made, "promote", "1.1", "--channel", "stabel", status=2)
    assert "1.2 is not published" in refused(place, made, "promote", "1.2", "--channel", "beta")


def test_no_pointer_to_what_is_not_whole(place: Place, make: Maker) -> None:
    made = make("1.0")
    good(place, made, "publish")
    place.client.delete_object(Bucket=BUCKET, Key=made.layout.file("1.0", f"{made.name}-1.0-win-x64"))
    assert "it is missing" in refused(place, made, "promote", "1.0", "--channel", "stable")
    place.client.delete_object(Bucket=BUCKET, Key=made.layout.file("1.0", "manifest.json"))
    assert "1.0 is not published completely" in refused(place, made, "promote", "1.0", "--channel", "stable")
    assert publishing.pointer(place.client, made.layout) is None
    good(place, made, "publish", "--channel", "stable")
    assert publishing.violations(place.client, made.layout, {}, {"1.0": [made]}) == []


def test_a_pointer_that_was_moved_meanwhile(place: Place, make: Maker) -> None:
    one, two = make("1.1"), make("1.2")
    good(place, make("1.0"), "publish", "--channel", "stable")
    good(place, two, "publish")

    def plan(_number: int, request: faults.Request) -> str:
        if request.writes and request.path.endswith("1.1/manifest.json"):
            good(place, two, "promote", "1.2", "--channel", "stable")
        return faults.THROUGH

    contents = publishing.contents(11, large=False)
    with faults.running(place.server.port) as slow:  # what its publisher does last takes long
        slow.plan = plan
        made = publishing.make(one.root, one.name, "1.1", slow.address, contents)
        with (
            opened(made) as bucket,
            pytest.raises(PublishError, match=r"another publisher moved stable.*1\.2"),
        ):
            publisher.publish(bucket, one.layout, release_folder(made), "stable", stage)
    pointer = publishing.pointer(place.client, one.layout)
    assert pointer
    assert pointer["version"] == "1.2"


# -- verify, yank, prune --------------------------------------------------------------------


def test_verify(place: Place, make: Maker) -> None:
    made = make("1.0")
    good(place, made, "publish", "--channel", "stable")
    found = good(place, made, "verify", "1.0")
    assert (found["files"], found["channels"], found["problems"]) == (6, ["stable"], [])
    exe = made.layout.file("1.0", f"{made.name}-1.0-linux-x64")
    place.client.put_object(Bucket=BUCKET, Key=exe, Body=b"virus")
    place.client.delete_object(Bucket=BUCKET, Key=made.layout.file("1.0", f"{made.name}-1.0-win-x64"))
    place.client.put_object(Bucket=BUCKET, Key=made.layout.file("1.0", "app.spdx.json"), Body=b"[]\n")
    pointer = publishing.content(place.client, made.layout.pointer("stable"))
    history = made.layout.history("stable", hashlib.sha256(pointer).hexdigest())
    place.client.delete_object(Bucket=BUCKET, Key=history)
    said = refused(place, made, "verify", "1.0")
    assert f"{exe}: its SHA-256 is {hashlib.sha256(b'virus').hexdigest()}" in said
    assert f"{made.name}-1.0-win-x64: it is missing" in said
    assert f"{history}: this pointer of the channel's history is missing" in said


def test_yank(place: Place, make: Maker) -> None:
    one, two = make("1.0"), make("1.1")
    good(place, one, "publish", "--channel", "stable")
    good(place, two, "publish", "--channel", "stable")
    done = run(place, two, "yank", "1.1", "--reason", "it eats files")
    assert done.status == 0, done.output
    assert "stable still points at 1.1" in done.output
    assert not good(place, two, "yank", "1.1")["new"]
    assert good(place, two, "rollback", "--channel", "stable")["version"] == "1.0"
    assert "yanked" in refused(place, two, "promote", "1.1", "--channel", "stable")
    assert "it eats files" in refused(place, two, "publish", "--channel", "stable")
    states = {row["version"]: row["state"] for row in good(place, two, "releases")["releases"]}
    assert states == {"1.0": "complete", "1.1": "yanked"}
    assert "is not published" in refused(place, two, "yank", "9")


def actions(document: dict[str, Any]) -> dict[str, str]:
    return {row["version"]: row["action"] for row in document["versions"]}


def test_prune(place: Place, make: Maker) -> None:
    made = {version: make(version) for version in ("1.0", "1.1", "1.2", "1.3", "1.4")}
    for one in made.values():
        good(place, one, "publish")
    last = made["1.4"]
    for version in ("1.0", "1.2"):
        good(place, last, "promote", version, "--channel", "stable")
    unfinished = last.layout.file("0.9", "part")
    place.client.put_object(Bucket=BUCKET, Key=unfinished, Body=b"x")
    before = publishing.snapshot(place.client, last.layout)
    wanted = {"1.4": "keep", "1.3": "mark", "1.2": "keep", "1.1": "mark", "1.0": "keep", "0.9": "keep"}
    assert actions(good(place, last, "prune", "--keep", "1", "--dry-run")) == wanted
    assert publishing.snapshot(place.client, last.layout) == before
    assert actions(good(place, last, "prune", "--keep", "1", "--age", "1")) == dict.fromkeys(wanted, "keep")
    assert actions(good(place, last, "prune", "--keep", "1")) == wanted
    assert "was pruned" in refused(place, last, "promote", "1.1", "--channel", "stable")
    waiting = {**wanted, "1.3": "wait", "1.1": "wait"}
    assert actions(good(place, last, "prune", "--keep", "1")) == waiting
    assert before.items() <= publishing.snapshot(place.client, last.layout).items()
    gone = {**wanted, "1.3": "remove", "1.1": "remove", "0.9": "abandoned"}
    assert actions(good(place, last, "prune", "--keep", "1", "--grace", "0", "--unfinished", "0")) == gone
    assert actions(good(place, last, "prune", "--keep", "1", "--grace", "0"))["0.9"] == "remove"
    left = {
        key.removeprefix(last.layout.root).partition("/")[0]
        for key in publishing.snapshot(place.client, last.layout)
    }
    assert left == {"1.4", "1.2", "1.0", "channels", "latest", "pruned", "layout.json"}
    assert "a version is never used again" in refused(place, made["1.1"], "publish")
    assert "nothing says what to let go" in refused(place, last, "prune", status=2)
    assert marks_left(last) == {"1.1", "1.3"}  # nobody ever had 0.9


def marks_left(made: Made) -> set[str]:
    with opened(made) as bucket:
        return set(marks.all_of(bucket, made.layout, "pruned"))


def test_prune_and_promote_at_once(place: Place, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that is moved between the look and the mark keeps its release."""
    one, two = make("1.0"), make("1.1")
    for made in (one, two):
        good(place, made, "publish", "--channel", "stable")
    good(place, make("1.2"), "publish", "--channel", "stable")
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
        good(place, one, "publish", "--channel", "stable")
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
    states = {row["version"]: row["state"] for row in good(place, last, "releases")["releases"]}
    assert states == {"1.3": "complete", "1.2": "complete"}
    assert marks_left(last) == {"1.0", "1.1"}


def test_violations_are_seen(place: Place, make: Maker) -> None:
    """What the runs with faults look for would be found, were it there."""
    made = make("1.0")
    good(place, made, "publish", "--channel", "stable")
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


# -- servers and users as they are ----------------------------------------------------------


def stage(_target: str, _name: str) -> Any:
    import contextlib

    return contextlib.nullcontext()


class Forgetful(Bucket):
    """A bucket of a server that does not know If-None-Match and If-Match."""

    def _put(self, key: str, content: bytes, look: Look, condition: Any) -> None:
        super()._put(key, content, look, {})


def test_a_server_that_overwrites_is_found_out(place: Place, make: Maker) -> None:
    made = make("1.0")
    with (
        Forgetful(projects.load(made.root).publish) as bucket,
        pytest.raises(PublishError, match=r"overwrites what exists[^\0]*conditional = .check"),
    ):
        publisher.publish(bucket, made.layout, release_folder(made), "stable", stage)
    assert list(publishing.snapshot(place.client, made.layout)) == [made.layout.layout]


def test_look_first_where_the_server_does_not(place: Place, make: Maker) -> None:
    made = make("1.0", conditional="check", large=True)
    with Forgetful(projects.load(made.root).publish) as bucket:
        publisher.publish(bucket, made.layout, release_folder(made), "stable", stage)
        publisher.publish(bucket, made.layout, release_folder(made), "stable", stage)
    before = publishing.snapshot(place.client, made.layout)
    other = make("1.0", seed=2, conditional="check")
    assert "something else is published" in refused(place, other, "publish")
    assert publishing.snapshot(place.client, made.layout) == before
    assert publishing.violations(place.client, made.layout, {}, {"1.0": [made]}) == []


def test_wrong_credentials(place: Place, make: Maker) -> None:
    made = make("1.0")
    wrong = "wrong+secret/0123456789"
    said = refused(place, made, "publish", AWS_SECRET_ACCESS_KEY=wrong)
    assert "does not accept the secret key" in said
    assert wrong not in said
    assert "does not know the access key" in refused(place, made, "publish", AWS_ACCESS_KEY_ID="AKIANOBODY")
    said = refused(place, made, "publish", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "there are no credentials" in said
    assert "no bucket is configured" in _without_table(place, made)


def _without_table(place: Place, made: Made) -> str:
    file = made.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.partition("[tool.oxcross.publish]")[0], encoding="utf-8")
    return refused(place, made, "publish", status=3)


def test_no_such_bucket_or_server(place: Place, make: Maker, tmp_path: Path) -> None:
    made = make("1.0")
    file = made.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f'bucket = "{BUCKET}"', 'bucket = "elsewhere"'), encoding="utf-8")
    assert "there is no such bucket" in refused(place, made, "publish")
    [port] = s3server.free_ports(1)
    text = text.replace(place.proxy.address, f"http://127.0.0.1:{port}").replace(
        "patience = 5", "patience = 1"
    )
    file.write_text(text, encoding="utf-8")
    said = refused(place, made, "publish")
    assert "the server does not get to read the object (EndpointConnectionError" in said
    assert "run the same again" in said


def test_a_wrong_clock(place: Place, make: Maker) -> None:
    """Two hours behind: the server refuses, and its own clock is taken for the signatures."""
    made = make("1.0", large=True)
    library = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
    assert library, "apt-get install faketime"
    env = {**ENVIRONMENT, "LD_PRELOAD": str(library), "FAKETIME": "-2h", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    done = oxcross("publish", "--project", str(made.root), "--channel", "stable", env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "this machine's clock is 120 min behind the server's" in done.stderr
    assert publishing.violations(place.client, made.layout, {}, {"1.0": [made]}) == []


def test_new_credentials_meanwhile(place: Place, make: Maker, tmp_path: Path) -> None:
    """Those that expired are read again once: somebody may have logged in."""
    made = make("1.0")
    place.proxy.reset(faults.once(3, faults.EXPIRED), 0)
    good(place, made, "publish", "--channel", "stable")


def test_release_and_publish(place: Place, project: Callable[..., Path]) -> None:
    folder = project("hello")
    file = folder / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    table = f'\n[tool.oxcross.publish]\nbucket = "{BUCKET}"\nprefix = "built"\nendpoint = "{place.proxy.address}"\n'
    file.write_text(text + table, encoding="utf-8")
    line = ("release", "--project", str(folder), "--targets", "linux-x64", "--publish", "--json")
    wrong = oxcross(*line, "--channel", "nowhere", env=ENVIRONMENT)
    assert wrong.returncode == 2, wrong.stderr
    done = oxcross(*line, "--channel", "stable", env={**os.environ, **ENVIRONMENT})
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    published = document["published"]
    assert published["channel"]["version"] == document["version"]
    keys = [row["key"] for row in published["objects"]]
    assert keys[-1].endswith("/manifest.json")
    [row] = document["artifacts"]
    for one in (row, row["sbom"], document["licenses"]):
        [key] = [key for key in keys if key.endswith(f"/{one['file']}")]
        assert hashlib.sha256(publishing.content(place.client, key)).hexdigest() == one["sha256"]
