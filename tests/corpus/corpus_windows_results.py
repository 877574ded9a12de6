"""What came out of the corpus on Windows: the table, the differences, and the command that makes both."""

from __future__ import annotations

import argparse
import difflib
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from pathlib import Path

from corpus import LEFT_OUT, packages
from corpus_windows import RESULTS, Census, Known, Outcome, Results, known, lock, run_all

_PARTS = (attrgetter("mapped"), attrgetter("cached"))


def table(results: Results) -> str:
    """The results as Markdown."""
    told = known()
    outcomes = sorted(results.outcomes.values(), key=lambda one: one.package.rank)
    head = ("rank", "package", "version", "kind", "result", "remark")
    rows = [head, tuple("---" for _ in head), *(_row(one, told) for one in outcomes)]
    works = sum(one.works for one in outcomes)
    return (
        "# Packages in an executable for Windows, under wine\n\n"
        "Written by `./invoke corpus --windows --update`; README.md says what is compared.\n\n"
        f"**{works} of {len(outcomes)}** do what they do in a virtual environment on Linux.\n\n"
        + "".join("| " + " | ".join(row) + " |\n" for row in rows)
        + "\n## Extension modules and DLLs\n\n"
        + census(results.census)
    )


def _row(one: Outcome, told: Known) -> tuple[str, ...]:
    reason = told.failing.get(one.package.name)
    remarks = [told.held_why.get(one.package.name, "")]
    remarks += [line.reason for line in told.lines.get(one.package.name, ())]
    if not one.works:
        remarks.insert(0, f"{reason.kind}: {reason.text}" if reason else "nobody has looked yet")
    return (
        str(one.package.rank),
        one.package.name,
        one.version,
        "extension" if one.native else "pure",
        "works" if one.works else "does not",
        "; ".join(filter(None, remarks)),
    )


def from_memory(found: Iterable[Census]) -> tuple[int, int]:
    """How many extension modules are loaded from memory, and of how many."""
    every = [(path, path in one.mapped) for one in found for path in (*one.mapped, *one.cached)]
    modules = [mapped for path, mapped in every if path.lower().endswith(".pyd")]
    return sum(modules), len(modules)


def census(found: Mapping[str, Census]) -> str:
    """How native files are loaded, as Markdown."""
    mapped, every = from_memory(found.values())
    libraries = [
        sum(path.lower().endswith(".dll") for one in found.values() for path in part(one)) for part in _PARTS
    ]
    lines = [
        f"**{mapped} of {every}** extension modules are loaded from memory, and {libraries[0]} of {sum(libraries)} DLLs.",
        "What goes through the cache has variables of which each thread has its own, or such a file needs it:\n",
    ]
    for group, one in found.items():
        lines += [f"- {group}: {path}" for path in one.cached]
        lines += [f"- {group}: {name} cannot be loaded: {why}" for name, why in sorted(one.failed.items())]
    return "\n".join(lines) + "\n"


def difference(one: Outcome) -> str:
    """What is not the same, for reading."""
    lines = difflib.unified_diff(
        one.expected.output.splitlines(), one.found.output.splitlines(), "Linux", "Windows", lineterm="", n=1
    )
    status = f"exit status {one.found.status} (Linux: {one.expected.status})"
    errors = "\n".join(one.found.errors.splitlines()[-12:])
    return "\n".join([status, *lines, "--- stderr", errors, *one.expected.errors.splitlines()[-3:]])


def unexpected(results: Results) -> list[str]:
    """Programs that do not do what windows.toml says of them."""
    failing = known().failing
    return [name for name, one in results.outcomes.items() if one.works == (name in failing)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for, print differences and the table; 1 when anything is not as windows.toml has it."""
    every = {one.name: one for one in packages() if one.group != LEFT_OUT}
    parser = argparse.ArgumentParser(prog="corpus --windows")
    parser.add_argument("--lock", action="store_true")
    parser.add_argument("--update", action="store_true")
    parser.add_argument("names", nargs="*", choices=[*every, []])
    options = parser.parse_args(arguments)
    if options.lock:
        lock(dict.fromkeys(one.group for one in every.values()))
    wanted = [every[name] for name in options.names] or list(every.values())
    with tempfile.TemporaryDirectory(prefix="oxcross-corpus-") as folder:
        results = run_all(wanted, Path(folder))
        text = table(results)
    for one in results.outcomes.values():
        if not one.works:
            print(f"--- {one.package.name}\n{difference(one)}")
    print(text)
    if options.update and not options.names:
        RESULTS.write_text(text, encoding="utf-8")
    return 1 if unexpected(results) else 0


if __name__ == "__main__":
    sys.exit(main())
