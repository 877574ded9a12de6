"""What publishing decides without a server: keys and their order, answers and retries, pointers, parts, retention, configuration."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from configuring import error, errors, load, writer
from hypothesis import given
from hypothesis import strategies as st

from oxcross.errors import PublishError
from oxcross.publish import folder, keys, latest, pointer, published, retention, retry, signer, upload
from oxcross.publish.folder import File
from oxcross.publish.keys import Layout
from oxcross.publish.marks import Mark
from oxcross.publish.pointer import Pointer
from oxcross.publish.published import Row
from oxcross.publish.retry import Answer, Trying, Verdict

# -- keys -----------------------------------------------------------------------------------


def test_keys() -> None:
    layout = Layout("pre/fix", "app")
    assert layout.file("1.0", "app-1.0-linux-x64") == "pre/fix/app/1.0/app-1.0-linux-x64"
    assert layout.pointer("stable") == "pre/fix/app/channels/stable.json"
    assert Layout("", "app").root == "app/"
    assert layout.version_of("pre/fix/app/1.0/manifest.json") == "1.0"
    for key in (
        "channels/stable.json",
        "latest/stable/app",
        "yanked/1.0.json",
        "pruned/1.0.json",
        "layout.json",
    ):
        assert layout.version_of(f"pre/fix/app/{key}") == ""


@pytest.mark.parametrize(
    "version", ["channels", "latest", "yanked", "pruned", "layout.json", "", ".", "..", "a/b", "é", "-1"]
)
def test_what_cannot_be_a_version(version: str) -> None:
    with pytest.raises(PublishError, match="cannot be a version"):
        Layout("", "app").version(version)


@pytest.mark.parametrize("name", ["", ".hidden", "a/../b", "a//b", "/a", "a b", "ü"])
def test_what_cannot_be_a_file(name: str) -> None:
    with pytest.raises(PublishError, match="cannot be published under this name"):
        Layout("", "app").file("1.0", name)


def test_order() -> None:
    names = ["manifest.json", "SHA256SUMS.asc", "SHA256SUMS", "app.spdx.json", "app-1.0-linux-x64"]
    ranked = sorted(names, key=lambda name: keys.rank(name, artifact=name.startswith("app-")))
    assert ranked == names[::-1]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app-1.0-linux-x64", "application/octet-stream"),
        ("app-1.0-linux-x64.tar.gz", "application/gzip"),
        ("app-1.0-win-x64.zip", "application/zip"),
        ("install.sh", "text/plain; charset=utf-8"),
        ("install.ps1", "text/plain; charset=utf-8"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
    ],
)
def test_content_types(name: str, kind: str) -> None:
    """irm gives text to iex only of what is served as text."""
    assert keys.content_type(name) == kind


def test_versions_in_order() -> None:
    versions = ["snapshot", "1.0rc1", "1.0", "1.2", "1.10"]
    assert sorted(set(versions), key=published.order) == versions


# -- answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (503, "SlowDown", Verdict.AGAIN),
        (500, "InternalError", Verdict.AGAIN),
        (502, "", Verdict.AGAIN),
        (429, "", Verdict.AGAIN),
        (0, "ConnectionClosedError", Verdict.AGAIN),
        (400, "RequestTimeout", Verdict.AGAIN),
        (409, "OperationAborted", Verdict.AGAIN),
        (400, "BadDigest", Verdict.DAMAGED),
        (403, "RequestTimeTooSkewed", Verdict.CLOCK),
        (400, "ExpiredToken", Verdict.EXPIRED),
        (412, "PreconditionFailed", Verdict.EXISTS),
        (404, "NoSuchUpload", Verdict.MISSING),
        (404, "404", Verdict.MISSING),
        (404, "NoSuchBucket", Verdict.REFUSED),
        (403, "AccessDenied", Verdict.REFUSED),
        (501, "NotImplemented", Verdict.REFUSED),
    ],
)
def test_verdicts(status: int, code: str, verdict: Verdict) -> None:
    assert retry.judge(Answer(status, code, "", {})) is verdict


def test_waits_grow_until_patience_ends() -> None:
    now = 0.0
    trying = Trying(100.0, clock=lambda: now, chance=lambda: 1.0)
    waits = []
    while (pause := trying.pause(Verdict.AGAIN, {})) is not None:
        waits.append(pause)
        now += pause
    assert waits[:5] == [0.2, 0.4, 0.8, 1.6, 3.2]
    assert max(waits) == 15.0
    assert 85.0 < sum(waits) < 100.0


def test_retry_after_is_heard() -> None:
    trying = Trying(100.0, clock=lambda: 0.0, chance=lambda: 0.0)
    assert trying.pause(Verdict.AGAIN, {"retry-after": "7"}) == 7.0
    assert trying.pause(Verdict.AGAIN, {"retry-after": "soon"}) == 0.0
    assert Trying(0.0).pause(Verdict.AGAIN, {}) is None


def test_damage_is_not_tried_for_ever() -> None:
    trying = Trying(1e9, clock=lambda: 0.0, chance=lambda: 0.0)
    pauses = [trying.pause(Verdict.DAMAGED, {}) for _ in range(5)]
    assert pauses == [0.0, 0.0, 0.0, 0.0, None]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(403, "AccessDenied", "Access Denied", {}), "s3:PutObject"),
        (Answer(400, "ExpiredToken", "expired", {}), "run the same again"),
        (Answer(403, "RequestTimeTooSkewed", "skewed", {}), "this machine's clock is wrong"),
        (Answer(301, "PermanentRedirect", "x", {"x-amz-bucket-region": "eu-west-1"}), "it is in eu-west-1"),
        (Answer(400, "AccessControlListNotSupported", "x", {}), "leave acl out"),
        (Answer(418, "Teapot", "short and stout", {}), "418 Teapot: short and stout"),
    ],
)
def test_refusals_say_what_to_do(answer: Answer, said: str) -> None:
    error = retry.refusal(answer, retry.judge(answer), "write the object", "s3://b/key")
    assert said in str(error)
    assert str(error).startswith("s3://b/key: ")


def test_skew() -> None:
    now = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    assert signer.skew("Thu, 01 Jan 2026 13:00:00 GMT", now) == 3600.0
    assert signer.skew("yesterday", now) is None


# -- parts ----------------------------------------------------------------------------------


@given(st.integers(1, 6 << 40), st.binary(min_size=32, max_size=32))
def test_part_sizes(size: int, digest: bytes) -> None:
    """S3's limits: at most 10,000 parts, none but the last below 5 MiB."""
    part = upload.part_size(size, digest.hex(), 5 << 20)
    assert part >= 5 << 20
    assert -(-size // part) <= upload.MOST_PARTS


def test_parts_of_a_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    path = tmp_path / "file"
    path.write_bytes(content)
    sha256 = "00000" + "0" * 59  # adds nothing to the size of parts
    file = File(name="file", path=path, size=len(content), sha256=sha256, stamp=folder.stamp(path))
    source = upload.Source(file, 1000)
    assert not source.whole
    assert source.count == 11
    assert b"".join(source.read(number) for number in range(1, 12)) == content
    assert source.length(11) == 240
    parts = [content[at : at + 1000] for at in range(0, len(content), 1000)]
    assert source.composite() == upload.composite([hashlib.sha256(part).digest() for part in parts])
    path.write_bytes(content[::-1])
    with pytest.raises(PublishError, match="it changed while it was published"):
        source.composite()


def test_composite() -> None:
    digests = [hashlib.sha256(part).digest() for part in (b"a", b"b")]
    expected = base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
    assert upload.composite(digests) == f"{expected}-2"


# -- folders and pointers -------------------------------------------------------------------


def test_rows_at_any_depth() -> None:
    digest = "a" * 64
    manifest: dict[str, Any] = {
        "artifacts": [{"file": "x", "sha256": digest, "packages": [{"file": "y", "sha256": digest}]}],
        "sbom": {"file": "z", "sha256": digest},
        "note": {"file": "none"},
    }
    assert set(folder.rows(manifest)) == {"x", "y", "z"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "no manifest"),
        (b'{"artifacts": [], "name": "app", "version": "2"}', "it is of app 2, not of app 1"),
    ],
)
def test_what_is_no_manifest(content: bytes, said: str) -> None:
    with pytest.raises(PublishError, match=said):
        folder.parse(content, "manifest.json", "app", "1")


