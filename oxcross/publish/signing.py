"""Who made a release: SHA256SUMS and manifest.json are signed with the key that the project names, and checked against it.

SHA256SUMS names all other files, so these two signatures are over everything. The signed comment is "NAME VERSION FILE": a signature
that was good once cannot stand in for that of another file, version or program.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from oxcross import passwords
from oxcross.errors import ConfigError, PublishError
from oxcross.publish.draft import Addition, Draft, Signing
from oxcross.publish.folder import Folder
from oxcross.publish.keys import MANIFEST, SUMS
from oxcross.publish.minisign import SUFFIX, MinisignError, PublicKey, SecretKey
from oxcross.publish.settings import PASSWORD_ENV, Sign

SIGNED: Final = (SUMS, MANIFEST)
_KEY: Final = "tool.oxcross.release.sign"


@dataclass(frozen=True)
class Anchor:
    """Whose signatures count: the project's key, and behind it those that earlier releases were signed with."""

    keys: tuple[PublicKey, ...]

    def verify(self, content: bytes, signature: str) -> str:
        """The signed comment. MinisignError when none of the keys made the signature."""
        for key in self.keys[1:]:
            with suppress(MinisignError):
                return key.verify(content, signature)
        return self.keys[0].verify(content, signature)


def anchor(wanted: Sign, *, former: bool) -> Anchor:
    """The configured keys; ``former``: also those that were replaced."""
    texts = (wanted.public_key, *(wanted.former_keys if former else ()))
    return Anchor(tuple(map(PublicKey.parse, texts)))


def stated(wanted: Sign | None) -> Addition:
    """What has the manifest say which key it is signed with. Whoever trusts that key has it from elsewhere."""

    def add(draft: Draft) -> None:
        if wanted is not None:
            key = PublicKey.parse(wanted.public_key)
            draft.manifest["signature"] = {"public-key": str(key), "key-id": key.name}

    return add


def comment(name: str, version: str, file: str) -> str:
    """What is signed with a file of a release."""
    return f"{name} {version} {file}"


def signer(wanted: Sign, name: str, version: str, notice: Callable[[str], None]) -> Signing:
    """What signs a release's files. ConfigError when the secret key is not there, is another one's, or its password is wrong."""
    return sign_with(load(wanted, notice), name, version)


def sign_with(key: SecretKey, name: str, version: str) -> Signing:
    """What signs a release's files with that key."""

    def sign(file: Path) -> Mapping[str, bytes]:
        return {SUFFIX: key.sign(file.read_bytes(), comment(name, version, file.name)).encode()}

    return sign


def load(wanted: Sign, notice: Callable[[str], None]) -> SecretKey:
    """The secret key of the configured public one. ConfigError, as ``signer``; ``notice`` is told who else can read it."""
    where, text = _secret(wanted, notice)
    password = passwords.read(_KEY, wanted.password_env, wanted.password_file)
    if password is None:
        password = os.environb.get(os.fsencode(PASSWORD_ENV))
    try:
        key = SecretKey.parse(text, password)
    except MinisignError as error:
        hint = f"password-env, password-file, or the environment variable {PASSWORD_ENV}"
        raise ConfigError(
            f"the secret key cannot be used: {error}",
            where=where,
            hint=hint if "password" in str(error) else None,
        ) from None
    if str(key.public) != wanted.public_key:
        raise ConfigError(
            f"it is the secret key of {key.public}, not of {wanted.public_key}",
            where=where,
            hint=f"name the right one, or change public-key in [{_KEY}] for all releases from now on",
        )
    return key


def _secret(wanted: Sign, notice: Callable[[str], None]) -> tuple[str, str]:
    """Where the secret key is, and its file's text."""
    if wanted.key_file is None:
        where = f"{_KEY}.key-env"
        if not (text := os.environ.get(wanted.key_env)):
            raise ConfigError(
                f"the environment variable {wanted.key_env} is not set, which has the secret key",
                where=where,
                hint="set it to the content of the key's file, name a key-file, or release with --unsigned",
                page="no-key-to-sign-with",
            )
        return where, text
    where = f"{_KEY}.key-file"
    data = passwords.content(where, wanted.key_file)
    if wanted.key_file.stat().st_mode & 0o077:
        notice(f"others can read the secret key: chmod 600 {wanted.key_file}")
    return where, data.decode("utf-8", errors="replace")


def problems(
    trusted: Anchor, name: str, version: str, read: Callable[[str], bytes | None]
) -> list[tuple[str, str]]:
    """What is wrong with a release's signatures: a file, and what is wrong with it. ``read`` gives a file's content."""
    found = []
    for file in SIGNED:
        content, signature = read(file), read(file + SUFFIX)
        if content is None:
            found.append((file, "it is missing"))
            continue
        if signature is None:
            found.append((file + SUFFIX, f"{file} is not signed"))
            continue
        try:
            said = trusted.verify(content, signature.decode("utf-8", errors="replace"))
        except MinisignError as error:
            found.append((file + SUFFIX, f"the signature of {file} does not verify: {error}"))
            continue
        if said != (wanted := comment(name, version, file)):
            found.append((file + SUFFIX, f"it is the signature of {said!r}, not of {wanted!r}"))
    return found


def check(trusted: Anchor, folder: Folder) -> None:
    """PublishError unless a release on this machine has the signatures of the key."""

    def read(file: str) -> bytes | None:
        path = folder.path / file
        return path.read_bytes() if path.is_file() else None

    for file, message in problems(trusted, folder.name, folder.version, read):
        raise PublishError(
            message,
            where=str(folder.path / file),
            hint="`oxcross release` where the secret key is adds the signatures that are missing; "
            f"public-key in [{_KEY}] asks for them",
        )
