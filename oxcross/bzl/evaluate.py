"""Runs a configuration file: the real Starlark, which can reach nothing but what is given to it here.

Objects cross over as numbers (rewrite.py, prelude.bzl). Starlark cannot be called from Python while it runs; a method that has a
function of the file called is a generator, each step of which goes back to the prelude, which calls and resumes it.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

import starlark

from oxcross.bzl import symbols
from oxcross.bzl.goals import Goals
from oxcross.bzl.rewrite import Unreadable, rewrite
from oxcross.bzl.values import Call, Function, Value, checked, unavailable
from oxcross.bzl.variables import constants, functions
from oxcross.bzl.world import World
from oxcross.config.findings import shown
from oxcross.errors import ConfigError, OxcrossError

_HERE: Final = Path(__file__).parent
_PRELUDES: Final = ("prelude.bzl", "prelude_names.bzl")
_DEPTH: Final = 1000  # of calls: PyOxidizer's files resolve targets in functions of targets
_FRAME: Final = re.compile(r"^  \* (?P<file>.*):(?P<line>\d+), in (?P<function>\S+)$", re.MULTILINE)
_SPOT: Final = re.compile(r"^ *--> (?P<file>.*):(?P<line>\d+):\d+$", re.MULTILINE)


def evaluate(world: World, wanted: str | None) -> Goals:
    """What the file's targets came to; ``wanted`` is the one to resolve, or None for the default.

    ConfigError with file, line and function for all that is wrong in it.
    """
    try:
        text = world.file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", where=shown(world.file)) from None
    evaluation = _Evaluation(world, text, Goals(world, wanted))
    evaluation.run()
    return evaluation.goals


class _Evaluation:
    def __init__(self, world: World, text: str, goals: Goals) -> None:
        self.world = world
        self.text = text
        self.goals = goals
        self.failure: BaseException | None = None
        self.values: list[Value] = []
        self.numbers: dict[int, int] = {}  # of the values, by id()
        self.waiting: list[Generator[Call, Any, Any]] = []
        self.functions = functions(world, goals)

    def run(self) -> None:
        dialect = starlark.Dialect.extended()
        library = starlark.LibraryExtension
        known = starlark.Globals.extended_by([library.StructType, library.CallStack])
        module = starlark.Module()
        for name, value in constants(self.world).items():
            module[name] = value
        for function in (
            self.py_get, self.py_set, self.py_has, self.py_call, self.py_resume, self.py_print, self.py_where,
        ):  # fmt: skip
            module.add_callable(f"_oxcross_{function.__name__}", self.guarded(function))
        for name in _PRELUDES:
            text = (_HERE / name).read_text(encoding="utf-8")
            starlark.eval(module, starlark.parse(name, text, dialect), known)
        names = [name for name in symbols.variables() if name in self.functions]
        lines = [
            f"def {name}(*args, **kwargs): return _oxcross_call(-1, {name!r}, args, kwargs)" for name in names
        ]
        lines.append("CONTEXT = struct(oxcross_object = 0, oxcross_type = 'Context')")
        starlark.eval(module, starlark.parse("names", "\n".join(lines), dialect), known)
        self.outward(_Context(self.world))
        try:
            parsed = starlark.parse(str(self.world.file), self.text, dialect)
            self.refuse_loads(parsed)
            parsed = starlark.parse(str(self.world.file), rewrite(self.text), dialect)
            options = starlark.EvalOptions(max_callstack_size=_DEPTH)
            starlark.eval_with(options, module, parsed, known)
        except starlark.StarlarkError as error:
            raise self.explained(str(error)) from None
        except Unreadable as error:
            raise ConfigError(str(error), where=self.at(error.line), hint=self.quoted(error.line)) from None

    def refuse_loads(self, parsed: starlark.AstModule) -> None:
        for one in parsed.loads():
            text = f'"{one.module_id}"'
            line = next((n for n, line in enumerate(self.text.splitlines(), 1) if text in line), 1)
            row = symbols.variables()["load"]
            raise ConfigError(f"load({text}) is not for oxcross", where=self.at(line), hint=row.does)

    # -- what Starlark calls ----------------------------------------------------------------

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, whose error is kept as it is: Starlark hands on its text only."""

        def call(*args: Any) -> Any:
            try:
                return function(*args)
            except BaseException as error:
                self.failure = error
                raise

        return call

    def py_get(self, number: int, name: str) -> Any:
        value = self.values[number]
        if name in value.rows.methods:
            return None
        if name not in value.rows.attributes:
            raise value.unknown(name)
        return {"value": self.outward(value.get(name))}

    def py_set(self, number: int, name: str, new: Any) -> bool:
        self.values[number].set(name, self.inward(new))
        return bool(self.world.unsaid)

    def py_where(self, stack: str) -> None:
        """Tell what is to be told of the line that is being evaluated."""
        place = self.innermost(stack)
        while self.world.unsaid:
            self.world.notice(f"{place}: {self.world.unsaid.pop(0)}")

    def py_has(self, number: int, name: str) -> bool:
        return self.values[number].has(name)

    def py_call(self, number: int, name: str, args: Any, named: Any) -> dict[str, Any]:
        if number >= 0:
            function = self.values[number].method(name)
        else:
            row = symbols.variables()[name]
            own = self.functions[name]
            function = checked(name, own) if own else unavailable(self.world, name, row)
        result = function(*self.inward(args), **self.inward(named))
        step = self.step(result, None) if isinstance(result, Generator) else {"value": self.outward(result)}
        return {**step, "warned": True} if self.world.unsaid else step

    def py_resume(self, answer: Any) -> dict[str, Any]:
        return self.step(self.waiting.pop(), self.inward(answer))

    def step(self, method: Generator[Call, Any, Any], answer: Any) -> dict[str, Any]:
        try:
            call = method.send(answer)
        except StopIteration as done:
            return {"value": self.outward(done.value)}
        self.waiting.append(method)
        return {"call": call.function.number, "arguments": self.outward(list(call.arguments))}

    def py_print(self, text: str) -> None:
        print(text, file=sys.stderr)

    def outward(self, value: Any) -> Any:
        if isinstance(value, Value):
            number = self.numbers.setdefault(id(value), len(self.values))
            if number == len(self.values):
                self.values.append(value)
            return {"oxcross_object": number, "oxcross_type": value.kind}
        if isinstance(value, list | tuple):
            return [self.outward(one) for one in value]
        if isinstance(value, dict):
            return {key: self.outward(one) for key, one in value.items()}
        return value

    def inward(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self.inward(one) for one in value]
        if isinstance(value, dict):
            if "oxcross_object" in value:
                return self.values[value["oxcross_object"]]
            if "oxcross_function" in value:
                return Function(value["oxcross_function"])
            return {key: self.inward(one) for key, one in value.items()}
        return value

    # -- where something is -----------------------------------------------------------------

    def explained(self, text: str) -> BaseException:
        """Starlark's error in oxcross's form; an error of ours as it was raised, with its place."""
        where = self.innermost(text)
        if self.failure is None:
            message = re.search(r"^error: (.*)", text, re.MULTILINE)
            said = (message[1] if message else text).removeprefix("Parse error: ").removeprefix("fail: ")
            return ConfigError(_in_the_files_words(said), where=where, hint=self.quoted(self.line(text)))
        failure = self.failure
        if isinstance(failure, ConfigError) and failure.where is None:
            return ConfigError(failure.message, where=where, hint=failure.hint, page=failure.page)
        if isinstance(failure, OxcrossError):
            failure.message = f"{failure.message}\n  asked for by {where}"
        return failure

    def line(self, text: str) -> int:
        """The innermost line of the file itself, from a text with frames or a spot; 1 when there is none."""
        own = str(self.world.file)
        found = [*_FRAME.finditer(text), *_SPOT.finditer(text)]
        return int(next((one["line"] for one in reversed(found) if one["file"] == own), 1))

    def innermost(self, text: str) -> str:
        return self.at(self.line(text))

    def at(self, line: int) -> str:
        """FILE:LINE, and the function that the line is in."""
        place = f"{shown(self.world.file)}:{line}"
        try:
            tree = ast.parse(self.text)
        except SyntaxError:
            return place
        around = [
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or line)
        ]
        return f"{place}: in {around[-1]}" if around else place

    def quoted(self, line: int) -> str:
        """The line itself, as a hint."""
        lines = self.text.splitlines()
        return f"the line is: {lines[line - 1].strip()}" if line <= len(lines) else "the file is empty"


class _Context(Value):
    """CONTEXT, which has nothing inside."""

    kind = "Context"


def _in_the_files_words(message: str) -> str:
    """Without the names that the prelude has."""
    return re.sub(r"_oxcross_\w+", "the call", message)
