"""Who signs: a certificate, its key, and the certificates up to its authority, read and checked before anything is signed.

Source: "Developer ID certificates" (developer.apple.com/help/account/certificates) and "Apple Certificate Policies" for the
object identifiers; RFC 5280, section 4.2.1.12; RFC 7292 (PKCS #12).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from oxcross import passwords
from oxcross.errors import ConfigError
from oxcross.macos import apple, settings

Kind = Literal["application", "installer"]

_CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
_INSTALLER = "1.2.840.113635.100.4.13"
_DEVELOPER_ID = {"application": "1.2.840.113635.100.6.1.13", "installer": "1.2.840.113635.100.6.1.14"}
_NAMES = {"application": "Developer ID Application", "installer": "Developer ID Installer"}


@dataclass(frozen=True, slots=True, repr=False)
class Loaded:
    """A certificate with its key and the further ones beside it: cryptography's objects. ``team``: Apple's identifier."""

    certificate: Any
    key: Any
    further: tuple[Any, ...]
    team: str
    developer_id: bool  # what Apple notarizes


def load(wanted: settings.Identity, kind: Kind, team: str = "") -> Loaded:
    """The identity. ConfigError, which names the key, for what is missing, does not fit or is over; ToolError without the
    extra's packages.
    """
    library = apple.cryptography()
    for key, name in (("certificate", wanted.certificate), ("key", wanted.key)):
        if name and not os.access(name, os.R_OK):
            raise ConfigError(f"there is no file {name!r} that can be read", where=f"{wanted.where}.{key}")
    password = passwords.read(wanted.where, wanted.password_env, wanted.password_file)
    if wanted.key:
        certificate, key, further = _pem(library, wanted, password)
    else:
        certificate, key, further = _container(library, wanted, password)
    _check(library, wanted, kind, certificate, key)
    unit = _attribute(library, certificate, "ORGANIZATIONAL_UNIT_NAME")
    found = unit if re.fullmatch(r"[A-Z0-9]{10}", unit) else ""
    if team and found != team:
        raise ConfigError(
            f"the certificate is of team {found or '(none)'}, not of {team}", where=f"{wanted.where}.team"
        )
    known = {extension.oid.dotted_string for extension in certificate.extensions}
    return Loaded(certificate, key, tuple(further), found, _DEVELOPER_ID[kind] in known)


@contextmanager
def signer(loaded: Loaded, folder: Path) -> Iterator[Any]:
    """What ``apple_platform.sign`` takes for a signer. The key is in a file that this user only can read, encrypted with a
    password of its own, which no file has; it is gone afterwards.

    It is not the user's file: apple-codesign reads PKCS #12 with the old ciphers only (OpenSSL 3 writes others), and no
    encrypted PEM keys.
    """
    serialization = apple.cryptography().hazmat.primitives.serialization
    module = apple.platform()
    password = secrets.token_urlsafe()
    data = module.certificates.create_p12(
        certificate_pem=_text(loaded.certificate.public_bytes(serialization.Encoding.PEM)),
        private_key_pem=_text(
            loaded.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        ),
        password=password,
    )
    path = folder / "identity.p12"
    chain = [folder / f"further-{number}.der" for number in range(len(loaded.further))]
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        for place, one in zip(chain, loaded.further, strict=True):
            place.write_bytes(der(one))
        yield module.Signer(
            p12=module.P12Key(path=path, password=password),
            # Of all that it is given, apple-codesign signs with the first one; these come last.
            certificate_der=module.CertificateDerKey(paths=chain) if chain else None,
        )
    finally:
        for place in (path, *chain):
            place.unlink(missing_ok=True)


def der(certificate: Any) -> bytes:
    """A certificate's bytes (X.690)."""
    return bytes(certificate.public_bytes(apple.cryptography().hazmat.primitives.serialization.Encoding.DER))


def _text(data: bytes) -> str:
    return data.decode("ascii")


