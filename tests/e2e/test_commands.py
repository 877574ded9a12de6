"""Several commands in one executable: a name, a link or the first argument picks one."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from program import APPS, build, oxcross

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
USAGE = """\
usage: tools COMMAND [ARGUMENT ...]

commands:
  tell
  again
  serve

A link called like a command runs it: ln -s tools serve
"""


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("commands") / "tools"
    shutil.copytree(APPS / "tools", folder)
    return build(folder)


def run(*line: object, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(word) for word in line],
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def told(command: str, script: object, arguments: list[str]) -> tuple[int, str, str]:
    """What the command prints when it sees these."""
    return len(arguments), f"{command} {script} {arguments}\n", ""


def test_the_first_argument(tools: Path) -> None:
    assert run(tools, "tell", "a", "-m", "b") == told("tell", tools / "bin/tell", ["a", "-m", "b"])
    assert run(tools, "tell") == told("tell", tools / "bin/tell", [])
    assert run(tools, "tell", "tell") == told("tell", tools / "bin/tell", ["tell"])


@pytest.mark.parametrize("made", ["link", "hard link", "copy"])
def test_the_name_it_is_started_by(tools: Path, tmp_path: Path, made: str) -> None:
    name = tmp_path / "tell"
    subprocess.run(
        {"link": ["ln", "-s"], "hard link": ["ln"], "copy": ["cp"]}[made] + [tools, name], check=True
    )
    assert run(name, "x") == told("tell", name, ["x"])
    assert run(name, "again") == told("tell", name, ["again"])
    assert run("sh", "-c", "tell y", PATH=f"{tmp_path}:{ENVIRONMENT['PATH']}") == told("tell", name, ["y"])
    assert run("sh", "-c", f"cd {tmp_path} && ./tell") == told("tell", "./tell", [])
    # Where the files lie is the executable's own path, not the link's.
    place = tools if made == "link" else name
    assert run(name, "file")[1].splitlines()[1:] == [f"{place}/many.py", str(place), "True"]


def test_a_name_given_without_a_file(tools: Path) -> None:
    done = run("bash", "-c", f"exec -a again {tools} tell")
    assert done == told("again", tools / "bin/again", ["tell"])


def test_nothing_or_a_wrong_word(tools: Path) -> None:
    assert run(tools) == (2, "", USAGE)
    assert run(tools, "--help") == run(tools, "-h") == (0, USAGE, "")
    for word, message in {
        "tlel": "there is no command 'tlel'; did you mean 'tell'?",
        "servr": "there is no command 'servr'; did you mean 'serve'?",
        "--version": "there is no command '--version'",
        "": "there is no command ''",
        "x" * 5000: f"there is no command '{'x' * 5000}'",
    }.items():
        assert run(tools, word) == (2, "", f"tools: {message}\n{USAGE}")


def test_usage_lines_name_the_command(tools: Path, tmp_path: Path) -> None:
    (tmp_path / "serve").symlink_to(tools)
    for line in ([tools, "serve"], [tmp_path / "serve"]):
        status, output, errors = run(*line, "--help")
        assert (status, errors) == (0, "")
        assert output.startswith("usage: serve [-h] [--port PORT]\n")


@pytest.mark.parametrize("way", ["script", "arguments", "original", "replace"])
@pytest.mark.parametrize("start", ["argument", "link", "word"])
@pytest.mark.parametrize("given", [[], ["-m", "tell"], ["-c", "print(1)"], ["-I", "x.py"]])
def test_a_command_that_starts_itself_again(
    tools: Path, tmp_path: Path, way: str, start: str, given: list[str]
) -> None:
    (tmp_path / "again").symlink_to(tools)
    line = {"argument": f"{tools} again", "link": f"{tmp_path}/again", "word": "again"}[start]
    path = f"{tmp_path}:{ENVIRONMENT['PATH']}"
    status, output, errors = run("sh", "-c", f'{line} "$@"', "sh", *given, PATH=path, AGAIN=way)
    first, second = (text.split(" ", 2) for text in output.splitlines())
    assert (first[0], first[2]) == (second[0], second[2]) == ("again", str(given))
    assert Path(second[1]).name == "again"
    assert (status, errors) == (len(given), "")


def test_a_command_by_its_own_file(tools: Path) -> None:
    """What is in sys.argv[0] can be started, though it lies below the executable."""
    status, output, errors = run(tools, "again", "-c", "x", AGAIN="file")
    assert (status, errors) == (2, "")
    assert output == f"again {tools}/bin/again ['-c', 'x']\n" * 3


def test_children_are_python_in_every_command(tools: Path) -> None:
    assert run(tools, "python") == (2, "", f"tools: there is no command 'python'\n{USAGE}")
    assert run(tools, "again", AGAIN="python") == (
        0,
        f"again {tools}/bin/again []\npython {tools} ['-c', 'tell']\n",
        "",
    )


def test_inspect_and_the_release_list_them(tools: Path) -> None:
    facts = json.loads(oxcross("inspect", str(tools), "--json").stdout)
    assert facts["run"] == {"kind": "commands", "target": ""}
    assert facts["commands"]["serve"] == {"kind": "module", "target": "server"}
    assert "command         tell: entry-point many:tell\n" in oxcross("inspect", str(tools)).stdout
    released = json.loads(oxcross("release", "--project", str(tools.parents[2]), "--json").stdout)
    assert [one["commands"] for one in released["artifacts"]] == [["again", "serve", "tell"]]


def test_a_program_that_runs_without_a_command(project: Callable[..., Path]) -> None:
    tools = build(project("tools", run_module='"server"'))
    assert run(tools, "tell") == told("tell", tools / "bin/tell", [])
    status, output, errors = run(tools, "-h")
    assert (status, errors) == (0, "")
    assert output.startswith("usage: tools [-h] [--port PORT]\n")
    assert run(tools, "tlel")[0] == 2
