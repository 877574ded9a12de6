"""Walks through one module's syntax tree and applies the rules to it."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Iterable
from typing import Final

from oxcross.analyze import calls, guards
from oxcross.analyze.finding import Finding
from oxcross.analyze.rules import Rules, beginnings, load, words
from oxcross.analyze.values import NOTHING, Binding, Scope, Values

_CODE: Final = 160  # characters of a line that are shown
_FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
_ENDS = ast.Return | ast.Raise | ast.Continue | ast.Break


def scan(path: str, source: bytes, own: frozenset[str], system: str) -> list[Finding]:
    """What applies in the module at ``path`` on a system (``Target.os``); ``own``: the top-level modules of its distribution."""
    rules = load()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return []  # perhaps syntax newer than this Python's; what the target cannot compile, the build tells
    deep = words().search(source) is not None
    walker = _Walker(rules, path, own, source, system, deep=deep)
    try:
        walker.module(tree)
    except RecursionError:
        return []
    return sorted(set(walker.found))


class _Walker:
    def __init__(
        self, rules: Rules, path: str, own: frozenset[str], source: bytes, system: str, *, deep: bool
    ) -> None:
        self._path = path
        self._own = own
        self._lines = source.decode("utf-8", "replace").splitlines()
        self._deep = deep
        self._returning = deep and beginnings().search(source) is not None
        self._values = Values(rules, system)
        self._later: list[tuple[list[ast.stmt], Scope, frozenset[str], bool]] = []
        self._handled: frozenset[str] = frozenset()  # kinds of exceptions that are caught here
        self._asked: frozenset[str] = frozenset()  # attributes that a condition around asked for
        self._aside = False  # below `if __name__ == "__main__"`
        self._inner = False  # in a function: what is there may never run
        self._checks = calls.Checks(rules, self._values, system)
        self.found: list[Finding] = []

    def module(self, tree: ast.Module) -> None:
        """All of a module: functions when what is around them is known."""
        self._block(tree.body)
        self._inner = True
        while self._later:
            body, scope, self._asked, self._aside = self._later.pop(0)
            self._values.scope = scope
            self._handled = frozenset()
            self._block(body)

    def _add(self, node: ast.AST, rule: str, subject: str, *, category: str = "", soft: bool = False) -> None:
        line = getattr(node, "lineno", 0)
        code = self._lines[line - 1].strip()[:_CODE] if 0 < line <= len(self._lines) else ""
        quiet = soft or self._aside or category in self._handled
        self.found.append(Finding(self._path, line, rule, subject, code, quiet))

    # -- statements

    def _block(self, body: Iterable[ast.stmt]) -> bool:
        """Whether the block never comes to its end."""
        asked = self._asked
        ends = any(self._statement(node) for node in body)
        self._asked = asked
        return ends

    def _statement(self, node: ast.stmt) -> bool:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node)
            case ast.ClassDef():
                self._class(node)
            case ast.If():
                return self._if(node)
            case ast.Try() | ast.TryStar():
                self._try(node)
            case ast.With() | ast.AsyncWith():
                self._with(node)
            case ast.For() | ast.AsyncFor():
                self._expression(node.iter)
                self._values.bind(node.target, Binding(origins=self._values.origins(node.iter)))
                self._block([*node.body, *node.orelse])
            case ast.While():
                self._expression(node.test)
                self._block([*node.body, *node.orelse])
            case ast.Match():
                self._expression(node.subject)
                for case in node.cases:
                    self._block(case.body)
            case ast.Expr(value=ast.Constant()):
                pass  # a docstring
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.expr):
                        self._expression(child)
                self._assign(node)
        return isinstance(node, _ENDS)

    def _assign(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=targets, value=value):
                known = self._values.binding(value)
                for target in targets:
                    self._values.bind(target, known)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._values.bind(target, self._values.binding(value))

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        names = self._values.scope.names
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                names[bound] = Binding(alias.name if alias.asname else bound)
                self._imported(node, alias.name)
            return
        for alias in node.names:
            full = f"{node.module or ''}.{alias.name}"
            names[alias.asname or alias.name] = Binding(f"{'.' * node.level}{full}")
            if not node.level:
                self._imported(node, full)

    def _imported(self, node: ast.stmt, module: str) -> None:
        top = module.partition(".")[0]
        if top in self._own:
            return
        if top not in sys.stdlib_module_names or top in self._checks.absent:
            self._add(node, "import", module, category="import", soft=self._inner)
        elif top in self._checks.lacking:
            self._add(node, self._checks.lacking[top], top, category="import", soft=self._inner)

    def _function(self, node: _FUNCTION) -> None:
        for expression in (*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)):
            self._expression(expression)
        outer = self._values.scope
        scope = Scope(outer, attributes=outer.attributes)
        parameters = node.args
        for one in (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs):
            scope.names[one.arg] = Binding()
        for star in (parameters.vararg, parameters.kwarg):
            if star is not None:
                scope.names[star.arg] = Binding()
        made = Binding(origins=self._returned(node, scope) if self._returning else NOTHING)
        outer.names[node.name] = made
        outer.attributes.setdefault(node.name, made)
        self._later.append((node.body, scope, self._asked, self._aside))

    def _returned(self, node: _FUNCTION, scope: Scope) -> frozenset[str]:
        """What the paths that a function returns are made from, read from top to bottom."""
        outer, self._values.scope = self._values.scope, Scope(scope, attributes=scope.attributes)
        found: frozenset[str] = NOTHING
        for inner in ast.walk(node):
            if isinstance(inner, ast.Assign):
                self._assign(inner)
            elif isinstance(inner, ast.Return) and inner.value is not None:
                found |= self._values.origins(inner.value)
        self._values.scope = outer
        return found

    def _class(self, node: ast.ClassDef) -> None:
        for expression in (*node.decorator_list, *node.bases, *(word.value for word in node.keywords)):
            self._expression(expression)
        outer = self._values.scope
        outer.names[node.name] = Binding()
        inner = Scope(outer)
        self._values.scope = inner
        self._block(node.body)
        for name, known in inner.names.items():
            inner.attributes.setdefault(name, known)
        self._values.scope = outer

    def _if(self, node: ast.If) -> bool:
        self._expression(node.test)
        truth = self._values.truth(node.test)
        asked, aside = self._asked, self._aside
        ends = {True: False, False: False}
        for which, body in ((True, node.body), (False, node.orelse)):
            if truth is None or truth is which:
                self._asked = asked | guards.asked(node.test)
                self._aside = aside or (which and guards.is_main(node.test))
                ends[which] = self._block(body)
        # Where a condition leads away, what follows holds the opposite.
        self._asked, self._aside = asked | (guards.asked(node.test) if ends[True] else NOTHING), aside
        return ends[truth] if truth is not None else all(ends.values())

    def _try(self, node: ast.Try | ast.TryStar) -> None:
        outer = self._handled
        self._handled = outer | {kind for handler in node.handlers for kind in guards.kinds(handler.type)}
        self._block([*node.body, *node.orelse])
        self._handled = outer
        for handler in node.handlers:
            # What is imported in place of something missing is a choice among several.
            self._handled = outer | (set(guards.kinds(handler.type)) & {"import"})
            self._block(handler.body)
        self._handled = outer
        self._block(node.finalbody)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        outer = self._handled
        for item in node.items:
            self._expression(item.context_expr)
            if item.optional_vars is not None:
                self._values.bind(item.optional_vars, self._values.binding(item.context_expr))
            match item.context_expr:
                case ast.Call(func=function, args=arguments) if self._values.name(function).endswith(
                    "suppress"
                ):
                    self._handled |= {kind for one in arguments for kind in guards.kinds(one)}
        self._block(node.body)
        self._handled = outer

    # -- expressions

    def _expression(self, node: ast.expr) -> None:
        if not self._deep:
            return
        match node:
            case ast.IfExp(test=test, body=body, orelse=other):
                self._branches(test, body, other)
                return
            case ast.BoolOp(op=operator, values=values):
                asked = self._asked
                for value in values:
                    self._expression(value)
                    self._asked |= guards.asked(value)
                    if self._values.truth(value) is isinstance(operator, ast.Or):
                        break  # what follows is never asked
                self._asked = asked
                return
            case ast.NamedExpr(target=target, value=value):
                self._values.bind(target, self._values.binding(value))
            case ast.Call():
                self._call(node)
            case ast.Attribute():
                self._attribute(node)
            case ast.Dict():
                for rule, subject in self._checks.dictionary(node):
                    self._add(node, rule, subject)
            case ast.JoinedStr() | ast.BinOp():
                for rule, subject in self._checks.composed(node):
                    self._add(node, rule, subject)
            case ast.Constant(value=str(text)):
                for rule, subject in self._checks.text(text):
                    self._add(node, rule, subject)
                return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child)
            elif isinstance(child, ast.comprehension | ast.keyword):
                for inner in ast.iter_child_nodes(child):
                    if isinstance(inner, ast.expr):
                        self._expression(inner)

    def _branches(self, test: ast.expr, body: ast.expr, other: ast.expr) -> None:
        self._expression(test)
        asked, truth = self._asked, self._values.truth(test)
        self._asked = asked | guards.asked(test)
        if truth is not False:
            self._expression(body)
        if truth is not True:
            self._expression(other)
        self._asked = asked

    def _call(self, node: ast.Call) -> None:
        for rule, subject in self._checks.call(node):
            self._add(node, rule, subject, category="os")

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr not in self._asked:
            for rule, subject in self._checks.attribute(node):
                self._add(node, rule, subject, category="attribute")
