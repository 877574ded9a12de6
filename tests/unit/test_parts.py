"""Leaving out parts of the standard library: named groups, and what no import leads to."""

from __future__ import annotations

import marshal
import sys
from pathlib import Path

from oxcross import pack
from oxcross.collect import parts

SOURCES = {
    "main": "import a.b\nfrom c import d, value\ndef late():\n    from importlib import import_module\n    import_module('e')\n",
    "a": "",
    "a.b": "from . import x\nfrom ..a import y\n",
    "a.x": "",
    "a.y": "",
    "a.z": "import gone",
    "c": "value = 1",
    "c.d": "",
    "e": "NAMES = ('f.g', 'not a module')",
    "f": "",
    "f.g": "",
    "gone": "",
    "os": "",
}
PACKAGES = {"a", "c", "f"}


def _resources() -> pack.Resources:
    resources = pack.Resources()
    for name, text in SOURCES.items():
        path = name.replace(".", "/") + ("/__init__.py" if name in PACKAGES else ".py")
        code = pack.Encoder("zstd").payload(marshal.dumps(compile(text, path, "exec")))
        resources.add_module(
            pack.Module(name, path, code, package=name in PACKAGES, stdlib=name not in ("main", "e"))
        )
    return resources


def test_what_nothing_leads_to() -> None:
    """Import statements at any depth, relative ones, and an application's texts that are a module's name lead to modules."""
    python = Path(sys.executable)
    assert parts.unreached(_resources(), python, [], system="linux") == {"a.z", "gone"}
    assert parts.unreached(_resources(), python, ["a.z"], system="linux") == set()


def test_builtin_modules_that_nothing_leads_to() -> None:
    """Those that may be left out count, by import statements, by what C code imports, and by an extension module's texts."""
    python = Path(sys.executable)
    resources = _resources()
    may = {"_elementtree", "pyexpat", "_ssl", "_sqlite3"}
    everything = parts.unreached(resources, python, [], may, system="linux")
    assert everything == {"a.z", "gone", *may}
    code = pack.Payload.raw(marshal.dumps(compile("import _elementtree", "late.py", "exec")))
    resources.add_module(pack.Module("late", "late.py", code))
    code = pack.Payload.raw(b"\x7fELF\0gone\0_ssl\0not_ssl\0")
    resources.add_module(pack.Module("fast", "fast.so", code, extension=True))
    assert parts.unreached(resources, python, [], may, system="linux") == {"a.z", "_sqlite3"}
    assert parts.unreached(resources, python, ["_sqlite3"], may, system="linux") == {"a.z"}
    assert parts.excluded(resources, ["databases"], [], may, system="linux") == {"_sqlite3"}
    assert parts.excluded(resources, ["databases"], ["_sqlite3"], may, system="linux") == set()


def test_named_groups() -> None:
    resources = _resources()
    for name in ("email", "email.mime", "mailbox", "emails"):
        resources.add_module(
            pack.Module(name, f"{name}.py", pack.Payload.raw(b"x"), stdlib=name != "mailbox")
        )
    assert parts.excluded(resources, ["email"], [], system="linux") == {"email", "email.mime"}
    assert parts.excluded(resources, ["email"], ["email.mime"], system="linux") == {"email"}
    assert parts.excluded(resources, [], [], system="linux") == set()


def test_groups_name_modules_of_the_library() -> None:
    """Every group names modules that this Python has, too, or that are newer or another system's."""
    elsewhere = {
        *("_android_support", "_apple_support", "_ios_support"),
        *("_colorize", "_pydatetime", "_pylong", "_pyrepl", "_py_warnings", "_testinternalcapi"),
        *("__hello__", "__phello__"),
    }
    for system in ("linux", "windows"):
        for group, modules in parts.load(system).items():
            tops = {module.partition(".")[0] for module in modules}
            assert tops <= {*sys.stdlib_module_names, *elsewhere}, group


def test_groups_by_system() -> None:
    """What is another system's on one is needed on the other."""
    linux, windows = (set(parts.load(system)["other-systems"]) for system in ("linux", "windows"))
    assert linux - windows == {"nturl2path"}
    assert {"asyncio.unix_events", "curses", "pty"} <= windows - linux
    assert set(parts.load()) == set(parts.load("linux")) == set(parts.load("windows"))
    resources = _resources()
    for name in ("ntpath", "nturl2path", "asyncio.unix_events"):
        resources.add_module(pack.Module(name, f"{name}.py", pack.Payload.raw(b"x"), stdlib=True))
    assert parts.excluded(resources, ["other-systems"], [], system="windows") == {"asyncio.unix_events"}
    assert parts.excluded(resources, ["other-systems"], [], system="linux") == {"nturl2path"}


def test_what_windows_needs_without_an_import() -> None:
    resources = _resources()
    code = pack.Payload.raw(marshal.dumps(compile("", "ntpath.py", "exec")))
    resources.add_module(pack.Module("ntpath", "ntpath.py", code, stdlib=True))
    python = Path(sys.executable)
    assert "ntpath" in parts.unreached(resources, python, [], system="linux")
    assert "ntpath" not in parts.unreached(resources, python, [], system="windows")
