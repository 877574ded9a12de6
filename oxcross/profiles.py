"""The profiles that CPython is optimised with: ``profiles/profiles.toml``, a file for each CPython version.

A profile says how often each part of each function ran while CPython was trained (clang's -fprofile-use). It is
trained once, on one machine, and is a pinned input from then on, so that every target's CPython is built from it and
reproducibly. `invoke train` makes one and pins it.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache

from oxcross.errors import SourceError
from oxcross.rooms import room

LLVM = 19  # the major version of Debian's LLVM whose run-time library and llvm-profdata make it


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A row of ``profiles.toml``. The file is what llvm-profdata wrote, compressed by xz."""

    cpython: str  # the very version: "3.13.15"
    file: str
    sha256: str  # lower-case hex, of the file as it lies there
    size: int  # bytes
    compiler: str
    runtime: str  # what wrote the counters and merged them
    training: str
    functions: int  # how many have counters

    def read(self) -> bytes:
        """The file's content. SourceError when it is not the pinned one."""
        path = room("profiles") / self.file
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise SourceError(
                "is not the profile that profiles.toml pins",
                where=str(path),
                hint="restore it (git checkout), or train one anew: ./invoke train",
            )
        return data


@cache
def load() -> tuple[Profile, ...]:
    """All profiles, in the table's order."""
    text = (room("profiles") / "profiles.toml").read_text(encoding="utf-8")
    return tuple(Profile(**row) for row in tomllib.loads(text).get("profile", []))


def get(version: str) -> Profile | None:
    """The profile of a CPython version ("3.13.15"); None when nobody trained one."""
    return next((profile for profile in load() if profile.cpython == version), None)
