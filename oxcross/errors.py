"""The errors a user can meet, each with its own exit code.

An error's text is written where it is raised, for the person who will read it: what is wrong,
where it stands (file and key, target, step), and the next step to take. Nothing here is ever shown
with a traceback; a traceback means a defect of oxcross itself (exit code 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar


class OxcrossError(Exception):
    """Base of every error that is the user's to mend.

    ``message`` says what is wrong, ``where`` names the place (``pyproject.toml: tool.oxcross.name``,
    a path, ``linux-x64/openssl``), ``hint`` the next step.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}\n  {self.hint}" if self.hint else text


class UsageError(OxcrossError):
    """A task, flag or argument that does not exist or does not fit."""

    exit_code = 2


class ConfigError(OxcrossError):
    """Something in the project's configuration is wrong."""

    exit_code = 3


class ConfigErrors(ConfigError):
    """All that is wrong with a configuration, reported at once."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


class CollectError(OxcrossError):
    """The application's requirements cannot be had for a target."""

    exit_code = 4


class SourceError(OxcrossError):
    """A pinned source cannot be fetched, or its bytes are not the pinned ones."""

    exit_code = 5


class BuildError(OxcrossError):
    """A build step failed; the message ends with the end of its log."""

    exit_code = 6


class ToolError(OxcrossError):
    """This machine lacks a tool or service; the hint is the command that mends it."""

    exit_code = 7


class StoreError(OxcrossError):
    """The store cannot be read or written: damaged entry, no space, no permission."""

    exit_code = 8


class InspectError(OxcrossError):
    """An executable breaks the contract that every oxcross executable keeps."""

    exit_code = 9


class PublishError(OxcrossError):
    """A release cannot be published as asked."""

    exit_code = 10


class AnalyzeError(OxcrossError):
    """Something is likely to behave otherwise in the executable, and the user asked to be stopped by that."""

    exit_code = 11


class ReproduceError(OxcrossError):
    """A release cannot be built again, or what is built again is not what was released."""

    exit_code = 12


def nearest(word: str, choices: Iterable[str]) -> str:
    """A hint that names the nearest valid choice, or all of them when none is near."""
    known = sorted(choices)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else "choose one of: " + ", ".join(known)
