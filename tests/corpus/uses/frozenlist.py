"""Lists that freeze, by the C extension and by Python: mutation, hashing, comparing, subclassing."""

from __future__ import annotations

import frozenlist
from frozenlist import FrozenList, PyFrozenList, _frozenlist


def main() -> None:
    print(_frozenlist.__file__, FrozenList is _frozenlist.FrozenList, frozenlist.__version__)
    for kind in (FrozenList, PyFrozenList):
        one = kind([3, 1])
        one.append(2)
        one.insert(0, 9)
        one += [4]
        del one[1]
        print(
            list(one),
            one.index(2),
            one[-1],
            one == [9, 1, 2, 4],
            one < [10],
            list(reversed(one)),
            repr(one)[-13:],
        )
        try:
            hash(one)
        except RuntimeError as error:
            print(error)
        one.freeze()
        print(one.frozen, hash(one) == hash(tuple(one)), one in {one})
        for action in (
            lambda: one.append(1),
            lambda: one.pop(),
            lambda: one.clear(),
            lambda: one.__setitem__(0, 1),
        ):
            try:
                action()
            except RuntimeError as error:
                print(error)
    print(FrozenList[int], issubclass(type("Sub", (FrozenList,), {}), FrozenList))
