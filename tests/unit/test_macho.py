"""The reader of Mach-O files: it reads what lief reads, and damage is a MachoError, never another exception."""

from __future__ import annotations

import random
from pathlib import Path
from struct import pack

import lief
import pytest
from macho_tools import ARCHES, attach, launcher

from oxcross import link, macho, machosymbols
from oxcross.macho import Macho, MachoError, is_fat, is_macho, slices
from oxcross.macos.verify import verify

LIBSYSTEM = "/usr/lib/libSystem.B.dylib"


def all_of(data: bytes) -> None:
    """Read everything there is."""
    if is_fat(data):
        for one in slices(data):
            all_of(data[one.offset : one.offset + one.size])
        return
    file = Macho(data)
    _ = (
        file.arch,
        file.pie,
        file.dylibs,
        file.id,
        file.dylinker,
        file.rpaths,
        file.uuid,
        file.main,
        file.build,
    )
    _ = (file.source_version, [command.name for command in file.commands])
    for segment in file.segments:
        file.content(segment)
    for part in file.parts:
        file.content(part)
    machosymbols.imports(file)
    machosymbols.exports(file)
    verify(file)


@pytest.mark.parametrize("arch", ARCHES)
@pytest.mark.parametrize("fixups", ["-no_fixup_chains", "-fixup_chains"])
def test_as_lief_reads_them(tmp_path: Path, arch: str, fixups: str) -> None:
    image = launcher(arch, fixups)
    (tmp_path / "launcher").write_bytes(image)
    compare(tmp_path / "launcher")
    compare(attach(tmp_path, image, arch=arch).path)


def compare(path: Path) -> None:
    file, parsed = Macho(path.read_bytes()), lief.MachO.parse(path)
    assert parsed is not None
    other = parsed.at(0)
    assert other is not None
    assert (file.header.cpu, file.header.subtype, file.header.flags) == (
        int(other.header.cpu_type),
        other.header.cpu_subtype,
        other.header.flags,
    )
    assert [(one.kind & ~macho.LC_REQ_DYLD, one.at, one.size) for one in file.commands] == [
        (int(one.command) & ~macho.LC_REQ_DYLD, one.command_offset, one.size) for one in other.commands
    ]
    assert [(s.name, s.address, s.size, s.offset, s.file_size, s.protection, s.most, s.flags) for s in file.segments] == [
        (s.name, s.virtual_address, s.virtual_size, s.file_offset, s.file_size, s.init_protection, s.max_protection, s.flags)
        for s in other.segments
    ]  # fmt: skip
    assert [
        (s.name, s.address, s.size, s.offset, s.align) for one in file.segments for s in one.sections
    ] == [
        (s.name, s.virtual_address, s.size, s.offset, s.alignment)
        for one in other.segments
        for s in one.sections
    ]
    assert [(one.name, list(one.current), list(one.compatible)) for one in file.dylibs] == [
        (one.name, list(one.current_version), list(one.compatibility_version)) for one in other.libraries
    ]
    assert other.uuid is not None
    assert file.uuid == bytes(other.uuid.uuid)
    assert file.main is not None
    assert other.main_command is not None
    assert (file.main.entry, file.main.stack_size) == (
        other.main_command.entrypoint,
        other.main_command.stack_size,
    )
    assert file.build is not None
    assert other.build_version is not None
    assert (list(file.build.oldest), list(file.build.sdk)) == (
        other.build_version.minos,
        other.build_version.sdk,
    )
    assert other.dylinker is not None
    assert file.dylinker == other.dylinker.name
    compare_symbols(file, other)


def compare_symbols(file: Macho, other: lief.MachO.Binary) -> None:
    imports = machosymbols.imports(file)
    assert [one.name for one in imports] == [str(one.name) for one in other.imported_symbols]
    # What is bound is in the table of symbols, and of the same library.
    bound = {(str(one.symbol.name), one.library.name, one.weak_import) for one in other.bindings}  # type: ignore[union-attr]
    assert bound
    assert bound <= {(one.name, one.library, one.weak) for one in imports}
    exports = machosymbols.exports(file)
    assert [one.name for one in exports] == sorted(str(one.name) for one in other.exported_symbols)
    assert {one.name: one.address for one in exports} == {
        str(one.name): one.export_info.address for one in other.exported_symbols if one.export_info
    }


