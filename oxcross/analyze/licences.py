"""What a licence expression asks of who gives an executable away."""

from __future__ import annotations

import re

from oxcross.analyze.rules import SEVERITIES, Rule, load


def applies(expression: str) -> Rule | None:
    """The gravest rule about a licence (SPDX, or as metadata say it); of alternatives ("OR") the mildest counts."""
    if " OR " in expression:
        found = [applies(part) for part in re.split(r"\s+OR\s+", expression.strip("() "))]
        return None if None in found else max((rule for rule in found if rule), key=_gravity)
    rules = [
        rule
        for part in re.split(r"\s+AND\s+|;", expression)
        for rule in load().of("licence")
        if re.match(rule.pattern, part.strip("() "))
    ]
    return min(rules, key=_gravity, default=None)


def is_unclear(expression: str) -> bool:
    """Whether several licences are named by classifiers, which do not say if one or all of them hold."""
    return " AND " in expression and " Licen" in expression


def of_library(name: str) -> str | None:
    """The licence of a shared library of others that wheels carry, by its file name; None when it is not known."""
    return next((licence for pattern, licence in load().bundled if pattern.match(name)), None)


def _gravity(rule: Rule) -> tuple[int, int]:
    """Small is grave."""
    return SEVERITIES.index(rule.severity), list(load().rules).index(rule.id)
