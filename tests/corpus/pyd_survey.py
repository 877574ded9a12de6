"""What the corpus' packages are on Windows: wheels, extension modules, and what those ask of a loader.

``python tests/corpus/pyd_survey.py FOLDER`` resolves and installs each package for win-x64 below FOLDER (a gigabyte; what is
there is taken as it is) and prints a table: of each package that has any, ``.pyd`` and ``.dll`` files, how many of both have
static thread-local storage (only Windows itself can load those), how many import others of the wheel, and what they import
that neither Windows, the launcher nor the wheel has.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from oxcross import targets  # noqa: E402
from oxcross.collect import dlls, libraries, uv  # noqa: E402
from oxcross.collect.libraries import Shared  # noqa: E402
from oxcross.errors import OxcrossError  # noqa: E402

_TARGET = targets.get("win-x64")
_SERIES = "3.13"


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A package's native files for Windows; ``problem`` says why it cannot be had."""

    name: str
    files: tuple[Shared, ...] = ()
    problem: str = ""

    def of(self, suffix: str) -> list[Shared]:
        """Those whose name ends so."""
        return [file for file in self.files if file.path.lower().endswith(suffix)]

    @property
    def loaded(self) -> list[Shared]:
        """What a process loads: no programs."""
        return [file for file in self.files if not file.program]

    @property
    def siblings(self) -> int:
        """How many import others of the same wheel."""
        own = {file.soname for file in self.files}
        return sum(bool(own.intersection(file.needed)) for file in self.loaded)

    @property
    def foreign(self) -> list[str]:
        """What is imported that nobody has."""
        return sorted(dlls.order(self.loaded).missing)


def survey(line: str, folder: Path) -> Surveyed:
    """Resolve a requirement with all that it needs, install it alone, and look at its files."""
    name = line.partition("==")[0]
    wanted, tree = folder / f"{name}.in", folder / name
    wanted.write_text(f"{line}\n", encoding="utf-8")
    common = uv.common(_TARGET, "2.28", _SERIES)

    def run(*arguments: str) -> None:
        uv.run(["pip", *arguments, *common], folder=folder, doing="it cannot be had", where=line)

    try:
        run("compile", str(wanted), "--output-file", str(folder / f"{name}.txt"))
        if not tree.is_dir():
            run("install", line, "--no-deps", "--target", str(tree))
    except OxcrossError as error:
        return Surveyed(name, problem=str(error))
    return Surveyed(name, tuple(_native(tree)))


def _native(tree: Path) -> Iterator[Shared]:
    for path in sorted(tree.rglob("*")):
        if path.suffix.lower() in (".pyd", ".dll", ".exe"):
            found = libraries.describe(path.relative_to(tree).as_posix(), path.read_bytes(), _TARGET.os)
            if found is not None and found.arch == _TARGET.arch:
                yield found


def _table(found: list[Surveyed]) -> Iterator[str]:
    yield "| package | .pyd | .dll | thread-local | import siblings | nobody has |"
    yield "|---|--:|--:|--:|--:|---|"
    for one in found:
        if one.loaded:
            cells = (
                len(one.of(".pyd")),
                len(one.of(".dll")),
                sum(file.thread_local for file in one.loaded),
                one.siblings,
            )
            yield f"| {one.name} | {' | '.join(map(str, cells))} | {', '.join(one.foreign)} |"


def main() -> None:
    """Survey all, print the table."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with (HERE / "packages.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.reader(file, delimiter="\t") if not row[0].startswith("#")]
    uv.find()  # sysconfig, which it asks, is not made for threads the first time
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda row: survey(f"{row[1]}=={row[2]}", folder), rows))
    print("\n".join(_table(found)))
    native = [one for one in found if one.loaded]
    needed = Counter(name for one in native for file in one.loaded for name in {*file.needed, *file.delayed})
    print(
        f"\n{len(found)} packages, {sum(not one.problem for one in found)} resolve; {len(native)} have native code"
    )
    print(
        f"{sum(len(one.loaded) for one in native)} files; thread-local: {sum(f.thread_local for o in native for f in o.loaded)}"
    )
    brought = [f"{name} {count}" for name, count in needed.most_common() if dlls.known().brings(name)]
    print("from Windows and the launcher:", ", ".join(brought))
    for one in found:
        if one.problem:
            print(f"{one.name}: {one.problem}")


if __name__ == "__main__":
    main()
