"""The road's beginning and its workshop: what is built, with which engine, and when one is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from oxcross import build, doctor, report, targets, wanted
from oxcross import project as projects
from oxcross.collect.resolve import Resolution
from oxcross.errors import BuildError, InspectError, ToolError, UsageError
from oxcross.plan import Step
from oxcross.sdist import IndexFile, Sdist
from oxcross.store import Store


@pytest.fixture
def app(tmp_path: Path) -> str:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1.0"\n[tool.oxcross]\nrun-file = "app.py"\n', encoding="utf-8"
    )
    (folder / "app.py").touch()
    return str(folder)


def test_select(app: str) -> None:
    assert [project.target for project in wanted.select(app, "")] == ["linux-x64"]
    assert [project.target for project in wanted.select(app, "linux-x64, linux-x64")] == ["linux-x64"]
    with pytest.raises(UsageError, match="did you mean 'linux-x64'"):
        wanted.select(app, "linux-x65")
    [universal] = wanted.select(app, "macos-universal2")
    assert [part.target for part in wanted.slices(universal)] == ["macos-x64", "macos-arm64"]
    both = wanted.select(app, "macos-arm64,macos-universal2,linux-x64")
    assert [part.target for part in wanted.parts(both)] == ["macos-arm64", "macos-x64", "linux-x64"]


def test_runnable(app: str) -> None:
    assert wanted.runnable(app) == "linux-x64"


def test_plan_of_an_empty_store(app: str, tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        rows = {row.name: row for row in wanted.plan(wanted.select(app, ""), store)}
    assert rows["linux-x64/cpython"].state == "fetch"
    assert rows["linux-x64/environment"].state == "cached"  # there is nothing to install


def test_step_plan_without_a_project(tmp_path: Path) -> None:
    with Store(tmp_path / "store") as store:
        names = [step.name for step in wanted.step_plan(str(tmp_path), targets.get("linux-x64"), store)]
    assert "linux-x64/openssl" in names


def test_the_engine_is_asked_for_when_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = Step(name="test/step", script='echo it works >"$OUT/file"\n', outputs=("file",))
    with Store(tmp_path / "store") as store, report.terminal() as terminal:
        local = build.workshop(store, terminal, engine="local", jobs=1)
        made = local.make([step])
        assert (made[step] / "file").read_text(encoding="utf-8") == "it works\n"
        monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/socket")
        docker = build.workshop(store, terminal, engine="docker", jobs=1)
        assert docker.make([step]) == made  # all is there: the daemon is not missed
        other = Step(name="test/other", script="true\n")
        with pytest.raises(ToolError):
            docker.make([other])


def test_a_missing_tool_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_tool_path", lambda: str(tmp_path))
    with Store(tmp_path / "store") as store, report.terminal() as terminal:
        shop = build.workshop(store, terminal, engine="local")
        with pytest.raises(ToolError, match=r"lacks sh, .*make.*\n.*install"):
            shop.make([Step(name="test/step", script="true\n")])


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 3", "exit status 3, it said: nothing"),
        ("echo oxcross: damaged >&2; exit 70", "exit status 70, it said: oxcross: damaged"),
        ("echo fine", "exit status 0, it said: fine"),
    ],
)
def test_an_executable_that_does_not_run(tmp_path: Path, script: str, says: str) -> None:
    path = tmp_path / "app"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    with pytest.raises(InspectError, match=says):
        build._try_out(path, targets.get("linux-x64"))
    path.write_text('#!/bin/sh\n[ "$1" = --oxcross-verify ] && echo ok\n', encoding="utf-8")
    build._try_out(path, targets.get("linux-x64"))


def test_not_executable_at_all(tmp_path: Path) -> None:
    path = tmp_path / "app"
    path.write_bytes(b"\x7fELF")
    path.chmod(0o755)
    with pytest.raises(InspectError, match="does not run"):
        build._try_out(path, targets.get("linux-x64"))


def test_what_to_do_about_a_distribution_that_cannot_be_built(tmp_path: Path) -> None:
    (tmp_path / "app.py").touch()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "1"\n[tool.oxcross]\nrun-file = "app.py"\ntargets = ["linux-x64-musl"]\n'
    )
    project = projects.load(tmp_path)
    file = IndexFile(name="fast", version="1", filename="fast-1.tar.gz", sha256="a" * 64, size=1)
    resolution = Resolution((), built=(Sdist(file=file, backend="setuptools.build_meta"),))
    failed = BuildError("its script failed", where="linux-x64-musl/fast-1", hint="log: …")
    store = Store(tmp_path / "store")
    text = str(build._advised(failed, [project], [resolution], store))
    assert text.startswith("linux-x64-musl/fast-1: its script failed\n  log: …\n")
    assert "build for linux-x64" in text
    assert 'pure-packages = ["fast"]' in text
    other = BuildError("its script failed", where="linux-x64-musl/cpython", hint="log: …")
    assert build._advised(other, [project], [resolution], store) is other
    store.close()
