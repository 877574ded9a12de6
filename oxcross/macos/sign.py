"""Signs executables and bundles with apple-codesign, and verifies what it did.

Signing comes last: the signature has a digest of every page. One without a confirmed time (``timestamp = false``) is the same
each time when SOURCE_DATE_EPOCH says what time it is and the key is RSA, and so is an ad-hoc one. Source: "Signing Mac
Software with Developer ID" and "Hardened Runtime", Apple's documentation; the signature's format: verify.py.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import plistlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

from oxcross import macho
from oxcross.errors import BuildError, ConfigError
from oxcross.link import Linked
from oxcross.macho import Macho, MachoError
from oxcross.macos import apple, entitlements, identity, settings
from oxcross.macos.verify import Signature, verify

_HINT: Final = "see [tool.oxcross.macos.sign]"
_SIZES = slice(
    24 + 8, 24 + 32
)  # in a segment's command: its size in memory, its offset, its size in the file
_SIGNATURE_SIZE = slice(12, 16)  # in LC_CODE_SIGNATURE

Notice = Callable[[str], None]


def require(wanted: settings.MacOS) -> None:
    """ToolError or ConfigError unless what is wanted can be had: apple-codesign, certificates, keys, passwords."""
    if wanted.sign or wanted.app or wanted.package.identity:
        apple.platform()
    if wanted.sign and wanted.sign.identity:
        identity.load(wanted.sign.identity, "application", wanted.sign.team)
    if wanted.package.identity:
        identity.load(wanted.package.identity, "installer")


def sign(unsigned: Path, out: Path, wanted: settings.Signing, identifier: str, notice: Notice) -> Linked:
    """Write ``out``, the executable with another signature, in one atomic step. Of a fat file each slice is signed.

    Raises ToolError or ConfigError for what ``require`` names, BuildError when it cannot be signed, and when the signed file
    is not the unsigned one with a signature that is right. ``notice`` is told when Apple would not notarize it.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as name:
        signed = Path(name) / out.name
        with options(wanted, identifier, Path(name), notice) as more:
            apple.sign(unsigned, signed, out, _HINT, **more)
        data = signed.read_bytes()
        check(unsigned.read_bytes(), data, wanted, identifier, out)
        check_certificate(signed, wanted, out)
        signed.chmod(0o755)
        signed.replace(out)
    return Linked(out, len(data), hashlib.sha256(data).hexdigest())


@contextmanager
def options(
    wanted: settings.Signing, identifier: str, folder: Path, notice: Notice = lambda _: None
) -> Iterator[dict[str, Any]]:
    """What ``apple_platform.sign`` is to be told. No password is in it but one that is made for this moment."""
    found = entitlements.wanted(wanted)
    path = folder / "entitlements.plist"
    if found:
        path.write_bytes(entitlements.text(found))
    loaded = identity.load(wanted.identity, "application", wanted.team) if wanted.identity else None
    if loaded:
        _advise(wanted, loaded, notice)
    with identity.signer(loaded, folder) if loaded else nullcontext() as signer:
        yield {
            "signer": signer,
            "binary_identifier": identifier,
            "entitlements_xml_file": path if found else None,
            "code_signature_flags": ["runtime"] if wanted.hardened_runtime else None,
            "team_name": loaded.team or None if loaded else None,
            "timestamp_url": wanted.timestamp or "none",
            "signing_time": _time(),
        }


def check(before: bytes, after: bytes, wanted: settings.Signing, identifier: str, out: Path) -> None:
    """BuildError unless ``after`` is ``before`` with a signature of the kind that is wanted, which is right."""
    _check_rest(before, after, out)
    for file in machos(after):
        check_signature(file, wanted, identifier, out)


