"""The installed dependencies: one folder of wheels' files for a target, in the store under its key."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from oxcross.collect import distributions, uv
from oxcross.cpython import series_of
from oxcross.project import Project
from oxcross.store import Store
from oxcross.targets import Target

_FORMAT = 1
_PYTHON_SHEBANG = re.compile(rb"#!.*python.*\n")


def key(lines: Sequence[str], project: Project, target: Target) -> str:
    """The store key of the environment that ``lines`` (with versions and hashes) make."""
    facts = {
        "format": _FORMAT,
        "lines": sorted(lines),
        "platform": uv.platform(target, uv.oldest(project, target)),
        **uv.variables(target, uv.oldest(project, target)),
        "python": series_of(project.python),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def environment(
    lines: Sequence[str],
    project: Project,
    target: Target,
    store: Store,
    *,
    notice: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder with everything that ``lines`` ask for, installed by uv when it is not in the store.

    Raises CollectError when a wheel cannot be had or its hash is not the locked one.
    """
    name = key(lines, project, target)
    if (found := store.get(name)) is not None:
        return found
    with store.lock(name, name=f"{target.name}/environment"):
        if (found := store.get(name)) is not None:
            return found
        notice(f"installing wheels for {target.name}")
        with store.temporary("environment") as folder:
            file = folder / "requirements.txt"
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            tree = folder / "tree"
            tree.mkdir()
            oldest = uv.oldest(project, target)
            uv.run(
                [
                    "pip", "install", "--requirements", str(file), "--target", str(tree), "--no-deps",
                    "--require-hashes", *uv.common(target, oldest, project.python),
                    "--link-mode", "copy",
                ],
                folder=project.root,
                variables=uv.variables(target, oldest),
                doing=f"wheels that cannot be installed for {target.name}",
                where=str(project.lock or project.requirements_file or project.pyproject),
            )  # fmt: skip
            clean(tree)
            return store.put(name, tree, f"{target.name}/environment")


def clean(tree: Path) -> None:
    """Take away what tells where and by what ``tree`` was installed.

    Generated programs in ``bin`` go (they name this machine's Python; entry_points.txt has what they
    are made from), scripts that wheels bring stay, with a neutral first line. RECORD is made to fit.
    """
    (tree / ".lock").unlink(missing_ok=True)
    for folder in tree.rglob("__pycache__"):
        shutil.rmtree(folder)
    generated: set[str] = set()
    for points in tree.glob("*.dist-info/entry_points.txt"):
        generated.update(distributions.console_scripts(points.read_bytes()))
    for script in sorted((tree / "bin").glob("*")):
        if script.name in generated:
            script.unlink()
        elif script.is_file():
            data = script.read_bytes()
            if match := _PYTHON_SHEBANG.match(data):
                script.write_bytes(b"#!/usr/bin/env python3\n" + data[match.end() :])
    if (tree / "bin").is_dir() and not any((tree / "bin").iterdir()):
        (tree / "bin").rmdir()
    for information in sorted(tree.glob("*.dist-info")):
        for name in distributions.LOCAL_FILES:
            (information / name).unlink(missing_ok=True)
        record = information / "RECORD"
        if record.is_file():
            data = record.read_bytes()
            paths = map(posixpath.normpath, distributions.record_paths(data))
            kept = [path for path in paths if not path.startswith("../") and (tree / path).is_file()]
            record.write_bytes(distributions.cleaned_record(data, kept))
