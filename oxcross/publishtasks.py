"""The tasks about releases in a bucket: ``oxcross publish``, ``promote``, ``rollback``, ``releases``, ``verify``, ``prune``, ``yank``."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from oxcross import report
from oxcross.command import command
from oxcross.errors import ConfigError, PublishError, UsageError, nearest

if TYPE_CHECKING:
    from oxcross.project import Project
    from oxcross.publish.keys import Layout
    from oxcross.publish.latest import Copy
    from oxcross.publish.publishing import Line, Move
    from oxcross.publish.s3 import Bucket
    from oxcross.publish.signing import Anchor

_CHANNEL = "the channel, one of those in [tool.oxcross.publish]"


@command(
    help={
        "channel": "have this channel point at it when all of it is there",
        "dry_run": "list every key and what would happen to it; nothing is written",
    }
)
def publish(
    _c: Context, project: str = ".", channel: str = "", dry_run: bool = False, json: bool = False
) -> None:
    """Publish dist/NAME/VERSION/ to the bucket of [tool.oxcross.publish].

    Nothing that is there is ever changed: the same again goes on where it stopped, or is nothing to do.

    `--json` prints {"name", "version", "bucket", "objects": [{"key", "state", "size", "sha256"}], "channel": {"channel", "before", "version",
    "new"}, "latest": [{"key", "state", "sha256"}]}.

    Examples:
      oxcross publish --dry-run         # every key, and what would happen to it
      oxcross publish --channel stable  # and have the channel point at it
    """
    _publish(_load(project), channel, dry_run=dry_run, json=json)


@command(help={"version": "a published version", "channel": _CHANNEL})
def promote(_c: Context, version: str, channel: str = "", project: str = ".", json: bool = False) -> None:
    """Have a channel point at a version that is published, newer or older.

    `--json` prints {"channel", "before", "version", "new"}.

    Examples:
      oxcross promote 1.4 --channel stable  # what was tried out as beta, say
    """
    from oxcross.publish import publishing

    def promoted(bucket: Bucket, layout: Layout, anchor: Anchor | None) -> Move:
        return publishing.promote(bucket, layout, version, channel, anchor)

    _move(project, channel, promoted, json=json)


@command(
    help={
        "channel": _CHANNEL,
        "bad": "only if it points at this version: the same again then is nothing to do",
    }
)
def rollback(_c: Context, channel: str = "", bad: str = "", project: str = ".", json: bool = False) -> None:
    """Have a channel point at the version that it pointed at before; again, at the one before that.

    `--json` prints {"channel", "before", "version", "new"}.

    Examples:
      oxcross rollback --channel stable            # to what it pointed at before
      oxcross rollback --channel stable --bad 1.4  # only if it points at 1.4: can be run again
    """
    from oxcross.publish import publishing

    def rolled_back(bucket: Bucket, layout: Layout, anchor: Anchor | None) -> Move:
        return publishing.rollback(bucket, layout, channel, bad, anchor)

    _move(project, channel, rolled_back, json=json)


@command
def releases(_c: Context, project: str = ".", json: bool = False) -> None:
    """List what is published: versions, their state, and the channels that point at them.

    `--json` prints {"name", "releases": [{"version", "state", "channels": [NAME], "time", "size", "files"}]}.

    Examples:
      oxcross releases  # in the bucket of [tool.oxcross.publish]
    """
    from oxcross.publish import published

    with _opened(_load(project)) as (bucket, layout):
        rows = published.releases(bucket, layout)
    if json:
        report.emit({"name": layout.name, "releases": [row.document() for row in rows]})
        return
    report.table(
        ["version", "state", "channels", "published", "files", "size"],
        [
            [
                row.version,
                row.state,
                ", ".join(row.channels),
                f"{row.time:%Y-%m-%d %H:%M}",
                str(len(row.objects)),
                report.megabytes(row.size),
            ]
            for row in rows
        ],
    )


@command(help={"version": "a published version"})
def verify(_c: Context, version: str, project: str = ".", json: bool = False) -> None:
    """Download all of a published version and check it, its signatures, and the channels' pointers back to the first (exit status 10).

    `--json` prints {"version", "files", "size", "signed", "channels": [NAME], "problems": [TEXT]}.

    Examples:
      oxcross verify 1.4  # as users' install scripts find it
    """
    from oxcross.publish import verification

    loaded = _load(project)
    with _opened(loaded) as (bucket, layout):
        found = verification.verify(bucket, layout, version, anchor_of(loaded), loaded.release.sigstore)
    if json:
        report.emit(dataclasses.asdict(found))
    elif not found.problems:
        signed = "signed with the project's key" if found.signed else "no signature was asked for"
        size = report.megabytes(found.size)
        print(f"{version}: {found.files} files, {size}, all as they were released; {signed}")
    if found.problems:
        raise PublishError("\n  ".join([f"{version} is not as it was released", *found.problems]))


@command(
    help={
        "keep": "let all but so many of the newest versions go",
        "age": "let go what is older than so many days; with --keep both have to hold",
        "unfinished": "give up what is not complete after so many days (default: 7)",
        "grace": "hours between marking and removing (default: 24)",
        "dry_run": "say what would happen; nothing is written",
    }
)
def prune(
    _c: Context,
    keep: str = "",
    age: str = "",
    unfinished: str = "7",
    grace: str = "24",
    project: str = ".",
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Mark old versions, and remove those that an earlier run marked. What a channel points or last pointed at stays.

    `--json` prints {"versions": [{"version", "action", "why", "size"}]}.

    Examples:
      oxcross prune --keep 10 --dry-run  # what would go
      oxcross prune --keep 10 --age 365  # what is older than a year, but the ten newest
    """
    from oxcross.publish import retention

    if not keep and not age:
        raise UsageError("nothing says what to let go", hint="add --keep 10, --age 365 (days), or both")
    policy = retention.Policy(
        keep=int(_number("--keep", keep)) if keep else None,
        age=dt.timedelta(days=_number("--age", age)) if age else None,
        unfinished=dt.timedelta(days=_number("--unfinished", unfinished)),
        grace=dt.timedelta(hours=_number("--grace", grace)),
    )
    with _opened(_load(project)) as (bucket, layout):
        run = retention.decide if dry_run else retention.prune
        found = run(bucket, layout, policy)
    if json:
        report.emit({"versions": [one.document() for one in found]})
        return
    rows = [[one.version, one.what, report.megabytes(one.size), one.why] for one in found]
    report.table(["version", "would" if dry_run else "done", "size", "why"], rows)


