"""Which file of the package index each distribution was installed from, with its SHA-256: for the manifest.

A requirement line has the hashes of all files of a version. The index knows the files, and the tags in the installed WHEEL say which of
them it was. That is asked once for an environment, and kept in the store.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Sequence
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross.collect import distributions, environment, index, requirements, uv, wheel
from oxcross.collect.distributions import canonical
from oxcross.collect.index import Release
from oxcross.project import Project
from oxcross.sdist import IndexFile
from oxcross.store import Store
from oxcross.targets import Target

if TYPE_CHECKING:
    from oxcross.collect.resolve import Resolution

_FORMAT = 1
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def installed(
    resolution: Resolution,
    project: Project,
    target: Target,
    store: Store,
    *,
    notice: Callable[[str], None] = lambda _: None,
) -> dict[str, IndexFile]:
    """The files by the distributions' normalised names: wheels, and what is built from source. What cannot be told, such as a
    requirement that is a folder, is left out.

    Raises CollectError when the index has to be asked and cannot be.
    """
    found = {sdist.name: sdist.file for sdist in resolution.built}
    for one in resolution.local:
        if one.path.suffix == ".whl":
            file = _of_file(one.path, store)
            found[file.name] = file
    if resolution.lines:
        found |= _of_lines(resolution.lines, project, target, store, notice)
    return found


def _of_lines(
    lines: Sequence[str], project: Project, target: Target, store: Store, notice: Callable[[str], None]
) -> dict[str, IndexFile]:
    key = f"wheels-{_FORMAT}-{environment.key(lines, project, target)}"
    if (known := store.value(key)) is not None:
        return {one.name: one for one in map(IndexFile.of, json.loads(known))}
    tree = environment.environment(lines, project, target, store, notice=notice)
    hashes = {name: set(_HASH.findall(line)) for line in lines if (name := requirements.name_of(line))}
    arguments = ["--no-deps", *uv.common(target, uv.oldest(project, target), project.python)]
    found = {}
    for release in index.releases(
        [line.partition(" --hash")[0] for line in lines],
        arguments,
        folder=project.root,
        doing=f"files of distributions that cannot be found for {target.name}",
        where=str(project.lock or project.requirements_file or project.pyproject),
    ):
        tags = _tags(tree, release.name)
        if (file := _chosen(release, hashes.get(release.name, set()), tags)) is not None:
            found[release.name] = file
    store.put_value(key, json.dumps([one.text for one in found.values()]).encode())
    return found


def _of_file(path: Path, store: Store) -> IndexFile:
    """A wheel that lies on this machine."""
    data = path.read_bytes()
    one = distributions.describe(wheel.of(path, store).metadata)
    digest = hashlib.sha256(data).hexdigest()
    return IndexFile(
        name=canonical(one.name), version=one.version, filename=path.name, sha256=digest, size=len(data)
    )


def _tags(tree: Path, name: str) -> frozenset[str]:
    """The tags of an installed distribution's wheel, as its WHEEL has them (PEP 427)."""
    for information in sorted(tree.glob("*.dist-info")):
        if canonical(information.name.partition("-")[0]) == name and (information / "WHEEL").is_file():
            message = BytesHeaderParser().parsebytes((information / "WHEEL").read_bytes())
            return frozenset(str(tag) for tag in message.get_all("Tag", []))
    return frozenset()


def _chosen(release: Release, hashes: Collection[str], tags: frozenset[str]) -> IndexFile | None:
    """The wheel of a release that was installed; None when that is not certain."""
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    files = [found.file for found in release.wheels if not hashes or found.file.sha256 in hashes]
    if len(files) == 1:
        return files[0]
    same = []
    for file in files:
        try:
            own = {str(tag) for tag in parse_wheel_filename(file.filename)[3]}
        except InvalidWheelFilename:
            continue
        if own == tags:
            same.append(file)
    return same[0] if len(same) == 1 else None
