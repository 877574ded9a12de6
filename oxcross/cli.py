"""The ``oxcross`` program: Invoke's program around oxcross's tasks, made pleasant.

What it adds to Invoke's own: the nearest valid name for a mistyped task or flag, exit codes, flags
before the task's name (``oxcross --project app build``), tasks of a group without the dot
(``oxcross cache prune``), arguments for the application after ``--`` as they were typed.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Collection as Collection_
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from inspect import cleandoc
from itertools import pairwise
from typing import NoReturn

from invoke.collection import Collection
from invoke.exceptions import Exit, Failure, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser
from invoke.program import Program

from oxcross import __version__
from oxcross.errors import OxcrossError, StoreError, UsageError, nearest
from oxcross.report import show_error

_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def main(
    argv: Sequence[str] | None = None, *, namespace: Collection | None = None, name: str = "oxcross"
) -> int:
    """Run the program; its exit status. ``argv`` is without the program's name."""
    if namespace is None:
        from oxcross.tasks import ns as namespace
    words = list(sys.argv[1:] if argv is None else argv)
    program = OxcrossProgram(version=__version__, namespace=namespace, name="oxcross", binary=name)
    try:
        status = program.call(words)
        sys.stdout.flush()  # what cannot be written is to be told
    except OxcrossError as error:
        show_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 128 + signal.SIGINT
    except BrokenPipeError:
        # Whoever read stdout has left; the interpreter must not try to flush to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _REFUSED:  # the machine's refusal, no defect of ours
            where = str(error.filename) if error.filename else "standard output"
            show_error(StoreError(f"cannot be written: {error.strerror}", where=where))
            return StoreError.exit_code
        if "--debug" in words or os.environ.get("OXCROSS_DEBUG"):
            raise
        return _apologise(words)
    return status


def program() -> NoReturn:
    """``main`` as a process: it leaves without tearing the interpreter down.

    Nothing is left to be done by then, and taking a hundred modules apart lasts 50 ms.
    """
    status = main()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


