"""The program, run as a user runs it: what it prints, where, and with which exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import oxcross
from oxcross import cli, command, storetasks
from oxcross.errors import BuildError
from oxcross.store import Store

REPOSITORY = Path(__file__).resolve().parents[2]


def run(
    *arguments: str, cwd: Path = REPOSITORY, env: Mapping[str, str] | None = None, program: Path | None = None
) -> subprocess.CompletedProcess[str]:
    line = [str(program)] if program else [sys.executable, "-W", "error", "-m", "oxcross"]
    return subprocess.run(
        [*line, *arguments],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\n[tool.oxcross]\nrun-file = "app.py"\n', encoding="utf-8"
    )
    (folder / "app.py").write_text("print('hello')\n", encoding="utf-8")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> dict[str, str]:
    return {"OXCROSS_STORE": str(tmp_path / "store")}


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_version() -> None:
    assert run("--version").stdout == f"oxcross {oxcross.__version__}\n"


def test_version_is_the_metadata_s() -> None:
    import tomllib

    pyproject = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["version"] == oxcross.__version__


def test_help_lists_the_tasks() -> None:
    for arguments in ((), ("--help",), ("--list",)):
        done = run(*arguments)
        assert done.returncode == 0
        for task in (
            "build",
            "run",
            "release",
            "inspect",
            "targets",
            "doctor",
            "clean",
            "cache prune",
            "sources",
        ):
            assert re.search(rf"^  {task}\b", done.stdout, re.MULTILINE), task
    assert "  test" not in done.stdout  # the repository's own tasks are not the program's


@pytest.mark.parametrize("arguments", [("build", "--help"), ("--help", "build"), ("build", "-h")])
def test_help_of_a_task(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 0
    assert "usage: oxcross build" in done.stdout
    assert "--engine" in done.stdout
    assert "auto, docker or local" in done.stdout


def test_help_of_a_task_with_a_place() -> None:
    assert "usage: oxcross inspect FILE" in run("inspect", "--help").stdout


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("biuld", "there is no task 'biuld'\n  did you mean 'build'?"),
        ("build --tragets x", "build has no flag --tragets\n  did you mean --targets?"),
        ("--projet x build", "there is no flag --projet\n  did you mean --project?"),
        ("inspect --jsn x", "inspect has no flag --jsn\n  did you mean --json?"),
        ("inspect", "inspect needs FILE"),
        ("inspect /no/such/file", "/no/such/file: there is no such file"),
        ("cache prnue", "there is no task cache prnue\n  did you mean 'prune'?"),
        ("cache prune", "--max-age"),
        ("cache prune --max-size much", "not a size: 'much'"),
        ("cache prune --max-age old", "not a number of days: 'old'"),
        ("cache path linux-x64/cpyton", "did you mean 'linux-x64/cpython'?"),
        ("shell --step opnssl", "did you mean 'linux-x64/openssl'?"),
        ("shell", "which step?"),
        ("build --jobs x", "not a number: 'x'"),
        ("build --jobs", "--jobs needs a value"),
        ("build extra", "build takes no argument 'extra'"),
        ("build --targets linux-x65", "did you mean 'linux-x64'?"),
        ("build --targets macos-x86", "did you mean 'macos-x64'"),
        ("build --engine dokcer", "did you mean 'docker'?"),
        ("build --jobs=-1", "not a number of processes: -1"),
        ("run --target linux-x65", "did you mean 'linux-x64'?"),
    ],
)
def test_mistyped(app: Path, store: dict[str, str], line: str, says: str) -> None:
    done = run(*line.split(), cwd=app, env=store)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert done.stdout == ""


def test_wrong_configuration(app: Path) -> None:
    configuration = app / "pyproject.toml"
    configuration.write_text(
        configuration.read_text(encoding="utf-8") + "optimise = 1\nrun-modul = 1\n", encoding="utf-8"
    )
    done = run("build", cwd=app)
    assert done.returncode == 3
    assert done.stderr.count("error: pyproject.toml:") == 2
    assert "did you mean 'optimize'?" in done.stderr


def test_no_project(tmp_path: Path) -> None:
    done = run("build", cwd=tmp_path)
    assert done.returncode == 3
    assert "[tool.oxcross]" in done.stderr


@pytest.mark.parametrize(
    "order", [["--project", "{}", "build", "--dry-run"], ["build", "--dry-run", "--project={}"]]
)
def test_flags_before_and_behind_the_task(app: Path, store: dict[str, str], order: list[str]) -> None:
    done = run(*(word.format(app) for word in order), env=store)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^linux-x64/cpython +fetch", done.stdout, re.MULTILINE)


def test_dry_run_json(app: Path, store: dict[str, str]) -> None:
    rows = document(run("build", "--dry-run", "--json", "--project", str(app), env=store))["steps"]
    states = {row["name"]: row["state"] for row in rows}
    assert states["linux-x64/openssl"] == "fetch"
    assert set(states.values()) <= {"cached", "build", "fetch"}
    assert all(re.fullmatch(r"[0-9a-f]{64}|", row["key"]) for row in rows)
    names = [row["name"] for row in rows]
    assert (
        names.index("linux-x64/toolchain")
        < names.index("linux-x64/cpython")
        < names.index("linux-x64/launcher")
    )


def test_release_dry_run(app: Path, store: dict[str, str]) -> None:
    assert run("release", "--dry-run", "--project", str(app), env=store).returncode == 0
    assert not (app / "dist").exists()


def test_targets() -> None:
    rows = document(run("targets", "--json"))["targets"]
    assert rows[0]["name"] == "linux-x64"
    assert re.search(r"^linux-x64 .*glibc 2\.17 *$", run("targets").stdout, re.MULTILINE)


def test_sources() -> None:
    rows = document(run("sources", "--json"))["sources"]
    assert {"openssl", "cpython", "ziglang"} <= {row["name"] for row in rows}
    assert all(re.fullmatch(r"[0-9a-f]{64}", row["sha256"]) for row in rows)
    assert "openssl" in run("sources", "list").stdout


def test_schema() -> None:
    assert document(run("schema"))["properties"]["entry-point"]


def test_cache(store: dict[str, str], tmp_path: Path) -> None:
    assert document(run("cache", "--json", env=store))["size"] == 0
    assert document(run("cache", "list", "--json", env=store)) == {"items": []}
    assert document(run("cache", "prune", "--max-age", "30", "--json", env=store)) == {"removed": []}
    assert document(run("cache", "verify", "--json", env=store)) == {"damaged": []}
    done = run("cache", "path", "linux-x64/cpython", env=store)
    assert (done.returncode, done.stdout) == (8, "")
    assert "is not built" in done.stderr


def test_cache_with_something_in_it(store: dict[str, str], tmp_path: Path) -> None:
    steps = {step.name.removeprefix("linux-x64/"): step for step in storetasks._every_step("linux-x64")}
    with Store(tmp_path / "store") as opened:
        for name in ("zlib", "bzip2", "openssl", "cpython", "launcher"):
            with opened.temporary("test") as folder:
                (folder / "tree").mkdir()
                (folder / "tree" / "file").write_text(name, encoding="utf-8")
                opened.put(steps[name].key, folder / "tree", steps[name].name)
    found = run("cache", "path", "linux-x64/zlib", env=store).stdout.strip()
    assert (Path(found) / "file").read_text(encoding="utf-8") == "zlib"
    assert re.search(r"^step +5 ", run("cache", env=store).stdout, re.MULTILINE)
    assert "linux-x64/openssl" in run("cache", "list", env=store).stdout

    without = ("--without", "linux-x64/openssl", "--without", "linux-x64/bzip2")
    done = run("cache", "copy", str(tmp_path / "other"), *without, env=store)
    assert done.stdout.strip() == str(tmp_path / "other")
    with Store(tmp_path / "other") as other:
        there = {name for name, step in steps.items() if other.has(step.key)}
    assert there == {"zlib"}  # what needs a step that is left out is left out too

    (Path(found) / "file").write_text("damaged", encoding="utf-8")
    done = run("cache", "verify", "--json", env=store)
    assert done.returncode == 8
    assert [row["name"] for row in json.loads(done.stdout)["damaged"]] == ["linux-x64/zlib"]
    assert "the next build makes them anew" in done.stderr
    removed = document(run("cache", "prune", "--max-size", "0", "--json", env=store))["removed"]
    assert len(removed) == 4


def test_store_flag(tmp_path: Path) -> None:
    assert document(run("cache", "--json", "--store", str(tmp_path / "mine")))["path"] == str(
        tmp_path / "mine"
    )


def test_clean(app: Path) -> None:
    names = ("build/linux-x64/app", "build/reproduce/1.0/app", "build/notes.txt", "dist/app/1.0/app")
    for name in names:
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        (app / name).touch()
    assert document(run("clean", "--json", "--project", str(app))) == {
        "removed": [str(app / "build" / "linux-x64"), str(app / "build" / "reproduce")]
    }
    assert (app / "build/notes.txt").exists()
    assert (app / "dist/app/1.0/app").exists()
    assert run("clean", cwd=app).stdout == "nothing to remove\n"


def test_reader_of_stdout_leaves() -> None:
    line = f"{sys.executable} -m oxcross schema | head -c 1"
    done = subprocess.run(["sh", "-c", line], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.stdout == "{"
    assert done.stderr == ""


def test_stdout_is_full() -> None:
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-m", "oxcross", "targets"]
        done = subprocess.run(
            line, cwd=REPOSITORY, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 8
    assert done.stderr == (
        "error: standard output: cannot be written: No space left on device\n  more: oxcross explain 8-storeerror\n"
    )


def test_a_defect_is_an_apology(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("oxcross.targets.load", broken)
    assert cli.main(["targets"]) == 1
    said = capsys.readouterr()
    assert "oxcross itself went wrong, sorry: ZeroDivisionError: oops" in said.err
    assert "Traceback" not in said.err
    [log] = tmp_path.glob("oxcross-*.log")
    assert str(log) in said.err
    assert "Traceback" in log.read_text(encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        cli.main(["targets", "--debug"])


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oxcross.targets.load", stopped)
    assert cli.main(["targets"]) == 130
    assert capsys.readouterr().err == "stopped\n"


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_other_signals(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sent: signal.Signals
) -> None:
    """What goes wrong while it cleans up, and a second signal, change nothing of it; afterwards all is as it was."""
    before = signal.getsignal(sent)

    def stopped() -> None:
        try:
            signal.raise_signal(sent)
        finally:
            signal.raise_signal(signal.SIGTERM)
            raise OSError("the terminal is gone")

    monkeypatch.setattr("oxcross.targets.load", stopped)
    assert cli.main(["targets"]) == 128 + sent
    assert capsys.readouterr().err == f"stopped by {sent.name}\n"
    assert signal.getsignal(sent) is before


def test_a_build_error_keeps_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failed() -> None:
        raise BuildError("its script failed", where="linux-x64/openssl", hint="log: /x")

    monkeypatch.setattr("oxcross.targets.load", failed)
    assert cli.main(["targets"], name="./invoke") == 6
    assert capsys.readouterr().err == (
        "error: linux-x64/openssl: its script failed\n  log: /x\n  more: ./invoke explain 6-builderror\n"
    )


def test_users_own_tasks(tmp_path: Path) -> None:
    """`invoke` with a tasks.py that imports the collection: the same tasks, the same exit codes."""
    (tmp_path / "tasks.py").write_text("from oxcross.tasks import ns\n", encoding="utf-8")
    line = [sys.executable, "-m", "invoke"]
    for arguments, status, says in (
        (["targets"], 0, "linux-x64"),
        (["--list"], 0, "cache.prune"),
        (["build"], 3, "no pyproject.toml"),
        (["build", "--engine", "x", "--project", "nowhere"], 3, "no pyproject.toml"),
    ):
        done = subprocess.run([*line, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        assert says in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_the_repository_s_own_program() -> None:
    done = run("--list", program=REPOSITORY / "invoke")
    assert done.returncode == 0, done.stderr
    for task in ("build", "test", "lint", "bench", "fuzz"):
        assert re.search(rf"^  {task}\b", done.stdout, re.MULTILINE), task
    done = run("tset", program=REPOSITORY / "invoke")
    assert done.returncode == 2
    assert "did you mean 'test'?" in done.stderr


def test_help_texts_are_shared_and_known() -> None:
    @command.command(help={"own": "text"})
    def task(_c: object, project: str = ".", own: str = "") -> None:
        """Do nothing."""

    assert {argument.name: argument.help for argument in task.get_arguments()} == {
        "project": command.HELP["project"],
        "own": "text",
    }
