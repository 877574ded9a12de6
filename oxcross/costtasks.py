"""What `oxcross analyze` does with an executable, and the task that compares two."""

from __future__ import annotations

from pathlib import Path

from invoke.context import Context

from oxcross import atomic, report, wanted
from oxcross import build as road
from oxcross import targets as target_rows
from oxcross.command import command
from oxcross.errors import UsageError
from oxcross.storetasks import open_store


@command(
    help={
        "before": "an executable, the folder of a release, or a version in the project's dist/",
        "after": "what to compare it with: another executable, folder or version",
        "all": "show every row",
    }
)
def diff(
    _c: Context,
    before: str,
    after: str,
    project: str = ".",
    all: bool = False,  # noqa: A002 (the flag's name)
    json: bool = False,
) -> None:
    """Say what was added, removed, changed and grew between two executables, or two releases.

    Differences are no failure: the exit status is 0.

    `--json` prints {"differences": [{"target", "before": {"name", "size", "sha256"}, "after": {"name", "size", "sha256"}, "parts": [{"part",
    "before", "after"}], "changes": [{"kind", "name", "state", "before", "after", "note"}]}], "added": [TARGET], "removed": [TARGET]}.

    Examples:
      oxcross diff 1.0 1.1                          # two releases in dist/
      oxcross diff old/myapp build/linux-x64/myapp  # two files; --all shows every row
    """
    from oxcross.cost import differing, show, sides

    one, other = sides.side(before, project), sides.side(after, project)
    found = [differing.compare(*pair) for pair in sides.pairs(one, other)]
    added, removed = sorted(other.keys() - one.keys()), sorted(one.keys() - other.keys())
    if json:
        rows = [difference.document() for difference in found]
        report.emit({"differences": rows, "added": added, "removed": removed})
        return
    for difference in found:
        show.show_difference(difference, everything=all)
    for word, targets in (("added", added), ("removed", removed)):
        if targets:
            print(f"targets {word}: {', '.join(targets)}")


def analyze(
    executable: str,
    *,
    project: str,
    targets: str,
    html: str,
    start: bool,
    everything: bool,
    json: bool,
    store: str,
) -> None:
    """Tell what the executable costs; the project's, where none is named."""
    from oxcross.cost import page, show, total

    path = Path(executable) if executable else _built(project, targets)
    with open_store(store) as opened:
        cost = total.examine(path, opened, measured=start)
    if html:
        try:
            atomic.write(Path(html), page.page(cost))
        except OSError as error:
            raise UsageError(f"cannot be written: {error.strerror}", where=html) from error
    if json:
        report.emit(cost.document())
    elif html:
        print(f"{path}: {report.megabytes(cost.content.size)}, told in {html}")
    else:
        show.show(cost, everything=everything)


def _built(folder: str, names: str) -> Path:
    """The executable that `oxcross build` left."""
    projects = wanted.select(folder, names)
    if len(projects) > 1:
        every = ", ".join(one.target for one in projects)
        raise UsageError(f"which of {every}?", hint="name one with --targets, or a file with --executable")
    one = projects[0]
    path = road.output_folder(one.root) / one.target / road.file_name(one, target_rows.get(one.target))
    if not path.is_file():
        raise UsageError("it is not built yet", where=str(path), hint=f"oxcross build --targets {one.target}")
    return path