@command(
    help={"version": "a published version", "reason": "what is wrong with it, for all to read"},
)
def yank(_c: Context, version: str, reason: str = "", project: str = ".", json: bool = False) -> None:
    """Mark a version as bad: no channel can be moved to it any more. Its files stay.

    `--json` prints {"version", "new", "channels": [NAME]}: the channels that still point at it.

    Examples:
      oxcross yank 1.4 --reason "loses files"  # then: oxcross rollback --channel stable
    """
    from oxcross.publish import publishing

    with _opened(_load(project)) as (bucket, layout):
        new, pointing = publishing.yank(bucket, layout, version, reason)
    for channel in pointing:
        _notice(
            f"note      {channel} still points at {version}: `oxcross rollback --channel {channel}` goes back"
        )
    if json:
        report.emit({"version": version, "new": new, "channels": pointing})
    else:
        print(f"{version} {'is yanked' if new else 'was yanked before'}")


def after_release(project: Project, channel: str, *, json: bool) -> dict[str, Any]:
    """What ``release --publish`` does at its end; what --json prints of it."""
    return _publish(project, channel, dry_run=False, json=json, embedded=True)


def check_wish(project: Project, channel: str) -> None:
    """What is wrong with ``release --publish --channel`` is told before anything is built."""
    _configured(project)
    if channel:
        _known_channel(project, channel)


@contextmanager
def bucket_of(project: Project, notice: Any) -> Iterator[tuple[Bucket, Layout]]:
    """The project's bucket, and where its releases lie in it. ConfigError when none is configured."""
    _configured(project)
    with _opened(project, notice) as opened:
        yield opened


