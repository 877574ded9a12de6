"""Help that teaches: tasks by topic, examples that can be typed, a text for each flag."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from invoke.collection import Collection
from parsing import parse

from oxcross import cli, topics
from oxcross.command import command
from oxcross.tasks import TOPICS, ns

ROOT = Path(__file__).parents[2]


def repository() -> Collection:
    """The tasks of this repository."""
    spec = spec_from_file_location("repository_tasks", ROOT / "tasks.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Collection = module.ns
    return found


ALL = repository()


@pytest.mark.parametrize("name", list(ALL.task_names))
def test_examples(name: str) -> None:
    lines = topics.examples(ALL[name], "oxcross")
    assert 1 <= len(lines) <= 3
    for line in lines:
        typed, _, comment = line.partition("  # ")
        assert comment, line
        words = typed.split()
        assert words[0] == ("oxcross" if name in ns.task_names else "./invoke")
        assert {name, name.partition(".")[0]} & {words[1], ".".join(words[1:3])}, line
        parse(typed.partition(" ")[2].partition(" > ")[0], ALL)
    assert topics.examples(ALL[name], "./invoke")[0].startswith("./invoke ")


@pytest.mark.parametrize("name", list(ALL.task_names))
def test_every_flag_has_a_text(name: str) -> None:
    for _ in range(2):  # Invoke's own tasks hand each text out once
        assert not [argument.name for argument in ALL[name].get_arguments() if not argument.help]


def test_every_task_has_a_topic() -> None:
    found = topics.listed(ns, TOPICS)
    assert list(found) == list(TOPICS)
    typed = [name for rows in found.values() for name, _ in rows]
    assert len(typed) == len(set(typed)) == len(ns.task_names)
    assert typed.index("init") < typed.index("build") < typed.index("run") < typed.index("release")
    assert typed.index("publish") < typed.index("promote") < typed.index("rollback")
    assert [name for name, _ in found["Store and cache"]][:3] == ["cache", "cache list", "cache prune"]


def test_this_repository_s_tasks() -> None:
    """`./invoke --list`: its own come last."""
    found = topics.listed(ALL, TOPICS)
    assert {topic: found[topic] for topic in TOPICS} == topics.listed(ns, TOPICS)
    assert [name for name, _ in found[topics.OWN]][:3] == ["test", "lint", "bench"]


def test_tasks_that_nobody_knows() -> None:
    """A tasks.py of a user's own, with a group, and a task that goes by the name of one of ours."""

    @command
    def build(_c: object) -> None:
        """Build otherwise."""

    @command
    def deploy(_c: object) -> None:
        """Bring it there."""

    theirs = Collection("theirs", *(task for name, task in ns.tasks.items() if name != "build"), build)
    theirs.add_collection(Collection("site", deploy))
    found = topics.listed(theirs, TOPICS)
    assert found[topics.OWN] == [("build", "Build otherwise."), ("site deploy", "Bring it there.")]
    assert "build" not in [name for name, _ in found["Build"]]


@pytest.mark.parametrize("task", ["build", "cache", "cache prune"])
def test_help_is_a_word(task: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help", *task.split()]) == 0
    said = capsys.readouterr().out
    assert cli.main([*task.split(), "--help"]) == 0
    assert capsys.readouterr().out == said
    assert re.search(rf"\nExamples:\n  oxcross {task}", said)
    assert ("See also: cache list, cache prune" in said) is (task == "cache")


def test_help_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("usage: oxcross TASK")
    assert re.findall(r"^(\S.*):$", said, re.MULTILINE) == [*TOPICS, "Anywhere"]
    assert "--complete" not in said


def test_help_for_what_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["help", "biuld"]) == 2
    assert "did you mean 'build'?" in capsys.readouterr().err


def test_a_task_of_that_name_is_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    @command(name="help")
    def help_(_c: object) -> None:
        """Help otherwise."""
        sys.stdout.write("otherwise\n")

    assert cli.main(["help"], namespace=Collection(help_)) == 0
    assert capsys.readouterr().out == "otherwise\n"
