"""Runs steps on this machine: in a private root where the kernel gives one, else in a real folder.

The bytes are the same: scripts use ``$ROOT`` only, and map it away in what they compile.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from oxcross import trees
from oxcross.engine import Job, namespaces
from oxcross.engine.process import Processes
from oxcross.errors import ToolError
from oxcross.plan import FIXED_ENVIRONMENT, SANDBOX_ROOT

# What templates may use, and the Debian package that has it.
HOST_TOOLS: Mapping[str, str] = MappingProxyType(
    {
        "awk": "mawk",
        "bzip2": "bzip2",
        "cmp": "diffutils",
        "find": "findutils",
        "grep": "grep",
        "gzip": "gzip",
        "install": "coreutils",
        "make": "make",
        "patch": "patch",
        "perl": "perl",
        "sed": "sed",
        "tar": "tar",
        "tclsh": "tcl",
        "xz": "xz-utils",
    }
)


def missing_tools() -> list[str]:
    """The host tools that steps would not find on this machine (on their own PATH, not the caller's)."""
    return [tool for tool in HOST_TOOLS if shutil.which(tool, path=FIXED_ENVIRONMENT["PATH"]) is None]


class LocalEngine:
    """The engine without a daemon. ``OXCROSS_LOCAL=plain`` forces it to do without namespaces,
    ``OXCROSS_LOCAL=namespaces`` to refuse to."""

    name = "local"

    def __init__(self, *, notice: Callable[[str], None] | None = None) -> None:
        self._notice = notice or (lambda _: None)
        self._processes = Processes()

    @cached_property
    def mode(self) -> str:
        """ "namespaces" or "plain"; tried at the first use, which takes a few hundredths of a second."""
        asked = os.environ.get("OXCROSS_LOCAL", "")
        if asked == "plain":
            return "plain"
        with tempfile.TemporaryDirectory(prefix="oxcross-probe-") as scratch:
            reason = namespaces.refusal(Path(scratch))
        if reason is None:
            return "namespaces"
        if asked == "namespaces":
            raise ToolError(
                f"no namespaces for steps: {reason}",
                where="OXCROSS_LOCAL=namespaces",
                hint="let ordinary users make user namespaces "
                "(sysctl kernel.apparmor_restrict_unprivileged_userns=0, user.max_user_namespaces=15000)",
            )
        self._notice(f"steps run without namespaces: {reason}")
        return "plain"

    def prepare(self, images: Iterable[str]) -> None:
        """See that the host tools are here, and choose the mode; images are the docker engine's."""
        if missing := missing_tools():
            packages = " ".join(sorted({HOST_TOOLS[tool] for tool in missing}))
            raise ToolError(
                f"this machine lacks {', '.join(missing)}",
                hint=f"apt-get install {packages}, or build in a container: --engine docker",
            )
        _ = images, self.mode
        self._processes.allow()

    def run(self, job: Job) -> int:
        """Run the script to its end; its exit status, or a negative number when it was stopped."""
        command, env = self._command(job, ["/bin/sh", f"{self._root(job)}/script"], terminal=False)
        return self._processes.run(command, env, job.work, job.log)

    def shell(self, job: Job) -> int:
        """An interactive sh on the caller's terminal; ``sh $ROOT/script`` runs the step there.

        Without job control: the terminal's process group is not in the step's PID namespace.
        """
        command, env = self._command(job, ["/bin/sh", "+m", "-i"], terminal=True)
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the shell's, not ours
        try:
            return subprocess.run(command, env=env, cwd=job.work, umask=0o022, check=False).returncode
        finally:
            signal.signal(signal.SIGINT, before)

    def stop(self) -> None:
        """End every running job now."""
        self._processes.stop()

    def close(self) -> None:
        """As ``stop``: a job's processes end with its ``run``."""
        self.stop()

    def _root(self, job: Job) -> str:
        return SANDBOX_ROOT if self.mode == "namespaces" else str(job.folder.resolve())

    def _command(self, job: Job, arguments: list[str], *, terminal: bool) -> tuple[list[str], dict[str, str]]:
        (job.folder / "tmp").mkdir(exist_ok=True)
        if self.mode == "namespaces":
            (job.folder / "root").mkdir(exist_ok=True)
            setup = job.folder / "setup"
            setup.write_text(namespaces.script(job, arguments, terminal=terminal))
            return namespaces.command(setup), namespaces.environment()
        _copy_inputs(job)
        env = job.environment(self._root(job))
        if terminal:
            env["TERM"] = os.environ.get("TERM", "dumb")
        return arguments, env


def _copy_inputs(job: Job) -> None:
    """Give a plain job copies of its inputs: through a link it could change the store itself."""
    folder = job.folder / "in"
    if folder.exists():
        return
    folder.mkdir()
    if job.script != job.folder / "script":
        trees.copy(job.script, job.folder / "script")
    for name, path in job.inputs.items():
        trees.copy(path, folder / name)
    _make_read_only(folder)


def _make_read_only(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & 0o555)
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o555)
