"""What differs between two executables, and what may be compared with what."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_cost import SETTINGS, executable

from oxcross import pack
from oxcross.cost import differing, sides
from oxcross.errors import UsageError
from oxcross.publish import contained


def _two(tmp_path: Path, **changes: object) -> differing.Difference:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    one = executable(tmp_path / "one")
    return differing.compare(one, executable(tmp_path / "other", **changes))  # type: ignore[arg-type]


def _inside(found: differing.Difference) -> list[differing.Change]:
    """The changes but for where the executable says that the rest ends."""
    return [one for one in found.changes if one.kind != contained.CODE]


def test_the_same(tmp_path: Path) -> None:
    found = _two(tmp_path)
    assert found.changes == ()
    assert found.parts == []


def test_what_was_added(tmp_path: Path) -> None:
    found = _two(tmp_path, more=2)
    assert [(one.kind, one.name, one.state) for one in _inside(found)] == [
        ("module", "app.m0", "added"),
        ("module", "app.m1", "added"),
    ]
    assert all(one.before is None and one.after and one.growth == one.after for one in _inside(found))
    parts = {name: new - old for name, old, new in found.parts}
    assert parts["demo"] == sum(one.growth for one in _inside(found))
    assert sum(parts.values()) == found.after.size - found.before.size
    [code] = [one for one in found.changes if one.name == "launcher"]
    assert re.fullmatch(r"\d+ bytes of \d+", code.note)
    document = json.loads(json.dumps(found.document()))
    assert document["after"]["size"] == found.after.size
    assert document["changes"][0]["after"] == found.changes[0].after


def test_what_was_removed_is_the_mirror_image(tmp_path: Path) -> None:
    found = _two(tmp_path, more=2)
    back = differing.compare(tmp_path / "other" / "demo", tmp_path / "one" / "demo")
    assert [(one.name, one.state, one.growth) for one in _inside(back)] == [
        (one.name, "removed", -one.growth) for one in _inside(found)
    ]


def test_settings_and_versions_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one = executable(tmp_path / "one")
    row = {"name": "flask", "version": "3.2", "licence": "BSD-3-Clause", "files": 9}
    monkeypatch.setitem(executable.__globals__["MANIFEST"], "distributions", [row])
    utf8 = pack.Setting(pack.Key.UTF8_MODE, 1)
    settings = tuple(sorted((*SETTINGS, utf8), key=lambda setting: setting.key))
    found = differing.compare(one, executable(tmp_path / "other", settings=settings))
    assert {(one.kind, one.name, one.state, one.note) for one in _inside(found)} == {
        ("distribution", "flask", "changed", "3.1.3 → 3.2"),
        ("setting", "utf8-mode", "added", "1"),
    }


def test_sides(tmp_path: Path) -> None:
    release = tmp_path / "release"
    release.mkdir()
    file = tmp_path / "file"
    file.write_bytes(b"")
    (release / "manifest.json").write_text(
        json.dumps(
            {"artifacts": [{"target": "linux-x64", "file": "app"}, {"target": "win-x64", "file": "b"}]}
        )
    )
    one = sides.side(str(release), ".")
    assert one == {"linux-x64": release / "app", "win-x64": release / "b"}
    assert sides.pairs(one, {"win-x64": file}) == [(release / "b", file)]
    assert sides.pairs(sides.side(str(file), "."), {"": file}) == [(file, file)]
    with pytest.raises(UsageError, match="a file is compared with a file"):
        sides.pairs(one, {"": file})
    with pytest.raises(UsageError, match="no target in common"):
        sides.pairs(one, {"macos-x64": file})
    with pytest.raises(UsageError, match="no such file or folder"):
        sides.side("nowhere", str(tmp_path))
    with pytest.raises(UsageError, match="it has no manifest"):
        sides.side(str(tmp_path), ".")
    (release / "manifest.json").write_text("[]")
    with pytest.raises(UsageError, match="cannot be read"):
        sides.side(str(release), ".")
