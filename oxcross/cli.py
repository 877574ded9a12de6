"""The ``oxcross`` program: Invoke's program around oxcross's tasks, made pleasant.

What it adds to Invoke's own: the nearest valid name for a mistyped task or flag, exit codes, flags
before the task's name (``oxcross --project app build``), tasks of a group without the dot
(``oxcross cache prune``), tasks by topic, ``oxcross help TASK``, arguments for the application after ``--``
as they were typed.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from invoke.collection import Collection
from invoke.exceptions import Exit, Failure, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.parser.parser import Parser
from invoke.program import Program
from invoke.terminals import pty_size

from oxcross import __version__, arguments, columns, completion, signals, topics
from oxcross.errors import OxcrossError, StoreError, UsageError, described
from oxcross.report import emit, show_error

_REFUSED = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def main(
    argv: Sequence[str] | None = None, *, namespace: Collection | None = None, name: str = "oxcross"
) -> int:
    """Run the program; its exit status. ``argv`` is without the program's name."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with signals.unwinding():
            if namespace is None:
                from oxcross.tasks import ns as namespace
            program = OxcrossProgram(version=__version__, namespace=namespace, name="oxcross", binary=name)
            status = program.call(words)
            sys.stdout.flush()  # what cannot be written is to be told
    except OxcrossError as error:
        return _failed(error, words, name)
    except KeyboardInterrupt:
        return _stopped("stopped", 128 + signal.SIGINT, "130-stopped-by-ctrl-c", words)
    except signals.Stopped as stopped:
        page = f"{stopped.status}-stopped-by-{stopped.name.lower()}"
        return _stopped(f"stopped by {stopped.name}", stopped.status, page, words)
    except BrokenPipeError:
        # Whoever read stdout has left; the interpreter must not try to flush to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _REFUSED:  # the machine's refusal, no defect of ours
            where = str(error.filename) if error.filename else "standard output"
            return _failed(StoreError(f"cannot be written: {error.strerror}", where=where), words, name)
        if "--debug" in words or os.environ.get("OXCROSS_DEBUG"):
            raise
        return _apologise(words)
    return status


def _stopped(text: str, status: int, page: str, words: Sequence[str]) -> int:
    with suppress(OSError):  # who closed the terminal reads nothing any more
        print(text, file=sys.stderr, flush=True)
    _tell(described("Stopped", text, status=status, page=page), words)
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


def _failed(error: OxcrossError, words: Sequence[str], program: str) -> int:
    """Show an error that no task has shown; its exit status."""
    show_error(error, program=program)
    _tell(error.document(), words)
    return error.exit_code


def _tell(error: dict[str, Any], words: Sequence[str]) -> None:
    """The document of a run with --json that no task has printed. stdout may be what cannot be written."""
    if "--json" in arguments.split(list(words))[0]:
        with suppress(OSError):
            emit({"error": error})
            sys.stdout.flush()


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
    hint = "please report it with that file, or add --debug to see it here"
    _tell(
        described(
            "Defect",
            f"oxcross itself went wrong: {reason}",
            where=log.name,
            hint=hint,
            status=1,
            page=OxcrossError.page,
        ),
        words,
    )
    return 1


class OxcrossProgram(Program):
    """Invoke's program with fewer core flags and better errors."""

    contexts: list[ParserContext]

    def call(self, words: list[str]) -> int:
        """Parse and run; the exit status. OxcrossError for what the user can mend."""
        line, passed = arguments.split(words)
        tasks = self.namespace or Collection()
        # Once: Invoke's own tasks hand each flag's help text out the first time only.
        self.contexts = tasks.to_contexts()
        contexts = {
            name: context for context in self.contexts for name in (context.name, *context.aliases) if name
        }
        if line == ["--complete"]:  # what stands behind -- is the line to complete
            found = completion.candidates(passed, tasks, contexts, self.initial_context)
            print("".join(f"{one}\n" for one in found), end="")
            return 0
        line = arguments.help_first(line, contexts)
        line = arguments.flags_behind_task(arguments.dotted(line, tasks), contexts)
        line = arguments.bare_values(line, contexts)
        line = arguments.check_flags(line, contexts, self.initial_context, self.binary)
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
            raise arguments.usage_error(
                str(error), error.context, contexts, self.initial_context, self.binary
            ) from None
        except Exit as leave:
            if isinstance(leave.__cause__, OxcrossError):
                show_error(leave.__cause__, program=self.binary)
                return leave.__cause__.exit_code
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
            "print-completion-script": "Print what has bash, fish or zsh complete words.",
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
            print(completion.script(shell, os.path.basename(self.binary)), end="")  # noqa: PTH119 (a name, not a path)
            raise Exit

    def parse_cleanup(self) -> None:
        """--help and --list; without a task: help."""
        wanted = self.args.help.value
        if isinstance(wanted, str):
            if wanted not in self.parser.contexts:
                raise ParseError(f"No idea what {wanted!r} is!")
            self.print_task_help(wanted)
            raise Exit
        if wanted or self.args.list.value:
            self.print_help()
            raise Exit
        if not self.tasks:
            self.print_help()
            raise Exit

    def update_config(self, merge: bool = True) -> None:
        """No core flag changes the configuration here."""
        if merge:
            self.config.merge()

    def print_help(self) -> None:
        """The program's own help: what there is to do."""
        print(f"usage: {self.binary} TASK [--flags] …      {self.binary} TASK --help\n")
        self.list_root, self.list_depth, self.list_format = None, None, "flat"
        self.list_tasks()
        print("Anywhere:\n")
        flags = self.initial_context.help_tuples()
        self.print_columns([(flag, text) for flag, text in flags if flag != "--complete"])  # the shell's own

    def print_columns(self, tuples: Sequence[tuple[str, str | None]]) -> None:
        """As Invoke's, on a narrow terminal, too."""
        lines = columns.described([(name, text or "") for name, text in tuples], pty_size()[0] - 3)
        print("".join(f"  {line}\n" for line in lines))

    def list_flat(self) -> None:
        """Tasks as they are typed, by topic: ``cache prune``; a group's default task stands for the group."""
        from oxcross.tasks import TOPICS

        found = topics.listed(self.scoped_collection, TOPICS)
        width = max(len(name) for rows in found.values() for name, _ in rows)
        for topic, rows in found.items():
            print(f"{topic}:\n")
            self.print_columns([(name.ljust(width), text) for name, text in rows])

    def print_task_help(self, name: str) -> None:
        """Help for one task: how to write it, what it does, its flags."""
        context = self.parser.contexts[name]
        task = self.collection[name]
        places = "".join(f" {argument.name.upper()}" for argument in context.positional_args)
        print(f"usage: {self.binary} {name.replace('.', ' ')}{places} [--flags]\n")
        print(f"{topics.told(task)}\n")
        self.print_columns(context.help_tuples() or [("(no flags)", None)])
        if others := topics.siblings(self.collection, name):
            print(f"See also: {', '.join(others)}\n")
        if lines := topics.examples(task, self.binary):
            print("Examples:\n  " + "\n  ".join(lines) + "\n")
