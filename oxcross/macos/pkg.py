"""Makes a package for macOS's installer: of a bundle for /Applications, of an executable for /usr/local/bin.

A XAR archive (xar.py) with Distribution, what the installer shows and asks of the system, and one component: NAME.pkg/PackageInfo,
Bom (bom.py) and Payload, a cpio archive of the files, compressed. Source: "Distribution Definition XML Schema Reference", Apple's
documentation; man 1 productbuild and pkgbuild; POSIX's pax for the octet-oriented cpio format. The same inputs give the same bytes; a
signature has the time in it.
"""

from __future__ import annotations

import gzip
import hashlib
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final
from xml.etree import ElementTree as ET

from oxcross.errors import BuildError, ConfigError
from oxcross.macos import apple, identity, settings, xar
from oxcross.macos.archive import entries, mode
from oxcross.macos.bom import Cksum, Entry, build

_HINT: Final = "see [tool.oxcross.macos.package]"
_CHUNK: Final = 1 << 20
_LARGEST: Final = (1 << 32) - 1  # of a file in a Bom
_ARCHES: Final = {"x86_64": "x86_64", "aarch64": "arm64", "universal2": "x86_64,arm64"}


@dataclass(frozen=True, kw_only=True)
class About:
    """What the installer is told. ``arch`` as in targets.toml."""

    name: str
    identifier: str
    version: str
    minimum: str
    arch: str


def make(source: Path, out: Path, about: About, wanted: settings.Package) -> Path:
    """Write ``out``, in one atomic step: a package that installs ``source`` into ``wanted.location``, signed if that is wanted.

    Raises ToolError or ConfigError for a certificate that cannot be used, BuildError when it cannot be written or signed.
    """
    try:
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as name:
            folder = Path(name)
            with (folder / "Payload").open("wb") as stream:
                found = _payload(source, stream)
            files = _files(source, found, about, wanted, folder / "Payload")
            made = folder / out.name
            xar.write(files, made)
            if wanted.identity:
                made = _sign(made, wanted, wanted.identity, folder, out)
            made.chmod(0o644)
            made.replace(out)
    except OSError as error:
        raise BuildError(
            f"cannot be written: {error.strerror}", where=str(out), page="it-cannot-be-written"
        ) from error
    return out


def _payload(source: Path, stream: IO[bytes]) -> list[Entry]:
    """Write the files as a compressed cpio archive; what is in it."""
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0, filename="") as packed:
        found = [Entry(".", stat.S_IFDIR | 0o755)]
        _cpio(packed, 1, ".", found[0].mode, 0)
        for number, path in enumerate(entries(source), 2):
            name = f"./{path.relative_to(source.parent).as_posix()}"
            size = 0 if path.is_dir() else path.stat().st_size
            if size > _LARGEST:
                raise BuildError("it is larger than 4 GB, which no package can hold", where=str(path))
            _cpio(packed, number, name, mode(path), size)
            checksum = Cksum()
            for chunk in _chunks(path):
                packed.write(chunk)
                checksum.update(chunk)
            value = 0 if path.is_dir() else checksum.value
            found.append(Entry(name, mode(path), size, value))
        _cpio(packed, 0, "TRAILER!!!", 0, 0)
    return found


def _chunks(path: Path) -> Iterator[bytes]:
    if path.is_file():
        with path.open("rb") as source:
            while chunk := source.read(_CHUNK):
                yield chunk


def _cpio(stream: gzip.GzipFile, number: int, name: str, kind: int, size: int) -> None:
    """A header: octal numbers. Root owns everything."""
    text = name.encode("utf-8") + b"\0"
    links = 2 if stat.S_ISDIR(kind) else 1
    fields = f"070707{0:06o}{number:06o}{kind:06o}{0:06o}{0:06o}{links:06o}{0:06o}{0:011o}{len(text):06o}{size:011o}"
    stream.write(fields.encode("ascii") + text)


