"""Properties computed once, by the C helpers and by Python's."""

from __future__ import annotations

import propcache
from propcache import _helpers, _helpers_c, _helpers_py, api


def make(kind: object) -> type:
    class Thing:
        """Counts its work."""

        def __init__(self) -> None:
            self._cache: dict[str, object] = {}
            self.count = 0

        @kind
        def value(self) -> int:
            """The value."""
            self.count += 1
            return 42

    return Thing


def main() -> None:
    print(_helpers_c.__file__, _helpers.cached_property is _helpers_c.cached_property, propcache.__version__)
    for module in (_helpers_c, _helpers_py):
        for name in ("cached_property", "under_cached_property"):
            thing = make(getattr(module, name))()
            print(
                name,
                thing.value,
                thing.value,
                thing.count,
                type(thing).value.__doc__,
                thing._cache,
                "value" in vars(thing),
            )
            try:
                thing.value = 3
                print("set", thing.value)
            except AttributeError as error:
                print(repr(error))
    print(api.under_cached_property[int], sorted(api.__all__))
