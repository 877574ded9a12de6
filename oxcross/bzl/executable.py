"""PythonExecutable: what goes into one, as the configuration file says it."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxcross.bzl import pip, reading, resources, trees
from oxcross.bzl.files import FileManifest, Maker
from oxcross.bzl.interpreter import PythonInterpreterConfig
from oxcross.bzl.policy import PythonPackagingPolicy
from oxcross.bzl.resolved import ResolvedTarget
from oxcross.bzl.resources import File, Origin, PythonModuleSource, Resource, Source
from oxcross.bzl.values import Calls, Value, file_name
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World


class PythonExecutable(Maker):
    """See symbols.toml."""

    kind = "PythonExecutable"

    def __init__(
        self, world: World, name: str, policy: PythonPackagingPolicy, config: PythonInterpreterConfig
    ) -> None:
        super().__init__(world)
        self.name = file_name("an executable's name", name)
        self.policy = policy
        self.config = config
        self.listed: dict[Origin, list[Resource]] = {}  # what requirements come to, by the call
        self.added: dict[str, Resource] = {}  # by the path in the executable; they are taken
        self.library: list[Resource] = []  # the standard library, where the file looks at it
        self.only: set[str] | None = None  # the names that filters leave

    def set(self, name: str, value: Any) -> None:
        """As Value's; resources are always embedded."""
        if name == "packed_resources_load_mode" and not str(value).startswith("embedded:"):
            hint = 'oxcross puts them into the executable: "embedded:packed-resources"'
            raise ConfigError(f"{self.kind}.{name} cannot be {value!r}", hint=hint)
        super().set(name, value)

    # -- resources that are made ------------------------------------------------------------

    def pip_install(self, args: list[str], extra_envs: dict[str, str] | None = None) -> Calls:
        if extra_envs:
            self.world.warn("extra_envs changes nothing here: uv's settings are taken from the environment")
        return (yield from self._required(pip.requirements(self.world, args)))

    def pip_download(self, args: list[str]) -> Calls:
        return (yield from self._required(pip.requirements(self.world, args)))

    def setup_py_install(
        self,
        package_path: str,
        extra_envs: dict[str, str] | None = None,
        extra_global_arguments: list[str] | None = None,
    ) -> Calls:
        if extra_envs or extra_global_arguments:
            self.world.warn("extra_envs and extra_global_arguments change nothing here: a wheel is built")
        if not (self.world.path(package_path) / "setup.py").is_file():
            raise ConfigError(
                f"there is no setup.py in {package_path!r}",
                hint='a project without one: pip_install(["./…"])',
            )
        path = str(self.world.path(package_path).resolve())
        return (yield from self._required(pip.requirements(self.world, [path])))

    def _required(self, wanted: tuple[str, ...]) -> Calls:
        found = self._scanned(pip.installed(self.world, wanted))
        self.listed[Origin(requirements=wanted)] = found
        yield from self.policy.tell(found)
        return found

    def read_package_root(self, path: str, packages: list[str]) -> Calls:
        found = self._scanned(trees.packages(self.world.path(path), packages))
        yield from self.policy.tell(found)
        return found

    def read_virtualenv(self, path: str) -> Calls:
        found = self._scanned(trees.virtualenv(self.world.path(path)))
        yield from self.policy.tell(found)
        return found

    def make_python_module_source(self, name: str, source: str, is_package: bool = False) -> Calls:
        if not all(part.isidentifier() for part in name.split(".")):
            raise ConfigError(f"not a module's name: {name!r}", hint="write it as package.module")
        path = name.replace(".", "/") + ("/__init__.py" if is_package else ".py")
        made = Source(path, source.encode, Origin())
        [module] = self._scanned([made]) or [PythonModuleSource(self.world, made, name=name)]
        yield from self.policy.tell([module])
        return module

    def _scanned(self, sources: Iterable[Source]) -> list[Resource]:
        ends = resources.suffixes(self.world.target, "3.13")
        return resources.scan(self.world, self.policy, sources, ends)

    # -- resources that are added -----------------------------------------------------------

    def add_python_resource(self, resource: Value) -> None:
        if not isinstance(resource, Resource):
            hint = "it must be a module, a resource, an extension module or a File"
            raise ConfigError(f"a {resource.kind} cannot be added to an executable", hint=hint)
        if not resource.get("add_include"):
            return
        if isinstance(resource, File) and not self.policy.get("allow_files"):
            hint = "policy.allow_files = True, or policy.file_scanner_emit_files = False"
            raise ConfigError(f"a File may not be added: {resource.get('path')}", hint=hint)
        if not resource.source.origin.stdlib:  # the standard library is always there
            self.added[resource.source.path] = resource

    def add_python_resources(self, resources: list[Value]) -> None:
        for resource in resources:
            self.add_python_resource(resource)

    def filter_resources_from_files(
        self, files: list[str] | None = None, glob_files: list[str] | None = None
    ) -> None:
        from oxcross.bzl.library import resources as library

        paths = [self.world.path(name) for name in files or ()]
        for pattern in glob_files or ():
            paths += sorted(Path(one) for one in glob.glob(str(self.world.path(pattern)), recursive=True))  # noqa: PTH207 (absolute patterns)
        names = self.only or set()
        for path in paths:
            if not path.is_file():
                raise ConfigError(f"there is no filter file {str(path)!r}", hint="it has a name in each line")
            lines = reading.text(path).splitlines()
            names |= {line for line in lines if line and not line.startswith("#")}
        self.only = names
        self.library = self.library or library(self.world, self.policy)
        kept = {path: one for path, one in self.added.items() if one.full_name in names}
        self.added = kept
        for resource in self.library:
            native = not resource.source.path.endswith(".py")
            if isinstance(resource, PythonModuleSource) and not native and resource.full_name not in names:
                resource.attributes["add_include"] = False

    # -- what becomes of it -----------------------------------------------------------------

    def to_embedded_resources(self) -> Value:
        return PythonEmbeddedResources(self.world)

    def to_file_manifest(self, prefix: str) -> FileManifest:
        manifest = FileManifest(self.world)
        manifest.add_python_resource(prefix, self)
        return manifest

    def build(self, target: str) -> Value:  # noqa: ARG002 (PyOxidizer's signature)
        return ResolvedTarget(self.world, self)


class PythonEmbeddedResources(Value):
    """The resources of an executable, apart from it: there are none."""

    kind = "PythonEmbeddedResources"
