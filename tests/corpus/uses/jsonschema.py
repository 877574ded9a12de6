"""Documents validated by every draft, references resolved, formats checked, errors explained, and the command."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker, exceptions, protocols, validators
from referencing import Registry, Resource

from uses import helpers

SCHEMA = {
    "$id": "http://example.org/person",
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 0}, "home": {"$ref": "http://example.org/place"},
                   "when": {"format": "date"}, "kids": {"type": "array", "items": {"$ref": "#"}, "uniqueItems": True}},
    "required": ["name"],
    "unevaluatedProperties": False,
}  # fmt: skip


def main() -> None:
    registry = Registry().with_resource(
        "http://example.org/place",
        Resource.from_contents(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", "enum": ["here", "there"]}
        ),
    )
    validator = Draft202012Validator(SCHEMA, registry=registry, format_checker=FormatChecker())
    bad = {
        "name": "x",
        "age": -1,
        "home": "nowhere",
        "when": "soon",
        "kids": [{"name": "aa", "z": 1}, {}],
        "more": 1,
    }
    for error in sorted(validator.iter_errors(bad), key=lambda one: one.json_path):
        print(error.json_path, error.validator, error.message)
    print(
        exceptions.best_match(validator.iter_errors(bad)).message,
        validator.is_valid({"name": "ada", "kids": [{"name": "bob"}]}),
    )
    for uri, kind in sorted(validators._META_SCHEMAS.items()):
        kind.check_schema(kind.META_SCHEMA)
        print(uri, kind.__name__)
    try:
        jsonschema.validate({"a": 1}, {"type": "nonsense"})
    except jsonschema.SchemaError as error:
        print(str(error).splitlines()[0])
    own = validators.extend(
        Draft202012Validator,
        {
            "even": lambda validator, value, instance, schema: (
                [] if instance % 2 == 0 else [exceptions.ValidationError("odd")]
            )
        },
    )
    print(
        [error.message for error in own({"even": True}).iter_errors(3)],
        isinstance(own({}), protocols.Validator),
    )
    tree = exceptions.ErrorTree(validator.iter_errors(bad))
    print(tree.total_errors, sorted(tree["age"].errors))
    print(sorted(FormatChecker.checkers)[:8])
    Path("s.json").write_text(json.dumps({"type": "integer"}))
    Path("i.json").write_text('"x"')
    print(helpers.python("-W", "ignore", "-m", "jsonschema", "-i", "i.json", "s.json"))
