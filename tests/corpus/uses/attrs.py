"""Classes generated: slots, converters, validators, ordering, hashing, evolving, pickling and source lines."""

from __future__ import annotations

import inspect
import linecache
import pickle

import attr
import attrs
from attrs import converters, filters, setters, validators


@attrs.define(order=True)
class Point:
    x: int = attrs.field(converter=int, validator=validators.ge(0))
    y: int = attrs.field(default=0, metadata={"unit": "m"})
    note: str | None = attrs.field(default=None, eq=False, repr=False, converter=converters.optional(str))

    @y.validator
    def small(self, attribute: attrs.Attribute[int], value: int) -> None:
        if value > 9:
            raise ValueError(f"{attribute.name} too large")


@attrs.frozen(kw_only=True)
class Line:
    ends: tuple[Point, Point]
    tags: set[str] = attrs.Factory(set)


@attr.s(auto_attribs=True, on_setattr=setters.frozen)
class Old:
    a: int
    b: list[int] = attr.Factory(lambda self: [self.a], takes_self=True)


def main() -> None:
    one = Point("3", 4)
    print(one, one < Point(5), attrs.asdict(one), attrs.astuple(one), attrs.evolve(one, y=1))
    line = Line(ends=(one, Point(1)))
    print(pickle.loads(pickle.dumps(line)) == line, attrs.asdict(line, filter=filters.exclude("tags")))
    for action in (
        lambda: Point(-1),
        lambda: Point(1, 10),
        lambda: setattr(line, "ends", 1),
        lambda: setattr(Old(1), "a", 2),
    ):
        try:
            action()
        except Exception as error:
            print(type(error).__name__, str(error)[:60])
    print(attrs.fields(Point).y.metadata, Old(5), attrs.has(Line), Point.__slots__)
    print(inspect.signature(Line), attrs.make_class("Made", ["a", "b"])(1, 2))
    print(inspect.getsource(Point.__init__))
    print(
        len(linecache.getlines(Point.__init__.__code__.co_filename)),
        attr.VersionInfo._from_version_string("1.2.3"),
    )
    attrs.resolve_types(Line)
    print(attrs.fields(Line).ends.type, attr.__version__ == attrs.__version__)
