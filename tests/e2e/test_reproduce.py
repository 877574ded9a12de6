"""Releases that are built again: equal wherever and whenever, and explained where they are not."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import s3server
from disturbed import ENVIRONMENT
from gits import commit, git, repository
from program import APPS, oxcross
from tools import need

from oxcross.publish.keys import Layout
from oxcross.store import Store

NAME = "hello"
EXECUTABLE = f"{NAME}-1.0-linux-x64"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A small application with its source inside, in a folder of a repository."""
    top = tmp_path / "repository"
    folder = top / "programs" / NAME
    shutil.copytree(APPS / NAME, folder, ignore=shutil.ignore_patterns("build", "dist", "oxcross.lock"))
    configure(folder, "sources = false", "sources = true")
    (folder / "helper.py").write_text("WORD = 'one'\n", encoding="utf-8")
    configure(folder, "[tool.oxcross]", '[tool.oxcross]\ndata = ["helper.py"]')
    (top / ".gitignore").write_text("build/\ndist/\n", encoding="utf-8")
    repository(top)
    return folder


def configure(folder: Path, old: str, new: str) -> None:
    path = folder / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def release(folder: Path) -> dict[str, Any]:
    """Release it; the manifest."""
    done = oxcross("release", "--project", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def again(folder: Path, *arguments: str, status: int = 0, **env: str) -> tuple[dict[str, Any], str]:
    """Reproduce it; what --json prints, and what stderr says."""
    done = oxcross("reproduce", "1.0", "--project", str(folder), "--json", *arguments, env=env)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout), done.stderr


def refused(folder: Path, *arguments: str, status: int = 12) -> str:
    """What is said where it cannot even be tried."""
    done = oxcross("reproduce", "1.0", "--project", str(folder), *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert len(git(folder, "worktree", "list").splitlines()) == 1
    return done.stderr


def states(document: dict[str, Any]) -> dict[str, str]:
    return {row["file"]: row["state"] for row in document["files"]}


def why(document: dict[str, Any], file: str = EXECUTABLE) -> str:
    [row] = [row for row in document["files"] if row["file"] == file]
    return "\n".join(row["why"])


def equal(document: dict[str, Any]) -> bool:
    found = set(states(document).values())
    assert document["same"] == (found == {"equal"})
    assert EXECUTABLE in states(document)
    return bool(document["same"])


def test_equal(app: Path) -> None:
    released = release(app)
    assert released["build"]["source"]["path"] == f"programs/{NAME}"
    assert not released["build"]["source"]["dirty"]
    document, _ = again(app)
    assert equal(document)
    assert (document["from"], document["kept"]) == ("dist", None)
    assert document["notes"] == []
    done = oxcross("reproduce", "1.0", "--project", str(app), "--targets", "linux-x64")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].split() == ["linux-x64", EXECUTABLE, "equal"]
    assert "the release has no 'win-x64'" in refused(app, "--targets", "win-x64", status=2)
    done = oxcross("reproduce", "../1.0", "--project", str(app))
    assert (done.returncode, done.stdout) == (10, "")
    assert "cannot be a version" in done.stderr
    assert "did you mean 'dist'?" in refused(app, "--from", "disk", status=2)
    assert "no bucket is configured" in refused(app, "--from", "bucket", status=3)


def test_equal_wherever_and_whenever(app: Path, tmp_path: Path) -> None:
    """A clone elsewhere, for another user with another umask, clock, time zone, language and store."""
    need(faketime="faketime")
    released = release(app)
    clone = tmp_path / "another place" / "clöne"
    clone.mkdir(parents=True)
    git(clone, "clone", "--quiet", f"file://{app.parent.parent}", ".")
    folder = clone / "programs" / NAME
    shutil.copytree(app / "dist", folder / "dist")
    keys = {key for steps in released["build"]["steps"].values() for key in steps.values()}
    with Store() as store, Store(tmp_path / "store") as other:
        store.copy_to(other, lambda item: item.key in keys)
    line = [sys.executable, "-m", "oxcross", "reproduce", "1.0", "--json", "--store", str(tmp_path / "store")]
    done = subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", "faketime", "2031-05-06 07:08:09", *line],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parent.parent.parent),
            "HOME": str(tmp_path),
            "USER": "somebody",
            "LOGNAME": "somebody",
            "TZ": "Pacific/Chatham",
            "LC_ALL": "C",
            "PYTHONHASHSEED": "7",
            "GIT_AUTHOR_NAME": "somebody",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert equal(json.loads(done.stdout))


