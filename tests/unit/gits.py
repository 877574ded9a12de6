"""Git repositories that tests make."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org", "-c", "commit.gpgsign=false")


def git(folder: Path, *arguments: str) -> str:
    """What git prints, without the end of the line."""
    done = subprocess.run(
        ["git", *_NOBODY, "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.removesuffix("\n")


def repository(folder: Path) -> str:
    """Make a repository of what lies in the folder; the commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    return commit(folder)


def commit(folder: Path) -> str:
    """Commit all there is; the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=one")
    return git(folder, "rev-parse", "HEAD")
