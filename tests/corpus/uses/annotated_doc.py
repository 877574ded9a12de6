"""Documentation kept in annotations and read back from functions and classes."""

from __future__ import annotations

import pickle
from typing import Annotated, get_args, get_type_hints

from annotated_doc import Doc


class Thing:
    """With documented attributes."""

    size: Annotated[int, Doc("How large.")]


def call(
    name: Annotated[str, Doc("Who.")], times: Annotated[int, "other", Doc("How often.")] = 1
) -> Annotated[str, Doc("The text.")]:
    return name * times


def main() -> None:
    for target in (call, Thing):
        for name, hint in get_type_hints(target, include_extras=True).items():
            print(name, hint, [one.documentation for one in get_args(hint)[1:] if isinstance(one, Doc)])
    print(
        Doc("x") == Doc("x"),
        hash(Doc("x")) == hash(Doc("x")),
        repr(Doc("x")),
        pickle.loads(pickle.dumps(Doc("x"))),
    )
