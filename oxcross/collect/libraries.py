"""Shared libraries inside wheels: what each file is called and asks for, and the order to load them.

Extension modules are loaded from memory, where the dynamic loader cannot follow an RPATH. So the
libraries that they name (DT_NEEDED) are loaded before them, each after those that it needs itself;
the loader then finds them by their DT_SONAME, or, where they have none, by a path that the launcher puts in
place of the name. Windows' way is another one: dlls.py; and so is macOS': macos.py.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from oxcross.elf import ET_EXEC, Elf, ElfError, is_elf
from oxcross.macho import MH_EXECUTE, Macho, MachoError, is_fat, is_macho, slices
from oxcross.pack.resources import Library
from oxcross.pe import Pe, PeError, is_pe

# What glibc itself brings (its package's libraries): on every system that can run the executable.
LIBC_OWN = frozenset(
    {
        "ld-linux-aarch64.so.1", "ld-linux-x86-64.so.2", "libBrokenLocale.so.1", "libanl.so.1", "libc.so.6",
        "libdl.so.2", "libm.so.6", "libmvec.so.1", "libnsl.so.1", "libpthread.so.0", "libresolv.so.2",
        "librt.so.1", "libthread_db.so.1", "libutil.so.1",
    }
)  # fmt: skip
FALLBACK_FOLDER = "lib/oxcross"


@dataclass(frozen=True, slots=True)
class Shared:
    """A native file among the resources; ``glibc`` is the oldest that has all it needs, or empty. Names of Windows' are in
    lower case, ``delayed`` are what it asks for only when it calls them.
    """

    path: str
    soname: str | None
    needed: tuple[str, ...]
    runpaths: tuple[str, ...]
    glibc: tuple[int, ...]
    arch: str
    delayed: tuple[str, ...] = ()
    program: bool = False  # the system could start it
    thread_local: bool = False  # a DLL with variables for each thread, which Windows itself must load

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Shared:
        """From what JSON kept of it."""
        fields: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
        }
        return cls(**fields)


def describe(path: str, data: bytes, system: str = "linux") -> Shared | None:
    """What the file at ``path`` is, if it is one of the system's own format and readable as such."""
    try:
        return _READERS[system](path, data)
    except (ElfError, MachoError, PeError):
        return None  # an object file of another kind that a package carries as data


def _of_elf(path: str, data: bytes) -> Shared | None:
    if not is_elf(data):
        return None
    file = Elf(data)
    # Libraries that tell their version when they are started are no programs.
    program = file.soname is None and (file.type == ET_EXEC or file.pie)
    glibc = file.glibc or ()
    return Shared(path, file.soname, tuple(file.needed), tuple(file.runpaths), glibc, file.arch, (), program)


def _of_pe(path: str, data: bytes) -> Shared | None:
    if not is_pe(data):
        return None
    file = Pe(data)
    needed, delayed = (
        tuple(dict.fromkeys(one.dll.lower() for one in imports))
        for imports in (file.imports, file.delay_imports)
    )
    name = posixpath.basename(path).lower() if file.dll else None
    return Shared(path, name, needed, (), (), file.arch, delayed, not file.dll, file.has_variables)


def _of_macho(path: str, data: bytes) -> Shared | None:
    if not is_macho(data):
        return None
    places = [data[one.offset : one.offset + one.size] for one in slices(data)] if is_fat(data) else [data]
    files = [Macho(place) for place in places]
    machines = {file.arch for file in files}
    arch = "universal2" if machines >= {"x86_64", "aarch64"} else min(machines, default="")
    needed = dict.fromkeys(one.name for file in files for one in file.dylibs)
    runpaths = dict.fromkeys(folder for file in files for folder in file.rpaths)
    program = any(file.header.type == MH_EXECUTE for file in files)
    return Shared(path, files[0].id if files else None, tuple(needed), tuple(runpaths), (), arch, (), program)


_READERS = {"linux": _of_elf, "macos": _of_macho, "windows": _of_pe}


@dataclass(frozen=True, slots=True)
class Loading:
    """Libraries in load order, and the names that nobody provides with the files that ask for them."""

    libraries: tuple[Library, ...]
    missing: Mapping[str, tuple[str, ...]]


def order(shared: Iterable[Shared], fallback: Mapping[str, tuple[str, ...]]) -> Loading:
    """Which libraries the files need, in load order.

    ``fallback`` are the names that oxcross itself can provide where neither a wheel nor the system
    does, each with the names it needs.
    """
    files = sorted(shared, key=lambda file: file.path)
    by_path = {file.path: file for file in files}
    by_name: dict[str, list[Shared]] = {}
    for file in files:
        for name in dict.fromkeys((file.soname, posixpath.basename(file.path))):
            if name:
                by_name.setdefault(name, []).append(file)
    ordered: dict[str, Library] = {}
    missing: dict[str, list[str]] = {}
    visiting: set[str] = set()

    def need(name: str, user: Shared) -> None:
        if name in LIBC_OWN or name in ordered or name in visiting:
            return
        visiting.add(name)
        if (file := _provider(name, user, by_path, by_name)) is not None:
            for other in file.needed:
                need(other, file)
            ordered[name] = Library(name, file.path, nameless=file.soname != name)
        elif name in fallback:
            for other in fallback[name]:
                need(other, user)
            ordered[name] = Library(name, f"{FALLBACK_FOLDER}/{name}", fallback=True)
        else:
            missing.setdefault(name, []).append(user.path)
        visiting.discard(name)

    for file in files:
        for name in file.needed:
            need(name, file)
    return Loading(tuple(ordered.values()), {name: tuple(users) for name, users in missing.items()})


def _provider(
    name: str, user: Shared, by_path: Mapping[str, Shared], by_name: Mapping[str, list[Shared]]
) -> Shared | None:
    """The file that ld.so would take for ``name``: along the user's run paths, else any so called."""
    here = posixpath.dirname(user.path)
    for folder in user.runpaths:
        relative = folder.replace("${ORIGIN}", "$ORIGIN")
        if relative.startswith("$ORIGIN"):
            path = posixpath.normpath(posixpath.join(here, relative.replace("$ORIGIN", ".", 1), name))
            if path in by_path:
                return by_path[path]
    candidates = by_name.get(name, [])
    return candidates[0] if candidates else None
