"""Which commit a project is checked out from, and a checkout of one beside it: all that is asked of git.

No hook of the repository's runs, and no variable of an enclosing git (a hook that releases) says which repository is meant.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from oxcross.errors import ReproduceError, ToolError

_QUIET: Final = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")
_MADE: Final = ("build", "dist")  # what oxcross itself writes into a project's folder
_MODULES: Final = ".gitmodules"
_SHORT: Final = re.compile(r"(?:[^@/:]+@)?([^@/:]+):(?!//)(.+)")  # git-clone(1): host:path
_OF_A_REPOSITORY: Final = frozenset(  # git rev-parse --local-env-vars, less those that only configure
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What a project was checked out from. ``path``: its folder below the repository's top, with slashes; "" is the top."""

    commit: str  # 40 or 64 hex digits
    path: str
    dirty: bool  # something of the repository, ignored files aside, is not as the commit has it

    def document(self) -> dict[str, str | bool]:
        """For the manifest."""
        return {"commit": self.commit, "path": self.path, "dirty": self.dirty}


def current(folder: Path) -> Revision | None:
    """The commit that ``folder`` is checked out from; None when it lies in no repository, or in one without a commit.

    ToolError when there is a repository and git cannot read it.
    """
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return None
    path = _git(folder, "rev-parse", "--show-prefix").removesuffix("\n").rstrip("/")
    found = _run(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if found.returncode:
        return None
    made = [f":(exclude,top,literal){f'{path}/{name}' if path else name}" for name in _MADE]
    changed = _git(folder, "status", "--porcelain", "--untracked-files=normal", "--", ":/", *made)
    return Revision(commit=found.stdout.strip(), path=path, dirty=bool(changed))


def address(folder: Path) -> str:
    """Where others find the repository that ``folder`` is in, without user, password and query; "" when that is nowhere."""
    found = _run(folder, "remote", "get-url", "origin")
    return public(found.stdout.strip()) if found.returncode == 0 else ""


def public(remote: str) -> str:
    """An address of git's as others may see it; "" for a path of this machine."""
    if (short := _SHORT.fullmatch(remote)) is not None:
        remote = f"ssh://{short[1]}/{short[2].lstrip('/')}"
    try:
        parts = urlsplit(remote)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("https", "http", "ssh", "git") or not host:
        return ""
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


@contextmanager
def checkout(folder: Path, commit: str) -> Iterator[Path]:
    """The top of a temporary checkout of that commit of the repository that ``folder`` is in; it is removed at the end.

    ReproduceError when the commit is not there.
    """
    if _run(folder, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        raise ReproduceError(
            f"the commit that it was made from is not in this repository: {commit}",
            where=str(folder),
            hint="`git fetch origin` it; of a shallow clone: `git fetch --unshallow`",
        )
    beside = Path(tempfile.mkdtemp(prefix="oxcross-reproduce-"))
    top = beside / "source"
    try:
        _git(folder, "worktree", "add", "--quiet", "--detach", str(top), commit)
        if (top / _MODULES).is_file():
            _git(top, "submodule", "--quiet", "update", "--init", "--recursive")
        yield top
    finally:
        _run(folder, "worktree", "remove", "--force", "--force", str(top))
        shutil.rmtree(beside, ignore_errors=True)


def _git(folder: Path, *arguments: str) -> str:
    """What git prints. ToolError when it fails."""
    done = _run(folder, *arguments)
    if done.returncode:
        said = done.stderr.strip() or f"exit status {done.returncode}"
        raise ToolError(f"git {arguments[0]}: {said}", where=str(folder))
    return done.stdout


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_REPOSITORY}
    try:
        process = subprocess.Popen(
            ["git", *_QUIET, *arguments],
            cwd=folder,
            env={**kept, "LC_ALL": "C.UTF-8", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
        )
    except FileNotFoundError:
        from oxcross.doctor import install

        raise ToolError(
            "this machine lacks git, which says what a release is made from", hint=install(["git"])
        ) from None
    with process:
        try:
            output, errors = process.communicate()
        except BaseException:
            process.terminate()  # git takes back what it has begun; killed, it would leave it
            process.communicate()  # and until programs that it started have ended, too
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)
