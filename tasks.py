"""The tasks of this repository: oxcross's own, and those of its developers (`./invoke --list`)."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context

from oxcross import tasks
from oxcross.command import command

ROOT = Path(__file__).resolve().parent


def _run(*line: str) -> None:
    """Ctrl-C reaches the program as well, which puts away what it made: it is waited for."""
    process = subprocess.Popen([sys.executable, "-m", *line], cwd=ROOT)
    while process.returncode is None:
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()
    if process.returncode:
        raise SystemExit(process.returncode)


def _passed(c: Context) -> list[str]:
    return list(c.config.get("passed", []))


@command(help={"unit": "only the fast tests: no build, no network"})
def test(c: Context, unit: bool = False) -> None:  # noqa: PT028 (a task)
    """Run the tests; what stands behind `--` is pytest's, such as `-- -k project`, or `-- -n 0`: one after the other.

    Examples:
      ./invoke test --unit            # the fast ones
      ./invoke test -- -k project -x  # those whose names have it, until one fails
      ./invoke test -- -n 0           # one after the other
    """
    _run("pytest", "-n", "auto", *(["tests/unit"] if unit else ["tests/unit", "tests/e2e"]), *_passed(c))


@command(help={"fix": "mend what can be mended"})
def lint(_c: Context, fix: bool = False) -> None:
    """Check style, types and format.

    Examples:
      ./invoke lint --fix  # mend what can be mended
    """
    _run("ruff", "format", *([] if fix else ["--check"]), ".")
    _run("ruff", "check", *(["--fix"] if fix else []), ".")
    _run("mypy")


@command
def bench(c: Context) -> None:
    """Measure start-up, size and build times against python3, PyInstaller and Nuitka: bench/RESULTS.md.

    Examples:
      ./invoke bench  # writes that file
    """
    done = subprocess.run(
        [sys.executable, str(ROOT / "bench" / "run.py"), *_passed(c)], cwd=ROOT, check=False
    )
    raise SystemExit(done.returncode)


@command
def bench_interpreter(c: Context) -> None:
    """Measure the interpreter against an optimised CPython by gcc, over pyperformance's benchmarks: bench/INTERPRETER.md.

    Examples:
      ./invoke bench-interpreter -- --write  # write that file
    """
    line = [sys.executable, str(ROOT / "bench" / "interpreter.py"), *_passed(c)]
    raise SystemExit(subprocess.run(line, cwd=ROOT, check=False).returncode)


@command(
    help={
        "lock": "resolve the versions of all that is installed anew",
        "update": "write tests/corpus/RESULTS.md, or WINDOWS.md",
        "names": "only these packages, with commas between them",
        "windows": "in executables for win-x64, under wine",
    }
)
def corpus(
    _c: Context, lock: bool = False, update: bool = False, names: str = "", windows: bool = False
) -> None:
    """Run the programs of the most-downloaded packages in an environment and in executables, and compare.

    Examples:
      ./invoke corpus --names numpy,pandas  # of these packages
      ./invoke corpus --update              # and write tests/corpus/RESULTS.md
    """
    flags = [f"--{name}" for name, wanted in (("lock", lock), ("update", update)) if wanted]
    tests = ROOT / "tests"
    script = "corpus_windows_results.py" if windows else "corpus_results.py"
    line = [sys.executable, str(tests / "corpus" / script), *flags, *names.split(",")]
    env = {**os.environ, "PYTHONPATH": str(tests / "e2e")}
    raise SystemExit(
        subprocess.run([word for word in line if word], cwd=ROOT, env=env, check=False).returncode
    )


@command(
    help={
        "update": "write tests/regrtest/RESULTS.md, WINDOWS.md or MACOS.md",
        "windows": "in one for Windows, under wine, against the list in tests/regrtest/wine.toml",
        "macos": "in one for macOS, under the loader in tests/macho, against the list in tests/regrtest/macho.toml",
    }
)
def regrtest(c: Context, update: bool = False, windows: bool = False, macos: bool = False) -> None:
    """Run CPython's own tests inside an executable and in plain Python; names of files behind `--` run only those.

    Examples:
      ./invoke regrtest -- test_json test_zipfile  # only these
      ./invoke regrtest --windows                  # under wine
    """
    tests = ROOT / "tests"
    script = "windows.py" if windows else "macos.py" if macos else "regrtest.py"
    line = [
        sys.executable,
        str(tests / "regrtest" / script),
        *(["--update"] if update else []),
        *_passed(c),
    ]
    env = {**os.environ, "PYTHONPATH": str(tests / "e2e")}
    raise SystemExit(subprocess.run(line, cwd=ROOT, env=env, check=False).returncode)


@command
def macho_loader(_c: Context) -> None:
    """Build the loader that runs programs for macOS in tests, and print its path: .ci/run tells the kernel of it.

    Examples:
      ./invoke macho-loader  # in build/macho
    """
    tests = ROOT / "tests" / "macho"
    code = "import loader, pathlib; print(loader.build(pathlib.Path('build/macho').absolute()))"
    env = {**os.environ, "PYTHONPATH": str(tests)}
    raise SystemExit(subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, check=False).returncode)


@command(help={"python": "the CPython to train", "engine": "auto, docker or local"})
def train(_c: Context, python: str = "3.13", engine: str = "auto") -> None:
    """Train the profile that CPython is optimised with, and pin it in profiles/.

    Examples:
      ./invoke train --python 3.13  # then ./invoke trace-start
    """
    from oxcross import report, training
    from oxcross.store import Store

    with Store() as store, report.terminal() as terminal:
        profile = training.train(python, store, terminal, engine=engine)
    print(f"profiles/{profile.file}: {profile.functions} functions, {profile.size} bytes")
    print("what is inlined changes with it: ./invoke trace-start")


@command(help={"engine": "auto, docker or local"})
def trace_start(_c: Context, engine: str = "auto") -> None:
    """Find out which functions run when a program starts, and list them in oxcross/squeeze/start.txt.

    Examples:
      ./invoke trace-start  # after ./invoke train
    """
    from oxcross import report, tracing
    from oxcross.store import Store

    with Store() as store, report.terminal() as terminal:
        names = tracing.trace(store, terminal, engine=engine)
    print(f"{tracing.keep(names)}: {len(names)} functions")


@command(help={"seconds": "how long each fuzzer runs"})
def fuzz(_c: Context, seconds: int = 60) -> None:
    """Run the launcher's fuzzers, one after the other.

    Examples:
      ./invoke fuzz --seconds 10  # each of them
    """
    done = subprocess.run([str(ROOT / "launcher" / "fuzz" / "run"), str(seconds)], cwd=ROOT, check=False)
    raise SystemExit(done.returncode)


@command(help={"serve": "show them at 127.0.0.1:8000, and anew when a page is changed"})
def docs(_c: Context, serve: bool = False) -> None:
    """Build the documentation into build/docs; docs/configuration.md and docs/json.md are written anew first.

    Examples:
      ./invoke docs --serve  # at 127.0.0.1:8000, and anew when a page is changed
    """
    from oxcross import jsonpage
    from oxcross.config import reference

    (ROOT / "docs" / "configuration.md").write_text(reference.page(), encoding="utf-8")
    (ROOT / "docs" / "json.md").write_text(jsonpage.page(tasks.ns, tasks.TOPICS), encoding="utf-8")
    _run("mkdocs", *(["serve", "--dev-addr", "127.0.0.1:8000"] if serve else ["build"]), "--strict")


ns = Collection.from_module(tasks, name="oxcross")
for _task in (
    test,
    lint,
    bench,
    bench_interpreter,
    corpus,
    regrtest,
    macho_loader,
    train,
    trace_start,
    fuzz,
    docs,
):
    ns.add_task(_task)

if __name__ == "__main__":
    from oxcross.cli import main

    sys.exit(main(namespace=ns, name="./invoke"))
