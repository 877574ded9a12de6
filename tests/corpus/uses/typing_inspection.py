"""Annotations taken apart: qualifiers, metadata, unions, literals, aliases, and documentation of attributes."""

from __future__ import annotations

import collections.abc
import typing
from typing import Annotated, ClassVar, Final, Literal, Optional, Union

import typing_extensions
from typing_inspection import introspection, typing_objects
from typing_inspection.introspection import AnnotationSource, inspect_annotation


def main() -> None:
    for annotation in (Final[int], ClassVar[Annotated[str, "meta"]], Annotated[int, 1, 2], Final):
        found = inspect_annotation(annotation, annotation_source=AnnotationSource.CLASS)
        print(found.type, sorted(found.qualifiers), found.metadata)
    try:
        inspect_annotation(typing_extensions.Required[int], annotation_source=AnnotationSource.FUNCTION)
    except introspection.ForbiddenQualifier as error:
        print(repr(error))
    print(
        introspection.is_union_origin(typing.get_origin(Union[int, str])),
        introspection.is_union_origin(typing.get_origin(int | str)),
    )
    print(list(introspection.get_literal_values(Literal["a", "b", None], type_check=True)))
    alias = typing_extensions.TypeAliasType("alias", int | Literal[3])
    print(
        typing_objects.is_typealiastype(alias),
        typing_objects.is_any(typing.Any),
        typing_objects.is_literal(typing.get_origin(Literal[1])),
    )
    print(
        typing_objects.is_deprecated(typing_extensions.deprecated("x")),
        typing_objects.is_paramspec(typing.ParamSpec("P")),
    )
    print(
        typing_objects.DEPRECATED_ALIASES[typing.List] is list,
        typing_objects.NoneType,
        collections.abc.Callable,
    )
    print(
        typing_objects.is_namedtuple(typing.NamedTuple("N", [("a", int)])),
        Optional[int],
        introspection.UNKNOWN,
    )
    print(len([name for name in dir(typing_objects) if name.startswith("is_")]))
