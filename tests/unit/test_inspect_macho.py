"""Inspecting executables for macOS: the facts are those that were put in; broken contracts and layouts are named."""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from macho_tools import ARCHES, MACOS, PROGRAM, UNIVERSAL, launcher
from test_inspect import MANIFEST

from oxcross import inspect, link, macho, pack
from oxcross.errors import InspectError
from oxcross.inspect import layout, macos
from oxcross.inspect.locating import locate, places
from oxcross.link.macho import Settings
from oxcross.macho import Macho, Segment
from oxcross.macos import availability
from oxcross.pack.format import LOCATOR_MAGIC

TREE = """\
|-TypedefDecl 0x1 <a.h:1:1, col:9> col:9 t 'int'
| `-AvailabilityAttr 0x2 <a.h:1:1> macos 13.0 0 0 "" "" 0
|-FunctionDecl 0x1 <a.h:1:1, col:9> col:9 old 'int (int)'
| `-AvailabilityAttr 0x2 <a.h:1:1> macos 10.4 0 0 "" "" 0
|-FunctionDecl 0x3 prev 0x1 <<scratch space>:1:1, a.h:2:2> a.h:2:9 implicit used new 'int (int)' extern
| |-ParmVarDecl 0x4 <col:14> col:17 'int'
| |-AvailabilityAttr 0x5 <b.h:252:39, col:80> macos 14.4 0 0 "" "" 0
| `-AvailabilityAttr 0x6 <col:39, col:80> ios 17.0 0 0 "" "" 0
|-FunctionDecl 0x3 <a.h:1:1, col:9> col:9 named 'int (int)'
| |-AvailabilityAttr 0x5 <b.h:252:39, col:80> macos 15.0 0 0 "" "" 0
| `-AsmLabelAttr 0x5 <b.h:252:39> "_named$INODE64"
|-FunctionDecl 0x3 <a.h:1:1, col:9> col:9 inlined 'int (int)' static inline
| `-AvailabilityAttr 0x5 <b.h:252:39, col:80> macos 15.0 0 0 "" "" 0
`-VarDecl 0x3 <a.h:1:1, col:9> col:9 variable 'int' extern
  `-AvailabilityAttr 0x5 <b.h:252:39, col:80> macos 12.0 0 0 "" "" 0
"""


def thin(folder: Path, arch: str = "x86_64", image: bytes = b"", target: str = "") -> Path:
    raw = pack.Payload.raw
    resources = pack.Resources()
    native = launcher(arch, floor="12.0")
    resources.add_module(pack.Module("app", "app/__init__.py", raw(b"code" * 99), package=True))
    resources.add_module(pack.Module("app._c", "app/_c.so", raw(native), extension=True))
    resources.add_file(pack.File("app/data.txt", raw(b"data" * 1000 + LOCATOR_MAGIC + bytes(32))))
    resources.add_file(pack.File("app/a.dylib", raw(native)))
    resources.add_library(pack.Library("a.dylib", "app/a.dylib"))
    settings = [
        pack.Setting(pack.Key.RUN_KIND, pack.Run.ENTRY_POINT),
        pack.Setting(pack.Key.RUN_TARGET, text="app:main"),
    ]
    (folder / "launcher").write_bytes(image or launcher(arch))
    facts = {**MANIFEST, "target": target or MACOS[arch].name, "triple": MACOS[arch].triple}
    pack.write(resources, settings, facts, folder / "blob", "none")
    out = folder / f"demo-{arch}"
    return link.attach(
        folder / "launcher", folder / "blob", out, MACOS[arch], macos=Settings("org.demo")
    ).path


