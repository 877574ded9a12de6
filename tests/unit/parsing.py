"""The program's own parser, for commands that stand in documentation and help."""

from __future__ import annotations

import shlex

from invoke.collection import Collection

from oxcross.cli import OxcrossProgram
from oxcross.tasks import ns


class Parsing(OxcrossProgram):
    """The program, which reads a command and does not do it."""

    def execute(self) -> None:
        """Nothing."""


def parse(line: str, namespace: Collection = ns) -> None:
    """UsageError for what the program would not take."""
    Parsing(namespace=namespace, name="oxcross", binary="oxcross").call(shlex.split(line))
