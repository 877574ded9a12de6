"""Addresses that stay: copies of what channels point at, in a bucket of a real S3 server, whoever else is at work and whatever is cut off."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import disturbed
import faults
import publishing
import pytest
import s3server
from disturbed import ENVIRONMENT, Place
from program import oxcross
from publishing import BUCKET, Made

from oxcross import project as projects
from oxcross.publish import latest
from oxcross.publish import publishing as publisher
from oxcross.publish.s3 import Bucket


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("latest"), ENVIRONMENT) as place:
        yield place


@pytest.fixture(autouse=True)
def quiet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    disturbed.quiet(place, monkeypatch)


@pytest.fixture
def versions(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> tuple[Made, Made]:
    """1.0, which has a file more, and 1.1, whose first executable goes up in parts; not published yet."""
    name = request.node.name.partition("[")[0].replace("test_", "").replace("_", "-")
    made = []
    for version, more in (("1.0", {"old.txt": "old\n"}), ("1.1", {})):
        contents = publishing.contents(int(version[-1]) + 1, large=version == "1.1")
        extra = {
            f"{name}-{version}-licenses.txt": version,
            "SHA256SUMS.minisig": f"signed {version}",
            **more,
        }
        made.append(
            publishing.make(
                *(tmp_path / version, name, version, place.proxy.address, contents),
                extra=extra,
                settings={"channels": ["stable", "beta"], "acl": "public-read"},
            )
        )
    return made[0], made[1]


def copied(place: Place) -> int:
    """How many copies the server made."""
    return sum(entry.writes and "/latest/" in entry.key and entry.status == 200 for entry in place.proxy.log)


def old(place: Place, made: Made, channel: str = "stable") -> list[str]:
    return publishing.old_copies(place.client, made.layout, made, channel)


def test_copies_follow_the_pointer(place: Place, versions: tuple[Made, Made]) -> None:
    one, two = versions
    said = place.good(one, "publish", "--channel", "stable")
    assert {row["state"] for row in said["latest"]} == {"copy"}
    assert old(place, one) == []
    names = [row["key"].rpartition("/")[2] for row in said["latest"]]
    assert {f"{one.name}-linux-x64", f"{one.name}-licenses.txt", "SHA256SUMS.minisig"} < set(names)
    assert names[-1] == "manifest.json"
    said = place.good(two, "publish", "--channel", "stable")
    assert [row["key"].rpartition("/")[2] for row in said["latest"] if row["state"] == "remove"] == [
        "old.txt"
    ]
    assert old(place, two) == []
    place.good(two, "promote", "1.0", "--channel", "beta")
    assert (old(place, one, "beta"), old(place, two)) == ([], [])
    place.good(two, "rollback", "--channel", "stable")
    assert old(place, one) == []
    place.good(two, "promote", "1.1", "--channel", "stable")
    assert old(place, two) == []
    assert publishing.violations(place.client, one.layout, {}, {"1.0": [one], "1.1": [two]}) == []
    place.good(two, "verify", "1.1")


def test_how_they_are_served(place: Place, versions: tuple[Made, Made]) -> None:
    """And shown to whom: as all that is published."""
    made = versions[1]
    acls: list[str | None] = []

    def plan(_number: int, request: faults.Request) -> str:
        if request.method == "PUT" and "/latest/" in request.path:
            headers = {name.lower(): value for name, value in request.headers}
            acls.append(headers.get("x-amz-acl"))
        return faults.THROUGH

    place.proxy.reset(plan, 0)
    place.good(made, "publish", "--channel", "stable")
    assert set(acls) == {"public-read"}
    prefix = made.layout.latest("stable")
    for name, kind in (
        (f"{made.name}-linux-x64", "application/octet-stream"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
        ("manifest.json", "application/json"),
    ):
        head = place.client.head_object(Bucket=BUCKET, Key=prefix + name)
        assert (head["CacheControl"], head["ContentType"]) == ("public, max-age=60", kind)


def test_the_same_again_copies_nothing(place: Place, versions: tuple[Made, Made]) -> None:
    made = versions[0]
    place.good(made, "publish", "--channel", "stable")
    before = publishing.snapshot(place.client, made.layout)
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    for line in (("publish",), ("promote", "1.0")):
        place.good(made, *line, "--channel", "stable")
    assert copied(place) == 0
    assert publishing.snapshot(place.client, made.layout) == before


def test_dry_run(place: Place, versions: tuple[Made, Made]) -> None:
    one, two = versions
    place.good(one, "publish", "--channel", "stable")
    place.good(two, "publish")
    before = publishing.snapshot(place.client, one.layout)
    said = place.good(two, "publish", "--channel", "stable", "--dry-run")
    assert publishing.snapshot(place.client, one.layout) == before
    done = place.good(two, "publish", "--channel", "stable")
    assert said["latest"] == done["latest"]
    assert place.good(one, "publish")["latest"] == []


def test_stopped_between_copies(place: Place, versions: tuple[Made, Made]) -> None:
    """Killed at each of them: the pointer has moved, what is a copy is whole, and the same again mends the rest."""
    one, two = versions
    place.good(one, "publish", "--channel", "stable")
    place.good(two, "publish")
    for at in range(8):
        seen: list[str] = []
        pids: list[int] = []
        started = threading.Event()

        def kill(pids: list[int] = pids, started: threading.Event = started) -> None:
            started.wait(10)
            os.kill(pids[0], signal.SIGKILL)

        def plan(_number: int, request: faults.Request, seen: list[str] = seen, at: int = at) -> str:
            if request.method in ("PUT", "DELETE") and "/latest/" in request.path:
                seen.append(request.path)
                return faults.KILL if len(seen) == at + 1 else faults.THROUGH
            return faults.THROUGH

        place.proxy.reset(plan, at, kill)
        line = ("publish", "--channel", "stable", "--project", str(two.root))
        pids.append(place.publishers.start(*line))
        started.set()
        status = place.publishers.wait(pids[0]).status
        assert status == (-signal.SIGKILL if len(seen) == at + 1 else 0)
        if status == 0:
            break
        assert publishing.violations(place.client, one.layout, {}, {"1.0": [one], "1.1": [two]}) == []
        place.proxy.reset(lambda *_: faults.THROUGH, 0)
        if old(place, two):
            assert "`oxcross promote 1.1 --channel stable` mends it" in place.refused(two, "verify", "1.1")
        mend = ("publish",) if at % 2 else ("promote", "1.1")
        place.good(two, *mend, "--channel", "stable")
        assert old(place, two) == []
        place.good(two, "promote", "1.0", "--channel", "stable")
    assert at > 4
    assert old(place, two) == []


@pytest.mark.parametrize("seed", range(3))
def test_among_faults(place: Place, versions: tuple[Made, Made], seed: int) -> None:
    for made in versions:
        place.good(made, "publish", "--channel", "stable")
    place.proxy.reset(faults.sometimes(0.15, faults.SINGLE, seed, 20), seed)
    for line in (("promote", "1.0"), ("promote", "1.1"), ("rollback",)):
        place.good(versions[0], *line, "--channel", "stable")
    assert old(place, versions[0]) == []


def test_the_pointer_is_moved_meanwhile(place: Place, versions: tuple[Made, Made]) -> None:
    """Who copies what the channel pointed at copies what it points at then."""
    one, two = versions
    for made in versions:
        place.good(made, "publish")
    place.good(one, "promote", "1.0", "--channel", "beta")
    moved = False

    def plan(_number: int, request: faults.Request) -> str:
        nonlocal moved
        if not moved and request.method == "PUT" and "/latest/stable/" in request.path:
            moved = True
            with Bucket(projects.load(one.root).publish) as bucket:
                publisher.promote(bucket, one.layout, "1.1", "stable")
        return faults.THROUGH

    with faults.running(place.server.port) as slow:
        slow.plan = plan
        settings = projects.load(one.root).publish
        with Bucket(type(settings)(**{**vars(settings), "endpoint": slow.address})) as bucket:
            publisher.promote(bucket, one.layout, "1.0", "stable")
            latest.refresh(bucket, one.layout, "stable", lambda *_: nullcontext())
    assert moved
    assert old(place, two) == []


def test_two_at_once(place: Place, versions: tuple[Made, Made]) -> None:
    one, two = versions
    for made in versions:
        place.good(made, "publish")
    for seed in range(4):
        place.proxy.reset(faults.sometimes(0.3, (faults.DELAY,), seed), seed)
        pids = [
            place.publishers.start("promote", version, "--channel", "stable", "--project", str(one.root))
            for version in ("1.0", "1.1")
        ]
        statuses = [place.publishers.wait(pid).status for pid in pids]
        assert 0 in statuses
        pointer = publishing.pointer(place.client, one.layout)
        assert pointer
        assert old(place, one if pointer["version"] == "1.0" else two) == []


def test_verify_tells(place: Place, versions: tuple[Made, Made]) -> None:
    made = versions[0]
    place.good(made, "publish", "--channel", "stable")
    prefix = made.layout.latest("stable")
    exe = f"{prefix}{made.name}-linux-x64"
    digest = hashlib.sha256(publishing.content(place.client, exe)).hexdigest()
    place.client.put_object(Bucket=BUCKET, Key=exe, Body=b"virus", Metadata={"sha256": digest})
    place.client.put_object(Bucket=BUCKET, Key=f"{prefix}foreign", Body=b"x")
    place.client.delete_object(Bucket=BUCKET, Key=f"{prefix}SHA256SUMS")
    place.client.put_object(Bucket=BUCKET, Key=made.layout.latest("gone") + "x", Body=b"x")
    said = place.refused(made, "verify", "1.0")
    assert f"{exe}: it is no copy of 1.0's; `oxcross promote 1.0 --channel stable` mends it" in said
    assert f"{prefix}foreign: stable has no such file" in said
    assert f"{prefix}SHA256SUMS: it is missing" in said
    assert "/latest/gone/x: it is a copy for a channel that there is not" in said


def test_a_release_that_lacks_a_file(place: Place, versions: tuple[Made, Made]) -> None:
    made = versions[0]
    place.good(made, "publish")
    key = made.layout.file("1.0", f"{made.name}-1.0-linux-x64")

    def plan(_number: int, request: faults.Request) -> str:
        if request.writes and request.path.endswith("channels/stable.json"):
            place.client.delete_object(Bucket=BUCKET, Key=key)
        return faults.THROUGH

    place.proxy.reset(plan, 0)
    said = place.refused(made, "promote", "1.0", "--channel", "stable")
    assert f"{key}: it is missing" in said
    assert "`oxcross publish` of 1.0 mends it" in said
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    place.good(made, "publish", "--channel", "stable")
    assert old(place, made) == []


def test_one_line_installs_it(place: Place, project: Callable[..., Path], tmp_path: Path) -> None:
    """From a bucket that everybody may read: by the address that stays, whatever the version."""
    folder = project("hello")
    place.client.create_bucket(Bucket=s3server.PUBLIC)
    file = folder / "pyproject.toml"
    table = f'bucket = "{s3server.PUBLIC}"\nprefix = "programs"\nendpoint = "{place.server.address}"\n'
    text = file.read_text(encoding="utf-8") + f"\n[tool.oxcross.publish]\n{table}"
    url = f"{place.server.address}/{s3server.PUBLIC}/programs/hello/latest/stable"
    for version in ("1.0", "1.1"):
        file.write_text(text.replace('version = "1.0"', f'version = "{version}"'), encoding="utf-8")
        done = oxcross(
            *("release", "--project", str(folder), "--publish", "--channel", "stable"), env=ENVIRONMENT
        )
        assert done.returncode == 0, done.stderr
        line = f"curl -fsSL {url}/install.sh | sh -s -- --dir '{tmp_path}/bin'"
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        assert (
            f"hello {version} (linux-x64) from {place.server.address}/public/programs/hello/{version}"
            in done.stdout
        )
        assert subprocess.run([tmp_path / "bin" / "hello"], check=False).returncode == 0
    archive = tmp_path / "hello.tar.gz"
    with urllib.request.urlopen(f"{url}/hello-linux-x64.tar.gz", timeout=30) as answer:
        archive.write_bytes(answer.read())
    subprocess.run(["tar", "-xzf", archive], cwd=tmp_path, check=True)
    unpacked = tmp_path / "hello-1.1-linux-x64" / "hello"
    assert unpacked.read_bytes() == (tmp_path / "bin" / "hello").read_bytes()
