"""OxidizedFinder: imports from an index of OxidizedResource instances, and, on sys.meta_path, from the executable."""

import importlib.abc
import os
import types
from collections.abc import Iterable, Iterator
from importlib.machinery import BuiltinImporter, ModuleSpec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import _oxcross

from . import _embedded, _packed
from ._distribution import OxidizedDistribution, normalised
from ._loading import code_of, files_of, is_importable, path_of, source_of, spec_of
from ._paths import relative
from ._reader import OxidizedResourceReader
from ._resource import OxidizedResource

if TYPE_CHECKING:
    from importlib.metadata import DistributionFinder

    from ._paths import OxidizedPathEntryFinder


class _State:
    """What a finder knows. ``embedded``: it is the executable's own, and all that is inside belongs to it."""

    def __init__(self, origin: str, *, embedded: bool) -> None:
        self.origin = origin
        self.embedded = embedded
        self.index: dict[str, OxidizedResource] = {}


class OxidizedFinder(_oxcross.Finder):
    """A finder on sys.meta_path, and a loader, of indexed resources.

    The executable's own finder has all that is embedded, and what was added to it, which goes first.
    """

    __slots__ = ()

    def __init__(self, relative_path_origin: Any = None) -> None:
        base = os.path.dirname(self.path_hook_base_str)
        origin = base if relative_path_origin is None else os.fsdecode(relative_path_origin)
        self.state = _State(origin, embedded=False)

    def _known(self) -> _State:
        state: _State | None = getattr(self, "state", None)
        if state is None:  # made by the launcher, before this class was there
            state = self.state = _State(os.path.dirname(self.path_hook_base_str), embedded=True)
        return state

    def __repr__(self) -> str:
        return f"<OxidizedFinder object at {id(self):#x}>"

    # -- what it is --------------------------------------------------------------------------

    @property
    def multiprocessing_set_start_method(self) -> str | None:
        """None: multiprocessing works with its own default."""
        return None

    @property
    def origin(self) -> str:
        """The folder that relative paths of resources start from."""
        return self._known().origin

    @property
    def path_hook_base_str(self) -> str:
        """The path that stands for top-level modules: the executable's."""
        return _embedded.MOUNT

    @property
    def pkg_resources_import_auto_register(self) -> bool:
        """True: pkg_resources knows of finders as soon as it is imported."""
        return True

    # -- the index ---------------------------------------------------------------------------

    def add_resource(self, resource: OxidizedResource) -> None:
        """Index a copy of a resource, in place of another of its name."""
        if not isinstance(resource, OxidizedResource):
            raise TypeError(f"expected OxidizedResource, not {type(resource).__name__}")
        self._known().index[resource.name] = resource._copy()

    def add_resources(self, resources: Iterable[OxidizedResource]) -> None:
        """Index copies of resources."""
        for resource in resources:
            self.add_resource(resource)

    def index_bytes(self, data: Any) -> None:
        """Index what serialize_indexed_resources gave. ValueError when that is damaged."""
        self.add_resources(_packed.read(data))

    def index_file_memory_mapped(self, path: Any) -> None:
        """Index what lies in a file. ValueError when it cannot be read."""
        try:
            data = Path(os.fsdecode(path)).read_bytes()
        except OSError as error:
            raise ValueError(f"error opening {path}: {error.strerror}") from error
        self.index_bytes(data)

    def index_interpreter_builtins(self) -> None:
        """Index the built-in and frozen modules."""
        self.index_interpreter_builtin_extension_modules()
        self.index_interpreter_frozen_modules()

    def index_interpreter_builtin_extension_modules(self) -> None:
        """Index the extension modules that are built in."""
        self.add_resources(_embedded.builtins())

    def index_interpreter_frozen_modules(self) -> None:
        """Index the modules that are frozen into the interpreter."""
        self.add_resources(_embedded.frozen())

    def _resources(self) -> dict[str, OxidizedResource]:
        known = self._known()
        return {**_embedded.resources(), **known.index} if known.embedded else known.index

    def indexed_resources(self) -> list[OxidizedResource]:
        """Copies of all resources, sorted by name."""
        return [one._copy() for _, one in sorted(self._resources().items())]

    def serialize_indexed_resources(self, ignore_builtin: bool = True, ignore_frozen: bool = True) -> bytes:
        """All resources as bytes, for index_bytes."""
        return _packed.write(
            one
            for one in self.indexed_resources()
            if not (ignore_builtin and one.is_builtin_extension_module)
            and not (ignore_frozen and one.is_frozen_module)
        )

    # -- finding -----------------------------------------------------------------------------

    def find_spec(
        self, fullname: str, path: Any = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module, or None."""
        known = self._known()
        name = fullname.removesuffix(".__init__") if known.index else fullname
        resource = known.index.get(name)
        if resource is not None:
            return spec_of(resource, known.origin, self)
        return self._find_embedded(fullname, path) if known.embedded else None

    def _find_embedded(self, fullname: str, path: Any = None) -> ModuleSpec | None:
        return super().find_spec(fullname, path) or BuiltinImporter.find_spec(fullname)

    def find_module(self, fullname: str, path: Any = None) -> Any:
        """The loader of a module, or None: what finders had before find_spec."""
        spec = self.find_spec(fullname, path)
        return None if spec is None else spec.loader

    def iter_modules(self, prefix: str = "") -> list[tuple[str, bool]]:
        """The top-level modules as (prefix + name, is package)."""
        return self._modules_in(None, prefix)

    def _modules_in(self, package: str | None, prefix: str) -> list[tuple[str, bool]]:
        above = package or ""
        return [
            (prefix + name.rpartition(".")[2], one.is_package or one.is_namespace_package)
            for name, one in sorted(self._resources().items())
            if name.rpartition(".")[0] == above and is_importable(one)
        ]

    def path_hook(self, path: Any) -> "OxidizedPathEntryFinder":
        """A finder for path_hook_base_str or a path below it, given as str. ImportError for all else."""
        from ._paths import OxidizedPathEntryFinder, package_of

        try:
            package = package_of(path)
        except (TypeError, ValueError) as error:
            raise ImportError(f"error running OxidizedFinder.path_hook: {error}") from error
        return OxidizedPathEntryFinder(self, path, package)

    # -- loading -----------------------------------------------------------------------------

    load_module = importlib.abc.Loader.load_module
    source_to_code = staticmethod(importlib.abc.InspectLoader.source_to_code)

    def _resource(self, fullname: str) -> OxidizedResource | None:
        return self._known().index.get(fullname.removesuffix(".__init__"))

    def _loader(self, fullname: str) -> Any:
        """The loader of an embedded module. ImportError for what is none."""
        spec = self._find_embedded(fullname) if self._known().embedded else None
        if spec is None or spec.loader is None:
            raise ImportError(f"unknown module {fullname}", name=fullname)
        return spec.loader

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        """None: a module is made as usual. ImportError for an extension module in memory."""
        resource = self._resource(spec.name)
        if resource is not None and resource.is_extension_module:
            raise ImportError(
                f"{spec.name} is an extension module that was indexed as bytes: only those that the executable "
                "was built with are loaded from memory; index it by a relative path",
                name=spec.name,
            )
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        """Run a module's code in its namespace."""
        name = module.__spec__.name if module.__spec__ else module.__name__
        code = self.get_code(name)
        if code is None:
            if self._is_namespace(name):
                return
            raise ImportError(f"cannot load module {name}: it has no code", name=name)
        exec(code, module.__dict__)

    def _is_namespace(self, fullname: str) -> bool:
        resource = self._resource(fullname)
        return resource is not None and resource.is_namespace_package

    def get_code(self, fullname: str) -> types.CodeType | None:
        """A module's code object, or None when it has none. ImportError for an unknown module."""
        resource = self._resource(fullname)
        if resource is None:
            code: types.CodeType | None = self._loader(fullname).get_code(fullname)
            return code
        return code_of(resource, self.origin)

    def get_source(self, fullname: str) -> str | None:
        """A module's source text, or None when it is not there. ImportError for an unknown module."""
        import importlib.util

        resource = self._resource(fullname)
        if resource is None:
            text: str | None = self._loader(fullname).get_source(fullname)
            return text
        source = source_of(resource, self.origin)
        return None if source is None else importlib.util.decode_source(source)

    def is_package(self, fullname: str) -> bool:
        """Whether a module is a package. ImportError for an unknown module."""
        resource = self._resource(fullname)
        if resource is None:
            return bool(self._loader(fullname).is_package(fullname))
        return bool(resource.is_package or resource.is_namespace_package)

    def get_filename(self, fullname: str) -> str:
        """Where a module lies. ImportError for one that was indexed as bytes, or is unknown."""
        resource = self._resource(fullname)
        loader = self._loader(fullname) if resource is None else None
        path = path_of(resource, self.origin) if resource is not None else getattr(loader, "path", None)
        if path is None:
            raise ImportError(f"{fullname} lies in memory: it has no file name", name=fullname)
        return str(path)

    def get_data(self, path: Any) -> bytes:
        """The content of a resource by its path below the executable, or below origin. OSError when there is none."""
        text = os.fsdecode(path)
        known = self._known()
        for base in (_embedded.MOUNT, known.origin):
            if (below := relative(text, base)) is not None:
                parts = below.split("/")
                for cut in range(len(parts) - 1, 0, -1):
                    resource = known.index.get(".".join(parts[:cut]))
                    if resource is not None:
                        read = files_of(resource, self.origin, "package").get("/".join(parts[cut:]))
                        if read is not None:
                            return read()
                        break
        if known.embedded:
            return Path(text).read_bytes()
        raise FileNotFoundError(2, "resource not known", text)

    def get_resource_reader(self, fullname: str) -> Any:
        """The reader of a package's resources, or None for what is no package."""
        resource = self._resource(fullname)
        if resource is not None:
            files = files_of(resource, self.origin, "package")
            return OxidizedResourceReader(resource.name, files) if resource.is_package else None
        try:
            return self._loader(fullname).get_resource_reader(fullname)
        except ImportError:
            return None

    def _distributions(self, name: str | None) -> Iterator[OxidizedDistribution]:
        wanted = None if name is None else normalised(name)
        for _, resource in sorted(self._resources().items()):
            files = files_of(resource, self.origin, "distribution")
            if files and wanted in (None, normalised(resource.name)):
                yield OxidizedDistribution(resource.name, files)

    def find_distributions(
        self, context: "DistributionFinder.Context | None" = None
    ) -> Iterator[OxidizedDistribution]:
        """The distributions among the resources, all or those that a context names.

        importlib.metadata asks with a context, and finds those of the executable along sys.path: so they are not told
        twice.
        """
        found = self._distributions(None if context is None else context.name)
        if context is None or not self._known().embedded or _embedded.MOUNT not in context.path:
            return found
        index = self._known().index
        return (one for one in found if one._package in index)
