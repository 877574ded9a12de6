"""The build backend of a source distribution: what its pyproject.toml names, and what it asks for itself (PEP 517)."""

from __future__ import annotations

import json
import os
import re
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from oxcross.collect import uv
from oxcross.collect.index import Found
from oxcross.errors import CollectError, SourceError
from oxcross.store import Store

# What PEP 517 and PEP 518 say of a distribution without a [build-system].
_LEGACY = "setuptools.build_meta:__legacy__"
_LEGACY_REQUIRES = ("setuptools >= 40.8.0",)

_BUILD_FILES = frozenset({"pyproject.toml", "setup.py", "setup.cfg"})
_CXX_SUFFIXES = (".cpp", ".cc", ".cxx")
# What says that something is compiled: setuptools' and distutils' words, and what else builds extension modules.
_COMPILES = re.compile(
    rb"ext_modules|ext-modules|Extension\(|cythonize|cffi_modules|build_ext|rust_extensions|mypycify|tool\.poetry\.build\]"
)
_COMPILERS = re.compile(
    r"(cython|cffi|pybind11|nanobind|numpy|maturin|setuptools-rust|meson|meson-python|scikit-build|scikit-build-core|cmake|sip|mypy)\b",
    re.IGNORECASE,
)
_CXX = re.compile(
    rb"language\"?\s*[=:]\s*[\"']?c\+\+", re.IGNORECASE
)  # Extension(language="c++"), # distutils: language = c++

_ASK = """\
import importlib, json, operator, os, sys
source, out, backend, path = sys.argv[1], sys.argv[2], sys.argv[3], json.loads(sys.argv[4])
os.chdir(source)
sys.path[:1] = [os.path.abspath(folder) for folder in path]
module, _, attribute = backend.partition(":")
backend = importlib.import_module(module)
if attribute:
    backend = operator.attrgetter(attribute)(backend)
ask = getattr(backend, "get_requires_for_build_wheel", lambda settings: [])
with open(out, "w") as file:
    json.dump(list(ask(None)), file)
"""


@dataclass(frozen=True, slots=True)
class Backend:
    """``asks``: its hook must be asked, the file alone does not say what the build requires. ``cxx``: C++ is compiled.
    ``pure``: nothing in it speaks of extension modules.
    """

    backend: str
    path: tuple[str, ...]
    requires: tuple[str, ...]
    asks: bool
    cxx: bool
    pure: bool


def fetch(found: Found, store: Store) -> Path:
    """A source distribution's file, in the store. SourceError when it cannot be had, or is another one."""
    if (path := store.source(found.file.sha256)) is not None:
        return path
    from oxcross.fetch.download import TransferError, download

    url = found.location if urlsplit(found.location).scheme else Path(found.location).as_uri()
    if os.environ.get("OXCROSS_OFFLINE", "0") not in ("", "0") and not url.startswith("file:"):
        raise SourceError("it is not in the store, and nothing may be fetched", where=found.file.filename)
    with store.lock(found.file.sha256, name=found.file.filename):
        if (path := store.source(found.file.sha256)) is not None:
            return path
        partial = store.partial(found.file.sha256)
        try:
            with store.guard(found.file.size or None):
                download(url, partial, found.file.size, lambda _: None, lambda: False)
        except TransferError as error:
            raise SourceError(f"cannot be fetched: {error}", where=found.file.filename) from None
        return store.add_source(found.file.sha256, found.file.filename, partial)


def read(archive: Path, filename: str) -> Backend:
    """What the source distribution says of its build. CollectError when it cannot be read."""
    try:
        files = dict(_texts(archive, filename))
        system = tomllib.loads(files.get("pyproject.toml", b"").decode()).get("build-system", {})
    except (
        OSError,
        tarfile.TarError,
        zipfile.BadZipFile,
        UnicodeDecodeError,
        tomllib.TOMLDecodeError,
    ) as error:
        raise CollectError(f"this source distribution cannot be read: {error}", where=filename) from error
    path = tuple(system.get("backend-path", ()))
    cxx = any(name.endswith(_CXX_SUFFIXES) or _CXX.search(text) for name, text in files.items())
    late = any(b"setup_requires" in files.get(name, b"") for name in ("setup.py", "setup.cfg"))
    requires = tuple(system.get("requires", _LEGACY_REQUIRES))
    compiles = any(_COMPILES.search(files.get(name, b"")) for name in _BUILD_FILES)
    return Backend(
        backend=system.get("build-backend", _LEGACY),
        path=path,
        requires=requires,
        asks=bool(path) or late,
        cxx=cxx,
        pure=not compiles and not any(map(_COMPILERS.match, requires)),
    )


def asked(backend: Backend, archive: Path, filename: str, folder: Path) -> tuple[str, ...]:
    """What the backend's own hook says that the build requires; it is run isolated, with what is known so far."""
    with tempfile.TemporaryDirectory(prefix="oxcross-") as name:
        source, out = Path(name, "source"), Path(name, "requires.json")
        source.mkdir()
        _unpack(archive, filename, source)
        [top] = source.iterdir()
        needs = [part for line in backend.requires for part in ("--with", line)]
        uv.run(
            [
                "run", "--isolated", "--no-project", *uv.python(), *needs, "python", "-c", _ASK,
                str(top), str(out), backend.backend, json.dumps(backend.path),
            ],
            folder=folder,
            doing=f"the build backend of {filename} does not say what it requires",
            where=filename,
        )  # fmt: skip
        return tuple(map(str, json.loads(out.read_text(encoding="utf-8"))))


def _unpack(archive: Path, filename: str, folder: Path) -> None:
    if filename.endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)  # noqa: S202 (a file that the index has the SHA-256 of)
    else:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")


def _texts(archive: Path, filename: str) -> Iterator[tuple[str, bytes]]:
    """What says how it is built: files of the archive by their paths in its one folder; of C++ sources the names only."""

    def wanted(path: str) -> str | None:
        inside = path.removeprefix("./").partition("/")[2]
        return inside if inside in _BUILD_FILES or inside.endswith((*_CXX_SUFFIXES, ".pyx", ".pxd")) else None

    if filename.endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            for name in packed.namelist():
                if inside := wanted(name):
                    yield inside, b"" if inside.endswith(_CXX_SUFFIXES) else packed.read(name)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and (inside := wanted(member.name)):
                stream = None if inside.endswith(_CXX_SUFFIXES) else tar.extractfile(member)
                yield inside, stream.read() if stream else b""
