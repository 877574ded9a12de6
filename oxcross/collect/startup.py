"""What .pth files of embedded distributions ask for: the ``site`` module's rules, worked out at build time.

In an environment site reads them at every start. A line that names a folder puts it on sys.path; a line that begins with
``import`` is run. Which folders are there is known now; such lines are run by the executable, as they are, when it starts.
Source: the documentation of site, ``addpackage`` in Lib/site.py.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field

from oxcross.pack.codec import decode
from oxcross.pack.resources import Resources

# What setuptools wrote for namespace packages. They are packages without __init__ in any case (PEP 420).
_NAMESPACE = re.compile(r"import sys, ?types, ?os;.*f_locals\['sitedir'\]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of code in the .pth file ``file``, its first line 1."""

    file: str
    number: int
    code: str


@dataclass(slots=True)
class Startup:
    """Folders for sys.path, relative to the mount point, and lines of code, both in the order of the files' names."""

    paths: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def named(line: str, system: str) -> str:
    """The folder that a line of a .pth file names, as it is looked up: on Windows separators and case are alike."""
    return posixpath.normpath(line.replace("\\", "/").lower() if system == "windows" else line)


def of(resources: Resources, system: str) -> Startup:
    """What the .pth files among ``resources`` ask for on a system (``Target.os``); warnings for what an executable cannot
    do for them.
    """
    found = Startup()
    folders = {named(folder, system): folder for folder in _folders(resources)}
    for path in sorted(path for path in resources.files if path.endswith(".pth") and "/" not in path):
        text = decode(resources.files[path].data, resources.dictionary).decode("utf-8-sig", "replace")
        for number, raw in enumerate(text.splitlines(), 1):
            line = raw.rstrip()
            if line.startswith(("import ", "import\t")):
                if not _NAMESPACE.match(line):
                    found.lines.append(Line(path, number, line))
            elif line and not line.startswith("#"):
                folder = named(line, system)
                if folder in folders and folders[folder] not in found.paths:
                    found.paths.append(folders[folder])
                elif folder not in folders and folder != ".":
                    found.warnings.append(
                        f"{path}:{number}: {line} is not embedded: it does not come on sys.path"
                    )
    return found


def _folders(resources: Resources) -> set[str]:
    folders: set[str] = set()
    for path in (*resources.files, *(module.path for module in resources.modules.values())):
        while (path := posixpath.dirname(path)) and path not in folders:
            folders.add(path)
    return folders | resources.directories
