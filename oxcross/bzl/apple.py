"""MacOsApplicationBundleBuilder and AppleUniversalBinary."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross.bzl.files import FileContent, FileManifest, Maker
from oxcross.bzl.resolved import ResolvedTarget
from oxcross.bzl.staging import write
from oxcross.bzl.values import Value
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World


class MacOsApplicationBundleBuilder(Value):
    """See symbols.toml."""

    kind = "MacOsApplicationBundleBuilder"

    def __init__(self, world: World, bundle_name: str) -> None:
        super().__init__(world)
        self.table: dict[str, Any] = {"name": bundle_name}
        self.version: str | None = None
        self.executable: Maker | None = None

    def add_icon(self, path: str) -> None:
        self.table["icon"] = str(self.world.path(path))

    def set_info_plist_key(self, key: str, value: bool | int | str) -> None:
        self.table.setdefault("info", {})[key] = value

    def set_info_plist_required_keys(
        self, display_name: str, identifier: str, version: str, signature: str, executable: str
    ) -> None:
        self.table |= {"name": display_name, "identifier": identifier}
        self.version = version
        if signature != "????":
            self.world.warn(f"the signature {signature!r} of classic Mac OS is not written")
        if self.executable is not None and executable != self.executable.name:
            self.world.warn(f"CFBundleExecutable is the executable's own name, not {executable!r}")

    def add_macos_file(self, content: FileContent, path: str | None = None) -> None:
        if content.maker is None:
            hint = "a bundle has the executable: data goes into it, or beside it"
            raise ConfigError(f"no executable: {path or content.get('filename')}", hint=hint)
        self.executable = content.maker

    def add_macos_manifest(self, manifest: FileManifest) -> None:
        for path, content in manifest.files.items():
            self.add_macos_file(content, path)

    def build(self, target: str) -> Value:  # noqa: ARG002 (PyOxidizer's signature)
        return ResolvedTarget(self.world, self)

    def tables(self) -> dict[str, Any]:
        """What it adds to the executable's tables."""
        return {"macos": {"app": self.table}, **({"version": self.version} if self.version else {})}


class AppleUniversalBinary(Value):
    """See symbols.toml."""

    kind = "AppleUniversalBinary"

    def __init__(self, world: World, filename: str) -> None:
        super().__init__(world)
        self.filename = filename
        self.files: list[bytes] = []

    def add_path(self, path: str) -> None:
        file = self.world.path(path)
        if not file.is_file():
            raise ConfigError(f"there is no executable {path!r}", hint="build it first, for one machine")
        self.files.append(file.read_bytes())

    def add_file(self, content: FileContent) -> None:
        if content.maker is not None:
            hint = (
                "oxcross build --target-triple universal2-apple-darwin makes one executable for both machines"
            )
            raise ConfigError(f"{content.get('filename')} is not built yet", hint=hint)
        self.files.append(content.data)

    def to_file_content(self) -> FileContent:
        return FileContent(self.world, filename=self.filename, executable=True, data=self._joined())

    def write_to_directory(self, path: str) -> str:
        file = self.world.built(path) / self.filename
        write(file, self._joined(), executable=True)
        return str(file)

    def _joined(self) -> bytes:
        from oxcross import link

        with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
            folder = Path(name)
            parts = [folder / str(number) for number in range(len(self.files))]
            ordered = sorted(self.files, key=lambda data: data[4:8])  # the machine: x86-64 goes first
            for part, data in zip(parts, ordered, strict=True):
                part.write_bytes(data)
            return link.join(parts, folder / "joined").path.read_bytes()
