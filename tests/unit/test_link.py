"""Linking: the blob is mapped by the kernel, found by the launcher, kept by strip; bad launchers."""

from __future__ import annotations

import hashlib
import stat
import subprocess
from pathlib import Path
from struct import pack

import lief
import pytest

from oxcross import elf, link, targets
from oxcross.elf import Elf, ElfError, Segment
from oxcross.errors import BuildError
from oxcross.pack.format import BLOB_ALIGN, LOCATOR, LOCATOR_MAGIC

LINUX = targets.get("linux-x64")


def note(owner: bytes) -> bytes:
    name = owner + b"\0"
    return pack("<III", len(name), 4, 1) + name.ljust((len(name) + 3) & ~3, b"\0") + b"spar"


def launcher(owner: bytes = b"oxcross", locators: int = 1, sections: bool = True, base: int = 0) -> bytes:
    """A complete x86-64 program: it writes the first 8 bytes of its blob and exits with 0."""
    headers = 64 + 4 * 56
    locator_at = headers + 64
    note_at = locator_at + 48 * locators
    text = b"\x48\x8d\x05" + pack("<i", -(headers + 7))  # lea rax, [rip + __ehdr_start]
    text += b"\x48\x03\x05" + pack("<i", locator_at + 16 - (headers + 14))  # add rax, [address]
    text += bytes.fromhex("4889c6 bf01000000 ba08000000 b801000000 0f05 31ff b83c000000 0f05")
    spare = note(owner)
    body = text.ljust(64, b"\0") + (LOCATOR_MAGIC + bytes(32)) * locators + spare
    size = headers + len(body)
    names = b"\0.shstrtab\0"
    segments = [
        Segment(elf.PT_NOTE, elf.PF_R, note_at, base + note_at, 0, len(spare), len(spare), 4),
        Segment(elf.PT_LOAD, elf.PF_R | elf.PF_X, 0, base, base, size, size, 4096),
        Segment(elf.PT_LOAD, elf.PF_R | elf.PF_W, 0, base + 8192, 0, 16, 70000, 4096),
        Segment(elf.PT_GNU_STACK, elf.PF_R | elf.PF_W, 0, 0, 0, 0, 0, 16),
    ]
    table_at = (size + len(names) + 7) & ~7
    sections_at, count = (table_at, 2) if sections else (0, 0)
    header = elf.HEADER.pack(
        b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), elf.ET_EXEC if base else elf.ET_DYN, 62, 1,
        base + headers, 64, sections_at, 0, 64, 56, 4, 64, count, count and 1,
    )  # fmt: skip
    image = header + b"".join(segment.pack() for segment in segments) + body
    if not sections:
        return image
    image = (image + names).ljust(table_at, b"\0") + elf.SECTION.pack(*[0] * 10)
    return image + elf.SECTION.pack(1, 3, 0, 0, size, len(names), 0, 0, 1, 0)


def attach(folder: Path, image: bytes, blob: bytes = b"BLOBDATA" * 9000) -> link.Linked:
    (folder / "launcher").write_bytes(image)
    (folder / "blob").write_bytes(blob)
    return link.attach(folder / "launcher", folder / "blob", folder / "out/app", LINUX)


