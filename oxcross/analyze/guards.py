"""What conditions and except clauses around a place guard it against."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

_ALL: Final = frozenset({"import", "os", "attribute"})
_HANDLED: Final = {
    "ImportError": "import",
    "ModuleNotFoundError": "import",
    "OSError": "os",
    "IOError": "os",
    "EnvironmentError": "os",
    "PermissionError": "os",
    "FileNotFoundError": "os",
    "CalledProcessError": "os",
    "SubprocessError": "os",
    "AttributeError": "attribute",
    "NameError": "attribute",
    "Exception": "",
    "BaseException": "",
}


def asked(test: ast.expr) -> frozenset[str]:
    """The attributes that a condition looks for: the texts in it."""
    return frozenset(
        inner.value
        for inner in ast.walk(test)
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str)
    )


def is_main(test: ast.expr) -> bool:
    """Whether a condition holds only for what is run as a program."""
    match test:
        case ast.Compare(left=ast.Name(id="__name__"), ops=[ast.Eq()]):
            return True
    return False


def kinds(caught: ast.expr | None) -> Iterator[str]:
    """The kinds of exceptions that an except clause takes."""
    names = [caught] if not isinstance(caught, ast.Tuple) else caught.elts
    for name in names:
        text = name.attr if isinstance(name, ast.Attribute) else name.id if isinstance(name, ast.Name) else ""
        kind = _HANDLED.get(text, "" if name is None else None)
        if kind == "":
            yield from _ALL
        elif kind is not None:
            yield kind