def check_signature(
    file: Macho,
    wanted: settings.Signing,
    identifier: str,
    out: Path,
    outside: Mapping[int, bytes] | None = None,
) -> Signature:
    """The signature of a slice; BuildError unless it is right, and of the kind that is wanted."""
    try:
        seen = verify(file, outside)
    except MachoError as error:
        raise BuildError(f"its signature does not verify: {error}", where=str(out)) from None
    if seen is None:
        raise BuildError("apple-codesign did not sign it", where=str(out))
    found = entitlements.wanted(wanted)
    told = plistlib.loads(seen.entitlements) if seen.entitlements else {}
    for right, what in (
        (seen.identifier == identifier, "identifier"),
        (seen.adhoc == (wanted.identity is None), "certificate"),
        (seen.hardened == wanted.hardened_runtime, "hardened runtime"),
        (told == found and bool(seen.der_entitlements) == bool(found), "entitlements"),
    ):
        if not right:
            raise BuildError(f"apple-codesign signed it with another {what} than is wanted", where=str(out))
    return seen


def check_certificate(signed: Path, wanted: settings.Signing, out: Path) -> None:
    """BuildError unless the certificate's signature is right, and has a confirmed time where that is wanted."""
    if wanted.identity is None:
        return
    if found := apple.problems(signed):
        raise BuildError(f"its signature does not verify: {'; '.join(found)}", where=str(out))
    if wanted.timestamp and not apple.confirmed(signed):
        raise BuildError(f"{wanted.timestamp} did not confirm the time", where=str(out))


def machos(data: bytes) -> list[Macho]:
    """The slices of a fat file, or the file itself. MachoError for what is neither."""
    if not macho.is_fat(data):
        return [Macho(data)]
    view = memoryview(data)
    return [Macho(view[one.offset : one.offset + one.size]) for one in macho.slices(data)]


def _check_rest(before: bytes, after: bytes, out: Path) -> None:
    """Only the signature may differ, and with it the size of __LINKEDIT, which it ends."""
    try:
        pairs = [(one, other) for one, other in zip(machos(before), machos(after), strict=True)]
        same = macho.is_fat(before) == macho.is_fat(after)
        same = same and all(without_signature(one) == without_signature(other) for one, other in pairs)
    except (MachoError, ValueError):
        same = False
    if not same:
        raise BuildError("apple-codesign changed more than the signature", where=str(out))


def without_signature(file: Macho) -> bytes:
    """The file up to its signature, with zeros where the signature's size matters. MachoError when it does not end it, or
    __LINKEDIT does not.
    """
    place, linkedit = file.part("signature"), file.segment("__LINKEDIT")
    command = file.only(macho.LC_CODE_SIGNATURE)
    if place is None or linkedit is None or command is None:
        raise MachoError("it has no signature, or no __LINKEDIT")
    end = len(file.view)
    if place.offset + place.size != end or linkedit.file_end != end or linkedit.size < linkedit.file_size:
        raise MachoError("its signature does not end it")
    data = bytearray(file.view[: place.offset])
    for at, part in ((linkedit.at, _SIZES), (command.at, _SIGNATURE_SIZE)):
        data[at + part.start : at + part.stop] = bytes(part.stop - part.start)
    return bytes(data) + linkedit.offset.to_bytes(8, "little")


def _advise(wanted: settings.Signing, loaded: identity.Loaded, notice: Notice) -> None:
    lacking = [
        text
        for there, text in (
            (loaded.developer_id, "a “Developer ID Application” certificate"),
            (wanted.hardened_runtime, "hardened-runtime = true"),
            (bool(wanted.timestamp), "a timestamp"),
        )
        if not there
    ]
    if lacking:
        notice(f"Apple notarizes what is signed with {', '.join(lacking)}; this is signed without")


def _time() -> str | None:
    """The time that is signed: SOURCE_DATE_EPOCH (reproducible-builds.org), or now."""
    text = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return None
    try:
        return dt.datetime.fromtimestamp(int(text), dt.UTC).isoformat()
    except (ValueError, OverflowError):
        raise ConfigError(f"not a number of seconds: {text!r}", where="SOURCE_DATE_EPOCH") from None
