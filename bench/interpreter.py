"""Measure the interpreter: an executable against CPython as gcc makes it fast, over pyperformance's benchmarks.

``invoke bench-interpreter`` (or ``python bench/interpreter.py``) builds the reference if it is not there
(``reference.py``) and the executable ``apps/interpreter``, which runs the benchmarks of the package pyperformance
that are Python alone: nothing but the interpreter and its standard library is what takes the time.

Both sides run in turn, a process for each script and round, each benchmark as often as pyperf would loop it; what counts
is processor time. A machine that others use too makes single values longer, never shorter: so the shortest of each side
is what is compared, and the medians beside it say how quiet it was. With ``--write`` the table goes to ``bench/INTERPRETER.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import reference
from measure import build, oxcross

from oxcross import targets
from oxcross.errors import OxcrossError

HERE = Path(__file__).parent
APP = HERE / "apps" / "interpreter"

# Scripts of pyperformance (and their options) that need no network, no other process, and nothing compiled but what
# CPython itself brings.
SCRIPTS = (
    "argparse many_optionals", "argparse subparsers", "async_generators", "async_tree none", "async_tree cpu_io_mixed",
    "async_tree memoization", "barnes_hut", "base64",
    "bpe_tokeniser", "chameleon", "chaos", "comprehensions", "coroutines", "decimal_factorial", "decimal_pi", "deepcopy",
    "deltablue", "django_template", "docutils", "fannkuch", "float", "gc_collect", "gc_traversal", "generators", "genshi", "go",
    "hexiom", "html5lib", "json_dumps", "json_loads", "logging", "mako", "mdp", "meteor_contest", "nbody",
    "networkx shortest_path", "networkx connected_components", "networkx k_core", "nqueens", "pathlib", "pickle pickle",
    "pickle pickle_dict", "pickle pickle_list", "pickle unpickle", "pickle unpickle_list", "pickle --pure-python pickle",
    "pickle --pure-python unpickle", "pidigits", "pprint", "pyflate", "raytrace", "regex_compile", "regex_dna",
    "regex_effbot", "regex_v8", "richards", "richards_super", "scimark", "spectral_norm", "sqlglot_v2 normalize",
    "sqlglot_v2 optimize", "sqlglot_v2 parse", "sqlglot_v2 transpile", "sqlite_synth", "sympy", "telco", "tomli_loads",
    "typing_runtime_protocols", "unpack_sequence", "xml_etree",
)  # fmt: skip

# Of them those that make and drop many objects, by which allocators are compared.
ALLOCATING = (
    "async_tree none", "comprehensions", "deepcopy", "deltablue", "django_template", "gc_traversal", "go", "html5lib",
    "json_loads", "pickle unpickle_list", "raytrace", "richards", "scimark", "sqlglot_v2 parse", "sympy", "xml_etree",
)  # fmt: skip

# Why a benchmark takes longer than with the reference, as far as it was looked into: instructions are callgrind's, of a
# program that does what the benchmark does, run by both interpreters.
REASONS = {
    "create_gc_cycles": "the collector runs 3.5 % more instructions for the same objects",
    "gc_traversal": "the collector runs 3.5 % more instructions for the same objects; the rest is where these lie in memory, "
    "for a loop of collections had ratios from 0.93 to 1.09 in different processes",
    "json_loads": "5.5 % more instructions in the scanner",
    "pidigits": "3 % more instructions in the arithmetic of large integers",
    "regex_effbot": "2.3 % more instructions in the matcher",
    "regex_v8": "2.3 % more instructions in the matcher",
    "xml_etree_parse": "not by its instructions, which are 1.5 % fewer",
}

Times = dict[str, list[float]]  # benchmark -> seconds of a loop


class DoesNotRunError(Exception):
    """A script ended with an error: what it said."""


def run(line: Sequence[str], script: str, values: int) -> Times:
    """The values of one process."""
    name, *options = script.split()
    done = subprocess.run(
        [*line, str(values), name, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=_environment(),
    )
    if done.returncode != 0:
        raise DoesNotRunError(f"{line[0]} {script}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    label = " ".join([name, *options])
    found: Times = json.loads(done.stdout)
    # Some scripts call all their variants the same.
    return {(label if len(found) == 1 and options else key): taken for key, taken in found.items()}


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0"}


def side_by_side(
    ours: Sequence[str], theirs: Sequence[str], scripts: Iterable[str], rounds: int, values: int
) -> dict[str, tuple[list[float], list[float]]]:
    """All values of both sides by benchmark; who goes first changes with each round."""
    taken: dict[str, tuple[list[float], list[float]]] = defaultdict(lambda: ([], []))
    for script in scripts:
        try:
            run(theirs, script, 1)
        except DoesNotRunError as error:  # an old package, and not ours to mend
            sys.stderr.write(f"left out, the reference does not run it: {error}\n")
            continue
        for number in range(rounds):
            order = [(0, ours), (1, theirs)]
            for side, line in order if number % 2 else order[::-1]:
                for benchmark, times in run(line, script, values).items():
                    taken[benchmark][side].extend(times)
        sys.stderr.write(f"{script}\n")
    return taken


def install_reference(folder: Path) -> list[str]:
    """The reference's command line, with what the executable contains in its site-packages, compiled."""
    built = reference.build()
    home = folder / "reference"
    shutil.copytree(built, home)
    python = home / "bin" / "python3.13"
    lock = tomllib.loads((APP / "oxcross.lock").read_text(encoding="utf-8"))
    requirements = folder / "requirements.txt"
    requirements.write_text("\n".join(lock["targets"]["linux-x64"]["requirements"]), encoding="utf-8")
    packages = home / "lib" / "python3.13" / "site-packages"
    line = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    line += ["--python-version", "3.13", "--target", str(packages), "-r", str(requirements)]
    subprocess.run(line, check=True)
    subprocess.run(
        [str(python), "-m", "compileall", "-q", str(packages)], check=False
    )  # templates are no Python
    return [str(python), str(APP / "timed.py")]


