"""The metaschemas of all drafts, read from the package's data and resolved against each other."""

from __future__ import annotations

import json
from importlib import resources

from jsonschema_specifications import REGISTRY, _core


def main() -> None:
    for uri in sorted(REGISTRY):
        contents = REGISTRY.contents(uri)
        print(uri, len(json.dumps(contents)), contents.get("title"), REGISTRY[uri]._specification.name)
    resolver = REGISTRY.resolver("https://json-schema.org/draft/2020-12/schema")
    print(resolver.lookup("meta/core#/$defs/anchorString").contents)
    folder = resources.files("jsonschema_specifications") / "schemas"
    for draft in sorted(folder.iterdir(), key=lambda one: one.name):
        print(
            draft.name,
            sorted(one.name for one in draft.iterdir()),
            draft.joinpath("metaschema.json").is_file(),
        )
    print(sum(1 for _ in _core._schemas()) == len(REGISTRY))
