"""The module of this name that PyOxidizer gives to applications, for code that was written for it.

What it says of itself holds here as PyOxidizer documents it, with these differences. The finder that is on sys.meta_path
is an OxidizedFinder as soon as this module is imported; what it finds has __file__, __cached__ and loaders of its own,
for the files that it names can be opened. NotImplementedError or ImportError is raised, with the reason, for: loading
an extension module or a shared library that was indexed as bytes, locating files of a distribution that has none, and
pkg_resources' file names of such resources and scripts.
"""

import importlib.abc
import sys
import types

import _oxcross

from ._collect import OxidizedResourceCollector, find_resources_in_path
from ._distribution import OxidizedDistribution
from ._finder import OxidizedFinder
from ._found import (
    PythonExtensionModule,
    PythonModuleBytecode,
    PythonModuleSource,
    PythonPackageDistributionResource,
    PythonPackageResource,
)
from ._paths import OxidizedPathEntryFinder
from ._pkg_resources import (
    OxidizedPkgResourcesProvider,
    pkg_resources_find_distributions,
    register_pkg_resources,
)
from ._reader import OxidizedResourceReader
from ._resource import OxidizedResource
from ._zip import OxidizedZipFinder

__all__ = [
    "OxidizedDistribution",
    "OxidizedFinder",
    "OxidizedPathEntryFinder",
    "OxidizedPkgResourcesProvider",
    "OxidizedResource",
    "OxidizedResourceCollector",
    "OxidizedResourceReader",
    "OxidizedZipFinder",
    "PythonExtensionModule",
    "PythonModuleBytecode",
    "PythonModuleSource",
    "PythonPackageDistributionResource",
    "PythonPackageResource",
    "decode_source",
    "find_resources_in_path",
    "pkg_resources_find_distributions",
    "register_pkg_resources",
]


def decode_source(io_module: types.ModuleType, source_bytes: bytes) -> str:  # noqa: ARG001 (PyOxidizer's)
    """Source text by its encoding declaration, newlines made universal; ``io_module`` is not needed."""
    import importlib.util

    return importlib.util.decode_source(source_bytes)


importlib.abc.MetaPathFinder.register(OxidizedFinder)
importlib.abc.ExecutionLoader.register(OxidizedFinder)
importlib.abc.PathEntryFinder.register(OxidizedPathEntryFinder)
importlib.abc.MetaPathFinder.register(OxidizedZipFinder)
importlib.abc.InspectLoader.register(OxidizedZipFinder)

for _finder in sys.meta_path:
    if type(_finder) is _oxcross.Finder:
        # The same layout: what it is becomes visible, and nothing else changes.
        _finder.__class__ = OxidizedFinder
del _finder
