"""Release folders: complete or not there, the same again is nothing to do, other content is refused."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from oxcross.build import Artifact
from oxcross.errors import PublishError
from oxcross.publish import dist


def artifact(
    folder: Path, content: bytes = b"executable", target: str = "linux-x64", name: str = "app"
) -> Artifact:
    path = folder / "build" / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    facts = {"python": "3.13.15"}
    return Artifact(target=target, path=path, sha256=digest, size=len(content), seconds=1.0, facts=facts)


def test_release(tmp_path: Path) -> None:
    built = [artifact(tmp_path, b"w", "win-x64", "app.exe"), artifact(tmp_path)]
    done = dist.release(tmp_path / "dist", "app", "1.0", built)
    assert done.new
    assert done.path == tmp_path / "dist" / "app" / "1.0"
    assert sorted(path.name for path in done.path.iterdir()) == [
        "SHA256SUMS",
        "app-1.0-linux-x64",
        "app-1.0-win-x64.exe",
        "manifest.json",
    ]
    assert (done.path / "app-1.0-linux-x64").stat().st_mode & 0o777 == 0o755
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=done.path, check=False, capture_output=True
    )
    assert checked.returncode == 0, checked.stdout
    manifest = json.loads((done.path / "manifest.json").read_text(encoding="utf-8"))
    assert [row["target"] for row in manifest["artifacts"]] == ["linux-x64", "win-x64"]
    assert manifest["artifacts"][0]["python"] == "3.13.15"
    document = done.document()
    assert document["version"] == "1.0"
    assert document["artifacts"][0]["path"] == str(done.path / "app-1.0-linux-x64")
    assert [path.name for path in done.path.parent.iterdir()] == ["1.0"]  # no lock is left


def test_packages_are_released_beside_the_executable(tmp_path: Path) -> None:
    built = artifact(tmp_path, target="macos-arm64")
    for name, content in (("app.zip", b"zip"), ("app.pkg", b"pkg")):
        (built.path.parent / name).write_bytes(content)
    bundle = built.path.parent / "app.app"
    bundle.mkdir()
    packed = replace(built, packages=(bundle, *sorted(built.path.parent.glob("app.[zp]*"))))
    done = dist.release(tmp_path / "dist", "app", "1.0", [packed])
    names = ["app-1.0-macos-arm64", "app-1.0-macos-arm64.pkg", "app-1.0-macos-arm64.zip"]
    assert sorted(path.name for path in done.path.iterdir()) == ["SHA256SUMS", *names, "manifest.json"]
    assert [line.split()[1] for line in (done.path / "SHA256SUMS").read_text().splitlines()] == names
    assert (done.path / names[2]).stat().st_mode & 0o777 == 0o644
    manifest = json.loads((done.path / "manifest.json").read_text(encoding="utf-8"))
    assert [row["file"] for row in manifest["artifacts"][0]["packages"]] == names[1:]
    assert not dist.release(tmp_path / "dist", "app", "1.0", [packed]).new
    (built.path.parent / "app.zip").write_bytes(b"another")
    with pytest.raises(PublishError, match=r"other packages of app-1\.0-macos-arm64"):
        dist.release(tmp_path / "dist", "app", "1.0", [packed])


def test_the_same_again_is_nothing_to_do(tmp_path: Path) -> None:
    first = dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path)])
    before = {path: path.stat().st_mtime_ns for path in first.path.iterdir()}
    again = dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path)])
    assert not again.new
    assert before == {path: path.stat().st_mtime_ns for path in first.path.iterdir()}


def test_the_same_executables_give_the_same_folder(tmp_path: Path) -> None:
    one = dist.release(tmp_path / "one", "app", "1.0", [artifact(tmp_path)])
    two = dist.release(tmp_path / "two", "app", "1.0", [artifact(tmp_path)])
    for path in one.path.iterdir():
        assert path.read_bytes() == (two.path / path.name).read_bytes()


def test_other_content_is_refused(tmp_path: Path) -> None:
    released = dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path)])
    with pytest.raises(PublishError, match=r"another app-1.0-linux-x64\n.*raise the version"):
        dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path, b"other")])
    with pytest.raises(PublishError, match="without win-x64"):
        dist.release(
            tmp_path / "dist", "app", "1.0", [artifact(tmp_path), artifact(tmp_path, b"w", "win-x64")]
        )
    assert (released.path / "app-1.0-linux-x64").read_bytes() == b"executable"
    assert dist.release(tmp_path / "dist", "app", "1.1", [artifact(tmp_path, b"other")]).new


@pytest.mark.parametrize("damage", ["app-1.0-linux-x64", "manifest.json"])
def test_a_changed_release_is_noticed(tmp_path: Path, damage: str) -> None:
    released = dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path)])
    (released.path / damage).write_bytes(b"changed")
    with pytest.raises(PublishError):
        dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path)])


def test_an_executable_that_changes_meanwhile(tmp_path: Path) -> None:
    built = artifact(tmp_path)
    built.path.write_bytes(b"newer")
    with pytest.raises(PublishError, match="changed while it was released"):
        dist.release(tmp_path / "dist", "app", "1.0", [built])
    assert [path.name for path in (tmp_path / "dist" / "app").iterdir()] == []


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("a file", encoding="utf-8")
    with pytest.raises(PublishError, match="cannot be written"):
        dist.release(tmp_path / "dist", "app", "1.0", [artifact(tmp_path)])


def test_killed_in_the_middle(tmp_path: Path) -> None:
    """kill -9 after any file: the version is not there, and the next release is complete."""
    built = artifact(tmp_path, b"x" * 100_000)
    script = """
import os, sys
from pathlib import Path
from oxcross.build import Artifact
from oxcross.publish import dist
left = int(sys.argv[1])
def hook(event, arguments):
    global left
    if event == "open" and ".1.0." in str(arguments[0]):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), 9)
sys.addaudithook(hook)
path = Path(sys.argv[2])
dist.release(path / "dist", "app", "1.0",
    [Artifact(target="linux-x64", path=Path(sys.argv[3]), sha256=sys.argv[4], size=1, seconds=0)])
"""
    for after in range(1, 40, 2):
        done = subprocess.run(
            [sys.executable, "-c", script, str(after), str(tmp_path), str(built.path), built.sha256],
            check=False,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -9
        assert not (tmp_path / "dist" / "app" / "1.0").exists()
    else:
        pytest.fail("the release never ended")
    assert after > 6  # it was killed at several points
    assert sorted(path.name for path in (tmp_path / "dist" / "app").iterdir()) == ["1.0"]
    assert not dist.release(tmp_path / "dist", "app", "1.0", [built]).new


def test_several_at_once(tmp_path: Path) -> None:
    built = artifact(tmp_path, b"x" * 1_000_000)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: dist.release(tmp_path / "dist", "app", "1.0", [built]), range(4)))
    assert sum(release.new for release in done) == 1
