"""FileContent and FileManifest: what lies beside an executable, and the executable itself."""

from __future__ import annotations

import posixpath
from glob import glob as matched
from pathlib import Path
from typing import TYPE_CHECKING

from oxcross.bzl.resolved import ResolvedTarget
from oxcross.bzl.resources import Resource
from oxcross.bzl.staging import write
from oxcross.bzl.values import Value
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World


class Maker(Value):
    """What is built when all is read: an executable."""

    name: str

    @property
    def file_name(self) -> str:
        """What the executable is called for what is built."""
        return f"{self.name}.exe" if self.world.target.os == "windows" else self.name

    def content(self) -> FileContent:
        """The executable as a file."""
        return FileContent(self.world, filename=self.file_name, executable=True, maker=self)


class FileContent(Value):
    """See symbols.toml. Its content is bytes, or a value that is yet to be built."""

    kind = "FileContent"

    def __init__(
        self, world: World, *, filename: str, executable: bool, data: bytes = b"", maker: Maker | None = None
    ) -> None:
        super().__init__(world, filename=filename, executable=executable)
        self.data = data
        self.maker = maker

    def write_to_directory(self, path: str) -> str:
        if self.maker is not None:
            hint = "return it from a target, in a FileManifest: it is built when all is read"
            raise ConfigError(f"{self.get('filename')} is not built yet", hint=hint)
        file = self.world.built(path) / str(self.get("filename"))
        write(file, self.data, executable=bool(self.get("executable")))
        return str(file)

    def copied(self) -> FileContent:
        """Another one with the same content."""
        name, mode = self.attributes["filename"], self.attributes["executable"]
        return FileContent(self.world, filename=name, executable=mode, data=self.data, maker=self.maker)


class FileManifest(Value):
    """See symbols.toml."""

    kind = "FileManifest"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.files: dict[str, FileContent] = {}

    def put(self, path: str, content: FileContent) -> None:
        """Put a file in. ConfigError for a path that leads out."""
        clean = posixpath.normpath(path)
        if clean.startswith(("/", "../")) or clean in (".", ".."):
            raise ConfigError(f"not a path in a manifest: {path!r}", hint="it is relative, with slashes")
        for other in self.files:
            if other.startswith(f"{clean}/") or clean.startswith(f"{other}/"):
                raise ConfigError(
                    f"a file and a folder at one place: {clean} and {other}", hint="remove() one of them"
                )
        self.files[clean] = content

    def add_manifest(self, manifest: FileManifest) -> None:
        for path, content in manifest.files.items():
            self.put(path, content)

    def add_file(self, content: FileContent, path: str | None = None, directory: str | None = None) -> None:
        if path is not None and directory is not None:
            raise ConfigError("path and directory exclude each other", hint="path says it all")
        self.put(path or posixpath.join(directory or "", str(content.get("filename"))), content.copied())

    def add_path(self, path: str, strip_prefix: str, force_read: bool = False) -> None:  # noqa: ARG002 (PyOxidizer's signature)
        self.put(_stripped(self.world, self.world.path(path), strip_prefix), _read(self.world, path))

    def add_python_resource(self, prefix: str, value: Value) -> None:
        if isinstance(value, Resource):
            source = value.source
            name = posixpath.basename(source.path)
            content = FileContent(self.world, filename=name, executable=source.executable, data=source.read())
            path = source.path.split("/", 2)[-1] if source.origin.stdlib else source.path
        elif isinstance(value, Maker):
            content = value.content()
            path = str(content.get("filename"))
        else:
            hint = "it must be an executable, a module, a resource or a File"
            raise ConfigError(f"a {value.kind} cannot be added to a manifest", hint=hint)
        self.put(posixpath.join(prefix, path), content)

    def add_python_resources(self, prefix: str, values: list[Value]) -> None:
        for value in values:
            self.add_python_resource(prefix, value)

    def get_file(self, path: str) -> FileContent | None:
        found = self.files.get(posixpath.normpath(path))
        return found.copied() if found else None

    def remove(self, path: str) -> FileContent | None:
        return self.files.pop(posixpath.normpath(path), None)

    def paths(self) -> list[str]:
        return sorted(self.files)

    def install(self, path: str, replace: bool = True) -> None:
        self.world.installs.append((self, path, replace))

    def build(self, target: str) -> Value:  # noqa: ARG002 (PyOxidizer's signature)
        return ResolvedTarget(self.world, self)


def content(
    world: World, path: str | None, filename: str | None, text: str | None, executable: bool | None
) -> FileContent:
    """Starlark's FileContent()."""
    if (path is None) == (text is None):
        raise ConfigError("a FileContent has either path or content", hint='FileContent(path="notes.txt")')
    if text is not None and filename is None:
        raise ConfigError("content needs a filename", hint='FileContent(filename="notes.txt", content="…")')
    if filename is not None and "/" in filename:
        raise ConfigError(f"not a file's name: {filename!r}", hint="folders are for the manifest to say")
    if text is not None:
        return FileContent(world, filename=str(filename), executable=bool(executable), data=text.encode())
    made = _read(world, str(path))
    if filename is not None:
        made.attributes["filename"] = filename
    if executable is not None:
        made.attributes["executable"] = executable
    return made


def glob(
    world: World, include: list[str], exclude: list[str] | None, strip_prefix: str | None
) -> FileManifest:
    """Starlark's glob()."""
    manifest = FileManifest(world)
    left_out = {path for pattern in exclude or () for path in _matches(world, pattern)}
    for path in sorted({path for pattern in include for path in _matches(world, pattern)} - left_out):
        manifest.put(_stripped(world, path, strip_prefix or ""), _read(world, str(path)))
    return manifest


def _matches(world: World, pattern: str) -> set[Path]:
    every = matched(str(world.path(pattern)), recursive=True, include_hidden=True)  # noqa: PTH207 (absolute patterns)
    found = map(Path, every)
    return {path for path in found if path.is_file()}


def _read(world: World, path: str) -> FileContent:
    file = world.path(path)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {path}: {error.strerror}", hint=f"looked for: {file}") from None
    mode = bool(file.stat().st_mode & 0o111)
    return FileContent(world, filename=file.name, executable=mode, data=data)


def _stripped(world: World, path: Path, prefix: str) -> str:
    """The path in a manifest: without the prefix, or else from the file's folder."""
    text = str(path)
    if prefix:
        whole = str(world.path(prefix))
        for start in (whole, whole.rstrip("/") + "/", prefix):
            if text.startswith(start):
                return text.removeprefix(start).lstrip("/")
    if path.is_relative_to(world.folder):
        return path.relative_to(world.folder).as_posix()
    return text.lstrip("/")
