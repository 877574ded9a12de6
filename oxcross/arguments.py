"""The words of a command line, before and after Invoke's parser: what it cannot take, and what it says.

Invoke knows tasks with dots (``cache.prune``), wants a task's flags behind its name, and takes unknown
flags for positional arguments; its errors name what is wrong, never what to type instead.
"""

from __future__ import annotations

import re
from collections.abc import Collection as Sized
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import pairwise
from typing import Final

from invoke.collection import Collection
from invoke.parser.context import ParserContext

from oxcross.errors import UsageError, nearest

_BARE: Final = ("--bzl-target", "--name")  # flags whose value may stand behind the task without them


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """The program's own words, and those after ``--``, which are the application's."""
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def help_first(line: list[str], contexts: dict[str, ParserContext]) -> list[str]:
    """``help TASK`` as ``TASK --help``, unless there is a task of that name."""
    return [*line[1:], "--help"] if line[:1] == ["help"] and "help" not in contexts else line


def dotted(line: list[str], namespace: Collection) -> list[str]:
    """``cache prune`` as Invoke spells it: ``cache.prune``."""
    for at, (group, name) in enumerate(pairwise(line)):
        if group in namespace.collections:
            names = namespace.collections[group].task_names
            if name in names:
                return [*line[:at], f"{group}.{name}", *line[at + 2 :]]
            if not name.startswith("-"):
                hint = nearest(name, names)
                raise UsageError(
                    f"there is no task {group} {name}", hint=hint, page="a-task-that-there-is-not"
                )
            return line
    return line


def flags_behind_task(line: list[str], contexts: dict[str, ParserContext]) -> list[str]:
    """Move a task's flags that stand before its name behind it, where Invoke looks for them."""
    valued = {
        flag
        for context in contexts.values()
        for flag, argument in context.flags.items()
        if argument.takes_value
    }
    plain = {flag for context in contexts.values() for flag in context.flags} - valued
    before: list[str] = []
    rest = list(line)
    core: list[str] = []
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        flag, equals, _ = word.partition("=")
        if flag in valued:
            before += [word] if equals or not rest else [word, rest.pop(0)]
        elif flag in plain:
            before.append(word)
        else:
            core.append(word)
    return [*core, *rest[:1], *before, *rest[1:]]


def bare_values(line: list[str], contexts: dict[str, ParserContext]) -> list[str]:
    """``explain NAME`` and, as PyOxidizer takes it, ``build install --var NAME VALUE``, in flags that Invoke knows."""
    found: list[str] = []
    context: ParserContext | None = None
    words = list(line)
    while words:
        word = words.pop(0)
        argument = context.flags.get(word) if context else None
        bare = next((flag for flag in _BARE if context and flag in context.flags and flag not in found), None)
        if context is None or (word in contexts and bare != "--name"):
            context = contexts.get(word, context)
        elif argument is not None and argument.takes_value and words:
            found.append(word)
            named = words.pop(0)
            pair = word in ("--var", "--var-env") and "=" not in named and words and words[0][:1] != "-"
            word = f"{named}={words.pop(0)}" if pair else named
        elif bare and not word.startswith("-"):
            found.append(bare)
        found.append(word)
    return found


def check_flags(
    line: list[str], contexts: dict[str, ParserContext], core: ParserContext, binary: str
) -> list[str]:
    """Refuse flags that do not exist, which Invoke would take for positional arguments; --help wins."""
    context, places = core, 0
    words = iter(line)
    for word in words:
        flag, equals, _ = word.partition("=")
        if not flag.startswith("--"):
            if places:
                places -= 1
            elif word in contexts:
                context = contexts[word]
                places = len(context.positional_args)
            continue
        argument = context.flags.get(flag) or core.flags.get(flag)
        if argument is None and flag not in context.inverse_flags:
            raise _no_flag(flag, [context] if context is not core else contexts.values(), core, binary)
        if flag == "--help" and context is not core and not equals:
            return ["--help", str(context.name)]
        if argument is not None and argument.takes_value and not argument.optional and not equals:
            next(words, None)
    return line


def _no_flag(word: str, contexts: Sized[ParserContext], core: ParserContext, binary: str) -> UsageError:
    """The error for a flag that none of the tasks (one, or all when none was named) and not the program has."""
    known = [flag for context in [*contexts, core] for flag in [*context.flags, *context.inverse_flags]]
    close = get_close_matches(word, [flag for flag in known if flag.startswith("--")], n=1, cutoff=0.6)
    name = str(next(iter(contexts)).name).replace(".", " ") if len(contexts) == 1 else ""
    hint = f"did you mean {close[0]}?" if close else f"see {' '.join(filter(None, [binary, name, '--help']))}"
    said = f"{name} has no flag {word}" if name else f"there is no flag {word}"
    return UsageError(said, hint=hint, page="a-flag-that-a-task-does-not-have")


def usage_error(
    text: str,
    context: ParserContext | None,
    contexts: dict[str, ParserContext],
    core: ParserContext,
    binary: str,
) -> UsageError:
    """Invoke's parse error, in words that say what to type instead."""
    task = context.name if context is not None and context.name else None
    help_line = f"{binary} {task.replace('.', ' ')} --help" if task else f"{binary} --help"
    if found := re.match(r"No idea what '(.*)' is!", text):
        word = found[1]
        if not word.startswith("-"):
            if task and not get_close_matches(word, contexts, n=1, cutoff=0.6):
                return UsageError(f"{task} takes no argument {word!r}", hint=f"see {help_line}")
            hint = nearest(word, _spoken(contexts))
            return UsageError(f"there is no task {word!r}", hint=hint, page="a-task-that-there-is-not")
        return _no_flag(word, contexts.values(), core, binary)
    if found := re.search(r"did not receive required positional arguments: (.*)", text):
        wanted = found[1].replace("'", "").upper()
        return UsageError(f"{task} needs {wanted}", hint=f"see {help_line}", page="a-value-that-is-missing")
    if found := re.search(r"Flag <Argument: ([\w-]+).*needed value", text):
        return UsageError(
            f"--{found[1]} needs a value", hint=f"see {help_line}", page="a-value-that-is-missing"
        )
    return UsageError(text, hint=f"see {help_line}")


def _spoken(contexts: dict[str, ParserContext]) -> Iterator[str]:
    """The tasks' names as they are typed."""
    return (name.replace(".", " ") for name in contexts)
