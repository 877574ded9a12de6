"""The names that Rust has for oxcross's targets, which PyOxidizer's files and folders go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from oxcross.errors import UsageError, nearest

DEFAULT: Final = "x86_64-unknown-linux-gnu"
NAMES: Final[Mapping[str, str]] = {
    DEFAULT: "linux-x64",
    "aarch64-unknown-linux-gnu": "linux-arm64",
    "x86_64-unknown-linux-musl": "linux-x64-musl",
    "aarch64-unknown-linux-musl": "linux-arm64-musl",
    "x86_64-pc-windows-msvc": "win-x64",
    "x86_64-pc-windows-gnu": "win-x64",
    "x86_64-apple-darwin": "macos-x64",
    "aarch64-apple-darwin": "macos-arm64",
    "universal2-apple-darwin": "macos-universal2",
}


def target(triple: str) -> str:
    """The target of a triple. UsageError with the nearest valid one when there is none."""
    if triple not in NAMES:
        raise UsageError(
            f"there is no target for the triple {triple!r}",
            hint=nearest(triple, NAMES),
            page="a-target-that-there-is-not",
        )
    return NAMES[triple]


def triple(name: str) -> str:
    """The triple of a target, the first that it has."""
    return next(one for one, target in NAMES.items() if target == name)
