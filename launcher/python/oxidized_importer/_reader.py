"""Resources of a package that lie in memory or beside the executable: importlib.resources' interfaces."""

import io
from collections.abc import Callable, Iterator, Mapping
from importlib.resources.abc import Traversable, TraversableResources
from typing import Any

Files = Mapping[str, Callable[[], bytes]]


class _Place(Traversable):
    """A file or folder among named contents; a folder is where names go on behind a slash."""

    def __init__(self, package: str, files: Files, path: str = "") -> None:
        self._package = package
        self._files = files
        self._path = path

    @property
    def name(self) -> str:
        return self._path.rpartition("/")[2] or self._package.rpartition(".")[2]

    def _below(self) -> str:
        return f"{self._path}/" if self._path else ""

    def is_file(self) -> bool:
        return self._path in self._files

    def is_dir(self) -> bool:
        return not self._path or any(name.startswith(self._below()) for name in self._files)

    def iterdir(self) -> Iterator["_Place"]:
        below = self._below()
        rest = (name[len(below) :] for name in self._files if name.startswith(below))
        for name in sorted({one.partition("/")[0] for one in rest}):
            yield _Place(self._package, self._files, below + name)

    def joinpath(self, *descendants: Any) -> "_Place":
        parts = [part for one in descendants for part in str(one).split("/") if part]
        return _Place(self._package, self._files, "/".join([*filter(None, [self._path]), *parts]))

    __truediv__ = joinpath

    def read_bytes(self) -> bytes:
        if not self.is_file():
            raise FileNotFoundError(2, "resource not found", f"{self._package}: {self._path}")
        return self._files[self._path]()

    def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
        return self.read_bytes().decode(encoding or "utf-8", errors or "strict")

    def open(self, mode: str = "r", *args: Any, **options: Any) -> Any:
        stream = io.BytesIO(self.read_bytes())
        return stream if "b" in mode else io.TextIOWrapper(stream, *args, **options)


class OxidizedResourceReader(TraversableResources):
    """The resources of one package, by their names as indexed: ``"file.txt"``, ``"folder/file.txt"``."""

    def __init__(self, package: str, files: Files) -> None:
        self._package = package
        self._files = files

    def files(self) -> Traversable:
        """The package's folder."""
        return _Place(self._package, self._files)

    def open_resource(self, resource: str) -> io.BytesIO:  # type: ignore[override]
        """A resource's content as a stream; FileNotFoundError for a name that is not indexed."""
        return io.BytesIO(self.files().joinpath(resource).read_bytes())

    def resource_path(self, resource: str) -> str:
        """Always FileNotFoundError, so that importlib.resources reads the content instead."""
        raise FileNotFoundError(2, "in-memory resources do not have filesystem paths", resource)

    def is_resource(self, name: str) -> bool:
        """True for a name that is indexed, else FileNotFoundError."""
        if name not in self._files:
            raise FileNotFoundError(2, "resource not found", name)
        return True

    def contents(self) -> list[str]:  # type: ignore[override]
        """The names of all resources, sorted."""
        return sorted(self._files)
