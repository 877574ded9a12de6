"""What setuptools' pkg_resources needs to know of an OxidizedFinder's resources."""

import importlib
import io
from collections.abc import Iterator
from typing import Any

from ._embedded import MOUNT
from ._finder import OxidizedFinder
from ._loading import files_of
from ._paths import OxidizedPathEntryFinder
from ._reader import Files


def _folder(name: str) -> str:
    return name.replace("\\", "/").strip("/")


def _is_folder(files: Files, folder: str) -> bool:
    return bool(_folder(folder)) and any(name.startswith(f"{_folder(folder)}/") for name in files)


def _entries(files: Files, folder: str) -> list[str]:
    """The names of the files directly in a folder."""
    return sorted(name.rpartition("/")[2] for name in files if name.rpartition("/")[0] == _folder(folder))


class OxidizedPkgResourcesProvider:
    """Metadata and resources of one package: pkg_resources.IMetadataProvider and IResourceProvider."""

    def __init__(self, module: Any) -> None:
        name = module.__package__ or module.__name__
        finder: OxidizedFinder = module.__loader__
        self._set(finder, name)

    def _set(self, finder: OxidizedFinder, package: str) -> None:
        self._package = package
        resource = finder._resources().get(package)
        self._metadata = files_of(resource, finder.origin, "distribution") if resource else {}
        self._files = files_of(resource, finder.origin, "package") if resource else {}

    def has_metadata(self, name: str) -> bool:
        """Whether there is such a file of metadata."""
        return name in self._metadata

    def get_metadata(self, name: str) -> str:
        """A file of metadata as text. OSError when there is none."""
        if name not in self._metadata:
            raise FileNotFoundError(2, "metadata does not exist", name)
        return self._metadata[name]().decode()

    def get_metadata_lines(self, name: str) -> Iterator[str]:
        """Its lines, without blank ones and comments."""
        lines = (line.strip() for line in self.get_metadata(name).splitlines())
        return (line for line in lines if line and not line.startswith("#"))

    def metadata_isdir(self, name: str) -> bool:
        """Whether there are files of metadata in a folder."""
        return _is_folder(self._metadata, name)

    def metadata_listdir(self, name: str) -> list[str]:
        """The names in a folder of metadata."""
        return _entries(self._metadata, name)

    def run_script(self, script_name: str, namespace: Any) -> None:
        """NotImplementedError: scripts of distributions are no resources."""
        raise NotImplementedError(
            f"{self._package}: scripts of a distribution are no resources: {script_name}"
        )

    def get_resource_filename(self, manager: Any, resource_name: str) -> str:
        """NotImplementedError: an indexed resource has no file name."""
        raise NotImplementedError(f"{self._package}: {resource_name} was indexed and has no file name")

    def get_resource_stream(self, manager: Any, resource_name: str) -> io.BytesIO:
        """A resource's content. OSError when there is none."""
        if resource_name not in self._files:
            raise FileNotFoundError(2, "resource does not exist", resource_name)
        return io.BytesIO(self._files[resource_name]())

    def get_resource_string(self, manager: Any, resource_name: str) -> bytes:
        """A resource's content. OSError when there is none."""
        return self.get_resource_stream(manager, resource_name).read()

    def has_resource(self, resource_name: str) -> bool:
        """Whether there is such a resource."""
        return resource_name in self._files

    def resource_isdir(self, resource_name: str) -> bool:
        """Whether there are resources in a folder."""
        return _is_folder(self._files, resource_name)

    def resource_listdir(self, resource_name: str) -> list[str]:
        """The names in a folder of resources."""
        return _entries(self._files, resource_name)


def pkg_resources_find_distributions(importer: Any, path_item: str, only: bool = False) -> Iterator[Any]:
    """The pkg_resources.Distribution objects of a path; ``only``: of its own level, none deeper."""
    if type(importer) is not OxidizedPathEntryFinder or path_item != importer._path:
        return
    pkg_resources = importlib.import_module("pkg_resources")
    finder, above = importer._finder, importer._package
    for one in finder._distributions(None):
        parent = one._package.rpartition(".")[0]
        inside = above is None or parent == above or parent.startswith(f"{above}.")
        if not inside or (only and parent != (above or "")):
            continue
        provider = OxidizedPkgResourcesProvider.__new__(OxidizedPkgResourcesProvider)
        provider._set(finder, one._package)
        yield pkg_resources.Distribution(
            location=MOUNT, metadata=provider, project_name=one.name, version=one.version
        )


def register_pkg_resources() -> None:
    """Have pkg_resources find what OxidizedFinder instances hold. May be called again."""
    pkg_resources = importlib.import_module("pkg_resources")
    pkg_resources.register_finder(OxidizedPathEntryFinder, pkg_resources_find_distributions)
    pkg_resources.register_loader_type(OxidizedFinder, OxidizedPkgResourcesProvider)
