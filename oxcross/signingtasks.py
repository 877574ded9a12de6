"""The task that makes keys: ``oxcross keygen``."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from invoke.context import Context

from oxcross import passwords, report
from oxcross.command import command
from oxcross.errors import PublishError, ToolError, UsageError

_TWICE = "set {} or name a --password-file, run it at a terminal, or add --no-password"


@command(
    help={
        "out": "the secret key's file (default: oxcross.key); the public one is beside it, with .pub",
        "password_file": "a file that has the password in its first line",
        "no_password": "do not encrypt the secret key, as for a place that keeps secrets itself",
    }
)
def keygen(
    _c: Context,
    out: str = "oxcross.key",
    password_file: str = "",
    no_password: bool = False,
    json: bool = False,
) -> None:
    """Make a pair of keys to sign releases with, as minisign makes them. Nothing is overwritten.

    The password is asked for, unless $OXCROSS_SIGNING_PASSWORD has it.

    `--json` prints {"public-key", "key-file", "public-key-file"}.

    Examples:
      oxcross keygen                         # oxcross.key and oxcross.key.pub
      oxcross keygen --out ~/keys/myapp.key  # and ~/keys/myapp.key.pub
    """
    from oxcross.publish.minisign import MinisignError, SecretKey

    secret_file = Path(out).expanduser()
    public_file = secret_file.with_name(f"{secret_file.name}.pub")
    for file in (secret_file, public_file):
        if os.path.lexists(file):
            raise UsageError("it is there already", where=str(file), hint="name another one with --out")
    password = None if no_password else _password(password_file)
    key = SecretKey.generate()
    try:
        text = key.file(password)
    except MinisignError as error:
        hint = "add --no-password where the place itself keeps secrets, or make it on another machine"
        raise ToolError(f"the key cannot be encrypted: {error}", hint=hint) from None
    try:
        _create(secret_file, text, 0o600)
        _create(public_file, key.public.file(), 0o644)
    except OSError as error:
        raise PublishError(
            f"cannot be written: {error.strerror}", where=str(error.filename or secret_file)
        ) from None
    if json:
        report.emit(
            {
                "public-key": str(key.public),
                "key-file": str(secret_file),
                "public-key-file": str(public_file),
            }
        )
        return
    print(f"secret key: {secret_file}  (keep a copy where nobody else reads it; never commit it)")
    print(f"public key: {public_file}\n\nfor pyproject.toml:\n")
    print(f'[tool.oxcross.release.sign]\npublic-key = "{key.public}"')
    print("\nand where releases are made, OXCROSS_SIGNING_KEY with the secret key file's content", end="")
    print("." if password is None else ", and OXCROSS_SIGNING_PASSWORD.")


def _password(file: str) -> bytes:
    from oxcross.publish.settings import PASSWORD_ENV

    if file:
        found = passwords.first_line("--password-file", Path(file).expanduser())
    elif given := os.environb.get(os.fsencode(PASSWORD_ENV)):
        found = given
    elif sys.stdin.isatty():
        found = _asked()
    else:
        raise UsageError("there is no password for the secret key", hint=_TWICE.format(PASSWORD_ENV))
    if not found:
        raise UsageError("the password is empty", hint="to have none, add --no-password")
    return found


def _asked() -> bytes:
    from getpass import getpass

    found = getpass("password of the secret key: ")
    if getpass("once more: ") != found:
        raise UsageError("the two passwords differ")
    return found.encode()


def _create(file: Path, text: str, mode: int) -> None:
    """Write a file that is not there, in one step: all of it, or nothing."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        file.hardlink_to(beside)  # a rename would replace what came meanwhile
    finally:
        with suppress(OSError):
            beside.unlink()
