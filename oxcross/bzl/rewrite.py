"""Attributes of a configuration file's objects, as calls.

starlark-pyo3 hands functions of ours to Starlark, and plain data both ways. A Python object stays opaque in Starlark: it has no
attributes there, and nothing of Starlark's that has (``struct``) lets them be set. So objects are numbers, in a struct of their own,
and what is written as an attribute is a call that looks at the object's number (``prelude.bzl``):

    policy.include_test = True        _oxcross_set(policy, "include_test", True)
    exe.pip_install(["x"])            _oxcross_get(exe, "pip_install")(["x"])

Starlark's own values have their attributes as before: ``_oxcross_get`` asks ``getattr`` for them. Starlark's grammar is a part of
Python's, so ``ast`` says where an attribute stands; whether the file is Starlark at all is for Starlark to say, before. Every line
stays where it was.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


class Unreadable(Exception):
    """What is written there cannot be a call; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def rewrite(text: str) -> str:
    """The same program with calls in place of attributes. Unreadable for what Starlark has and Python has not."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise Unreadable(str(error.msg), error.lineno or 1) from None
    edits = _Edits(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            edits.read(node)
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(one, ast.Attribute) for one in targets):
                edits.write(node, targets[0])
        elif isinstance(node, ast.Attribute) and node not in edits.written:
            raise Unreadable(
                "an attribute is set by a statement of its own: object.name = value", node.lineno
            )
    return edits.done()


@dataclass
class _Edits:
    text: str
    written: set[ast.AST] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.data = self.text.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found: list[tuple[int, int, int, bytes]] = []  # start, end, order, replacement

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> int:
        return self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def dot(self, node: ast.Attribute) -> int:
        """Where the dot before the attribute's name is; comments in between may have dots, too."""
        place = self.end(node.value)
        while self.data[place : place + 1] != b".":
            if self.data[place : place + 1] == b"#":
                place = self.data.index(b"\n", place)
            place += 1
        return place

    def replace(self, start: int, end: int, new: str, order: int = 0) -> None:
        lines = b"\n" * self.data[start:end].count(b"\n")
        self.found.append((start, end, order, new.encode() + lines))

    def read(self, node: ast.Attribute) -> None:
        self.replace(self.start(node), self.start(node), "_oxcross_get(")
        self.replace(self.dot(node), self.end(node), f', "{node.attr}")')

    def write(self, node: ast.Assign | ast.AugAssign, target: ast.expr) -> None:
        if not isinstance(target, ast.Attribute) or (isinstance(node, ast.Assign) and len(node.targets) > 1):
            raise Unreadable(
                "an attribute is set by a statement of its own: object.name = value", node.lineno
            )
        self.written.add(target)
        operator = ""
        equals = self.data.index(b"=", self.end(target)) + 1
        if isinstance(node, ast.AugAssign):
            operator = self.data[self.end(target) : equals - 1].decode().strip()
            owner = self.data[self.start(target) : self.dot(target)].decode()
            if any(isinstance(one, ast.Attribute | ast.Call) for one in ast.walk(target.value)):
                raise Unreadable("give the object a name first: name = …; name.attribute += …", node.lineno)
            operator = f'_oxcross_get({owner}, "{target.attr}") {operator} ('
        self.replace(self.start(target), self.start(target), "_oxcross_set(", order=-1)
        self.replace(self.dot(target), equals, f', "{target.attr}", {operator}')
        self.replace(self.end(node), self.end(node), "))" if operator else ")", order=1)

    def done(self) -> str:
        result, place = bytearray(), 0
        for start, end, _, new in sorted(self.found, key=lambda one: one[:3]):
            result += self.data[place:start] + new
            place = end
        return bytes(result + self.data[place:]).decode()
