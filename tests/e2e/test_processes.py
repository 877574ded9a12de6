"""The executable as its own ``sys.executable``: an interpreter where libraries want one, else the application.

The reference is the CPython that the executable was made of, in a virtual environment that holds the package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from program import APPS, POSIX, build, reference_python

SOURCE = APPS / "processes"
ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
ENTRY_POINT = (
    'run-file = "processes.py"\nproject = false\n',
    'entry-point = "teamwork.again:main"\nproject = true\n',
)
METHODS = ["spawn", "forkserver", "fork"]
ENDINGS = [
    "generators",
    "coroutine",
    "daemon",
    "waited",
    "fork_in_thread",
    "fork",
    "interrupted",
    "terminated",
    "closed_output",
]
SAME = [
    f"{action}-{method}" for action in ("pool", "counter", "memory", "executor") for method in METHODS
] + [
    "manager-spawn",
    "preload-forkserver",
    "tracker",
    "command",
    "module",
    "flags",
    "inherited",
    "stdin",
    "script",
    "interpreter",
]


def _make(folder: Path, old: str, new: str, target: str = "linux-x64") -> Path:
    shutil.copytree(SOURCE, folder)
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    configuration.write_text(text.replace(old, new), encoding="utf-8")
    return build(folder, target=target)


@pytest.fixture(scope="session", params=POSIX)
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, emulated: None) -> Path:
    del emulated
    return _make(tmp_path_factory.mktemp("file") / "processes", "", "", request.param)


@pytest.fixture(scope="session")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that starts itself, by an entry point: there is no main file."""
    folder = tmp_path_factory.mktemp("entry") / "processes"
    return _make(folder, *ENTRY_POINT)


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference") / "venv"
    subprocess.run([reference_python(), "-I", "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python3*/site-packages"))
    shutil.copytree(SOURCE / "teamwork", packages / "teamwork")
    return folder / "bin" / "python"


