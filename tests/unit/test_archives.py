"""Archives of executables: what is in them, that usual programs open them, and that they are the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from configuring import load, writer

from oxcross.build import Artifact
from oxcross.errors import PublishError
from oxcross.publish import dist
from oxcross.publish.archives import Archives
from oxcross.publish.draft import Draft

TABLE = '[tool.oxcross]\nrun-file = "app.py"\n'
HEAD = (
    '[project]\nname = "app"\nversion = "1.0"\nreadme = "README.md"\nlicense = "MIT"\n'
    'license-files = ["LICEN[CS]E*", "third/*.txt"]\n'
)
FILES = {"README.md": "read me\n", "LICENSE": "do as you like\n", "third/one.txt": "so do we\n"}
DOCUMENTS = {"LICENSE", "README.md", "third/one.txt"}
WINDOWS, LINUX = "app-1.0-win-x64", "app-1.0-linux-x64"


def built(root: Path, target: str, content: bytes) -> Artifact:
    path = root / "build" / target / ("app.exe" if target == "win-x64" else "app")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return Artifact(target=target, path=path, sha256=digest, size=len(content), seconds=1.0)


def released(root: Path, *more: Any, table: str = TABLE, head: str = HEAD) -> dist.Release:
    """A release for Linux and Windows of a project in ``root``."""
    root.mkdir(exist_ok=True)
    project = load(writer(root)(table, head=head, **FILES))
    artifacts = [built(root, "linux-x64", b"#!/bin/sh\necho $0\n"), built(root, "win-x64", b"MZ" * 100_000)]
    return dist.release(root / "dist", "app", "1.0", artifacts, [*more, Archives(project)])


def told(*line: object, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in line], cwd=cwd, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def found(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("program", [["tar"], ["busybox", "tar"], ["bsdtar"]])
def test_tar(tmp_path: Path, program: list[str]) -> None:
    done = released(tmp_path / "project")
    told(*program, "-xzf", done.path / f"{LINUX}.tar.gz", cwd=tmp_path)
    assert found(tmp_path / LINUX) == {"app", *DOCUMENTS}
    assert told(tmp_path / LINUX / "app", cwd=tmp_path) == f"{tmp_path / LINUX / 'app'}\n"
    assert (tmp_path / LINUX / "LICENSE").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / LINUX / "app").stat().st_mtime == 1577836800


@pytest.mark.parametrize("program", [["unzip", "-q"], ["busybox", "unzip", "-q"], ["bsdtar", "-xf"]])
def test_zip(tmp_path: Path, program: list[str]) -> None:
    done = released(tmp_path / "project")
    told(*program, done.path / f"{WINDOWS}.zip", cwd=tmp_path)
    assert found(tmp_path / WINDOWS) == {"app.exe", *DOCUMENTS}
    assert (tmp_path / WINDOWS / "app.exe").read_bytes() == b"MZ" * 100_000
    with zipfile.ZipFile(done.path / f"{WINDOWS}.zip") as archive:
        assert archive.testzip() is None
        assert archive.infolist()[0].date_time == (2020, 1, 1, 0, 0, 0)


def test_rows(tmp_path: Path) -> None:
    done = released(tmp_path)
    for row, suffix in zip(done.manifest["artifacts"], (".tar.gz", ".zip"), strict=True):
        archive = row["archive"]
        content = (done.path / archive["file"]).read_bytes()
        assert archive["file"] == row["file"].removesuffix(".exe") + suffix
        assert (archive["size"], archive["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    told("sha256sum", "--check", "--strict", "SHA256SUMS", cwd=done.path)
    assert not released(tmp_path).new


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    one = released(tmp_path / "one")
    umask = os.umask(0o077)
    try:
        two = released(tmp_path / "two")
    finally:
        os.umask(umask)
    for path in one.path.iterdir():
        assert path.read_bytes() == (two.path / path.name).read_bytes()
    content = (one.path / f"{LINUX}.tar.gz").read_bytes()
    assert content[3:8] == bytes(5)  # neither name nor time: RFC 1952


def test_licences_of_what_is_inside(tmp_path: Path) -> None:
    def licences(draft: Draft) -> None:
        draft.manifest["licenses"] = draft.add("app-1.0-licenses.txt", b"all of them\n")

    done = released(tmp_path / "project", licences)
    told("tar", "-xzf", done.path / f"{LINUX}.tar.gz", cwd=tmp_path)
    assert (tmp_path / LINUX / "LICENSES.txt").read_text(encoding="utf-8") == "all of them\n"


def test_licence_as_a_table(tmp_path: Path) -> None:
    head = '[project]\nname = "app"\nversion = "1.0"\nlicense = { file = "LICENSE" }\n'
    with zipfile.ZipFile(released(tmp_path, head=head).path / f"{WINDOWS}.zip") as archive:
        assert archive.namelist() == [f"{WINDOWS}/LICENSE", f"{WINDOWS}/app.exe"]


def test_no_archives(tmp_path: Path) -> None:
    done = released(tmp_path, table=TABLE + "[tool.oxcross.release]\narchives = false\n")
    assert not any("archive" in row for row in done.manifest["artifacts"])
    assert not [*done.path.glob("*.zip"), *done.path.glob("*.gz")]


def test_a_bundle_for_macos_is_an_archive(tmp_path: Path) -> None:
    project = load(writer(tmp_path)(TABLE))
    executable = built(tmp_path, "macos-arm64", b"mach-o")
    bundle = executable.path.with_name("app.zip")
    bundle.write_bytes(b"zip")
    plain = dist.release(tmp_path / "plain", "app", "1.0", [executable], [Archives(project)])
    assert plain.manifest["artifacts"][0]["archive"]["file"] == "app-1.0-macos-arm64.tar.gz"
    packed = replace(executable, packages=(bundle,))
    done = dist.release(tmp_path / "packed", "app", "1.0", [packed], [Archives(project)])
    assert "archive" not in done.manifest["artifacts"][0]


def test_two_files_of_one_name(tmp_path: Path) -> None:
    head = HEAD.replace("LICEN[CS]E*", "app")
    project = load(writer(tmp_path)(TABLE, head=head, app="a licence, they say\n", **FILES))
    with pytest.raises(PublishError, match="the executable and a document are both called app"):
        dist.release(
            tmp_path / "dist", "app", "1.0", [built(tmp_path, "linux-x64", b"x")], [Archives(project)]
        )


def test_a_large_executable_is_never_in_memory(tmp_path: Path) -> None:
    """As a whole: it would not fit into what the process may have."""
    script = """
import resource, sys
from pathlib import Path
from oxcross import project as projects
from oxcross.build import Artifact
from oxcross.publish import dist
from oxcross.publish.archives import Archives
root, size = Path(sys.argv[1]), 128 << 20
artifacts = []
for target in ("linux-x64", "win-x64"):
    path = root / target / "app"
    path.parent.mkdir()
    with path.open("wb") as stream:
        stream.truncate(size)
    artifacts.append(Artifact(target=target, path=path, sha256=sys.argv[2], size=size, seconds=0))
add = Archives(projects.load(root))
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + size // 2
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
dist.release(root / "dist", "app", "1.0", artifacts, [add])
"""
    digest = hashlib.sha256(bytes(128 << 20)).hexdigest()
    writer(tmp_path)(TABLE)
    told(sys.executable, "-c", script, tmp_path, digest, cwd=tmp_path)
    manifest = json.loads((tmp_path / "dist/app/1.0/manifest.json").read_text(encoding="utf-8"))
    assert all(row["archive"]["size"] < 1 << 20 for row in manifest["artifacts"])
