"""Runs a target's programs on this machine: as they are, under QEMU, under wine, or by the command in
``OXCROSS_RUNNER_TARGET`` (``OXCROSS_RUNNER_MACOS_ARM64``), which then gets the executable and its arguments.

Wine keeps a Windows installation in a folder ("prefix"). oxcross has one of its own in the user's cache folder, made
when it is first needed, so that nothing of the user's is touched; ``WINEPREFIX`` names another.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from oxcross import locks
from oxcross.errors import ToolError
from oxcross.targets import Target

_PREFIX_SECONDS = 300.0


def command(target: Target) -> list[str]:
    """What stands before the executable on a command line; the user's own choice comes first."""
    own = os.environ.get(f"OXCROSS_RUNNER_{target.name.upper().replace('-', '_')}")
    return shlex.split(own) if own else list(target.runner)


def line(target: Target, executable: Path | str, *arguments: str) -> list[str]:
    """The command line that runs the target's ``executable`` here."""
    return [*command(target), str(executable), *arguments]


def lacking(target: Target) -> str | None:
    """Why the target's programs cannot be run here; None when they can."""
    words = command(target)
    if not words:
        return "it takes a Mac for that" if target.elsewhere else None
    folders = [word for word in target.runner if word.startswith("/") and not Path(word).is_dir()]
    missing = words[0] if shutil.which(words[0]) is None else next(iter(folders), None)
    if missing is None:
        return None
    advice = f": apt-get install {' '.join(target.runner_packages)}" if target.runner_packages else ""
    return f"{missing} is not on this machine{advice}"


def environment(target: Target, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for that command: ``base`` (default: this process's) and what the runner wants.

    Makes wine's prefix when it is not there. ToolError when that fails.
    """
    own = dict(os.environ if base is None else base)
    if target.os != "windows":
        return own
    own |= {name: value for name, value in target.runner_environment.items() if name not in own}
    own.setdefault("WINEPREFIX", str(Path(platformdirs.user_cache_dir("oxcross")) / "wine"))
    _make_prefix(Path(own["WINEPREFIX"]), own)
    return own


@contextmanager
def warmed(target: Target) -> Iterator[None]:
    """While the block works, let the runner make itself ready: wine's first program waits for its services to start."""
    if target.os != "windows" or lacking(target) is not None:
        yield
        return
    first = subprocess.Popen(
        line(target, "hostname"),
        env=environment(target),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        first.kill()
        first.wait()


def _make_prefix(prefix: Path, env: Mapping[str, str]) -> None:
    """Make a prefix, in one step: nobody sees half of one."""
    if (prefix / "system.reg").is_file():
        return
    prefix.parent.mkdir(parents=True, exist_ok=True)
    with locks.locked(prefix.with_name(f".{prefix.name}.lock")):
        if (prefix / "system.reg").is_file():
            return
        made = Path(tempfile.mkdtemp(prefix=".wine-", dir=prefix.parent))
        try:
            _boot(made, env)
            shutil.rmtree(prefix, ignore_errors=True)
            made.rename(prefix)
        finally:
            shutil.rmtree(made, ignore_errors=True)


def _boot(prefix: Path, env: Mapping[str, str]) -> None:
    own = {**env, "WINEPREFIX": str(prefix)}
    try:
        for command in (["wineboot", "--init"], ["wineserver", "--wait"]):
            found = shutil.which(command[0]) or f"/usr/lib/wine/{command[0]}"
            subprocess.run(
                [found, *command[1:]],
                env=own,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PREFIX_SECONDS,
                check=True,
            )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(
            f"wine could not make its folder: {error}", where=str(prefix), hint="apt-get install wine wine64"
        ) from None
