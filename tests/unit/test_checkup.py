"""doctor on machines that lack something, made for real: mounts, limits, ports, environments."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from tools import need

from oxcross import doctor
from oxcross.checkup import machine, network, project
from oxcross.checkup.check import Check
from oxcross.collect import resolve
from oxcross.project import load
from oxcross.publish.minisign import SecretKey
from oxcross.targets import get

ROOT = Path(__file__).parents[2]
PRIVATE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc"]


def examined(
    setup: str, *arguments: str, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit status and checks of `oxcross doctor`, by name, on a machine of which a sh script changes something."""
    line = [
        *PRIVATE,
        f'{setup}\nexec "$@"',
        "sh",
        sys.executable,
        "-m",
        "oxcross",
        "doctor",
        "--json",
        *arguments,
    ]
    done = subprocess.run(
        line,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.mark.parametrize(
    ("options", "says", "fix"),
    [
        ("size=8m", "store: 0.0 GB free", "make room, or set OXCROSS_STORE"),
        ("size=4g,nr_inodes=100", "store: room for ", "make room, or set OXCROSS_STORE"),
        ("size=4g,noexec", "it is mounted with noexec", "set OXCROSS_STORE=FOLDER"),
        ("size=4g,ro", "cannot be written", "set OXCROSS_STORE=FOLDER"),
    ],
)
def test_a_store_that_does_not_do(tmp_path: Path, options: str, says: str, fix: str) -> None:
    status, checks = examined(
        f"mount -t tmpfs -o {options} none {tmp_path}", "--store", str(tmp_path / "store"), "--project", "/"
    )
    assert not checks["store"]["ok"]
    assert says in checks["store"]["detail"]
    assert checks["store"]["fix"].startswith(fix)
    assert status == 7


def test_a_store_that_does(tmp_path: Path) -> None:
    _, checks = examined(f"mount -t tmpfs -o size=4g none {tmp_path}", "--store", str(tmp_path / "new/store"))
    assert checks["store"]["ok"]
    assert checks["store"]["detail"] == f"{tmp_path}/new/store: 4.3 GB free"


def test_a_file_system_without_links() -> None:
    assert machine._lacking(Path("/proc/self")).startswith("no locks, links or modes: ")


def test_no_room_for_temporary_files(tmp_path: Path) -> None:
    status, checks = examined(f"mount -t tmpfs -o size=8m none {tmp_path}", env={"TMPDIR": str(tmp_path)})
    assert not checks["temporary"]["ok"]
    assert checks["temporary"]["for"] == "always"
    assert checks["temporary"]["fix"] == "make room, or set TMPDIR=FOLDER"
    assert status == 7


def test_temporary_files_that_cannot_be_started(tmp_path: Path) -> None:
    status, checks = examined(f"mount -t tmpfs -o noexec none {tmp_path}", env={"TMPDIR": str(tmp_path)})
    assert not checks["temporary"]["ok"]
    assert "noexec" in checks["temporary"]["detail"]
    assert checks["temporary"]["for"] == "reproduce"
    assert status == 0


def test_no_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise FileNotFoundError

    monkeypatch.setattr("tempfile.gettempdir", none)
    assert machine.temporary().fix == "set TMPDIR=FOLDER"


def test_namespaces_that_are_forbidden() -> None:
    status, checks = examined("echo 0 > /proc/sys/user/max_user_namespaces")
    assert not checks["namespaces"]["ok"]
    assert checks["namespaces"]["for"] == "isolation"
    assert checks["namespaces"]["fix"].startswith(("sysctl -w ", "start the container with "))
    assert status == 0  # it works without


def test_namespaces_that_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXCROSS_LOCAL", "plain")
    check = doctor._namespaces()
    assert (check.ok, check.fix) == (False, "unset OXCROSS_LOCAL")


def test_a_docker_that_may_not_be_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor._docker()  # all that it imports, before the rights are gone
    place = Path("/tmp") / f"oxcross-docker-{os.getpid()}.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{place}")
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(place))
        daemon.listen()
        place.chmod(0)
        user = os.geteuid()
        try:
            if user == 0:
                os.seteuid(65534)  # nobody
            check = doctor._docker()
        finally:
            os.seteuid(user)
            place.unlink()
    assert not check.ok
    assert "Permission denied" in check.detail
    assert check.fix == 'sudo usermod -aG docker "$USER", then log in again'


