"""docs/formats.md has the numbers, names and fields that the code has."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from storing import put

from oxcross import shelf
from oxcross.cache import remote, statement
from oxcross.cache.signing import Signer
from oxcross.pack import format as blob
from oxcross.publish import keys, manifest, pointer
from oxcross.publish.keys import Layout
from oxcross.store import Store

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
HEADER = re.sub(r"/\*.*?\*/", "", (ROOT / "launcher" / "resources.h").read_text("utf-8"), flags=re.DOTALL)
SCALARS = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8, "int64_t": 8}
RECORDS = dict(re.findall(r"^`(ox_\w+)`, (\d+) bytes", PAGE, re.MULTILINE))
IN_THE_TEXT = {"ox_span", "ox_string"}


def table(head: str, after: str = "") -> list[list[str]]:
    """The rows of the first table with that head behind ``after``; its first two columns without their backticks."""
    text = PAGE.partition(after)[2] if after else PAGE
    text = text.partition(f"| {head} |")[2].partition("\n\n")[0]
    assert text, head
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in text.splitlines()[2:]]
    return [[*(cell.strip("`") for cell in row[:2]), *row[2:]] for row in rows]


def fields(name: str) -> list[tuple[str, int]]:
    """The fields of a C struct, and their sizes in bytes; arrays and structs in it as one."""
    body = re.search(rf"struct {name} \{{(.*?)\}};", HEADER, re.DOTALL)
    assert body
    counts = {"OX_MAGIC_SIZE": len(blob.MAGIC), "OX_SECTION_COUNT": len(blob.Section)}
    found = []
    for kind, field, count in re.findall(r"([\w ]+?) (\w+)(?:\[(\w+)\])?;", body[1]):
        word = kind.strip().removeprefix("struct ")
        size = SCALARS.get(word) or sum(one for _, one in fields(word))
        found.append((field, size * ((counts.get(count) or int(count)) if count else 1)))
    return found


def spoken(value: object) -> str:
    return value.hex(" ") if isinstance(value, bytes) else str(value)


def test_constants() -> None:
    for name, value, _ in table("constant | value | what it is"):
        assert value == spoken(getattr(blob, name)), name


def test_sections() -> None:
    rows = [(int(number), name) for number, name, _ in table("section | name | what is in it")]
    assert rows == [(one.value, one.name) for one in blob.Section]


@pytest.mark.parametrize("name", RECORDS)
def test_records(name: str) -> None:
    head = "offset | size | field | what it is"
    rows = [(int(row[0]), int(row[1]), row[2].strip("`")) for row in table(head, f"\n`{name}`, ")]
    at, expected = 0, []
    for field, size in fields(name):
        expected.append((at, size, field))
        at += size
    assert rows == expected
    assert at == int(RECORDS[name])


def test_every_record_is_there() -> None:
    assert RECORDS.keys() | IN_THE_TEXT == set(re.findall(r"struct (ox_\w+) \{", HEADER))


def test_the_release() -> None:
    assert f"`{keys.MANIFEST}` is of format `{manifest.FORMAT}`" in PAGE
    assert f"`{manifest.SCHEMA}`" in PAGE
    assert f"`{keys.SUMS}`" in PAGE


def test_the_bucket() -> None:
    layout = Layout("PREFIX", "NAME")
    assert [row[0] for row in table("key | when it is written | what it is")] == [
        layout.layout,
        layout.file("VERSION", "FILE"),
        layout.pointer("CHANNEL"),
        layout.history("CHANNEL", "SHA256"),
        f"{layout.latest('CHANNEL')}FILE",
        layout.yanked("VERSION"),
        layout.pruned("VERSION"),
    ]
    assert f"`{keys.MARKER.decode().strip()}`" in PAGE


def test_the_pointer() -> None:
    shown = PAGE.partition("```json\n")[2].partition("```")[0]
    assert pointer.parse(shown.encode(), "the page").version == "1.4"


def test_the_store(tmp_path: Path) -> None:
    assert [row[0] for row in table("folder | what is in it")] == list(shelf.FOLDERS)
    files = {row[0]: row[1] for row in table("file | what it is")}
    with Store(tmp_path / "store") as store:
        entry = put(store).parent
        assert files.keys() == {path.name for path in entry.iterdir()}
        assert files["meta.json"] == "`, `".join(sorted(json.loads((entry / "meta.json").read_bytes())))


def test_the_shared_cache() -> None:
    places = [f"{remote.STEPS}KEY/SIGNER.json", f"{remote.BLOBS}SHA256", f"{remote.SOURCES}SHA256"]
    assert [row[0] for row in table("key | what it is")] == places
    said = statement.Statement(key="0", name="", digest="", size=0, paths=0, archive="", archive_size=0)
    document: dict[str, Any] = json.loads(said.signed(Signer(bytes(32), "")))
    names = ", ".join(f"`{name}`" for name in sorted(document))
    assert f"A statement, of format `{statement.FORMAT}`, is a JSON object with {names}.\n" in PAGE
