"""Real applications become executables and run in a root with nothing but glibc's libraries in it."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import emptyroot
import pytest
import trustme
from program import APPS, POSIX, REPOSITORY, build, get

from oxcross import targets

Project = Callable[..., Path]
ROWS = [targets.get(name) for name in POSIX]
TARGETS = [row.name for row in ROWS]
SHARED = [row.name for row in ROWS if not row.static]  # those that load wheels' libraries

pytestmark = pytest.mark.usefixtures("emulated")


@pytest.mark.parametrize("target", TARGETS)
def test_httpie(tmp_path: Path, server: Callable[..., int], target: str) -> None:
    folder = tmp_path / "project"
    shutil.copytree(APPS / "httpie", folder)
    executable = build(folder, target=target)
    root = tmp_path / "root"
    home = {"HTTPIE_CONFIG_DIR": "/tmp/httpie", "HOME": "/tmp"}

    version = emptyroot.run(root, executable, "--version", env=home)
    assert version.returncode == 0, version.stderr
    assert version.stdout.split(".")[0].isdigit()

    plain = emptyroot.run(
        root, executable, "--ignore-stdin", "--body", f"http://127.0.0.1:{server()}/plain", env=home
    )
    assert plain.returncode == 0, plain.stderr
    assert json.loads(plain.stdout)["path"] == "/plain"
    assert json.loads(plain.stdout)["agent"] == f"HTTPie/{version.stdout.strip()}"

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    port = server(context)
    (tmp_path / "files").mkdir(exist_ok=True)
    authority.cert_pem.write_to_path(str(tmp_path / "files" / "ca.pem"))
    url = f"https://127.0.0.1:{port}/tls"
    trusted = emptyroot.run(
        root, executable, "--ignore-stdin", "--body", "--verify=/files/ca.pem", url, env=home
    )
    assert trusted.returncode == 0, trusted.stderr
    assert json.loads(trusted.stdout)["path"] == "/tls"
    refused = emptyroot.run(root, executable, "--ignore-stdin", "--body", url, env=home)
    assert refused.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


@pytest.mark.parametrize(
    ("target", "sources", "compression"),
    [("linux-x64", "false", '"zstd"'), *((target, "true", '"none"') for target in TARGETS)],
)
def test_flask(tmp_path: Path, project: Project, target: str, sources: str, compression: str) -> None:
    executable = build(project("flask_app", sources=sources, compression=compression), target=target)
    line, env = emptyroot.command(tmp_path / "root", executable, ["0"])
    with subprocess.Popen(
        line, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            ready = process.stdout.readline().split()
            assert ready[:1] == ["serving"], process.stderr.read()
            base = f"http://127.0.0.1:{ready[1]}"
            status, page = get(base + "/")
            assert status == 200
            assert "<title>tasks 2.1</title>" in page
            assert '<p>good morning &amp; <a href="/static/style.css">style</a></p>' in page
            assert get(base + "/static/style.css") == (200, "p { color: teal; }\n")
            assert get(base + "/static/missing.css")[0] == 404
            assert get(base + "/fail")[0] == 500
        finally:
            process.terminate()
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -15
    assert "RuntimeError: asked to fail" in errors
    assert "/app/tasks-app/tasks_app/__init__.py" in errors
    assert ('raise RuntimeError("asked to fail")' in errors) == (sources == "true")


# Its wheel for macOS wants the system's C++ library, which the tests' loader does not have.
@pytest.mark.parametrize("target", [name for name in SHARED if name != "macos-x64"])
def test_numpy(tmp_path: Path, project: Project, target: str) -> None:
    executable = build(project("numpy_app"), target=target)
    done = emptyroot.run(tmp_path / "root", executable)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["solution"] == [0.1, 0.6]
    assert result["eigenvalues"] == [2.0, 5.0]
    assert result["peak"] == 4
    assert result["random"] == [94, 62, 68, 89]
    assert result["escaped"] == "&lt;&amp;&gt;"
    assert result["speedups"] is True
    assert result["file"] == "/app/solve/numpy/__init__.py"


@pytest.mark.parametrize("target", SHARED)
def test_oxcross_itself(tmp_path: Path, target: str) -> None:
    executable = build(REPOSITORY, target=target)
    root = tmp_path / "root"
    home = {"HOME": "/tmp", "XDG_CACHE_HOME": "/tmp/cache"}

    targets = emptyroot.run(root, executable, "targets", env=home)
    assert targets.returncode == 0, targets.stderr
    assert "linux-x64" in targets.stdout

    report = emptyroot.run(root, executable, "inspect", "/app/oxcross", "--json", env=home)
    assert report.returncode == 0, report.stderr
    document = json.loads(report.stdout)
    assert document["target"] == target
    pins = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert document["app"]["version"] == pins["project"]["version"]

    (tmp_path / "files").mkdir(exist_ok=True)
    shutil.copytree(APPS / "hello", tmp_path / "files" / "hello")
    plan = emptyroot.run(
        root, executable, "build", "--project", "/files/hello", "--dry-run", "--json", env=home
    )
    assert plan.returncode == 0, plan.stderr
    steps = json.loads(plan.stdout)["steps"]
    assert any(step["name"] == "linux-x64/openssl" and step["state"] != "cached" for step in steps)
