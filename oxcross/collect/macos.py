"""What only executables for macOS ask of their resources: that a library which another one names can be found.

The launcher puts libraries into a folder as they lie in the wheels, and dyld looks for what they name from there: so names
are followed here as dyld(1) does it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from oxcross.collect.libraries import Shared

_SYSTEM = ("/usr/lib/", "/System/Library/")


def missing(shared: Iterable[Shared]) -> list[str]:
    """A warning for each library that none of the files is, and that is none of macOS' own."""
    files = {file.path: file for file in shared}
    users: dict[str, list[str]] = {}
    for path in sorted(files):
        for name in files[path].needed:
            if not name.startswith(_SYSTEM) and not any(
                place in files for place in _places(files[path], name)
            ):
                users.setdefault(name, []).append(path)
    return [
        f"{name}: needed by {paths[0]}, and no wheel has it: it must be on the user's system"
        for name, paths in users.items()
    ]


def _places(user: Shared, name: str) -> Iterator[str]:
    """Where the library may lie, relative to the executable; of absolute names nowhere."""
    if name.startswith("@rpath/"):
        for folder in user.runpaths:
            yield from _places(user, posixpath.join(folder, name.removeprefix("@rpath/")))
    elif name.startswith("@loader_path/"):
        here = posixpath.dirname(user.path)
        yield posixpath.normpath(posixpath.join(here, name.removeprefix("@loader_path/")))
