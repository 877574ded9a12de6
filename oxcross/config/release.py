"""``[tool.oxcross.release]``: its keys, and what they come to."""

from __future__ import annotations

from pydantic import StrictBool

from oxcross.config.table import Table
from oxcross.publish import settings


class Release(Table):
    """What a release holds besides the executables."""

    archives: StrictBool = True
    """Add an archive of each executable: `.tar.gz`, for Windows `.zip`."""


def resolve(table: Release) -> settings.Release:
    """The table as settings."""
    return settings.Release(archives=table.archives)
