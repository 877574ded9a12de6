"""What is analysed: the distributions of an environment, local wheels and the application, file by file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oxcross.collect import application, distributions, wheel
from oxcross.collect.resolve import Resolution
from oxcross.project import Project
from oxcross.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One distribution, or the application's own files; ``key`` says what its files are."""

    name: str  # canonical
    key: str
    files: tuple[str, ...]  # below site-packages, sorted
    root: Path | None = None  # where they lie on disk
    contents: Mapping[str, bytes] | None = None  # or what they are
    own: bool = False  # the project itself: it can be changed

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        if self.contents is not None:
            return self.contents[path]
        assert self.root is not None  # noqa: S101 (one of the two is there)
        return (self.root / path).read_bytes()

    @property
    def tops(self) -> frozenset[str]:
        """The top-level modules among the files."""
        return frozenset(
            path.split("/")[0].split(".")[0] for path in self.files if path.endswith((".py", ".so", ".pyd"))
        )

    @property
    def metadata(self) -> str:
        """The path of its METADATA; "" for files that are no distribution."""
        return next((path for path in self.files if distributions.is_metadata(path)), "")


def local(
    project: Project,
    resolution: Resolution,
    store: Store,
    notice: Callable[[str], None] = lambda _: None,
) -> list[Part]:
    """What a build takes from this machine: required folders and wheels, the project itself."""
    found = [_of_wheel(wheel.of(one.path, store)) for one in resolution.local]
    if project.include_project and application.has_build_system(project):
        found.append(_of_wheel(wheel.build(project.root, store, notice=notice), own=True))
        if project.run.kind == "file":
            found.append(_own(project, {project.run.value: (project.root / project.run.value).read_bytes()}))
    elif files := application.tree(project):
        found.append(_own(project, {path: entry.read() for path, entry in files.items()}))
    return found


def installed(tree: Path) -> Iterator[Part]:
    """The distributions in the folder of an environment: its RECORDs name what is there, and nothing else."""
    for information in sorted(tree.glob("*.dist-info")):
        record = information / "RECORD"
        data = record.read_bytes() if record.is_file() else b""
        files = sorted(set(distributions.record_paths(data)))
        name = distributions.canonical(information.name.partition("-")[0])
        yield Part(name=name, key=hashlib.sha256(data).hexdigest(), files=tuple(files), root=tree)


def _of_wheel(one: wheel.Wheel, *, own: bool = False) -> Part:
    name = distributions.canonical(one.information.partition("-")[0])
    return Part(name=name, key=one.key, files=tuple(sorted(one.files)), contents=one.files, own=own)


def _own(project: Project, files: Mapping[str, bytes]) -> Part:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.encode() + b"\0" + hashlib.sha256(files[path]).digest())
    name = distributions.canonical(project.name)
    return Part(name=name, key=digest.hexdigest(), files=tuple(sorted(files)), contents=files, own=True)