def test_facts() -> None:
    file = Macho(launcher("aarch64", "-no_fixup_chains"))
    assert (file.arch, file.pie, file.header.type) == ("aarch64", True, macho.MH_EXECUTE)
    assert file.build == macho.Build(macho.PLATFORM_MACOS, (11, 0, 0), (11, 0, 0))
    assert [(one.name, one.kind) for one in file.dylibs] == [(LIBSYSTEM, "load")]
    assert (file.id, file.rpaths, file.source_version, file.dylinker) == (None, [], None, "/usr/lib/dyld")
    imports = {one.name: one for one in machosymbols.imports(file)}
    assert not imports["_write"].weak
    assert imports["_preadv"] == machosymbols.Import("_preadv", 1, LIBSYSTEM, weak=True)
    assert {"_main", "__mh_execute_header"} <= {one.name for one in machosymbols.exports(file)}
    assert macho.dotted((11, 0, 0)) == "11.0"
    assert macho.dotted((13, 0, 1)) == "13.0.1"


def hand_made(*commands: bytes) -> bytes:
    body = b"".join(commands)
    return (
        macho.HEADER.pack(macho.MAGIC, 0x0100000C, 0, macho.MH_DYLIB, len(commands), len(body), 0, 0) + body
    )


def test_rare_commands() -> None:
    name = b"@rpath/a.dylib\0\0"
    data = hand_made(
        pack("<6I", macho.LC_ID_DYLIB, 40, 24, 0, 0x10203, 0x10000) + name,
        pack("<6I", macho.LC_LOAD_WEAK_DYLIB, 40, 24, 0, 0x10203, 0x10000) + name,
        pack("<6I", macho.LC_REEXPORT_DYLIB, 40, 24, 0, 0x10203, 0x10000) + name,
        pack("<3I", macho.LC_RPATH, 32, 12) + b"@loader_path/x".ljust(20, b"\0"),
        pack("<4I", macho.LC_VERSION_MIN_MACOSX, 16, 0xA0E05, 0xB0000),
        pack("<IIQ", macho.LC_SOURCE_VERSION, 16, 7 << 40 | 6 << 30 | 5 << 20 | 4 << 10 | 3),
        pack("<IIQ", 0x77, 16, 0),
    )
    file = Macho(data)
    assert file.id == "@rpath/a.dylib"
    assert [(one.kind, one.current, one.compatible) for one in file.dylibs] == [
        ("weak", (1, 2, 3), (1, 0, 0)),
        ("reexport", (1, 2, 3), (1, 0, 0)),
    ]
    assert file.rpaths == ["@loader_path/x"]
    assert file.build == macho.Build(macho.PLATFORM_MACOS, (10, 14, 5), (11, 0, 0))
    assert file.source_version == (7, 6, 5, 4, 3)
    assert file.commands[-1].name == "0x77"
    assert (file.uuid, file.main, file.dylinker, machosymbols.imports(file)) == (None, None, None, [])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not a 64-bit Mach-O file"),
        (b"\xce\xfa\xed\xfe" + bytes(100), "not a 64-bit Mach-O file"),
        (b"\xcf\xfa\xed\xfe", "behind the file's end"),
        (hand_made(pack("<II", 1, 0)), "does not end where it may"),
        (hand_made(pack("<II", 1, 12) + bytes(4)), "does not end where it may"),
        (hand_made(pack("<II", 1, 16)), "does not end where it may"),
        (hand_made(pack("<II", 1, 8) + bytes(8)), "elsewhere than its header says"),
    ],
)
def test_strangers(data: bytes, says: str) -> None:
    with pytest.raises(MachoError, match=says):
        Macho(data)


def exporting(trie: bytes) -> Macho:
    at = macho.HEADER.size + macho.LINKEDIT.size
    return Macho(hand_made(macho.LINKEDIT.pack(macho.LC_DYLD_EXPORTS_TRIE, 16, at, len(trie))) + trie)


