# The built-in module of the launcher (launcher/importer.c), as far as Python code uses it.

import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, SourceFileLoader

mount: str

class Finder:
    state: object
    def find_spec(
        self, fullname: str, path: object = ..., target: types.ModuleType | None = ..., /
    ) -> ModuleSpec | None: ...
    def invalidate_caches(self) -> None: ...

class PathEntryFinder:
    path: str
    def __init__(self, path: str) -> None: ...
    def iter_modules(self, prefix: str = ...) -> Iterator[tuple[str, bool]]: ...

class Loader(SourceFileLoader): ...

def modules() -> list[tuple[str, str, int]]: ...
