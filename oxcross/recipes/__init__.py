"""Recipes: the Steps that make a target's tool chain, libraries, CPython and launcher.

A recipe is a template of ``templates/``, rendered with the target's row and the pinned source's; what the
rendered script reads are its Step's inputs, and nothing else. The graph of one target:

    (sources) -> licences
    toolchain -> zlib, bzip2, xz, zstd, openssl, libffi, libuuid, sqlite, ncurses -> libedit
              -> cpython (with all of them) -> launcher
"""

from __future__ import annotations

from oxcross.plan import Step
from oxcross.recipes.distributions import distribution
from oxcross.recipes.interpreter import (
    LIBRARIES,
    Library,
    cpython,
    host_python,
    libraries,
    library,
    runtime,
    toolchain,
    training,
)
from oxcross.recipes.launchers import launcher, linked, squeezed, symbols
from oxcross.recipes.rendering import HOST
from oxcross.recipes.texts import licences
from oxcross.sdist import Sdist
from oxcross.targets import Target

__all__ = [
    "HOST",
    "LIBRARIES",
    "Library",
    "cpython",
    "distribution",
    "host_python",
    "launcher",
    "libraries",
    "library",
    "licences",
    "linked",
    "runtime",
    "squeezed",
    "steps",
    "symbols",
    "toolchain",
    "training",
]


def steps(
    target: Target, version: str = "3.13", compression: str = "none", sdists: tuple[Sdist, ...] = ()
) -> list[Step]:
    """Every step of a target, the launcher's last; with ``compression`` "zstd" that is the compressed one.

    On Windows it is the plain one: what engines that search for viruses see of packed code is a packer. On macOS, too,
    where code that is made while a program runs is none of what its signature covers.

    Of ``sdists`` the extension modules are in it.
    """
    extra = runtime(target)
    native = tuple(sdist for sdist in sdists if not sdist.pure)
    if compression == "zstd" and target.os == "linux":
        last = squeezed(target, version, native)
    else:
        last = linked(target, version, native) if native else launcher(target, version)
    built = [distribution(target, version, sdist) for sdist in sdists]
    return [*([extra] if extra else []), licences(target, version), *built, last]
