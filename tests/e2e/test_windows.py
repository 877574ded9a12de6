"""An application as an executable for Windows, run under wine: what Windows programs rely on."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from program import APPS, build
from winprogram import TARGET, run, windows_path

from oxcross import runner

Check = Callable[..., Any]


@pytest.fixture(scope="session")
def winapp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable of apps/windows."""
    folder = tmp_path_factory.mktemp("winapp") / "windows"
    shutil.copytree(APPS / "windows", folder)
    return build(folder, target=TARGET.name)


@pytest.fixture
def check(winapp: Path) -> Check:
    """A function that runs one of its checks and gives what came out."""

    def ask(name: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
        done = run(winapp, name, *arguments, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout.splitlines()[-1])

    return ask


def test_modules(check: Check) -> None:
    result = check("modules")
    assert result["failed"] == {}
    assert result["count"] >= 85
    assert len(result["absent"]) == 8


def test_identity(check: Check, winapp: Path) -> None:
    result = check("identity", env={"OX_TEST": "grüße"})
    own = windows_path(winapp)
    assert result["executable"] == own
    assert result["file"] == rf"{own}\winapp\__init__.py"
    assert result["os_file"] == rf"{own}\lib\python3.13\os.py"
    assert result["path"] == [rf"{own}\lib\python3.13", own]
    assert result["prefix"] == own
    assert result["argv"][1:] == ["identity"]
    assert result["orig_argv"][1:] == ["identity"]
    assert result["frozen"] is True
    assert result["winver"] == "3.13"
    assert result["dllhandle"] is True
    assert result["platform"] == "win32"
    assert result["soabi"] == [".cp313-win_amd64.pyd", ".pyd"]
    assert result["version"] == "3.4.5"
    assert result["plugins"] == [[1, 2, 3]]
    assert result["environment"] == "grüße"


def test_renamed_in_another_folder(winapp: Path, tmp_path: Path) -> None:
    moved = tmp_path / "ein Ordner" / "grüße 日本.exe"
    moved.parent.mkdir()
    shutil.copy(winapp, moved)
    done = run(moved, "identity")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["executable"] == windows_path(moved)


def test_texts_are_utf_8(winapp: Path) -> None:
    done = run(winapp, "encoding", "grüße", "日本", "\U0001f600", "two words", 'a"b', "c\\")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first == "grüße 日本 \U0001f600"
    result = json.loads(second)
    assert result["arguments"] == ["grüße", "日本", "\U0001f600", "two words", 'a"b', "c\\"]
    for name in ("stdout", "stdin", "filesystem", "preferred"):
        assert result[name] == "utf-8"
    assert result["utf8"] == 1
    assert run(winapp, "echo", stdin="grüße\n").stdout == "GRÜSSE\n"


def test_output_in_order(winapp: Path) -> None:
    assert run(winapp, "unbuffered").stdout.split() == ["one", "two", "three", "four"]


def test_resources(check: Check) -> None:
    result = check("resources")
    for name in ("resource", "as_file", "open"):
        assert result[name] == "grüße\n", name
    assert result["listed"] == ["grün.txt"]
    assert result["scanned"] == [["grün.txt", True, len("grüße\n".encode())]]
    assert result["upper"] is True
    assert result["absent"] is False
    assert result["source"] is True


def test_traceback(check: Check, winapp: Path) -> None:
    text = check("trace")
    assert rf'File "{windows_path(winapp)}\winapp\checks.py", line' in text
    assert "numbers.nothing" in text


def test_openssl(check: Check) -> None:
    result = check("crypto")
    assert result["openssl"].startswith("OpenSSL 3.5")
    assert result["stores"] is True
    assert result["loaded"] >= result["roots"] > 0
    assert result["paths"] == "C:/Program Files/Common Files/SSL\\cert.pem"


def test_libraries(check: Check) -> None:
    result = check("libraries")
    assert result["packed"] == [True, True, True]
    assert result["sqlite"] == ["3.46.1", 1]
    assert result["decimal"] == "1.414213562373095048801688724"
    assert result["uuid"] == 1
    assert result["xml"] == "1"


def test_ctypes(check: Check) -> None:
    assert check("foreign") == {
        "sorted": [1, 2, 3, 5, 9],
        "tick": True,
        "python": 42,
        "error": 2,
        "wide": 2,
    }


def test_registry(check: Check) -> None:
    assert check("registry") == {"value": "grüße", "handle": True}


def test_files(check: Check, tmp_path: Path) -> None:
    result = check("files", windows_path(tmp_path))
    assert result == {"long": True, "text": "ONE\ntwo\n", "copied": "grüße\n"}


def test_asyncio(check: Check) -> None:
    assert check("loops") == {
        "line": "pong ping\n",
        "child": "child",
        "loop": "ProactorEventLoop",
        "thread": True,
    }


def test_multiprocessing(check: Check) -> None:
    assert check("workers") == {
        "said": "from the child",
        "exit": 0,
        "squares": [0, 1, 4, 9, 16],
        "more": [0, 1, 4, 9, 16],
        "kept": [1, 2],
    }


def test_sys_executable(check: Check) -> None:
    result = check("pythons")
    assert result["command"] == "['-c', 'grüße'] 42"
    assert result["module"] == "usage:"
    assert result["isolated"] == "isolated"
    assert result["version"].startswith("Python 3.13")


def test_children(check: Check) -> None:
    assert check("children") == {"status": 3, "out": "out", "err": "err"}


def test_exit_statuses(winapp: Path) -> None:
    assert run(winapp, "leave", "7").returncode == 7
    failed = run(winapp, "fail")
    assert failed.returncode == 1
    assert failed.stderr.endswith("RuntimeError: grüße\n")
    assert "Traceback (most recent call last):" in failed.stderr


def test_interrupt(check: Check) -> None:
    assert check("interrupt") == {"caught": True, "handlers": True, "status": 0xC000013A, "said": True}


def test_windowed(tmp_path: Path) -> None:
    folder = tmp_path / "windows"
    shutil.copytree(APPS / "windows", folder)
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text + '\n[tool.oxcross.windows]\nsubsystem = "windows"\n', encoding="utf-8")
    executable = build(folder, target=TARGET.name)
    told = tmp_path / "told.txt"
    # As Explorer starts a program: `start` gives it no streams.
    done = subprocess.run(
        runner.line(TARGET, "start", "/wait", windows_path(executable), "write_streams", windows_path(told)),
        env=runner.environment(TARGET),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0
    assert told.read_text(encoding="utf-8").startswith("{'stdin': ")


def test_damage_is_told(winapp: Path, tmp_path: Path) -> None:
    whole = winapp.read_bytes()
    verified = run(winapp, "--oxcross-verify")
    assert (verified.returncode, verified.stdout.strip()) == (0, "ok")
    changed = bytearray(whole)
    changed[-300_000] ^= 1
    broken = tmp_path / "broken.exe"
    broken.write_bytes(changed)
    done = run(broken, "--oxcross-verify")
    assert done.returncode == 70
    assert done.stderr == (
        f"oxcross: {windows_path(broken)}: damaged: its SHA-256 is not the one it was made with\n"
    )
    # The system itself starts no image that is shorter than its headers say.
    broken.write_bytes(whole[:-5000])
    assert run(broken, "--oxcross-verify").returncode != 0
