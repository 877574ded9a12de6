"""``command``: what makes a function one of oxcross's Invoke tasks.

Errors of the user's reach them as text and exit code under every program that runs the task: the
oxcross program, and ``invoke`` with a ``tasks.py`` of the user's own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast, overload

from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Task, task

from oxcross.errors import OxcrossError

HELP = {
    "project": "the project's folder (default: the current one)",
    "targets": "what to build, separated by commas (default: the configuration's targets)",
    "target": "the target",
    "engine": "where steps run: auto, docker or local",
    "jobs": "how many processes to use (default: one a processor)",
    "dry_run": "print the plan, what is cached and what is to be built, and do nothing",
    "json": "print one JSON document on stdout, errors, too; everything else on stderr",
    "push": "sign what was built and push it to the shared cache (also: OXCROSS_CACHE_PUSH=1)",
    "upgrade": "resolve the requirements anew instead of taking those in oxcross.lock",
    "verbose": "say more, such as what was cached",
    "store": "the store's folder (default: $OXCROSS_STORE, or the user's cache folder)",
}


class Command(Task[Callable[..., Any]]):
    """A task whose flags keep their help texts: Invoke's own hands each out the first time only."""

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The flags and places, for the parser and for help."""
        texts = dict(self.help)
        try:
            return super().get_arguments(ignore_unknown_help)
        finally:
            self.help = texts


@overload
def command(function: Callable[..., Any], **options: Any) -> Task[Any]: ...
@overload
def command(**options: Any) -> Callable[[Callable[..., Any]], Task[Any]]: ...
def command(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Make a task; ``help`` texts are merged with those that all tasks share."""
    if function is None:
        return functools.partial(command, **options)
    known = {name: HELP[name] for name in inspect.signature(function).parameters if name in HELP}
    texts = {**known, **options.pop("help", {})}
    options.setdefault("auto_shortflags", False)

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            with _store(kwargs.get("store", "")):
                return (
                    _in_json(function, *args, **kwargs) if kwargs.get("json") else function(*args, **kwargs)
                )
        except OxcrossError as error:
            from io import StringIO

            from oxcross.report import show_error

            text = StringIO()
            show_error(error, text)
            raise Exit(text.getvalue().rstrip("\n"), code=error.exit_code) from error

    spelled = {name.replace("_", "-"): text for name, text in texts.items()}
    return cast("Task[Any]", task(run, klass=Command, help=spelled, **options))


def _store(folder: str) -> AbstractContextManager[None]:
    """While the task works, ``--store`` is the store of all that it does."""
    if not folder:
        return nullcontext()
    from oxcross import store

    return store.chosen(store.named(folder))


def _in_json(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a task; what it has to say, and the error that it ends with, are one document."""
    from oxcross import report

    failed: OxcrossError | None = None
    result = None
    with report.keeping() as document:
        try:
            result = function(*args, **kwargs)
        except OxcrossError as error:
            failed = error
    if failed is not None:
        document["error"] = failed.document()
    report.emit(document)
    if failed is not None:
        raise failed
    return result
