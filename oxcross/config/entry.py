"""Whether what an executable is to run exists: looked up in the project's sources, nothing imported.

What does not lie in the project's sources may come from a requirement, which only the installed
environment can tell; what does is checked to the function's name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from oxcross.errors import ConfigError, nearest

# The standard library without these: they need Tk, or install things.
REFUSED = frozenset({"tkinter", "_tkinter", "idlelib", "turtle", "turtledemo", "ensurepip"})

_SKIPPED = {"build", "dist", "node_modules", "__pycache__"}


def source_roots(root: Path, pyproject: Mapping[str, Any]) -> list[Path]:
    """The folders below which the project's packages lie, as the usual build backends are told."""
    tool = pyproject.get("tool", {})
    named: list[Any] = [
        *(str(Path(p).parent) for p in _at(tool, "hatch.build.targets.wheel.packages", list)),
        *_at(tool, "setuptools.packages.find.where", list),
        _at(tool, "setuptools.package-dir", dict).get("", "."),
        *(p.get("from", ".") for p in _at(tool, "poetry.packages", list) if isinstance(p, dict)),
        _at(tool, "pdm.build", dict).get("package-dir", "."),
        _at(tool, "uv.build-backend", dict).get("module-root", "src"),
        _at(tool, "maturin", dict).get("python-source", "."),
        "src",
        ".",
    ]
    folders = dict.fromkeys(root / name for name in named if isinstance(name, str))
    return [folder for folder in folders if folder.is_dir()]


def _at(table: Mapping[str, Any], dotted: str, kind: type) -> Any:
    value: Any = table
    for part in dotted.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value if isinstance(value, kind) else kind()


def local(roots: Iterable[Path], module: str) -> bool:
    """Whether the top-level package of ``module`` lies in the project's sources."""
    top = module.partition(".")[0]
    return any((root / f"{top}.py").is_file() or _is_package(root / top) for root in roots)


def _is_package(folder: Path) -> bool:
    return (folder / "__init__.py").is_file() or any(folder.glob("*.py")) or any(folder.glob("*/__init__.py"))


def check_function(roots: list[Path], text: str) -> ConfigError | None:
    """What is wrong with ``package.module:function``, without its place; None when nothing is."""
    module, colon, attribute = text.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if not colon or not all(name.isidentifier() for name in names):
        return ConfigError(f"not a function's place: {text!r}", hint="write it as package.module:function")
    if wrong := check_module(roots, module):
        return wrong
    file = _find(roots, module)
    first = attribute.partition(".")[0]
    names_there = _top_level(file) if file else None
    if names_there is None or first in names_there:
        return None
    hint = nearest(first, sorted(names_there)) if names_there else "it is empty"
    return ConfigError(f"{module} has no {first!r}", hint=hint)


def check_module(roots: list[Path], module: str, *, as_main: bool = False) -> ConfigError | None:
    """What is wrong with a module to run, without its place; ``as_main``: packages need __main__."""
    if (top := module.partition(".")[0]) in REFUSED:
        hint = "leave it to a Python that is installed"
        return ConfigError(f"{top} is not part of oxcross executables", hint=hint)
    if not local(roots, module):
        return None
    file = _find(roots, module)
    if file is None:
        known = sorted(set(_modules(roots, top)))
        return ConfigError(
            f"there is no module {module!r}", hint=nearest(module, known), page="a-module-that-nobody-has"
        )
    if as_main and file.name == "__init__.py" and not (file.parent / "__main__.py").is_file():
        return ConfigError(
            f"{module} is a package without __main__.py",
            hint=f"write {file.parent.name}/__main__.py, or name a module",
        )
    return None


def nobody_has(module: str, known: Iterable[str]) -> ConfigError:
    """A module that is neither the project's nor a requirement's; ``known``: the packages that there are."""
    names = list(known)
    return ConfigError(
        f"there is no module {module!r}, in this project or required by it",
        hint=nearest(module.partition(".")[0], names) if names else None,
        page="a-module-that-nobody-has",
    )


def check_command(source: str) -> ConfigError | None:
    """What is wrong with a line of Python."""
    try:
        ast.parse(source)
    except SyntaxError as error:
        if sys.version_info >= (3, 13):  # an older Python may not know what is right in a newer one
            return ConfigError(f"not valid Python: {error}")
    return None


def packages(roots: Iterable[Path]) -> list[str]:
    """The top-level names in the project's sources that can be imported."""
    found = {path.stem for root in roots for path in root.glob("*.py")}
    found |= {path.parent.name for root in roots for path in root.glob("*/__init__.py")}
    return sorted(name for name in found if name.isidentifier())


def is_stdlib(module: str) -> bool:
    """Whether the module belongs to the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names


def _find(roots: Iterable[Path], module: str) -> Path | None:
    """The file of a module; for a namespace package its folder; extension modules and their sources count."""
    parts = module.split(".")
    for root in roots:
        folder = root.joinpath(*parts)
        plain = folder.with_name(f"{folder.name}.py")
        for file in (folder / "__init__.py", plain):
            if file.is_file():
                return file
        if folder.is_dir():
            return folder
        if others := sorted(folder.parent.glob(f"{folder.name}.*")):
            return others[0]
    return None


def _modules(roots: Iterable[Path], top: str) -> Iterator[str]:
    for root in roots:
        if (root / f"{top}.py").is_file():
            yield top
        for file in (root / top).rglob("*.py"):
            path = file.relative_to(root)
            if not _SKIPPED.intersection(path.parts):
                names = path.parts[:-1] if file.name == "__init__.py" else (*path.parts[:-1], file.stem)
                yield ".".join(names)


def _top_level(file: Path) -> set[str] | None:
    """The names a module defines; None when that cannot be told without running it."""
    if file.suffix != ".py":
        return None
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError:
        return None  # perhaps a syntax newer than this Python's: the compile step has the last word
    names: set[str] = set()
    if not _collect(tree.body, names) or "__getattr__" in names:
        return None
    return names


def _collect(body: list[ast.stmt], names: set[str]) -> bool:
    """Add what the statements bind; False when it depends on another module (``import *``)."""
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.Import() | ast.ImportFrom():
                if any(alias.name == "*" for alias in node.names):
                    return False
                names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names.update(n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name))
            case _:
                for field in ("body", "orelse", "finalbody"):
                    if not _collect(getattr(node, field, []), names):
                        return False
                for handler in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
                    if not _collect(handler.body, names):
                        return False
    return True
