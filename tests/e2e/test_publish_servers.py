"""Publishing to servers and by users as they are: other manners, wrong credentials and clocks, no such bucket."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import disturbed
import faults
import publishing
import pytest
import s3server
from disturbed import ENVIRONMENT, Maker, Place
from program import oxcross
from publishing import BUCKET, Made, release_folder

from oxcross import project as projects
from oxcross.errors import PublishError
from oxcross.publish import publishing as publisher
from oxcross.publish.s3 import Bucket, Look


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with disturbed.running(tmp_path_factory.mktemp("servers"), ENVIRONMENT) as place:
        yield place


@pytest.fixture(autouse=True)
def quiet(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    disturbed.quiet(place, monkeypatch)


@pytest.fixture
def make(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    return disturbed.maker(place, tmp_path, request.node.name)


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
        publisher.publish(bucket, made.layout, release_folder(made), "stable", disturbed.stage)
    assert list(publishing.snapshot(place.client, made.layout)) == [made.layout.layout]


def test_look_first_where_the_server_does_not(place: Place, make: Maker) -> None:
    made = make("1.0", conditional="check", large=True)
    with Forgetful(projects.load(made.root).publish) as bucket:
        publisher.publish(bucket, made.layout, release_folder(made), "stable", disturbed.stage)
        publisher.publish(bucket, made.layout, release_folder(made), "stable", disturbed.stage)
    before = publishing.snapshot(place.client, made.layout)
    other = make("1.0", seed=2, conditional="check")
    assert "something else is published" in place.refused(other, "publish")
    assert publishing.snapshot(place.client, made.layout) == before
    assert publishing.violations(place.client, made.layout, {}, {"1.0": [made]}) == []


def test_wrong_credentials(place: Place, make: Maker) -> None:
    made = make("1.0")
    wrong = "wrong+secret/0123456789"
    said = place.refused(made, "publish", AWS_SECRET_ACCESS_KEY=wrong)
    assert "does not accept the secret key" in said
    assert wrong not in said
    assert "does not know the access key" in place.refused(made, "publish", AWS_ACCESS_KEY_ID="AKIANOBODY")
    said = place.refused(made, "publish", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert "there are no credentials" in said
    assert "no bucket is configured" in _without_table(place, made)


def _without_table(place: Place, made: Made) -> str:
    file = made.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.partition("[tool.oxcross.publish]")[0], encoding="utf-8")
    return place.refused(made, "publish", status=3)


def test_no_such_bucket_or_server(place: Place, make: Maker, tmp_path: Path) -> None:
    made = make("1.0")
    file = made.root / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(f'bucket = "{BUCKET}"', 'bucket = "elsewhere"'), encoding="utf-8")
    assert "there is no such bucket" in place.refused(made, "publish")
    [port] = s3server.free_ports(1)
    text = text.replace(place.proxy.address, f"http://127.0.0.1:{port}").replace(
        "patience = 5", "patience = 1"
    )
    file.write_text(text, encoding="utf-8")
    said = place.refused(made, "publish")
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
    place.good(made, "publish", "--channel", "stable")


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
