"""What could run in a project that declares no script: a package with ``__main__``, or a file."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from oxcross.config import entry
from oxcross.errors import ConfigError

# What only tools run.
_TOOLS: Final = {"conftest", "fabfile", "noxfile", "setup", "tasks"}
_ASIDE: Final = {"build", "dist", "docs", "examples", "test", "tests"}
_USUAL: Final = ("main", "app", "cli", "__main__")


def find(root: Path, document: Mapping[str, Any], name: str) -> tuple[str, str, str]:
    """("run-module" or "run-file", its value, why). ConfigError that lists what there is where that is none, or several."""
    own = re.sub(r"[-.]+", "_", name)
    roots = entry.source_roots(root, document)
    found = {file.parent.name for folder in roots for file in folder.glob("*/__main__.py")} - _ASIDE
    modules = sorted(one for one in found if one.isidentifier())
    chosen = own if own in modules else modules[0] if len(modules) == 1 else ""
    if chosen:
        return "run-module", chosen, f"{chosen} is a package with __main__.py"
    scripts = {path.stem: path.name for path in sorted(root.glob("*.py")) if path.stem not in _TOOLS}
    if not modules:
        if len(scripts) == 1:
            return "run-file", next(iter(scripts.values())), "it is the one script here"
        for stem in (own, *_USUAL):
            if stem in scripts:
                return "run-file", scripts[stem], "of the scripts here it has the name of a program"
        mains = [file for file in scripts.values() if _is_program(root / file)]
        if len(mains) == 1:
            return "run-file", mains[0], 'it is the one file here with: if __name__ == "__main__"'
    choices = [f"run-module = {module!r}" for module in modules]
    choices += [f"run-file = {file!r}" for file in scripts.values()]
    hint = "name the script with --script FILE, or write one line of these yourself:\n    [tool.oxcross]"
    if not choices:
        hint = "write [project.scripts], or name the script with --script FILE"
    lines = "".join(f"\n    {line}".replace("'", '"') for line in choices)
    raise ConfigError(
        "nothing says what the executable is to run",
        where=str(root),
        hint=hint + lines,
        page="nothing-to-run",
    )


def _is_program(file: Path) -> bool:
    """Whether it has ``if __name__ == "__main__"``."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    tests = (node.test for node in tree.body if isinstance(node, ast.If))
    return any(
        isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"
        for test in tests
    )
