"""Multidicts of the C extension and of Python: order, case, views, copies, pickles and ABCs."""

from __future__ import annotations

import pickle
from collections.abc import MutableMapping

import multidict
from multidict import CIMultiDict, CIMultiDictProxy, MultiDict, _multidict, _multidict_py, istr


class Sub(MultiDict[str]):
    """Of its own kind."""


def main() -> None:
    print(_multidict.__file__, MultiDict is _multidict.MultiDict, multidict.__version__)
    for module in (_multidict, _multidict_py):
        one = module.CIMultiDict([("A", 1), ("b", 2), ("a", 3)])
        one.add("B", 4)
        one.extend({"c": 5}, d=6)
        one.popone("b")
        print(one.getall("A"), list(one), one.get("x"), "C" in one, one.items() & [("A", 1)], len(one))
        one["a"] = 9
        print(one, one.popall("c"), one.popitem(), one == module.CIMultiDict([("a", 9), ("B", 4)]))
        try:
            one["none"]
        except KeyError as error:
            print(repr(error))
        items = iter(one.items())
        one.add("z", 0)
        try:
            next(items)
        except RuntimeError as error:
            print(error)
    print(
        pickle.loads(pickle.dumps(CIMultiDict(a=1))),
        type(pickle.loads(pickle.dumps(Sub(a="1")))).__name__,
        Sub(a="1").copy(),
    )
    proxy = CIMultiDictProxy(CIMultiDict(a=1))
    print(
        proxy,
        hasattr(proxy, "add"),
        istr("X-Y").title(),
        isinstance(MultiDict(), MutableMapping),
        multidict.getversion(MultiDict()) > 0,
    )
