"""install.sh and install.ps1 as text: where they come from, which target they choose on machines that are not there, and that they are sound."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import tree_sitter_powershell
from configuring import error, load, writer
from tools import need
from tree_sitter import Language, Node, Parser

from oxcross.build import Artifact
from oxcross.publish import address, dist
from oxcross.publish.installers import Installers
from oxcross.publish.settings import Publish

TABLE = '[tool.oxcross]\nrun-file = "app.py"\n'
PUBLISH = TABLE + "[tool.oxcross.publish]\n"
ALL = (
    "linux-x64",
    "linux-x64-musl",
    "linux-arm64",
    "win-x64",
    "macos-x64",
    "macos-arm64",
    "macos-universal2",
)


def released(root: Path, *targets: str, table: str = PUBLISH + 'url = "https://example.org/it\'s"\n') -> Path:
    """The folder of a release for these targets."""
    project = load(writer(root)(table))
    artifacts = []
    for target in targets:
        path = root / "build" / target / "app"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(target, encoding="utf-8")
        digest = hashlib.sha256(target.encode()).hexdigest()
        artifacts.append(
            Artifact(
                target=target,
                path=path,
                sha256=digest,
                size=len(target),
                seconds=1.0,
                facts={"commands": ["run"]},
            )
        )
    shutil.rmtree(root / "dist", ignore_errors=True)
    return dist.release(root / "dist", "app", "1.0", artifacts, [Installers(project)]).path


# -- addresses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Publish(), ""),
        (Publish(bucket="b"), ""),
        (Publish(url="https://d.example.org/x"), "https://d.example.org/x"),
        (Publish(bucket="b", prefix="p/q", url="https://d.example.org"), "https://d.example.org"),
        (Publish(bucket="b", prefix="p/q", region="r"), "https://b.s3.r.amazonaws.com/p/q"),
        (Publish(bucket="b", region="r", path_style=True), "https://s3.r.amazonaws.com/b"),
        (Publish(bucket="b", endpoint="http://h:1", path_style=True, prefix="p+q"), "http://h:1/b/p%2Bq"),
        (Publish(bucket="b", endpoint="https://h"), "https://b.h"),
    ],
)
def test_addresses(settings: Publish, expected: str) -> None:
    assert address.public(settings) == expected


def test_configuration(tmp_path: Path) -> None:
    write = writer(tmp_path)
    assert (
        load(write(PUBLISH + 'url = "https://d.example.org/x/"\n')).publish.url == "https://d.example.org/x"
    )
    said = error(write(PUBLISH + 'url = "https://me:secret@d.example.org"\n'))
    assert "has a name or password in it" in said
    assert "must be an address without" in error(write(PUBLISH + 'url = "https://d.example.org/?x"\n'))
    assert "https:// or http://" in error(write(PUBLISH + 'url = "d.example.org"\n'))


def test_which_scripts_there_are(tmp_path: Path) -> None:
    def scripts(*targets: str, table: str) -> list[str]:
        folder = released(tmp_path, *targets, table=table)
        return sorted(path.name for path in folder.glob("install*"))

    known = PUBLISH + 'url = "https://d.example.org"\n'
    assert scripts("linux-x64", "win-x64", table=known) == ["install.ps1", "install.sh"]
    assert scripts("win-x64", table=known) == ["install.ps1"]
    assert scripts("linux-x64", table=known) == ["install.sh"]
    assert scripts("linux-x64", table=TABLE) == []
    assert scripts("linux-x64", table=PUBLISH + 'bucket = "abc"\n') == []


def test_the_same_bytes_each_time(tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in released(tmp_path, *ALL).iterdir()}
    assert {path.name: path.read_bytes() for path in released(tmp_path, *ALL).iterdir()} == first


# -- install.sh -----------------------------------------------------------------------------


def test_shellcheck(tmp_path: Path) -> None:
    need(shellcheck="shellcheck")
    script = released(tmp_path, *ALL) / "install.sh"
    done = subprocess.run(["shellcheck", "-s", "sh", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "base='https://example.org/it'\"'\"'s/app/1.0'" in script.read_text(encoding="utf-8")


def machine(folder: Path, **programs: str) -> str:
    """PATH with small scripts in the place of the programs that say what machine this is."""
    folder.mkdir(exist_ok=True)
    silent = {"getconf": "exit 1", "ldd": "exit 1", "sysctl": "exit 1", "sw_vers": "exit 1"}
    for name, body in {**silent, **programs}.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def uname(system: str, processor: str) -> str:
    return f"case $1 in -s) echo {system};; *) echo {processor};; esac"


LINUX = {"uname": uname("Linux", "x86_64")}
MAC = {"uname": uname("Darwin", "arm64"), "sw_vers": "echo 14.5"}
ROSETTA = {**MAC, "uname": uname("Darwin", "x86_64"), "sysctl": "echo 1"}


@pytest.mark.parametrize("shell", ["dash", "bash", "zsh"])
@pytest.mark.parametrize(
    ("programs", "targets", "expected"),
    [
        ({**LINUX, "getconf": "echo glibc 2.36"}, ALL, "linux-x64"),
        ({**LINUX, "getconf": "echo glibc 2.17"}, ALL, "linux-x64"),
        ({**LINUX, "getconf": "echo glibc 2.5"}, ALL, "linux-x64-musl"),
        ({**LINUX, "ldd": "echo 'ldd (Debian GLIBC 2.36-9) 2.36'"}, ALL, "linux-x64"),
        ({**LINUX, "ldd": "echo 'ldd (GNU libc) 2.12'"}, ALL, "linux-x64-musl"),
        ({**LINUX, "ldd": "echo 'musl libc (x86_64)' >&2; exit 1"}, ALL, "linux-x64-musl"),
        (LINUX, ("linux-x64",), "linux-x64"),  # there is a loader
        ({"uname": uname("Linux", "amd64"), "getconf": "echo glibc 2.40"}, ALL, "linux-x64"),
        ({"uname": uname("Linux", "aarch64"), "getconf": "echo glibc 2.40"}, ALL, "linux-arm64"),
        (MAC, ALL, "macos-arm64"),
        (MAC, ("macos-x64", "macos-universal2"), "macos-universal2"),
        (ROSETTA, ALL, "macos-arm64"),
        ({**ROSETTA, "sysctl": "echo 0"}, ALL, "macos-x64"),
        ({**ROSETTA, "sysctl": "echo 0"}, ("macos-universal2",), "macos-universal2"),
        (
            {**MAC, "sw_vers": "echo 10.15.7"},
            ALL,
            "it has libsystem 10.15.7, and macos-universal2 needs 11.0",
        ),
        (
            MAC,
            ("macos-x64",),
            "there is no app 1.0 for this machine (macos aarch64 libsystem 14.5); there are: macos-x64",
        ),
        ({"uname": uname("Linux", "riscv64")}, ALL, "there is no app 1.0 for this machine (linux riscv64"),
        ({"uname": uname("FreeBSD", "amd64")}, ALL, "there is no app 1.0 for this machine (FreeBSD x86_64)"),
    ],
)
def test_which_target(
    tmp_path: Path, shell: str, programs: dict[str, str], targets: tuple[str, ...], expected: str
) -> None:
    need(dash="dash", zsh="zsh")
    script = released(tmp_path, *targets) / "install.sh"
    done = subprocess.run(
        [shell, script, "--dry-run", "--dir", tmp_path / "bin"],
        env={"PATH": machine(tmp_path / "machine", **programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    if expected in ALL:
        assert (done.returncode, done.stderr) == (0, "")
        assert f"/app-1.0-{expected} ({len(expected)} bytes)" in done.stdout
    else:
        assert done.returncode == 1
        assert expected in done.stderr


# -- install.ps1 ----------------------------------------------------------------------------


def wrong(node: Node) -> list[tuple[int, str]]:
    """Lines that are no PowerShell."""
    here = [(node.start_point[0] + 1, node.type)] if node.type == "ERROR" or node.is_missing else []
    return here + [one for child in node.children for one in wrong(child)]


def parsed(text: str) -> Node:
    return Parser(Language(tree_sitter_powershell.language())).parse(text.encode()).root_node


def test_powershell(tmp_path: Path) -> None:
    """As far as a grammar goes: no PowerShell has run it. What is cut is no whole program."""
    text = (released(tmp_path, *ALL) / "install.ps1").read_text(encoding="utf-8")
    assert wrong(parsed(text)) == []
    assert "$base = 'https://example.org/it''s/app/1.0'" in text
    assert f"Sha256 = '{hashlib.sha256(b'win-x64').hexdigest()}'; File = 'app-1.0-win-x64'" in text
    assert wrong(parsed(text[: len(text) // 2]))
    assert wrong(parsed(text.rstrip()[:-1]))
