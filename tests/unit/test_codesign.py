"""Signatures for macOS: ours are what was signed, a linker's are verified, too; every change is found."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from macho_tools import ARCHES, attach, launcher, read

from oxcross import macho
from oxcross.link.macho import Settings
from oxcross.macho import Macho, MachoError
from oxcross.macos import codesign
from oxcross.macos.codesign import Code, SignatureError
from oxcross.macos.verify import _Directory, verify

Blobs = dict[int, bytes]


def super_blob(blobs: Blobs) -> bytes:
    at, index = codesign.SUPER.size + codesign.INDEX.size * len(blobs), b""
    for slot, blob in blobs.items():
        index += codesign.INDEX.pack(slot, at)
        at += len(blob)
    return codesign.SUPER.pack(codesign.SUPERBLOB, at, len(blobs)) + index + b"".join(blobs.values())


def parts_of(file: Macho) -> tuple[bytes, Blobs]:
    """The file up to its signature, and what that consists of."""
    place = file.part("signature")
    assert place is not None
    data = bytes(file.content(place))
    _, _, count = codesign.SUPER.unpack_from(data)
    blobs = {}
    for number in range(count):
        slot, at = codesign.INDEX.unpack_from(data, codesign.SUPER.size + number * codesign.INDEX.size)
        blobs[slot] = data[at : at + codesign.BLOB.unpack_from(data, at)[1]]
    return bytes(file.view[: place.offset]), blobs


def signed(code: bytes, blobs: Blobs) -> Macho:
    """A file with another signature, whose place in its headers is only made right when that has the same size."""
    file = Macho(code)
    [field] = [part.field for part in file.parts if part.name == "signature"]
    data = bytearray(code + super_blob(blobs))
    (size,) = macho.COMMAND.unpack_from(data, field)[1:]
    return Macho(data.ljust(len(code) + size, b"\0"))


@pytest.fixture(scope="module", params=ARCHES)
def executable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Macho:
    folder = tmp_path_factory.mktemp("signed")
    settings = Settings(identifier="org.example.söhne")
    return read(
        attach(folder, launcher(request.param), b"blob" * 20_000, request.param, settings=settings).path
    )


def test_ours(executable: Macho) -> None:
    code, blobs = parts_of(executable)
    directory = codesign.DIRECTORY.unpack_from(blobs[0])
    text = executable.segment("__TEXT")
    assert text is not None
    assert (directory[2], directory[3]) == (0x20400, codesign.ADHOC)
    assert directory[8] == len(code)
    assert directory[-3:] == (text.offset, text.file_size, codesign.EXECSEG_MAIN_BINARY)
    pages = [hashlib.sha256(code[at : at + 4096]).digest() for at in range(0, len(code), 4096)]
    assert blobs[0].endswith(b"".join(pages))
    assert blobs[0][directory[5] :].startswith("org.example.söhne".encode() + b"\0")
    assert blobs[2].hex() == "fade0c010000000c00000000"
    assert blobs[0x10000].hex() == "fade0b0100000008"
    assert list(blobs) == [0, 2, 0x10000]
    seen = verify(executable)
    assert seen is not None
    assert (seen.identifier, seen.adhoc, seen.linker_signed) == ("org.example.söhne", True, False)
    assert seen.cdhash == hashlib.sha256(blobs[0]).hexdigest()[:40]


@pytest.mark.parametrize("limit", [1, 4095, 4096, 4097, 1_000_000])
@pytest.mark.parametrize("identifier", ["a", "a.long.identifier.of.a.program"])
def test_sizes(limit: int, identifier: str) -> None:
    code = Code(identifier, limit, 0, 4096)
    data = codesign.build(code, codesign.digests(bytes(limit)))
    assert len(data) == codesign.size(identifier, limit)
    assert len(data) % 16 == 0


def test_digests_of_parts() -> None:
    data = random.Random(2).randbytes(50_001)  # noqa: S311
    whole = list(codesign.digests(data))
    assert list(codesign.digests(data[:8192], b"", memoryview(data)[8192:])) == whole
    assert len(whole) == 13


@pytest.mark.parametrize("arch", ARCHES)
def test_a_linkers(arch: str) -> None:
    """LLVM's: another implementation of the same format, which macOS takes."""
    seen = verify(Macho(launcher(arch)))
    assert seen is not None
    assert (seen.identifier, seen.adhoc, seen.linker_signed) == ("launcher", True, True)


def test_none() -> None:
    assert verify(Macho(launcher("x86_64", "-no_adhoc_codesign"))) is None