@pytest.mark.parametrize("sections", [True, False])
@pytest.mark.parametrize("base", [0, 0x200000])
def test_the_program_finds_its_blob(tmp_path: Path, sections: bool, base: int) -> None:
    linked = attach(tmp_path, launcher(sections=sections, base=base))
    done = subprocess.run([linked.path], capture_output=True, check=True)
    assert done.stdout == b"BLOBDATA"
    assert stat.S_IMODE(linked.path.stat().st_mode) == 0o755
    data = linked.path.read_bytes()
    assert (linked.size, linked.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_segments_and_locator(tmp_path: Path) -> None:
    blob = bytes(range(256)) * 700 + b"odd"
    data = attach(tmp_path, launcher(), blob).path.read_bytes()
    file = Elf(data)
    kinds = [segment.type for segment in file.segments]
    assert kinds == [elf.PT_LOAD, elf.PT_LOAD, elf.PT_LOAD, elf.PT_GNU_STACK]
    segment = file.segments[2]
    assert segment.flags == elf.PF_R
    assert bytes(file.content(segment)) == blob
    assert segment.vaddr % BLOB_ALIGN == segment.offset % BLOB_ALIGN == 0
    assert segment.vaddr >= 8192 + 70000
    at = data.find(LOCATOR_MAGIC)
    _, address, size, offset, end = LOCATOR.unpack_from(data, at)
    assert (address, size, offset, end) == (segment.vaddr, len(blob), segment.offset, len(data))


def test_lief_reads_the_same(tmp_path: Path) -> None:
    path = attach(tmp_path, launcher()).path
    file, other = Elf(path.read_bytes()), lief.ELF.parse(path)
    assert other is not None
    assert [(s.offset, s.vaddr, s.filesz, s.memsz, s.align) for s in file.segments] == [
        (s.file_offset, s.virtual_address, s.physical_size, s.virtual_size, s.alignment)
        for s in other.segments
    ]
    section = other.get_section(".oxblob")
    assert section is not None
    assert bytes(section.content[:8]) == b"BLOBDATA"


def test_same_input_same_bytes(tmp_path: Path) -> None:
    first = attach(tmp_path, launcher()).sha256
    assert attach(tmp_path, launcher()).sha256 == first
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["app"]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (launcher(owner=b"GNU"), "no program header to spare"),
        (launcher(locators=0), "exactly one ox_locator"),
        (launcher(locators=2), "exactly one ox_locator"),
        (b"#!/bin/sh\n", "not an ELF file"),
        (launcher()[:90], "behind the file's end"),
    ],
)
def test_bad_launchers(tmp_path: Path, image: bytes, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        attach(tmp_path, image)
    assert not list(tmp_path.glob("out/*"))


def test_a_linked_executable_is_no_launcher(tmp_path: Path) -> None:
    linked = attach(tmp_path, launcher())
    with pytest.raises(BuildError, match="no program header to spare"):
        attach(tmp_path, linked.path.read_bytes())


@pytest.mark.parametrize("target", ["linux-x64", "win-x64", "macos-x64"])
def test_what_is_no_launcher_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(BuildError, match="not a launcher"):
        link.attach(tmp_path / "x", tmp_path / "x", tmp_path / "y", targets.get(target))
    assert not (tmp_path / "y").exists()


def test_reader_agrees_with_lief() -> None:
    library = Path(str(lief.__file__)).parent
    for path in [*library.glob("*.so"), Path("/bin/sh").resolve()]:
        file, other = Elf(path.read_bytes()), lief.ELF.parse(path)
        assert other is not None
        assert file.needed == list(other.libraries)
        assert file.interpreter == (other.interpreter if other.has_interpreter else None)
        requirements = {
            need.name: {str(entry.name) for entry in need.get_auxiliary_symbols()}
            for need in other.symbols_version_requirement
        }
        assert {name: set(versions) for name, versions in file.versions.items()} == requirements
        assert file.pie == bool(other.is_pie and other.has_interpreter)
        assert file.glibc is not None


def test_glibc_versions() -> None:
    assert elf.glibc_of("GLIBC_2.2.5") == (2, 2, 5)
    assert elf.glibc_of("GLIBC_2.34") == (2, 34)
    assert elf.glibc_of("GLIBC_ABI_DT_RELR") == (2, 36)
    assert elf.glibc_of("GLIBC_PRIVATE") is None
    assert elf.glibc_of("CXXABI_1.3") is None


def test_reader_refuses_damage() -> None:
    with pytest.raises(ElfError):
        Elf(b"\x7fELF\x01\x01" + bytes(60))
    whole = Path("/bin/sh").read_bytes()
    for size in range(64, len(whole), len(whole) // 50):
        try:
            file = Elf(whole[:size])
            _ = (file.needed, file.versions, file.segments, file.bind_now)
        except ElfError:
            continue


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(BuildError, match="cannot be written"):
        attach(tmp_path, launcher())
