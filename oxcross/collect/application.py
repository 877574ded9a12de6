"""The application's own files where nothing builds a wheel of them.

A project without a build system, or one whose package is not to be installed (``project = false``),
is taken as it lies there:

- ``run-file``: the script at its own path, and beside it, at the root, what ``python FILE`` could
  import from the script's folder: modules, and packages with ``__init__.py``;
- ``run-module``, ``entry-point``, commands: the top-level modules or packages they name, from the project's
  folder or ``src``; with ``project = true`` every top-level module and package there.

Left out: hidden folders, environments, ``build``, ``dist``, and what only tools run (setup.py,
conftest.py, noxfile.py, tasks.py, tests).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from oxcross.collect import projectfiles
from oxcross.collect.make import Entry
from oxcross.errors import CollectError
from oxcross.project import Project

_TOOLS = {"conftest.py", "fabfile.py", "noxfile.py", "setup.py", "tasks.py"}
_TESTS = {"test", "tests"}


def tree(project: Project) -> dict[str, Entry]:
    """The application's files, by their path below the mount point.

    Raises CollectError when the script does not exist, or nothing importable of that name.
    """
    if project.run.kind == "file":
        beside = _script(project.root, project.run.value)
        return {**_importable(_roots(project.root), _named(project)), **beside}
    return _importable(_roots(project.root), None if project.include_project else _named(project))


def _named(project: Project) -> set[str]:
    """The top-level modules that are to run. What does not lie here comes from a requirement."""
    runs = (project.run, *(one.run for one in project.commands if one.run))
    return {
        one.value.partition(":")[0].partition(".")[0] for one in runs if one.kind in ("module", "entry-point")
    }


def has_build_system(project: Project) -> bool:
    """Whether a wheel can be built of the project."""
    import tomllib

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
