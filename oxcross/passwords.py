"""Passwords, and other secrets that the configuration names a place of: an environment variable, or a file. They are in no error, log or file."""

from __future__ import annotations

import os
from pathlib import Path

from oxcross.errors import ConfigError


def read(where: str, variable: str, file: Path | None) -> bytes | None:
    """What ``password-env`` or ``password-file`` (its first line) of the table ``where`` names; None when neither does.

    ConfigError when it is not there.
    """
    if variable:
        if not (value := os.environb.get(os.fsencode(variable))):
            raise ConfigError(
                f"the environment variable {variable} is not set", where=f"{where}.password-env"
            )
        return value
    if file is None:
        return None
    return first_line(f"{where}.password-file", file)


def first_line(where: str, file: Path) -> bytes:
    """The first line of a file that the key or flag ``where`` names. ConfigError when it cannot be read."""
    return (content(where, file).splitlines() or [b""])[0]


def content(where: str, file: Path) -> bytes:
    """A file that the key ``where`` names. ConfigError when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError:
        raise ConfigError(f"there is no file {str(file)!r} that can be read", where=where) from None
