"""A program twice: as an oxcross executable, and installed in a virtual environment of the same CPython."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from program import APPS, HERE, build, reference_python


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it wrote; paths that differ from side to side have common names."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True)
class Side:
    """One of the two: how it is started, the folder it runs in, and the common names of paths."""

    line: tuple[str, ...]
    folder: Path
    names: Mapping[str, str]

    def environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        """A small environment: HOME is the folder, and what the test adds."""
        base = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "COLUMNS": "100"}
        return {**base, **(env or {})}

    def common(self, text: str) -> str:
        """The text with common names for paths."""
        for path in sorted(self.names, key=len, reverse=True):
            text = text.replace(path, self.names[path])
        return text

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 120
    ) -> Outcome:
        """Run a command to its end."""
        done = subprocess.run(
            [*self.line, *arguments],
            cwd=self.folder,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, self.common(done.stdout), self.common(done.stderr))

    def converse(self, *arguments: str, said: Sequence[tuple[str, str]], timeout: float = 120) -> str:
        """Run a command that asks: each answer is given a second after its question was asked; standard output.

        A second, because people are no faster, and programs of several processes rely on that: a console of
        Jupyter's asks before its subscription has reached the kernel, and waits for ever for what it missed.
        """
        output = b""
        with subprocess.Popen(
            [*self.line, *arguments],
            cwd=self.folder,
            env=self.environment(None),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            watchdog = threading.Timer(timeout, os.killpg, (process.pid, signal.SIGKILL))
            watchdog.start()
            try:
                for question, answer in said:
                    while not output.endswith(question.encode()):
                        byte = process.stdout.read(1)
                        assert byte, f"it ended: {output.decode()}"
                        output += byte
                    time.sleep(1)
                    process.stdin.write(answer.encode() + b"\n")
                    process.stdin.flush()
                output += process.communicate()[0]
            finally:
                watchdog.cancel()
        assert process.returncode == 0, output.decode()
        return self.common(output.decode())

    @contextlib.contextmanager
    def serve(
        self, *arguments: str, ready: str, env: Mapping[str, str] | None = None
    ) -> Iterator[tuple[str, list[str]]]:
        """Run a server while the block runs: (what ``ready`` captured in the log, lines of the log, whole afterwards).

        The log is both streams; the server is interrupted, as with Ctrl-C, and has to end by itself.
        """
        log: list[str] = []
        with subprocess.Popen(
            [*self.line, *arguments],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            try:
                found = None
                while found is None:
                    line = process.stdout.readline()
                    assert line, f"it ended: {''.join(log)}"
                    log.append(line)
                    found = re.search(ready, "".join(log), re.DOTALL)
                yield found[1], log
                os.killpg(process.pid, signal.SIGINT)
                log += process.communicate(timeout=30)[0].splitlines(keepends=True)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)
                raise


@dataclass(frozen=True)
class Pair:
    """The executable of a test application, and the environment that its oxcross.lock describes."""

    project: Path
    executable: Path
    environment: Path

    def sides(self, folder: Path, script: str, *before: str) -> tuple[Side, Side]:
        """The executable, and the console script (or, with a slash, the file of the project) beside it.

        Each runs in a folder of its own below ``folder``, a copy of the application's ``inputs``; ``before`` are
        the executable's first arguments.
        """
        packages = next(self.environment.glob("lib/python3*/site-packages"))
        library = next((reference_python().parent.parent / "lib").glob("python3*"))
        python = str(self.environment / "bin" / "python")
        installed = (
            (python, "-X", "utf8", script) if "/" in script else (str(self.environment / "bin" / script),)
        )
        here = []
        for name in ("executable", "python"):
            if (inputs := HERE / "inputs" / self.project.name).is_dir():
                shutil.copytree(inputs, folder / name)
            else:
                (folder / name).mkdir(parents=True)
            here.append(folder / name)
        return (
            Side(
                (str(self.executable), *before),
                here[0],
                {str(self.executable): "SITE", str(here[0]): "FOLDER"},
            ),
            Side(
                installed,
                here[1],
                {
                    str(packages): "SITE",
                    str(self.project): "SITE",
                    str(library): f"SITE/lib/{library.name}",
                    python: "SITE",
                    str(self.environment / "bin" / script): "SITE",
                    str(here[1]): "FOLDER",
                },
            ),
        )


def pair(app: str, folder: Path) -> Pair:
    """Build the application ``app`` and make its environment, below ``folder``."""
    project = folder / "project" / app
    shutil.copytree(APPS / app, project, ignore=shutil.ignore_patterns("build", "dist"))
    lock = (project / "oxcross.lock").read_bytes()
    executable = build(project)
    assert (project / "oxcross.lock").read_bytes() == lock, "oxcross.lock is not the committed one"
    made = folder / "environment"
    subprocess.run([reference_python(), "-I", "-m", "venv", "--without-pip", made], check=True)
    requirements = folder / "requirements.txt"
    lines = tomllib.loads(lock.decode())["targets"]["linux-x64"]["requirements"]
    requirements.write_text("\n".join(lines), encoding="utf-8")
    line = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*line, "--python", made / "bin" / "python", "-r", requirements], check=True)
    return Pair(project, executable, made)


def files(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below ``folder``, by path; without bytecode, which executables do not write."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
