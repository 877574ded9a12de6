"""Recipes: the graph of a target, and scripts that are sound before anything runs."""

import json
import re
import shutil
import subprocess

import pytest

from oxcross import recipes, rooms, targets
from oxcross.cpython import series
from oxcross.errors import ConfigError, SourceError
from oxcross.plan import Plan, Step, Tree
from oxcross.sdist import IndexFile, Sdist
from oxcross.targets import Target

SDISTS = (
    Sdist(
        file=IndexFile(name="pyyaml", version="6", filename="pyyaml-6.tar.gz", sha256="a" * 64, size=1),
        backend="backend",
        backend_path=("packaging",),
        wheels=(
            IndexFile(name="cython", version="3", filename="c-3-py3-none-any.whl", sha256="b" * 64, size=1),
        ),
    ),
    Sdist(
        file=IndexFile(name="plus", version="1", filename="plus-1.tar.gz", sha256="c" * 64, size=1),
        backend="setuptools.build_meta",
        cxx=True,
    ),
)
LINUX = [target for target in targets.load().values() if target.os == "linux"]


def plan(name: str, sdists: tuple[Sdist, ...] = ()) -> Plan:
    return Plan.of(recipes.steps(targets.get(name), sdists=sdists))


def all_steps() -> list[Step]:
    plans = [*(plan(target.name, SDISTS) for target in LINUX), plan("win-x64")]
    return list({step.key: step for one in plans for step in one}.values())


def test_the_graph_of_linux_x64() -> None:
    steps = plan("linux-x64")
    assert {step.name.removeprefix("linux-x64/") for step in steps} == {
        "toolchain", "runtime", *(recipes.LIBRARIES.keys() - {"libyaml"}), "cpython", "licences", "launcher",
    }  # fmt: skip
    assert steps.steps[-1].name == "linux-x64/launcher"
    cpython = steps.named("linux-x64/cpython")
    assert {step.name.removeprefix("linux-x64/") for step in cpython.needs} == {
        "toolchain", *series()["3.13"].libraries,
    }  # fmt: skip


@pytest.mark.parametrize("name", ["linux-arm64", "linux-x64-musl", "linux-arm64-musl"])
def test_other_linux_targets_are_data(name: str) -> None:
    steps = plan(name)
    cpython = steps.named(f"{name}/cpython")
    assert "linux-x64/cpython" in [step.name for step in cpython.needs], "a python that runs here"
    assert f"--host={targets.get(name).triple}" in cpython.script
    assert "--with-build-python=" in cpython.script


def test_the_graph_of_win_x64() -> None:
    steps = plan("win-x64")
    own = {step.name.removeprefix("win-x64/") for step in steps if step.name.startswith("win-x64/")}
    assert own == {
        "toolchain", "zlib", "bzip2", "xz", "zstd", "openssl", "libffi", "sqlite", "cpython", "licences",
        "launcher",
    }  # fmt: skip
    cpython = steps.named("win-x64/cpython")
    assert {"linux-x64/cpython", "win-x64/openssl"} <= {step.name for step in cpython.needs}
    compressed = recipes.steps(targets.get("win-x64"), compression="zstd")
    assert compressed[-1] == steps.steps[-1], "program code is not packed there"


def test_the_launcher_for_windows_takes_no_posix_sources() -> None:
    code = plan("win-x64").named("win-x64/launcher").inputs["launcher"]
    assert isinstance(code, Tree)
    suffixes = {path.removesuffix(".c").rpartition("_")[2] for path in code.files if path.endswith(".c")}
    assert "windows" in suffixes
    assert not suffixes & {"linux", "posix", "glibc", "musl", "macos"}