def test_the_clock() -> None:
    assert machine.clock().ok
    need(faketime="faketime")
    code = "from oxcross.checkup import machine; print(*machine.clock().document().values(), sep='|')"
    done = subprocess.run(
        ["faketime", "2001-02-03 04:05:06", sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "NO_FAKE_STAT": "1", "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )
    name, ok, detail, fix, group = done.stdout.strip().split("|")
    assert (name, ok, group) == ("clock", "False", "clock")
    assert detail.startswith("2001-02-03 04:05 UTC, but oxcross itself is of 20")
    assert fix == "timedatectl set-ntp true"


def test_programs_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.git().group == "reproduce"
    assert "install" in machine.git().fix
    [qemu] = machine.runners()
    assert not qemu.ok
    assert qemu.group == "running"
    assert qemu.fix.startswith("apt-get install qemu-user-static")
    assert "are inspected, but not run" in qemu.detail


def test_what_is_missing_and_what_is_only_noted() -> None:
    def check(group: str) -> Check:
        return Check(name=group, ok=False, detail="", group=group)

    rows = [check(group) for group in ("always", "local", "project", "running", "reproduce", "publish")]
    docker = Check(name="docker", ok=True, detail="", group="docker")
    assert [one.name for one in doctor.lacking([*rows, docker])] == ["always", "project"]
    assert [one.name for one in doctor.lacking([*rows, check("docker")])] == [
        "always",
        "local",
        "project",
        "docker",
    ]


# -- the network


class _Server(BaseHTTPRequestHandler):
    late = 0.0

    def do_HEAD(self) -> None:
        self.send_response_only(404 if self.path == "/none" else 200)
        self.send_header("Date", self.date_time_string(time.time() - self.late))
        self.end_headers()


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with HTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_server(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert network.server("it", f"{address}/there").ok
    gone = network.server("it", f"{address}/none")
    assert (gone.ok, gone.group) == (False, "network")
    assert gone.detail == "does not answer: Not Found"
    monkeypatch.setattr(_Server, "late", 3600.0)
    wrong = network.server("it", f"{address}/there")
    assert wrong.detail == "its clock and this machine's are 60 minutes apart"
    assert wrong.fix == "timedatectl set-ntp true"


def test_no_server() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    check = network.server("it", f"http://127.0.0.1:{port}/")
    assert not check.ok
    assert "Connection refused" in check.detail
    assert "OXCROSS_MIRROR" in check.fix


def test_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    check = network._index()
    assert not check.ok
    assert check.detail.startswith("the package index does not answer: ")
    assert check.fix


def test_the_network_is_asked_when_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OXCROSS_OFFLINE", "1")
    store = str(tmp_path / "store")
    assert not [check for check in doctor.examine(store) if check.group == "network"]
    [check] = [check for check in doctor.examine(store, online=True) if check.group == "network"]
    assert check.detail == "not asked: OXCROSS_OFFLINE is set"


# -- what a project asks for


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, in a home without credentials."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in [
        name for name in os.environ if name.startswith(("AWS_", "OXCROSS_SIGNING", "OXCROSS_CACHE"))
    ]:
        monkeypatch.delenv(name)
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").touch()
    write(folder, "")
    return folder


def write(folder: Path, tables: str) -> None:
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1.0"\n[tool.oxcross]\nrun-file = "app.py"\n{tables}',
        encoding="utf-8",
    )


def bad(folder: Path) -> dict[str, Check]:
    """What is wrong, by name."""
    return {check.name: check for check in project.examine(folder) if not check.ok}


def test_a_project_that_asks_for_nothing(app: Path, tmp_path: Path) -> None:
    assert [(check.name, check.ok) for check in project.examine(app)] == [("project", True)]
    assert project.examine(tmp_path) == []
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n", encoding="utf-8")
    assert project.examine(tmp_path) == []


def test_a_configuration_that_is_wrong(app: Path) -> None:
    write(app, "optimise = 1\ntargts = []\n")
    [check] = project.examine(app)
    assert (check.ok, check.fix, check.group) == (False, "oxcross check", "project")
    assert "tool.oxcross.optimise" in check.detail
    assert check.detail.endswith(", and 1 more")


def test_a_folder_that_starts_nothing(app: Path) -> None:
    setup = f"cp -R {app} /tmp/oxcross-copy-$$; mount -t tmpfs -o noexec none {app}; cp -R /tmp/oxcross-copy-$$/. {app}/"
    _, checks = examined(f"{setup}; rm -r /tmp/oxcross-copy-$$", "--project", str(app))
    assert "noexec" in checks["build folder"]["detail"]
    assert checks["build folder"]["fix"] == f"mount -o remount,exec {app}"


def test_signing_for_windows(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app / "release.pfx").touch()
    write(
        app,
        'targets = ["win-x64"]\n[tool.oxcross.windows.sign]\ncertificate = "release.pfx"\npassword-env = "OX_SECRET"\n',
    )
    monkeypatch.setenv("PATH", str(tmp_path))
    found = bad(app)
    assert "osslsigncode" in found["signing"].detail
    assert found["password"].fix == "export OX_SECRET=…"
    monkeypatch.setenv("OX_SECRET", "x")
    assert list(bad(app)) == ["signing"]


def test_signing_for_macos(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (app / "id.p12").touch()
    write(
        app,
        'targets = ["macos-arm64"]\n[tool.oxcross.macos.sign]\ncertificate = "id.p12"\npassword-file = "secret"\n',
    )
    (app / "secret").write_text("x\n", encoding="utf-8")
    assert bad(app) == {}
    (app / "secret").unlink()
    assert "password" in str(bad(app))


def test_signing_releases(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    public = SecretKey.generate().public
    write(app, f'[tool.oxcross.release.sign]\npublic-key = "{public}"\npassword-env = "OX_SECRET"\n')
    found = bad(app)
    assert found["signing"].fix == "export OXCROSS_SIGNING_KEY=…"
    assert found["password"].fix == "export OX_SECRET=…"
    assert {check.group for check in found.values()} == {"release"}
    monkeypatch.setenv("OXCROSS_SIGNING_KEY", "x")
    monkeypatch.setenv("OX_SECRET", "x")
    assert bad(app) == {}


def test_credentials(app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(app, '[tool.oxcross.publish]\nbucket = "releases"\n')
    assert bad(app)["credentials"].detail.startswith("none for s3://releases in the environment")
    (tmp_path / "home/.aws").mkdir(parents=True)
    (tmp_path / "home/.aws/credentials").touch()
    assert bad(app) == {}
    (tmp_path / "home/.aws/credentials").unlink()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    assert bad(app) == {}


def test_a_builder_that_pushes(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OXCROSS_CACHE_PUSH", "1")
    assert bad(app)["cache"].fix == "export OXCROSS_CACHE_KEY=…"
    monkeypatch.setenv("OXCROSS_CACHE_KEY", "x")
    assert bad(app) == {}


def test_a_lock_that_is_old(app: Path) -> None:
    write(app, 'requirements = ["six==1.17.0"]\n')
    loaded = load(app)
    digest = resolve._digest(["six==1.17.0"], get("linux-x64"), loaded)
    lock = app / "oxcross.lock"
    text = 'version = 1\n[targets.linux-x64]\ninput = "{}"\nrequirements = ["six==1.17.0"]\n'
    lock.write_text(text.format(digest), encoding="utf-8")
    assert bad(app) == {}
    write(app, 'requirements = ["six==1.16.0"]\n')
    assert bad(app)["oxcross.lock"].fix == "oxcross build"
    assert "for linux-x64" in bad(app)["oxcross.lock"].detail
    write(app, "")
    assert bad(app) == {}  # there is nothing to resolve any more
    lock.write_text("version = 7\n", encoding="utf-8")
    assert "another version of oxcross" in bad(app)["oxcross.lock"].detail
