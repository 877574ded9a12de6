"""A project's wheel after an edit, without running its build backend again.

For a plain project (static metadata, a known backend without hooks, no setup.py, pure) the backend
only copies: each of the wheel's files outside of .dist-info is, byte for byte, one file of the
project. A full build proves that and remembers which is which. As long as the project then consists
of the same files, and only the contents of copied ones changed, the new wheel is the old one with
those contents and a new RECORD. Anything else (a file more or less, another pyproject.toml, licence
or readme) is a full build. tests/unit/test_wheel.py compares both ways.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oxcross.collect import distributions, projectfiles
from oxcross.store import Store

_FORMAT = 1
# Backends that copy files and generate nothing unless they are told to.
_BACKENDS = {
    "flit_core.buildapi",
    "hatchling.build",
    "pdm.backend",
    "poetry.core.masonry.api",
    "setuptools.build_meta",
    "uv_build",
}
_PROGRAMS = ("setup.py", "hatch_build.py", "pdm_build.py", "build.py")  # that take part in a build
_TOLD = (
    "hatch.build.hooks",
    "hatch.build.targets.wheel.hooks",
    "pdm.build",
    "poetry.build",
    "setuptools.cmdclass",
    "setuptools.ext-modules",
)


def remember(
    root: Path, files: Mapping[str, str], wheel: Mapping[str, bytes], key: str, store: Store
) -> None:
    """Keep which project file became which file of the ``wheel`` stored under ``key``, if it is plain.

    ``files`` are the project's, path to SHA-256, as they were when the wheel was built.
    """
    copies = _copies(files, wheel) if _plain(root, files) else None
    known = {"key": key, "files": files, "copies": copies} if copies is not None else {}
    store.put_value(_name(root), json.dumps(known).encode())


def refreshed(root: Path, files: Mapping[str, str], store: Store) -> dict[str, bytes] | None:
    """The wheel's files with the project's present contents; None when only a full build can tell."""
    value = store.value(_name(root))
    known: dict[str, Any] = json.loads(value) if value else {}
    if not known or known["files"].keys() != files.keys():
        return None
    changed = [path for path, digest in files.items() if known["files"][path] != digest]
    if not all(path in known["copies"] for path in changed):
        return None
    tree = store.get(known["key"])
    if tree is None:
        return None
    content = projectfiles.contents(tree)
    for path in changed:
        data = (root / path).read_bytes()
        if hashlib.sha256(data).hexdigest() != files[path]:
            return None  # edited again at this very moment
        for copy in known["copies"][path]:
            content[copy] = data
    information = next(filter(distributions.is_metadata, content)).rpartition("/")[0]
    content[f"{information}/RECORD"] = distributions.record(content, information)
    return content


def _name(root: Path) -> str:
    return f"wheel-copies-{_FORMAT}-" + hashlib.sha256(str(root).encode()).hexdigest()


def _plain(root: Path, files: Mapping[str, str]) -> bool:
    if any(name in files for name in _PROGRAMS) or "pyproject.toml" not in files:
        return False
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    system = document.get("build-system", {})
    project = document.get("project", {})
    tool = document.get("tool", {})
    return (
        system.get("build-backend") in _BACKENDS
        and "backend-path" not in system
        and bool(project)
        and not project.get("dynamic")
        and not any(_has(tool, dotted) for dotted in _TOLD)
    )


def _has(table: Any, dotted: str) -> bool:
    for part in dotted.split("."):
        if not isinstance(table, dict) or part not in table:
            return False
        table = table[part]
    return True


def _copies(files: Mapping[str, str], wheel: Mapping[str, bytes]) -> dict[str, list[str]] | None:
    """Project file -> its copies in the wheel; None when a file of the wheel is no such copy."""
    information = next(filter(distributions.is_metadata, wheel)).rpartition("/")[0]
    by_digest: dict[str, list[str]] = {}
    for path, digest in files.items():
        by_digest.setdefault(digest, []).append(path)
    copies: dict[str, list[str]] = {}
    for path, data in wheel.items():
        if path.startswith(f"{information}/"):
            continue
        same = by_digest.get(hashlib.sha256(data).hexdigest(), [])
        origins = [one for one in same if one == path or one.endswith(f"/{path}")]
        if len(origins) != 1:
            return None
        copies.setdefault(origins[0], []).append(path)
    return copies
