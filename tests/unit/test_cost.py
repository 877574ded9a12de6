"""What an executable costs: the numbers sum up, everything has an owner, the page is sound."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from test_inspect import MANIFEST
from test_link import launcher

from oxcross import cost, link, pack, targets
from oxcross.config.schema import Config
from oxcross.cost import page, savings, start
from oxcross.cost.content import BYTECODE, DATA, METADATA, SOURCE, Content
from oxcross.cost.total import Cost
from oxcross.errors import InspectError, ToolError, UsageError
from oxcross.store import Store

LINUX = targets.get("linux-x64")
RECORD = b"flask/__init__.py,,\nflask/tests/test_a.py,,\nFlask-3.dist-info/METADATA,,\nsix.py,,\n"
SETTINGS = (
    pack.Setting(pack.Key.RUN_KIND, pack.Run.ENTRY_POINT),
    pack.Setting(pack.Key.RUN_TARGET, text="app:main"),
    pack.Setting(pack.Key.STDLIB, text="lib/python3.13"),
    pack.Setting(pack.Key.COMMAND, pack.Run.MODULE, "serve=app.server"),
    pack.Setting(pack.Key.COMMAND, pack.Run.FILE, "script=tool.py"),
)


def executable(
    folder: Path,
    compression: pack.Compression = "none",
    more: int = 0,
    settings: tuple[pack.Setting, ...] = SETTINGS,
) -> Path:
    raw = pack.Payload.raw
    resources = pack.Resources()
    modules = {
        "app": "app/__init__.py",
        "flask": "flask/__init__.py",
        "flask.tests": "flask/tests/__init__.py",
        "flask.tests.test_a": "flask/tests/test_a.py",
        "six": "six.py",
        "tool": "tool.py",
        "os": "lib/python3.13/os.py",
        "pydoc": "lib/python3.13/pydoc.py",
        **{f"app.m{number}": f"app/m{number}.py" for number in range(more)},
    }
    for name, path in modules.items():
        code = raw(f"code of {name} ".encode() * (9 + len(name)))
        package = path.endswith("__init__.py")
        resources.add_module(pack.Module(name, path, code, package=package, stdlib=path.startswith("lib/")))
    files = {
        "six.py": b"text of six " * 50,
        "flask/<b>&.pyi": b"stub " * 50,
        "app/locale/de/LC_MESSAGES/app.mo": b"Wort " * 50,
        "app/data": b"data " * 500,
        "app/copy": b"data " * 500,
        "Flask-3.dist-info/METADATA": b"Name: Flask\nVersion: 3\n",
        "Flask-3.dist-info/RECORD": RECORD,
    }
    for path, data in files.items():
        resources.add_file(pack.File(path, raw(data)))
    manifest = {**MANIFEST, "builtin": ["_ssl"]}
    (folder / "launcher").write_bytes(launcher())
    pack.write(resources, list(settings), manifest, folder / "blob", compression)
    return link.attach(folder / "launcher", folder / "blob", folder / "demo", LINUX).path


def costs(content: Content, imports: tuple[start.Import, ...] | None = None) -> Cost:
    return Cost(
        content=content, savings=tuple(savings.savings(content, "linux", frozenset())), imports=imports
    )


@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_every_byte_is_somewhere_once(tmp_path: Path, compression: pack.Compression) -> None:
    path = executable(tmp_path, compression)
    content = cost.read(path)
    assert sum(piece.stored for piece in content.pieces) == content.size == path.stat().st_size
    assert sum(stored for stored, _ in content.parts.values()) == content.size
    assert all(piece.stored >= 0 for piece in content.pieces)


def test_everything_has_an_owner(tmp_path: Path) -> None:
    content = cost.read(executable(tmp_path))
    owners = {(piece.name, piece.kind): piece.part for piece in content.pieces if piece.path}
    assert owners["app", BYTECODE] == "demo"
    assert owners["flask", BYTECODE] == owners["flask.tests", BYTECODE] == "flask"
    assert owners["six", BYTECODE] == owners["six", SOURCE] == "flask"
    assert owners["os", BYTECODE] == "standard library"
    assert owners["Flask-3.dist-info/RECORD", METADATA] == "flask"
    assert ("app/copy", DATA) in owners, "equal files are stored once, under the first one's name"
    assert ("app/data", DATA) not in owners


def test_what_could_be_left_out(tmp_path: Path) -> None:
    content = cost.read(executable(tmp_path))
    sizes = {(piece.name, piece.kind): piece.stored for piece in content.pieces}
    found = {one.what: one for one in savings.savings(content, "linux", frozenset({"pydoc"}))}
    docs = found["the standard library's docs"]
    assert docs.stored == sizes["pydoc", BYTECODE]
    assert docs.note == "no import statement leads to it"
    assert found["all of the standard library that no import statement leads to"].stored == docs.stored
    tests = found["the tests of flask"]
    assert tests.stored == sum(sizes[name, BYTECODE] for name in ("flask.tests", "flask.tests.test_a"))
    assert tests.lines == ('exclude-modules = ["flask.tests"]',)
    assert found["source texts"].stored == sizes["six", SOURCE]
    assert found["type stubs"].stored == sizes["flask/<b>&.pyi", DATA]
    words = found["texts in other languages than English"]
    assert words.stored == sizes["app/locale/de/LC_MESSAGES/app.mo", DATA]
    for one in found.values():
        Config.model_validate(tomllib.loads(one.configuration)["tool"]["oxcross"])
    unknown = {one.what: one.note for one in savings.savings(content, "linux", None)}
    assert "not known" in unknown[docs.what]
    used = {one.what: one.note for one in savings.savings(content, "linux", frozenset())}
    assert used[docs.what] == "something imports pydoc"


class _Page(HTMLParser):
    """Holds a page to being well-formed and to referring to nothing outside of it."""

    VOID = frozenset({"meta", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.counts: dict[str, int] = {}
        self.ids: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1
        names = dict(attrs)
        assert len(names) == len(attrs)
        assert not {"src", "srcset", "action"}.intersection(names)
        assert tag not in ("img", "iframe", "object", "embed", "base")
        assert names.get("href", "data:,") == "data:,"
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.counts[tag] = self.counts.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_sound(tmp_path: Path) -> None:
    path = executable(tmp_path)
    imports = tuple(start.waterfall("import time:  5 |  5 |   sys\nimport time: 10 | 15 | app\n"))
    made = page.page(costs(cost.read(path), imports))
    assert made == page.page(costs(cost.read(path), imports))
    text = made.decode()
    assert not re.search(r"url\(|@import|https?://", text)
    parsed = _Page(text)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert "flask/<b>&.pyi" in parsed.text
    assert "b" not in parsed.counts, "names are text, whatever they are"
    for word in ("BSD-3-Clause", "exclude-modules", "standard library", str(path.stat().st_size)):
        assert word in parsed.text


def test_a_page_of_thousands_of_modules(tmp_path: Path) -> None:
    content = cost.read(executable(tmp_path, more=3000))
    drawn = list(page.drawing(content))
    mine = next(part for part in drawn if part.head.name == "demo")
    room = mine.head.box
    for leaf in mine.leaves:
        assert leaf.box.x + leaf.box.width <= room.x + room.width + 0.01
        assert leaf.box.y + leaf.box.height <= room.y + room.height + 0.01
    parsed = _Page(page.page(costs(content)).decode())
    assert parsed.counts["rect"] == sum(1 + len(part.leaves) for part in drawn)
    assert "app.m2999" in parsed.text


def test_labels_are_no_wider_than_their_boxes(tmp_path: Path) -> None:
    drawn = list(page.drawing(cost.read(executable(tmp_path, more=300))))
    every = [one for part in drawn for one in (part.head, *part.leaves)]
    labelled = [one for one in every if one.label]
    assert {part.head.name for part in drawn} >= {"demo", "flask", "standard library"}
    assert len(labelled) > 10
    assert all(len(one.label) * 6 <= one.box.width for one in labelled)
    for one in labelled:
        assert one.label.startswith("…") or one.label[:4] in one.title or "smaller" in one.label


def test_json(tmp_path: Path) -> None:
    content = cost.read(executable(tmp_path))
    document: dict[str, Any] = json.loads(json.dumps(costs(content).document()))
    assert sum(row["stored"] for row in document["pieces"]) == document["size"]
    assert sum(row["stored"] for row in document["parts"]) == document["size"]
    assert "imports" not in document
    assert [row["name"] for row in document["components"]] == ["flask", "zlib"]


def test_strangers_and_damage_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        cost.read(tmp_path / "none")
    path = executable(tmp_path)
    data = bytearray(path.read_bytes())
    data[data.index(b"code of six")] ^= 1
    path.write_bytes(data)
    with pytest.raises(InspectError, match="check sum"):
        cost.read(path)


def test_an_unknown_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from oxcross.cost import total

    monkeypatch.setitem(MANIFEST, "target", "amiga")
    path = executable(tmp_path)
    with Store(tmp_path / "store") as store, pytest.raises(InspectError, match="amiga"):
        total.examine(path, store, measured=False)


IMPORTS = """\
import time: self [us] | cumulative | imported package
noise
import time:        10 |         10 |     c
import time:        20 |         30 |   b
import time:         5 |          5 |   d
import time:         7 |         42 | a
import time:         3 |          3 | e
"""


def test_imports_in_the_order_in_which_they_began() -> None:
    rows = [dataclasses.astuple(one) for one in start.waterfall(IMPORTS)]
    assert rows == [
        ("a", 0, 0, 7, 42),
        ("b", 1, 0, 20, 30),
        ("c", 2, 0, 10, 10),
        ("d", 1, 30, 5, 5),
        ("e", 0, 42, 3, 3),
    ]
    assert start.waterfall("nothing") == []


def test_what_is_imported_to_be_measured(tmp_path: Path) -> None:
    content = cost.read(executable(tmp_path))
    assert start.modules(content.blobs[0]) == ["app", "app.server", "tool"]


def test_an_executable_that_does_not_act_as_python_is_not_run(tmp_path: Path) -> None:
    no_child = pack.Setting(pack.Key.CHILD_PYTHON, 0)
    path = executable(tmp_path, settings=tuple(sorted((*SETTINGS, no_child), key=lambda one: one.key)))
    with pytest.raises(InspectError, match="does not act as Python"):
        start.measure(path, cost.read(path).blobs[0], LINUX)


def test_what_cannot_run_here_is_told(tmp_path: Path) -> None:
    path = executable(tmp_path)
    blob = cost.read(path).blobs[0]
    with pytest.raises(ToolError, match="takes a Mac"):
        start.measure(path, blob, targets.get("macos-arm64"))
    with pytest.raises(InspectError, match="status 0"):  # its launcher is a stand-in that ends at once
        start.measure(path, blob, LINUX)
    path.chmod(0o644)
    with pytest.raises(ToolError, match="cannot be run: Permission denied"):
        start.measure(path, blob, LINUX)
