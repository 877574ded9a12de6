"""``[tool.oxcross.release]``: its keys, and what they come to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import StrictBool, StringConstraints

from oxcross.config.table import Table, Text
from oxcross.config.tables import Wrong
from oxcross.publish import settings

# A public key of minisign's: 42 bytes that begin with "Ed", in base64.
PublicKey = Annotated[str, StringConstraints(strict=True, pattern=r"^RW[A-Za-z0-9+/]{54}$")]


class ReleaseSign(Table):
    """The signatures of SHA256SUMS and manifest.json, as minisign makes them. `oxcross keygen` makes a pair of keys."""

    public_key: PublicKey
    """The key that all releases are verified with, as one line: `RWQ…`."""
    former_keys: tuple[PublicKey, ...] = ()
    """Keys that earlier releases were signed with: these can still be promoted, gone back to and verified."""
    key_env: Text | None = None
    """The environment variable that has the content of the secret key's file; default: `OXCROSS_SIGNING_KEY`."""
    key_file: Text | None = None
    """The secret key's file."""
    password_env: Text | None = None
    """The environment variable that has its password; default: `OXCROSS_SIGNING_PASSWORD`, if it is set."""
    password_file: Text | None = None
    """A file that has the password in its first line."""


class Release(Table):
    """What a release holds besides the executables."""

    archives: StrictBool = True
    """Add an archive of each executable: `.tar.gz`, for Windows `.zip`."""
    installers: StrictBool = True
    """Add `install.sh` and `install.ps1`, where [tool.oxcross.publish] says from which address the release will be downloaded."""
    sign: ReleaseSign | None = None
    sigstore: Literal["auto", "required", "off"] = "auto"
    """Sign SHA256SUMS by Sigstore, too: `auto` where there is an identity, as in workflows that are allowed one. Its public
    service shows everybody who signed what."""
    sigstore_trust: Text | None = None
    """A trust configuration (JSON) of a Sigstore of your own; default: the public service."""
    sigstore_identity: Text | None = None
    """Who must have signed, as the certificate names it, such as a workflow's address: `oxcross verify` checks it."""
    sigstore_issuer: Text | None = None
    """Who vouches for that identity, such as `https://token.actions.githubusercontent.com`."""


def resolve(root: Path, table: Release, wrong: Wrong) -> settings.Release:
    """The table as settings; what is wrong goes to ``wrong`` (key, message, hint)."""
    if bool(table.sigstore_identity) != bool(table.sigstore_issuer):
        lacking = "issuer" if table.sigstore_identity else "identity"
        wrong(f"release.sigstore-{lacking}", "missing: identity and issuer go together", None)
    return settings.Release(
        archives=table.archives,
        installers=table.installers,
        sign=_sign(root, table.sign, wrong) if table.sign else None,
        sigstore=settings.Sigstore(
            mode=table.sigstore,
            trust=_path(root, table.sigstore_trust),
            identity=table.sigstore_identity or "",
            issuer=table.sigstore_issuer or "",
        ),
    )


def _sign(root: Path, table: ReleaseSign, wrong: Wrong) -> settings.Sign:
    """Only what is plainly wrong is told here: a key may be where releases are made, and only there."""
    for one in ("key", "password"):
        if getattr(table, f"{one}_env") and getattr(table, f"{one}_file"):
            wrong(f"release.sign.{one}-file", f"{one}-env and {one}-file exclude each other", None)
    return settings.Sign(
        public_key=table.public_key,
        former_keys=table.former_keys,
        key_env="" if table.key_file else table.key_env or settings.KEY_ENV,
        key_file=_path(root, table.key_file),
        password_env=table.password_env or "",
        password_file=_path(root, table.password_file),
    )


def _path(root: Path, text: str | None) -> Path | None:
    return root / Path(text).expanduser() if text else None