def test_what_are_no_sums() -> None:
    assert folder.parse_sums(b"a" * 64 + b"  file\n", "SHA256SUMS") == {"file": "a" * 64}
    with pytest.raises(PublishError, match="a line is not sha256sum's"):
        folder.parse_sums(b"md5  file\n", "SHA256SUMS")


def one(**changes: Any) -> Pointer:
    values: dict[str, Any] = {
        "name": "app",
        "channel": "stable",
        "version": "1.0",
        "manifest": "b" * 64,
        "sequence": 1,
        "previous": "",
        "action": "publish",
        "restores": "",
        "time": "2026-01-01T00:00:00.000000Z",
    }
    return Pointer(**{**values, **changes})


def test_pointers_are_read_as_written() -> None:
    for wanted in (one(), one(sequence=2, previous="c" * 64, action="rollback", restores="d" * 64)):
        assert pointer.parse(wanted.content(), "") == wanted
    document = json.loads(one().content())
    assert document["manifest"] == "1.0/manifest.json"
    assert document["previous"] is None


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"null", one().content() + b"\n", one(manifest="x").content()]
)
def test_what_is_no_pointer(content: bytes) -> None:
    with pytest.raises(PublishError, match="no pointer that oxcross wrote"):
        pointer.parse(content, "s3://b/stable.json")


