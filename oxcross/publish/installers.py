"""install.sh and install.ps1: scripts that choose, download, check and install a release's executable.

Templates of ``templates/install/``. A script names the version's own address and has the digests of its executables in it, so
the copy of it below ``latest/`` installs what it was made with, whatever is published meanwhile.
"""

from __future__ import annotations

import shlex
from typing import Any, Final

import jinja2

from oxcross import rooms
from oxcross.project import Project
from oxcross.publish import address
from oxcross.publish.draft import Draft, Row

_SCRIPTS: Final = {"install.sh": ("linux", "macos"), "install.ps1": ("windows",)}


class Installers:
    """The addition that makes the scripts, after all that they install. There are none where no address is known, or none are wanted."""

    def __init__(self, project: Project) -> None:
        self._base = address.public(project.publish) if project.release.installers else ""

    def __call__(self, draft: Draft) -> None:
        rows: list[Row] = draft.manifest["artifacts"]
        made = []
        for file, systems in _SCRIPTS.items():
            wanted = [row for row in rows if row["os"] in systems]
            if self._base and wanted:
                made.append(draft.add(file, self._script(draft, file, wanted)))
        if made:
            draft.manifest["installers"] = made

    def _script(self, draft: Draft, file: str, rows: list[Row]) -> bytes:
        signature = draft.manifest.get("signature") or {}
        commands = sorted({command for row in rows for command in row.get("commands", ())})
        text = (
            _environment()
            .get_template(f"{file}.j2")
            .render(
                name=draft.name,
                version=draft.version,
                url=f"{self._base}/{draft.name}/{draft.version}",
                public_key=signature.get("public-key", ""),
                commands=commands,
                rows=rows,
            )
        )
        return str(text).encode()


def _environment() -> Any:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(rooms.room("templates") / "install"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (scripts, not HTML)
    )
    environment.filters["sh"] = shlex.quote
    environment.filters["powershell"] = _powershell
    return environment


def _powershell(text: str) -> str:
    """A literal string of PowerShell's: about_Quoting_Rules. It takes curly quotes for straight ones."""
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