def _files(
    source: Path, found: list[Entry], about: About, wanted: settings.Package, payload: Path
) -> xar.Files:
    component = f"{about.name}.pkg"
    kilobytes = sum(-(-entry.size // 1024) for entry in found)
    return {
        "Distribution": _distribution(component, about, kilobytes),
        f"{component}/PackageInfo": _package_info(source, found, about, wanted.location, kilobytes),
        f"{component}/Bom": build(found),
        f"{component}/Payload": payload,
    }


def _package_info(source: Path, found: list[Entry], about: About, location: str, kilobytes: int) -> bytes:
    root = ET.Element("pkg-info", {
        "format-version": "2",
        "identifier": about.identifier,
        "version": about.version,
        "install-location": location,
        "auth": "root",
        "overwrite-permissions": "false",  # those of /usr/local/bin and /Applications are not ours to change
        "relocatable": "false",
    })  # fmt: skip
    ET.SubElement(root, "payload", numberOfFiles=str(len(found)), installKBytes=str(kilobytes))
    if source.is_dir():
        ET.SubElement(root, "bundle", {
            "path": f"./{source.name}",
            "id": about.identifier,
            "CFBundleShortVersionString": about.version,
            "CFBundleVersion": about.version,
        })  # fmt: skip
        for name in ("bundle-version", "upgrade-bundle", "strict-identifier"):
            ET.SubElement(ET.SubElement(root, name), "bundle", id=about.identifier)
    return _text(root)


def _distribution(component: str, about: About, kilobytes: int) -> bytes:
    root = ET.Element("installer-gui-script", minSpecVersion="2")
    ET.SubElement(root, "title").text = about.name
    options = {"customize": "never", "require-scripts": "false", "hostArchitectures": _ARCHES[about.arch]}
    ET.SubElement(root, "options", options)
    domains = {"enable_anywhere": "false", "enable_currentUserHome": "false", "enable_localSystem": "true"}
    ET.SubElement(root, "domains", domains)
    check = ET.SubElement(ET.SubElement(root, "volume-check"), "allowed-os-versions")
    ET.SubElement(check, "os-version", min=about.minimum)
    outline = ET.SubElement(root, "choices-outline")
    line = ET.SubElement(outline, "line", choice="default")
    ET.SubElement(line, "line", choice=about.identifier)
    ET.SubElement(root, "choice", id="default")
    choice = ET.SubElement(root, "choice", id=about.identifier, visible="false")
    ET.SubElement(choice, "pkg-ref", id=about.identifier)
    row = {"id": about.identifier, "version": about.version, "installKBytes": str(kilobytes)}
    ET.SubElement(root, "pkg-ref", {**row, "onConclusion": "none"}).text = f"#{component}"
    return _text(root)


def _text(root: ET.Element) -> bytes:
    ET.indent(root, "    ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _sign(made: Path, wanted: settings.Package, who: settings.Identity, folder: Path, out: Path) -> Path:
    signed = folder / f"signed-{made.name}"
    loaded = identity.load(who, "installer")
    with identity.signer(loaded, folder) as signer:
        apple.sign(made, signed, out, _HINT, signer=signer, timestamp_url=wanted.timestamp or "none")
    _replace_signature(signed, loaded, who, out)
    _verify(made, signed, loaded, out)
    return signed


def _replace_signature(signed: Path, loaded: identity.Loaded, who: settings.Identity, out: Path) -> None:
    """An archive has two signatures of its checksum: CMS, and RSA (PKCS #1 v1.5) for older systems. apple-codesign 0.29 makes
    the latter of a digest of the checksum, ``productsign`` of the checksum itself; nothing else refers to it.
    """
    from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
    from cryptography.hazmat.primitives.hashes import SHA1

    if not isinstance(loaded.key, rsa.RSAPrivateKey):
        raise ConfigError("packages are signed with RSA keys only", where=f"{who.where}.certificate")
    archive = _read(signed, out)
    right = loaded.key.sign(archive.checksum, padding.PKCS1v15(), utils.Prehashed(SHA1()))  # noqa: S303 (see xar.py)
    if archive.kind != "sha1" or len(right) != len(archive.signature):
        raise BuildError("apple-codesign left no room for its signature", where=str(out))
    with signed.open("r+b") as stream:
        stream.seek(archive.signature_at)
        stream.write(right)


def _read(path: Path, out: Path) -> xar.Archive:
    try:
        return xar.read(path.read_bytes())
    except xar.XarError as error:
        raise BuildError(f"its signature does not verify: {error}", where=str(out)) from None


def _verify(made: Path, signed: Path, loaded: identity.Loaded, out: Path) -> None:
    """BuildError unless the files are the same, and the signatures are right and the certificate's."""
    before, after = _read(made, out), _read(signed, out)
    if before.files != after.files:
        raise BuildError("apple-codesign changed more than the signature", where=str(out))
    if after.certificates[:1] != (identity.der(loaded.certificate),) or not verified(
        after, loaded.certificate
    ):
        raise BuildError("its signature does not verify", where=str(out))


def verified(archive: xar.Archive, certificate: Any) -> bool:
    """Whether an archive's RSA signature is the certificate's, and the CMS one is of its checksum, too.

    That the latter is the key's is not looked at.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import padding, utils
    from cryptography.hazmat.primitives.hashes import SHA1

    try:
        certificate.public_key().verify(
            bytes(archive.signature), archive.checksum, padding.PKCS1v15(), utils.Prehashed(SHA1())  # noqa: S303 (see xar.py)
        )  # fmt: skip
    except InvalidSignature:
        return False
    return hashlib.sha256(archive.checksum).digest() in bytes(archive.cms)
