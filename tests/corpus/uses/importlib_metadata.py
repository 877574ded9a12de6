"""Distributions found, with their files, entry points, requirements and origins; those on a path of one's own."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import importlib_metadata as backport


def main() -> None:
    names = sorted({one.metadata["Name"].lower() for one in backport.distributions()})
    print(len(names), names == sorted({one.metadata["Name"].lower() for one in metadata.distributions()}))
    print(names[:5], len(backport.packages_distributions()) == len(metadata.packages_distributions()))
    for name in ("numpy", "importlib_metadata", "Jinja2", "opentelemetry-sdk", "googleapis.common.protos"):
        one, same = backport.distribution(name), metadata.distribution(name)
        print(
            one.metadata["Name"],
            one.version == same.version,
            one.requires == same.requires,
            len(one.files) == len(same.files),
        )
        path = next(path for path in one.files if path.name in ("METADATA", "top_level.txt"))
        print(
            path, path.locate().is_file(), path.size, path.hash and path.hash.mode, len(path.read_text()) > 0
        )
    points = backport.entry_points(group="console_scripts")
    print(
        len(points.names) > 10,
        points["pygmentize"].value,
        points["pygmentize"].load().__name__,
        sorted(points["pip"].extras),
    )
    print(
        sorted(backport.entry_points().groups) == sorted(metadata.entry_points().groups),
        backport.version("six"),
    )
    print(backport.metadata("requests").json["name"], backport.distribution("requests").origin)
    try:
        backport.version("no-such-thing")
    except backport.PackageNotFoundError as error:
        print(error)
    Path("place/own-2.0.dist-info").mkdir(parents=True)
    Path("place/own-2.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: own\nVersion: 2.0\n")
    Path("place/own-2.0.dist-info/entry_points.txt").write_text("[corpus.plugins]\nx = json:dumps\n")
    print([one.name for one in backport.distributions(path=["place"])])
    sys.path.insert(0, "place")
    print(
        backport.version("own"),
        [one.load().__name__ for one in backport.entry_points(group="corpus.plugins")],
    )
    print(
        [one.load().__name__ for one in metadata.entry_points(group="corpus.plugins")],
        metadata.version("own"),
    )
