"""Distributions that are built from source: their extension modules as objects to link, or their files alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from oxcross import packages, rooms, sources, targets
from oxcross.cpython import pinned
from oxcross.plan import Step, Tree
from oxcross.recipes.interpreter import cpython, host_python, library, toolchain
from oxcross.recipes.rendering import HOST, step
from oxcross.sdist import IndexFile, Sdist
from oxcross.targets import Target


def distribution(target: Target, version: str, sdist: Sdist) -> Step:
    """A distribution built from source for ``target``: what is installed lies in ``tree/``."""
    return pure(version, sdist) if sdist.pure else extension(target, version, sdist)


@cache
def cxx(target: Target) -> Step:
    """The C++ library: headers, and static libraries of which each extension module takes what it uses."""
    return step(
        target,
        "cxx",
        title="libc++, libc++abi and libunwind",
        inputs={"zig": sources.get("ziglang"), "toolchain": toolchain(target)},
        outputs=("include", "lib/libc++.a", "lib/libc++abi.a", "lib/libunwind.a", "licence"),
        cflags=("-O2",),
    )


@cache
def extension(target: Target, version: str, sdist: Sdist) -> Step:
    """A distribution built from source: what is installed (``tree/``), and an object of each extension module."""
    row, source = pinned(version)
    known = packages.get(sdist.name)
    wheels = _wheels(sdist)
    facts = {
        "filename": sdist.file.filename,
        "backend": sdist.backend,
        "backend_path": sdist.backend_path,
        "wheels": list(wheels),
        "libraries": known.libraries,
        "environment": dict(known.environment),
        "settings": dict(known.settings),
        "series": row.series,
        "suffixes": target.extension_suffixes(target.soabi(source.version)),
        "triple": target.triple,
        "machine": target.arch,
        "platform": f"{target.os}-{target.arch}",
        "cxx": sdist.cxx,
    }
    return step(
        target,
        f"{sdist.name}-{sdist.version}",
        template="extension",
        title=f"{sdist.name} {sdist.version}, its extension modules as objects to link",
        inputs={
            "sdist": sdist.file,
            "support": _support(facts, "extension/"),
            "toolchain": toolchain(target),
            "host-python": host_python(version),
            "python": cpython(target, version),
            **wheels,
            **{name: library(target, name) for name in known.libraries},
            **({"cxx": cxx(target)} if sdist.cxx else {}),
        },
        outputs=("tree", "objects", "modules"),
        minor=row.series,
    )


@cache
def pure(version: str, sdist: Sdist) -> Step:
    """A distribution without extension modules, built from source once for all targets: what is installed (``tree/``)."""
    row, _ = pinned(version)
    known = packages.get(sdist.name)
    wheels = _wheels(sdist)
    facts = {
        "filename": sdist.file.filename,
        "backend": sdist.backend,
        "backend_path": sdist.backend_path,
        "wheels": list(wheels),
        "environment": dict(known.environment),
        "settings": dict(known.settings),
    }
    return step(
        targets.get(HOST),
        f"{sdist.name}-{sdist.version}-pure",
        template="pure",
        title=f"{sdist.name} {sdist.version}, which has no extension modules",
        inputs={
            "sdist": sdist.file,
            "support": _support(facts, "extension/", "pure/"),
            "host-python": host_python(version),
            **wheels,
        },
        outputs=("tree", "objects", "modules"),
        minor=row.series,
        toolchain=False,
    )


def _wheels(sdist: Sdist) -> dict[str, IndexFile]:
    """The wheels that its build needs, by the names of the inputs."""
    return {f"wheel-{number}": wheel for number, wheel in enumerate(sdist.wheels)}


def _support(facts: Mapping[str, object], *folders: str) -> Tree:
    """The scripts in these folders of ``templates/``, beside each other, and the facts that they read."""
    scripts = {
        path.partition("/")[2]: data
        for path, data in rooms.files("templates").items()
        if path.startswith(folders)
    }
    return Tree({**scripts, "facts.json": (json.dumps(facts, indent=1) + "\n").encode()})
