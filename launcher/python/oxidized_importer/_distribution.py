"""OxidizedDistribution: a distribution's metadata among an OxidizedFinder's resources."""

import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, DistributionFinder
from typing import Any

from ._reader import Files


class OxidizedDistribution(Distribution):
    """The metadata that lies in the distribution resources of the package ``package``."""

    def __init__(self, package: str, files: Files) -> None:
        self._package = package
        self._files = files

    @classmethod
    def discover(
        cls, *, context: DistributionFinder.Context | None = None, **kwargs: Any
    ) -> Iterator["OxidizedDistribution"]:
        """Those that the finders on sys.meta_path have; ValueError for both a context and names."""
        if context is not None and kwargs:
            raise ValueError("cannot accept context and kwargs")
        from ._finder import OxidizedFinder

        wanted = context or DistributionFinder.Context(**kwargs)
        finders = [finder for finder in sys.meta_path if isinstance(finder, OxidizedFinder)]
        return (one for finder in finders for one in finder._distributions(wanted.name))

    def read_text(self, filename: Any) -> str | None:
        """A file of the metadata, or None when there is none of the name."""
        read = self._files.get(str(filename))
        return None if read is None else read().decode("utf-8")

    def locate_file(self, path: Any) -> Any:
        """NotImplementedError: metadata in memory lies beside no files."""
        raise NotImplementedError(f"{self._package}: its metadata lies in memory, beside no files: {path}")


def normalised(name: str) -> str:
    """A distribution's name as it is compared (PEP 503), as a file name."""
    import re

    return re.sub(r"[-_.]+", "-", name).lower().replace("-", "_")
