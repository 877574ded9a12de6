"""Protocols, TypedDicts, overloads, annotations and deprecations at run time."""

from __future__ import annotations

import pickle
import warnings

import typing_extensions as t


class Movie(t.TypedDict, closed=True):
    title: t.Required[str]
    year: t.NotRequired[t.ReadOnly[int]]


@t.runtime_checkable
class Named(t.Protocol):
    name: str


class Plain(t.NamedTuple):
    name: str
    count: int = 3


T = t.TypeVar("T", default=int)


@t.deprecated("use the other")
def old() -> str:
    return "old"


@t.overload
def both(x: int) -> int: ...
@t.overload
def both(x: str) -> str: ...
def both(x: t.Any) -> t.Any:
    return x


def main() -> None:
    print(sorted(Movie.__required_keys__), sorted(Movie.__optional_keys__), t.get_type_hints(Movie))
    print(isinstance(Plain("x"), Named), t.get_protocol_members(Named), t.is_protocol(Named))
    print(pickle.loads(pickle.dumps(Plain("x"))), T.__default__, len(t.get_overloads(both)))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old()
    print([(one.category.__name__, str(one.message)) for one in caught])
    hints = t.get_type_hints(both, include_extras=True)
    print(hints, t.get_origin(t.Annotated[int, "x"]), t.get_args(t.Literal["a", 1]))
    alias = t.TypeAliasType("alias", list[T], type_params=(T,))
    print(alias[str], alias.__value__, t.get_annotations(old))
    print(t.evaluate_forward_ref(t.ForwardRef("int | str")), t.NoDefault, t.Sentinel("MISSING"))
    print(len([name for name in t.__all__ if hasattr(t, name)]) == len(t.__all__))