def test_exports() -> None:
    leaves = [b"\3\0\x80\1\0", b"\5\x08\1_x\0\0", b"\3\x10\4\5\0"]
    places = [16, 21, 28]
    node = b"\0\1_\0\5\0\3" + b"".join(
        b"%c\0%c" % (name, at) for name, at in zip(b"abc", places, strict=True)
    )
    found = machosymbols.exports(exporting(node + b"".join(leaves)))
    assert [(one.name, one.address) for one in found] == [("_a", 128), ("_b", None), ("_c", 4)]


@pytest.mark.parametrize(
    ("trie", "says"),
    [
        (b"\0\1a\0\0", "round in circles"),
        (b"\0\2a\0\x08b\0\x08\0\0", "round in circles"),
        (b"\0\1a", "does not end"),
        (b"\0\1a\0\x7f", "end too soon"),
        (b"\x80" * 20, "too large"),
        (b"\5\0", "end too soon"),
    ],
)
def test_bad_exports(trie: bytes, says: str) -> None:
    with pytest.raises(MachoError, match=says):
        machosymbols.exports(exporting(trie))


@pytest.mark.parametrize("wide", [False, True])
def test_slices(wide: bool) -> None:
    rows = [(0x01000007, 3, 4096, 10, 12), (0x0100000C, 0, 8192, 20, 13)]
    magic, layout = (macho.FAT_MAGIC_64, macho.FAT_ARCH_64) if wide else (macho.FAT_MAGIC, macho.FAT_ARCH)
    head = macho.FAT.pack(magic, 2) + b"".join(layout.pack(*row, *([0] if wide else [])) for row in rows)
    data = head.ljust(8192 + 20, b"\0")
    assert is_macho(data)
    assert [tuple(one) for one in slices(data)] == rows
    with pytest.raises(MachoError, match="ends behind"):
        slices(data[:-1])
    with pytest.raises(MachoError, match="ends behind"):
        slices(head[:-1])
    with pytest.raises(MachoError, match="not aligned"):
        slices(data.replace(pack(">I", 12), pack(">I", 14)))
    with pytest.raises(MachoError, match="overlaps"):
        slices(data.replace(pack(">I", 20), pack(">I", 20)).replace(pack(">I", 10), pack(">I", 5000)))


def test_java_is_no_fat_file() -> None:
    assert not is_macho(b"\xca\xfe\xba\xbe\0\0\0\x34")
    assert not is_macho(b"\xca\xfe")
    assert not is_macho(b"")
    with pytest.raises(MachoError, match="not a fat file"):
        slices(b"\xca\xfe\xba\xbe\0\0\0\x34")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("macho")
    x64 = attach(folder, launcher("x86_64", "-no_fixup_chains"), b"blob")
    arm = attach(folder, launcher("aarch64", "-fixup_chains"), b"blob", "aarch64")
    fat = link.join([x64.path, arm.path], folder / "fat")
    return [one.path.read_bytes() for one in (x64, arm, fat)]


def test_every_byte_of_the_headers(samples: list[bytes]) -> None:
    chance = random.Random(5)  # noqa: S311
    for whole in samples:
        if is_fat(whole):
            places = [*range(macho.FAT.size + 2 * macho.FAT_ARCH.size)]
        else:
            linkedit = Macho(whole).segments[-1]
            places = [*range(Macho(whole).commands_end), *range(linkedit.offset, linkedit.file_end)]
        for place in places:
            for flip in (0xFF, 1 << chance.randrange(8), 0x80):
                broken = bytearray(whole)
                broken[place] ^= flip
                try:
                    all_of(bytes(broken))
                except MachoError:
                    continue


def test_every_truncation(samples: list[bytes]) -> None:
    chance = random.Random(6)  # noqa: S311
    for whole in samples:
        for size in (*range(2500), *(chance.randrange(len(whole)) for _ in range(500))):
            with pytest.raises(MachoError):
                all_of(whole[:size])
