"""What the user sees while and after something runs: progress on stderr, results on stdout.

On a terminal progress is live (rich), else a line for each thing that ended. ``show_error`` and
``table`` serve every task. rich is only imported for a terminal: it takes a while.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

from oxcross import columns
from oxcross.errors import ConfigErrors, OxcrossError

_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "1;31", "32", "33"

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from oxcross.plan import Step


def is_live(stream: TextIO) -> bool:
    """Whether the stream is a terminal that can redraw lines."""
    return stream.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def colours(stream: TextIO) -> bool:
    """Whether to use colours there: on a terminal, unless the environment says otherwise.

    NO_COLOR (https://no-color.org) goes before FORCE_COLOR and CLICOLOR_FORCE, those before CLICOLOR=0 (https://bixense.com/clicolors).
    """
    environment = os.environ
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE", "0") not in ("", "0"):
        return True
    return is_live(stream) and environment.get("CLICOLOR") != "0"


def _painted(text: str, code: str, stream: TextIO) -> str:
    """In a colour, by the number that terminals know it by, where colours are used."""
    return f"\033[{code}m{text}\033[0m" if code and colours(stream) else text


def megabytes(size: int) -> str:
    """A size in bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def duration(value: float) -> str:
    """A time for people."""
    return f"{value:.1f} s" if value < 100 else f"{int(value // 60)} min {int(value % 60):02d} s"


_kept: list[dict[str, Any]] = []  # of the tasks that run, the innermost one last


def emit(document: Mapping[str, Any]) -> None:
    """The one JSON document of a run with --json, on stdout; within ``keeping`` later, when all of it is known."""
    if _kept:
        _kept[-1].update(document)
    else:
        print(json.dumps(document, indent=2, default=str))


@contextmanager
def keeping() -> Iterator[dict[str, Any]]:
    """Keep what is emitted, so that what a task found and the error that it ends with are one document."""
    _kept.append({})
    try:
        yield _kept[-1]
    finally:
        _kept.pop()


def note(text: str) -> None:
    """Something to know, when nothing goes on that a terminal shows."""
    print(f"{_painted('note', _YELLOW, sys.stderr)}      {text}", file=sys.stderr)


def show_error(error: OxcrossError, stream: TextIO | None = None, *, program: str = "oxcross") -> None:
    """An error as the user reads it: one block each, the next step indented below, and what ``program`` explains it by.

    Errors that one section of docs/errors.md explains name it once, below the last of them.
    """
    out = stream or sys.stderr
    label = _painted("error:", _RED, out)
    errors = error.errors if isinstance(error, ConfigErrors) else (error,)
    last = {one.page: one for one in errors}
    for one in errors:
        print(f"{label} {one}", file=out)
        if last[one.page] is one:
            print(f"  {_painted(f'more: {program} explain {one.page}', _DIM, out)}", file=out)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, stream: TextIO | None = None) -> None:
    """Rows in columns; on a terminal as wide as that, where cells can be wrapped so."""
    out = stream or sys.stdout
    width = shutil.get_terminal_size().columns if out.isatty() else None
    heading, *others = columns.laid_out([headers, *rows], width)
    for line in heading:
        print(_painted(line, _BOLD, out), file=out)
    for lines in others:
        print("\n".join(lines), file=out)


