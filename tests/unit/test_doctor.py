"""What the machine lacks, and the command that mends it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from oxcross import doctor
from oxcross.checkup.check import Check
from oxcross.errors import ToolError


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for the whole machine: only the programs put there exist."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(doctor, "_search_path", lambda: str(folder))
    monkeypatch.setattr(doctor, "_tool_path", lambda: str(folder))
    return folder


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch(0o755)


def test_everything_is_there(tools: Path) -> None:
    put(tools, *doctor.TOOLS)
    doctor.require_tools()


def test_a_missing_tool_is_named_with_its_package(tools: Path) -> None:
    put(tools, *(name for name in doctor.TOOLS if name not in ("make", "xz", "tclsh")), "apt-get")
    with pytest.raises(ToolError, match="make") as caught:
        doctor.require_tools()
    assert caught.value.exit_code == 7
    assert str(caught.value.hint).endswith("apt-get install -y xz-utils make tcl")


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "apt-get install -y xz-utils make"),
        ("dnf", "dnf install -y xz make"),
        ("apk", "apk add xz make"),
        ("pacman", "pacman -S --needed xz make"),
    ],
)
def test_the_command_of_the_machine_s_package_manager(tools: Path, manager: str, line: str) -> None:
    put(tools, manager)
    assert doctor.install(["xz", "make"]).removeprefix("sudo ") == line


def test_examine_this_machine(tmp_path: Path) -> None:
    checks = {check.name: check for check in doctor.examine(str(tmp_path / "store"))}
    assert {
        "python",
        "uv",
        "store",
        "temporary",
        "clock",
        "git",
        "qemu-aarch64-static",
        "namespaces",
        "docker",
        *doctor.TOOLS,
        *doctor.FOR_WINDOWS,
        *doctor.FOR_MACOS,
    } == set(checks)
    assert checks["python"].ok
    assert checks["uv"].ok
    assert all(check.fix for check in checks.values() if not check.ok)


@pytest.mark.parametrize(
    ("frozen", "group", "fix"),
    [(False, "always", "python3 -m pip install uv"), (True, "requirements", "pipx install uv")],
)
def test_no_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frozen: bool, group: str, fix: str) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "frozen", frozen, raising=False)
    [check] = [check for check in doctor.examine(str(tmp_path / "store")) if check.name == "uv"]
    assert not check.ok
    assert (check.group, check.fix) == (group, fix)
    assert doctor.able([check]) is frozen  # without requirements it can do without


@pytest.mark.parametrize("folder", ["/proc/nowhere", "/dev/null/store", "~nobody-has-this-name/store"])
def test_a_store_that_cannot_be_written(folder: str) -> None:
    [check] = [check for check in doctor.examine(folder) if check.name == "store"]
    assert not check.ok
    assert "OXCROSS_STORE" in check.fix


@pytest.mark.parametrize(
    ("bad", "able"),
    [
        ([], True),
        (["local"], True),  # docker is there
        (["docker"], True),  # the tools are there
        (["isolation"], True),
        (["windows"], True),
        (["docker", "local"], False),
        (["always"], False),
    ],
)
def test_able(bad: list[str], able: bool) -> None:
    groups = ["always", "local", "docker", "isolation", "windows"]
    checks = [Check(name=group, ok=group not in bad, detail="", group=group) for group in groups]
    assert doctor.able(checks) is able
