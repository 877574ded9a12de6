"""minisign's keys and signatures: Ed25519 over the BLAKE2b-512 of a file, with a comment that is signed, too.

The same key, content and comment give the same signature. Source: jedisct1.github.io/minisign, "Signature format" and "Public/Secret
key format"; for the cost of an encrypted key, libsodium's crypto_pwhash_scryptsalsa208sha256.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass, field
from typing import Final

from oxcross import ed25519

SUFFIX: Final = ".minisig"
_ED25519: Final = b"Ed"
_PREHASHED: Final = b"ED"
_SCRYPT: Final = b"Sc"
_PLAIN: Final = b"\0\0"
_BLAKE2B: Final = b"B2"
_UNTRUSTED: Final = "untrusted comment: "
_TRUSTED: Final = "trusted comment: "
_SENSITIVE: Final = (1 << 25, 1 << 30)  # libsodium's limits of operations and memory, which minisign takes
_MOST_MEMORY: Final = (1 << 31) - 1  # bytes; hashlib takes no more


class MinisignError(Exception):
    """Not a key or signature of minisign's, or not the right one. Its text says what is wrong, with no secret in it."""


@dataclass(frozen=True)
class PublicKey:
    """Who signs: 8 bytes that name the key, and its 32 bytes."""

    identifier: bytes
    key: bytes

    @classmethod
    def parse(cls, text: str) -> PublicKey:
        """From one line (``RWQ…``), or a file with a comment above it. MinisignError."""
        data = _decoded(_lines(text)[-1], 42, "public key")
        if data[:2] != _ED25519:
            raise MinisignError("not a public key of minisign's")
        return cls(data[2:10], data[10:])

    def __str__(self) -> str:
        return _encoded(_ED25519 + self.identifier + self.key)

    @property
    def name(self) -> str:
        """How minisign shows it: a number in hexadecimal digits, without zeros in front."""
        return _name(self.identifier)

    def file(self) -> str:
        """As ``minisign -p`` takes it."""
        return f"{_UNTRUSTED}minisign public key {self.name}\n{self}\n"

    def verify(self, content: bytes, signature: str) -> str:
        """The signed comment of a signature (a ``.minisig`` file's text) of the content. MinisignError when it is not right."""
        lines = signature.splitlines()
        if len(lines) != 4 or not lines[0].startswith(_UNTRUSTED) or not lines[2].startswith(_TRUSTED):
            raise MinisignError("not a signature of minisign's")
        data = _decoded(lines[1], 74, "signature")
        whole = _decoded(lines[3], 64, "signature")
        if data[:2] != _PREHASHED:
            raise MinisignError("a signature of a kind that is not made any more")
        if data[2:10] != self.identifier:
            other = _name(data[2:10])
            raise MinisignError(f"signed with another key, {other} rather than {self.name}")
        comment = lines[2].removeprefix(_TRUSTED)
        if not ed25519.verified(self.key, data[10:], _hashed(content)):
            raise MinisignError("not the signature of this content")
        if not ed25519.verified(self.key, whole, data[10:] + comment.encode()):
            raise MinisignError("its comment was changed")
        return comment


@dataclass(frozen=True)
class SecretKey:
    """What signs. It shows nothing of itself."""

    identifier: bytes
    _seed: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> SecretKey:
        """A new one."""
        return cls(os.urandom(8), os.urandom(32))

    @classmethod
    def parse(cls, text: str, password: bytes | None) -> SecretKey:
        """From a secret key's file. MinisignError: none, or one with another password."""
        data = _decoded(_lines(text)[-1], 158, "secret key")
        if data[:2] != _ED25519 or data[2:4] not in (_SCRYPT, _PLAIN) or data[4:6] != _BLAKE2B:
            raise MinisignError("not a secret key of minisign's")
        secret = data[54:]
        if data[2:4] == _SCRYPT:
            if not password:
                raise MinisignError("it is encrypted, and there is no password")
            limits = int.from_bytes(data[38:46], "little"), int.from_bytes(data[46:54], "little")
            secret = _xor(secret, _derived(password, data[6:38], *limits))
        identifier, seed, public = secret[:8], secret[8:40], secret[40:72]
        if data[2:4] == _SCRYPT and secret[72:] != _checksum(secret[:72]):
            raise MinisignError("not its password")
        found = cls(identifier, seed)  # minisign writes no checksum where there is no password
        if found.public.key != public:
            raise MinisignError("it is damaged")
        return found

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        return PublicKey(self.identifier, ed25519.public(self._seed))

    def file(self, password: bytes | None, limits: tuple[int, int] = _SENSITIVE) -> str:
        """As ``minisign -s`` takes it, encrypted where there is a password; ``limits``: libsodium's, of operations and memory.

        MinisignError when this machine has less memory.
        """
        secret = self.identifier + self._seed + self.public.key
        secret += _checksum(secret)
        kind, salt = _PLAIN, bytes(32)
        if password:
            kind, salt = _SCRYPT, os.urandom(32)
            secret = _xor(secret, _derived(password, salt, *limits))
        else:
            limits = 0, 0
        costs = b"".join(limit.to_bytes(8, "little") for limit in limits)
        text = _encoded(_ED25519 + kind + _BLAKE2B + salt + costs + secret)
        return f"{_UNTRUSTED}minisign {'encrypted ' * bool(password)}secret key\n{text}\n"

    def sign(self, content: bytes, comment: str) -> str:
        """The text of the content's ``.minisig``; ``comment``, a line, is signed with it."""
        signature = ed25519.sign(self._seed, _hashed(content))
        whole = ed25519.sign(self._seed, signature + comment.encode())
        head = _encoded(_PREHASHED + self.identifier + signature)
        untrusted = f"{_UNTRUSTED}signature with the key {self.public.name}"
        return f"{untrusted}\n{head}\n{_TRUSTED}{comment}\n{_encoded(whole)}\n"


def _lines(text: str) -> list[str]:
    """The lines that say something; one at least."""
    return [line.strip() for line in text.splitlines() if line.strip()] or [""]


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _name(identifier: bytes) -> str:
    return f"{int.from_bytes(identifier, 'little'):X}"


def _decoded(text: str, size: int, what: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != size or _encoded(data) != text:
        raise MinisignError(f"not a {what} of minisign's")
    return data


def _hashed(content: bytes) -> bytes:
    return hashlib.blake2b(content).digest()


def _checksum(secret: bytes) -> bytes:
    return hashlib.blake2b(_ED25519 + secret, digest_size=32).digest()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _derived(password: bytes, salt: bytes, operations: int, memory: int) -> bytes:
    """104 bytes by scrypt, its parameters chosen as libsodium does (pickparams)."""
    operations = max(operations, 1 << 15)
    small = operations < memory // 32
    most = operations // 32 if small else memory // 1024
    exponent = 1
    while exponent < 63 and 1 << exponent <= most // 2:
        exponent += 1
    parallel = 1 if small else max(min(operations // 4 >> exponent, (1 << 30) - 1) // 8, 1)
    needed = 1024 * ((1 << exponent) + parallel + 2)
    message = f"its password takes {needed >> 20} MiB of memory, which there are not"
    if needed > _MOST_MEMORY:
        raise MinisignError(message)
    try:
        return hashlib.scrypt(
            password, salt=salt, n=1 << exponent, r=8, p=parallel, maxmem=_MOST_MEMORY, dklen=104
        )
    except (ValueError, MemoryError):  # OpenSSL's word for it
        raise MinisignError(message) from None
