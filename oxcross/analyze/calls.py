"""What the rules say of calls, attributes, dictionaries and texts: (rule's id, what of it) pairs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Final

from oxcross.analyze.rules import Rules
from oxcross.analyze.values import Origins, Values

Found = tuple[str, str]
_WRITES: Final = re.compile(r"[^r]*[wax+]")
_LIBRARIES: Final = {"windows": re.compile(r"(?i)[^\s]+\.dll"), "macos": re.compile(r"[^\s]+\.dylib")}
_LIBRARY: Final = re.compile(r"[^\s]+\.so(\.\d+)*")
_OPTIONS: Final = frozenset("BEIPSbdiOqRsuvxcmWX")  # what launcher/shape.c takes for an interpreter's
_WORDS: Final = frozenset({"-V", "-VV", "--version", "--check-hash-based-pycs", "--multiprocessing-fork"})


class Checks:
    """Applies the rules of one table with what ``values`` knows."""

    def __init__(self, rules: Rules, values: Values, system: str) -> None:
        self._rules = rules
        self._library = _LIBRARIES.get(system, _LIBRARY)
        self.lacking = dict.fromkeys(rules.lacking[system], rules.one("lacking").id)
        self._values = values
        self.absent = frozenset(
            name.partition(".")[0] for rule in rules.of("absent") for name in rule.modules
        )
        self._calls = {name: rule for rule in rules.of("call") for name in rule.names}
        self._attributes = {name: rule for rule in rules.of("attribute") for name in rule.names}
        self._loads = {name: rule for rule in rules.of("load") for name in rule.names}
        self._databases = {name for rule in rules.of("database") for name in rule.names}
        self._relative = {name: rule for rule in rules.of("relative") for name in rule.names}
        self._commands = [(rule, re.compile(rule.pattern)) for rule in rules.of("command")]
        self._texts = [(rule, re.compile(rule.pattern)) for rule in rules.of("string")]
        self._child = rules.one("child")
        self._options = rules.one("child-option")

    def call(self, node: ast.Call) -> Iterator[Found]:
        """All that applies to a call."""
        name = self._values.name(node.func)
        if rule := self._calls.get(name):
            yield rule.id, name.replace("()", "")
        if name in self._rules.commands:
            yield from self._command(node)
        elif (
            name in self._rules.lookups and not node.keywords and (text := self._text(node, 0))
        ):  # along PATH
            yield from self._program(text)
        if (
            (rule := self._loads.get(name))
            and (text := self._text(node, 0))
            and self._library.fullmatch(text)
        ):
            yield rule.id, text
        if (rule := self._relative.get(name)) and (text := self._text(node, 0)) and _is_relative(text):
            yield rule.id, text
        if name == "getattr" and len(node.args) >= 2:
            yield from self._getattr(node)
        if name in self._databases and node.args:
            yield from self._made("database", self._values.origins(node.args[0]), name)
        if name == "os.path.dirname" and node.args:
            yield from self._made("folder", self._values.origins(node.args[0]))
        yield from self._write(node, name)

    def attribute(self, node: ast.Attribute) -> Iterator[Found]:
        """All that applies to an attribute that is read."""
        name = self._values.name(node)
        if rule := self._attributes.get(name):
            yield rule.id, name
        if node.attr == "parent":
            yield from self._made("folder", self._values.origins(node.value))

    def dictionary(self, node: ast.Dict) -> Iterator[Found]:
        """Settings of a database in Django's way: where its file lies."""
        items = {
            key.value: value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant)
        }
        match items.get("ENGINE"):
            case ast.Constant(value=str(engine)) if "sqlite" in engine and "NAME" in items:
                yield from self._made("database", self._values.origins(items["NAME"]))

    def text(self, text: str) -> Iterator[Found]:
        """All that applies to a text."""
        for rule, pattern in self._texts:
            if found := pattern.match(text):
                yield rule.id, found[0]

    def composed(self, node: ast.expr) -> Iterator[Found]:
        """An address of a database that is put together: sqlite:///…"""
        first = next((one for one in ast.walk(node) if isinstance(one, ast.Constant)), None)
        if first is not None and isinstance(first.value, str) and first.value.startswith("sqlite:"):
            yield from self._made("database", self._values.origins(node))

    def _getattr(self, node: ast.Call) -> Iterator[Found]:
        name = self._values.name(node)
        if (rule := self._attributes.get(name)) and (rule.default or len(node.args) == 2):
            yield rule.id, name

    def _argument(self, node: ast.Call, index: int) -> ast.expr | None:
        return node.args[index] if index < len(node.args) else None

    def _text(self, node: ast.Call, index: int) -> str | None:
        given = self._argument(node, index)
        match given and self._values.literal(given):
            case ast.Constant(value=str(text)):
                return text
        return None

    def _made(self, kind: str, origins: Origins, subject: str = "") -> Iterator[Found]:
        for rule in self._rules.of(kind):
            if made := origins & set(rule.origins):
                yield rule.id, subject or ", ".join(sorted(made))

    # -- programs

    def _command(self, node: ast.Call) -> Iterator[Found]:
        first = self._argument(node, 0)
        if first is None:
            return
        literal = self._values.literal(first)
        match literal:
            case ast.Constant(value=str(text)):
                yield from self._program(text.split()[0] if text.split() else "")
            case ast.List(elts=[program, *words]) | ast.Tuple(elts=[program, *words]):
                known = self._values.literal(program)
                if self._values.name(program) == "sys.executable":
                    yield from self._python(words)
                elif isinstance(known, ast.Constant) and isinstance(known.value, str):
                    yield from self._program(known.value)

    def _program(self, text: str) -> Iterator[Found]:
        program = text.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")
        for rule, pattern in self._commands:
            if pattern.fullmatch(program):
                yield rule.id, program

    def _python(self, words: list[ast.expr]) -> Iterator[Found]:
        """A command line for sys.executable: what the executable would not take for Python's."""
        texts = [word.value if isinstance(word, ast.Constant) else None for word in words]
        for at, text in enumerate(texts):
            if not isinstance(text, str) or not text.startswith("-") or text == "-" or text in _WORDS:
                return
            if text == "-m" and at + 1 < len(texts) and isinstance(texts[at + 1], str):
                yield self._child.id, str(texts[at + 1])
            if text.startswith("--") or not set(text[1:2]) <= _OPTIONS:
                yield self._options.id, text
                return
            if text[1] in "cm":
                return

    # -- files

    def _write(self, node: ast.Call, name: str) -> Iterator[Found]:
        paths: list[ast.expr] = []
        writer = self._rules.writers.get(name)
        if writer is not None:
            if writer.mode >= 0 and not self._writes(node, writer.mode, default=writer.writes):
                return
            paths = [one for index in writer.paths if (one := self._argument(node, index)) is not None]
        elif isinstance(node.func, ast.Attribute):
            method, base = node.func.attr, node.func.value
            few = method not in ("replace", "rename") or len(node.args) == 1
            if (method in self._rules.write_methods and few) or (
                method == "open" and self._writes(node, 0, default=False)
            ):
                paths = [base]
        for path in paths:
            yield from self._made("write", self._values.origins(path), name or f".{_last(node.func)}")

    def _writes(self, node: ast.Call, index: int, *, default: bool) -> bool:
        """Whether a mode says so: "w", "a", "x" or "+"."""
        mode = self._argument(node, index)
        for word in node.keywords:
            if word.arg in ("mode", "flag"):
                mode = word.value
        match mode:
            case None:
                return default
            case ast.Constant(value=str(text)):
                return _WRITES.match(text) is not None or "+" in text
        return False


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""


def _is_relative(text: str) -> bool:
    return not text.startswith(("/", "~", "<", "-")) and "." in text and "\n" not in text
