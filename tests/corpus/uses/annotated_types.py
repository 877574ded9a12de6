"""Constraints read from annotations and judged on values."""

from __future__ import annotations

import math
from typing import Annotated, get_args

import annotated_types as at
from annotated_types.test_cases import cases


def holds(constraint: object, value: object) -> bool:
    match constraint:
        case at.Gt(gt=bound):
            return value > bound
        case at.Ge(ge=bound):
            return value >= bound
        case at.Lt(lt=bound):
            return value < bound
        case at.Le(le=bound):
            return value <= bound
        case at.MultipleOf(multiple_of=step):
            return value % step == 0
        case at.MinLen(min_length=size):
            return len(value) >= size
        case at.MaxLen(max_length=size):
            return len(value) <= size
        case at.Predicate(func=function):
            return bool(function(value))
        case at.GroupedMetadata():
            return all(holds(one, value) for one in constraint)
    return True


def main() -> None:
    kind = Annotated[float, at.Interval(gt=0, le=1), at.Predicate(math.isfinite)]
    base, *constraints = get_args(kind)
    print(
        base, constraints, [all(holds(one, value) for one in constraints) for value in (0, 0.5, 1, math.inf)]
    )
    print(list(at.Len(1, 5)), at.Timezone(...), at.Unit("m"), at.doc("text"), at.IsFinite[float])
    checked = wrong = 0
    for case in cases():
        for constraint in get_args(case.annotation)[1:]:
            if isinstance(constraint, at.Timezone):
                continue
            for value in case.valid_cases:
                checked += 1
                wrong += not holds(constraint, value)
    print(checked, wrong, at.Predicate(str.isupper), at.Not(str.isupper)("a"))
