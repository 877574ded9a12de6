"""The task that builds a release again: ``oxcross reproduce``."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from oxcross import report
from oxcross.command import command
from oxcross.errors import ReproduceError, UsageError, nearest
from oxcross.storetasks import open_store

if TYPE_CHECKING:
    from oxcross.project import Project
    from oxcross.publish.original import Original
    from oxcross.publish.reproduce import Compared

_PLACES = ("bucket", "dist")


@command(
    help={
        "version": "a released version",
        "from": "where the release is: bucket or dist (default: the bucket, if one is configured)",
        "targets": "what to build again, separated by commas (default: all that the release has)",
        "rebuild": "build CPython and all that it needs anew, too, in an empty store",
    },
)
def reproduce(
    _c: Context,
    version: str,
    project: str = ".",
    from_: str = "",
    targets: str = "",
    rebuild: bool = False,
    engine: str = "auto",
    jobs: int = 0,
    json: bool = False,
    verbose: bool = False,
    store: str = "",
) -> None:
    """Build a release again, from the commit that its manifest names, and compare it bit for bit (exit status 12).

    What differs is explained, and lies in build/reproduce/VERSION/.

    `--json` prints {"name", "version", "from", "same", "notes": [TEXT], "kept", "files": [{"file", "target", "state", "released", "rebuilt",
    "why": [TEXT]}]}.

    Examples:
      oxcross reproduce 1.4                    # of the bucket, or of dist/ where none is configured
      oxcross reproduce 1.4 --targets win-x64  # this executable only
    """
    from oxcross import project as projects
    from oxcross.publish import contents, provenance
    from oxcross.publish import rebuild as building
    from oxcross.publish import reproduce as reproducing
    from oxcross.publish.keys import Layout

    loaded = projects.load(Path(project))
    Layout("", loaded.name).version(version)  # it becomes a part of paths
    place = from_ or ("bucket" if loaded.publish.bucket else "dist")
    if place not in _PLACES:
        raise UsageError(f"not a place: {place!r}", where="--from", hint=nearest(place, _PLACES))
    notes: list[str] = []
    with ExitStack() as stack:
        terminal = stack.enter_context(report.terminal(verbose=verbose))

        def notice(text: str) -> None:
            notes.append(text)
            terminal.notice(text)

        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="oxcross-reproduce-")))
        opened = stack.enter_context(open_store(store))
        with terminal.stage(version, "read"):
            original = _original(loaded, version, place, scratch / "released", notice)
        for problem in original.problems:
            notice(problem)
        made = building.info(original)
        wanted = reproducing.targets(original, targets)
        source = stack.enter_context(building.source(loaded, made, version, notice))
        building.same_builder(source, made, wanted, opened, notice)
        if rebuild:
            fresh = stack.enter_context(open_store(str(scratch / "store")))
            pinned = building.sources(source, wanted, opened)
            opened.copy_to(fresh, lambda item: item.key in pinned)
            opened = fresh
        from oxcross import build as road

        shop = road.workshop(
            *(opened, terminal), engine=engine, jobs=jobs, mirrors=source.mirrors, output=scratch / "build"
        )
        artifacts = building.executables(source, wanted, shop)
        additions = contents.additions(source, provenance.released(original.manifest, original.folder))
        folder, taken = reproducing.lay_out(source, original, artifacts, scratch / "dist", additions)
        kept = road.output_folder(loaded.root) / "reproduce" / version
        found = reproducing.compare(original, folder, taken, wanted, kept, terminal.stage)
    _show(loaded, version, place, original, found, notes, json=json)


def _original(project: Project, version: str, place: str, into: Path, notice: Any) -> Original:
    from oxcross import publishtasks
    from oxcross.publish import original

    if place == "dist":
        return original.from_folder(project.root / "dist" / project.name / version, project.name, version)
    with publishtasks.bucket_of(project, notice) as (bucket, layout):
        return original.from_bucket(bucket, layout, version, into, publishtasks.anchor_of(project))


def _show(
    project: Project,
    version: str,
    place: str,
    original: Original,
    found: Compared,
    notes: list[str],
    *,
    json: bool,
) -> None:
    from oxcross.publish.reproduce import WORDS

    same = found.same and not original.problems
    if json:
        report.emit(
            {
                "name": project.name,
                "version": version,
                "from": place,
                "same": same,
                "notes": notes,
                "kept": found.kept,
                "files": [row.document() for row in found.rows],
            }
        )
    else:
        report.table(
            ["target", "file", "result"],
            [[row.target or "all", row.file, WORDS[row.state]] for row in found.rows],
        )
        for row in found.rows:
            if row.why:
                print(f"\n{row.file}")
                print("\n".join(f"  {line}" for line in row.why))
    if not same:
        bad = [row.file for row in found.rows if row.state in ("differs", "missing", "added")]
        message = (
            f"{version} was not reproduced: {', '.join(bad)}"
            if bad
            else "\n  ".join([f"{version} is not as it was released", *original.problems])
        )
        raise ReproduceError(
            message,
            where=original.place,
            hint=f"what was built again lies in {found.kept}" if found.kept else None,
        )
