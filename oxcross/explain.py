"""docs/errors.md by its sections: what ``oxcross explain`` prints, for people without a network, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Final

from oxcross import errors, rooms
from oxcross.errors import OxcrossError, UsageError

_KINDS: Final = {
    kind.exit_code: kind.__name__
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, OxcrossError) and "exit_code" in vars(kind)
}
# A code block, too, which may have lines that look like headings.
_HEADING: Final = re.compile(r"^```.*?^```$|^(?P<level>##+) (?P<title>[^\n]+)$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the page: of an exit status, or of one error that has it.

    ``name`` is its anchor; ``kind`` the class of such errors, None where there is no error to raise; ``text`` is Markdown.
    """

    name: str
    status: int
    kind: str | None
    title: str
    text: str
    level: int  # of its heading

    @property
    def markdown(self) -> str:
        """The section as it stands on the page."""
        return f"{'#' * self.level} {self.title}\n\n{self.text}\n"

    def document(self) -> dict[str, object]:
        """The section for --json."""
        return {
            "name": self.name,
            "exit-status": self.status,
            "kind": self.kind,
            "title": self.title,
            "text": self.text,
        }


def sections() -> tuple[Section, ...]:
    """All of them, as they come on the page; an exit status's ends with the names of its errors."""
    found = tuple(_sections(rooms.errors_page()))
    return tuple(replace(one, text=one.text + _names(one, found)) if one.level == 2 else one for one in found)


def find(name: str) -> Section:
    """The section of that name, or of that exit status. UsageError with the nearest name when there is none."""
    found = sections()
    for one in found:
        if name == one.name or (one.level == 2 and name == str(one.status)):
            return one
    close = get_close_matches(name, [one.name for one in found], n=1, cutoff=0.6)
    hint = f"did you mean {close[0]!r}?" if close else "`oxcross explain` lists what can be explained"
    raise UsageError(f"there is nothing to explain by the name {name!r}", hint=hint)


def anchor(title: str) -> str:
    """What MkDocs makes of a title, for links."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def _sections(page: str) -> Iterator[Section]:
    headings = [found for found in _HEADING.finditer(page) if found["title"]]
    status = 0
    for found, following in zip(headings, (*headings[1:], None), strict=True):
        level, title = len(found["level"]), found["title"]
        if level == 2:
            status = int(title.partition(":")[0])
        yield Section(
            name=anchor(title),
            status=status,
            kind=_KINDS.get(status),
            title=title,
            text=page[found.end() : following.start() if following else None].strip(),
            level=level,
        )


def _names(section: Section, found: tuple[Section, ...]) -> str:
    below = [one for one in found if one.status == section.status and one.level > section.level]
    return (
        "\n\nMet most often:\n\n" + "\n".join(f"- `{one.name}`: {one.title}" for one in below)
        if below
        else ""
    )
