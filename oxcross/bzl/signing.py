"""CodeSigner: the certificate that executables for Windows and macOS are signed with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from oxcross.bzl.values import Value
from oxcross.errors import ConfigError

if TYPE_CHECKING:
    from oxcross.bzl.world import World

VARIABLE: Final = "OXCROSS_BZL_PASSWORD"


class CodeSigner(Value):
    """See symbols.toml."""

    kind = "CodeSigner"

    def __init__(self, world: World, path: str, password: str) -> None:
        super().__init__(world)
        self.path = world.path(path)
        if not self.path.is_file():
            raise ConfigError(f"there is no certificate {path!r}", hint=f"looked for: {self.path}")
        self.password = password
        self.clock: str | None = None

    def activate(self) -> None:
        self.world.signer = self

    def set_time_stamp_server(self, url: str) -> None:
        self.clock = url

    def table(self) -> dict[str, Any]:
        """``[tool.oxcross.windows.sign]`` or that of macOS. The password goes into the environment, as everywhere."""
        os.environ[VARIABLE] = self.password
        clock = {"timestamp": self.clock} if self.clock else {}
        return {"certificate": str(self.path), "password-env": VARIABLE, **clock}
