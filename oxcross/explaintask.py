"""The task that explains errors: ``oxcross explain``."""

from __future__ import annotations

import re
import sys

from invoke.context import Context

from oxcross import report
from oxcross.command import command


@command(
    help={"name": "what is to be explained: a name, or an exit status; it may stand behind the task's name"}
)
def explain(_c: Context, name: str = "", json: bool = False) -> None:
    """Explain an error by its name or exit status, `explain NAME`; without one, list what can be explained.

    It is what docs/errors.md says.

    `--json` prints {"name", "exit-status", "kind", "title", "text"}, without NAME {"errors": [{"name", "exit-status", "kind", "title",
    "text"}]}; the kind is null for what is no error of oxcross's.

    Examples:
      oxcross explain                # what there is
      oxcross explain 3              # an exit status
      oxcross explain 3-configerror  # the name that the last line of an error has
    """
    from oxcross import explain as page

    if name:
        section = page.find(name)
        if json:
            report.emit(section.document())
        else:
            _show(section.markdown)
        return
    found = page.sections()
    if json:
        report.emit({"errors": [one.document() for one in found]})
        return
    report.table(["name", "exit status", "title"], [[one.name, str(one.status), one.title] for one in found])


def _show(text: str) -> None:
    """Markdown: drawn on a terminal, else as it is."""
    if not report.is_live(sys.stdout):
        print(text, end="")
        return
    from rich.console import Console
    from rich.markdown import Markdown

    # A block's title, which is a file's name, would not be drawn.
    text = re.sub(r'^```(\w+) title="([^"]*)"$', r"`\2`:\n```\1", text, flags=re.MULTILINE)
    console = Console(highlight=False, no_color=not report.colours(sys.stdout))
    console.print(Markdown(text, hyperlinks=False))
