"""The costs of an executable as tables in a terminal."""

from __future__ import annotations

from oxcross import report
from oxcross.cost.differing import Difference
from oxcross.cost.total import Cost

_MOST = 15  # rows of a table


def show(cost: Cost, *, everything: bool) -> None:
    """Print them; without ``everything`` the first rows of each table."""
    content = cost.content
    app = content.manifest["app"]
    print(f"{content.name}: {app['name']} {app['version']} for {content.target}, {content.size} bytes\n")
    parts = [
        [name, report.megabytes(stored), report.megabytes(size), f"{stored / content.size:.1%}"]
        for name, (stored, size) in content.parts.items()
    ]
    _table(["part", "in the file", "unpacked", "share"], parts, everything=everything)
    pieces = sorted(content.pieces, key=lambda one: (-one.stored, one.name))
    rows = [[one.name, one.part, one.kind, report.megabytes(one.stored)] for one in pieces]
    _table(["largest", "part", "kind", "in the file"], rows, everything=everything)
    rows = [
        [one.what, report.megabytes(one.stored), f"[{one.table}] {' '.join(one.lines)}", one.note]
        for one in cost.savings
    ]
    _table(["could be left out", "saves", "how", "before"], rows, everything=everything)
    if cost.imports is not None:
        slow = sorted(cost.imports, key=lambda one: (-one.own, one.module))
        rows = [[one.module, f"{one.own / 1000:.1f} ms", f"{one.total / 1000:.1f} ms"] for one in slow]
        _table(["slowest to import", "own", "with its imports"], rows, everything=everything)
        end = max(one.begin + one.total for one in cost.imports)
        print(f"{len(cost.imports)} imports, {end / 1000:.1f} ms")


def show_difference(difference: Difference, *, everything: bool) -> None:
    """Print what differs between two executables; without ``everything`` the first rows of each table."""
    before, after = difference.before, difference.after
    print(
        f"{before.name} → {after.name}: {before.size} → {after.size} bytes ({after.size - before.size:+})\n"
    )
    parts = [
        [name, report.megabytes(old), report.megabytes(new), f"{new - old:+}"]
        for name, old, new in difference.parts
    ]
    _table(["part", "before", "after", "bytes"], parts, everything=everything)
    rows = [
        [one.state, one.kind, one.name, f"{one.growth:+}" if one.growth else "", one.note]
        for one in difference.changes
    ]
    _table(["", "kind", "name", "bytes", "what"], rows, everything=everything)
    if not difference.changes:
        print("all that is inside is the same")


def _table(headers: list[str], rows: list[list[str]], *, everything: bool) -> None:
    if not rows:
        return
    report.table(headers, rows if everything else rows[:_MOST])
    if not everything and len(rows) > _MOST:
        print(f"and {len(rows) - _MOST} more (--all)")
    print()
