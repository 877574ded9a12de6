"""What a file gives to pip, as requirements of ``[tool.oxcross]``, and what they install."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross.bzl import reading
from oxcross.bzl.library import single
from oxcross.bzl.resources import Origin, Source
from oxcross.bzl.staging import stage
from oxcross.collect.requirements import local_of, logical_lines
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World

# Those that change nothing of what is installed here.
_PLAIN = frozenset(
    {
        "-q", "--quiet", "-v", "--verbose", "-U", "--upgrade", "-I", "--ignore-installed", "--force-reinstall",
        "--no-cache-dir", "--prefer-binary", "--compile", "--no-compile", "--no-warn-script-location",
        "--no-warn-conflicts", "--disable-pip-version-check", "--no-input", "--use-pep517", "--no-color",
    }
)  # fmt: skip
_HINTS = {
    "--no-deps": "what is not to go in, `resource.add_include = False` leaves out",
    "--index-url": "the index is named in the environment: UV_DEFAULT_INDEX",
    "-i": "the index is named in the environment: UV_DEFAULT_INDEX",
    "--extra-index-url": "the index is named in the environment: UV_INDEX",
    "--find-links": "the folder is named in the environment: UV_FIND_LINKS",
    "-f": "the folder is named in the environment: UV_FIND_LINKS",
    "-c": "write the constraints as requirements",
    "--constraint": "write the constraints as requirements",
}


def requirements(world: World, arguments: Sequence[str]) -> tuple[str, ...]:
    """The requirements (PEP 508) that pip's arguments ask for. ConfigError for flags that mean something else here."""
    if not arguments:
        raise ConfigError("nothing is to be installed", hint='name requirements: ["flask==3.1"]')
    found: list[str] = []
    words = iter(arguments)
    for word in words:
        flag, equals, value = word.partition("=")
        if flag in ("-r", "--requirement", "-e", "--editable"):
            value = value if equals else next(words, "")
            if not value:
                raise ConfigError(f"{flag} names nothing", hint=f'["{flag}", "requirements.txt"]')
            found += _lines(world, value) if "r" in flag[:3] else [_local(world.folder, value)]
        elif flag == "--only-binary":
            if not equals:
                next(words, None)  # wheels are what is taken, anyway
        elif word.startswith("-") and word not in _PLAIN:
            hint = _HINTS.get(
                flag, "see docs/pyoxidizer.md; uv's own settings are taken from its UV_ variables"
            )
            raise ConfigError(f"pip's {flag} is not for oxcross", hint=hint)
        elif not word.startswith("-"):
            found.append(_local(world.folder, word) if _is_path(world.folder, word) else word)
    return tuple(found)


def _lines(world: World, name: str) -> Iterator[str]:
    file = world.path(name)
    if not file.is_file():
        raise ConfigError(f"there is no requirements file {name!r}", hint=f"looked for: {file}")
    reading.text(file)
    for line in logical_lines(file):
        plain = line.partition(" --hash=")[0]  # what is taken is pinned in oxcross.lock
        if plain.startswith("-") and not plain.startswith(("-e", "--editable")):
            raise ConfigError(
                f"{name}: {plain.split()[0]} is not for oxcross", hint=_HINTS.get(plain.split()[0])
            )
        local = local_of(plain, file.parent)
        yield _local(local.path.parent, f"{local.path}{local.extras}") if local else plain


def _is_path(folder: Path, word: str) -> bool:
    plain = word.partition("[")[0]
    named = word.startswith((".", "/")) or "/" in plain or plain.endswith(".whl")
    return "@" not in word and (named or (bool(plain) and (folder / plain / "setup.py").exists()))


def _local(folder: Path, word: str) -> str:
    name, bracket, extras = word.partition("[")
    path = (folder / name).resolve()
    if not path.exists():
        raise ConfigError(f"there is no {name!r}", hint=f"looked for: {path}")
    return f"{distribution(path)}{bracket}{extras} @ {path.as_uri()}"


def distribution(path: Path) -> str:
    """The name of the distribution that a wheel or a project's folder is."""
    if path.is_file():
        return path.name.partition("-")[0]
    name = reading.metadata(path / "pyproject.toml").get("name")
    return str(name or re.sub(r"[^A-Za-z0-9]+", "-", path.name).strip("-") or "project")


def installed(world: World, wanted: tuple[str, ...]) -> list[Source]:
    """The files that requirements come to, with all that they require, for what is built."""
    from oxcross import recipes
    from oxcross.collect import environment, make, resolve, wheel

    origin = Origin(requirements=wanted)
    target = single(world.target)
    digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
    tables = {
        "name": "pip",
        "version": "0",
        "targets": [target.name],
        "repl": True,
        "project": False,
        "requirements": list(wanted),
    }
    project = stage(world, f"pip-{digest}", tables, {}).for_target(target.name)
    found = resolve.resolve(project, target, world.store, notice=world.notice)
    sources: list[Source] = []
    if found.lines:
        tree = environment.environment(found.lines, project, target, world.store, notice=world.notice)
        for path, entry in make.read_tree(tree).items():
            sources.append(Source(path, entry.read, origin, entry.executable))
    steps = [recipes.distribution(target, project.python, sdist) for sdist in found.built]
    for built in world.make(steps).values() if steps else ():
        for path, entry in make.read_tree(built / "tree").items():
            sources.append(Source(path, entry.read, origin, entry.executable))
    for local in found.local:
        for path, data in wheel.of(local.path, world.store).files.items():
            sources.append(Source(path, make.Entry.of(data).read, origin))
    return sources
