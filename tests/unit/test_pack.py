"""The blob: numbers as in the header, what is written is read, damage is found and named."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from struct import Struct

import pytest

from oxcross import pack
from oxcross.errors import InspectError
from oxcross.pack import format as fmt
from oxcross.pack.codec import check_sum

HEADER = Path(__file__).resolve().parents[2] / "launcher" / "resources.h"


def _header() -> str:
    return re.sub(r"/\*.*?\*/", "", HEADER.read_text(), flags=re.DOTALL)


def _enum(name: str) -> dict[str, int]:
    body = re.search(rf"enum {name} \{{(.*?)\}};", _header(), re.DOTALL)
    assert body, name
    values: dict[str, int] = {}
    following = 0
    for item in filter(None, (part.strip() for part in body[1].split(","))):
        key, _, value = (word.strip() for word in item.partition("="))
        following = int(value, 0) if value else following
        values[key] = following
        following += 1
    return values


_SCALARS = {"uint8_t": "B", "uint16_t": "H", "uint32_t": "I", "uint64_t": "Q", "int64_t": "q"}


def _layout(name: str) -> list[tuple[str, str, int]]:
    """The C struct as (struct code, field, count), nested structs flattened."""
    body = re.search(rf"struct {name} \{{(.*?)\}};", _header(), re.DOTALL)
    assert body, name
    constants = {**_enum("ox_section"), "OX_MAGIC_SIZE": 8}
    fields: list[tuple[str, str, int]] = []
    for kind, field, size in re.findall(r"([\w ]+?) (\w+)(?:\[(\w+)\])?;", body[1]):
        count = (constants.get(size) or int(size)) if size else 1
        word = kind.strip()
        if word.startswith("struct "):
            fields += _layout(word.removeprefix("struct ")) * count
        else:
            fields.append((_SCALARS[word], field, count))
    return fields


@pytest.mark.parametrize(
    ("enum", "prefix", "ours"),
    [
        ("ox_codec", "OX_", fmt.Codec),
        ("ox_module_flag", "OX_", fmt.ModuleFlag),
        ("ox_node_kind", "OX_", fmt.NodeKind),
        ("ox_node_flag", "OX_", fmt.NodeFlag),
        ("ox_library_flag", "OX_LIBRARY_", fmt.LibraryFlag),
        ("ox_key", "OX_KEY_", fmt.Key),
        ("ox_run", "OX_RUN_", fmt.Run),
    ],
)
def test_enums_are_the_headers(enum: str, prefix: str, ours: type[fmt.Key]) -> None:
    assert {prefix + member.name: int(member) for member in ours} == _enum(enum)


def test_sections_and_defines_are_the_headers() -> None:
    sections = _enum("ox_section")
    assert sections.pop("OX_SECTION_COUNT") == len(fmt.Section)
    assert {"OX_" + section.name: int(section) for section in fmt.Section} == sections
    text = _header()
    assert rf'#define OX_MAGIC "{fmt.MAGIC.decode().encode("unicode_escape").decode()}"' in text
    assert f"#define OX_VERSION {fmt.VERSION}u" in text
    assert f"#define OX_BLOB_ALIGN {fmt.BLOB_ALIGN}u" in text
    assert f"#define OX_NONE {fmt.NONE:#x}u" in text
    assert r"#define OX_LOCATOR_MAGIC " + json.dumps(fmt.LOCATOR_MAGIC.decode()) in text


@pytest.mark.parametrize(
    ("struct", "ours", "size"),
    [
        ("ox_span", fmt.SPAN, 16),
        ("ox_string", fmt.STRING, 8),
        ("ox_payload", fmt.PAYLOAD, 32),
        ("ox_module", fmt.MODULE, 64),
        ("ox_node", fmt.NODE, 64),
        ("ox_slot", fmt.SLOT, 8),
        ("ox_library", fmt.LIBRARY, 16),
        ("ox_setting", fmt.SETTING, 24),
        ("ox_locator", fmt.LOCATOR, 48),
    ],
)
def test_structs_are_the_headers(struct: str, ours: Struct, size: int) -> None:
    native = "".join(("" if n == 1 else str(n)) + code for code, _, n in _layout(struct))
    if struct == "ox_locator":
        native = native.replace("16B", "16s")
    one_by_one = re.sub(r"(\d+)([A-Z])", lambda m: m[2] * int(m[1]), native)
    ours_one_by_one = re.sub(
        r"(\d+)([A-Zq])", lambda m: m[2] * int(m[1]), ours.format.lstrip("<").replace(" ", "")
    )
    assert ours_one_by_one == one_by_one
    # "@" pads as C does: equal sizes mean that no padding arises.
    assert ours.size == Struct("@" + native).size == size


def test_header_is_the_headers() -> None:
    fields = _layout("ox_header")
    native = "".join(f"{n}{code}" for code, _, n in fields)
    assert Struct("@" + native).size == fmt.HEADER_SIZE
    before = "".join(f"{n}{code}" for code, _, n in fields[:5])
    assert Struct("@" + before).size == fmt.HEADER_PREFIX.size
    assert fields[-1] == ("B", "sha256", 32)


def test_fnv1a_known_answers() -> None:
    # draft-eastlake-fnv, the test vectors of FNV-1a 64.
    assert fmt.fnv1a(b"") == 0xCBF29CE484222325
    assert fmt.fnv1a(b"a") == 0xAF63DC4C8601EC8C
    assert fmt.fnv1a(b"foobar") == 0x85944171F73967E8
    names = [b"", b"os", b"os.path", b"xml.etree.ElementTree", b"a..b", b".x"]
    assert fmt.hashes(names, b".") == [fmt.fnv1a(name) for name in names]


def test_slots_are_at_most_half_used() -> None:
    for used in range(70):
        table = fmt.slots([fmt.fnv1a(b"%d" % n) for n in range(used)])
        assert len(table) >= max(1, 2 * used)
        assert len(table) & (len(table) - 1) == 0
        assert sorted(index for _, index in table if index != fmt.NONE) == list(range(used))


def _resources(order: random.Random | None = None) -> pack.Resources:
    raw = pack.Payload.raw
    source = b"print('hello')\n" * 40
    library = b"\x7fELF" + bytes(range(251)) * 9
    modules = [
        pack.Module("app", "app/__init__.py", raw(b"code of app"), package=True),
        pack.Module("app.cli", "app/cli.py", raw(b"code of cli")),
        pack.Module("app.same", "app/same.py", raw(b"code of cli")),
        pack.Module("app._c", "app/_c.abi3.so", raw(library), extension=True),
        pack.Module("ns", "ns", None),
        pack.Module("ns.deep", "ns/deep.py", raw(b"code of deep")),
        pack.Module("os", "lib/python3.13/os.py", raw(b"code of os"), stdlib=True),
    ]
    files = [
        pack.File("app/__init__.py", raw(b"")),
        pack.File("app/cli.py", pack.Encoder("zstd").payload(source)),
        pack.File("app/_c.abi3.so", raw(library), executable=True),
        pack.File("app/templates/a b.html", raw(b"<p>" * 500)),
        pack.File("app/templates/Ä.html", raw(b"<p>")),
        pack.File("app.libs/libx-1.so.2", raw(library + b"x")),
        pack.File("lib/python3.13/os.py", raw(source)),
    ]
    if order:
        order.shuffle(modules)
        order.shuffle(files)
    resources = pack.Resources(directories={"app/empty"})
    for module in modules:
        resources.add_module(module)
    for file in files:
        resources.add_file(file)
    resources.add_library(pack.Library("libx.so.2", "app.libs/libx-1.so.2", nameless=True))
    return resources


SETTINGS = [
    pack.Setting(pack.Key.RUN_TARGET, text="app.cli:main"),
    pack.Setting(pack.Key.RUN_KIND, pack.Run.ENTRY_POINT),
    pack.Setting(pack.Key.WARNING, text="error"),
    pack.Setting(pack.Key.HASH_SEED, 4294967295),
    pack.Setting(pack.Key.WARNING, text="ignore::DeprecationWarning"),
]


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_what_is_written_is_read(compression: pack.Compression) -> None:
    resources = _resources()
    blob = pack.Blob(pack.blob(resources, SETTINGS, {"app": "a"}, compression))
    pack.check(blob)
    assert [m.name for m in blob.modules] == sorted(resources.modules)
    assert [(one.soname, one.flags) for one in blob.libraries] == [("libx.so.2", fmt.LibraryFlag.NAMELESS)]
    for name, module in resources.modules.items():
        row = blob.module(name)
        assert row is not None
        assert row.path == module.path
        assert blob.read(row.code) == (module.code.stored if module.code else b"")
        assert bool(row.flags & fmt.ModuleFlag.NAMESPACE) == module.namespace
        assert bool(row.flags & fmt.ModuleFlag.PACKAGE) == (module.package or module.namespace)
        node = blob.node(module.path)
        if node and node.kind == fmt.NodeKind.FILE:
            assert blob.modules[node.module].name == name
        has_source = module.path in resources.files and not module.extension
        assert (row.source != fmt.NONE) == has_source
    for path, file in resources.files.items():
        node = blob.node(path)
        assert node is not None
        assert blob.read(node.data) == pack.decode(file.data)
        assert path[len(path.encode()[: node.name].decode()) :] == path.rpartition("/")[2]
    assert blob.module("app.nothing") is None
    assert blob.node("app/nothing") is None
    assert [library.soname for library in blob.libraries] == ["libx.so.2"]
    assert blob.nodes[blob.libraries[0].node].path == "app.libs/libx-1.so.2"
    assert blob.manifest == {"app": "a"}
    assert [(s.key, s.number, s.text) for s in blob.settings][-2:] == [
        (fmt.Key.WARNING, 0, "error"),
        (fmt.Key.WARNING, 0, "ignore::DeprecationWarning"),
    ]


def test_tree_lists_every_folder() -> None:
    blob = pack.Blob(pack.blob(_resources()))
    root = blob.node("")
    assert root is not None
    assert [child.path for child in blob.children(root)] == ["app", "app.libs", "lib", "ns"]
    app = blob.node("app")
    assert app is not None
    names = [child.path[child.name :] for child in blob.children(app)]
    assert names == ["__init__.py", "_c.abi3.so", "cli.py", "empty", "templates"]
    namespace = blob.node("ns")  # its only module has no source, and still it is a folder
    assert namespace is not None
    assert namespace.kind == fmt.NodeKind.DIR


def test_equal_payloads_are_stored_once() -> None:
    blob = pack.Blob(pack.blob(_resources()))
    cli, same = blob.module("app.cli"), blob.module("app.same")
    extension, library = blob.module("app._c"), blob.node("app/_c.abi3.so")
    assert cli
    assert same
    assert extension
    assert library
    assert cli.code == same.code
    assert extension.code == library.data
    assert extension.code.offset % 64 == 0


def test_bytes_do_not_depend_on_the_order() -> None:
    expected = pack.blob(_resources(), SETTINGS[:2])
    for seed in range(5):
        assert pack.blob(_resources(random.Random(seed)), SETTINGS[1::-1]) == expected  # noqa: S311


def test_digest_is_the_headers_definition() -> None:
    data = bytearray(pack.blob(_resources()))
    digest = bytes(data[224:256])
    data[224:256] = bytes(32)
    assert hashlib.sha256(data).digest() == digest


def test_check_sum_is_the_headers_definition() -> None:
    words = [0x01020304, 0xFFFFFFFF, 0x80000000, 0x00000005]
    data = b"".join(word.to_bytes(4, "little") for word in words) + b"\x07"
    total = sum(words) + 7
    while total > 0xFFFFFFFF:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    assert check_sum(data) == total
    assert check_sum(b"") == 0
    for size in (*range(1, 70), 1000, 100_003):
        long = (data * (size // len(data) + 1))[:size]
        assert check_sum(long) == (int.from_bytes(long, "little") % 0xFFFFFFFF or 0xFFFFFFFF)
    assert check_sum(bytes(64)) == check_sum(b"\xff" * 64) == 0xFFFFFFFF


def test_empty_blob() -> None:
    blob = pack.Blob(pack.blob(pack.Resources()))
    pack.check(blob)
    assert blob.modules == []
    assert len(blob.nodes) == 1
    assert blob.module("os") is None


def test_dictionary() -> None:
    samples = [b"def function_%d(argument):\n    return argument * %d\n" % (n, n) for n in range(900)]
    dictionary = pack.train(samples, 4096)
    assert pack.train(samples, 4096) == dictionary
    resources = pack.Resources(dictionary=dictionary)
    text = b"".join(samples[:9])
    resources.add_file(pack.File("a.txt", pack.Payload.raw(text)))
    plain = pack.Encoder("zstd").payload(text)
    blob = pack.Blob(pack.blob(resources, compression="zstd"))
    pack.check(blob)
    node = blob.node("a.txt")
    assert node is not None
    assert node.data.codec == pack.Codec.ZSTD_DICT
    assert node.data.stored < len(plain.stored)
    assert blob.read(node.data) == text


@pytest.mark.parametrize("path", ["/a", "a//b", "../a", "a/.", "", "a\\b", "a\0"])
def test_impossible_paths(path: str) -> None:
    resources = pack.Resources()
    resources.add_file(pack.File(path, pack.Payload.raw(b"x")))
    with pytest.raises(ValueError, match="mount point"):
        pack.blob(resources)


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_file_that_is_a_folder(paths: tuple[str, str]) -> None:
    resources = pack.Resources()
    for path in paths:
        resources.add_file(pack.File(path, pack.Payload.raw(b"x")))
    with pytest.raises(ValueError, match="both a file and a folder"):
        pack.blob(resources)


def _sections(data: bytes) -> Iterator[tuple[fmt.Section, int, int]]:
    blob = pack.Blob(data)
    for section in fmt.Section:
        yield (section, *blob.spans[section])


@pytest.mark.parametrize("section", [None, *fmt.Section])
def test_every_damaged_section_is_named(section: fmt.Section | None) -> None:
    data = pack.blob(_resources(), SETTINGS, {"app": "a"}, "zstd")
    spans = {name: (offset, size) for name, offset, size in _sections(data)}
    offset, size = spans[section] if section is not None else (0, fmt.HEADER_SIZE)
    chance = random.Random(int(section) if section is not None else 99)  # noqa: S311
    for _ in range(60 if size else 0):
        broken = bytearray(data)
        broken[offset + chance.randrange(size)] ^= 1 << chance.randrange(8)
        with pytest.raises(InspectError) as caught:
            pack.check(pack.Blob(bytes(broken)))
        # Damage in the strings or payloads may be noticed by whoever points at them.
        assert caught.value.where is None or caught.value.where.startswith("blob section ")


def test_truncated_blob() -> None:
    data = pack.blob(_resources())
    for size in (0, 7, 255, 256, 1000, len(data) - 1):
        with pytest.raises(InspectError):
            pack.Blob(data[:size])


def test_random_bytes_are_refused() -> None:
    for size in (256, 4096):
        with pytest.raises(InspectError, match="wrong magic"):
            pack.Blob(os.urandom(size).replace(fmt.MAGIC, b""))
