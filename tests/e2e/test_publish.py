"""Releases in a bucket of a real S3 server: published, found again, promoted, rolled back."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import disturbed
import faults
import publishing
import pytest
from disturbed import ENVIRONMENT, Maker, Place
from publishing import BUCKET, opened, release_folder

from oxcross.errors import PublishError
from oxcross.publish import publishing as publisher
from oxcross.publish import upload


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("publish"), ENVIRONMENT) as place:
        yield place


@pytest.fixture(autouse=True)
def quiet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    disturbed.quiet(place, monkeypatch)


@pytest.fixture
def make(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    return disturbed.maker(place, tmp_path, request.node.name)


# -- publish --------------------------------------------------------------------------------


def test_publish(place: Place, make: Maker) -> None:
    made = make("1.0", large=True)
    document = place.good(made, "publish", "--channel", "stable")
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
    place.good(made, "publish", "--channel", "stable")
    before = publishing.snapshot(place.client, made.layout)
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    document = place.good(made, "publish", "--channel", "stable")
    assert {row["state"] for row in document["objects"]} == {"there"}
    assert document["channel"] == {"channel": "stable", "before": "1.0", "version": "1.0", "new": False}
    assert publishing.snapshot(place.client, made.layout) == before
    assert not any(entry.writes for entry in place.proxy.log)


def test_dry_run(place: Place, make: Maker) -> None:
    made = make("1.0")
    done = place.run(made, "publish", "--channel", "stable", "--dry-run")
    assert done.status == 0, done.output
    for name in made.files():
        assert f"s3://{BUCKET}/{made.layout.file('1.0', name)}" in done.output
    assert "- -> 1.0" in done.output
    assert {entry.method for entry in place.proxy.log} <= {"GET", "HEAD"}
    assert publishing.snapshot(place.client, made.layout) == {}
    place.good(made, "publish")
    done = place.run(make("1.0", seed=2), "publish", "--dry-run")
    assert done.status == 10
    assert "refuse" in done.output


def test_other_content_is_refused(place: Place, make: Maker) -> None:
    made = make("1.0")
    place.good(made, "publish", "--channel", "stable")
    before = publishing.snapshot(place.client, made.layout)
    said = place.refused(make("1.0", seed=2), "publish", "--channel", "stable")
    assert "something else is published there already" in said
    assert "raise the version" in said
    assert publishing.snapshot(place.client, made.layout) == before


def test_a_changed_folder_is_refused(place: Place, make: Maker) -> None:
    made = make("1.0")
    file = made.folder / f"{made.name}-1.0-linux-x64"
    file.write_bytes(b"other")
    assert "it is not what manifest.json says" in place.refused(made, "publish")
    shutil.rmtree(made.folder)
    assert "there is no release 1.0" in place.refused(made, "publish")
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
    place.refused(made, "publish")
    end = time.monotonic() + 10  # the first may still be on its way to the server
    while parts_sent(place) == 0 and time.monotonic() < end:
        time.sleep(0.05)
    assert parts_sent(place) == 1
    assert len(publishing.unfinished(place.client, made.layout)) == 1
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    place.good(made, "publish")
    assert parts_sent(place) == 2  # of three
    assert publishing.unfinished(place.client, made.layout) == []
    place.good(made, "verify", "1.0")


def test_another_files_upload_is_not_gone_on_with(place: Place, make: Maker) -> None:
    """Even when its first part is the same: what it says of itself would be wrong."""
    made = make("1.0", large=True)
    file = next(one for one in release_folder(made).files if one.size == publishing.LARGE)
    key = made.layout.file("1.0", file.name)
    size = upload.part_size(file.size, "12345" + "0" * 59, 5 << 20)
    begun = place.client.create_multipart_upload(Bucket=BUCKET, Key=key, Metadata={"sha256": "other"})
    part = file.path.read_bytes()[:size]
    place.client.upload_part(Bucket=BUCKET, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=part)
    place.good(made, "publish")
    assert parts_sent(place) == 3
    head = place.client.head_object(Bucket=BUCKET, Key=key)
    assert head["Metadata"] == {"sha256": file.sha256}
    assert publishing.unfinished(place.client, made.layout) == []  # nobody can ever finish it


# -- channels -------------------------------------------------------------------------------


def test_channels(place: Place, make: Maker) -> None:
    versions = [make(version) for version in ("1.0", "1.1", "1.10")]
    for made in versions:
        place.good(made, "publish", "--channel", "stable")
    made = versions[0]
    layout = made.layout
    assert publishing.pointer(place.client, layout) is not None
    said = place.refused(made, "publish", "--channel", "stable")
    assert "stable points at 1.10 already, which is newer than 1.0" in said
    assert "points at 1.10, not at 1.1" in place.refused(
        made, "rollback", "--channel", "stable", "--bad", "1.1"
    )
    for new in (True, False):
        moved = place.good(made, "rollback", "--channel", "stable", "--bad", "1.10")
        assert (moved["version"], moved["new"]) == ("1.1", new)
    assert place.good(made, "rollback", "--channel", "stable")["version"] == "1.0"
    assert "pointed at nothing before 1.0" in place.refused(made, "rollback", "--channel", "stable")
    assert place.good(made, "promote", "1.10", "--channel", "stable")["before"] == "1.0"
    assert place.good(made, "rollback", "--channel", "stable")["version"] == "1.0"
    assert place.good(made, "promote", "1.1", "--channel", "beta")["new"]
    assert not place.good(made, "promote", "1.1", "--channel", "beta")["new"]
    pointer = publishing.pointer(place.client, layout)
    assert pointer
    assert (pointer["version"], pointer["sequence"], pointer["action"]) == ("1.0", 7, "rollback")
    releases = {("1.0"): [versions[0]], "1.1": [versions[1]], "1.10": [versions[2]]}
    assert publishing.violations(place.client, layout, {}, releases) == []
    listed = place.good(made, "releases")["releases"]
    assert [(row["version"], row["channels"]) for row in listed] == [
        ("1.10", []),
        ("1.1", ["beta"]),
        ("1.0", ["stable"]),
    ]
    assert "did you mean 'stable'?" in place.refused(made, "promote", "1.1", "--channel", "stabel", status=2)
    assert "1.2 is not published" in place.refused(made, "promote", "1.2", "--channel", "beta")


def test_no_pointer_to_what_is_not_whole(place: Place, make: Maker) -> None:
    made = make("1.0")
    place.good(made, "publish")
    place.client.delete_object(Bucket=BUCKET, Key=made.layout.file("1.0", f"{made.name}-1.0-win-x64"))
    assert "it is missing" in place.refused(made, "promote", "1.0", "--channel", "stable")
    place.client.delete_object(Bucket=BUCKET, Key=made.layout.file("1.0", "manifest.json"))
    assert "1.0 is not published completely" in place.refused(made, "promote", "1.0", "--channel", "stable")
    assert publishing.pointer(place.client, made.layout) is None
    place.good(made, "publish", "--channel", "stable")
    assert publishing.violations(place.client, made.layout, {}, {"1.0": [made]}) == []


def test_a_pointer_that_was_moved_meanwhile(place: Place, make: Maker) -> None:
    one, two = make("1.1"), make("1.2")
    place.good(make("1.0"), "publish", "--channel", "stable")
    place.good(two, "publish")

    def plan(_number: int, request: faults.Request) -> str:
        if request.writes and request.path.endswith("1.1/manifest.json"):
            place.good(two, "promote", "1.2", "--channel", "stable")
        return faults.THROUGH

    contents = publishing.contents(11, large=False)
    with faults.running(place.server.port) as slow:  # what its publisher does last takes long
        slow.plan = plan
        settings = {"timeout": 60}
        made = publishing.make(one.root, one.name, "1.1", slow.address, contents, settings=settings)
        with (
            opened(made) as bucket,
            pytest.raises(PublishError, match=r"another publisher moved stable.*1\.2"),
        ):
            publisher.publish(bucket, one.layout, release_folder(made), "stable", disturbed.stage)
    pointer = publishing.pointer(place.client, one.layout)
    assert pointer
    assert pointer["version"] == "1.2"
