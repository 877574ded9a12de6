"""Requirements resolved to exact versions with hashes, by uv: as wheels, where there are wheels.

What has none is resolved from its source distribution. uv says of one distribution after the other that it has no
wheel, so it is asked again until it says nothing new.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from oxcross.collect import environment, requirements, uv
from oxcross.collect.distributions import canonical
from oxcross.errors import CollectError
from oxcross.project import Project
from oxcross.store import Store
from oxcross.targets import Target

# How uv's resolver names what it would take if it were a wheel: "docopt has no usable wheels", "only foo==1.0 … have no wheels
# with a matching platform tag".
_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:[=<>!~][^\s,]*(?:,[=<>!~][^\s,]*)*)? (?:has|have) no "
_WHEELLESS = re.compile(_NAME + r"(?:usable wheels|wheels with a matching)")
_SOURCELESS = re.compile(_NAME + r"source distribution")


def compiled(
    project: Project, target: Target, wanted: Sequence[str], preferred: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Requirement lines with versions and hashes for what is ``wanted``, and the names of those that have no wheel.

    ``preferred`` versions stay where they fit. CollectError lists what cannot be had, and why.
    """
    with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
        attempt = _Attempt(project, target, Path(name))
        out = Path(name, "requirements.txt")
        out.write_text("".join(f"{line}\n" for line in preferred))
        try:
            wheelless = _solve(attempt, wanted, out)
        except CollectError as error:
            raise _every(error, wanted, attempt) from None
        lines = tuple(requirements.logical_lines(out))
        names = {requirements.name_of(line) for line in lines}
        return lines, tuple(sorted(wheelless & names))


def _solve(attempt: _Attempt, wanted: Sequence[str], out: Path) -> set[str]:
    """Ask until there is an answer; the names of those that were allowed to have no wheel."""
    wheelless: set[str] = set()
    lost: set[str] = set()  # that have no source distribution either
    while True:
        try:
            attempt(wanted, out, wheelless)
        except CollectError as error:
            without = _named(_WHEELLESS, error) - wheelless - lost
            sourceless = _named(_SOURCELESS, error) & wheelless
            if attempt.project.link != "memory" or not (without or sourceless):
                raise
            lost |= sourceless
            wheelless = (wheelless | without) - lost
        else:
            return wheelless


def lacking(
    lines: Sequence[str], project: Project, target: Target, store: Store, notice: Callable[[str], None]
) -> set[str]:
    """The names of those among pinned ``lines`` that have no wheel; the others are installed, which tells.

    CollectError for what cannot be installed for another reason.
    """
    found: set[str] = set()
    while left := [line for line in lines if requirements.name_of(line) not in found]:
        try:
            environment.environment(left, project, target, store, notice=notice)
            break
        except CollectError as error:
            if not (new := _named(_WHEELLESS, error) - found):
                raise
            found |= new
    return found


def _named(pattern: re.Pattern[str], error: CollectError) -> set[str]:
    """The normalised names of distributions that uv says that of."""
    return {canonical(found) for found in pattern.findall(" ".join(error.message.split()))}


def _every(error: CollectError, wanted: Sequence[str], attempt: _Attempt) -> CollectError:
    """The error with every reason: uv stops at the first conflict, so each requirement is asked for alone."""
    reasons: dict[str, None] = {}
    for line in wanted if len(wanted) > 1 else ():
        try:
            _solve(attempt, [line], attempt.folder / "alone.txt")
        except CollectError as alone:
            reasons.setdefault(alone.message.partition("\n")[2])
    if len(reasons) < 2:
        return error
    message = "\n".join([error.message.partition("\n")[0], *reasons])
    return CollectError(message, where=error.where, hint=error.hint, page=error.page)


class _Attempt:
    """One question to uv: ``lines`` into the file ``out``, without wheels of ``wheelless``."""

    def __init__(self, project: Project, target: Target, folder: Path) -> None:
        self.project, self.target, self.folder = project, target, folder

    def __call__(self, lines: Sequence[str], out: Path, wheelless: set[str]) -> None:
        oldest = uv.oldest(self.project, self.target)
        source = self.folder / "requirements.in"
        source.write_text("".join(f"{line}\n" for line in lines))
        uv.run(
            [
                "pip", "compile", str(source), "--output-file", str(out),
                *uv.common(self.target, oldest, self.project.python, wheels=self.project.link == "memory"),
                *(part for name in sorted(wheelless) for part in ("--no-binary", name)),
                "--generate-hashes", "--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links",
            ],
            folder=self.project.root,
            doing=f"requirements that cannot be had for {self.target.name}",
            where=str(self.project.pyproject),
            page="no-version-fits",
            variables=uv.variables(self.target, oldest),
        )  # fmt: skip
