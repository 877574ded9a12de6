"""Real libraries and servers that start processes, all in one executable."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from program import APPS, build

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
SECONDS = 60.0  # for anything to happen

LIBRARIES = {
    "joblib": "loky [0, 1, 4, 9, 16, 25]\nmultiprocessing [0, 1, 4, 9, 16, 25]\n[1, 2, 3, 4]\n",
    "loky": "[0, 1, 4, 9, 16]\n" * 2,
    "multiprocess": "".join(
        f"{method} [0, 2, 4, 6] [['multiprocess.spawn']]\n" for method in ("spawn", "forkserver", "fork")
    ),
    "both": "[0, 1, 4, 9] [['multiprocessing.spawn']]\n",
    "billiard": "".join(
        f"{method} [0, 1, 4, 9] [['billiard.spawn']]\n" for method in ("spawn", "forkserver", "fork")
    ),
    "execnet": "42 True\n",
    "watchfiles": "greeting\n" * 3,
    "pip": "0 pip \n"
    "1  EXECUTABLE: No module named wheel\noxcross: this is what sys.executable -m wheel came to: it is not in this "
    "executable, and must be among its requirements\n\n"
    "1  oxcross: EXECUTABLE: cannot make a virtual environment: its python would be this application. Use a Python "
    "that is installed\n\n",
}
SERVERS = {
    "uvicorn": ["uvicorn", "site_app:asgi", "--port", "PORT", "--workers", "2"],
    "uvicorn reload": ["uvicorn", "there:asgi", "--port", "PORT", "--reload"],
    "gunicorn": [
        "gunicorn",
        "site_app:app",
        "--workers",
        "2",
        "--bind",
        "127.0.0.1:PORT",
        "--no-control-socket",
    ],
    "flask": ["flask", "--app", "there", "run", "--port", "PORT", "--reload"],
    "django": ["manage", "runserver", "PORT"],
}


@pytest.fixture(scope="session")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parallel") / "parallel"
    shutil.copytree(APPS / "parallel", folder)
    return build(folder)


@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries(parallel: Path, library: str) -> None:
    done = subprocess.run(
        [parallel, library],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, LIBRARIES[library], "")


def test_pytest_in_several_processes(parallel: Path, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"test_{number}.py").write_text("def test(): pass\ndef test_wrong(): assert 0 == 1\n")
    done = subprocess.run(
        [parallel, "pytest", "-n", "2", "-q"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "3 failed, 3 passed" in done.stdout
    assert "assert 0 == 1" in done.stdout


def _answer(port: int, unlike: str = "", change: Callable[[], object] | None = None) -> str:
    """What the server says as soon as it says something new.

    ``change`` is called at once and again every five seconds: a reloader may begin to watch files only after its first
    server answers, and then does not see what was changed before.
    """
    for number in range(int(SECONDS * 10)):
        if change is not None and number % 50 == 0:
            change()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SECONDS) as page:
                text: str = page.read().decode()
            if text != unlike:
                return text
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"no answer but {unlike!r}")


@contextmanager
def _server(line: list[object], folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    words = [str(word).replace("PORT", str(port)) for word in line]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            words,
            cwd=folder,
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            process_group=0,
        )
    try:
        yield process, port
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.mark.parametrize("name", SERVERS)
def test_servers(parallel: Path, tmp_path: Path, name: str) -> None:
    """Each runs the application in a process of its own, and starts another when a file changes."""
    source = tmp_path / "there.py"
    source.write_text("from site_app import app, asgi\n")
    with _server([parallel, *SERVERS[name]], tmp_path) as (process, port):
        first = _answer(port)
        assert int(first) != process.pid
        if "there" in " ".join(SERVERS[name]):
            changed = partial(source.write_text, "from site_app import app, asgi\nCHANGED = True\n")
            assert int(_answer(port, unlike=first, change=changed)) != process.pid
    assert process.returncode == 0, (tmp_path / "log").read_text()


def test_gunicorn_replaces_itself(parallel: Path, tmp_path: Path) -> None:
    """SIGUSR2: a new master is started as sys.executable with sys.argv; it goes on when the old one ends."""
    with _server([parallel, *SERVERS["gunicorn"]], tmp_path) as (process, port):
        first = _answer(port)
        process.send_signal(signal.SIGUSR2)
        log = tmp_path / "log"
        for _ in range(int(SECONDS * 10)):
            if len(masters := re.findall(r"\[(\d+)\] \[INFO\] Listening at", log.read_text())) == 2:
                break
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 0
        assert int(_answer(port, unlike=first)) > 0
        os.kill(int(masters[1]), signal.SIGTERM)


def test_django_reloads_by_a_link(parallel: Path, tmp_path: Path) -> None:
    """The command found in PATH: the reloader starts it by that file."""
    (tmp_path / "manage").symlink_to(parallel)
    with _server(["env", f"PATH={tmp_path}", "manage", "runserver", "PORT"], tmp_path) as (process, port):
        assert int(_answer(port)) != process.pid
    assert process.returncode == 0


def test_http(parallel: Path, tmp_path: Path) -> None:
    with _server([parallel, *SERVERS["gunicorn"]], tmp_path) as (process, port):
        answer = _answer(port)
        line = [str(parallel), "http", "--ignore-stdin", "--body", f"127.0.0.1:{port}/"]
        done = subprocess.run(line, env=ENVIRONMENT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.strip().isdigit()
        assert answer.isdigit()
    assert process.returncode == 0
