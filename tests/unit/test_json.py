"""--json: one document on stdout, whatever happens, and it is the one that the task's help tells of."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import shapes

from oxcross import cli, jsonpage, storetasks
from oxcross.errors import StoreError
from oxcross.plan import Step
from oxcross.store import Store
from oxcross.tasks import TOPICS, ns

DOCS = Path(__file__).parents[2] / "docs"
# What they print is what they are for.
WITHOUT = {"run", "sbom", "schema", "shell"}

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def step() -> Step:
    """One of the recipes' steps."""
    return next(one for one in storetasks._every_step("linux-x64") if one.name == "linux-x64/zlib")


@pytest.fixture
def app(tmp_path: Path, step: Step, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and a store with one step in it; the current folder is the project's."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\n[tool.oxcross]\nrun-file = "app.py"\n', encoding="utf-8"
    )
    (folder / "app.py").write_text("print('hello')\n", encoding="utf-8")
    monkeypatch.setenv("OXCROSS_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(folder)
    with Store(tmp_path / "store") as opened, opened.temporary("test") as made:
        (made / "tree").mkdir()
        (made / "tree" / "file").write_text("text", encoding="utf-8")
        opened.put(step.key, made / "tree", step.name)
    return folder


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a task; the document that is all of stdout."""

    def function(*words: str, status: int = 0) -> dict[str, Any]:
        capfd.readouterr()
        assert cli.main([*words, "--json"]) == status
        said = capfd.readouterr()
        document: dict[str, Any] = json.loads(said.out)
        assert ("error" in document) is (status != 0)
        if status:
            assert "error: " in said.err or said.err == "stopped\n"
        return document

    return function


def test_every_task_has_it() -> None:
    for name in ns.task_names:
        flags = {argument.name for argument in ns[name].get_arguments()}
        assert ("json" in flags) is (name not in WITHOUT), name
        assert bool(jsonpage.paragraph(ns[name])) is (name not in WITHOUT), name
    assert set(ns.task_names) >= WITHOUT


def test_every_shape_can_be_read() -> None:
    for name in ns.task_names:
        found = [shapes.parse(text) for text in jsonpage.shapes(jsonpage.paragraph(ns[name]))]
        assert bool(found) is (name not in WITHOUT), name


def test_the_page_is_made_of_the_help() -> None:
    assert (DOCS / "json.md").read_text(encoding="utf-8") == jsonpage.page(ns, TOPICS), "run ./invoke docs"


@pytest.mark.parametrize(
    ("shape", "value", "says"),
    [
        ('{"a", "b"}', {"a": 1, "b": ["x"]}, ""),
        ('{"a"}', {"a": 1, "b": 2}, ": has {'b'}"),
        ('{"a", …}', {"a": 1, "b": 2}, ""),
        ('{"a", "b"}', {"a": 1}, ": lacks {'b'}"),
        ('{"a"}', {"a": {"b": 1}}, ".a: not plain"),
        ('{"a": [{"b"}]}', {"a": [{"b": 1}, {"c": 1}]}, ".a[]: lacks {'b'}"),
        ('{"a": {NAME: {"b"}}}', {"a": {"x": {"b": 1}, "y": {}}}, ".a.y: lacks {'b'}"),
        ('{"a": "x" | "y"}', {"a": "z"}, ".a: 'z' is none of ['x', 'y']"),
    ],
)
def test_what_is_not_told_is_found(shape: str, value: object, says: str) -> None:
    assert shapes.difference(shapes.parse(shape), value, "") == says


@pytest.mark.parametrize(
    "line",
    [
        "analyze",
        "build --dry-run",
        "cache.copy ../other",
        "cache.keygen",
        "cache.list",
        "cache.path linux-x64/zlib",
        "cache.size",
        "cache.verify",
        "check",
        "clean",
        "keygen --no-password",
        "release --dry-run",
        "sources.list",
        "targets",
    ],
)
def test_real_output(app: Path, run: Run, line: str) -> None:
    shapes.assert_told(line.split(maxsplit=1)[0], run(*line.split()))


def test_doctor(app: Path, run: Run) -> None:
    shapes.assert_told("doctor", run("doctor"))


def test_prune(app: Path, run: Run) -> None:
    document = run("cache", "prune", "--max-size", "0")
    shapes.assert_told("cache.prune", document)
    assert len(document["removed"]) == 1


def test_init(app: Path, run: Run) -> None:
    (app / "pyproject.toml").unlink()
    document = run("init")
    shapes.assert_told("init", document)
    assert document["written"]


def test_migrate(app: Path, run: Run) -> None:
    (app / "pyproject.toml").unlink()
    (app / "pyoxidizer.bzl").write_text(
        "def make():\n"
        "    dist = default_python_distribution()\n"
        "    config = dist.make_python_interpreter_config()\n"
        "    config.run_module = 'http.server'\n"
        "    return dist.to_python_executable(name='app', config=config)\n"
        "register_target('app', make)\nresolve_targets()\n",
        encoding="utf-8",
    )
    document = run("migrate")
    shapes.assert_told("migrate", document)
    assert "http.server" in document["tables"]


def test_pin(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from oxcross import sources

    copy = tmp_path / "sources.toml"
    shutil.copy(Path(sources.__file__).with_name("sources.toml"), copy)
    monkeypatch.setattr(sources, "pin", partial(sources.pin, table=copy))
    (tmp_path / "zlib-9.tar.gz").write_bytes(b"bytes")
    document = run("sources", "pin", "zlib", "9", str(tmp_path / "zlib-9.tar.gz"))
    shapes.assert_told("sources.pin", document)
    assert document["sha256"] in copy.read_text(encoding="utf-8")


def test_what_was_found_and_the_error_are_one_document(app: Path, run: Run) -> None:
    path = Path(run("cache", "path", "linux-x64/zlib")["path"])
    (path / "file").write_text("damaged", encoding="utf-8")
    document = run("cache", "verify", status=8)
    shapes.assert_told("cache.verify", document, failed=True)
    assert [item["name"] for item in document["damaged"]] == ["linux-x64/zlib"]
    assert document["error"]["kind"] == "StoreError"
    assert document["error"]["hint"] == "the next build makes them anew"


@pytest.mark.parametrize(
    ("line", "status", "kind"),
    [
        ("build --targets linux-x65", 2, "UsageError"),
        ("biuld", 2, "UsageError"),
        ("build --nothing", 2, "UsageError"),
        ("schema", 2, "UsageError"),
        ("publish", 3, "ConfigError"),
        ("inspect app.py", 9, "InspectError"),
        ("cache path linux-x64/openssl", 8, "StoreError"),
        ("reproduce 1.0", 12, "ReproduceError"),
        ("build --store app.py", 8, "StoreError"),
    ],
)
def test_errors(app: Path, run: Run, line: str, status: int, kind: str) -> None:
    error = run(*line.split(), status=status)["error"]
    shapes.assert_error(error)
    assert (error["kind"], error["exit-status"]) == (kind, status)


def test_errors_of_a_configuration(app: Path, run: Run) -> None:
    with (app / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("optimise = 1\nrun-modul = 1\n")
    error = run("check", status=3)["error"]
    shapes.assert_error(error)
    assert [one["where"] for one in error["errors"]] == [
        "pyproject.toml:6: tool.oxcross.optimise",
        "pyproject.toml:7: tool.oxcross.run-modul",
    ]
    assert "did you mean 'optimize'" in error["errors"][0]["hint"]


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("oxcross.targets.load", stopped)
    assert run("targets", status=130)["error"]["kind"] == "Stopped"


def test_a_defect(monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("oxcross.targets.load", broken)
    error = run("targets", status=1)["error"]
    shapes.assert_error(error)
    assert (error["kind"], Path(error["where"]).parent) == ("Defect", tmp_path)


def test_the_application_s_own_flag_is_not_ours(app: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["run", "--target", "linux-x65", "--", "--json"]) == 2
    assert capfd.readouterr().out == ""


def test_under_invoke(tmp_path: Path) -> None:
    """With a tasks.py of the user's own the same documents."""
    (tmp_path / "tasks.py").write_text("from oxcross.tasks import ns\n", encoding="utf-8")
    line = [sys.executable, "-m", "invoke", "check", "--json"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    shapes.assert_error(json.loads(done.stdout)["error"])
    assert re.match(r"error: .*pyproject\.toml", done.stderr)


def test_stdout_that_is_full(app: Path) -> None:
    with Path("/dev/full").open("w") as full:
        line = [sys.executable, "-m", "oxcross", "targets", "--json"]
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == StoreError.exit_code
    said = "error: standard output: cannot be written: No space left on device\n"
    assert done.stderr == f"{said}  more: oxcross explain 8-storeerror\n"