@pytest.mark.parametrize("arch", ARCHES)
def test_facts(tmp_path: Path, arch: str) -> None:
    path = thin(tmp_path, arch)
    report = inspect.inspect(path)
    facts = json.loads(json.dumps(report.as_dict()))
    assert (facts["target"], facts["arch"]) == (MACOS[arch].name, arch)
    assert facts["needed"] == ["/usr/lib/libSystem.B.dylib"]
    assert facts["external"] == []
    assert (facts["glibc"], facts["windows"], facts["slices"]) == (None, None, [])
    assert facts["hardening"] == {"pie": True, "nx": True, "write_xor_execute": True}
    uuid = Macho(path.read_bytes()).uuid
    assert uuid is not None
    signature = facts["macos"].pop("signature")
    assert facts["macos"] == {
        "built_for": "11.0",
        "oldest": "11.0",
        "oldest_embedded": "12.0",
        "too_new": [],
        "uuid": uuid.hex(),
        "layout": [],
    }
    cdhash = signature.pop("cdhash")
    assert signature == {"identifier": "org.demo", "adhoc": True, "linker_signed": False}
    text = report.render_text()
    assert f"signed          ad hoc, which names nobody; as org.demo, cdhash {cdhash}" in text
    assert "macOS           11.0 to start, 12.0 for all that is inside" in text
    assert "hardening       pie, nx, write_xor_execute" in text
    inspect.check(report, MACOS[arch])
    data = path.read_bytes()
    offset, size = locate(data, path)
    assert data[offset : offset + size] == (tmp_path / "blob").read_bytes()


# Their headers are not included: clang would make them weak by itself.
NEWER = PROGRAM.replace(
    "return write",
    "extern int getumask(), mkfifoat(int, const char *, int); getumask(); mkfifoat(0, 0, 0); return write",
)
WEAK = NEWER.replace("extern int getumask", "__attribute__((weak_import)) extern int getumask")


def fixed() -> bytes:
    data = bytearray(launcher("x86_64"))
    header = Macho(data).header
    macho.HEADER.pack_into(data, 0, *header._replace(flags=header.flags & ~macho.MH_PIE))
    return bytes(data)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (fixed, "lacks a position-independent image"),
        (lambda: launcher("x86_64", floor="12.0"), "made for macOS 12.0, not for 11.0"),
        (lambda: launcher("x86_64", floor="10.15"), "made for macOS 10.15, not for 11.0"),
        (
            lambda: launcher("x86_64", source=NEWER),
            r"needs macOS 27.0, newer than 11.0: _getumask \(27.0\), _mkfifoat \(13.0\)",
        ),
        (lambda: launcher("x86_64", "-segprot", "__DATA", "rwx", "rwx"), "either writable or executable"),
        (lambda: launcher("x86_64", "-segprot", "__DATA", "rwx", "rw"), "__DATA has another protection"),
    ],
)
def test_contract(tmp_path: Path, image: Callable[[], bytes], words: str) -> None:
    report = inspect.inspect(thin(tmp_path, image=image()))
    with pytest.raises(InspectError, match=words):
        inspect.check(report, MACOS["x86_64"])


def test_weak_symbols_may_be_newer(tmp_path: Path) -> None:
    report = inspect.inspect(thin(tmp_path, image=launcher("x86_64", source=WEAK)))
    inspect.check(report, MACOS["x86_64"])
    assert report.macos is not None
    assert report.macos.too_new == ()


def test_facts_that_no_launcher_of_ours_has(tmp_path: Path) -> None:
    report = inspect.inspect(thin(tmp_path))
    assert report.macos is not None
    signature = report.macos.signature
    assert signature is not None
    for words, broken in {
        "needs /usr/lib/libz.1.dylib": replace(report, needed=("/usr/lib/libz.1.dylib",)),
        "lacks a signature": replace(report, macos=replace(report.macos, signature=None)),
        "that of a linker": replace(
            report, macos=replace(report.macos, signature=replace(signature, linker_signed=True))
        ),
    }.items():
        with pytest.raises(InspectError, match=words):
            inspect.check(broken, MACOS["x86_64"])
    text = replace(report, macos=replace(report.macos, signature=None)).render_text()
    assert "signed          no: macOS does not start it on arm64" in text


def test_another_target(tmp_path: Path) -> None:
    report = inspect.inspect(thin(tmp_path, target="win-x64"))
    with pytest.raises(InspectError, match="for win-x64, not for macos-x64"):
        inspect.check(report, MACOS["x86_64"])


