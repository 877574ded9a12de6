"""An analysis as people read it: a line for each place, then what each rule means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from oxcross import report
from oxcross.analyze.analysis import Analysis
from oxcross.analyze.judge import Told
from oxcross.analyze.rules import SEVERITIES

_PLACES = 3  # of one rule in one distribution that are shown


def show(analysis: Analysis, *, everything: bool) -> None:
    """Print it; without ``everything`` notes are only counted, and of many places the first few are shown."""
    told = [one for one in analysis.told if everything or one.severity != "note"]
    rows = list(_rows(told, everything=everything))
    if rows:
        report.table(["", "rule", "distribution", "place", "what"], rows)
        print()
        for rule in dict.fromkeys(one.rule for one in told):
            print(f"{rule.id}: {rule.why}\n  {rule.advice}")
        print()
    print(f"{analysis.target}: {_summary(analysis, everything=everything)}")
    for entry in analysis.unused:
        print(f"analyze.ignore names {entry!r}, which is nowhere")


def _rows(told: Iterable[Told], *, everything: bool) -> Iterable[list[str]]:
    shown: Counter[tuple[str, str, str]] = Counter()
    places = list(told)
    totals = Counter((one.severity, one.rule.id, one.distribution) for one in places)
    for one in places:
        key = one.severity, one.rule.id, one.distribution
        shown[key] += 1
        if everything or shown[key] <= _PLACES:
            yield [one.severity, one.rule.id, one.distribution, one.place, _what(one)]
        elif shown[key] == _PLACES + 1:
            more = totals[key] - _PLACES
            yield ["", "", "", f"and {more} more place{'s' * (more != 1)} (--all)", ""]


def _what(one: Told) -> str:
    return one.code or one.subject


def _summary(analysis: Analysis, *, everything: bool) -> str:
    words = [f"{count} {name}{'s' * (count != 1)}" for name, count in analysis.counts.items()]
    text = ", ".join(words) if analysis.told else "nothing that is likely to differ"
    if analysis.counts[SEVERITIES[-1]] and not everything:
        text += " (--all shows the notes)"
    return text + (f", {analysis.accepted} ignored" if analysis.accepted else "")
