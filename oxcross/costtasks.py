"""What `oxcross analyze` does with an executable, and the task that compares two."""

from __future__ import annotations

from pathlib import Path

from oxcross import build as road
from oxcross import report, wanted
from oxcross import targets as target_rows
from oxcross.errors import UsageError
from oxcross.sbomtasks import write
from oxcross.storetasks import open_store


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
            write(Path(html), page.page(cost))
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
