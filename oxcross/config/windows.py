"""``[tool.oxcross.windows]``: its keys, and what they come to in the project around them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import StrictBool, StringConstraints

from oxcross.config.table import Table, Text
from oxcross.config.tables import Wrong, authors, checked_file
from oxcross.windows import icon, manifest, settings
from oxcross.windows.settings import CONTAINERS, PKCS11

FileVersion = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9]{1,5}(\.[0-9]{1,5}){0,3}$")]
Address = Annotated[str, StringConstraints(strict=True, pattern=r"^https?://\S+$")]


class VersionInfo(Table):
    """What Windows shows of the file's version. Name and version are the executable's."""

    company: Text | None = None
    """Who made it; default: the project's authors."""
    description: Text | None = None
    """What it is called, in the Task Manager, too; default: the project's description."""
    copyright: Text | None = None
    """Default: © and the project's authors."""
    product: Text | None = None
    """What it is a part of; default: its name."""
    trademarks: Text | None = None
    """Trademarks."""
    comments: Text | None = None
    """Comments."""
    file_version: FileVersion | None = None
    """Up to four numbers; default: those that the project's version begins with."""


class Sign(Table):
    """The signature, made last, by osslsigncode (Authenticode)."""

    certificate: Text
    """A PFX file (`.pfx`, `.p12`), a PEM file with the certificate and those between it and its authority, or `pkcs11:…`."""
    key: Text | None = None
    """A PEM file with the key, or `pkcs11:…` (RFC 7512); a PFX file has it inside."""
    password_env: Text | None = None
    """The environment variable that has the password or PIN."""
    password_file: Text | None = None
    """A file that has the password or PIN in its first line."""
    pkcs11_module: Text | None = None
    """The library that speaks to the token, such as `/usr/lib/softhsm/libsofthsm2.so`."""
    pkcs11_engine: Text | None = None
    """OpenSSL's engine for tokens; default: where osslsigncode looks for it."""
    timestamp: Address | None = None
    """The RFC 3161 server that confirms the time, so that the signature outlives its certificate. Such a signature is
    another one each time."""
    digest: Literal["sha256", "sha384", "sha512"] = "sha256"
    """The digest that is signed."""
    description: Text | None = None
    """What the signature says the program is; default: the name."""
    url: Address | None = None
    """Where more is to be read about it."""
    ca_file: Text | None = None
    """PEM file of the authorities that the finished signature is verified against; default: those in the certificate file."""


class Windows(Table):
    """What holds for executables of Windows only."""

    icon: Text | None = None
    """An `.ico` file, or a PNG of at most 256x256."""
    subsystem: Literal["console", "windows"] | None = None
    """`windows`: no console is opened for it. Default: `console`; `windows` for what is taken from [project.gui-scripts]."""
    execution_level: Literal["as-invoker", "highest-available", "require-administrator"] = "as-invoker"
    """The rights that it asks for when it is started."""
    ui_access: StrictBool = False
    """It drives the windows of programs with more rights; Windows wants such a program signed and installed."""
    manifest: Text | None = None
    """An application manifest of your own, in place of that which oxcross writes."""
    version_info: VersionInfo = VersionInfo()
    sign: Sign | None = None


def resolve(
    root: Path,
    table: Windows,
    meta: Mapping[str, Any],
    *,
    name: str,
    windowed: bool,
    wrong: Wrong,
) -> settings.Windows:
    """The table with the project's metadata for defaults; what is wrong goes to ``wrong`` (key, message, hint)."""
    if table.manifest:
        for field in ("execution_level", "ui_access"):
            if field in table.model_fields_set:
                message = f"{field.replace('_', '-')} and manifest exclude each other"
                wrong(f"windows.{field}", message, "write it in the manifest")
    return settings.Windows(
        icon=checked_file(root, "windows.icon", table.icon, icon.load, wrong),
        subsystem=table.subsystem or ("windows" if windowed else "console"),
        execution_level=table.execution_level,
        ui_access=table.ui_access,
        manifest=checked_file(root, "windows.manifest", table.manifest, manifest.load, wrong),
        version_info=_version(table.version_info, meta),
        sign=_sign(root, table.sign, name, wrong) if table.sign else None,
    )


def _version(table: VersionInfo, meta: Mapping[str, Any]) -> settings.VersionInfo:
    made_by = authors(meta)
    described = meta.get("description")
    first_line = described.strip().partition("\n")[0] if isinstance(described, str) else ""
    return settings.VersionInfo(
        company=table.company or made_by,
        description=table.description or first_line,
        copyright=table.copyright or (f"© {made_by}" if made_by else ""),
        product=table.product or "",
        trademarks=table.trademarks or "",
        comments=table.comments or "",
        file_version=table.file_version or "",
    )


def _sign(root: Path, table: Sign, name: str, wrong: Wrong) -> settings.Signing:
    """Only what is plainly wrong is told here: a certificate may be where releases are made, and only there."""

    def place(text: str | None) -> str:
        if not text or text.startswith(PKCS11):
            return text or ""
        return str(root / Path(text).expanduser())

    def path(text: str | None) -> Path | None:
        return Path(place(text)) if text else None

    container = table.certificate.lower().endswith(CONTAINERS)
    if table.key and container:
        wrong("windows.sign.key", "a PFX file has the key inside", "leave it out")
    elif not table.key and not container:
        wrong("windows.sign.key", "missing", "name the key's PEM file, or a PFX file as the certificate")
    if table.password_env and table.password_file:
        wrong("windows.sign.password-file", "password-env and password-file exclude each other", None)
    token = any(text and text.startswith(PKCS11) for text in (table.key, table.certificate))
    if token and not table.pkcs11_module:
        wrong("windows.sign.pkcs11-module", "missing", "name the library that speaks to the token")
    if table.pkcs11_module and not token:
        wrong("windows.sign.pkcs11-module", "no key on a token is named", 'write key = "pkcs11:…"')
    return settings.Signing(
        certificate=place(table.certificate),
        key=place(table.key),
        password_env=table.password_env or "",
        password_file=path(table.password_file),
        pkcs11_module=place(table.pkcs11_module),
        pkcs11_engine=place(table.pkcs11_engine),
        timestamp=table.timestamp or "",
        digest=table.digest,
        description=table.description or name,
        url=table.url or "",
        ca_file=path(table.ca_file),
    )