@pytest.mark.parametrize("own", [True, False])
def test_fat(tmp_path: Path, own: bool) -> None:
    names = [UNIVERSAL.name if own else MACOS[arch].name for arch in ARCHES]
    parts = [thin(tmp_path, arch, target=name) for arch, name in zip(ARCHES, names, strict=True)]
    path = link.join(parts, tmp_path / "demo").path
    report = inspect.inspect(path)
    assert (report.arch, report.target, report.size) == ("universal2", UNIVERSAL.name, path.stat().st_size)
    assert [one.arch for one in report.slices] == list(ARCHES)
    assert [one.size for one in report.slices] == [part.stat().st_size for part in parts]
    assert [one.target for one in report.slices] == names
    assert report.blob.offset == locate(path.read_bytes(), path)[0]
    assert json.loads(json.dumps(report.as_dict()))["slices"][1]["arch"] == "aarch64"
    assert "slice           aarch64 (" in report.render_text()
    inspect.check(report, UNIVERSAL)
    with pytest.raises(InspectError, match="for universal2 machines, not x86_64"):
        inspect.check(report, MACOS["x86_64"])
    broken = replace(report, slices=(report.slices[0], replace(report.slices[1], needed=("/usr/lib/a",))))
    with pytest.raises(InspectError, match="aarch64: it needs /usr/lib/a"):
        inspect.check(broken, UNIVERSAL)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InspectError, match="damaged: a slice ends behind the file's end"):
        inspect.inspect(path)


@pytest.mark.parametrize("content", [b"\xcf\xfa\xed\xfe" + bytes(99), b"\xca\xfe\xba\xbe" + bytes(99)])
def test_strangers(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InspectError, match="not an oxcross executable"):
        inspect.inspect(tmp_path / "x")


