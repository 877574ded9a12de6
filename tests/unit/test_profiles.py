"""The profiles that CPython is optimised with: pinned, read, and what a build says of how they fit."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from oxcross import profiles, recipes, rooms, sources, targets, training
from oxcross.cpython import series
from oxcross.engine import image
from oxcross.errors import SourceError
from oxcross.plan import Tree
from oxcross.profiles import Profile

LOG = """\
x86_64-linux-gnu-cc -c -O3 -flto -o Objects/a.o Objects/a.c
Funcname=first, Hash=123 in building Objects/a.c
Funcname=second, Hash=124 in building Objects/a.c
Funcname=first, Hash=123 in building Objects/b.c
warning: Objects/a.c: no profile data available for function second Hash = 124 up to 0 count discarded [-Wbackend-plugin]
warning: Objects/b.c: function control flow change detected (hash mismatch) first Hash = 123 up to 70 count discarded [-Wbackend-plugin]
2 warnings generated.
"""


def finish() -> ModuleType:
    """The script that ends a build of CPython, as a module."""
    spec = importlib.util.spec_from_file_location("finish", rooms.room("templates") / "cpython" / "finish.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_the_tests_build_has_a_profile_and_every_pin_is_that_of_its_file() -> None:
    for row in series().values():
        if row.tested:
            assert profiles.get(sources.get("cpython", row.series).version), row.series
    for profile in profiles.load():
        assert len(profile.read()) == profile.size < 4_000_000
        assert profile.cpython in sources.versions("cpython")


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [profile, *_] = profiles.load()
    (tmp_path / profile.file).write_bytes(b"something else")
    monkeypatch.setattr(profiles, "room", lambda _name: tmp_path)
    with pytest.raises(SourceError, match=r"not the profile that profiles\.toml pins") as caught:
        profile.read()
    assert "invoke train" in str(caught.value.hint)


@pytest.mark.parametrize("target", ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"])
def test_every_target_is_built_with_the_same_profile(target: str) -> None:
    step = recipes.cpython(targets.get(target), "3.13")
    ours = step.inputs["profile"]
    theirs = recipes.cpython(targets.get("linux-x64"), "3.13").inputs["profile"]
    assert isinstance(ours, Tree)
    assert isinstance(theirs, Tree)
    assert ours.digest == theirs.digest
    assert "-fprofile-use=" in step.script


def test_a_version_without_a_profile_is_built_without_one() -> None:
    step = recipes.cpython(targets.get("linux-x64"), "3.12")
    assert "profile" not in step.inputs
    assert "-fprofile-use=" not in step.script
    assert "-flto" in step.script


def test_training_has_counters_and_no_profile() -> None:
    step = recipes.training("3.13")
    assert step.image == "training"
    assert "-fprofile-generate" in step.script
    assert "-fprofile-use" not in step.script
    assert "-m test --pgo" in step.script


def test_a_row_takes_the_place_of_the_one_of_the_same_version(tmp_path: Path) -> None:
    table = tmp_path / "profiles.toml"
    shutil.copy(rooms.room("profiles") / "profiles.toml", table)
    fields = {
        "file": "x.xz", "sha256": "0" * 64, "size": 3, "compiler": "c", "runtime": "r", "training": "t", "functions": 7,
    }  # fmt: skip
    for version in ("9.9.1", "9.9.2", "9.9.1"):
        training.pin(table, Profile(cpython=version, **fields))  # type: ignore[arg-type]
    text = table.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("cpython = ")]
    before = [f'cpython = "{profile.cpython}"' for profile in profiles.load()]
    assert rows == [*before, 'cpython = "9.9.2"', 'cpython = "9.9.1"']
    assert text.startswith("# The profiles")


def test_how_much_of_the_profile_fits_is_read_from_what_the_compiler_said() -> None:
    assert finish().fit(LOG) == {
        "functions": 3,
        "matched": 1,
        "unknown": ["Objects/a.c:second"],
        "changed": {"Objects/b.c:first": 70},
    }
    assert finish().fit("")["functions"] == 0


def test_libraries_that_became_part_of_libpython_are_not_linked_again(tmp_path: Path) -> None:
    (tmp_path / "libz.a").touch()
    words = ["Modules/expat/libexpat.a", "-L/somewhere", "-lz", "-lm", "-lz"]
    assert finish().libraries(words, tmp_path) == ["libz.a", "-lm"]


def test_the_training_itself_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("train", rooms.room("templates") / "cpython" / "train.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "train", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "_SECONDS", 0.0)
    monkeypatch.setattr(module, "start", lambda: None)
    module.main()


def test_the_training_image_is_a_step_image_with_the_profile_tools() -> None:
    table = image.Images(None, print)  # type: ignore[arg-type] # no daemon is asked
    base = table._packages("base")
    packages = table._packages("training")
    assert packages[: len(base)] == base
    assert f"llvm-{profiles.LLVM}" in packages
    assert f"libclang-rt-{profiles.LLVM}-dev" in packages
    pulled = table._chain("training", "debian:some@sha256:0")[-1][1]
    assert f"llvm-{profiles.LLVM}" in pulled, "installed on a base that is pulled"
    bootstrapped = table._chain("training", "oxcross-bootstrap:x")[-1][1]
    assert "apt-get" not in bootstrapped, "in the base already: a build has no network"
