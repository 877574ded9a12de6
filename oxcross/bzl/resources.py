"""Resources: modules, data, metadata and plain files, and how they are told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oxcross.bzl.values import Value
from oxcross.errors import ConfigError
from oxcross.targets import Target

if TYPE_CHECKING:
    from oxcross.bzl.policy import PythonPackagingPolicy
    from oxcross.bzl.world import World


@dataclass(frozen=True)
class Origin:
    """Where resources come from: one call of the file's."""

    requirements: tuple[str, ...] = ()  # what is to be installed for them
    stdlib: bool = False


@dataclass(frozen=True)
class Source:
    """A file: its path in the executable, how to get its bytes, and whose it is."""

    path: str
    read: Callable[[], bytes]
    origin: Origin
    executable: bool = False


class Resource(Value):
    """What all resources have."""

    def __init__(self, world: World, source: Source, **attributes: Any) -> None:
        super().__init__(world, **attributes)
        self.source = source

    def set(self, name: str, value: Any) -> None:
        """As Value's; a location must be one."""
        if name in ("add_location", "add_location_fallback") and value is not None:
            prefix(value)
        super().set(name, value)

    @property
    def beside(self) -> str | None:
        """The folder beside the executable that it goes to; None: it goes inside."""
        return None if self.source.origin.stdlib else prefix(self.attributes["add_location"])

    @property
    def full_name(self) -> str:
        """What filters know it by."""
        return str(self.attributes["name"])


class PythonModuleSource(Resource):
    """A ``.py`` file."""

    kind = "PythonModuleSource"

    def get(self, name: str) -> Any:
        """Its text is read when it is asked for."""
        return self.source.read().decode("utf-8", "replace") if name == "source" else super().get(name)


class PythonExtensionModule(Resource):
    """A shared library that is a module."""

    kind = "PythonExtensionModule"


class PythonPackageResource(Resource):
    """A data file of a package."""

    kind = "PythonPackageResource"

    @property
    def full_name(self) -> str:
        """The package's name and the file's."""
        return f"{self.attributes['package']}:{self.attributes['name']}"


class PythonPackageDistributionResource(PythonPackageResource):
    """A file of a distribution's metadata."""

    kind = "PythonPackageDistributionResource"


class File(Resource):
    """A file as such."""

    kind = "File"

    @property
    def full_name(self) -> str:
        """Its path."""
        return str(self.attributes["path"])


def prefix(location: str) -> str | None:
    """The folder that ``filesystem-relative:FOLDER`` names; None for ``in-memory``. ConfigError for what is neither."""
    kind, colon, folder = location.partition(":")
    if location == "in-memory":
        return None
    if kind != "filesystem-relative" or not colon or not folder:
        raise ConfigError(
            f"no such location: {location!r}", hint='"in-memory", or "filesystem-relative:PREFIX"'
        )
    if folder.startswith("/") or ".." in folder.split("/"):
        raise ConfigError(f"not a folder beside the executable: {folder!r}", hint="name one below it")
    return folder.rstrip("/") or "."


def scan(
    world: World, policy: PythonPackagingPolicy, sources: Iterable[Source], suffixes: tuple[str, ...]
) -> list[Resource]:
    """The resources that files are, by their paths; ``suffixes`` are what extension modules' names end with."""
    every = sorted(sources, key=lambda one: one.path)
    packages = {one.path.rpartition("/")[0] for one in every if one.path.endswith("/__init__.py")}
    found: list[Resource] = []
    for source in every:
        if "__pycache__" in source.path.split("/") or source.path.endswith(".pyc"):
            continue
        if policy.get("file_scanner_classify_files"):
            found += _classified(world, source, packages, suffixes)
        if policy.get("file_scanner_emit_files") and not source.origin.stdlib:
            found.append(File(world, source, path=source.path, is_executable=source.executable))
    for resource in found:
        policy.applied(resource)
    return found


def module_name(path: str, suffixes: tuple[str, ...]) -> str | None:
    """The dotted name of the module that a path is; None when it is none."""
    stem = next((path.removesuffix(one) for one in (".py", *suffixes) if path.endswith(one)), None)
    if stem is None:
        return None
    parts = stem.removesuffix("/__init__").split("/")
    return ".".join(parts) if all(part.isidentifier() for part in parts) else None


def _classified(
    world: World, source: Source, packages: set[str], suffixes: tuple[str, ...]
) -> Iterator[Resource]:
    path, stdlib = source.path, source.origin.stdlib
    if stdlib:
        path = path.split("/", 2)[-1]  # below lib/python3.x
    top, _, rest = path.partition("/")
    if top.endswith((".dist-info", ".egg-info")) and rest:
        package = top.rpartition(".")[0].partition("-")[0]
        yield PythonPackageDistributionResource(world, source, package=package, name=rest)
    elif name := module_name(path, suffixes):
        if path.endswith(".py"):
            whole = path.endswith("/__init__.py")
            yield PythonModuleSource(world, source, name=name, is_package=whole, is_stdlib=stdlib)
        else:
            yield PythonExtensionModule(world, source, name=name, is_stdlib=stdlib)
    elif owner := _package_of(path, packages if not stdlib else set()):
        yield PythonPackageResource(
            world, source, package=owner.replace("/", "."), name=path[len(owner) + 1 :], is_stdlib=stdlib
        )


def _package_of(path: str, packages: set[str]) -> str:
    """The package whose data a file is: the innermost folder that is one, else its first folder."""
    folder = path.rpartition("/")[0]
    while folder and folder not in packages:
        folder = folder.rpartition("/")[0]
    return folder or path.rpartition("/")[0].partition("/")[0]


def suffixes(target: Target, python: str) -> tuple[str, ...]:
    """What the names of a target's extension modules end with."""
    return target.extension_suffixes(target.soabi(python))


def by_path(resources: Iterable[Resource]) -> Mapping[str, Resource]:
    """Resources by the path in the executable; a later one wins."""
    return {one.source.path: one for one in resources}
