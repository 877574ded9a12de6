"""Whose a file in an executable is: the standard library's, a distribution's (by its RECORD), or the application's."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from oxcross.collect import distributions
from oxcross.pack.format import Key
from oxcross.pack.reader import Blob

STDLIB: Final = "standard library"
LICENCES: Final = "licence texts"
RUNTIME: Final = "run-time libraries"  # libstdc++ and libgcc_s, for systems without them
_RUNTIME_FOLDER: Final = "lib/oxcross/"


@dataclass(frozen=True, kw_only=True)
class Owners:
    """What RECORD files say, of files and of the folders that only one distribution has files in."""

    application: str
    stdlib: str  # its folder, with the slash
    licences: str
    files: Mapping[str, str]
    folders: Mapping[str, frozenset[str]]
    libraries: frozenset[str]

    @classmethod
    def of(cls, blob: Blob) -> Self:
        """Those of an executable. InspectError for a damaged payload."""
        files: dict[str, str] = {}
        folders: dict[str, set[str]] = {}
        for node in blob.nodes:
            if not distributions.is_metadata(node.path):
                continue
            name = distributions.canonical(distributions.describe(blob.read(node.data)).name)
            record = blob.node(f"{posixpath.dirname(node.path)}/RECORD")
            recorded = distributions.record_paths(blob.read(record.data)) if record else []
            for path in (node.path, *recorded):
                files[path] = name
                folder = posixpath.dirname(path)
                while folder:
                    folders.setdefault(folder, set()).add(name)
                    folder = posixpath.dirname(folder)
        folder = setting.text if (setting := blob.setting(Key.STDLIB)) else ""
        licences = blob.setting(Key.LICENCES)
        app = blob.manifest.get("app", {})
        return cls(
            application=distributions.canonical(str(app.get("name", "application"))),
            stdlib=f"{folder}/" if folder else "lib/",
            licences=licences.text if licences else "",
            files=files,
            folders={name: frozenset(owners) for name, owners in folders.items()},
            libraries=frozenset(blob.nodes[one.node].path for one in blob.libraries),
        )

    def is_stdlib(self, path: str) -> bool:
        """Whether it lies in the standard library's folder."""
        return path.startswith(self.stdlib) and path != self.licences

    def part(self, path: str) -> str:
        """The part that a file belongs to: a distribution's normalised name, or one of the names above."""
        if path == self.licences:
            return LICENCES
        if path.startswith(self.stdlib):
            return STDLIB
        if path.startswith(_RUNTIME_FOLDER):
            return RUNTIME
        if owner := self.files.get(path):
            return owner
        folder = posixpath.dirname(path)
        while folder:
            if len(owners := self.folders.get(folder, frozenset())) == 1:
                return next(iter(owners))
            folder = posixpath.dirname(folder)
        return self.application
