"""The task that configures a project: ``oxcross init``."""

from __future__ import annotations

import shlex
from pathlib import Path

from invoke.context import Context

from oxcross import report
from oxcross.command import command


@command(
    help={
        "script": "a single-file script in the project's folder, with what its inline metadata (PEP 723) require",
        "dry_run": "show what would be written, and do nothing",
    }
)
def init(
    _c: Context, project: str = ".", script: str = "", dry_run: bool = False, json: bool = False
) -> None:
    """Write a [tool.oxcross] that works into the project's pyproject.toml, and say why it is so.

    Nothing else in the file changes; where there is none, it is made.

    `--json` prints {"file", "new", "written", "added", "choices": [{"key", "value", "why"}], "notes": [TEXT], "next"}.

    Examples:
      oxcross init --dry-run         # what would be written, and why
      oxcross init --script tool.py  # for one file, with what its inline metadata require
    """
    from oxcross import init as first
    from oxcross.config.findings import shown

    proposal = first.propose(Path(project), script)
    if not dry_run:
        proposal.write()
    following = "oxcross build" if project == "." else f"oxcross build --project {shlex.quote(project)}"
    if json:
        report.emit({**proposal.document(), "written": not dry_run, "next": following})
        return
    done = "would be added to" if dry_run else "written," if proposal.new else "added to"
    print(f"{done} {shown(proposal.file)}:\n")
    print("".join(f"    {line}\n".replace("    \n", "\n") for line in proposal.added.splitlines()))
    for choice in proposal.choices:
        print(f"{choice.key}: {choice.why}")
    for note in proposal.notes:
        report.note(note)
    print(f"\nnext: {following}" if not dry_run else "\nnext: the same without --dry-run")
