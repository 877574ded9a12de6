"""``[tool.oxcross.macos]``: its keys, and what they come to in the project around them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictBool, StringConstraints
from pydantic_core import PydanticCustomError

from oxcross.config.table import Table, Text
from oxcross.config.tables import Wrong, authors, checked_file
from oxcross.macos import entitlements, icns, information, settings

FLOOR = "11.0"  # of the interpreter itself
Version = Annotated[str, StringConstraints(strict=True, pattern=r"^[1-9][0-9](\.[0-9]{1,2})?$")]
Identifier = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,154}$")]
Team = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Z0-9]{10}$")]
Name = Annotated[str, StringConstraints(strict=True, pattern=r"^[^/:\x00-\x1f.][^/:\x00-\x1f]{0,99}$")]
Place = Annotated[str, StringConstraints(strict=True, pattern=r"^/[^\x00-\x1f]*$")]


def _clock(value: object) -> object:
    if value is False or (isinstance(value, str) and re.fullmatch(r"https?://\S+", value)):
        return value
    raise PydanticCustomError(
        "clock",
        "neither an address nor false: {value}\nsuch as {known}",
        {"value": value, "known": settings.APPLE_CLOCK},
    )


Clock = Annotated[str | Literal[False], BeforeValidator(_clock)]


class _Identity(Table):
    """A certificate with its key."""

    certificate: Text | None = None
    """A PKCS #12 file (`.p12`, `.pfx`), or a PEM file with the certificate and those between it and its authority."""
    key: Text | None = None
    """A PEM file with the key; a PKCS #12 file has it inside."""
    password_env: Text | None = None
    """The environment variable that has the password."""
    password_file: Text | None = None
    """A file that has the password in its first line."""


class MacSign(_Identity):
    """The signature, made last, by apple-codesign. Without a certificate it is an ad-hoc one, which names nobody."""

    hardened_runtime: StrictBool = True
    """What Apple asks of programs that it notarizes: no code is written at run time, save what entitlements allow."""
    entitlements: Text | None = None
    """A property list of your own; default: what an interpreter needs in the hardened runtime."""
    timestamp: Clock = settings.APPLE_CLOCK
    """The RFC 3161 server that confirms the time; `false`: none does, and Apple will not notarize it."""
    team: Team | None = None
    """The team's identifier, which the certificate must be of."""


class App(Table):
    """A bundle, `NAME.app`, with the executable in it."""

    name: Name | None = None
    """What it is called; default: the project's name."""
    identifier: Identifier | None = None
    """Its identifier, such as `org.example.app`; default: that of [tool.oxcross.macos]."""
    icon: Text | None = None
    """An `.icns` file, or a PNG of 128x128, 256x256, 512x512 or 1024x1024."""
    category: Text | None = None
    """Its category, such as `developer-tools` (Apple's LSApplicationCategoryType)."""
    copyright: Text | None = None
    """Default: © and the project's authors."""
    background: StrictBool = False
    """It has no icon in the Dock, and no menu (LSUIElement)."""
    info: dict[str, Any] = Field(default_factory=dict)
    """Further keys of its Info.plist."""


class MacPackage(_Identity):
    """What the executable, or the bundle, is packed into. Certificate and key are those of an installer, for a pkg."""

    formats: tuple[Literal["zip", "pkg"], ...] = ()
    """`zip`: as Apple's `ditto` makes it, for notarization; `pkg`: for macOS's installer."""
    location: Place | None = None
    """Where a pkg installs to; default: `/usr/local/bin`, `/Applications` for a bundle."""
    timestamp: Clock = settings.APPLE_CLOCK
    """The RFC 3161 server that confirms the time of a pkg's signature, or `false`."""


class Notarize(Table):
    """The key of App Store Connect's API that `oxcross notarize` uses; the environment variables OXCROSS_NOTARY_ISSUER,
    OXCROSS_NOTARY_KEY_ID and OXCROSS_NOTARY_KEY (a file) go before."""

    issuer: Text | None = None
    """The issuer's identifier, which App Store Connect shows beside the keys."""
    key_id: Text | None = None
    """The key's identifier."""
    key: Text | None = None
    """The key's file, `AuthKey_….p8`."""


class MacOS(Table):
    """What holds for executables of macOS only."""

    minimum: Version = FLOOR
    """The oldest macOS that wheels may ask for; bundle, package and manifest then name it, too."""
    identifier: Identifier | None = None
    """What macOS knows the program by, such as `org.example.app`: its signature's. Default: the name."""
    osxcross: Text | None = None
    """An osxcross of your own, with Apple's SDK, to build with: its folder (`target`), or `image:NAME`, a docker image that
    has it in /osxcross. Default: a tool chain that needs no SDK of Apple's."""
    sign: MacSign | None = None
    app: App | None = None
    package: MacPackage = MacPackage()
    notarize: Notarize = Notarize()


