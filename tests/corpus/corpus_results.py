"""What came out of the corpus: the table, the differences, and the command that makes both."""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from corpus import HERE, LEFT_OUT, Outcome, Results, lock, packages, run_all

RESULTS = HERE / "RESULTS.md"


def table(results: Results) -> str:
    """The results as Markdown."""
    outcomes, groups = results.outcomes.values(), results.groups
    rows = [
        (
            str(one.package.rank),
            one.package.name,
            one.package.version,
            "extension" if groups[one.package.group].extension(one.package) else "pure",
            one.package.purpose,
            "same" if one.same else "differs",
            one.package.remark,
        )
        for one in outcomes
    ]
    rows += [
        (str(one.rank), one.name, one.version, "", "", "left out", one.remark)
        for one in packages()
        if one.group == LEFT_OUT
    ]
    head = ("rank", "package", "version", "kind", "what its program does", "result", "remark")
    lines = [head, tuple("---" for _ in head), *sorted(rows, key=lambda row: int(row[0]))]
    same = sum(one.same for one in outcomes)
    return (
        "# Packages in a virtual environment and in an executable\n\n"
        "Written by `./invoke corpus --update`; README.md says what is compared.\n\n"
        f"**{same} of {len(outcomes)}** do the same in both. They are in {len(groups)} executables.\n\n"
        + "".join("| " + " | ".join(line) + " |\n" for line in lines)
    )


def difference(outcome: Outcome) -> str:
    """What is not the same, for reading; of a program that failed in both, what it said."""
    texts = [
        f"exit status {run.status}\n{run.output}\n--- stderr\n{run.errors}".splitlines()
        for run in (outcome.expected, outcome.found)
    ]
    expected, found = texts
    lines = difflib.unified_diff(expected, found, "environment", "executable", lineterm="")
    return "\n".join(expected if expected == found else lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print differences and the table; 1 when anything differs."""
    known = {one.name: one for one in packages() if one.group != LEFT_OUT}
    parser = argparse.ArgumentParser(prog="corpus")
    parser.add_argument("--lock", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("names", nargs="*", choices=[*known, []])
    options = parser.parse_args(arguments)
    if options.lock:
        lock(dict.fromkeys(one.group for one in known.values()))
    wanted = [known[name] for name in options.names] or list(known.values())
    with tempfile.TemporaryDirectory(prefix="oxcross-corpus-") as folder:
        results = run_all(wanted, Path(folder))
        text = table(results)
    for one in results.outcomes.values():
        if not one.same:
            print(f"--- {one.package.name}\n{difference(one)}")
    print(text)
    if options.update and not options.names:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(one.same for one in results.outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
