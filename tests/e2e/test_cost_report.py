"""What real executables cost: told by the program, kept when a build leaves it out, drawn in a real browser."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, browser
from program import build, oxcross

from oxcross import runner, targets

Project = Callable[..., Path]


def _cost(executable: Path, *flags: str) -> dict[str, Any]:
    done = oxcross("analyze", "--executable", str(executable), "--json", *flags)
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.mark.parametrize("target", list(targets.load()))
def test_every_byte_on_every_target(project: Project, target: str) -> None:
    executable = build(project("hello"), target=target)
    document = _cost(executable)
    assert sum(piece["stored"] for piece in document["pieces"]) == executable.stat().st_size
    done = oxcross("analyze", "--executable", str(executable), "--start", "--json")
    if runner.lacking(targets.get(target)) is None:
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["imports"][-1]["module"] == "hello"
    else:
        assert done.returncode == 7
        assert f"{target} executables cannot be run here" in done.stderr


@pytest.mark.parametrize("compression", ['"none"', '"zstd"'])
def test_what_is_left_out_saves_what_was_told(project: Project, compression: str) -> None:
    folder = project("hello", compression=compression)
    executable = build(folder)
    before = _cost(executable)
    assert sum(piece["stored"] for piece in before["pieces"]) == before["size"] == executable.stat().st_size
    told = {one["what"]: one for one in before["savings"]}
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    for what in (
        "the standard library's openssl",
        "all of the standard library that no import statement leads to",
    ):
        one = told[what]
        lines = "\n".join(("", f"[{one['table']}]", *one["lines"], ""))
        configuration.write_text(text + lines, encoding="utf-8")
        saved = before["size"] - build(folder).stat().st_size
        # Tables are smaller, too, and where pieces begin: not more than the tables and a page.
        slack = sum(piece["stored"] for piece in before["pieces"] if piece["part"] == "tables") + 4096
        assert one["stored"] - 4096 <= saved <= one["stored"] + slack, what


def test_what_packages_do_without_saves_what_was_told(project: Project) -> None:
    folder = project("numpy_app")
    before = _cost(build(folder))
    tables = sum(piece["stored"] for piece in before["pieces"] if piece["part"] == "tables")
    told = {one["what"]: one for one in before["savings"]}
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    for what in ("the tests of numpy", "type stubs", "sources of C, Cython and Fortran"):
        one = told[what]
        lines = "\n".join((f"[{one['table']}]", *one["lines"]))
        configuration.write_text(text.replace(f"[{one['table']}]", lines), encoding="utf-8")
        saved = before["size"] - build(folder).stat().st_size
        assert one["stored"] <= saved <= one["stored"] + tables, what


def test_the_start_is_measured_in_the_executable(project: Project) -> None:
    executable = build(project("numpy_app"))
    document = _cost(executable, "--start")
    parts = {row["part"]: row["stored"] for row in document["parts"]}
    assert parts["numpy"] > 20_000_000
    assert {"markupsafe", "standard library", "run-time libraries", "interpreter and launcher"} <= set(parts)
    imports = {one["module"]: one for one in document["imports"]}
    assert imports["solve"]["depth"] == 0
    assert imports["numpy"]["depth"] == imports["solve"]["depth"] + 1
    whole = imports["solve"]
    assert whole["begin"] <= imports["numpy"]["begin"]
    assert imports["numpy"]["begin"] + imports["numpy"]["total"] <= whole["begin"] + whole["total"]
    assert all(one["own"] <= one["total"] for one in imports.values())


def test_the_page_in_a_browser(project: Project, tmp_path: Path, chromium: Browser) -> None:
    executable = build(project("numpy_app"))
    page = tmp_path / "cost.html"
    line = ("analyze", "--executable", str(executable), "--html", str(page))
    assert oxcross(*line).returncode == 0
    first = page.read_bytes()
    assert oxcross(*line).returncode == 0
    assert page.read_bytes() == first
    assert oxcross(*line, "--start").returncode == 0
    chromium.open(page.as_uri())
    boxes = "[...document.querySelectorAll('#map rect')].map(r => r.getBoundingClientRect())"
    assert chromium.run(f"{boxes}.filter(r => r.width > 1 && r.height > 1).length") > 500
    areas = (
        "Object.fromEntries([...document.querySelectorAll('.part')].map(p => [p.dataset.part,"
        " (r => r.width * r.height)(p.querySelector('rect').getBoundingClientRect())]))"
    )
    document = _cost(executable)
    drawn, parts = chromium.run(areas), {row["part"]: row["stored"] for row in document["parts"]}
    assert drawn["numpy"] / sum(drawn.values()) == pytest.approx(
        parts["numpy"] / sum(parts.values()), rel=0.01
    )
    colours = "new Set([...document.querySelectorAll('#map rect')].map(r => getComputedStyle(r).fill)).size"
    assert chromium.run(colours) >= 5
    assert chromium.run("document.querySelectorAll('#start tbody tr').length") > 100
    shown = "[...document.querySelectorAll('#pieces tr')].filter(r => r.checkVisibility()).length"
    assert chromium.run(shown) == 0, "the list of all is closed"
    chromium.run("document.querySelector('.part[data-part=markupsafe]').focus()")
    chromium.press("Enter")
    mine = sum(piece["part"] == "markupsafe" for piece in document["pieces"])
    assert chromium.run("document.getElementById('filter').value") == "markupsafe"
    assert chromium.run(shown) >= mine > 3
    chromium.open(page.as_uri() + "#filter=openblas")
    assert chromium.run(shown) == 1
    assert chromium.run("document.getElementById('count').textContent").startswith("1 of ")
    assert chromium.run("document.querySelectorAll('#map rect[class]:not(.faint)').length") == 1
    chromium.open(page.as_uri(), script=False)
    assert chromium.run("document.getElementById('find').checkVisibility()") is False
    assert chromium.run("document.querySelectorAll('#map rect').length") > 500
    assert chromium.complaints == []
    assert {url.partition(":")[0] for url in chromium.requests} <= {"file", "data"}


def test_what_cannot_be_told(project: Project, tmp_path: Path) -> None:
    folder = project("hello")
    done = oxcross("analyze", "--size", "--project", str(folder))
    assert done.returncode == 2
    assert "not built yet" in done.stderr
    assert "oxcross build" in done.stderr
    build(folder)
    done = oxcross("analyze", "--size", "--project", str(folder))
    assert done.returncode == 0, done.stderr
    assert "standard library" in done.stdout
    assert "could be left out" in done.stdout
    done = oxcross("analyze", "--project", str(folder), "--html", str(tmp_path / "none" / "a.html"))
    assert done.returncode == 2
    assert "cannot be written" in done.stderr
    done = oxcross("analyze", "--size", "--strict", "--project", str(folder))
    assert done.returncode == 2
    assert "--strict" in done.stderr


def test_two_releases(project: Project) -> None:
    folder = project("hello")
    configuration = folder / "pyproject.toml"
    assert oxcross("release", "--project", str(folder)).returncode == 0
    text = configuration.read_text(encoding="utf-8").replace('version = "1.0"', 'version = "1.1"')
    configuration.write_text(text + '\n[tool.oxcross.stdlib]\nexclude = ["docs"]\n', encoding="utf-8")
    (folder / "hello.py").write_text("print('another one')\n", encoding="utf-8")
    assert oxcross("release", "--project", str(folder)).returncode == 0
    done = oxcross("diff", "1.0", "1.1", "--project", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    assert (document["added"], document["removed"]) == ([], [])
    [row] = document["differences"]
    assert row["target"] == "linux-x64"
    changes = {(one["kind"], one["name"]): one for one in row["changes"]}
    assert changes["module", "pydoc"]["state"] == "removed"
    assert changes["module", "pydoc"]["before"] > 50_000
    assert changes["module", "hello"]["state"] == "changed"
    assert changes["setting", "app-version"]["note"] == "1.0 → 1.1"
    assert sum(one["after"] - one["before"] for one in row["parts"]) == (
        row["after"]["size"] - row["before"]["size"]
    )
    done = oxcross("diff", str(folder / "dist/hello/1.0"), str(folder / "dist/hello/1.1"))
    assert done.returncode == 0, done.stderr
    assert "pydoc_data.topics" in done.stdout
    done = oxcross("diff", str(configuration), str(configuration))
    assert done.returncode == 9
    assert "not an oxcross executable" in done.stderr
    done = oxcross("diff", "1.0", "2.0", "--project", str(folder))
    assert done.returncode == 2
    assert "no such file, folder or release" in done.stderr