def _run(*line: object) -> tuple[int, str, str]:
    done = subprocess.run(
        [str(word) for word in line],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("action", SAME)
def test_same_as_python(program: Path, reference: Path, action: str) -> None:
    expected = _run(reference, "-X", "utf8", SOURCE / "processes.py", action)
    assert expected[0] == 0, expected[2]
    library = next(iter(reference_python().parent.parent.glob("lib/python3*")))
    text = expected[1].replace(str(library), f"{program}/lib/{library.name}")
    assert _run(program, action) == (0, text, expected[2])


def test_settings_and_options_add_up(tmp_path: Path) -> None:
    interpreter = "interpreter = { isolated = false, quiet = true, bytes-warning = 1 }"
    settings = f'run-file = "processes.py"\noptimize = 2\n{interpreter}'
    executable = _make(tmp_path / "processes", 'run-file = "processes.py"', settings)
    status, output, errors = _run(executable, "levels")
    expected = ["2 1 1", "2 1 1", "2 1 1", "3 1 1", "2 1 1", "2 2 1", "2 1 1", "2 1 1", "3 1 1"]
    assert (status, errors) == (0, "")
    assert output.splitlines() == [f"0 '{line}\\n' ''" for line in expected]


def test_command_lines_of_python(tmp_path: Path, reference: Path) -> None:
    """With settings that python has by itself, all that it shows of its command line is the same."""
    settings = 'run-file = "lines.py"\ninterpreter = { isolated = false, site = true }'
    executable = _make(tmp_path / "processes", 'run-file = "processes.py"', settings)
    found, expected = _run(executable), _run(reference, SOURCE / "lines.py")
    library = next(iter(reference_python().parent.parent.glob("lib/python3*")))
    text = expected[1].replace(str(reference), str(executable))
    text = text.replace(str(library), f"{executable}/lib/{library.name}")
    assert found[1].splitlines() == text.splitlines()
    assert found == (0, text, expected[2])


@pytest.fixture(scope="session")
def endings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("endings") / "processes"
    return _make(folder, 'run-file = "processes.py"', 'run-file = "endings.py"')


@pytest.mark.parametrize("way", ENDINGS)
def test_ends_like_python(endings: Path, reference: Path, way: str) -> None:
    status, output, errors = _run(reference, SOURCE / "endings.py", way)
    errors = errors.replace(str(SOURCE), str(endings))
    assert _run(endings, way) == (status, output, errors)


@pytest.mark.parametrize("place", ["", "scripts"])
@pytest.mark.parametrize("method", METHODS)
def test_pools_without_sources(project: Callable[..., Path], method: str, place: str) -> None:
    folder = project("processes", sources="false")
    if place:
        for name in ("processes.py", "teamwork"):
            (folder / place).mkdir(exist_ok=True)
            (folder / name).rename(folder / place / name)
        configuration = folder / "pyproject.toml"
        text = configuration.read_text(encoding="utf-8")
        configuration.write_text(text.replace('"processes.py"', f'"{place}/processes.py"'), encoding="utf-8")
    executable = build(folder)
    status, output, errors = _run(executable, f"executor-{method}")
    assert (status, output, errors) == (0, "[0, 1, 4, 9, 16] 729\n", "")


def test_pools_of_an_entry_point(again: Path) -> None:
    lines = [f"{method} [0, 1, 8, 27]\n" for method in METHODS]
    assert _run(again, "pools") == (0, "application ['pools']\n" + "".join(lines), "")


def test_own_options_are_the_applications(again: Path) -> None:
    children = [
        ["children"],
        ["-c", "settings.toml"],
        ["-m", "a message"],
        ["-v", "-c", "prod"],
        ["-", "-I"],
        ["-h"],
        ["-v"],
        ["--multiprocessing-fork", "always"],
        ["worker", "-m", "teamwork.tell"],
        ["letter.txt"],
        ["-m", "teamwork.tell"],  # by a link
        ["-c", "import sys"],  # by a word that a shell finds
    ]
    assert _run(again, "children") == (0, "".join(f"application {child}\n" for child in children), "")


@pytest.mark.parametrize(
    "given",
    [
        ["-I", "-c", "print(1)"],
        ["-m", "teamwork.tell"],
        ["--multiprocessing-fork", "pipe_handle=3"],
        ["-I", "-"],
    ],
)
def test_a_users_command_line_is_the_applications(again: Path, given: list[str]) -> None:
    assert _run(again, *given) == (0, f"application {given}\n", "")


def test_what_libraries_start_is_python(again: Path) -> None:
    tell = "tell __main__ teamwork teamwork.tell tell.py"
    python = "python __main__\n" * 2 + f"{tell} []\n{tell} ['a']\n"
    assert _run(again, "python") == (0, "application ['python']\n" + python, "")


def test_a_script_that_names_the_executable_is_python(again: Path, tmp_path: Path) -> None:
    for name, ran in {
        "script.py": "script []\n",
        "script.txt": f"application ['{tmp_path}/script.txt']\n",
    }.items():
        script = tmp_path / name
        script.write_text(f"#!{again}\nimport sys\nprint('script', sys.argv[1:])\n")
        script.chmod(0o700)
        assert _run(script) == _run(again, script) == (0, ran, "")
    assert _run("env", "-C", again.parent, f"./{again.name}", tmp_path / "script.py")[1].startswith(
        "application"
    )


def test_child_python_can_be_off(project: Callable[..., Path]) -> None:
    folder = project("processes")
    configuration = folder / "pyproject.toml"
    text = configuration.read_text(encoding="utf-8")
    text = text.replace(*ENTRY_POINT)
    configuration.write_text(text + "\n[tool.oxcross.interpreter]\nchild-python = false\n", encoding="utf-8")
    status, output, _ = _run(build(folder), "python")
    assert status == 0
    assert [line.split()[0] for line in output.splitlines()] == ["application"] * 5


def test_starting_itself_with_other_arguments(again: Path) -> None:
    lines = [f"application ['down', '{number}']\n" for number in range(5, -1, -1)]
    assert _run(again, "down", 5) == (5, "".join(lines), "")


@pytest.mark.parametrize("given", [["-c", "print('python')"], ["itself", "a", "-c", "b"]])
def test_starting_itself_with_the_same_arguments(again: Path, given: list[str]) -> None:
    assert _run(again, *given) == (0, f"application {given}\n" * 2, "")


def test_a_loop_is_stopped(again: Path) -> None:
    status, output, errors = _run(again, "loop")
    assert status == 70
    assert output.count("application") == 101
    assert errors.count("\n") == 1
    assert errors.startswith(f"oxcross: {again}: it started itself 100 times")
    assert "child-python" in errors


def test_replacing_itself_is_no_loop(again: Path) -> None:
    status, output, errors = _run(again, "replace", 150)
    assert (status, output.count("application"), errors) == (0, 151, "")
