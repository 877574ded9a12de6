"""Linking for macOS: the blob's segment grows, what lies behind it moves, nothing else changes; bad launchers; fat files."""

from __future__ import annotations

import hashlib
import random
import stat
import time
from collections.abc import Callable
from pathlib import Path

import lief
import pytest
from macho_tools import ARCHES, MACOS, attach, launcher, read

from oxcross import link, macho, machosymbols
from oxcross.errors import BuildError
from oxcross.inspect import layout
from oxcross.inspect.locating import places
from oxcross.link.macho import PAGE, Settings
from oxcross.macho import Macho, Segment
from oxcross.macos.verify import verify
from oxcross.pack.format import LOCATOR, LOCATOR_MAGIC

FIXUPS = ("-no_fixup_chains", "-fixup_chains")


def blank(segment: memoryview, file: Macho) -> bytes:
    """A segment's bytes without load commands, and without what the locator says."""
    data = bytearray(segment)
    if data[:4] == file.view[:4]:
        data[: file.commands_end] = bytes(file.commands_end)
    at = data.find(LOCATOR_MAGIC)
    return bytes(data if at < 0 else data[:at] + data[at + LOCATOR.size :])


@pytest.mark.parametrize("size", [0, 1, 4096, PAGE - 1, PAGE, PAGE + 1, 300_001])
@pytest.mark.parametrize("fixups", FIXUPS)
@pytest.mark.parametrize("arch", ARCHES)
def test_everything_is_where_it_was_or_moved(tmp_path: Path, arch: str, fixups: str, size: int) -> None:
    image = launcher(arch, fixups)
    blob = random.Random(size).randbytes(size)  # noqa: S311
    linked = attach(tmp_path, image, blob, arch)
    data = linked.path.read_bytes()
    before, file = Macho(image), Macho(data)
    assert [segment.name for segment in file.segments] == [segment.name for segment in before.segments]
    for one, other in zip(before.segments[:-2], file.segments[:-2], strict=True):
        assert one == other
        assert blank(before.content(one), before) == blank(file.content(other), file)
    room, linkedit = file.segments[-2:]
    whole = (max(size, 1) + PAGE - 1) // PAGE * PAGE
    assert bytes(file.content(room)) == blob.ljust(whole, b"\0")
    assert (room.address, room.offset) == (before.segments[-2].address, before.segments[-2].offset)
    assert (room.size, room.file_size, room.sections[0].size) == (whole, whole, size)
    assert (linkedit.address, linkedit.offset) == (room.address + whole, room.offset + whole)
    assert linkedit.size % PAGE == 0
    assert linkedit.size - PAGE < linkedit.file_size <= linkedit.size
    for one_part, part in zip(before.parts, file.parts, strict=True):
        if part.name != "signature":
            moved = linkedit.offset - before.segments[-1].offset if one_part.offset else 0
            assert (part.name, part.offset, part.size) == (
                one_part.name,
                one_part.offset + moved,
                one_part.size,
            )
            assert file.content(part) == before.content(one_part)
    _, address, length, offset, end = LOCATOR.unpack_from(data, data.find(LOCATOR_MAGIC))
    signature = file.part("signature")
    assert signature is not None
    assert (address + (1 << 32), length, offset, end) == (
        room.address,
        size,
        room.offset,
        signature.offset,
    )
    assert signature.offset + signature.size == len(data)
    assert (linked.size, linked.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert stat.S_IMODE(linked.path.stat().st_mode) == 0o755
    assert not list(layout.problems(file, places(data, linked.path)[0].blob))


@pytest.mark.parametrize("fixups", FIXUPS)
@pytest.mark.parametrize("arch", ARCHES)
def test_lief_binds_as_before(tmp_path: Path, arch: str, fixups: str) -> None:
    image = launcher(arch, fixups)
    linked = attach(tmp_path, image, b"x" * 77_777, arch)
    (tmp_path / "before").write_bytes(image)
    said = [fixed(tmp_path / "before"), fixed(linked.path)]
    assert said[0] == said[1]
    assert all(said[0])
    assert machosymbols.imports(Macho(image)) == machosymbols.imports(read(linked.path))
    assert machosymbols.exports(Macho(image)) == machosymbols.exports(read(linked.path))


def fixed(path: Path) -> tuple[list[tuple[str, int]], list[int], list[int]]:
    """What is bound where, what is rebased, where functions begin."""
    parsed = lief.MachO.parse(path)
    assert parsed is not None
    file = parsed.at(0)
    assert file is not None
    assert lief.MachO.check_layout(file) == (True, "")
    bound = [(str(one.symbol.name), one.address) for one in file.bindings]  # type: ignore[union-attr]
    moved = [one.address for one in file.relocations]
    starts = file.function_starts
    assert starts is not None
    return sorted(bound), sorted(moved), list(starts.functions)


@pytest.mark.parametrize("arch", ARCHES)
def test_settings(tmp_path: Path, arch: str) -> None:
    image = launcher(arch)
    plain = read(attach(tmp_path, image, arch=arch, settings=Settings("a.b", None)).path)
    assert plain.main == Macho(image).main
    assert plain.main is not None
    assert plain.main.stack_size == 0
    signature = verify(plain)
    assert signature is not None
    assert (signature.identifier, signature.adhoc, signature.linker_signed) == ("a.b", True, False)
    usual = read(attach(tmp_path, image, arch=arch).path)
    assert usual.main is not None
    assert usual.main.stack_size == 16 << 20


def test_same_input_same_bytes(tmp_path: Path) -> None:
    image = launcher("aarch64")
    first = attach(tmp_path, image, b"one", "aarch64")
    data = first.path.read_bytes()
    assert attach(tmp_path, image, b"one", "aarch64").sha256 == first.sha256
    other = attach(tmp_path, image, b"two", "aarch64").path
    uuids = [Macho(one).uuid for one in (image, data, other.read_bytes())]
    assert len(set(uuids)) == 3
    for uuid in uuids[1:]:
        assert uuid is not None
        assert (uuid[6] >> 4, uuid[8] >> 6) == (8, 2)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["aarch64"]


def test_uuid_that_begins_in_another_page_than_it_ends(tmp_path: Path) -> None:
    """A launcher whose other commands are so long that the page that has to be hashed again is not the first alone."""
    image = launcher("aarch64", "-headerpad", "0x2000")
    file = Macho(image)
    command = file.only(macho.LC_UUID)
    assert command is not None
    longer = 4096 - 16 - command.at  # so that half of the UUID's bytes are before the second page
    padded = bytearray(image)
    padding = macho.COMMAND.pack(macho.LC_SOURCE_VERSION, longer) + bytes(longer - 8)
    padded[command.at : file.commands_end + longer] = padding + image[command.at : file.commands_end]
    header = file.header._replace(
        commands=file.header.commands + 1, commands_size=file.header.commands_size + longer
    )
    macho.HEADER.pack_into(padded, 0, *header)
    done = read(attach(tmp_path, bytes(padded), arch="aarch64").path)
    moved = done.only(macho.LC_UUID)
    assert moved is not None
    assert moved.at + 8 < 4096 < moved.at + 24
    assert verify(done)


def without(image: bytes, *kinds: int) -> bytes:
    """The launcher with other commands in the place of those."""
    data = bytearray(image)
    for command in Macho(image).of_kind(*kinds):
        macho.COMMAND.pack_into(data, command.at, macho.LC_SOURCE_VERSION, command.size)
    return bytes(data)


def changed(image: bytes, name: str, **fields: int) -> bytes:
    """The launcher with other numbers in a segment."""
    data = bytearray(image)
    [segment] = [one for one in Macho(image).segments if one.name == name]
    values = {key: fields.get(key, getattr(segment, key)) for key in Segment.__slots__}
    macho.SEGMENT.pack_into(
        data, segment.at, macho.LC_SEGMENT_64, macho.SEGMENT.size + macho.SECTION.size * len(segment.sections),
        name.encode(), *(values[key] for key in ("address", "size", "offset", "file_size", "most", "protection")),
        len(segment.sections), values["flags"],
    )  # fmt: skip
    return bytes(data)


def dylib(image: bytes) -> bytes:
    data = bytearray(image)
    macho.HEADER.pack_into(data, 0, *Macho(image).header._replace(type=macho.MH_DYLIB))
    return bytes(data)


BAD: dict[str, Callable[[bytes], bytes]] = {
    "exactly one ox_locator": lambda image: image.replace(LOCATOR_MAGIC, LOCATOR_MAGIC.lower()),
    "not a 64-bit Mach-O file": lambda image: b"#!/bin/sh\n",
    "behind the file's end": lambda image: image[:20],
    "does not end where it may": lambda image: image[:200],
    "do not end the file": lambda image: image + b"more",
    "it is no executable": dylib,
    "-adhoc_codesign": lambda image: without(image, macho.LC_CODE_SIGNATURE),
    "has no LC_UUID": lambda image: without(image, macho.LC_UUID),
    "has LC_RPATH, which": lambda image: image.replace(
        macho.COMMAND.pack(macho.LC_UUID, 24), macho.COMMAND.pack(macho.LC_RPATH, 24)
    ),
    "-segprot __OXBLOB r r": lambda image: changed(image, "__OXBLOB", most=3),
    "order of their addresses": lambda image: changed(image, "__OXBLOB", address=1 << 40),
    "lies behind __OXBLOB": lambda image: changed(image, "__DATA", file_size=1 << 20),
}


@pytest.mark.parametrize("message", BAD)
@pytest.mark.parametrize("arch", ARCHES)
def test_bad_launchers(tmp_path: Path, arch: str, message: str) -> None:
    with pytest.raises(BuildError, match=f"launcher: not a launcher: .*{message}"):
        attach(tmp_path, BAD[message](launcher(arch)), arch=arch)
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("__OTHER,__blob", "are not __OXBLOB and __LINKEDIT"),
        ("__OXBLOB,__other", "other sections than __blob"),
    ],
)
def test_launchers_that_are_linked_otherwise(tmp_path: Path, section: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        attach(tmp_path, launcher("x86_64", section=section))


def test_a_linked_executable_is_no_launcher(tmp_path: Path) -> None:
    linked = attach(tmp_path, launcher("x86_64"))
    with pytest.raises(BuildError, match="a blob already"):
        attach(tmp_path, linked.path.read_bytes())


@pytest.mark.parametrize("arch", ARCHES)
def test_damaged_launchers(tmp_path: Path, arch: str) -> None:
    image = launcher(arch)
    chance = random.Random(7)  # noqa: S311
    for place in range(Macho(image).commands_end):
        broken = bytearray(image)
        broken[place] ^= 1 << chance.randrange(8)
        try:
            attach(tmp_path, bytes(broken), b"blob", arch)
        except BuildError:
            continue


def test_too_large(tmp_path: Path) -> None:
    (tmp_path / "launcher").write_bytes(launcher("x86_64"))
    with (tmp_path / "blob").open("wb") as file:
        file.truncate((1 << 32) - 100_000)
    with pytest.raises(BuildError, match="larger than 4 GB"):
        link.attach(tmp_path / "launcher", tmp_path / "blob", tmp_path / "out", MACOS["x86_64"])


def test_it_is_quick(tmp_path: Path) -> None:
    blob = random.Random(3).randbytes(30_000_000)  # noqa: S311
    image = launcher("aarch64")
    best = 9.0
    for _ in range(3):
        begun = time.process_time()
        attach(tmp_path, image, blob, "aarch64")
        best = min(best, time.process_time() - begun)
    assert best < 0.5  # 0.08 on a machine that does nothing else


def both(folder: Path) -> list[Path]:
    return [attach(folder, launcher(arch), arch.encode() * 9999, arch).path for arch in ARCHES]


def test_fat(tmp_path: Path) -> None:
    parts = both(tmp_path)
    done = link.join(parts, tmp_path / "fat")
    data = done.path.read_bytes()
    assert (done.size, done.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o755
    assert link.join(parts, tmp_path / "again").sha256 == done.sha256
    found = macho.slices(data)
    assert [macho.MACHINES[one.cpu] for one in found] == list(ARCHES)
    for one, path in zip(found, parts, strict=True):
        assert one.offset % PAGE == 0
        assert one.align == 14
        assert data[one.offset : one.offset + one.size] == path.read_bytes()
        assert one.subtype == read(path).header.subtype
    parsed = lief.MachO.parse(done.path)
    assert parsed is not None
    assert [parsed.at(n).fat_offset for n in range(parsed.size)] == [one.offset for one in found]  # type: ignore[union-attr]


def test_what_cannot_be_joined(tmp_path: Path) -> None:
    x64, arm = both(tmp_path)
    with pytest.raises(BuildError, match="x86-64 first"):
        link.join([arm, x64], tmp_path / "fat")
    with pytest.raises(BuildError, match="one executable for each machine"):
        link.join([x64, x64], tmp_path / "fat")
    cut = tmp_path / "cut"
    cut.write_bytes(arm.read_bytes()[:-1])
    with pytest.raises(BuildError, match="cut: cannot become part of a fat file: not a signed executable"):
        link.join([x64, cut], tmp_path / "fat")
    with pytest.raises(BuildError, match="missing: cannot become part"):
        link.join([tmp_path / "missing"], tmp_path / "fat")
    assert not (tmp_path / "fat").exists()
