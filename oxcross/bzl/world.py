"""What surrounds a configuration file: its folder, what is built and for what, and what has been said of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross import targets
from oxcross.bzl import triples
from oxcross.targets import Target

if TYPE_CHECKING:
    from oxcross.bzl.files import FileManifest
    from oxcross.bzl.signing import CodeSigner
    from oxcross.plan import Step
    from oxcross.store import Store


@dataclass
class World:
    """Paths are absolute."""

    file: Path
    triple: str
    store: Store
    notice: Callable[[str], None]
    make: Callable[[Iterable[Step]], Mapping[Step, Path]]  # the trees of steps, made when they are not there
    variables: Mapping[str, str | None] = field(default_factory=dict)
    build_path: Path = Path("build")
    installs: list[tuple[FileManifest, str, bool]] = field(default_factory=list)  # manifest, path, replace
    signer: CodeSigner | None = None
    unsaid: list[str] = field(default_factory=list)  # warnings about the line that is being evaluated

    def __post_init__(self) -> None:
        self.build_path = self.folder / "build"

    @property
    def folder(self) -> Path:
        """CWD: the file's folder."""
        return self.file.parent

    @property
    def target(self) -> Target:
        """What is built for."""
        return targets.get(triples.target(self.triple))

    def path(self, text: str) -> Path:
        """A path of the file's, from its folder."""
        return self.folder / text

    def built(self, text: str) -> Path:
        """A path of the file's, from the build path."""
        return self.build_path / text

    def warn(self, text: str) -> None:
        """Tell something about the line that is being evaluated."""
        self.unsaid.append(text)
