"""``[tool.oxcross.cache]``: its keys, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import StringConstraints

from oxcross.cache import settings
from oxcross.config.bucket import Address, Place, address, reached
from oxcross.config.table import Text
from oxcross.config.tables import Wrong
from oxcross.publish.settings import Publish

PublicKey = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9+/]{43}=$")]
Variable = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Cache(Place):
    """What others built, in a bucket or behind an address: it is taken from there instead of being built again."""

    url: Address | None = None
    """Where it is read from without credentials: what lies there is what lies below `prefix` in the bucket."""
    trust: tuple[PublicKey, ...] = ()
    """The public keys (`oxcross cache keygen`) of those whose results are taken; no other's are."""
    key_env: Variable = settings.KEY_ENV
    """The environment variable with the secret key of a builder that pushes (`--push`)."""
    key_file: Text | None = None
    """Or the file that holds it, below the project's folder or absolute."""


def resolve(root: Path, table: Cache, wrong: Wrong) -> settings.Cache:
    """The table as settings; what is wrong goes to ``wrong`` (key, message, hint)."""
    found = settings.Cache(
        url=address(table.url, "cache.url", wrong),
        place=Publish(**reached(table, "cache", wrong)),
        trust=tuple(dict.fromkeys(table.trust)),
        key_env=table.key_env,
        key_file=root / table.key_file if table.key_file else None,
    )
    if found.configured and not found.trust:
        wrong("cache.trust", settings.UNTRUSTED, settings.TRUST_HINT)
    return found
