"""The target table: complete rows, and an error that helps."""

import importlib.machinery
import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from oxcross import runner, targets
from oxcross.errors import UsageError

NAMES = [
    "linux-x64",
    "linux-arm64",
    "linux-x64-musl",
    "linux-arm64-musl",
    "win-x64",
    "macos-x64",
    "macos-arm64",
    "macos-universal2",
]


def test_every_target_of_the_plan_has_a_row() -> None:
    assert list(targets.load()) == NAMES


def test_targets_say_all_that_a_build_needs() -> None:
    for target in targets.load().values():
        if target.slices:
            assert all(not targets.get(name).slices for name in target.slices)
            continue
        assert target.uv_platform
        assert target.wheel_tags
        assert target.floor or target.libc == "musl"
        assert {"openssl", "libffi"} <= target.build.keys()
        if target.os == "linux":
            assert {"config_site", "link"} <= target.build.keys()


def test_glibc_targets_name_their_floor_to_the_compiler() -> None:
    for target in targets.load().values():
        if target.libc == "glibc":
            assert target.zig == f"{target.triple}.{target.floor}"


def test_soabi_is_what_extension_modules_carry() -> None:
    assert targets.get("linux-x64").soabi("3.13.15") == "cpython-313-x86_64-linux-gnu"
    assert targets.get("linux-arm64-musl").soabi("3.14") == "cpython-314-aarch64-linux-musl"
    assert targets.get("win-x64").soabi("3.13.15") == "cp313-win_amd64"
    assert targets.get("macos-arm64").soabi("3.13.15") == "cpython-313-darwin"


def test_suffixes_of_extension_modules() -> None:
    linux, windows = targets.get("linux-x64"), targets.get("win-x64")
    own = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    assert linux.extension_suffixes(linux.soabi(platform.python_version())) == own
    assert windows.extension_suffixes("cp313-win_amd64") == (".cp313-win_amd64.pyd", ".pyd")


def test_markers_are_what_a_python_says() -> None:
    here = {"os_name": os.name, "sys_platform": sys.platform, "platform_system": platform.system()}
    assert targets.get("linux-x64").markers == {**here, "platform_machine": platform.machine()}
    assert targets.get("win-x64").markers == {
        "os_name": "nt",
        "sys_platform": "win32",
        "platform_system": "Windows",
        "platform_machine": "AMD64",
    }
    assert all(target.os in targets.SYSTEMS for target in targets.load().values())


def test_unknown_target_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no target 'linux-x46'") as caught:
        targets.get("linux-x46")
    assert caught.value.hint == "did you mean 'linux-x64'?"


def test_what_runs_a_targets_programs_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert runner.lacking(targets.get("linux-x64")) is None
    row = replace(targets.get("linux-arm64"), runner=("emulator", "-L", str(tmp_path / "root")))
    monkeypatch.setenv("PATH", str(tmp_path))
    packages = " ".join(row.runner_packages)
    assert runner.lacking(row) == f"emulator is not on this machine: apt-get install {packages}"
    (tmp_path / "emulator").write_text("#!/bin/sh\n")
    (tmp_path / "emulator").chmod(0o755)
    assert runner.lacking(row) == f"{tmp_path / 'root'} is not on this machine: apt-get install {packages}"
    (tmp_path / "root").mkdir()
    assert runner.lacking(row) is None


def test_the_users_own_runner_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    row = targets.get("macos-arm64")
    assert runner.lacking(row) == "it takes a Mac for that"
    monkeypatch.setenv("OXCROSS_RUNNER_MACOS_ARM64", 'sh -c \'exec "$0" "$@"\'')
    assert runner.lacking(row) is None
    assert runner.line(row, "program", "--help") == ["sh", "-c", 'exec "$0" "$@"', "program", "--help"]
    monkeypatch.setenv("OXCROSS_RUNNER_MACOS_ARM64", "ssh-to-a-mac")
    assert runner.lacking(row) == "ssh-to-a-mac is not on this machine"


def test_every_runner_says_what_installs_it() -> None:
    assert all(bool(target.runner) == bool(target.runner_packages) for target in targets.load().values())
