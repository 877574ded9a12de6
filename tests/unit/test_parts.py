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
    assert parts.unreached(_resources(), python, []) == {"a.z", "gone"}
    assert parts.unreached(_resources(), python, ["a.z"]) == set()


def test_builtin_modules_that_nothing_leads_to() -> None:
    """Those that may be left out count, by import statements, by what C code imports, and by an extension module's texts."""
    python = Path(sys.executable)
    resources = _resources()
    may = {"_elementtree", "pyexpat", "_ssl", "_sqlite3"}
    everything = parts.unreached(resources, python, [], may)
    assert everything == {"a.z", "gone", *may}
    code = pack.Payload.raw(marshal.dumps(compile("import _elementtree", "late.py", "exec")))
    resources.add_module(pack.Module("late", "late.py", code))
    code = pack.Payload.raw(b"\x7fELF\0gone\0_ssl\0not_ssl\0")
    resources.add_module(pack.Module("fast", "fast.so", code, extension=True))
    assert parts.unreached(resources, python, [], may) == {"a.z", "_sqlite3"}
    assert parts.unreached(resources, python, ["_sqlite3"], may) == {"a.z"}
    assert parts.excluded(resources, ["databases"], [], may) == {"_sqlite3"}
    assert parts.excluded(resources, ["databases"], ["_sqlite3"], may) == set()


def test_named_groups() -> None:
    resources = _resources()
    for name in ("email", "email.mime", "mailbox", "emails"):
        resources.add_module(
            pack.Module(name, f"{name}.py", pack.Payload.raw(b"x"), stdlib=name != "mailbox")
        )
    assert parts.excluded(resources, ["email"], []) == {"email", "email.mime"}
    assert parts.excluded(resources, ["email"], ["email.mime"]) == {"email"}
    assert parts.excluded(resources, [], []) == set()


def test_groups_name_modules_of_the_library() -> None:
    """Every group names modules that this Python has, too, or that are newer or another system's."""
    elsewhere = {
        *("_android_support", "_apple_support", "_ios_support"),
        *("_colorize", "_pydatetime", "_pylong", "_pyrepl", "_py_warnings", "_testinternalcapi"),
        *("__hello__", "__phello__"),
    }
    for group, modules in parts.load().items():
        tops = {module.partition(".")[0] for module in modules}
        assert tops <= {*sys.stdlib_module_names, *elsewhere}, group