def _publish(
    project: Project, channel: str, *, dry_run: bool, json: bool, embedded: bool = False
) -> dict[str, Any]:
    from oxcross.publish import folder, latest, publishing, signing

    check_wish(project, channel)
    path = project.root / "dist" / project.name / project.version
    with report.terminal() as terminal, _opened(project, terminal.notice) as (bucket, layout):
        with terminal.stage(project.version, "read"):
            release = folder.read(path, project.name, project.version)
            if (wanted := project.release.sign) is not None:
                signing.check(signing.anchor(wanted, former=False), release)
        if dry_run:
            lines = publishing.plan(bucket, layout, release)
            move = publishing.intended(bucket, layout, release, channel)[1] if channel else None
            files = {file.name: file.sha256 for file in release.files}
            copies = latest.plan(bucket, layout, channel, release.version, files) if channel else []
        else:
            lines, move = publishing.publish(bucket, layout, release, channel, terminal.stage)
            copies = latest.refresh(bucket, layout, channel, terminal.stage) if channel else []
    document = {
        "name": project.name,
        "version": project.version,
        "bucket": bucket.name,
        "objects": [line.document() for line in lines],
        "channel": move.document() if move else None,
        "latest": [copy.document() for copy in copies],
    }
    if not json:
        _show(bucket, layout, lines, move, copies, dry_run=dry_run)
    elif not embedded:
        report.emit(document)
    if dry_run:
        publishing.refuse(bucket, lines)
    return document


def _show(
    bucket: Bucket, layout: Layout, lines: list[Line], move: Move | None, copies: list[Copy], *, dry_run: bool
) -> None:
    words = {"new": "create" if dry_run else "created", "there": "there already", "other": "refuse"}
    rows = [[bucket.where(line.key), words[line.state], report.megabytes(line.size)] for line in lines]
    if move:
        verb = ("move" if dry_run else "moved") if move.new else "there already"
        rows.append(
            [bucket.where(layout.pointer(move.channel)), verb, f"{move.before or '-'} -> {move.after}"]
        )
    words = {"copy": "copied", "there": "there already", "remove": "removed"}
    rows += [[bucket.where(one.key), one.state if dry_run else words[one.state], ""] for one in copies]
    report.table(["key", "would" if dry_run else "state", "size"], rows)


def _move(
    project: str, channel: str, move: Callable[[Bucket, Layout, Anchor | None], Move], *, json: bool
) -> None:
    """Move a channel's pointer, then what follows it."""
    from oxcross.publish import latest

    loaded = _load(project)
    _known_channel(loaded, channel)
    with report.terminal() as terminal, _opened(loaded, terminal.notice) as (bucket, layout):
        moved = move(bucket, layout, anchor_of(loaded))
        latest.refresh(bucket, layout, channel, terminal.stage)
    _show_move(moved, json=json)


def _show_move(move: Move, *, json: bool) -> None:
    if json:
        report.emit(move.document())
    elif move.new:
        print(f"{move.channel}: {move.before or 'nothing'} -> {move.after}")
    else:
        print(f"{move.channel} points at {move.after} already")


def _notice(text: str) -> None:
    print(text, file=sys.stderr)


def _load(folder: str) -> Project:
    from oxcross import project as projects

    project = projects.load(Path(folder))
    _configured(project)
    return project


def _configured(project: Project) -> None:
    if not project.publish.bucket:
        raise ConfigError(
            "no bucket is configured",
            where=f"{project.pyproject}: tool.oxcross.publish",
            hint='write [tool.oxcross.publish] with bucket = "…"; credentials come from the environment',
        )


def anchor_of(project: Project) -> Anchor | None:
    """The keys that the project's releases are signed with."""
    from oxcross.publish import signing

    return signing.anchor(project.release.sign, former=True) if project.release.sign else None


def _known_channel(project: Project, channel: str) -> None:
    known = project.publish.channels
    if not channel:
        raise UsageError("which channel?", hint="name one with --channel: " + ", ".join(known))
    if channel not in known:
        raise UsageError(
            f"there is no channel {channel!r}",
            where="--channel",
            hint=f"{nearest(channel, known)}; channels in [tool.oxcross.publish] lists them",
        )


@contextmanager
def _opened(project: Project, notice: Any = _notice) -> Iterator[tuple[Bucket, Layout]]:
    """The project's bucket, and where its releases lie in it."""
    from oxcross.publish.keys import Layout
    from oxcross.publish.s3 import Bucket

    with Bucket(project.publish, notice) as bucket:
        yield bucket, Layout(project.publish.prefix, project.name)


def _number(flag: str, text: str) -> float:
    if not re.fullmatch(r"\d+(\.\d+)?", text):
        raise UsageError(f"not a number: {text!r}", where=flag, hint=f"write {flag} 10")
    return float(text)
