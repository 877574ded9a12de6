"""The application's own files where nothing builds a wheel of them.

A project without a build system, or one whose package is not to be installed (``project = false``),
is taken as it lies there:

- ``run-file``: the script at its own path, and beside it, at the root, what ``python FILE`` could
  import from the script's folder: modules, and packages with ``__init__.py``;
- ``run-module``, ``entry-point``, commands: the top-level modules or packages they name, from the project's
  folder or ``src``; with ``project = true`` every top-level module and package there.

Left out: hidden folders, environments, ``build``, ``dist``, and what only tools run (setup.py,
conftest.py, noxfile.py, tasks.py, tests).

A project that declares programs or other entry points looks for its own version and for those at run time: what [project]
says of them goes in as an installer would write it down.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from oxcross.collect import distributions, projectfiles
from oxcross.collect.make import Entry
from oxcross.errors import CollectError
from oxcross.project import Project

_TOOLS = {"conftest.py", "fabfile.py", "noxfile.py", "setup.py", "tasks.py"}
_TESTS = {"test", "tests"}
_LICENCES = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")  # PEP 639: where [project] names none


def tree(project: Project) -> dict[str, Entry]:
    """The application's files, by their path below the mount point.

    Raises CollectError when the script does not exist, or nothing importable of that name.
    """
    if project.run.kind == "file":
        beside = _script(project.root, project.run.value)
        return {**_importable(_roots(project.root), _named(project)), **beside}
    return _importable(_roots(project.root), None if project.include_project else _named(project))


def installed(project: Project, files: Mapping[str, Entry]) -> dict[str, Entry]:
    """``files`` with the metadata of the project, where it declares entry points. Sources: PEP 621, core metadata, PEP 376."""
    table = tomllib.loads(project.pyproject.read_text(encoding="utf-8")).get("project", {})
    points = {
        "console_scripts": table.get("scripts", {}),
        "gui_scripts": table.get("gui-scripts", {}),
        **table.get("entry-points", {}),
    }
    name = str(table.get("name", ""))
    if not project.include_project or not name or not any(points.values()):
        return dict(files)
    version = str(table.get("version", project.version))
    folder = f"{re.sub(r'[-_.]+', '_', name)}-{version}.dist-info"
    texts = _licences(project.root, table.get("license-files", _LICENCES))
    fields = [
        ("Metadata-Version", "2.4"),
        ("Name", name),
        ("Version", version),
        ("Summary", " ".join(str(table.get("description", "")).split())),
        ("Requires-Python", table.get("requires-python", "")),
        ("License-Expression", table.get("license", "")),
        *(("License-File", path) for path in sorted(texts)),
        *(("Requires-Dist", line) for line in table.get("dependencies", [])),
    ]
    metadata = "".join(f"{key}: {value}\n" for key, value in fields if value and isinstance(value, str))
    groups = [
        f"[{group}]\n" + "".join(f"{one} = {value}\n" for one, value in rows.items())
        for group, rows in points.items()
        if rows
    ]
    made = {f"{folder}/METADATA": metadata.encode(), f"{folder}/entry_points.txt": "\n".join(groups).encode()}
    made |= {f"{folder}/licenses/{path}": data for path, data in texts.items()}
    known = {**{path: entry.read() for path, entry in files.items()}, **made}
    made[f"{folder}/RECORD"] = distributions.record(known, folder)
    return {**files, **{path: Entry.of(data) for path, data in made.items()}}


def _licences(root: Path, globs: Sequence[str]) -> dict[str, bytes]:
    """The licence files of the project, by path (PEP 639)."""
    found = {path for glob in globs for path in root.glob(glob) if path.is_file()}
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def _named(project: Project) -> set[str]:
    """The top-level modules that are to run. What does not lie here comes from a requirement."""
    runs = (project.run, *(one.run for one in project.commands if one.run))
    return {
        one.value.partition(":")[0].partition(".")[0] for one in runs if one.kind in ("module", "entry-point")
    }


def has_build_system(project: Project) -> bool:
    """Whether a wheel can be built of the project."""
    return "build-system" in tomllib.loads(project.pyproject.read_text(encoding="utf-8"))


def _roots(root: Path) -> list[Path]:
    return [folder for folder in (root / "src", root) if folder.is_dir()]


def _script(root: Path, path: str) -> dict[str, Entry]:
    script = root / path
    if not script.is_file():
        raise CollectError("there is no such script", where=str(script))
    found = _importable([script.parent], None)
    # One copy only of the script: at its own path.
    if PurePosixPath(path).name != path:
        found.pop(script.name, None)
    found[path] = Entry.at(script)
    return found


def _importable(roots: list[Path], wanted: set[str] | None) -> dict[str, Entry]:
    """Modules and packages directly in ``roots`` (the first root wins), all or those ``wanted``."""
    found: dict[str, Entry] = {}
    taken: set[str] = set()
    for root in roots:
        here: dict[str, str] = {}  # path -> top-level name
        for path in projectfiles.walk(root):
            top, slash, _ = path.partition("/")
            name = top if slash else top.removesuffix(".py")
            is_module = not slash and top.endswith(".py") and top not in _TOOLS
            is_package = slash and name not in _TESTS and (root / name / "__init__.py").is_file()
            if (is_module or is_package) and name.isidentifier() and (wanted is None or name in wanted):
                here[path] = name
        for path, name in here.items():
            if name not in taken:
                found[path] = Entry.at(root / path)
        taken.update(here.values())
    return found
