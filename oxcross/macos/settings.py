"""What ``[tool.oxcross.macos]`` comes to: plain data, paths absolute, defaults filled in from the project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Format = Literal["zip", "pkg"]

IMAGE = "image:"  # before the name of a docker image that has osxcross in it
CONTAINERS = (".p12", ".pfx")  # files that hold both certificate and key, PKCS #12
APPLE_CLOCK = "http://timestamp.apple.com/ts01"
NOTARY = "https://appstoreconnect.apple.com/notary/v2"
UPLOAD = "https://{bucket}.s3.us-west-2.amazonaws.com"
TICKETS = (
    "https://api.apple-cloudkit.com/database/1/com.apple.gk.ticket-delivery/production/public/records/lookup"
)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A certificate with its key. ``where`` is the table that names it, for errors."""

    where: str
    certificate: str
    key: str = ""
    password_env: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Signing:
    """How executables and bundles are signed. ``identity`` None: ad hoc. ``entitlements`` None: the hardened runtime's
    own ones (entitlements.py), or none without it. ``timestamp`` is an RFC 3161 server's address, or "".
    """

    identity: Identity | None = None
    hardened_runtime: bool = True
    entitlements: Path | None = None
    timestamp: str = APPLE_CLOCK
    team: str = ""


@dataclass(frozen=True, kw_only=True)
class App:
    """A bundle. ``info`` are further keys of its Info.plist."""

    name: str
    identifier: str
    icon: Path | None = None
    category: str = ""
    copyright: str = ""
    version: str = ""
    background: bool = False
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Package:
    """What is made of an executable, or of the bundle. ``identity`` signs the pkg; None: it is not signed."""

    formats: tuple[Format, ...] = ()
    location: str = ""  # where a pkg installs to
    identity: Identity | None = None
    timestamp: str = APPLE_CLOCK


@dataclass(frozen=True, kw_only=True)
class Notarize:
    """A key of App Store Connect's API, and where Apple's services are. In ``upload``, "{bucket}" stands for one's name."""

    issuer: str = ""
    key_id: str = ""
    key: Path | None = None  # a .p8 file
    service: str = NOTARY
    upload: str = UPLOAD
    tickets: str = TICKETS


@dataclass(frozen=True, kw_only=True)
class MacOS:
    """What holds for executables of macOS only. ``minimum``: the oldest macOS that wheels may ask for; ``identifier``: what
    macOS knows the program by, its signature's; ``osxcross``: a folder's absolute path, "image:NAME", or "".
    """

    minimum: str = "11.0"
    identifier: str = ""
    osxcross: str = ""
    sign: Signing | None = None
    app: App | None = None
    package: Package = Package()
    notarize: Notarize = Notarize()
