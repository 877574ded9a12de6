"""What ``[tool.oxcross.windows]`` comes to: plain data, paths absolute, defaults filled in from the project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Subsystem = Literal["console", "windows"]
Level = Literal["as-invoker", "highest-available", "require-administrator"]
Digest = Literal["sha256", "sha384", "sha512"]

PKCS11 = "pkcs11:"  # what the name of a key or certificate on a token begins with (RFC 7512)
CONTAINERS = (".pfx", ".p12")  # files that hold both, PKCS #12


@dataclass(frozen=True, kw_only=True)
class VersionInfo:
    """The texts of the version resource; those that are empty are not in it."""

    company: str = ""
    description: str = ""
    copyright: str = ""
    product: str = ""
    trademarks: str = ""
    comments: str = ""
    file_version: str = ""  # default: the project's


@dataclass(frozen=True, kw_only=True)
class Signing:
    """How executables are signed. ``certificate`` and ``key`` are paths, or RFC 7512 addresses of a token (PKCS11)."""

    certificate: str
    key: str = ""
    password_env: str = ""
    password_file: Path | None = None
    pkcs11_module: str = ""
    pkcs11_engine: str = ""
    timestamp: str = ""  # address of an RFC 3161 server
    digest: Digest = "sha256"
    description: str = ""
    url: str = ""
    ca_file: Path | None = None  # who is trusted when the signature is verified


@dataclass(frozen=True, kw_only=True)
class Windows:
    """What holds for executables of Windows only."""

    icon: Path | None = None
    subsystem: Subsystem = "console"
    execution_level: Level = "as-invoker"
    ui_access: bool = False
    manifest: Path | None = None
    version_info: VersionInfo = VersionInfo()
    sign: Signing | None = None