@pytest.mark.parametrize("step", all_steps(), ids=lambda step: step.name)
def test_a_script_parses_and_keeps_the_rules(step: Step) -> None:
    shell = shutil.which("sh")
    assert shell
    done = subprocess.run([shell, "-n"], input=step.script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert step.script.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in step.script
    assert step.outputs
    literal = [line for line in step.script.splitlines() if re.search(r"/oxcross/(in|out|work|tmp)\b", line)]
    assert not literal, "paths of the sandbox are variables"
    for name in re.findall(r"\$IN/([A-Za-z0-9+.-]+)", step.script):
        assert name.rstrip(".") in step.inputs, f"{name} is read and is no input"


def test_templates_ask_for_no_target_by_name() -> None:
    for path in rooms.room("templates").glob("*.j2"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"target\.(name|triple) *==", text), path.name


def test_rendering_is_stable() -> None:
    before = {step.name: step.key for step in all_steps()}
    for made in (recipes.toolchain, recipes.library, recipes.cpython, recipes.launcher, recipes.runtime):
        made.cache_clear()
    assert {step.name: step.key for step in all_steps()} == before


def test_the_launcher_takes_its_own_sources_only() -> None:
    step = recipes.launcher(targets.get("linux-x64"), "3.13")
    tree = step.inputs["launcher"]
    assert isinstance(tree, Tree)
    assert "resources.h" in tree.files
    assert not [path for path in tree.files if re.search(r"_(windows|macos)\.c$|^(fuzz|tests)/", path)]


def test_facts_for_the_finish() -> None:
    support = recipes.cpython(targets.get("linux-x64"), "3.13").inputs["support"]
    assert isinstance(support, Tree)
    facts = json.loads(support.files["facts.json"])
    assert facts["native"] is True
    assert {"_ssl", "_sqlite3", "_ctypes", "readline", "_curses_panel", "_uuid"} <= set(facts["modules"])
    assert {"cpython", "openssl", "zstd"} <= {component["name"] for component in facts["components"]}
    assert all(component["licence"] for component in facts["components"])


@pytest.mark.parametrize("target", LINUX, ids=lambda target: target.name)
def test_the_graph_of_extension_modules(target: Target) -> None:
    steps = plan(target.name, SDISTS)
    pyyaml, plus = steps.named(f"{target.name}/pyyaml-6"), steps.named(f"{target.name}/plus-1")
    assert pyyaml.inputs["sdist"] == SDISTS[0].file
    assert pyyaml.inputs["wheel-0"] == SDISTS[0].wheels[0]
    needs = {step.name.partition("/")[2] for step in (*pyyaml.needs, *plus.needs)}
    assert needs == {"toolchain", "cpython", "libyaml", "cxx"}
    support = pyyaml.inputs["support"]
    assert isinstance(support, Tree)
    assert {"build.py", "hook.py", "isolate.py", "link.py", "harvest.py"} <= set(support.files)
    facts = json.loads(support.files["facts.json"])
    assert facts["environment"]["PYYAML_FORCE_LIBYAML"] == "1"
    assert facts["machine"] == target.arch
    assert facts["suffixes"][0].endswith(f"-{target.platform_tag}.so")
    launcher = steps.wanted[-1]
    assert {pyyaml, plus, recipes.launcher(target, "3.13")} <= set(launcher.needs)
    assert launcher.key != recipes.launcher(target, "3.13").key


def test_compressed_launchers_of_two_applications_are_two_steps() -> None:
    target = targets.get("linux-x64")
    made = [recipes.steps(target, compression="zstd", sdists=some)[-1] for some in (SDISTS, SDISTS[:1], ())]
    assert len(Plan.of(made).wanted) == len({step.name for step in made}) == 3


def test_a_python_without_a_recipe() -> None:
    with pytest.raises(ConfigError, match=r"no recipe for Python 3\.11"):
        recipes.cpython(targets.get("linux-x64"), "3.11")


def test_a_python_that_is_not_pinned() -> None:
    with pytest.raises(SourceError, match=r"cpython 3\.13\.1 is not pinned"):
        recipes.cpython(targets.get("linux-x64"), "3.13.1")


def test_a_target_without_run_time_libraries() -> None:
    assert recipes.runtime(targets.get("linux-x64-musl")) is None
