"""Keys of trusted builders: Ed25519's, in base64."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from oxcross import ed25519
from oxcross.cache.settings import Cache
from oxcross.errors import ConfigError

_HINT = "`oxcross cache keygen` makes a pair of keys"


@dataclass(frozen=True)
class Signer:
    """Who signs: the secret key, and the public one in base64."""

    seed: bytes = field(repr=False)
    public: str

    def sign(self, content: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(ed25519.sign(self.seed, content)).decode()


def generate() -> tuple[str, str]:
    """A new pair: public, secret, in base64."""
    seed = os.urandom(32)
    return _public(seed), base64.b64encode(seed).decode()


def signer(settings: Cache, environment: Mapping[str, str] = os.environ) -> Signer:
    """The one whose secret key this machine has. ConfigError without one, or with one that nobody trusts."""
    where = settings.key_env
    text = environment.get(settings.key_env, "")
    if not text and settings.key_file:
        where = str(settings.key_file)
        try:
            text = settings.key_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the secret key cannot be read: {error}", where=where) from None
    if not text.strip():
        raise ConfigError(
            "there is no secret key to sign what is pushed with",
            where="tool.oxcross.cache",
            hint=f"set {settings.key_env}, or name a file in key-file; {_HINT}",
        )
    seed = _decoded(text.strip(), 32)
    if seed is None:
        raise ConfigError("not a secret key", where=where, hint=_HINT)
    public = _public(seed)
    if public not in settings.trust:
        raise ConfigError(
            "the key that this machine signs with is not trusted",
            where="tool.oxcross.cache.trust",
            hint=f'add its public key: "{public}"',
        )
    return Signer(seed, public)


def verified(content: bytes, signature: str, public: str) -> bool:
    """Whether the signature is that of the public key."""
    raw, key = _decoded(signature, 64), _decoded(public, 32)
    return raw is not None and key is not None and ed25519.verified(key, raw, content)


def short(public: str) -> str:
    """The name of a public key in the addresses of objects."""
    return hashlib.sha256(public.encode()).hexdigest()[:16]


def _public(seed: bytes) -> str:
    return base64.b64encode(ed25519.public(seed)).decode()


def _decoded(text: str, size: int) -> bytes | None:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == size else None
