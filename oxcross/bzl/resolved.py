"""ResolvedTarget: what ``build`` methods give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxcross.bzl.values import Value

if TYPE_CHECKING:
    from oxcross.bzl.world import World


class ResolvedTarget(Value):
    """Stands for what is to be built."""

    kind = "ResolvedTarget"

    def __init__(self, world: World, value: Value) -> None:
        super().__init__(world)
        self.value = value
