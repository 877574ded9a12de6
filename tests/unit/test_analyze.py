"""analyze as the user meets it: a project with requirements, what is told of it, what is kept, what is accepted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import wheels

from oxcross import project as projects
from oxcross.analyze import analysis, scan
from oxcross.analyze.rules import Rule, load
from oxcross.cli import main
from oxcross.errors import ConfigErrors
from oxcross.store import Store

WRITES = b"open(__file__ + '.cache', 'w')\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "store") as made:
        yield made


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that needs two distributions, one of which writes beside its code."""
    folder = tmp_path / "wheels"
    files = {"writer/__init__.py": b"import helper\n", "writer/cache.py": WRITES * 5}
    wheels.make(folder, "writer", files=files, metadata="License-Expression: MIT\n", requires=["helper"])
    wheels.make(folder, "helper", metadata="License-Expression: GPL-3.0-only\n")
    wheels.use(monkeypatch, folder)
    root = tmp_path / "app"
    (root / "src" / "app").mkdir(parents=True)
    (root / "src" / "app" / "__init__.py").write_text("import writer\n\ndef main():\n    import tkinter\n")
    configure(root)
    return root


def configure(root: Path, settings: str = "", requirements: str = '["writer"]') -> projects.Project:
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1"\ndependencies = {requirements}\n'
        f'[tool.oxcross]\nentry-point = "app:main"\n{settings}\n'
    )
    return projects.load(root)


def run(root: Path, store: Store, *flags: str) -> int:
    return main(["analyze", "--project", str(root), "--store", str(store.root), *flags])


def test_an_environment(app: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, store, "--json") == 0
    [document] = json.loads(capsys.readouterr().out)["targets"]
    assert document["target"] == "linux-x64"
    assert document["counts"] == {"error": 0, "warning": 6, "note": 1}
    found = {(one["rule"], one["distribution"], one["path"], one["line"]) for one in document["findings"]}
    assert ("gpl", "helper", "helper-1.0.dist-info/METADATA", None) in found
    assert ("write-beside-file", "writer", "writer/cache.py", 5) in found
    assert ("left-out-module", "app", "src/app/__init__.py", 4) in found
    assert all(one["why"] and one["advice"] for one in document["findings"])
    assert document["findings"][0]["code"] == WRITES.decode().strip()


def test_as_text(app: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    run(app, store)
    text = capsys.readouterr().out
    assert text.count("write-beside-file  writer") == 3
    assert "and 2 more places (--all)" in text
    assert "tkinter" not in text
    assert load().rules["gpl"].advice in text
    assert text.endswith("linux-x64: 0 errors, 6 warnings, 1 note (--all shows the notes)\n")
    run(app, store, "--all")
    text = capsys.readouterr().out
    assert text.count("write-beside-file  writer") == 5
    assert "src/app/__init__.py:4" in text
    assert text.endswith("1 note\n")


def test_strict(app: Path, store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, store, "--strict") == 11
    assert "error: 6 findings that --strict does not let pass" in capsys.readouterr().err
    configure(app, '[tool.oxcross.analyze]\nignore = ["gpl:Helper", "write-beside-file", "meipass"]')
    assert run(app, store, "--strict") == 0
    text = capsys.readouterr().out
    assert "0 warnings" in text
    assert "6 ignored" in text
    assert "analyze.ignore names 'meipass', which is nowhere" in text


def test_what_is_ignored_must_be_a_rule(app: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        configure(app, '[tool.oxcross.analyze]\nignore = ["write-beside-files:writer", 1]\nignored = []')
    text = str(caught.value)
    assert "analyze.ignore[0]: there is no rule 'write-beside-files'" in text
    assert "did you mean 'write-beside-file'?" in text
    assert "analyze.ignore[1]: must be a string" in text
    assert "did you mean 'ignore'?" in text


def test_files_are_read_once(app: Path, store: Store) -> None:
    said: list[str] = []
    first = analysis.analyze(projects.load(app), store, notice=said.append)
    assert said[-2:] == ["reading 3 modules of 2 distributions", "reading 1 module of app"]
    said.clear()
    assert analysis.analyze(projects.load(app), store, notice=said.append) == first
    assert said == []
    (app / "src" / "app" / "__init__.py").write_text(
        "import writer\n\ndef main():\n    open(__file__, 'w')\n"
    )
    changed = analysis.analyze(projects.load(app), store, notice=said.append)
    assert said == ["reading 1 module of app"]
    assert {one.rule.id for one in changed.told} == {"write-beside-file", "gpl"}


def test_in_several_processes(
    app: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = analysis.analyze(projects.load(app), store)
    monkeypatch.setattr(scan, "_ALONE", 1)
    with Store(tmp_path / "other") as other:
        assert analysis.analyze(projects.load(app), other) == alone


def test_what_is_left_out_is_told_where_it_is_imported(app: Path, store: Store) -> None:
    def absent(settings: str) -> list[tuple[str, str, str]]:
        told = analysis.analyze(configure(app, settings), store).told
        return [(one.rule.id, one.path, one.severity) for one in told if one.subject.startswith("helper")]

    assert absent("") == []
    expected = [("left-out-module", "writer/__init__.py", "warning")]
    assert absent('exclude-packages = ["helper"]') == expected
    assert absent('exclude-modules = ["helper"]') == expected


def test_what_the_interpreter_is_set_to(app: Path, store: Store) -> None:
    (app / "src" / "app" / "__init__.py").write_text(
        "import sys\n\ndef main():\n    sys.frozen\n    return sys._MEIPASS\n"
    )

    def told(settings: str) -> set[str]:
        found = analysis.analyze(configure(app, settings, "[]"), store).told
        return {one.rule.id for one in found}

    assert told("") == {"frozen", "meipass"}
    assert told("interpreter.sys-meipass = true") == {"frozen"}
    assert told("interpreter.sys-frozen = false") == {"meipass"}


def test_local_wheels_and_scripts(app: Path, store: Store, tmp_path: Path) -> None:
    wheels.make(tmp_path / "local", "local", files={"local.py": WRITES})
    (app / "run.py").write_text("import local\n")
    (app / "pyproject.toml").write_text(
        f'[tool.oxcross]\nname = "app"\nversion = "1"\nrun-file = "run.py"\n'
        f'requirements = ["local @ file://{tmp_path}/local/local-1.0-py3-none-any.whl"]\n'
    )
    told = analysis.analyze(projects.load(app), store).told
    assert [(one.rule.id, one.place) for one in told if one.severity == "warning"] == [
        ("write-beside-file", "local.py:1")
    ]


def test_rules_say_what_to_do() -> None:
    for rule in load().rules.values():
        assert rule.severity in ("error", "warning", "note")
        assert rule.why
        assert rule.advice


def test_harmless_places() -> None:
    rule = Rule(
        id="x", severity="note", kind="call", why="w", advice="a", harmless=("pip", "numpy:numpy/f2py/*")
    )
    assert rule.accepts("pip", "any.py")
    assert rule.accepts("numpy", "numpy/f2py/a.py")
    assert not rule.accepts("numpy", "numpy/a.py")