def _apologise(words: Sequence[str]) -> int:
    """Keep the traceback of a defect of ours in a file, and say where."""
    with tempfile.NamedTemporaryFile(
        "w", prefix="oxcross-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        print(f"oxcross {__version__}, Python {sys.version}\narguments: {words}\n", file=log)
        traceback.print_exc(file=log)
    reason = traceback.format_exception_only(*sys.exc_info()[:2])[-1].strip()
    print(
        f"error: oxcross itself went wrong, sorry: {reason}\n"
        f"  what happened is in {log.name}; please report it with that file, or add --debug to see it here",
        file=sys.stderr,
    )
    return 1


class OxcrossProgram(Program):
    """Invoke's program with fewer core flags and better errors."""

    contexts: list[ParserContext]

    def call(self, words: list[str]) -> int:
        """Parse and run; the exit status. OxcrossError for what the user can mend."""
        line, passed = _split(words)
        tasks = self.namespace or Collection()
        # Once: Invoke hands each flag's help text out the first time only.
        self.contexts = tasks.to_contexts()
        contexts = {
            name: context for context in self.contexts for name in (context.name, *context.aliases) if name
        }
        if line[:1] == ["--complete"]:
            line = words  # what stands behind -- is the line to complete
        else:
            line = _flags_behind_task(_dotted(line, tasks), contexts)
            line = _check_flags(line, contexts, self.initial_context, self.binary)
        try:
            self.create_config()
            self.parse_core([self.binary, *line])
            self.parse_collection()
            self.parse_tasks()
            self.parse_cleanup()
            self.update_config()
            self.config.passed = passed
            self.execute()
        except ParseError as error:
            raise _usage(str(error), error.context, contexts, self.initial_context, self.binary) from None
        except Exit as leave:
            if isinstance(leave.__cause__, OxcrossError):
                raise leave.__cause__ from None
            if leave.message:
                print(leave.message, file=sys.stderr)
            return int(leave.code)
        except Failure as failed:  # a command that a task of the user's own ran
            return failed.result.exited or 1
        return 0

    def _make_parser(self) -> Parser:
        return Parser(initial=self.initial_context, contexts=self.contexts)

    def parse_tasks(self) -> None:
        """As Invoke's; a flag's value that is no number is the user's to mend."""
        try:
            super().parse_tasks()
        except ValueError as error:
            found = re.search(r"invalid literal for int\(\) with base 10: (.*)", str(error))
            if not found:
                raise
            raise UsageError(f"not a number: {found[1]}", hint="write a whole number, such as 2") from None

    def core_args(self) -> list[Argument]:
        """The flags that are no task's; those of Invoke's that mean nothing here are left out."""
        kept = {"complete", "debug", "help", "list", "print-completion-script", "version"}
        words = {
            "debug": "Show tracebacks.",
            "help": "Show this help, or a task's.",
            "list": "List the tasks.",
            "version": "Show the version.",
        }
        arguments = [argument for argument in super().core_args() if argument.name in kept]
        for argument in arguments:
            argument.help = words.get(argument.name or "", argument.help or "")
        return arguments

    def parse_core(self, argv: list[str] | None) -> None:
        """As Invoke's, less the flags that are left out; --debug is about tracebacks here."""
        self.normalize_argv(argv)
        self.parse_core_args()
        if self.args.version.value:
            self.print_version()
            raise Exit
        if shell := self.args["print-completion-script"].value:
            from invoke.completion.complete import print_completion_script

            print_completion_script(shell=shell, names=self.binary_names)
            raise Exit

    def parse_cleanup(self) -> None:
        """--help, --list and completion; without a task: help."""
        wanted = self.args.help.value
        if isinstance(wanted, str):
            if wanted not in self.parser.contexts:
                raise ParseError(f"No idea what {wanted!r} is!")
            self.print_task_help(wanted)
            raise Exit
        if wanted or self.args.list.value:
            self.print_help()
            raise Exit
        if self.args.complete.value:
            from invoke.completion.complete import complete

            complete(
                names=self.binary_names,
                core=self.core,
                initial_context=self.initial_context,
                collection=self.collection,
                parser=self._make_parser(),
            )
        if not self.tasks:
            self.print_help()
            raise Exit

    def update_config(self, merge: bool = True) -> None:
        """No core flag changes the configuration here."""
        if merge:
            self.config.merge()

    @property
    def binary_names(self) -> list[str]:
        """For completion scripts."""
        return [os.path.basename(self.binary)]  # noqa: PTH119 (a name, not a path)

    def print_help(self) -> None:
        """The program's own help: what there is to do."""
        print(f"usage: {self.binary} TASK [--flags] …      {self.binary} TASK --help\n")
        self.list_root, self.list_depth, self.list_format = None, None, "flat"
        self.list_tasks()
        print("Anywhere:\n")
        self.print_columns(self.initial_context.help_tuples())

    def list_flat(self) -> None:
        """Tasks as they are typed: ``cache prune``; a group's default task stands for the group."""
        pairs: list[tuple[str, str | None]] = []
        for name, text in self._make_pairs(self.scoped_collection):
            dotted, _, default = name.partition(" (")
            pairs.append((default.rstrip(")") if default else dotted.replace(".", " "), text))
        self.display_with_columns(pairs=sorted(pairs))

    def task_list_opener(self, extra: str = "") -> str:  # noqa: ARG002 (Invoke's signature)
        """The heading of the list of tasks."""
        return "Tasks"

    def print_task_help(self, name: str) -> None:
        """Help for one task: how to write it, what it does, its flags."""
        context = self.parser.contexts[name]
        task = self.collection[name]
        places = "".join(f" {argument.name.upper()}" for argument in context.positional_args)
        print(f"usage: {self.binary} {name.replace('.', ' ')}{places} [--flags]\n")
        print(f"{cleandoc(task.__doc__ or '')}\n")
        self.print_columns(context.help_tuples() or [("(no flags)", None)])


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The program's own words, and those after ``--``, which are the application's."""
    if "--" not in words:
        return words, []
    at = words.index("--")
    return words[:at], words[at + 1 :]


def _dotted(line: list[str], namespace: Collection) -> list[str]:
    """``cache prune`` as Invoke spells it: ``cache.prune``."""
    for at, (group, name) in enumerate(pairwise(line)):
        if group in namespace.collections:
            names = namespace.collections[group].task_names
            if name in names:
                return [*line[:at], f"{group}.{name}", *line[at + 2 :]]
            if not name.startswith("-"):
                raise UsageError(f"there is no task {group} {name}", hint=nearest(name, names))
            return line
    return line


def _flags_behind_task(line: list[str], contexts: dict[str, ParserContext]) -> list[str]:
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


def _check_flags(
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


def _no_flag(word: str, contexts: Collection_[ParserContext], core: ParserContext, binary: str) -> UsageError:
    """The error for a flag that none of the tasks (one, or all when none was named) and not the program has."""
    known = [flag for context in [*contexts, core] for flag in [*context.flags, *context.inverse_flags]]
    close = get_close_matches(word, [flag for flag in known if flag.startswith("--")], n=1, cutoff=0.6)
    name = str(next(iter(contexts)).name).replace(".", " ") if len(contexts) == 1 else ""
    hint = f"did you mean {close[0]}?" if close else f"see {' '.join(filter(None, [binary, name, '--help']))}"
    return UsageError(f"{name} has no flag {word}" if name else f"there is no flag {word}", hint=hint)


def _usage(
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
            return UsageError(f"there is no task {word!r}", hint=nearest(word, _spoken(contexts)))
        return _no_flag(word, contexts.values(), core, binary)
    if found := re.search(r"did not receive required positional arguments: (.*)", text):
        wanted = found[1].replace("'", "").upper()
        return UsageError(f"{task} needs {wanted}", hint=f"see {help_line}")
    if found := re.search(r"Flag <Argument: ([\w-]+).*needed value", text):
        return UsageError(f"--{found[1]} needs a value", hint=f"see {help_line}")
    return UsageError(text, hint=f"see {help_line}")


def _spoken(contexts: dict[str, ParserContext]) -> Iterator[str]:
    """The tasks' names as they are typed."""
    return (name.replace(".", " ") for name in contexts)
