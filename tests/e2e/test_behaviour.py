"""An executable behaves as ``python`` does: the same probe run by both, in every way a process can end.

The reference is the CPython that the executable was made of, run from the store with ``-I -X utf8``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from program import APPS, POSIX, build, reference_python

PROBE = APPS / "probe" / "probe.py"
SAME = [
    "exit_none",
    "exit_number",
    "exit_big",
    "exit_text",
    "exit_tuple",
    "raises",
    "raises_group",
    "raises_with_note",
    "thread_exit",
    "thread_joined",
    "daemon_thread",
    "at_exit",
    "at_exit_raises",
    "unflushed",
    "unflushed_stdout",
    "interrupted",
    "terminated",
    "signals",
    "broken_pipe",
    "stdin_text",
    "closed_stdout",
    "streams",
    "warns",
    "recursion",
    "main_module",
    "collector",
    "archives",
    "stdlib",
]


@pytest.fixture(
    scope="session",
    params=[
        ("linux-x64", "full"),
        *((name, "fast") for name in POSIX),
    ],
    ids="-".join,
)
def probe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, emulated: None) -> Path:
    """The probe as an executable: on each target, and for each way to end the process."""
    del emulated
    target, ending = request.param
    folder = tmp_path_factory.mktemp("probe") / "probe"
    shutil.copytree(APPS / "probe", folder)
    with (folder / "pyproject.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(f'\n[tool.oxcross.interpreter]\nexit = "{ending}"\n')
    return build(folder, target=target)


def _outcome(
    line: list[str], env: Mapping[str, str], name: Path, stdin: str = "some text\n"
) -> tuple[int, str, str]:
    done = subprocess.run(line, env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False)
    errors = re.sub(r'File "[^"]*probe\.py"', 'File "probe.py"', done.stderr)
    # The importer's own frames stand between the launcher and the program in neither case; a thread's address may.
    errors = re.sub(r"0x[0-9a-f]+", "0x…", errors)
    errors = re.sub(r"^\S*probe\.py:", "probe.py:", errors, flags=re.MULTILINE)
    return done.returncode, done.stdout, errors.replace(str(name), "NAME")


@pytest.mark.parametrize("action", SAME)
def test_same_as_python(probe: Path, tmp_path: Path, action: str) -> None:
    outcomes = []
    for number, line in enumerate(
        ([str(reference_python()), "-I", "-X", "utf8", str(PROBE), action], [str(probe), action])
    ):
        env = {"PATH": os.environ["PATH"], "PROBE_FILE": str(tmp_path / f"kept{number}-")}
        outcomes.append(
            (
                _outcome(line, env, Path(line[0])),
                [p.read_text() for p in sorted(tmp_path.glob(f"kept{number}-*"))],
            )
        )
    assert outcomes[1] == outcomes[0]


def test_arguments_as_bytes(probe: Path) -> None:
    given = [b"plain", b"", b"with space", b"\xc3\xa9", b"\xff\xfe", b"--help", b"-c", b"-I", b"-"]
    done = subprocess.run([os.fsencode(probe), b"arguments", *given], capture_output=True, check=True)
    assert done.stdout.decode() == f"{[b'arguments', *given]}\n"


def test_python_variables_are_not_consulted(probe: Path, tmp_path: Path) -> None:
    (tmp_path / "os.py").write_text("raise SystemExit('taken from disk')\n", encoding="utf-8")
    env = {
        "PYTHONPATH": str(tmp_path),
        "PYTHONHOME": str(tmp_path),
        "PYTHONSTARTUP": str(tmp_path / "os.py"),
        "PYTHONINSPECT": "1",
        "PYTHONIOENCODING": "latin-1",
        "LC_ALL": "C",
    }
    done = subprocess.run(
        [probe, "streams"],
        env=env,
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "stdout utf-8" in done.stdout


def test_no_python_path_on_disk_is_touched(hello: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    strace = shutil.which("strace")
    assert strace, "strace is missing: apt-get install strace"
    done = subprocess.run(
        [strace, "-f", "-s", "4096", "-e", "trace=%file", "-o", trace, hello],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "hello world\n"
    paths = set(re.findall(r'"([^"]*)"', trace.read_text(encoding="utf-8")))
    assert not [
        path for path in paths if "python" in path.lower() or "pyvenv" in path or "site-packages" in path
    ]
    allowed = re.compile(
        rf"(|{re.escape(str(hello))}|/proc/self/exe|/etc/ld\.so\..*|/(usr/)?lib(64)?/.*\.so(\.[0-9.]+)?"
        r"|/(usr/)?lib(64)?/(glibc-hwcaps|tls|x86_64|haswell|x86_64-linux-gnu).*|/usr/lib/locale/.*|/usr/share/locale/.*"
        r"|/usr/lib/x86_64-linux-gnu/gconv/.*|/dev/urandom|/etc/localtime)"
    )
    assert sorted(path for path in paths if not allowed.fullmatch(path)) == []
