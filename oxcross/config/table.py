"""What every table of the configuration is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Text = Annotated[str, StringConstraints(strict=True, min_length=1)]


def _key(name: str) -> str:
    """A field's name as the configuration spells it."""
    return name.replace("_", "-")


class Table(BaseModel):
    """A table of the configuration: keys with dashes, no other keys, frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=_key, use_attribute_docstrings=True
    )
