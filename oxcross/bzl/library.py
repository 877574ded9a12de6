"""The standard library's resources: what lies in the tree that CPython's step made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oxcross import recipes, targets
from oxcross.bzl.resources import Origin, PythonExtensionModule, Resource, Source, scan
from oxcross.targets import Target

if TYPE_CHECKING:
    from oxcross.bzl.policy import PythonPackagingPolicy
    from oxcross.bzl.world import World

_ORIGIN = Origin(stdlib=True)


def resources(world: World, policy: PythonPackagingPolicy) -> list[Resource]:
    """All of them; CPython is built first when it is not in the store."""
    from oxcross.collect import stdlib

    target = single(world.target)
    step = recipes.cpython(target, "3.13")
    built = world.make([step])[step]
    facts = json.loads((built / "link.json").read_text(encoding="utf-8"))
    version = str(facts["version"])
    folder = stdlib.folder(version)
    tree = stdlib.tree(built, version, target.os)
    sources = [
        Source(f"{folder}/{path.removeprefix(f'{folder}/')}", entry.read, _ORIGIN, entry.executable)
        for path, entry in tree.items()
    ]
    found = scan(world, policy, sources, ())
    for name in facts["builtin"]:
        native = Source(name, bytes, _ORIGIN)
        found.append(PythonExtensionModule(world, native, name=name, is_stdlib=True))
        policy.applied(found[-1])
    return found


def single(target: Target) -> Target:
    """The target itself, or the first that a universal one is joined of."""
    return targets.get(target.slices[0]) if target.slices else target
