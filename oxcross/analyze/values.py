"""What is known of Python expressions without running them: dotted names, what paths are made from, truth.

A little data-flow: names keep what was assigned to them last, within their function or module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from oxcross import targets
from oxcross.analyze.rules import Rules

Origins = frozenset[str]
NOTHING: Final[Origins] = frozenset()
_PACKAGE: Final[Origins] = frozenset({"package"})
_FALSE_NAMES: Final = {"typing.TYPE_CHECKING", "TYPE_CHECKING", "six.PY2", "typing_extensions.TYPE_CHECKING"}


@dataclass(slots=True)
class Binding:
    """What a name stands for: its dotted name, what it is made from, the expression, its truth."""

    name: str = ""
    origins: Origins = NOTHING
    value: ast.expr | None = None
    truth: bool | None = None


@dataclass(slots=True)
class Scope:
    """The names of a module, class or function; ``attributes`` are those of the class around."""

    parent: Scope | None = None
    names: dict[str, Binding] = field(default_factory=dict)
    attributes: dict[str, Binding] = field(default_factory=dict)

    def look(self, name: str) -> Binding | None:
        """What the name stands for here; None when nothing here or around binds it."""
        scope: Scope | None = self
        while scope is not None:
            if (found := scope.names.get(name)) is not None:
                return found
            scope = scope.parent
        return None


class Values:
    """Evaluates expressions in a scope, as they are on a system (``Target.os``)."""

    def __init__(self, rules: Rules, system: str) -> None:
        markers = targets.SYSTEMS[system]
        self._system = {**_INTERPRETER, **{name: markers[marker] for name, marker in _MARKERS.items()}}
        self._rules = rules
        self.scope = Scope()

    def binding(self, node: ast.expr) -> Binding:
        """All that is known of an expression."""
        return Binding(self.name(node), self.origins(node), self.literal(node), self.truth(node))

    def bind(self, target: ast.expr, known: Binding) -> None:
        """Assign to a name, or to an attribute of self; what is unpacked is not followed."""
        match target:
            case ast.Name(id=name):
                self.scope.names[name] = known
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                self.scope.attributes[name] = known
            case ast.Tuple(elts=items) | ast.List(elts=items):
                for item in items:
                    self.bind(item, Binding())
            case ast.Starred(value=item):
                self.bind(item, Binding())

    def _own(self, node: ast.expr) -> Binding | None:
        match node:
            case ast.Name(id=name):
                return self.scope.look(name)
            case ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name):
                return self.scope.attributes.get(name)
        return None

    def name(self, node: ast.expr) -> str:
        """The dotted name that imports give an expression, "module.Class()" for what a call gives; or ""."""
        if (known := self._own(node)) is not None:
            return known.name
        match node:
            case ast.Name(id=name):
                return name  # a builtin
            case ast.Attribute(value=value, attr=attribute):
                base = self.name(value)
                return f"{base}.{attribute}" if base else ""
            case ast.Subscript(value=value, slice=ast.Constant(value=str(key))):
                return key if self.name(value) == "sys.modules" else ""
            case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(key)), *_]):
                base = self.name(value)
                return f"{base}.{key}" if base else ""
            case ast.Call(func=function):
                base = self.name(function)
                return f"{base}()" if base else ""
        return ""

    def literal(self, node: ast.expr) -> ast.expr | None:
        """The list, tuple or text that an expression begins with; None when that is not known."""
        if (known := self._own(node)) is not None:
            return known.value
        match node:
            case ast.Constant() | ast.List() | ast.Tuple():
                return node
            case ast.BinOp(left=left, op=ast.Add()):
                return self.literal(left)
            case ast.JoinedStr(values=[ast.Constant() as first, *_]):
                return first
        return None

    def origins(self, node: ast.expr) -> Origins:
        """What a path begins with: "package" (below a module's folder), "prefix", "argv", "executable"."""
        if (known := self._own(node)) is not None:
            return known.origins
        match node:
            case ast.Name(id="__file__" | "__path__"):
                return _PACKAGE
            case ast.Attribute(value=value, attr=attribute):
                name = self.name(node)
                if origin := self._rules.origin_names.get(name):
                    return frozenset({origin})
                if attribute in ("__file__", "__path__"):
                    return NOTHING if name.startswith("__main__.") else _PACKAGE
                return self.origins(value) if attribute in ("parent", "parents", "origin") else NOTHING
            case ast.Subscript(value=array, slice=index):
                is_first = isinstance(index, ast.Constant) and index.value == 0
                return self.origins(array) if is_first or self.name(array) != "sys.argv" else NOTHING
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Add(), right=right):
                return self.origins(right) if text.startswith("sqlite:") else NOTHING
            case ast.BinOp(left=left, op=ast.Add() | ast.Div()):
                return self.origins(left)
            case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
                first = right.elts[0] if isinstance(right, ast.Tuple) and right.elts else right
                return self.origins(first) if text.startswith(("%s", "sqlite:///%s")) else NOTHING
            case ast.JoinedStr(values=[ast.FormattedValue(value=value), *_]):
                return self.origins(value)
            case ast.JoinedStr(values=[ast.Constant(value=str(text)), ast.FormattedValue(value=value), *_]):
                return self.origins(value) if text.startswith("sqlite:") else NOTHING
            case ast.IfExp(body=body, orelse=other):
                return self._either(self.truth(node.test), [body], [other])
            case ast.BoolOp(values=values):
                return self._all(values)
            case ast.NamedExpr(value=value):
                return self.origins(value)
            case ast.Call():
                return self._made(node)
        return NOTHING

    def _all(self, nodes: Iterable[ast.expr]) -> Origins:
        return NOTHING.union(*(self.origins(node) for node in nodes))

    def _either(self, truth: bool | None, yes: list[ast.expr], no: list[ast.expr]) -> Origins:
        return self._all([*(yes if truth is not False else []), *(no if truth is not True else [])])

    def _made(self, call: ast.Call) -> Origins:
        if isinstance(call.func, ast.Name) and (known := self.scope.look(call.func.id)) and known.origins:
            return known.origins  # a function whose result is such a path
        name = self.name(call.func)
        if origin := self._rules.origin_names.get(f"{name}()"):
            return frozenset({origin})
        if name in ("os.environ.get", "os.getenv"):
            return self._all(call.args[1:2])
        if name in self._rules.carriers:
            return self._all(call.args[:1])
        if isinstance(call.func, ast.Attribute):
            method = call.func.attr
            if method in self._rules.carrier_methods:
                return self.origins(call.func.value)
            if isinstance(call.func.value, ast.Name) and call.func.value.id in ("self", "cls"):
                known = self.scope.attributes.get(method)
                return known.origins if known else NOTHING
        return NOTHING

    def truth(self, node: ast.expr) -> bool | None:
        """What a condition gives on the system with a Python of today; None when that is not known."""
        if (known := self._own(node)) is not None and known.truth is not None:
            return known.truth
        match node:
            case ast.Constant(value=bool(value)):
                return value
            case ast.Name() | ast.Attribute():
                return False if self.name(node) in _FALSE_NAMES else None
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                opposite = self.truth(operand)
                return None if opposite is None else not opposite
            case ast.BoolOp(op=operator, values=values):
                decisive = isinstance(operator, ast.Or)
                truths = [self.truth(value) for value in values]
                if decisive in truths:
                    return decisive
                return None if None in truths else not decisive
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._compared(left, operator, right)
            case ast.Call(
                func=ast.Attribute(value=value, attr="startswith"), args=[ast.Constant(value=str(text)), *_]
            ):
                actual = self._system.get(self.name(value))
                return actual.startswith(text) if actual is not None else None
        return None

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool | None:
        actual = self._system.get(self.name(left))
        if actual is not None:
            match operator, right:
                case ((ast.Eq() | ast.NotEq()), ast.Constant(value=str(text))):
                    return (actual == text) is isinstance(operator, ast.Eq)
                case ((ast.In() | ast.NotIn()), (ast.Tuple() | ast.List() | ast.Set())):
                    texts = [item.value for item in right.elts if isinstance(item, ast.Constant)]
                    known = len(texts) == len(right.elts)
                    return (actual in texts) is isinstance(operator, ast.In) if known else None
            return None
        if self.name(left) == "sys.version_info" and isinstance(right, ast.Tuple):
            numbers = [item.value for item in right.elts if isinstance(item, ast.Constant)]
            # Only what every Python since 3.11 answers alike.
            if numbers[:1] == [2] or (numbers[:1] == [3] and len(numbers) > 1 and _at_most(numbers[1], 11)):
                return _ORDER.get(type(operator))
        return None


def _at_most(value: object, limit: int) -> bool:
    return isinstance(value, int) and value <= limit


_MARKERS: Final = {
    "sys.platform": "sys_platform",
    "os.name": "os_name",
    "platform.system()": "platform_system",
}
_INTERPRETER: Final = {"sys.implementation.name": "cpython", "platform.python_implementation()": "CPython"}
_ORDER: Final[dict[type[ast.cmpop], bool]] = {ast.Lt: False, ast.Gt: True, ast.GtE: True, ast.LtE: False}
