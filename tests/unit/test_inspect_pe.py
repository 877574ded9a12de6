"""Inspecting executables for Windows: the facts are those that were put in; broken contracts are named."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from portable import dll
from test_inspect import MANIFEST
from test_link_pe import appearance
from windowed import WINDOWS, launcher

from oxcross import inspect, link, pack
from oxcross.errors import InspectError
from oxcross.pack.format import LOCATOR_MAGIC
from oxcross.pe import Pe

TLS_ONLY = dll(["KERNEL32.dll", "python313.dll"], tls=True)


def executable(folder: Path, image: bytes = b"", target: str = "win-x64") -> Path:
    raw = pack.Payload.raw
    core = dll(["python313.dll", "blas-1.dll", "MSVCP140.dll", "weird.dll"])
    blas = dll(["KERNEL32.dll"], tls=True)
    resources = pack.Resources()
    resources.add_module(pack.Module("app", "app/__init__.py", raw(b"code" * 99), package=True))
    resources.add_module(pack.Module("app._core", "app/_core.pyd", raw(core), extension=True))
    resources.add_module(pack.Module("app._tls", "app/_tls.pyd", raw(TLS_ONLY), extension=True))
    resources.add_file(pack.File("app/libs/BLAS-1.dll", raw(blas)))
    resources.add_file(pack.File("app/data.txt", raw(b"data" * 1000 + LOCATOR_MAGIC + bytes(32))))
    resources.add_library(pack.Library("blas-1.dll", "app/libs/BLAS-1.dll"))
    settings = [
        pack.Setting(pack.Key.RUN_KIND, pack.Run.ENTRY_POINT),
        pack.Setting(pack.Key.RUN_TARGET, text="app:main"),
    ]
    (folder / "launcher").write_bytes(image or launcher())
    facts = {**MANIFEST, "target": target, "triple": WINDOWS.triple}
    pack.write(resources, settings, facts, folder / "blob", "none")
    out = folder / "demo.exe"
    return link.attach(folder / "launcher", folder / "blob", out, WINDOWS, appearance=appearance()).path


def test_facts(tmp_path: Path) -> None:
    report = inspect.inspect(executable(tmp_path))
    facts = json.loads(json.dumps(report.as_dict()))
    assert (facts["target"], facts["arch"]) == ("win-x64", "x86_64")
    assert facts["needed"] == ["KERNEL32.dll", "VERSION.dll"]
    assert facts["external"] == ["msvcp140.dll", "weird.dll"]  # python313.dll is the executable itself
    assert (facts["glibc"], facts["glibc_embedded"], facts["interpreter"]) == (None, None, None)
    assert facts["hardening"] == {
        "dynamic_base": True,
        "high_entropy_va": True,
        "nx_compat": True,
        "write_xor_execute": True,
        "guard_cf": False,
    }
    assert facts["windows"] == {
        "subsystem": "console",
        "signed": False,
        "signature": None,
        "mapped": ["app._core"],
        "cached": ["app._tls", "blas-1.dll"],
    }
    text = report.render_text()
    assert "glibc" not in text
    for line in ("subsystem       console", "signed          no", "cached as files app._tls, blas-1.dll"):
        assert line in text
    assert "from the system msvcp140.dll, weird.dll" in text
    inspect.check(report, WINDOWS)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (launcher(flags=0x120), "DYNAMIC_BASE"),
        (launcher(flags=0x140), "HIGH_ENTROPY_VA"),
        (launcher(flags=0x60), "NX_COMPAT"),
        (launcher(text_flags=0xE0000020), "either writable or executable"),
        (launcher(dlls=("libgcc_s.dll",)), "needs libgcc_s.dll"),
    ],
)
def test_contract(tmp_path: Path, image: bytes, words: str) -> None:
    report = inspect.inspect(executable(tmp_path, image))
    with pytest.raises(InspectError, match=words):
        inspect.check(report, WINDOWS)


def test_windows_own_libraries_are_allowed(tmp_path: Path) -> None:
    dlls = ("ntdll.dll", "ADVAPI32.dll", "api-ms-win-crt-math-l1-1-0.dll", "api-ms-win-core-path-l1-1-0.dll")
    inspect.check(inspect.inspect(executable(tmp_path, launcher(dlls=dlls))), WINDOWS)


def test_another_target(tmp_path: Path) -> None:
    report = inspect.inspect(executable(tmp_path, target="linux-x64"))
    with pytest.raises(InspectError, match="for linux-x64, not for win-x64"):
        inspect.check(report, WINDOWS)


@pytest.mark.parametrize("content", [b"MZ", launcher()[:0x300], dll(["a.dll"])])
def test_strangers(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.exe").write_bytes(content)
    with pytest.raises(InspectError, match="not an oxcross executable"):
        inspect.inspect(tmp_path / "x.exe")


def test_a_launcher_alone(tmp_path: Path) -> None:
    (tmp_path / "x.exe").write_bytes(launcher())
    with pytest.raises(InspectError, match="without a blob"):
        inspect.inspect(tmp_path / "x.exe")


def test_truncated(tmp_path: Path) -> None:
    path = executable(tmp_path)
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) - 600, 0x2000):
        path.write_bytes(whole[:size])
        with pytest.raises(InspectError, match="truncated"):
            inspect.inspect(path)


def test_damage_is_named(tmp_path: Path) -> None:
    path = executable(tmp_path)
    whole = path.read_bytes()
    blob = Pe(whole).sections[-1]
    chance = random.Random(5)  # noqa: S311
    for _ in range(20):
        broken = bytearray(whole)
        broken[blob.offset + chance.randrange(blob.size)] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(InspectError, match=r"demo\.exe"):
            inspect.inspect(path)
    for place in range(0x400):
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        try:
            inspect.inspect(path)
        except InspectError:
            continue