# -- retention ------------------------------------------------------------------------------

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def decided(
    *,
    age: int,
    complete: bool = True,
    held: bool = False,
    marked: int | None = None,
    newest: bool = False,
    **policy: Any,
) -> str:
    row = Row("1.0", complete=complete, time=NOW - dt.timedelta(days=age))
    mark = None
    if marked is not None:
        time = NOW - dt.timedelta(hours=marked)
        mark = Mark(kind="pruned", version="1.0", reason="", time=time, complete=complete)
    values = {"keep": 3, "age": None, "unfinished": dt.timedelta(days=7), "grace": dt.timedelta(hours=24)}
    wanted = retention.Policy(**{**values, **policy})
    return retention._decide(
        row, wanted, NOW, {"1.0": "stable points at it"} if held else {}, mark, ["1.0"] if newest else []
    ).what


def test_retention() -> None:
    assert decided(age=100) == "mark"
    assert decided(age=100, newest=True) == "keep"
    assert decided(age=100, held=True) == "keep"
    assert decided(age=100, marked=1) == "wait"
    assert decided(age=100, marked=25) == "remove"
    assert decided(age=100, marked=25, held=True) == "unmark"
    assert decided(age=1, complete=False) == "keep"
    assert decided(age=8, complete=False) == "abandoned"


# -- configuration --------------------------------------------------------------------------

HEAD = '[tool.oxcross]\nrun-file = "app.py"\n'


def test_configuration(tmp_path: Path) -> None:
    write = writer(tmp_path)
    assert load(write(HEAD)).publish.bucket == ""
    found = load(
        write(
            HEAD
            + '[tool.oxcross.publish]\nbucket = "my-releases"\nprefix = "/a/b/"\nendpoint = "https://s3.example/"\n'
            'channels = ["stable", "beta"]\npart-size = 16\ncache-control = { pointers = "no-cache" }\n'
        )
    ).publish
    assert (found.bucket, found.prefix, found.endpoint, found.path_style) == (
        "my-releases",
        "a/b",
        "https://s3.example",
        True,
    )
    assert (found.pointers_cache, found.versions_cache) == ("no-cache", "public, max-age=31536000, immutable")
    assert found.part_size == 16 << 20
    assert not load(write(HEAD + '[tool.oxcross.publish]\nbucket = "my-releases"\n')).publish.path_style


def test_configuration_errors(tmp_path: Path) -> None:
    write = writer(tmp_path)
    table = HEAD + "[tool.oxcross.publish]\n"
    assert "write a bucket's name" in error(write(table + 'bucket = "My_Bucket"\n'))
    assert "did you mean 'bucket'?" in error(write(table + 'buckets = "b"\n'))
    assert 'write bucket = "…"' in error(write(table + 'prefix = "a"\n'))
    said = error(write(table + 'bucket = "abc"\nendpoint = "https://me:secret@s3.example"\n'))
    assert "has a name or password in it" in said
    assert "secret" not in said
    assert "must be at least 5" in error(write(table + 'bucket = "abc"\npart-size = 1\n'))
    assert "did you mean 'public-read'?" in error(write(table + 'bucket = "abc"\nacl = "publicread"\n'))
    assert "has an empty part" in error(write(table + 'bucket = "abc"\nprefix = "a//b"\n'))
    found = errors(write(table + 'bucket = "abc"\nchannels = ["Stable"]\nconditional = "never"\n'))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("file", "stable"),
    [
        ("app-1.0-linux-x64.tar.gz", "app-linux-x64.tar.gz"),
        ("app-1.0.provenance.json", "app.provenance.json"),
        ("app-1.0-licenses.txt", "app-licenses.txt"),
        ("app-1.0", "app-1.0"),
        ("app-1.0.1-linux-x64", "app-1.0.1-linux-x64"),
        ("app-1.0rc1-linux-x64", "app-1.0rc1-linux-x64"),
        ("-linux-x64", "-linux-x64"),
        ("install.sh", "install.sh"),
    ],
)
def test_names_that_stay(file: str, stable: str) -> None:
    assert latest.stable_name("app", "1.0", file) == stable
