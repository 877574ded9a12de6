"""Real applications as executables for Windows, run under wine: what test_real_inputs.py has for Linux."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from program import APPS, build, get
from winprogram import TARGET, run, windows_path

from oxcross import runner

Project = Callable[..., Path]

# Newer versions call crealf and others that wine's C library does not have.
NUMPY = "numpy==2.1.3"


def test_httpie(tmp_path: Path, server: Callable[..., int]) -> None:
    folder = tmp_path / "project"
    shutil.copytree(APPS / "httpie", folder)
    executable = build(folder, target=TARGET.name)
    (tmp_path / "config").mkdir()
    home = {"HTTPIE_CONFIG_DIR": windows_path(tmp_path / "config")}

    version = run(executable, "--version", env=home)
    assert version.returncode == 0, version.stderr
    plain = run(executable, "--ignore-stdin", "--body", f"http://127.0.0.1:{server()}/plain", env=home)
    assert plain.returncode == 0, plain.stderr
    assert json.loads(plain.stdout)["agent"] == f"HTTPie/{version.stdout.strip()}"

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    url = f"https://127.0.0.1:{server(context)}/tls"
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    verify = f"--verify={windows_path(tmp_path / 'ca.pem')}"
    trusted = run(executable, "--ignore-stdin", "--body", verify, url, env=home)
    assert trusted.returncode == 0, trusted.stderr
    assert json.loads(trusted.stdout)["path"] == "/tls"
    refused = run(executable, "--ignore-stdin", "--body", url, env=home)
    assert refused.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr


@pytest.mark.parametrize("sources", ["false", "true"])
def test_flask(project: Project, sources: str) -> None:
    executable = build(project("flask_app", sources=sources), target=TARGET.name)
    with subprocess.Popen(
        runner.line(TARGET, executable, "0"),
        env=runner.environment(TARGET),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
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
            assert get(base + "/static/style.css")[0] == 200
            assert get(base + "/static/missing.css")[0] == 404
            assert get(base + "/fail")[0] == 500
        finally:
            process.terminate()
        _, errors = process.communicate(timeout=30)
    assert "RuntimeError: asked to fail" in errors
    assert r"tasks-app.exe\tasks_app\__init__.py" in errors
    assert ('raise RuntimeError("asked to fail")' in errors) == (sources == "true")


@pytest.mark.parametrize("compression", ['"none"', '"zstd"'])
def test_numpy(project: Project, tmp_path: Path, compression: str) -> None:
    folder = project("numpy_app", compression=compression)
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text.replace('"numpy"', f'"{NUMPY}"'), encoding="utf-8")
    executable = build(folder, target=TARGET.name)
    cache = tmp_path / "cache"
    for expected in ("made", "found", "renamed"):
        program = executable
        if expected == "renamed":
            program = executable.with_name("another name.exe")  # wine takes no other letters in import tables
            executable.rename(program)
        done = run(program, env={"OXCROSS_CACHE": windows_path(cache)})
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["solution"] == [0.1, 0.6]
        assert result["eigenvalues"] == [2.0, 5.0]
        assert result["peak"] == 4
        assert result["random"] == [94, 62, 68, 89]
        assert result["escaped"] == "&lt;&amp;&gt;"
        assert result["file"] == rf"{windows_path(program)}\numpy\__init__.py"
    # Only what Windows' own loader has to load is there, whole, and nothing half-written beside it.
    kept = [Path(folder, name) for folder, _, names in os.walk(cache) for name in names]
    assert {path.suffix for path in kept} <= {".pyd", ".dll"}
    assert 0 < len(kept) < 12
