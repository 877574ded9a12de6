# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Call a build backend's ``build_wheel`` (PEP 517) in the current folder: ``hook.py FACTS OUT``."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import operator
import sys
from pathlib import Path
from typing import Any


def main(facts: Path, out: str) -> None:
    known = json.loads(facts.read_text(encoding="utf-8"))
    # The folder of this script is no part of what a backend may see.
    sys.path[:1] = [str(Path(folder).absolute()) for folder in known["backend_path"]]
    module, _, attribute = known["backend"].partition(":")
    backend: Any = importlib.import_module(module)
    if attribute:
        backend = operator.attrgetter(attribute)(backend)
    settings = known["settings"] or None
    if hasattr(backend, "get_requires_for_build_wheel"):
        check(backend.get_requires_for_build_wheel(settings))
    backend.build_wheel(out, settings)


def check(requirements: list[str]) -> None:
    """End when a requirement of the backend itself is not there: it was not known when the build was planned."""
    missing = []
    for line in requirements:
        name = line.partition(";")[0]
        for mark in "[(<>=!~ ":
            name = name.partition(mark)[0]
        try:
            importlib.metadata.distribution(name.strip())
        except importlib.metadata.PackageNotFoundError:
            missing.append(line)
    if missing:
        sys.exit(f"oxcross: the build asks for {', '.join(missing)}, which it did not name before")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