def resolve(
    root: Path, table: MacOS, meta: Mapping[str, Any], *, name: str, version: str, wrong: Wrong
) -> settings.MacOS:
    """The table with the project's metadata for defaults; what is wrong goes to ``wrong`` (key, message, hint)."""
    if _numbers(table.minimum) < _numbers(FLOOR):
        wrong(
            "macos.minimum", f"{table.minimum} is below {FLOOR}, which the interpreter itself asks for", None
        )
    app = _app(root, table, meta, name=name, version=version, wrong=wrong) if table.app else None
    identifier = app.identifier if app else table.identifier or name
    return settings.MacOS(
        minimum=table.minimum,
        identifier=identifier,
        osxcross=_osxcross(root, table.osxcross, wrong),
        sign=_sign(root, table.sign, wrong) if table.sign else None,
        app=app,
        package=_package(root, table.package, bundled=app is not None, wrong=wrong),
        notarize=settings.Notarize(
            issuer=table.notarize.issuer or "",
            key_id=table.notarize.key_id or "",
            key=_path(root, table.notarize.key),
        ),
    )


def _osxcross(root: Path, text: str | None, wrong: Wrong) -> str:
    """What is there is told when it is built with: it may be where releases are made, and only there."""
    if text is None or not text.startswith(settings.IMAGE):
        return str(_path(root, text) or "")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_./:@-]*", text.removeprefix(settings.IMAGE)):
        wrong("macos.osxcross", f"not the name of a docker image: {text!r}", 'such as "image:osxcross:11.3"')
    return text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _path(root: Path, text: str | None) -> Path | None:
    return root / Path(text).expanduser() if text else None


def _identity(root: Path, table: _Identity, place: str, wrong: Wrong) -> settings.Identity | None:
    """Only what is plainly wrong is told here: a certificate may be where releases are made, and only there."""
    if table.certificate is None:
        for field in ("key", "password_env", "password_file"):
            if getattr(table, field):
                wrong(f"{place}.{field}", "there is no certificate that it belongs to", None)
        return None
    container = table.certificate.lower().endswith(settings.CONTAINERS)
    if table.key and container:
        wrong(f"{place}.key", "a PKCS #12 file has the key inside", "leave it out")
    elif not table.key and not container:
        wrong(
            f"{place}.key", "missing", "name the key's PEM file, or a PKCS #12 file (.p12) as the certificate"
        )
    if table.password_env and table.password_file:
        wrong(f"{place}.password-file", "password-env and password-file exclude each other", None)
    return settings.Identity(
        where=f"tool.oxcross.{place}",
        certificate=str(_path(root, table.certificate)),
        key=str(_path(root, table.key) or ""),
        password_env=table.password_env or "",
        password_file=_path(root, table.password_file),
    )


def _sign(root: Path, table: MacSign, wrong: Wrong) -> settings.Signing:
    identity = _identity(root, table, "macos.sign", wrong)
    if table.team and identity is None:
        wrong("macos.sign.team", "there is no certificate that it belongs to", None)
    return settings.Signing(
        identity=identity,
        hardened_runtime=table.hardened_runtime,
        entitlements=checked_file(
            root, "macos.sign.entitlements", table.entitlements, entitlements.load, wrong
        ),
        timestamp=(table.timestamp or "") if identity else "",
        team=table.team or "",
    )


def _app(
    root: Path, table: MacOS, meta: Mapping[str, Any], *, name: str, version: str, wrong: Wrong
) -> settings.App:
    app = table.app or App()
    made_by = authors(meta)
    for key, message in information.problems(app.info):
        wrong(f"macos.app.info.{key}", message, None)
    category = app.category or ""
    return settings.App(
        name=app.name or name,
        identifier=app.identifier or table.identifier or re.sub(r"[^A-Za-z0-9.-]", "-", name),
        icon=checked_file(root, "macos.app.icon", app.icon, icns.load, wrong),
        category=category if not category or "." in category else f"public.app-category.{category}",
        copyright=app.copyright or (f"© {made_by}" if made_by else ""),
        version=information.version_numbers(version),
        background=app.background,
        info=app.info,
    )


def _package(root: Path, table: MacPackage, *, bundled: bool, wrong: Wrong) -> settings.Package:
    identity = _identity(root, table, "macos.package", wrong)
    if identity and "pkg" not in table.formats:
        wrong("macos.package.certificate", "only a pkg is signed with it", 'formats = ["pkg"]')
    return settings.Package(
        formats=tuple(dict.fromkeys(table.formats)),
        location=table.location or ("/Applications" if bundled else "/usr/local/bin"),
        identity=identity,
        timestamp=(table.timestamp or "") if identity else "",
    )
