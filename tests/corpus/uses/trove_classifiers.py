"""All classifiers and what became of old ones, and the checking command."""

from __future__ import annotations

import hashlib
from importlib import util

import trove_classifiers

from uses import helpers


def main() -> None:
    every = trove_classifiers.sorted_classifiers
    print(len(every), every == sorted(every), hashlib.sha256("\n".join(every).encode()).hexdigest())
    print(
        len(trove_classifiers.deprecated_classifiers),
        sorted(trove_classifiers.deprecated_classifiers.items())[:2],
    )
    print(
        "Programming Language :: Python :: 3.13" in trove_classifiers.classifiers,
        all_listed := set(every) == trove_classifiers.classifiers,
    )
    print([one for one in every if one.startswith("Development Status")], all_listed)
    print(
        util.find_spec("trove_classifiers.__main__") is not None,
        helpers.python("-m", "trove_classifiers").count("\n"),
    )
