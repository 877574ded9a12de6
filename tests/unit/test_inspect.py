"""Inspecting: the facts are those that were put in; damage, strangers and broken contracts are named."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from pathlib import Path

import pytest
from test_link import launcher

from oxcross import inspect, link, pack, targets
from oxcross.errors import InspectError, UsageError
from oxcross.inspect.report import Hardening
from oxcross.pack.format import LOCATOR_MAGIC

LINUX = targets.get("linux-x64")
MANIFEST = {
    "app": {"name": "demo", "version": "1.2"},
    "target": "linux-x64",
    "triple": "x86_64-linux-gnu",
    "python": "3.13.15",
    "oxcross": "0.1.0",
    "libraries": [{"name": "zlib", "version": "1.3.1", "licence": "Zlib"}],
    "distributions": [{"name": "flask", "version": "3.1.3", "licence": "BSD-3-Clause", "files": 9}],
    "licences": {"file": "lib/licences", "sections": [1, 2, 3], "lacking": ["flask 3.1.3: BSD-3-Clause"]},
}


def executable(folder: Path, compression: pack.Compression = "none") -> Path:
    raw = pack.Payload.raw
    library = Path("/bin/sh").resolve().read_bytes()  # any real ELF file does
    resources = pack.Resources()
    resources.add_module(pack.Module("app", "app/__init__.py", raw(b"code" * 99), package=True))
    resources.add_module(pack.Module("app._c", "app/_c.so", raw(library), extension=True))
    resources.add_module(pack.Module("os", "lib/python3.13/os.py", raw(b"os" * 999), stdlib=True))
    resources.add_module(pack.Module("ns", "ns", None))
    # The magic inside of a blob must mislead nobody.
    resources.add_file(pack.File("app/data.txt", raw(b"data" * 1000 + LOCATOR_MAGIC + bytes(32))))
    resources.add_file(pack.File("app/_c.so", raw(library)))
    settings = [
        pack.Setting(pack.Key.RUN_KIND, pack.Run.ENTRY_POINT),
        pack.Setting(pack.Key.RUN_TARGET, text="app:main"),
        pack.Setting(pack.Key.COMMAND, pack.Run.MODULE, "serve=app.server"),
        pack.Setting(pack.Key.COMMAND, pack.Run.ENTRY_POINT, "go=app:go"),
    ]
    (folder / "launcher").write_bytes(launcher())
    pack.write(resources, settings, MANIFEST, folder / "blob", compression)
    return link.attach(folder / "launcher", folder / "blob", folder / "demo", LINUX).path


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_facts(tmp_path: Path, compression: pack.Compression) -> None:
    path = executable(tmp_path, compression)
    report = inspect.inspect(path)
    facts = json.loads(json.dumps(report.as_dict()))
    assert facts["app"] == {"name": "demo", "version": "1.2"}
    assert facts["target"] == "linux-x64"
    assert facts["python"] == "3.13.15"
    assert facts["run"] == {"kind": "entry-point", "target": "app:main"}
    assert facts["commands"] == {
        "serve": {"kind": "module", "target": "app.server"},
        "go": {"kind": "entry-point", "target": "app:go"},
    }
    assert facts["needed"] == []
    assert facts["glibc"] is None
    assert facts["glibc_embedded"].startswith("2.")
    assert facts["external"] == []
    kinds = {module["name"]: (module["kind"], module["stdlib"]) for module in facts["modules"]}
    assert kinds == {
        "app": ("package", False),
        "app._c": ("extension", False),
        "ns": ("namespace", False),
        "os": ("source", True),
    }
    assert facts["modules"][0]["size"] == 4 * 99
    assert facts["licences"] == ["BSD-3-Clause", "Zlib"]
    assert facts["licence_texts"] == 3
    assert facts["without_text"] == ["flask 3.1.3: BSD-3-Clause"]
    assert facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    text = report.render_text()
    for word in ("demo 1.2", "linux-x64", "3.13.15", "zlib", "3, none of flask 3.1.3", "largest modules"):
        assert word in text


@pytest.mark.parametrize("name", ["no-such-file", "."])
def test_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        inspect.inspect(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", Path("/bin/sh").read_bytes(), LOCATOR_MAGIC * 9])
def test_strangers(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InspectError, match="not an oxcross executable"):
        inspect.inspect(tmp_path / "x")


def test_a_launcher_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(launcher())
    with pytest.raises(InspectError, match="without a blob"):
        inspect.inspect(tmp_path / "x")


def test_truncated(tmp_path: Path) -> None:
    path = executable(tmp_path)
    whole = path.read_bytes()
    for size in (len(whole) - 1, len(whole) // 2, 70_000):
        path.write_bytes(whole[:size])
        with pytest.raises(InspectError, match="truncated"):
            inspect.inspect(path)


@pytest.mark.parametrize("section", list(pack.Section))
def test_damaged_sections_are_named(tmp_path: Path, section: pack.Section) -> None:
    path = executable(tmp_path)
    whole = path.read_bytes()
    report = inspect.inspect(path)
    offset, size = pack.Blob(whole[report.blob.offset :]).spans[section]
    chance = random.Random(section)  # noqa: S311
    for _ in range(8 if size else 0):
        broken = bytearray(whole)
        broken[report.blob.offset + offset + chance.randrange(size)] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(InspectError, match="blob section") as caught:
            inspect.inspect(path)
        assert str(path) in str(caught.value)


def test_contract(tmp_path: Path) -> None:
    report = inspect.inspect(executable(tmp_path))
    assert isinstance(report.hardening, Hardening)
    hardening = dataclasses.replace(report.hardening, pie=True, relro=True, bind_now=True)
    kept = dataclasses.replace(
        report, glibc="2.17", needed=("libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2"), hardening=hardening
    )
    inspect.check(kept, LINUX)
    for change, words in (
        ({"needed": ("libssl.so.3",)}, "libssl.so.3"),
        ({"glibc": "2.18"}, "newer than 2.17"),
        ({"target": "linux-arm64"}, "not for linux-x64"),
        ({"arch": "aarch64"}, "aarch64 machines"),
        ({"hardening": dataclasses.replace(hardening, nx=False)}, "cannot be executed"),
        ({"hardening": dataclasses.replace(hardening, relro=False)}, "RELRO"),
        ({"hardening": dataclasses.replace(hardening, bind_now=False)}, "RELRO"),
        ({"hardening": dataclasses.replace(hardening, pie=False)}, "position-independent"),
    ):
        with pytest.raises(InspectError, match=words):
            inspect.check(dataclasses.replace(kept, **change), LINUX)


def test_every_breach_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InspectError) as caught:
        inspect.check(inspect.inspect(executable(tmp_path)), LINUX)
    assert "RELRO" in caught.value.message
    assert "position-independent" in caught.value.message