def ratios(taken: dict[str, tuple[list[float], list[float]]]) -> dict[str, tuple[float, float]]:
    """By benchmark: the ratio of the shortest values, and that of the medians."""
    return {
        name: (min(ours) / min(theirs), statistics.median(ours) / statistics.median(theirs))
        for name, (ours, theirs) in sorted(taken.items())
    }


def table(taken: dict[str, tuple[list[float], list[float]]]) -> list[str]:
    """The table's lines, and the geometric means above it."""
    found = ratios(taken)
    whole, middle = mean(taken)
    low, high = (choose(pair[0] for pair in found.values()) for choose in (min, max))
    summary = f"**Geometric mean of {len(found)} benchmarks: {whole:.3f}** (of the medians: {middle:.3f}); "
    lines = [
        f"{summary}lowest {low:.2f}, highest {high:.2f}.",
        "",
        "| benchmark | oxcross | reference | ratio | of the medians |",
        "|---|---|---|---|---|",
    ]
    for name, (shortest, median) in found.items():
        ours, theirs = taken[name]
        lines.append(
            f"| {name} | {_time(min(ours))} | {_time(min(theirs))} | {shortest:.3f} | {median:.3f} |"
        )
    return lines


def reasons(taken: dict[str, tuple[list[float], list[float]]]) -> list[str]:
    """A line for each benchmark above 1.05: why."""
    above = [name for name, (shortest, _) in ratios(taken).items() if shortest > 1.05]
    return [
        "Above 1.05:",
        "",
        *(f"- {name}: {REASONS.get(name, 'nobody looked into it yet')}" for name in above),
        "",
    ]


def mean(taken: dict[str, tuple[list[float], list[float]]]) -> tuple[float, float]:
    """The geometric means over the benchmarks: of the shortest values' ratios, and of the medians'."""
    shortest, middle = zip(*ratios(taken).values(), strict=True)
    return statistics.geometric_mean(shortest), statistics.geometric_mean(middle)


def allocators(ours: Sequence[str], rounds: int, values: int) -> list[str]:
    """The executable with each of CPython's other allocators, against itself with pymalloc."""
    lines = [
        "| allocator | benchmarks | geometric mean | of the medians | lowest | highest |",
        "|---|---|---|---|---|---|",
    ]
    for name in ("mimalloc", "malloc"):
        other = ["env", f"PYTHONMALLOC={name}", *ours]
        taken = side_by_side(other, ["env", "PYTHONMALLOC=pymalloc", *ours], ALLOCATING, rounds, values)
        shortest = [pair[0] for pair in ratios(taken).values()]
        means = " | ".join(f"{one:.3f}" for one in mean(taken))
        lines.append(f"| {name} | {len(taken)} | {means} | {min(shortest):.2f} | {max(shortest):.2f} |")
    return lines


def profile_table() -> list[str]:
    """How much of the profile fits each target whose CPython the store has."""
    lines = ["| target | functions | with a profile that fits | changed | unknown |", "|---|---|---|---|---|"]
    for target in targets.load().values():
        try:
            folder = Path(oxcross("cache", "path", f"{target.name}/cpython").strip())
        except subprocess.CalledProcessError:
            continue
        fit = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
        share = 100 * fit["matched"] / max(1, fit["functions"])
        lines.append(
            f"| {target.name} | {fit['functions']} | {fit['matched']} ({share:.2f} %) "
            f"| {len(fit['changed'])} | {len(fit['unknown'])} |"
        )
    return lines


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("µs", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure the interpreter with pyperformance's benchmarks.")
    parser.add_argument("--rounds", type=int, default=3, help="processes of each side and script")
    parser.add_argument("--values", type=int, default=3, help="values of each process")
    parser.add_argument("--write", action="store_true", help="write bench/INTERPRETER.md")
    parser.add_argument("--json", default="", help="also write all values to this file")
    parser.add_argument("scripts", nargs="*", help="only these, as SCRIPTS names them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oxcross-bench-") as name:
        try:
            theirs = install_reference(Path(name))
            ours = [str(build(APP))]
            taken = side_by_side(ours, theirs, options.scripts or SCRIPTS, options.rounds, options.values)
            other = allocators(ours, options.rounds, options.values)
        except (OxcrossError, DoesNotRunError) as error:
            sys.exit(f"bench: {error}")
    lines = [
        f"Measured on {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}: an oxcross",
        f"executable against CPython by {reference.compiler()}, --enable-optimizations --with-lto, both with the same",
        f"packages. Processor time, the shortest of {options.rounds} times {options.values} values of each side, which ran in turn.",
        "",
        *table(taken),
        "",
        *reasons(taken),
        f"Allocators, against pymalloc, which is the default ({len(ALLOCATING)} scripts that make many objects):",
        "",
        *other,
        "",
        "The profile on each target:",
        "",
        *profile_table(),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.json:
        Path(options.json).write_text(json.dumps(taken), encoding="utf-8")
    if options.write:
        (HERE / "INTERPRETER.md").write_text("# The interpreter\n\n" + text, encoding="utf-8")


if __name__ == "__main__":
    main()
