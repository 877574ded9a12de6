"""What find_resources_in_path finds: modules, extension modules, files of packages and of distributions."""

from pathlib import Path


class _Found:
    """A named thing that lies in a file, which is read when its data are asked for."""

    def __init__(self, name: str, path: Path, *, is_package: bool = False, skip: int = 0) -> None:
        self._name = name
        self._path = path
        self._skip = skip
        self._is_package = is_package

    def _read(self) -> bytes:
        return self._path.read_bytes()[self._skip :]

    def __repr__(self) -> str:
        return f'<{type(self).__name__} name="{self._name}">'


class PythonModuleSource(_Found):
    """The source text of a module."""

    @property
    def module(self) -> str:
        """The module's full name."""
        return self._name

    @property
    def source(self) -> bytes:
        """Its source text."""
        return self._read()

    @property
    def is_package(self) -> bool:
        """Whether it is a package."""
        return self._is_package


class PythonModuleBytecode(_Found):
    """The bytecode of a module."""

    def __init__(self, name: str, path: Path, *, is_package: bool, level: int) -> None:
        super().__init__(name, path, is_package=is_package, skip=16)  # the header of a .pyc file (PEP 552)
        self._level = level

    @property
    def module(self) -> str:
        """The module's full name."""
        return self._name

    @property
    def bytecode(self) -> bytes:
        """What marshal gave for its code: a .pyc file without its header."""
        return self._read()

    @property
    def optimize_level(self) -> int:
        """0, 1 or 2."""
        return self._level

    @property
    def is_package(self) -> bool:
        """Whether it is a package."""
        return self._is_package


class PythonExtensionModule(_Found):
    """An extension module: a shared library."""

    @property
    def name(self) -> str:
        """The module's full name."""
        return self._name


class PythonPackageResource(_Found):
    """A file that is no module and lies in a package."""

    def __init__(self, package: str, name: str, path: Path) -> None:
        super().__init__(name, path)
        self._package = package

    @property
    def package(self) -> str:
        """The package that it belongs to: the innermost that it lies in."""
        return self._package

    @property
    def name(self) -> str:
        """Its path below the package, with slashes."""
        return self._name

    @property
    def data(self) -> bytes:
        """Its content."""
        return self._read()


class PythonPackageDistributionResource(PythonPackageResource):
    """A file of a distribution's metadata."""

    def __init__(self, package: str, version: str, name: str, path: Path) -> None:
        super().__init__(package, name, path)
        self._version = version

    @property
    def version(self) -> str:
        """The distribution's version."""
        return self._version