def test_changes_that_are_in_no_commit(app: Path) -> None:
    """What was released is not what the commit has: the explanation names it. diffoscope shows the line."""
    need(diffoscope="diffoscope-minimal")
    (app / "helper.py").write_text("WORD = 'two'\n", encoding="utf-8")
    (app / "hello.py").write_text("print('another')\n", encoding="utf-8")
    release(app)
    document, said = again(app, status=12)
    assert not equal(document)
    assert any("changes that are in no commit" in note for note in document["notes"])
    lines = why(document)
    assert re.search("^module: .*hello", lines, re.MULTILINE), lines
    assert re.search("^file: hello.py, helper.py$", lines, re.MULTILINE), lines
    assert "bytes differ, the first at 0x" in lines or "the first different byte is at 0x" in lines
    assert "lines of diffoscope: " in lines
    kept = Path(document["kept"])
    assert kept == app / "build" / "reproduce" / "1.0"
    assert f"what was built again lies in {kept}" in said
    assert "-WORD = 'two'" in (kept / f"{EXECUTABLE}.diffoscope.txt").read_text(encoding="utf-8")
    ran = subprocess.run(["sh", "-c", f'chmod +x "{kept / EXECUTABLE}" && "{kept / EXECUTABLE}"'],
                         capture_output=True, text=True, check=True)  # fmt: skip
    assert ran.stdout == "hello world\n"
    assert '-      "dirty": true' not in why(document, "SHA256SUMS")
    assert '-      "dirty": true' in why(document, "manifest.json")
    git(app, "checkout", "--quiet", ".")
    shutil.rmtree(app / "dist")
    release(app)
    assert equal(again(app)[0])
    assert not kept.exists()


def test_what_lies_there_now_is_of_no_account(app: Path) -> None:
    release(app)
    (app / "hello.py").write_text("print('later')\n", encoding="utf-8")
    assert equal(again(app)[0])
    configure(app, "[tool.oxcross]", '[tool.oxcross]\ncompression = "zstd"')
    commit(app)
    assert equal(again(app)[0])
    assert (app / "hello.py").read_text(encoding="utf-8") == "print('later')\n"
    assert len(git(app, "worktree", "list").splitlines()) == 1


def test_a_commit_that_is_not_there(app: Path, tmp_path: Path) -> None:
    release(app)
    (app / "hello.py").write_text("print('later')\n", encoding="utf-8")
    commit(app)
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{app.parent.parent}", "clone")
    folder = tmp_path / "clone" / "programs" / NAME
    shutil.copytree(app / "dist", folder / "dist")
    assert "git fetch --unshallow" in refused(folder)


def test_the_lock_of_that_time(app: Path) -> None:
    lock = app / "oxcross.lock"
    lock.write_text("version = 1\n", encoding="utf-8")
    released = release(app)
    assert released["build"]["source"]["dirty"]  # it is in no commit
    document, _ = again(app)
    assert equal(document)
    assert any("oxcross.lock is not that of" in note for note in document["notes"])
    lock.write_text("version = 1\n\n[targets]\n", encoding="utf-8")
    assert "oxcross.lock is not the one that the release was built with: there is none" in refused(app)
    commit(app)
    assert "there is none, there was one with SHA-256" in refused(app)


def test_another_version_and_another_configuration(app: Path) -> None:
    commit(app)
    release(app)
    place = app / "dist" / NAME / "1.0" / "manifest.json"
    manifest = json.loads(place.read_text(encoding="utf-8"))
    manifest["build"]["config"] = "0" * 64
    place.write_text(json.dumps(manifest), encoding="utf-8")
    assert "pyproject.toml is not the one" in refused(app)
    del manifest["build"]
    place.write_text(json.dumps(manifest), encoding="utf-8")
    assert "does not say what it was built from" in refused(app)
    place.write_text("[]", encoding="utf-8")
    assert "it is no manifest of a release" in refused(app, status=10)
    shutil.rmtree(app / "dist")
    assert "there is no release 1.0 of hello" in refused(app)
    configure(app, 'version = "1.0"', 'version = "0.9"')
    commit(app)
    configure(app, 'version = "0.9"', 'version = "1.0"')
    release(app)
    assert "it is hello 0.9, not hello 1.0" in refused(app)


def test_another_builder_is_told_first(app: Path) -> None:
    release(app)
    place = app / "dist" / NAME / "1.0" / "manifest.json"
    manifest = json.loads(place.read_text(encoding="utf-8"))
    manifest["build"]["oxcross"] = "0.0.9"
    manifest["build"]["steps"]["linux-x64"]["linux-x64/launcher"] = "0" * 64
    place.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    document, said = again(app, status=12)
    assert states(document)[EXECUTABLE] == "equal"
    assert states(document)["manifest.json"] == "differs"
    assert "oxcross 0.0.9 made the release, this is" in document["notes"][0]
    assert document["notes"][1] == "linux-x64: built otherwise than the release was: linux-x64/launcher"
    assert said.index("built otherwise") < said.index("was not reproduced")


