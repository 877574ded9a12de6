"""Publishers as processes of their own, many a second: forked from one that has imported everything.

Run as a program it reads lines of JSON: {"argv", "env", "out"} starts the oxcross program in a child, whose process id is the answer;
{"wait": PID} answers with its exit status, negative for a signal. The children are real: they can be killed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Done:
    """How a publisher ended."""

    status: int  # negative: the signal
    output: str  # stdout and stderr


class Publishers:
    """The process that forks publishers. A context manager."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._env = dict(env)
        self._outputs: dict[int, Path] = {}
        self._count = 0

    def __enter__(self) -> Self:
        repository = Path(__file__).parent.parent.parent
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            cwd=repository,
            env={**os.environ, "PYTHONPATH": str(repository)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _ask(self, question: Mapping[str, Any]) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(self, *argv: str, **env: str) -> int:
        """Start the oxcross program; its process id."""
        self._count += 1
        out = self._folder / f"{self._count}.txt"
        pid = self._ask({"argv": argv, "env": {**self._env, **env}, "out": str(out)})
        self._outputs[pid] = out
        return pid

    def wait(self, pid: int) -> Done:
        """Until it ends."""
        status = self._ask({"wait": pid})
        return Done(status, self._outputs[pid].read_text(encoding="utf-8", errors="replace"))

    def run(self, *argv: str, **env: str) -> Done:
        """Start it, and wait."""
        return self.wait(self.start(*argv, **env))


def _child(question: Mapping[str, Any]) -> None:
    out = os.open(question["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in ((0, null), (1, out), (2, out)):
        os.dup2(source, target)
    os.environ.update(question["env"])
    from oxcross.cli import main

    status = main(question["argv"])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _serve() -> None:
    import boto3

    import oxcross.cli
    import oxcross.config
    import oxcross.publish.published
    import oxcross.publish.publishing
    import oxcross.publish.retention
    import oxcross.publish.verification
    import oxcross.tasks  # noqa: F401 (all of this so that the children have it)

    boto3.Session(region_name="us-east-1").client(
        "s3",
        aws_access_key_id="x",
        aws_secret_access_key="x",  # noqa: S106 (nobody's)
    ).close()
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            _, status = os.waitpid(question["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            try:
                _child(question)
            finally:
                os._exit(99)
        print(pid, flush=True)


if __name__ == "__main__":
    _serve()
