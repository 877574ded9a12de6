"""Turns a tree of files (the standard library, installed wheels, an application) into a set.

What is a module is compiled and can be imported; every other file is data, readable below the
executable's path. A ``.py`` file that this Python cannot compile (old syntax, a template) is data.
"""

from __future__ import annotations

import dataclasses
import hashlib
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from oxcross.collect import bytecode, distributions, libraries, names, quirks, resourceset
from oxcross.collect.distributions import Distribution
from oxcross.collect.libraries import Shared
from oxcross.collect.names import Name
from oxcross.collect.resourceset import ResourceSet
from oxcross.pack.codec import Encoder
from oxcross.pack.codec import train as pack_train
from oxcross.pack.resources import Resources
from oxcross.targets import Target

_SKIPPED_FOLDERS = {"__pycache__"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a tree: how to get its bytes, and whether it is executable."""

    read: Callable[[], bytes]
    executable: bool = False

    @classmethod
    def of(cls, data: bytes) -> Entry:
        """A file with this content."""
        return cls(lambda: data)

    @classmethod
    def at(cls, path: Path) -> Entry:
        """The file at this path."""
        return cls(path.read_bytes, bool(path.stat().st_mode & 0o111))

    @property
    def identity(self) -> str:
        """The SHA-256 of the content, lower-case hex; marked where the file is executable."""
        return hashlib.sha256(self.read()).hexdigest() + ("x" if self.executable else "")


Tree = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Options:
    """What the bytes of a set depend on, besides its tree: one target's interpreter and settings."""

    python: Path  # the interpreter that compiles
    target: Target
    soabi: str
    optimize: int
    sources: bool  # whether modules' source text goes in
    columns: bool  # whether their code tells columns
    encoder: Encoder
    compiler: Callable[[Mapping[str, bytes]], Mapping[str, bytecode.Compiled]] | None = None

    def compiled(self, sources: Mapping[str, bytes]) -> Mapping[str, bytecode.Compiled]:
        """The bytecode of ``sources``."""
        if self.compiler is not None:
            return self.compiler(sources)
        return bytecode.compile_all(self.python, sources, optimize=self.optimize, columns=self.columns)


def read_tree(root: Path) -> dict[str, Entry]:
    """The files below ``root``, without bytecode caches. Symbolic links to files are followed."""
    found: dict[str, Entry] = {}

    def visit(folder: Path, prefix: str) -> None:
        for path in sorted(folder.iterdir()):
            if path.is_dir():
                if path.name not in _SKIPPED_FOLDERS and not path.is_symlink():
                    visit(path, f"{prefix}{path.name}/")
            elif path.is_file():
                found[prefix + path.name] = Entry.at(path)

    visit(root, "")
    return found


def make(
    folder: Path,
    tree: Tree,
    options: Options,
    *,
    prefix: str = "",
    stdlib: bool = False,
    importable: bool = True,
    train: bool = False,
    linked: bool = False,
) -> ResourceSet:
    """Write the set of ``tree`` into the empty ``folder`` and return it.

    ``prefix`` is where the tree lies below the mount point (``lib/python3.13/``); without
    ``importable`` every file is data; with ``train`` a dictionary for compression is made from the
    modules' code, for this set and for those merged with it; extension modules that are ``linked`` into the
    executable are empty files. The same tree and options give the same bytes, and every
    module's do not depend on the others.
    """
    suffixes = options.target.extension_suffixes(options.soabi)
    found = {path: name for path in sorted(tree) if importable and (name := names.of(path, suffixes))}
    texts = {path: tree[path].read() for path, name in found.items() if name.kind == "source"}
    compiled = options.compiled(
        {prefix + path: text if stdlib else quirks.compiled(path, text) for path, text in texts.items()}
    )
    if train:
        samples = [result.code for result in compiled.values() if result.code]
        trained = Encoder(options.encoder.compression, pack_train(samples))
        options = dataclasses.replace(options, encoder=trained)
    skipped = [(path, result.error) for path, result in compiled.items() if result.code is None]
    for path, _ in skipped:
        del found[path.removeprefix(prefix)]

    writer = resourceset.Writer(folder)
    codes = [(Entry.of(compiled[prefix + path].code or b"").read, False) for path in found if path in texts]
    code_of = dict(
        zip((path for path in found if path in texts), _stored(writer, options, codes), strict=True)
    )

    files: list[tuple[str, int, bool]] = []
    shared: list[Shared] = []
    kept = [path for path in sorted(tree) if options.sources or path not in code_of]
    jobs = (
        (Entry.of(texts[path]).read if path in texts else tree[path].read, path in code_of) for path in kept
    )
    metadata: dict[str, bytes] = {}
    for path, (data, payload) in zip(kept, resourceset.encoded(options.encoder, jobs), strict=True):
        number = writer.payload(payload)
        files.append((prefix + path, number, tree[path].executable))
        if (described := libraries.describe(prefix + path, data, options.target.os)) is not None:
            shared.append(described)
        if posixpath.basename(path) in ("METADATA", "RECORD"):
            metadata[path] = data
        if (name := found.get(path)) is not None and name.kind == "extension":
            code_of[path] = number
    modules = [_module(prefix + path, name, code_of[path], stdlib, linked) for path, name in _first(found)]
    directories: list[str] = []
    if importable and not stdlib:  # nothing in the standard library is a namespace package
        spaces = names.namespaces(tree, (name.module for name in found.values()))
        modules += [(space, space.replace(".", "/"), -1, False, False, False, False) for space in spaces]
        directories = [space.replace(".", "/") for space in spaces]
    known = ResourceSet(
        Resources(directories=set(directories), dictionary=options.encoder.dictionary),
        tuple(shared),
        tuple(_distributions(metadata)),
        tuple(skipped),
    )
    writer.close(modules, files, known)
    return resourceset.load(folder)


def _stored(
    writer: resourceset.Writer, options: Options, items: list[tuple[Callable[[], bytes], bool]]
) -> Iterator[int]:
    for _, payload in resourceset.encoded(options.encoder, items):
        yield writer.payload(payload)


def _first(found: Mapping[str, Name]) -> Iterator[tuple[str, Name]]:
    """Of files that are the same module the one that FileFinder takes: package, extension, source."""
    best: dict[str, str] = {}
    for path, name in found.items():
        if name.module not in best or name.order < found[best[name.module]].order:
            best[name.module] = path
    for path in best.values():
        yield path, found[path]


def _module(
    path: str, name: Name, code: int, stdlib: bool, linked: bool
) -> tuple[str, str, int, bool, bool, bool, bool]:
    extension = name.kind == "extension"
    return name.module, path, code, name.package, extension, stdlib, linked and extension


def _distributions(metadata: Mapping[str, bytes]) -> Iterator[Distribution]:
    for path in sorted(metadata):
        if distributions.is_metadata(path):
            record = metadata.get(posixpath.join(posixpath.dirname(path), "RECORD"), b"")
            yield distributions.describe(metadata[path], record)