def test_every_page(executable: Macho) -> None:
    code, _ = parts_of(executable)
    chance = random.Random(1)  # noqa: S311
    for page in range(1, len(code) // 4096):  # the first one has the headers, which may be damaged otherwise
        broken = bytearray(executable.view)
        broken[page * 4096 + chance.randrange(4096)] ^= 1 << chance.randrange(8)
        with pytest.raises(SignatureError, match=f"changed after it was signed, at {page * 4096:#x}"):
            verify(Macho(broken))


def test_every_byte_of_the_signature(executable: Macho) -> None:
    """Each is looked at, or has no meaning."""
    place = executable.part("signature")
    assert place is not None
    seen = verify(executable)
    chance = random.Random(1)  # noqa: S311
    accepted = []
    for at in range(place.size):
        broken = bytearray(executable.view)
        broken[place.offset + at] ^= 1 << chance.randrange(8)
        try:
            if verify(Macho(broken)) == seen:
                accepted.append(at)
        except SignatureError:
            continue
    assert not accepted, [f"{at:#x}" for at in accepted]


def directory_with(blob: bytes, **fields: int) -> bytes:
    values = dict(zip(_Directory._fields, codesign.DIRECTORY.unpack_from(blob), strict=True)) | fields
    return codesign.DIRECTORY.pack(*values.values()) + blob[codesign.DIRECTORY.size :]


Change = Callable[[Blobs], Blobs]
CHANGES: dict[str, Change] = {
    "older kind": lambda blobs: blobs | {0: directory_with(blobs[0], version=0x20300)},
    "digests of an unknown kind": lambda blobs: blobs | {0: directory_with(blobs[0], kind=9)},
    "pages of an unknown kind": lambda blobs: blobs | {0: directory_with(blobs[0], page=0)},
    "lie outside": lambda blobs: blobs | {0: directory_with(blobs[0], hashes=1 << 20)},
    "not for all of the file": lambda blobs: blobs | {0: directory_with(blobs[0], limit=4096, pages=1)},
    "another place for the program's code": lambda blobs: blobs | {0: directory_with(blobs[0], text_size=4)},
    "say that it is ad hoc": lambda blobs: blobs | {0: directory_with(blobs[0], flags=0)},
    "does not end": lambda blobs: blobs | {0: directory_with(blobs[0], identifier=1 << 24)},
    "part 2 of its signature": lambda blobs: blobs | {2: codesign.SUPER.pack(codesign.REQUIREMENTS, 12, 1)},
    "no code directory": lambda blobs: {2: blobs[2]},
    "part 5 of its signature": lambda blobs: {0: blobs[0], 2: blobs[2], 5: codesign.BLOB.pack(0xFADE7171, 8)},
    "part 0x6000 of its signature is of": lambda blobs: {0: blobs[0], 2: blobs[2], 0x6000: blobs[0x10000]},
    "something between": lambda blobs: {0: blobs[0] + b"more", 2: blobs[2]},
    "lies outside, or": lambda blobs: blobs | {2: codesign.BLOB.pack(codesign.REQUIREMENTS, 1 << 20)},
}


@pytest.mark.parametrize("message", CHANGES)
def test_bad_signatures(executable: Macho, message: str) -> None:
    code, blobs = parts_of(executable)
    assert verify(signed(code, blobs)) == verify(executable)
    with pytest.raises(SignatureError, match=message):
        verify(signed(code, CHANGES[message](blobs)))


@pytest.mark.parametrize("kind", ["sha1", "sha256", "sha384"])
def test_two_directories(executable: Macho, kind: str) -> None:
    """Signatures of others have an older directory, too, or one with better digests: all of them must be right."""
    code, _ = parts_of(executable)
    text = executable.segment("__TEXT")
    assert text is not None
    room = len(executable.view) * 2
    [field] = [part.field for part in executable.parts if part.name == "signature"]
    longer = bytearray(code)
    macho.COMMAND.pack_into(longer, field, len(code), room)
    made = codesign.build(
        Code("first", len(code), text.offset, text.file_size), codesign.digests(bytes(longer))
    )
    _, blobs = parts_of(Macho(bytes(longer) + made.ljust(room, b"\0")))

    number, size = {"sha1": (1, 20), "sha256": (3, 20), "sha384": (4, 48)}[kind]
    digests = b"".join(
        hashlib.new(kind, part).digest()[:size]
        for part in (blobs[2], *(bytes(longer[at : at + 4096]) for at in range(0, len(longer), 4096)))
    )
    body = b"other\0" + digests
    other = directory_with(
        blobs[0][: codesign.DIRECTORY.size],
        hashes=codesign.DIRECTORY.size + 6 + 2 * size,
        identifier=codesign.DIRECTORY.size,
        kind=number,
        digest=size,
    )
    body = body[: 6 + size] + bytes(size) + body[6 + size :]
    other = directory_with(other, size=len(other) + len(body)) + body
    seen = verify(signed(bytes(longer), blobs | {codesign.SLOT_ALTERNATE: other}))
    assert seen is not None
    assert seen.identifier == ("other" if kind == "sha384" else "first")
    broken = other[:-1] + bytes([other[-1] ^ 1])
    with pytest.raises(SignatureError, match="changed after it was signed"):
        verify(signed(bytes(longer), blobs | {codesign.SLOT_ALTERNATE: broken}))


def test_what_follows(executable: Macho) -> None:
    with pytest.raises(SignatureError, match="does not end the file"):
        verify(Macho(bytes(executable.view) + bytes(16)))
    with pytest.raises(MachoError, match="does not end the file"):
        verify(Macho(executable.view[:-1]))


def test_damage_of_two_bytes(executable: Macho, tmp_path: Path) -> None:
    place = executable.part("signature")
    assert place is not None
    chance = random.Random(9)  # noqa: S311
    for _ in range(2000):
        broken = bytearray(executable.view)
        for _ in range(2):
            broken[place.offset + chance.randrange(120)] = chance.randrange(256)
        try:
            verify(Macho(broken))
        except SignatureError:
            continue
