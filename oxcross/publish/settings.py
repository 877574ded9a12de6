"""What ``[tool.oxcross.release]`` and ``[tool.oxcross.publish]`` come to: plain data. There are no secrets in it: credentials are boto3's to find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Conditional = Literal["server", "check"]
Acl = Literal[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
]

KEY_ENV: Final = "OXCROSS_SIGNING_KEY"
PASSWORD_ENV: Final = "OXCROSS_SIGNING_PASSWORD"  # noqa: S105 (a variable's name)
FOREVER: Final = "public, max-age=31536000, immutable"  # RFC 9111; RFC 8246: never asked about again
SOON: Final = "public, max-age=60"


@dataclass(frozen=True, kw_only=True)
class Publish:
    """Where releases go, and how. An empty ``bucket`` is none: nothing is configured."""

    bucket: str = ""
    prefix: str = ""  # without slashes at its ends; "" is the bucket's top
    url: str = ""  # what `prefix` is called for all who download; without a slash at its end
    endpoint: str = ""  # http(s)://HOST[:PORT]; "" is Amazon's, or what boto3 finds in the environment
    region: str = ""  # "" is what boto3 finds
    profile: str = ""  # of ~/.aws/config
    path_style: bool = False  # ENDPOINT/BUCKET/KEY rather than BUCKET.ENDPOINT/KEY
    acl: Acl | None = None
    kms_key: str = ""
    versions_cache: str = FOREVER  # Cache-Control of what never changes
    pointers_cache: str = SOON  # and of the channels' pointers
    channels: tuple[str, ...] = ("stable",)
    conditional: Conditional = "server"  # who sees to it that nothing is overwritten
    part_size: int = 8 << 20  # bytes, at least; what is larger than two parts goes up in parts
    timeout: float = 60.0  # seconds without a sign of life
    patience: float = 300.0  # seconds that a request is tried again


@dataclass(frozen=True, kw_only=True)
class Sign:
    """Whose signature releases have, and where the secret key is: in ``key_file``, else in the variable ``key_env``.

    Without ``password_env`` and ``password_file`` the password is in PASSWORD_ENV, if there is one.
    """

    public_key: str  # minisign's, one line
    former_keys: tuple[str, ...] = ()  # what earlier releases were signed with
    key_env: str = KEY_ENV
    key_file: Path | None = None
    password_env: str = ""
    password_file: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Sigstore:
    """Signatures by an identity. ``trust``: a file that says whom to trust, None: Sigstore's public service. With ``identity`` and
    ``issuer`` they are verified, too.
    """

    mode: Literal["auto", "required", "off"] = "auto"
    trust: Path | None = None
    identity: str = ""
    issuer: str = ""


@dataclass(frozen=True, kw_only=True)
class Release:
    """What a release holds besides the executables."""

    archives: bool = True
    installers: bool = True  # where an address is known
    sign: Sign | None = None
    sigstore: Sigstore = Sigstore()