def test_outside_of_a_repository(app: Path, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    shutil.copytree(app, folder)
    assert release(folder)["build"]["source"] is None
    document, _ = again(folder)
    assert equal(document)
    assert "outside of a git repository" in document["notes"][0]
    (folder / "hello.py").write_text("print('later')\n", encoding="utf-8")
    assert re.search("^module: hello$", why(again(folder, status=12)[0]), re.MULTILINE)
    configure(folder, "[tool.oxcross]", '[tool.oxcross]\ncompression = "zstd"')
    done = oxcross("reproduce", "1.0", "--project", str(folder))
    assert done.returncode == 12
    assert "pyproject.toml is not the one" in done.stderr


def test_signed_by_a_certificate(app: Path, tmp_path: Path) -> None:
    """Whoever builds it again has neither key nor password."""
    need(osslsigncode="osslsigncode", openssl="openssl")
    keys = tmp_path / "keys"
    keys.mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "code.pem",
         "-subj", "/CN=Toy", "-addext", "extendedKeyUsage=codeSigning", "-addext", "keyUsage=digitalSignature"],
        cwd=keys, check=True, capture_output=True,
    )  # fmt: skip
    table = f'[tool.oxcross.windows.sign]\ncertificate = "{keys}/code.pem"\nkey = "{keys}/key.pem"\n'
    with (app / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(table)
    configure(app, 'targets = ["linux-x64"]', 'targets = ["linux-x64", "win-x64"]')
    commit(app)
    release(app)
    shutil.rmtree(keys)
    document, _ = again(app)
    assert document["same"]
    found = states(document)
    assert found.pop("hello-1.0-win-x64.exe") == "signed"
    assert {EXECUTABLE, "SHA256SUMS", "manifest.json"} <= set(found)
    assert set(found.values()) == {"equal"}  # whatever else was made of the executables
    document, _ = again(app, "--targets", "win-x64")
    assert states(document) == {"hello-1.0-win-x64.exe": "signed"}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped(app: Path, sent: signal.Signals) -> None:
    """Neither the checkout nor files are left behind."""
    release(app)
    temporary = app.parent.parent.parent / "tmp"
    temporary.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "oxcross", "reproduce", "1.0", "--project", str(app)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    end = time.monotonic() + 60
    while not list(temporary.glob("*/source/programs")) and time.monotonic() < end:
        time.sleep(0.002)
    for _ in range(2):
        process.send_signal(sent)
    process.communicate(timeout=60)
    assert process.returncode == 128 + sent
    assert list(temporary.iterdir()) == []
    assert len(git(app, "worktree", "list").splitlines()) == 1


# -- from a bucket --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3server.Server]:
    with s3server.running(tmp_path_factory.mktemp("server")) as server:
        with closing(server.client()) as client:
            client.create_bucket(Bucket="releases")
        yield server


def test_from_a_bucket(app: Path, server: s3server.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    table = f'[tool.oxcross.publish]\nbucket = "releases"\nendpoint = "{server.address}"\n'
    with (app / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(table)
    commit(app)
    done = oxcross("release", "--project", str(app), "--publish", "--channel", "stable")
    assert done.returncode == 0, done.stderr
    shutil.rmtree(app / "dist")
    document, _ = again(app)
    assert equal(document)
    assert document["from"] == "bucket"
    assert "1.1 is not published" in oxcross("reproduce", "1.1", "--project", str(app)).stderr

    key = Layout("", NAME).file("1.0", EXECUTABLE)
    with closing(server.client()) as client:
        with client.get_object(Bucket="releases", Key=key)["Body"] as body:
            content = bytearray(body.read())
        for mark, region in ((b"WORD = 'one'", "blob section"), (b"\x7fELF", "launcher, constants")):
            changed = bytearray(content)
            at = content.index(mark) + len(mark) + 8  # behind it: padding, whatever is there
            changed[at] ^= 0x40
            client.put_object(Bucket="releases", Key=key, Body=bytes(changed))
            document, said = again(app, status=12)
            found = states(document)
            assert found.pop(EXECUTABLE) == "differs"
            assert set(found.values()) == {"equal"}
            assert f"{EXECUTABLE} is not what the manifest says" in said
            assert f"1 bytes differ, the first at {at:#x}, in {region}" in why(document)
        client.put_object(Bucket="releases", Key=key, Body=bytes(content))
        assert equal(again(app)[0])
        pointer = Layout("", NAME).pointer("stable")
        with client.get_object(Bucket="releases", Key=pointer)["Body"] as body:
            text = body.read().decode()
        other = json.loads(text)
        other["sha256"] = "0" * 64
        client.put_object(Bucket="releases", Key=pointer, Body=(json.dumps(other, indent=2) + "\n").encode())
    done = oxcross("reproduce", "1.0", "--project", str(app))
    assert done.returncode == 12
    assert "is not as it was released" in done.stderr