def _wrong_password(wanted: settings.Identity, name: str) -> ConfigError:
    where = "password-env" if wanted.password_env else "password-file"
    given = wanted.password_env or wanted.password_file
    return ConfigError(
        f"{'not the password of' if given else 'there is no password for'} {name}",
        where=f"{wanted.where}.{where}",
        hint=None if given else "name where the password is: password-env or password-file",
    )


def _container(library: Any, wanted: settings.Identity, password: bytes | None) -> tuple[Any, Any, list[Any]]:
    pkcs12 = library.hazmat.primitives.serialization.pkcs12
    data = Path(wanted.certificate).read_bytes()
    try:
        key, certificate, further = pkcs12.load_key_and_certificates(data, password)
    except ValueError as error:
        if "assword" in str(error) or "mac" in str(error).lower():
            raise _wrong_password(wanted, wanted.certificate) from None
        raise ConfigError(f"not a PKCS #12 file: {error}", where=f"{wanted.where}.certificate") from None
    if key is None or certificate is None:
        lacking = "key" if key is None else "certificate"
        raise ConfigError(
            f"{wanted.certificate} has no {lacking}",
            where=f"{wanted.where}.certificate",
            hint="export certificate and key together, from the Keychain's “My Certificates”",
        )
    return certificate, key, list(further)


def _pem(library: Any, wanted: settings.Identity, password: bytes | None) -> tuple[Any, Any, list[Any]]:
    try:
        certificates = library.x509.load_pem_x509_certificates(Path(wanted.certificate).read_bytes())
    except ValueError as error:
        raise ConfigError(
            f"not a PEM file with certificates: {error}", where=f"{wanted.where}.certificate"
        ) from None
    load_key = library.hazmat.primitives.serialization.load_pem_private_key
    data = Path(wanted.key).read_bytes()
    try:
        key = load_key(data, password if b"ENCRYPTED" in data else None)
    except (ValueError, TypeError) as error:
        if b"ENCRYPTED" in data:
            raise _wrong_password(wanted, wanted.key) from None
        raise ConfigError(f"not a PEM file with a key: {error}", where=f"{wanted.where}.key") from None
    own = [one for one in certificates if _same(library, one.public_key(), key.public_key())]
    if not own:
        raise ConfigError(
            f"not the key of a certificate in {wanted.certificate}", where=f"{wanted.where}.key"
        )
    return own[0], key, [one for one in certificates if one is not own[0]]


def _same(library: Any, one: Any, other: Any) -> bool:
    serialization = library.hazmat.primitives.serialization
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return bool(one.public_bytes(*form) == other.public_bytes(*form))


def _check(library: Any, wanted: settings.Identity, kind: Kind, certificate: Any, key: Any) -> None:
    place = f"{wanted.where}.certificate"
    if not _same(library, certificate.public_key(), key.public_key()):
        raise ConfigError(f"the key in {wanted.certificate} is of another certificate", where=place)
    now = dt.datetime.now(dt.UTC)
    for past, day in ((True, certificate.not_valid_after_utc), (False, certificate.not_valid_before_utc)):
        if (day < now) == past:
            text = "ended" if past else "begins"
            raise ConfigError(
                f"the certificate's time {text} on {day:%Y-%m-%d}", where=place, hint="renew it"
            )
    try:
        uses = certificate.extensions.get_extension_for_class(library.x509.ExtendedKeyUsage).value
    except library.x509.ExtensionNotFound:
        uses = ()
    allowed = {_CODE_SIGNING} if kind == "application" else {_INSTALLER}
    if not allowed & {use.dotted_string for use in uses}:
        raise ConfigError(
            f"{_attribute(library, certificate, 'COMMON_NAME') or 'the certificate'} is not made for this",
            where=place,
            hint=f"a “{_NAMES[kind]}” certificate is",
        )


def _attribute(library: Any, certificate: Any, name: str) -> str:
    found = certificate.subject.get_attributes_for_oid(getattr(library.x509.NameOID, name))
    return str(found[0].value) if found else ""