def test_a_launcher_alone(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(launcher("x86_64"))
    with pytest.raises(InspectError, match="without a blob"):
        inspect.inspect(tmp_path / "x")


def test_damage_is_named(tmp_path: Path) -> None:
    """Whatever is changed: the signature covers it, or is gone."""
    path = thin(tmp_path, "aarch64")
    whole = path.read_bytes()
    signature = Macho(whole).part("signature")
    assert signature is not None
    chance = random.Random(5)  # noqa: S311
    somewhere = [chance.randrange(signature.offset) for _ in range(200)]
    for place in [*range(Macho(whole).commands_end), *somewhere]:
        broken = bytearray(whole)
        broken[place] ^= 1 << chance.randrange(8)
        path.write_bytes(broken)
        with pytest.raises(InspectError):
            inspect.check(inspect.inspect(path), MACOS["aarch64"])
    for size, words in (
        (len(whole) - 1, "signature does not end the file"),
        (signature.offset - 1, "truncated"),
        (0x5000, "truncated"),
    ):
        path.write_bytes(whole[:size])
        with pytest.raises(InspectError, match=words):
            inspect.inspect(path)


def changed(file: Macho, name: str, **fields: int) -> bytes:
    """The file with other numbers in a segment."""
    data = bytearray(file.view)
    segment = file.segment(name)
    assert segment is not None
    values = {key: fields.get(key, getattr(segment, key)) for key in Segment.__slots__}
    macho.SEGMENT.pack_into(
        data, segment.at, macho.LC_SEGMENT_64, macho.SEGMENT.size + macho.SECTION.size * len(segment.sections),
        name.encode(), *(values[key] for key in ("address", "size", "offset", "file_size", "most", "protection")),
        len(segment.sections), values["flags"],
    )  # fmt: skip
    return bytes(data)


def with_part(file: Macho, name: str, by: int) -> bytes:
    """The file with a part of __LINKEDIT elsewhere."""
    data = bytearray(file.view)
    part = file.part(name)
    assert part is not None
    macho.COMMAND.pack_into(
        data, part.field, part.offset + by, macho.COMMAND.unpack_from(data, part.field)[1]
    )
    return bytes(data)


def with_command(file: Macho, kind: int, at: int, value: bytes) -> bytes:
    data = bytearray(file.view)
    command = file.only(kind)
    assert command is not None
    data[command.at + at : command.at + at + len(value)] = value
    return bytes(data)


WRONG: dict[str, Callable[[Macho], bytes]] = {
    "__DATA does not begin and end with a page": lambda f: changed(f, "__DATA", size=0x4100),
    "__OXBLOB does not follow __DATA in memory": lambda f: changed(f, "__OXBLOB", address=0x200000000),
    "__OXBLOB does not follow __DATA in the file": lambda f: changed(f, "__OXBLOB", offset=0x4000),
    "__LINKEDIT does not end the file": lambda f: changed(f, "__LINKEDIT", file_size=4096),
    "__LINKEDIT has more bytes than room": lambda f: changed(f, "__LINKEDIT", size=0),
    "__PAGEZERO is not the first 4 GB": lambda f: changed(f, "__PAGEZERO", size=0x4000),
    "__TEXT does not begin with": lambda f: changed(f, "__TEXT", file_size=0),
    "__TEXT has another protection": lambda f: changed(f, "__TEXT", most=7),
    "__DATA_CONST stays writable": lambda f: changed(f, "__DATA_CONST", flags=0),
    "section __bss lies outside of __DATA in memory": lambda f: changed(f, "__DATA", size=0x4000),
    "section __blob lies outside of __OXBLOB in the file": lambda f: changed(f, "__OXBLOB", file_size=0),
    "section __data lies elsewhere": lambda f: changed(f, "__DATA", address=0x100008000 - 0x4000),
    "function starts overlaps what": lambda f: with_part(f, "symbols", -8),
    "symbols is not aligned": lambda f: with_part(f, "symbols", 4),
    "rebase is in another order": lambda f: with_part(f, "rebase", 5000),
    "__LINKEDIT ends before": lambda f: with_part(f, "strings", 1 << 20),
    "its symbols are not in the order": lambda f: with_command(f, macho.LC_DYSYMTAB, 8, b"\1"),
    "it does not begin in its code": lambda f: with_command(f, macho.LC_MAIN, 8, bytes(8)),
    "its stack does not end with a page": lambda f: with_command(f, macho.LC_MAIN, 16, b"\1"),
    "its dynamic linker is /usr/lib/dyle": lambda f: bytes(f.view).replace(
        b"/usr/lib/dyld", b"/usr/lib/dyle"
    ),
    "it has no LC_UUID": lambda f: with_command(f, macho.LC_UUID, 0, b"\x2a"),
    "it has 0x2d, which": lambda f: with_command(f, macho.LC_UUID, 0, b"\x2d"),
    "it is not for macOS": lambda f: with_command(f, macho.LC_BUILD_VERSION, 8, b"\2"),
    "it has fixups of two kinds": lambda f: with_command(
        f, macho.LC_UUID, 0, macho.LC_DYLD_CHAINED_FIXUPS.to_bytes(4, "little")
    ),
    "its last segments are not": lambda f: bytes(f.view).replace(b"__OXBLOB\0", b"__OXBLOC\0"),
    "its segments are": lambda f: bytes(f.view).replace(b"__DATA\0", b"__DATE\0"),
    "it is no executable": lambda f: bytes(f.view[:12]) + b"\6" + bytes(f.view[13:]),
}


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return thin(tmp_path_factory.mktemp("layout"), "aarch64", launcher("aarch64", "-no_fixup_chains"))


@pytest.mark.parametrize("words", WRONG)
def test_layout(arm: Path, words: str) -> None:
    data = arm.read_bytes()
    [place] = places(data, arm)
    said = list(layout.problems(Macho(WRONG[words](Macho(data))), place.blob))
    assert any(words in text for text in said), said


@pytest.mark.parametrize("field", ["address", "size", "offset"])
def test_a_locator_that_leads_elsewhere(arm: Path, field: str) -> None:
    data = arm.read_bytes()
    blob = places(data, arm)[0].blob
    assert not list(layout.problems(Macho(data), blob))
    other = blob._replace(**{field: getattr(blob, field) + 64})
    assert list(layout.problems(Macho(data), other)) == ["its locator does not lead to all of __OXBLOB"]


def test_tables() -> None:
    newer = macos.newer()
    assert newer["_mkfifoat"] == (13, 0, 0)
    assert newer["_strchrnul"] == (15, 4, 0)
    assert "_preadv" not in newer  # 11.0
    floors = {target.floor for target in MACOS.values()}
    assert floors == {".".join(map(str, availability.FLOOR))}
    assert min(newer.values()) > (*availability.FLOOR, 0)
    assert macos.version("26.4") == (26, 4, 0)
    assert macos.allowed("commands") <= set(macho.COMMANDS.values())


def test_availability() -> None:
    found = availability.symbols(TREE.splitlines())
    assert found == {"_old": (10, 4), "_new": (14, 4), "_named$INODE64": (15, 0), "_variable": (12, 0)}
    table = tomllib.loads("\n".join(availability.render(found, "a test")))
    assert table == {"12.0": ["_variable"], "14.4": ["_new"], "15.0": ["_named$INODE64"]}
