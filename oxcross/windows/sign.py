"""Signs an executable (Authenticode) with osslsigncode, and verifies what it did.

Signing comes last: the signature's digest is that of the whole file. A signature without a confirmed time (``timestamp``)
is the same each time when SOURCE_DATE_EPOCH says what time it is and the key is RSA; an ECDSA signature and a confirmed
time never are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from oxcross import passwords, pe
from oxcross.errors import BuildError, ConfigError, ToolError
from oxcross.link import Linked
from oxcross.pe import Pe, PeError
from oxcross.windows import authenticode
from oxcross.windows.settings import CONTAINERS, PKCS11, Signing

PROGRAM: Final = "osslsigncode"
_KEY = "tool.oxcross.windows.sign"
_SECONDS = 300.0  # servers that confirm the time can be slow
_NOISE = re.compile(r"^[0-9A-F]{8,}:error:")  # OpenSSL's queue of errors, most of which are attempts


def require(wanted: Signing) -> None:
    """ToolError or ConfigError unless program, certificate, key and password are there."""
    if shutil.which(PROGRAM) is None:
        from oxcross.doctor import install

        raise ToolError(f"this machine lacks {PROGRAM}, which signs", hint=install([PROGRAM]))
    files = {
        "certificate": wanted.certificate,
        "key": wanted.key,
        "pkcs11-module": wanted.pkcs11_module,
        "pkcs11-engine": wanted.pkcs11_engine,
        "ca-file": str(wanted.ca_file or ""),
    }
    for key, name in files.items():
        if name and not name.startswith(PKCS11) and not os.access(name, os.R_OK):
            raise ConfigError(f"there is no file {name!r} that can be read", where=f"{_KEY}.{key}")
    passwords.read(_KEY, wanted.password_env, wanted.password_file)


def sign(unsigned: Path, out: Path, wanted: Signing, notice: Callable[[str], None]) -> Linked:
    """Write ``out``, the executable with a signature, in one atomic step.

    Raises ToolError or ConfigError for what ``require`` names, BuildError when it cannot be signed, and when the signed
    file is not the unsigned one with a signature that verifies. ``notice`` is told when nobody is known who would vouch for
    the certificate.
    """
    require(wanted)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        signed = Path(folder) / out.name
        with _password(wanted, Path(folder)) as password:
            _run([*_line(wanted, password), "-in", str(unsigned), "-out", str(signed)], wanted, out)
        data = signed.read_bytes()
        _check_rest(unsigned.read_bytes(), data, out)
        _verify(signed, data, wanted, Path(folder), out, notice)
        signed.chmod(0o755)
        signed.replace(out)
    return Linked(out, len(data), hashlib.sha256(data).hexdigest())


def _line(wanted: Signing, password: Path | None) -> list[str]:
    """The command, without what is signed. No password is ever on it: other users can see it."""
    line = [PROGRAM, "sign", "-h", wanted.digest]
    if wanted.certificate.lower().endswith(CONTAINERS):
        line += ["-pkcs12", wanted.certificate]
    elif wanted.certificate.startswith(PKCS11):
        line += ["-pkcs11cert", wanted.certificate]
    else:
        line += ["-certs", wanted.certificate]
    for option, value in (
        ("-pkcs11engine", wanted.pkcs11_engine),
        ("-pkcs11module", wanted.pkcs11_module),
        ("-key", wanted.key),
        ("-readpass", str(password or "")),
        ("-n", wanted.description),
        ("-i", wanted.url),
        ("-ts", wanted.timestamp),
        ("-time", os.environ.get("SOURCE_DATE_EPOCH", "")),
    ):
        if value:
            line += [option, value]
    return line


@contextmanager
def _password(wanted: Signing, folder: Path) -> Iterator[Path | None]:
    """A file that has the password; one that is made for it can be read by this user only, and is gone afterwards."""
    password = passwords.read(_KEY, wanted.password_env, None)
    if password is None:
        yield wanted.password_file
        return
    path = folder / "password"
    with ExitStack() as stack:
        stack.callback(path.unlink, missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(password)
        yield path


def _run(line: list[str], wanted: Signing, out: Path) -> None:
    # setsid: osslsigncode would ask for a missing password on the terminal, where nobody may be.
    environment = {key: value for key, value in os.environ.items() if key != wanted.password_env}
    done = _start(line, environment)
    if done.returncode:
        raise BuildError(
            f"it cannot be signed: {_said(done) or f'{PROGRAM} ended with status {done.returncode}'}",
            where=str(out),
            hint="the password may be wrong, or missing: password-env or password-file"
            if "assword" in done.stdout + done.stderr or "PIN" in done.stdout + done.stderr
            else f"see [{_KEY}]",
            page="it-cannot-be-signed",
        )


def _start(line: list[str], environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            line,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            start_new_session=True,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(f"{PROGRAM} does not run: {error}") from None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """The lines that say something, on one."""
    lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines()]
    kept = [line for line in lines if line and line != "Failed" and not _NOISE.match(line)]
    return "; ".join(dict.fromkeys(kept))[-600:]


def _check_rest(before: bytes, after: bytes, out: Path) -> None:
    """BuildError unless ``after`` is ``before`` with a signature at its end: only the checksum and the signature's place
    may differ.
    """
    try:
        files = Pe(before), Pe(after)
        offset, size = files[1].signature
        end = len(before) + -len(before) % 8
        blank = [bytearray(data[: len(before)]) for data in (before, after)]
        for file, data in zip(files, blank, strict=True):
            data[file.checksum_at : file.checksum_at + 4] = bytes(4)
            place = file.directories_at + pe.DIR_SECURITY * pe.DIRECTORY.size
            data[place : place + pe.DIRECTORY.size] = bytes(pe.DIRECTORY.size)
        same = blank[0] == blank[1] and (offset, offset + size) == (end, len(after)) and size > 0
    except PeError:
        same = False
    if not same:
        raise BuildError(f"{PROGRAM} changed more than the signature", where=str(out))


def _verify(
    signed: Path, data: bytes, wanted: Signing, folder: Path, out: Path, notice: Callable[[str], None]
) -> None:
    """BuildError unless the signature is right, and is by whom ``ca-file`` vouches for."""
    trusted = wanted.ca_file
    if trusted is None:
        trusted = folder / "certificates.pem"
        trusted.write_text(authenticode.certificates(data), encoding="ascii")
    seen = authenticode.verify(signed, trusted)
    if wanted.timestamp and not seen.timestamp:
        raise BuildError(f"{wanted.timestamp} did not confirm the time", where=str(out))
    if seen.verified:
        return
    if wanted.ca_file is None and seen.intact and seen.untrusted:
        notice(
            f"{out.name}: signed by {seen.subject}; whether anybody vouches for that was not checked: the certificate file "
            f"does not have the whole chain, and {_KEY}.ca-file is not set"
        )
        return
    raise BuildError(
        f"its signature does not verify: {seen.reason}",
        where=str(out),
        hint=f"see {_KEY}.ca-file, and whether the certificate is valid today and made for signing code",
    )
