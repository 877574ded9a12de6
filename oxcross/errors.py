"""The errors a user can meet, each with its own exit code.

An error's text is written where it is raised, for the person who will read it: what is wrong,
where it stands (file and key, target, step), and the next step to take. Nothing here is ever shown
with a traceback; a traceback means a defect of oxcross itself (exit code 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar


class OxcrossError(Exception):
    """Base of every error that is the user's to mend.

    ``message`` says what is wrong, ``where`` names the place (``pyproject.toml: tool.oxcross.name``,
    a path, ``linux-x64/openssl``), ``hint`` the next step. ``page`` is the section of docs/errors.md
    about it, by its anchor: one for this very error where it was raised with one, else its class's.
    """

    exit_code: ClassVar[int] = 1
    page: str = "1-a-defect"

    def __init__(
        self, message: str, *, where: str | None = None, hint: str | None = None, page: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        if page:
            self.page = page

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text

    def document(self) -> dict[str, Any]:
        """What stands as ``error`` in the document of a run with --json."""
        return described(
            type(self).__name__,
            self.message,
            where=self.where,
            hint=self.hint,
            status=self.exit_code,
            page=self.page,
        )


class UsageError(OxcrossError):
    """A task, flag or argument that does not exist or does not fit."""

    exit_code = 2
    page = "2-usageerror"


class ConfigError(OxcrossError):
    """Something in the project's configuration is wrong."""

    exit_code = 3
    page = "3-configerror"


class ConfigErrors(ConfigError):
    """All that is wrong with a configuration, reported at once."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        pages = {error.page for error in self.errors}
        page = pages.pop() if len(pages) == 1 else None
        super().__init__("\n".join(str(error) for error in self.errors), page=page)

    def document(self) -> dict[str, Any]:
        """As any error's, with each of them in ``errors``."""
        return {**super().document(), "errors": [error.document() for error in self.errors]}


class CollectError(OxcrossError):
    """The application's requirements cannot be had for a target."""

    exit_code = 4
    page = "4-collecterror"


class SourceError(OxcrossError):
    """A pinned source cannot be fetched, or its bytes are not the pinned ones."""

    exit_code = 5
    page = "5-sourceerror"


class BuildError(OxcrossError):
    """A build step failed; the message ends with the end of its log."""

    exit_code = 6
    page = "6-builderror"


class ToolError(OxcrossError):
    """This machine lacks a tool or service; the hint is the command that mends it."""

    exit_code = 7
    page = "7-toolerror"


class StoreError(OxcrossError):
    """The store cannot be read or written: damaged entry, no space, no permission."""

    exit_code = 8
    page = "8-storeerror"


class InspectError(OxcrossError):
    """An executable breaks the contract that every oxcross executable keeps."""

    exit_code = 9
    page = "9-inspecterror"


class PublishError(OxcrossError):
    """A release cannot be published as asked."""

    exit_code = 10
    page = "10-publisherror"


class AnalyzeError(OxcrossError):
    """Something is likely to behave otherwise in the executable, and the user asked to be stopped by that."""

    exit_code = 11
    page = "11-analyzeerror"


class ReproduceError(OxcrossError):
    """A release cannot be built again, or what is built again is not what was released."""

    exit_code = 12
    page = "12-reproduceerror"


def described(
    kind: str, message: str, *, where: str | None = None, hint: str | None = None, status: int, page: str
) -> dict[str, Any]:
    """An error as --json has it; the exit status is what tells it from others of its kind, ``page`` what explains it."""
    return {
        "kind": kind,
        "message": message,
        "where": where,
        "hint": hint,
        "exit-status": status,
        "page": page,
    }


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint that names the nearest valid choice, or all of them when none is near."""
    known = sorted(choices)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else "choose one of: " + ", ".join(known)
