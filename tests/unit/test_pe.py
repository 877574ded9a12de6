"""The reader of PE files: it reads what lief reads, and damage is a PeError, never another exception."""

from __future__ import annotations

import random
from pathlib import Path
from struct import pack

import lief
import pytest
from portable import dll
from windowed import attach, launcher

from oxcross import pe
from oxcross.link.pe import Appearance
from oxcross.pe import Pe, PeError, Tls
from oxcross.windows import version
from oxcross.windows.resources import RT_MANIFEST, RT_VERSION, Resources, read

WINE = sorted(Path("/usr/lib/x86_64-linux-gnu/wine/x86_64-windows").glob("*.dll"))


def all_of(data: bytes) -> None:
    """Read everything there is."""
    file = Pe(data)
    _ = (file.arch, file.dll, file.subsystem, file.sections, file.raw_end, file.needed, file.exports)
    _ = (file.export_name, file.tls, file.guard_flags, file.signature, file.debug)
    read(file)
    for section in file.sections:
        file.content(section)


def executable(folder: Path) -> bytes:
    resources = Resources()
    resources.add(RT_VERSION, 1, version.pack((1, 0, 0, 0), (1, 0, 0, 0), {"CompanyName": "me"}))
    resources.add(RT_MANIFEST, 1, b"<assembly/>")
    image = launcher(pdb=b"x.pdb")
    return attach(folder, image, b"BLOB" * 64, Appearance(resources, "windows")).path.read_bytes()


@pytest.mark.parametrize(
    "data", [launcher(), launcher(tight=True, pdb=b"a"), dll(["KERNEL32.dll"], delayed=["a.dll"], tls=True)]
)
def test_headers_as_lief_reads_them(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    compare(tmp_path / "x")


def test_wine_s_libraries_as_lief_reads_them() -> None:
    assert WINE, "wine's DLLs are missing: apt-get install wine64"
    small = [path for path in WINE if path.stat().st_size < 300_000]
    for path in small[:: max(len(small) // 12, 1)]:
        compare(path)
    kernel = Pe(next(path for path in WINE if path.name == "kernel32.dll").read_bytes())
    assert kernel.dll
    assert kernel.export_name == "KERNEL32.dll"
    assert "CreateFileW" in kernel.exports
    assert "ntdll.dll" in kernel.needed


def compare(path: Path) -> None:
    file, other = Pe(path.read_bytes()), lief.PE.parse(path)
    assert other is not None
    head = other.optional_header
    assert [(s.label, s.address, s.size, s.offset, s.raw_size) for s in file.sections] == [
        (str(s.name), s.virtual_address, s.virtual_size, s.offset, s.sizeof_raw_data) for s in other.sections
    ]
    assert [
        (one.dll, len([name for name in one.functions if not name.startswith("#")])) for one in file.imports
    ] == [(one.name, len([entry for entry in one.entries if not entry.is_ordinal])) for one in other.imports]
    assert [one.dll for one in file.delay_imports] == [one.name for one in other.delay_imports]
    fields = file.optional
    assert (fields.image_size, fields.headers_size, fields.checksum, fields.dll_characteristics) == (
        head.sizeof_image,
        head.sizeof_headers,
        head.checksum,
        head.dll_characteristics,
    )
    assert file.optional.subsystem == int(head.subsystem)
    assert (file.file.time, file.dll) == (
        other.header.time_date_stamps,
        other.header.has_characteristic(lief.PE.Header.CHARACTERISTICS.DLL),
    )
    assert (file.tls is not None) == other.has_tls
    assert (file.signature != (0, 0)) == other.has_signatures
    if other.has_exports:
        exports = other.get_export()
        assert exports is not None
        assert sorted(file.exports) == sorted(str(e.name) for e in exports.entries if e.name)


def test_facts() -> None:
    file = Pe(launcher(pdb=b"x.pdb"))
    assert (file.arch, file.dll, file.subsystem) == ("x86_64", False, "console")
    assert file.allows(pe.DYNAMIC_BASE)
    assert not file.allows(pe.GUARD_CF)
    assert file.imports[0].dll == "KERNEL32.dll"
    assert file.imports[0].functions == ("GetStdHandle", "WriteFile", "GetModuleFileNameW", "ExitProcess")
    assert file.needed == ["KERNEL32.dll", "VERSION.dll"]
    assert [(one.path, one.type) for one in file.debug] == [("x.pdb", pe.DEBUG_CODEVIEW)]
    assert (file.tls, file.guard_flags, file.signature, file.exports) == (None, None, (0, 0), [])
    other = Pe(dll(["a.dll"], delayed=["b.dll"], tls=True))
    assert other.tls == Tls(template=0, zeros=16, callbacks=False)
    assert other.tls.size == 16
    assert other.dll
    assert (other.imports[0].dll, other.delay_imports[0].dll) == ("a.dll", "b.dll")
    assert Pe(dll(machine=0xAA64)).arch == "aarch64"


def test_resources(tmp_path: Path) -> None:
    file = Pe(executable(tmp_path))
    found = read(file)
    assert list(found) == [(16, 1, 1033), (24, 1, 1033)]
    assert found[24, 1, 1033] == b"<assembly/>"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a PE file"),
        (b"MZ", "behind the file's end"),
        (b"MZ" + bytes(100), "not a PE file"),
        (launcher().replace(b"\x0b\x02\x0e", b"\x0b\x01\x0e"), "not a 64-bit PE file"),
    ],
)
def test_strangers(data: bytes, says: str) -> None:
    with pytest.raises(PeError, match=says):
        Pe(data)


def test_tables_that_lead_round_in_circles() -> None:
    """A directory of resources that is its own child, 65535 times."""
    image = bytearray(launcher())
    file = Pe(image)
    section = file.sections[1]
    image[section.offset : section.offset + 24] = pack("<IIHHHHII", 0, 0, 0, 0, 0, 0xFFFF, 1, 1 << 31)
    pe.DIRECTORY.pack_into(image, file.directories_at + 8 * pe.DIR_RESOURCE, section.address, 24)
    with pytest.raises(PeError):
        read(Pe(image))


def test_every_truncation(tmp_path: Path) -> None:
    for whole in (executable(tmp_path), dll(["KERNEL32.dll"], delayed=["a.dll"], tls=True)):
        for size in range(len(whole)):
            with pytest.raises(PeError):
                all_of(whole[:size])


def test_flipped_bits(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311
    for whole in (executable(tmp_path), dll(["KERNEL32.dll"], delayed=["a.dll"], tls=True)):
        places = [*range(0x200), *(chance.randrange(len(whole)) for _ in range(1500))]
        for place in places:
            broken = bytearray(whole)
            broken[place] ^= 1 << chance.randrange(8)
            try:
                all_of(bytes(broken))
            except PeError:
                continue