class Terminal(Protocol):
    """A ``plan.Reporter`` that also tells of the stages after the steps. A context manager."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def stage(self, target: str, name: str) -> Any: ...
    def step_started(self, step: Step) -> None: ...
    def step_finished(self, step: Step, *, cached: bool, seconds: float) -> None: ...
    def step_failed(self, step: Step, seconds: float) -> None: ...
    def fetch_started(self, name: str, total: int) -> None: ...
    def fetch_progress(self, name: str, done: int, total: int) -> None: ...
    def fetch_finished(self, name: str, *, ok: bool) -> None: ...
    def notice(self, text: str) -> None: ...


def terminal(*, verbose: bool = False) -> Terminal:
    """The reporter that fits stderr."""
    return Live(verbose=verbose) if is_live(sys.stderr) else Lines(verbose=verbose)


class Lines:
    """Progress as plain lines on stderr: each thing when it is done. With ``verbose`` also what was cached."""

    def __init__(self, *, verbose: bool = False, stream: TextIO | None = None) -> None:
        self._verbose = verbose
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()
        self._transfers: dict[str, tuple[int, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def _line(self, mark: str, text: str, code: str = "") -> None:
        with self._lock:
            print(
                f"{_painted(mark, code, self._stream)}{' ' * (10 - len(mark))}{text}",
                file=self._stream,
                flush=True,
            )

    def step_started(self, step: Step) -> None:
        """A step begins."""
        self._line("building", step.name)

    def step_finished(self, step: Step, *, cached: bool, seconds: float) -> None:
        """A step's output is there."""
        if not cached:
            self._line("built", f"{step.name}  {duration(seconds)}", _GREEN)
        elif self._verbose:
            self._line("cached", step.name)

    def step_failed(self, step: Step, seconds: float) -> None:
        """A step failed or was stopped."""
        self._line("failed", f"{step.name}  {duration(seconds)}", _RED)

    def fetch_started(self, name: str, total: int) -> None:
        """A download begins; ``total`` in bytes."""
        self._transfers[name] = total, time.monotonic()

    def fetch_progress(self, name: str, done: int, total: int) -> None:
        """``done`` of ``total`` bytes are there."""

    def fetch_finished(self, name: str, *, ok: bool) -> None:
        """A download ended."""
        size, begun = self._transfers.pop(name)
        text = f"{name}  {megabytes(size)}  {duration(time.monotonic() - begun)}"
        self._line("fetched" if ok else "not had", text, _GREEN if ok else _RED)

    def notice(self, text: str) -> None:
        """Something to know."""
        self._line("note", text, _YELLOW)

    @contextmanager
    def stage(self, target: str, name: str) -> Iterator[None]:
        """A part of the road that is no step: collect, pack, link, check."""
        begun = time.monotonic()
        yield
        if self._verbose:
            self._line(name, f"{target}  {duration(time.monotonic() - begun)}")


class Live:
    """Progress on a terminal: a line for each thing that runs, redrawn; what is done scrolls above."""

    def __init__(self, *, verbose: bool = False) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._verbose = verbose
        self._console = Console(
            stderr=True, highlight=False, no_color=not colours(sys.stderr), force_terminal=True
        )
        self._progress: Progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._transfers: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def _begin(self, key: str, text: str, total: float | None = None) -> None:
        with self._lock:
            self._tasks[key] = self._progress.add_task(text, total=total)

    def _end(self, key: str) -> None:
        with self._lock:
            if (task := self._tasks.pop(key, None)) is not None:
                self._progress.remove_task(task)

    def _say(self, mark: str, style: str, text: str) -> None:
        from rich.text import Text

        # Not wrapped: what is said can be copied.
        self._console.print(Text(mark, style=style), text, markup=False, soft_wrap=True)

    def step_started(self, step: Step) -> None:
        """A step begins."""
        self._begin(f"step {step.name}", f"build {step.name}")

    def step_finished(self, step: Step, *, cached: bool, seconds: float) -> None:
        """A step's output is there."""
        self._end(f"step {step.name}")
        if not cached:
            self._say("built ", "green", f"{step.name}  {duration(seconds)}")
        elif self._verbose:
            self._say("cached", "dim", step.name)

    def step_failed(self, step: Step, seconds: float) -> None:
        """A step failed or was stopped."""
        self._end(f"step {step.name}")
        self._say("failed", "bold red", f"{step.name}  {duration(seconds)}")

    def fetch_started(self, name: str, total: int) -> None:
        """A download begins; ``total`` in bytes."""
        self._transfers[name] = total, time.monotonic()
        self._begin(f"fetch {name}", f"fetch {name} ({megabytes(total)})", float(total))

    def fetch_progress(self, name: str, done: int, total: int) -> None:
        """``done`` of ``total`` bytes are there."""
        with self._lock:
            if (task := self._tasks.get(f"fetch {name}")) is not None:
                self._progress.update(task, completed=done, total=total)

    def fetch_finished(self, name: str, *, ok: bool) -> None:
        """A download ended."""
        self._end(f"fetch {name}")
        size, begun = self._transfers.pop(name)
        text = f"{name}  {megabytes(size)}  {duration(time.monotonic() - begun)}"
        self._say("fetched" if ok else "not had", "green" if ok else "bold red", text)

    def notice(self, text: str) -> None:
        """Something to know."""
        self._say("note  ", "yellow", text)

    @contextmanager
    def stage(self, target: str, name: str) -> Iterator[None]:
        """A part of the road that is no step: collect, pack, link, check."""
        key = f"stage {target} {name}"
        self._begin(key, f"{name} {target}")
        begun = time.monotonic()
        try:
            yield
        finally:
            self._end(key)
        if self._verbose:
            self._say(f"{name:<6}", "green", f"{target}  {duration(time.monotonic() - begun)}")
