"""The pinned sources, and moving a pin."""

import hashlib
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from oxcross import sources
from oxcross.errors import SourceError


def test_every_source_is_pinned_and_can_be_had_somewhere() -> None:
    for source in sources.load().values():
        assert re.fullmatch(r"[0-9a-f]{64}", source.sha256), source.name
        assert source.licence, source.name
        assert source.upstream or source.pool or source.kind == "wheel", source.name
        assert source.pool is None or source.pool.endswith(f"/{source.filename}"), source.name


def test_alternatives_have_other_bytes_and_say_why() -> None:
    for source in sources.load().values():
        for other in source.alternatives:
            assert other.sha256 != source.sha256
            assert other.url not in source.upstream
            assert other.note


def test_a_version_is_found_by_its_beginning() -> None:
    assert sources.get("cpython", "3.13").version == "3.13.15"
    assert sources.get("cpython", "3.13.15") is sources.get("cpython")
    assert sources.get("cpython", "3.14").version.startswith("3.14.")


@pytest.mark.parametrize("version", ["3.1", "3.99", "3.13.1"])
def test_a_version_that_is_not_pinned_names_the_command_that_pins_it(version: str) -> None:
    with pytest.raises(SourceError, match=f"cpython {version} is not pinned") as caught:
        sources.get("cpython", version)
    assert caught.value.hint == f"to pin it: oxcross sources pin cpython {version} FILE-OR-URL"


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(SourceError, match="opensl") as caught:
        sources.get("opensl")
    assert caught.value.hint == "did you mean 'openssl'?"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    copy = tmp_path / "sources.toml"
    shutil.copy(sources.TABLE, copy)
    return copy


def rows(table: Path) -> dict[tuple[str, str], dict[str, object]]:
    return {(r["name"], r["version"]): r for r in tomllib.loads(table.read_text(encoding="utf-8"))["source"]}


@pytest.mark.parametrize("name", ["bzip2", "libffi", "ziglang"])
def test_pin_replaces_a_row_and_leaves_the_others(table: Path, tmp_path: Path, name: str) -> None:
    version = sources.get(name).version
    archive = tmp_path / f"{name}-new.tar.gz"
    archive.write_bytes(b"other bytes")
    before = rows(table)
    pinned = sources.pin(name, version, str(archive), table=table)
    after = rows(table)
    assert pinned.sha256 == after[name, version]["sha256"] == hashlib.sha256(b"other bytes").hexdigest()
    assert after[name, version]["size"] == len(b"other bytes")
    assert after[name, version]["licence"] == sources.get(name).licence
    assert {k: v for k, v in after.items() if k != (name, version)} == {
        k: v for k, v in before.items() if k != (name, version)
    }


def test_pin_adds_a_version_beside_the_others(table: Path, tmp_path: Path) -> None:
    archive = tmp_path / "Python-3.13.99.tar.xz"
    archive.write_bytes(b"a newer one")
    pinned = sources.pin("cpython", "3.13.99", archive.as_uri(), table=table)
    assert pinned.filename == archive.name
    assert pinned.upstream == (archive.as_uri(),)
    after = rows(table)
    assert len(after) == len(rows(sources.TABLE)) + 1
    assert after["cpython", "3.13.99"]["licence"] == "PSF-2.0"
    assert after["cpython", "3.13.99"]["licence-files"] == ["LICENSE", "Doc/license.rst"]
    assert [part.name for part in pinned.parts] == ["expat", "mpdecimal", "hacl-star"]
    assert not any(part.version for part in pinned.parts), "which versions of them it brings is not known"
    assert pinned in sources._rows(table), "what was written is what was pinned"
    first = next(version for name, version in after if name == "cpython")
    assert first == sources.get("cpython").version, "the default stays the default"


def test_pin_twice_changes_nothing(table: Path, tmp_path: Path) -> None:
    archive = tmp_path / "Python-3.13.99.tar.xz"
    archive.write_bytes(b"a newer one")
    sources.pin("cpython", "3.13.99", str(archive), table=table)
    once = table.read_bytes()
    sources.pin("cpython", "3.13.99", str(archive), table=table)
    assert table.read_bytes() == once


@pytest.mark.parametrize("location", ["/no/such/file", "ftp://example.org/x", "file:///no/such/file"])
def test_pin_of_what_cannot_be_read_is_refused(table: Path, location: str) -> None:
    before = table.read_bytes()
    with pytest.raises(SourceError, match=re.escape(location)):
        sources.pin("bzip2", "9", location, table=table)
    assert table.read_bytes() == before


def test_pin_of_an_unknown_name_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="there is no source 'bzip3'") as caught:
        sources.pin("bzip3", "1", str(tmp_path), table=table)
    assert caught.value.hint == "did you mean 'bzip2'?"
