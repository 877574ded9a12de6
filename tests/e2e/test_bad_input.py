"""Damage, interruption and want: each ends in a clear error, and nothing is lost or half-written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program import APPS, REPOSITORY, build, oxcross

from oxcross import wanted
from oxcross.pack import format as blob_format
from oxcross.squeeze import table
from oxcross.store import Store

Project = Callable[..., Path]


def _blob_offset(executable: bytes | bytearray) -> int:
    """Where the blob starts: the launcher's locator says so (see launcher/resources.h)."""
    at = executable.index(b"OXCROSS-LOCATOR\n")
    _, _, offset, _ = struct.unpack_from("<4Q", executable, at + 16)
    return int(offset)


def _run(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path.chmod(0o755)
    return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An executable in which no section is empty: a dictionary, a library, sources, extension modules."""
    folder = tmp_path_factory.mktemp("loaded") / "hello"
    shutil.copytree(APPS / "hello", folder)
    configuration = folder / "pyproject.toml"
    settings = '[tool.oxcross]\ncompression = "zstd-resources"\nrequirements = ["pydantic-core"]\n'
    text = configuration.read_text(encoding="utf-8").replace("[tool.oxcross]\n", settings)
    configuration.write_text(text, encoding="utf-8")
    return build(folder)


@pytest.mark.parametrize("section", list(blob_format.Section))
def test_damaged_section(loaded: Path, tmp_path: Path, section: blob_format.Section) -> None:
    """A flipped byte in any section is found by --oxcross-verify and by inspect, and never crashes the program."""
    data = bytearray(loaded.read_bytes())
    start = _blob_offset(data)
    offset, size = struct.unpack_from("<2Q", data, start + 32 + 16 * section)
    assert size
    damaged = tmp_path / "hello"
    for position in {0, size // 2, size - 1}:
        data[start + offset + position] ^= 0xFF
        damaged.write_bytes(data)
        data[start + offset + position] ^= 0xFF
        verified = _run(damaged, "--oxcross-verify")
        assert verified.returncode == 70
        assert "damaged" in verified.stderr
        run = _run(damaged)
        assert run.returncode in {0, 70}, run
        seen = oxcross("inspect", str(damaged))
        assert seen.returncode == 9
        assert "damaged" in seen.stderr
        assert "Traceback" not in seen.stderr


def test_damaged_header(hello: Path, tmp_path: Path) -> None:
    data = hello.read_bytes()
    start = _blob_offset(data)
    damaged = tmp_path / "hello"
    for position in range(0, 192, 3):
        broken = bytearray(data)
        broken[start + position] ^= 0xFF
        damaged.write_bytes(broken)
        run = _run(damaged)
        assert run.returncode in {0, 70}, f"{run.returncode} at header byte {position}"
        assert _run(damaged, "--oxcross-verify").returncode == 70


def test_truncated(hello: Path, tmp_path: Path) -> None:
    data = hello.read_bytes()
    start = _blob_offset(data)
    cut = tmp_path / "hello"
    for size in (len(data) - 1, start + (len(data) - start) // 2, start + 300, start + 10, start):
        cut.write_bytes(data[:size])
        run = _run(cut)
        assert run.returncode == 70, (size, run)
        assert "truncated" in run.stderr
        assert oxcross("inspect", str(cut)).returncode == 9


def test_not_an_executable(tmp_path: Path) -> None:
    for content in (b"", b"#!/bin/sh\n", b"\x7fELF", b"MZ" + bytes(100)):
        path = tmp_path / "file"
        path.write_bytes(content)
        seen = oxcross("inspect", str(path))
        assert seen.returncode == 9
        assert "not an oxcross executable" in seen.stderr
    assert oxcross("inspect", str(tmp_path / "missing")).returncode == 2


def test_wrong_hash(tmp_path: Path, project: Project) -> None:
    """A mirror that serves other bytes is refused; the bytes are not kept."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for source in json.loads(oxcross("sources", "--json").stdout)["sources"]:
        (mirror / source["filename"]).write_bytes(b"not the pinned bytes")
    done = oxcross(
        "build",
        "--project",
        str(project("hello")),
        "--targets",
        "linux-x64",
        env={"OXCROSS_STORE": str(tmp_path / "store"), "OXCROSS_MIRROR": str(mirror), "OXCROSS_OFFLINE": "1"},
    )
    assert done.returncode == 5, done.stderr
    assert "sha-256" in done.stderr.lower()
    assert not [
        p
        for p in (tmp_path / "store").rglob("*")
        if p.is_file() and p.read_bytes()[:20] == b"not the pinned bytes"
    ]


def test_no_space_left(tmp_path: Path, project: Project) -> None:
    """A store on a full device: a clear error, nothing half-written, and the next try elsewhere works."""
    folder = project("hello")
    script = """
set -eu
mount -t tmpfs -o size=3m tmpfs "$1"; shift
"$@" || status=$?
find "$OXCROSS_STORE" -name '*.partial*' -o -path '*/steps/*' -type f 1>&2
exit "${status:-0}"
"""
    disk = tmp_path / "disk"
    disk.mkdir()
    line = [sys.executable, "-m", "oxcross", "build", "--project", str(folder), "--engine", "local"]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(disk), *line],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "OXCROSS_STORE": str(disk / "store"),
            "OXCROSS_MIRROR": os.pathsep.join(
                [str(Store().root / "sources"), os.environ.get("OXCROSS_MIRROR", "")]
            ),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 8, done.stderr
    assert "space" in done.stderr
    assert "Traceback" not in done.stderr
    assert ".partial" not in done.stderr


