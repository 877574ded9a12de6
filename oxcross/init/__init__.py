"""The first ``[tool.oxcross]`` of a project: made of what the project says of itself, and tried before it is written.

said.py reads names, versions, scripts and requirements, wherever they stand; script.py the metadata in a single-file script;
version.py versions that stand in code; programs.py what could run where no script is declared. choose.py and needs.py make keys of all
that, each with a reason (chosen.py); table.py puts them into pyproject.toml and leaves every other byte of it as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross.config import configure
from oxcross.config.findings import key_lines, shown
from oxcross.errors import ConfigError
from oxcross.init import choose, said, table
from oxcross.init.chosen import Choice


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What ``oxcross init`` would write, and why."""

    file: Path  # pyproject.toml, absolute
    new: bool  # there is no such file yet
    added: str  # the text that is added at its end
    content: bytes  # the whole file then
    choices: tuple[Choice, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "file": str(self.file),
            "new": self.new,
            "added": self.added,
            "choices": [one.document() for one in self.choices],
            "notes": list(self.notes),
        }

    def write(self) -> None:
        """Write the file. ConfigError where that is not possible."""
        try:
            table.write(self.file, self.content)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}", where=shown(self.file)) from None


def propose(folder: Path, script: str = "") -> Proposal:
    """The table for the project in ``folder``, or for one single-file ``script`` of it; nothing is written.

    ConfigError where there is a table already, where nothing says what is to run, and for all that would be wrong with the result.
    """
    root = folder.resolve()
    if not root.is_dir():
        raise ConfigError("there is no such folder", where=str(folder), hint="name it with --project DIR")
    file = root / "pyproject.toml"
    before = table.read(file)
    text, document = table.parse(file, before)
    tool = document.get("tool", {})
    if isinstance(tool, dict) and "oxcross" in tool:
        line = key_lines(text).get("tool.oxcross")
        where = f"{shown(file)}:{line}" if line else shown(file)
        hint = "`oxcross build` builds by it; to have it written anew, take it out first"
        raise ConfigError("there is a [tool.oxcross] already", where=where, hint=hint)
    project = said.project(root, document)
    chosen = choose.choose(root, document, project, script)
    added = table.text(chosen)
    content = table.append(file, before or b"", added)
    configure(root, content.decode())
    return Proposal(
        file=file,
        new=before is None,
        added=added,
        content=content,
        choices=tuple(chosen.choices),
        notes=tuple(chosen.notes),
    )
