"""Schemas compiled by the Rust core: validation, serialisation, errors, URLs, JSON, callbacks and threads."""

from __future__ import annotations

import pickle
import threading

import pydantic_core
from pydantic_core import SchemaSerializer, SchemaValidator, core_schema


def twice(value: float) -> float:
    return value * 2


def main() -> None:
    print(pydantic_core.__version__, pydantic_core._pydantic_core.__file__)
    schema = core_schema.typed_dict_schema({
        "name": core_schema.typed_dict_field(core_schema.str_schema(min_length=2, pattern="^[a-zß]+$")),
        "at": core_schema.typed_dict_field(core_schema.datetime_schema()),
        "many": core_schema.typed_dict_field(core_schema.list_schema(core_schema.int_schema(multiple_of=2)), required=False),
        "twice": core_schema.typed_dict_field(
            core_schema.no_info_after_validator_function(twice, core_schema.float_schema()),
            required=False,
        ),
    })  # fmt: skip
    validator = SchemaValidator(schema)
    found = validator.validate_json(
        b'{"name": "gro\\u00df", "at": "2026-01-02T03:04:05+02:00", "many": ["4"], "twice": 1.5}'
    )
    print(found, SchemaSerializer(schema).to_json(found))
    try:
        validator.validate_python({"name": "X", "at": "yesterday", "many": [3, "x"]})
    except pydantic_core.ValidationError as error:
        print(error.error_count(), [(one["type"], one["loc"], one["msg"]) for one in error.errors()])
        print(repr(error.json(indent=None))[:80], error.title)
    raising = SchemaValidator(core_schema.no_info_plain_validator_function(lambda value: 1 / value))
    try:
        raising.validate_python(0)
    except ZeroDivisionError as error:
        print(repr(error))
    print(
        pydantic_core.Url("https://exämple.org:443/a?b=1#c"),
        pydantic_core.MultiHostUrl("redis://a:1,b:2/0").hosts(),
    )
    print(pydantic_core.from_json(b'[1, {"a": "b', allow_partial=True), pydantic_core.to_json({1: {2}}))
    try:
        pydantic_core.from_json(b"[1, }")
    except ValueError as error:
        print(error)
    print(
        pickle.loads(pickle.dumps(validator)).validate_python({"name": "ab", "at": 0}),
        pydantic_core.to_jsonable_python(b"x"),
    )
    results: list[int] = []
    ints = SchemaValidator(core_schema.int_schema())
    threads = [
        threading.Thread(target=lambda n=n: results.append(ints.validate_python(str(n)))) for n in range(8)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    print(sorted(results))
    print(
        pydantic_core.TzInfo(3600),
        pydantic_core.ArgsKwargs((1,), {"a": 2}),
        repr(pydantic_core.PydanticUndefined),
    )
