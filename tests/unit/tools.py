"""Programs of this machine that tests run: one that is missing is an error that names the command to install it."""

from __future__ import annotations

import shutil
from pathlib import Path


def need(**packages: str) -> None:
    """Fail when a command is not there: ``need(openssl="openssl")`` maps it to Debian's package."""
    for command, package in packages.items():
        assert shutil.which(command.replace("_", "-")), f"{command} is missing: apt-get install {package}"


def need_file(path: Path, package: str) -> None:
    """Fail when a file of a package without commands is not there."""
    assert path.is_file(), f"{path} is missing: apt-get install {package}"
