"""Makes the signature in a Mach-O file: one that names nobody ("ad hoc"). verify.py verifies it.

macOS starts no program for arm64 without a signature, and one whose pages are not those that were signed is killed. An
ad-hoc signature needs no certificate: it is the digest of every page, of the kind that Apple's ``codesign --sign -`` writes.
Source: bsd/kern/cs_blobs.h and bsd/kern/ubc_subr.c (cs_validate_csblob) of Apple's xnu; lld/MachO/SyntheticSections.cpp
(CodeSignatureSection) of LLVM. All of it is big-endian. Offsets and sizes in bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from struct import Struct

from oxcross.macho import MachoError
from oxcross.pack.format import align

PAGE = 4096
DIGEST = 32
ADHOC, RUNTIME, LINKER_SIGNED = 0x2, 0x10000, 0x20000  # flags of a code directory
EXECSEG_MAIN_BINARY = 1

BLOB = Struct(">II")  # magic, size
SUPER, INDEX = Struct(">III"), Struct(">II")  # magic, size, count; slot, offset
# magic, size, version, flags, hashes, identifier, special slots, pages, limit, digest's size and kind, platform, page's size
# as 2**n, spare; scatter, team, spare, 64-bit limit, executable segment: offset, limit, flags
DIRECTORY = Struct(">9I4BI3IQ3Q")
SUPERBLOB, CODE_DIRECTORY, REQUIREMENTS, CMS = 0xFADE0CC0, 0xFADE0C02, 0xFADE0C01, 0xFADE0B01
SLOT_DIRECTORY, SLOT_REQUIREMENTS, SLOT_ALTERNATE, SLOT_CMS = 0, 2, 0x1000, 0x10000
VERSION = 0x20400  # the first one that says which segment is executable
_SPECIAL = 2  # slots: Info.plist, which there is none of, and the requirements
_SHA256 = 2
_NO_REQUIREMENTS = SUPER.pack(REQUIREMENTS, SUPER.size, 0)
_NO_CERTIFICATE = BLOB.pack(CMS, BLOB.size)
_ALIGN = 16


class SignatureError(MachoError):
    """A signature that is not that of its file, or cannot be read."""


@dataclass(frozen=True, slots=True)
class Code:
    """What is signed, apart from its pages. ``limit``: where the signature begins; ``text_offset`` and ``text_size``: the
    place of __TEXT in the file. ``identifier`` is the program's name for macOS, such as "org.example.app".
    """

    identifier: str
    limit: int
    text_offset: int
    text_size: int

    @property
    def pages(self) -> int:
        """How many pages there are; the last one may be short."""
        return -(-self.limit // PAGE)


def size(identifier: str, limit: int) -> int:
    """The size of the signature that ``build`` makes."""
    code = Code(identifier, limit, 0, 0)
    return align(
        _directory_at() + _directory_size(code) + len(_NO_REQUIREMENTS) + len(_NO_CERTIFICATE), _ALIGN
    )


def digests(*parts: bytes | bytearray | memoryview) -> Iterator[bytes]:
    """The digest of every page of the parts, one behind the other; all but the last must consist of whole pages."""
    for part in parts:
        with memoryview(part) as view:
            for at in range(0, len(view), PAGE):
                yield hashlib.sha256(view[at : at + PAGE]).digest()


def build(code: Code, hashes: Iterable[bytes]) -> bytes:
    """The signature of an executable with these digests of its pages; it lies at ``code.limit`` and ends the file."""
    specials = hashlib.sha256(_NO_REQUIREMENTS).digest() + bytes(DIGEST)  # the last slot comes first
    name = _name(code.identifier)
    directory = DIRECTORY.pack(
        CODE_DIRECTORY, _directory_size(code), VERSION, ADHOC, DIRECTORY.size + len(name) + len(specials),
        DIRECTORY.size, _SPECIAL, code.pages, code.limit, DIGEST, _SHA256, 0, PAGE.bit_length() - 1,
        0, 0, 0, 0, 0, code.text_offset, code.text_size, EXECSEG_MAIN_BINARY,
    )  # fmt: skip
    directory += name + specials + b"".join(hashes)
    blobs = {SLOT_DIRECTORY: directory, SLOT_REQUIREMENTS: _NO_REQUIREMENTS, SLOT_CMS: _NO_CERTIFICATE}
    at, index = _directory_at(), b""
    for slot, blob in blobs.items():
        index += INDEX.pack(slot, at)
        at += len(blob)
    whole = SUPER.pack(SUPERBLOB, at, len(blobs)) + index + b"".join(blobs.values())
    return whole.ljust(size(code.identifier, code.limit), b"\0")


def _name(identifier: str) -> bytes:
    return identifier.encode("utf-8") + b"\0"


def _directory_at() -> int:
    return SUPER.size + 3 * INDEX.size


def _directory_size(code: Code) -> int:
    return DIRECTORY.size + len(_name(code.identifier)) + (_SPECIAL + code.pages) * DIGEST
