"""install.sh of real releases, from a web server, in the shells that users have: what is installed, and for which target."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

import downloads
import pytest
from installing import (
    ALL,
    SHELLS,
    Place,
    commands,
    good,
    refused,
    there,
)

from oxcross import project as projects
from oxcross.build import Artifact
from oxcross.publish import dist
from oxcross.publish.installers import Installers


@pytest.fixture
def place(install_place: Place) -> Place:
    install_place.site.reset()
    return install_place


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where to install: there is no such folder yet."""
    return tmp_path / "some where" / "bin"


# -- what it does ---------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_install(place: Place, tmp_path: Path, target: Path, shell: str) -> None:
    said = good(place, tmp_path, "--dir", target, shell=shell)
    assert f"installed: {target}/tools" in said
    assert f'{target} is not in PATH. Add to ~/.profile: export PATH="{target}:$PATH"' in said
    assert there(target) == ALL
    assert stat.S_IMODE((target / "tools").stat().st_mode) == 0o755
    told = subprocess.run([target / "tell", "a"], capture_output=True, text=True, check=False)
    assert told.stdout.startswith("tell ")
    before = (target / "tools").stat().st_mtime_ns
    place.site.reset()
    assert "nothing to do" in good(place, tmp_path, "--dir", target, shell=shell)
    assert (target / "tools").stat().st_mtime_ns == before
    assert place.site.asked == []
    said = good(place, tmp_path, "--dir", target, "--uninstall", shell=shell)
    assert f"removed: {target}/tools" in said
    assert there(target) == []
    assert "nothing to do" in good(place, tmp_path, "--dir", target, "--uninstall", shell=shell)


@pytest.mark.parametrize("downloader", ["curl", "wget"])
def test_one_line(place: Place, tmp_path: Path, downloader: str) -> None:
    """As a release's page has it, for a user who is not root."""
    tools = (
        "sh",
        "mkdir",
        "chmod",
        "mv",
        "ln",
        "rm",
        "wc",
        "cut",
        "sha256sum",
        "cat",
        "head",
        "grep",
        "uname",
    )
    path = commands(tmp_path / "path", *tools, "readlink", downloader, id="echo 1000")
    get = {"curl": "curl -fsSL", "wget": "wget -qO-"}[downloader]
    line = f"{get} {place.site.address}/tools/1.0/install.sh | sh"
    for env, folder in (({}, ".local/bin"), ({"XDG_BIN_HOME": str(tmp_path / "mine")}, "mine")):
        done = subprocess.run(
            ["sh", "-c", line],
            env={"PATH": str(path), "HOME": str(tmp_path), **env},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert there(tmp_path / folder) == ALL
    assert place.site.asked.count("tools-1.0-linux-x64-musl") == 2  # nothing there says which glibc it is


@pytest.mark.parametrize("shell", SHELLS)
def test_options(place: Place, tmp_path: Path, target: Path, shell: str) -> None:
    said = good(place, tmp_path, "--help", shell=shell)
    assert "--require-signature" in said
    assert "linux-x64 linux-x64-musl" in said
    said = good(place, tmp_path, f"--dir={target}", "--dry-run", "--target", "linux-x64", shell=shell)
    assert (
        f"tools-1.0-linux-x64 ({(place.folder('1.0') / 'tools-1.0-linux-x64').stat().st_size} bytes)" in said
    )
    assert place.site.asked == []
    assert not target.exists()
    assert good(place, tmp_path, "--dir", target, "--quiet", "--no-links", shell=shell) == ""
    assert there(target) == ["tools"]
    assert "installed" in good(place, tmp_path, "--dir", target, "--force", shell=shell)
    assert there(target) == ALL
    assert "would remove" in good(place, tmp_path, "--dir", target, "--dry-run", "--uninstall", shell=shell)
    assert there(target) == ALL
    assert "there is no option --folder" in refused(place, tmp_path, "--folder", "x", shell=shell)
    assert "--dir wants a value" in refused(place, tmp_path, "--dir", shell=shell)
    assert "no target linux-x86; there are: linux-x64 linux-x64-musl" in refused(
        place, tmp_path, "--target", "linux-x86", shell=shell
    )
    relative = good(place, tmp_path, "--dir", "here", "--no-links", shell=shell)
    assert f"installed: {tmp_path}/here/tools" in relative


def test_from_a_folder_or_a_mirror(place: Place, tmp_path: Path, target: Path) -> None:
    folder = tmp_path / "a copy"
    shutil.copytree(place.folder("1.0"), folder)
    for address in (folder, f"file://{folder}"):
        assert "installed" in good(place, tmp_path, "--dir", target, "--url", address, "--force")
    assert place.site.asked == []
    with downloads.running(folder) as mirror:
        assert "installed" in good(place, tmp_path, "--dir", target, "--url", f"{mirror.address}/", "--force")
        assert mirror.asked == ["tools-1.0-linux-x64"]
    assert "No such file" in refused(place, tmp_path, "--dir", target, "--url", "/nowhere", "--force")


# -- which target ---------------------------------------------------------------------------


def test_an_old_glibc(place: Place, tmp_path: Path, target: Path) -> None:
    old = commands(tmp_path / "old", getconf="echo glibc 2.12", ldd="echo ldd 2.12")
    path = f"{old}:{os.environ['PATH']}"
    good(place, tmp_path, "--dir", target, PATH=path)
    assert place.site.asked == ["tools-1.0-linux-x64-musl"]
    shutil.rmtree(target)
    said = refused(place, tmp_path, "--dir", target, version="1.1", PATH=path)
    assert "it has glibc 2.12, and linux-x64 needs 2.17; there are: linux-x64" in said
    assert not target.exists()


def test_another_machine(place: Place, tmp_path: Path, target: Path) -> None:
    other = commands(tmp_path / "other", uname="case $1 in -s) echo Plan9;; *) echo mips;; esac")
    said = refused(place, tmp_path, "--dir", target, PATH=f"{other}:{os.environ['PATH']}")
    assert "no tools 1.0 for this machine (Plan9 mips); there are: linux-x64 linux-x64-musl" in said
    assert not target.exists()


def test_what_does_not_run_is_not_installed(place: Place, tmp_path: Path, target: Path) -> None:
    broken = tmp_path / "build" / "tools"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\necho a library is missing\nexit 127\n", encoding="utf-8")
    content = broken.read_bytes()
    built = Artifact(
        target="linux-x64",
        path=broken,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        seconds=1.0,
    )
    released = dist.release(
        *(tmp_path / "dist", "tools", "2.0", [built]), additions=[Installers(projects.load(place.root))]
    )
    good(place, tmp_path, "--dir", target)
    before = (target / "tools").read_bytes()
    line = ["dash", released.path / "install.sh", "--dir", target, "--url", released.path]
    done = subprocess.run(list(map(str, line)), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "does not run on this machine: a library is missing" in done.stderr
    assert (target / "tools").read_bytes() == before
    assert there(target) == ALL
