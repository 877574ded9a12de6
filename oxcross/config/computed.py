"""Name and version that stand nowhere: the project's build backend computes them, from version control or from code."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from oxcross.errors import CollectError, ConfigError

_ANY = {"name": "project", "version": "0"}


class Computed:
    """``ask`` the backend, or take anything: where a configuration is only looked at."""

    def __init__(self, root: Path, *, ask: bool) -> None:
        self._root = root
        self._known = {} if ask else _ANY

    def value(self, key: Literal["name", "version"]) -> str:
        """As it is in the metadata of the project's wheel, which the build needs anyway and the store keeps.

        ConfigError when that cannot be built.
        """
        if not self._known:
            from oxcross import report
            from oxcross.collect import distributions, wheel
            from oxcross.store import Store

            try:
                with Store() as store:
                    built = wheel.build(self._root, store, notice=report.note)
            except CollectError as error:
                raise ConfigError(
                    f"missing: it is left to the build backend, and {error.message}", hint=error.hint
                ) from None
            found = distributions.describe(built.metadata)
            self._known = {"name": found.name, "version": found.version}
        return self._known[key]
