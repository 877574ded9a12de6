"""The standard library as the cpython step left it, with stubs for what oxcross leaves out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from oxcross import rooms
from oxcross.collect.make import Entry, Tree, read_tree
from oxcross.cpython import series_of

# Folders of lib/python3.x that are no part of the library itself: of its tests, its build, its installer.
_FOLDERS = frozenset(
    {"test", "idlelib", "turtledemo", "tkinter", "ensurepip", "lib2to3", "site-packages", "lib-dynload"}
)
_STUB = '''\
"""Not part of oxcross executables: what needs Tk, or installs packages."""
raise ModuleNotFoundError(
    "{name} is not part of executables made by oxcross: it needs {needs}, which is not embedded",
    name="{name}",
)
'''
# Lines that do not hold where files lie below a regular file, the executable, and as they lie there: module, line,
# replacement. A series of Python that has another line there is left as it is.
_CHANGES = (
    (
        "posixpath.py",  # realpath(path, strict=True)
        b"if strict and part_count and not stat.S_ISDIR(st_mode):",
        b"if strict and part_count and not stat.S_ISDIR(st_mode) and not isdir(newpath + sep):",
    ),
)
# The same, by system. Windows' scheme has other folders than executables, which are alike on all systems; and there a spawned
# child of a program with sys.frozen is not told of the main module, as it is thought to run it anyway: launcher/worker.h does not.
_CHANGES_OF: Mapping[str, tuple[tuple[str, bytes, bytes], ...]] = {
    "windows": (
        ("multiprocessing/spawn.py", b"WINEXE = getattr(sys, 'frozen', False)\n", b"WINEXE = False\n"),
        *(
            (
                "sysconfig/__init__.py",
                f"'{key}': '{{{base}}}/{old}',\n".encode(),
                f"'{key}': '{{{base}}}/{new}',\n".encode(),
            )
            for key, base, old, new in (
                ("stdlib", "installed_base", "Lib", "lib/python{py_version_short}"),
                ("platstdlib", "base", "Lib", "lib/python{py_version_short}"),
                ("scripts", "base", "Scripts", "bin"),
            )
        ),
    )
}
_NEEDS = {"ensurepip": "pip and a folder to install into"}


def folder(version: str) -> str:
    """Where the library of a CPython ("3.13.15") lies below the mount point."""
    return "lib/python" + series_of(version)


def identity(system: str) -> str:
    """What tells this library from the cpython step's: the changes made here, and what is added."""
    parts = (_STUB, _NEEDS, _CHANGES + _CHANGES_OF.get(system, ()), sorted(_own().items()))
    return f"stdlib {hashlib.sha256(repr(parts).encode()).hexdigest()}"


def tree(cpython: Path, version: str, system: str) -> Tree:
    """The library's files, relative to its folder, as they are for a ``system`` (``Target.os``)."""
    from oxcross.config.entry import REFUSED

    root = cpython / folder(version)
    found = {path: entry for path, entry in read_tree(root).items() if _wanted(path, system)}
    for name in sorted(REFUSED):
        text = _STUB.format(name=name, needs=_NEEDS.get(name, "Tk")).encode()
        found[f"{name}.py"] = Entry.of(text)
    for path, line, replacement in _CHANGES + _CHANGES_OF.get(system, ()):
        if path in found:
            found[path] = Entry.of(found[path].read().replace(line, replacement))
    return found | {path: Entry.of(data) for path, data in _own().items()}


def _own() -> dict[str, bytes]:
    """Modules of the project's own that lie with the library: ``oxidized_importer``."""
    files = rooms.files("launcher").items()
    return {
        path.removeprefix("python/"): data
        for path, data in files
        if path.startswith("python/") and path.endswith(".py")
    }


def _wanted(path: str, system: str) -> bool:
    top, slash, _ = path.partition("/")
    if slash:
        # config-3.13-…: the Makefile and objects to link other programs with.
        return top not in _FOLDERS and not top.startswith("config-")
    # How a CPython for POSIX was built: there is none on Windows, where everything else is the same library.
    return system != "windows" or not top.startswith("_sysconfigdata_")