@pytest.mark.usefixtures("hello")
def test_two_runs_at_once(project: Project, tmp_path: Path) -> None:
    """Two builds with one empty store of their own wait for each other and give the same file."""
    folders = [shutil.copytree(APPS / "hello", tmp_path / name / "hello") for name in ("one", "two")]
    environment = {**os.environ, **_fresh_results(tmp_path)}
    line = [sys.executable, "-m", "oxcross", "build", "--json", "--targets", "linux-x64", "--project"]
    running = [
        subprocess.Popen(
            [*line, str(folder)],
            cwd=REPOSITORY,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for folder in folders
    ]
    digests = set()
    for process in running:
        output, errors = process.communicate(timeout=1200)
        assert process.returncode == 0, errors
        digests.add(json.loads(output)["artifacts"][0]["sha256"])
    assert len(digests) == 1


def _fresh_results(tmp_path: Path) -> dict[str, str]:
    """A store that has copies of what the launcher is built from, but not the launcher."""
    [view] = wanted.select(str(APPS / "hello"), "linux-x64")
    with Store() as store, Store(tmp_path / "store") as other:
        *before, launcher = wanted.known_steps(view, store)
        keys = {step.key for step in (*before, *launcher.needs)}
        keys |= {source.sha256 for source in launcher.sources}
        copied = store.copy_to(other, lambda item: item.key in keys)
    assert {item.key for item in copied} == keys
    return {"OXCROSS_STORE": str(other.root)}


@pytest.mark.usefixtures("hello")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopped_during_a_build(project: Project, tmp_path: Path, how: signal.Signals) -> None:
    """Stopped at several points of a build, the next build goes on and its result verifies."""
    folder = project("hello")
    environment = {**os.environ, **_fresh_results(tmp_path)}
    line = [sys.executable, "-m", "oxcross", "build", "--targets", "linux-x64", "--project", str(folder)]
    stopped = []
    for delay in (0.2, 0.6, 1.0, 2.0, 4.0):
        process = subprocess.Popen(
            line, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        stopped.append(process.pid)
        time.sleep(delay)
        process.send_signal(how)
        _, errors = process.communicate(timeout=60)
        assert "Traceback" not in errors
        if how is signal.SIGINT and process.returncode != 0:
            assert process.returncode in {130, -signal.SIGINT}  # the latter before Python has begun
    built = build(folder, env={"OXCROSS_STORE": environment["OXCROSS_STORE"]})
    assert _run(built).stdout == "hello world\n"
    assert not set(stopped) & _with_containers()


def _with_containers() -> set[int]:
    """The process ids of those who left containers on this machine's daemon."""
    docker = shutil.which("docker")
    assert docker, "docker is missing: apt-get install docker.io"
    done = subprocess.run(
        [docker, "ps", "--all", "--filter", "label=oxcross", "--format", '{{.Label "oxcross"}}'],
        capture_output=True,
        text=True,
        check=True,
    )
    return {int(pid) for pid in done.stdout.split()}


def test_missing_tool(project: Project, tmp_path: Path) -> None:
    """A host tool that a step needs and the machine lacks: named, with the command that installs it."""
    hide = """
set -eu
make=$(readlink -f /usr/bin/make)
mount --bind /dev/null "$make"
exec "$@"
"""
    environment = {**os.environ, "OXCROSS_STORE": str(tmp_path / "store")}
    without = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hide, "sh"]
    line = [sys.executable, "-m", "oxcross"]
    options = ["--project", str(project("hello")), "--engine", "local"]
    done = subprocess.run(
        [*without, *line, "build", *options],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert "make" in done.stderr
    assert "install" in done.stderr
    report = subprocess.run(
        [*without, *line, "doctor", "--json"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert any(check["name"] == "make" and not check["ok"] for check in json.loads(report.stdout)["checks"])


@pytest.fixture
def own_docker(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A Docker daemon of the test's own, which the test may end."""
    dockerd = shutil.which("dockerd")
    assert dockerd, "dockerd is missing: apt-get install docker.io"
    folder = Path(f"/tmp/oxd{os.getpid()}")
    folder.mkdir()
    host = f"unix://{folder}/docker.sock"
    line = [dockerd, "--host", host, "--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
    line += ["--pidfile", str(folder / "pid"), "--bridge=none", "--iptables=false"]
    with (tmp_path / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log)
    try:
        for _ in range(300):
            if (
                subprocess.run(["docker", "-H", host, "info"], capture_output=True, check=False).returncode
                == 0
            ):
                break
            time.sleep(0.1)
        else:
            pytest.fail((tmp_path / "dockerd.log").read_text(encoding="utf-8")[-2000:])
        yield process, host
    finally:
        process.terminate()
        process.wait(timeout=60)
        subprocess.run(["sh", "-c", f"umount {folder}/data/*/* {folder}/exec/*/* 2>/dev/null"], check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.usefixtures("hello")
def test_docker_goes_away(
    project: Project, tmp_path: Path, own_docker: tuple[subprocess.Popen[bytes], str]
) -> None:
    """The daemon ends in the middle of a step: a clear error, and the local engine goes on from the store."""
    daemon, host = own_docker
    folder = project("hello")
    environment = {**os.environ, **_fresh_results(tmp_path), "DOCKER_HOST": host}
    line = [sys.executable, "-m", "oxcross", "build", "--targets", "linux-x64", "--engine", "docker"]
    process = subprocess.Popen(
        [*line, "--project", str(folder)],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and process.poll() is None:
        listed = subprocess.run(
            ["docker", "-H", host, "ps", "-q"], capture_output=True, text=True, check=False
        )
        if listed.stdout.strip():
            break
        time.sleep(0.05)
    daemon.kill()
    _, errors = process.communicate(timeout=120)
    assert process.returncode in {6, 7}, errors
    assert "docker" in errors.lower()
    assert "--engine local" in errors
    assert "Traceback" not in errors
    built = build(folder, "--engine", "local", env={"OXCROSS_STORE": environment["OXCROSS_STORE"]})
    assert _run(built).stdout == "hello world\n"


def test_damaged_program_code(project: Project, tmp_path: Path) -> None:
    """A damaged part of the program code is told when it is needed, by --oxcross-verify and by inspect; never a crash."""
    folder = project("hello", compression='"zstd"')
    (folder / "hello.py").write_text(
        "print('hello world')\nimport sys\nif sys.argv[1:]: import ssl\n", encoding="utf-8"
    )
    data = bytearray(build(folder).read_bytes())
    assert len(data) < 12_000_000
    damaged = tmp_path / "hello"
    places = _groups(data)
    assert {"openssl", "sqlite", "start", "rest"} <= set(places)
    for name, reached in (("start", []), ("openssl", ["ssl"])):
        for at in places[name]:
            data[at] ^= 0xFF
            damaged.write_bytes(data)
            damaged.chmod(0o755)
            data[at] ^= 0xFF
            run = subprocess.run([damaged, *reached], capture_output=True, text=True, check=False)
            verify = subprocess.run(
                [damaged, "--oxcross-verify"], capture_output=True, text=True, check=False
            )
            assert (run.returncode, verify.returncode) == (70, 70), (name, at, run)
            assert "damaged" in run.stderr
            assert "damaged" in verify.stderr
            seen = oxcross("inspect", str(damaged))
            assert seen.returncode == 9
            assert "damaged" in seen.stderr
    damaged.write_bytes(data)
    assert (
        subprocess.run([damaged, "ssl"], capture_output=True, text=True, check=True).stdout == "hello world\n"
    )
    assert "openssl" in oxcross("inspect", str(damaged)).stdout


def _groups(data: bytearray) -> dict[str, tuple[int, ...]]:
    """Of each group some places in its frames (launcher/groups.h)."""
    found = table.find(data)
    assert found is not None
    places: dict[str, tuple[int, ...]] = {}
    for row in found.rows:
        content, index = found.at + row.content, found.at + row.index
        middle, last = content + row.content_frame // 2, content + row.content_frame - 1
        places[row.name] = (content, middle, last, index)
    return places


def test_entry_point_that_no_requirement_has(project: Project) -> None:
    """A wrong entry point in a dependency is told before anything is built, with the nearest that exists."""
    folder = project("httpie")
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    for wrong, near in {"httpie.__main__:mian": "'main'", "httpi.__main__:main": "'httpie'"}.items():
        configuration.write_text(text.replace("httpie.__main__:main", wrong), encoding="utf-8")
        done = oxcross("build", "--project", str(folder))
        assert done.returncode == 3, done.stderr
        assert "pyproject.toml: tool.oxcross.entry-point" in done.stderr
        assert f"did you mean {near}?" in done.stderr
        assert "compiling" not in done.stderr
