"""Ed25519 (RFC 8032) on raw bytes: 32 are a public key, 32 (the seed) a secret one, 64 a signature."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def public(seed: bytes) -> bytes:
    """The public key of a secret one."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, content: bytes) -> bytes:
    """The signature of the content, the same each time."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(content)


def verified(key: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the signature is that of the public key."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except InvalidSignature:
        return False
    return True
