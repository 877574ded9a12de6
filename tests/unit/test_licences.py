"""Licence texts: out of sources by the step's script, out of distributions, and as one text that can be taken apart again."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from oxcross import pack, recipes, rooms, sources, targets
from oxcross.collect import licences
from oxcross.collect.distributions import describe
from oxcross.collect.licences import LACKING, Notice
from oxcross.plan import Plan, Tree
from oxcross.recipes import components

SCRIPT = Path(__file__).resolve().parents[2] / "templates/licences/licences.py"
BUILT = [target for target in targets.load().values() if not target.slices]


def _tar(files: Mapping[str, bytes], how: Literal["w:gz", "w:xz"]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=how) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def _deb(files: Mapping[str, bytes]) -> bytes:
    """An archive of ar(5) as dpkg-deb makes it: a member of odd size before that with the files."""
    data = _tar({f"./{name}": content for name, content in files.items()}, "w:xz")
    members = {"debian-binary": b"2.0", "data.tar.xz": data}
    out = b"!<arch>\n"
    for name, content in members.items():
        out += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content
        out += b"\n" * (len(content) % 2)
    return out


def _run(tmp_path: Path, wanted: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    inputs, out = tmp_path / "in", tmp_path / "out"
    for folder in (inputs / "support", out):
        folder.mkdir(parents=True)
    code = b"/* MIT\n *\n * of C code\n */\n#include <x>\n/* more */\n"
    (inputs / "lib").write_bytes(
        _tar({"lib-1/LICENSE": b"  text  \r\n\r\n", "lib-1/in/a.c": code, "lib-1/rev": b"rev=abc\n"}, "w:gz")
    )
    (inputs / "gcc").write_bytes(_deb({"usr/share/doc/gcc/copyright": b"\xa9 GPL\n"}))
    with zipfile.ZipFile(inputs / "zig", "w") as archive:
        archive.writestr("zig/LICENSE", "zig's\n")
    (inputs / "support/licences.json").write_text(json.dumps(wanted), encoding="utf-8")
    line = [sys.executable, "-IB", str(SCRIPT), str(inputs), str(out)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


KINDS = {"lib": "archive", "gcc": "deb", "zig": "wheel"}
TEXTS = {
    "lib": [["lib", "LICENSE"], ["lib", "in/a.c"]],
    "rt": [["gcc", "usr/share/doc/gcc/copyright"], ["zig", "zig/LICENSE"]],
}


def test_the_script_reads_every_kind_of_source(tmp_path: Path) -> None:
    done = _run(tmp_path, {"texts": TEXTS, "stated": [["lib", "rev", "abc"]], "kinds": KINDS})
    assert (done.returncode, done.stderr) == (0, "")
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "out/texts").iterdir()}
    assert texts == {"lib.txt": "  text\n\nMIT\n\nof C code\n", "rt.txt": "\N{COPYRIGHT SIGN} GPL\n\nzig's\n"}


@pytest.mark.parametrize(
    ("texts", "stated", "said"),
    [
        ({"lib": [["lib", "COPYING"]]}, [], "there is no COPYING"),
        ({"lib": [["lib", "LICENSE"]]}, [["lib", "rev", "abd"]], "rev of lib does not say abd"),
    ],
)
def test_what_the_script_does_not_find_is_an_error(
    tmp_path: Path, texts: Any, stated: Any, said: str
) -> None:
    done = _run(tmp_path, {"texts": texts, "stated": stated, "kinds": {"lib": "archive"}})
    assert done.returncode == 1
    assert said in done.stderr


@pytest.mark.parametrize("target", BUILT, ids=lambda target: target.name)
def test_everything_that_is_linked_has_a_text(target: targets.Target) -> None:
    known = components.of(target, "3.13")
    cpython = recipes.cpython(target, "3.13").inputs["support"]
    assert isinstance(cpython, Tree)
    linked = {one["name"]: one for one in json.loads(cpython.files["facts.json"])["components"]}
    assert set(linked) <= set(known)
    for name, one in linked.items():
        assert known[name].licence == one["licence"]
    assert all(one.files and one.licence for one in known.values())
    assert {"expat", "mpdecimal", "hacl-star", "zstd"} <= set(known)
    assert ("compiler-rt" in known) == (target.os != "macos")
    assert ("musl" in known) == target.static
    assert ("mingw-w64" in known) == (target.os == "windows")
    assert ("glibc-start-files" in known) == (target.libc == "glibc")
    step = recipes.licences(target, "3.13")
    assert set(step.outputs) == {f"texts/{name}.txt" for name in known}
    own = {
        one.source.sha256 for one in known.values() if ":" not in one.files[0]
    }  # else another source has the text
    assert {source.sha256 for source in step.sources} >= own


@pytest.mark.parametrize("target", BUILT, ids=lambda target: target.name)
def test_no_step_is_built_anew_for_a_text(target: targets.Target) -> None:
    step = recipes.licences(target, "3.13")
    others = [one for one in Plan.of(recipes.steps(target)) if one != step]
    assert not any(step in one.needs for one in others)
    assert {one.name for one in step.needs} == {"linux-x64/cpython"}, (
        "what is built is not read, but the Python"
    )


def test_part_of_a_source_states_its_version() -> None:
    found = components.of(targets.get("linux-x64"), "3.13")["hacl-star"]
    assert found.part
    assert found.source == sources.get("cpython", "3.13")
    assert len(found.version) == 40


def _set(files: Mapping[str, bytes]) -> pack.Resources:
    found = pack.Resources()
    for path, data in files.items():
        found.add_file(pack.File(path, pack.Encoder("zstd").payload(data)))
    return found


def test_texts_of_distributions() -> None:
    """By License-File, below licenses/, by name; what only looks like one deeper down is none."""
    modern = (
        b"Metadata-Version: 2.4\nName: Modern\nVersion: 2\nLicense-Expression: MIT\nLicense-File: legal/MIT\n"
    )
    older = b"Metadata-Version: 2.1\nName: older\nVersion: 1\nLicense: BSD\nLicense-File: TERMS\n"
    bare = b"Metadata-Version: 2.1\nName: bare\nVersion: 1\n"
    sets = [
        _set(
            {
                "modern-2.dist-info/METADATA": modern,
                "modern-2.dist-info/licenses/legal/MIT": b"mit\n",
                "modern-2.dist-info/licenses/AUTHORS": b"a\r\nb\r\n",
                "modern/LICENSE": b"not this",
            }
        ),
        _set(
            {
                "older-1.dist-info/METADATA": older,
                "older-1.dist-info/TERMS": b"terms\n",
                "older-1.dist-info/LICENSE.txt": b"\xef\xbb\xbflicence\n",
                "older-1.dist-info/NOTICE": "né\n".encode("iso-8859-1"),
                "older-1.dist-info/top_level.txt": b"older\n",
                "bare-1.dist-info/METADATA": bare,
                "bare-1.dist-info/RECORD": b"",
            }
        ),
    ]
    inside = [describe(bare), describe(modern), describe(older)]
    assert licences.of_distributions(inside, sets) == (
        Notice(("bare 1: unknown",), LACKING),
        Notice(("Modern 2: MIT",), "a\nb\n\nmit\n"),
        Notice(("older 1: BSD",), "licence\n\nné\n\nterms\n"),
    )


NOTICES = (
    Notice(("a 1: MIT",), "mit\n"),
    Notice(("b 1: BSD",), f"a line of its own\n{'=' * 80}\n\nä\n"),
    Notice(("c 1: MIT",), "mit\n"),
    Notice(("d 1: unknown",), LACKING),
)


def test_equal_texts_stand_once() -> None:
    assert [one.heads for one in licences.together(NOTICES)] == [
        ("a 1: MIT", "c 1: MIT"),
        ("b 1: BSD",),
        ("d 1: unknown",),
    ]
    assert licences.lacking(licences.together(NOTICES)) == ["d 1: unknown"]


def test_the_text_can_be_taken_apart() -> None:
    notices = licences.together(NOTICES)
    text, sizes = licences.document(notices)
    assert tuple(licences.apart(text, sizes)) == notices
    assert text.startswith(b"=" * 80 + b"\na 1: MIT\nc 1: MIT\n" + b"=" * 80 + b"\n\nmit\n\n")
    for wrong in (sizes[:-1], [sizes[0] - 1, *sizes[1:]], [*sizes, 1]):
        with pytest.raises(ValueError, match="licences"):
            tuple(licences.apart(text, wrong))


def test_what_is_embedded(tmp_path: Path) -> None:
    (tmp_path / "zlib.txt").write_text("z\n", encoding="utf-8")
    rows = [
        {"name": "zlib", "version": "1.3", "licence": "Zlib"},
        {"name": "oxcross", "version": "0", "licence": "MIT"},
    ]
    facts: dict[str, Any] = {"libraries": rows}
    resources = pack.Resources()
    setting = licences.embed(resources, facts, NOTICES, tmp_path, "lib")
    assert setting == pack.Setting(pack.Key.LICENCES, text="lib/oxcross-licenses.txt")
    text = pack.decode(resources.files[setting.text].data)
    assert facts["licences"]["file"] == setting.text
    assert facts["licences"]["lacking"] == ["d 1: unknown"]
    found = list(licences.apart(text, facts["licences"]["sections"]))
    assert [one.heads[0] for one in found] == [
        "zlib 1.3: Zlib",
        "oxcross 0: MIT",
        "a 1: MIT",
        "b 1: BSD",
        "d 1: unknown",
    ]
    assert found[1].text.endswith(rooms.licence())
    assert "is part of oxcross" in found[1].text
