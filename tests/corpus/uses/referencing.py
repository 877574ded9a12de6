"""References resolved through registries, anchors and dynamic scopes of every JSON Schema draft."""

from __future__ import annotations

import referencing.jsonschema
from referencing import Registry, Resource, exceptions
from referencing.jsonschema import DRAFT7, DRAFT202012, SchemaRegistry, specification_with

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "http://example.org/root/",
    "$defs": {
        "a/b%": {"$anchor": "here", "type": "string"},
        "inner": {"$id": "inner", "$dynamicAnchor": "node", "prefixItems": [{"const": 1}]},
    },
}


def main() -> None:
    asked: list[str] = []

    def retrieve(uri: str) -> Resource[object]:
        asked.append(uri)
        if uri.endswith("none"):
            raise exceptions.NoSuchResource(ref=uri)
        return DRAFT7.create_resource({"definitions": {"x": {"minimum": 3}}})

    registry: SchemaRegistry = (
        Registry(retrieve=retrieve).with_contents([("http://example.org/root/", SCHEMA)]).crawl()
    )
    resolver = registry.resolver("http://example.org/root/")
    for reference in (
        "#here",
        "#/$defs/a~1b%25",
        "inner",
        "inner#/prefixItems/0",
        "http://other.example/s#/definitions/x",
    ):
        print(reference, resolver.lookup(reference).contents)
    for broken in ("#nowhere", "#/$defs/none", "http://other.example/none"):
        try:
            resolver.lookup(broken)
        except exceptions.Unresolvable as error:
            print(type(error).__name__, error)
    print(asked, sorted(registry), registry.anchor("http://example.org/root/inner", "node").value.name)
    print(specification_with("http://json-schema.org/draft-07/schema#"), Resource.from_contents(SCHEMA).id())
    print(
        DRAFT202012.detect(SCHEMA),
        len(referencing.jsonschema.EMPTY_REGISTRY),
        registry.combine(Registry()) == registry,
    )
    try:
        Resource.from_contents({"no": "schema"})
    except exceptions.CannotDetermineSpecification as error:
        print(type(error).__name__)
