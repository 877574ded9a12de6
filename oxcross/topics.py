"""The list of tasks as people read it: by topic, in the order of use; and the help of one.

A task that no topic has is of the tasks.py that brought it: it comes last, under a heading of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final

from invoke.collection import Collection
from invoke.tasks import Task
from invoke.util import helpline

Topics = Mapping[str, Sequence[Task[Any] | Collection]]

OWN: Final = "Of this tasks.py"
_EXAMPLES: Final = "\n\nExamples:\n"


def listed(namespace: Collection, topics: Topics) -> dict[str, list[tuple[str, str]]]:
    """The tasks of each topic as they are typed, each with what it does in a line."""
    # A collection that was made of another one has copies of its groups, but the same functions.
    places = {
        task.body: (topic, at)
        for topic, tasks in topics.items()
        for at, one in enumerate(tasks)
        for task in (one.tasks.values() if isinstance(one, Collection) else [one])
    }
    found: dict[str, list[tuple[int, str, str]]] = {topic: [] for topic in (*topics, OWN)}
    for name, aliases in namespace.task_names.items():
        task = namespace[name]
        topic, at = places.get(task.body, (OWN, 0))
        # A group's name stands for its default task.
        typed = next((alias for alias in aliases if name.startswith(f"{alias}.")), name)
        found[topic].append((at, typed.replace(".", " "), helpline(task) or ""))
    return {
        topic: [(name, text) for _, name, text in sorted(rows, key=lambda row: row[0])]
        for topic, rows in found.items()
        if rows
    }


def told(task: Task[Any]) -> str:
    """What a task does: its docstring without the examples."""
    return cleandoc(task.__doc__ or "").partition(_EXAMPLES)[0]


def examples(task: Task[Any], binary: str) -> list[str]:
    """The lines of the last paragraph of a task's docstring, as this program is called; a comment stands behind ``#``."""
    lines = cleandoc(task.__doc__ or "").partition(_EXAMPLES)[2].splitlines()
    return [re.sub(r"^oxcross ", f"{binary} ", line.strip()) for line in lines]


def siblings(namespace: Collection, name: str) -> list[str]:
    """The other tasks of a group, for the help of the one that its name stands for; none for any other task."""
    group, _, task = name.partition(".")
    collection = namespace.collections.get(group)
    if collection is None or task not in ("", collection.default):
        return []
    return [f"{group} {other}" for other in collection.tasks if other != collection.default]
