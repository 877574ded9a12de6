"""Statements of builders: read as signed, and nothing else is."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oxcross.cache import settings, signing, statement
from oxcross.cache.settings import Cache
from oxcross.cache.statement import Statement, Untrue

PUBLIC, SECRET = signing.generate()
SIGNER = signing.signer(Cache(trust=(PUBLIC,)), {settings.KEY_ENV: SECRET})
KEY = "0123456789abcdef" * 4
MADE = Statement(
    key=KEY, name="linux-x64/zlib", digest="a" * 64, size=12, paths=3, archive="b" * 64, archive_size=9
)
DOCUMENT = MADE.signed(SIGNER)


def changed(**fields: Any) -> bytes:
    return json.dumps({**json.loads(DOCUMENT), **fields}).encode()


def test_a_statement_is_read_as_signed() -> None:
    assert statement.read(DOCUMENT, KEY, PUBLIC) == MADE
    assert MADE.signed(SIGNER) == DOCUMENT


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no statement"),
        (changed(format=2), "another format"),
        (changed(format=True), "another format"),
        (changed(signer=signing.generate()[0]), "another key signed it"),
        (changed(signature=None), "another key signed it"),
        (changed(signature="abc"), "signature does not fit"),
        (changed(digest="c" * 64), "signature does not fit"),
        (changed(archive="c" * 64), "signature does not fit"),
        (changed(digest="b" * 64, archive="a" * 64), "signature does not fit"),
        (changed(key="f" * 64), "signature does not fit"),
        (changed(name="other"), "signature does not fit"),
        (changed(size=13), "signature does not fit"),
        (changed(size=-1), "size is no size"),
        (changed(size=1.5), "size is no size"),
        (changed(paths=True), "paths is no size"),
        (changed(archive_size=1 << 60), "archive_size is no size"),
        (changed(digest="A" * 64), "digest is no SHA-256"),
        (changed(name=[]), "name is no text"),
        (changed(more=1), "other fields"),
    ],
)
def test_what_is_none(document: bytes, said: str) -> None:
    with pytest.raises(Untrue, match=said):
        statement.read(document, KEY, PUBLIC)


def test_a_statement_about_another_step() -> None:
    """It is well signed, and laid where a reader of this step finds it."""
    other = dataclasses.replace(MADE, key="e" * 64).signed(SIGNER)
    with pytest.raises(Untrue, match="about another step"):
        statement.read(other, KEY, PUBLIC)


def test_another_signature_of_the_same_key() -> None:
    """Over the same fields, but for another purpose."""
    fields = {name: value for name, value in json.loads(DOCUMENT).items() if name != "signature"}
    text = json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(Untrue, match="signature does not fit"):
        statement.read(changed(signature=SIGNER.sign(text)), KEY, PUBLIC)


@given(place=st.integers(0, len(DOCUMENT) - 1), byte=st.integers(0, 255))
def test_a_changed_byte(place: int, byte: int) -> None:
    """It is refused, or was between the fields and says the same."""
    damaged = DOCUMENT[:place] + bytes([byte]) + DOCUMENT[place + 1 :]
    try:
        assert statement.read(damaged, KEY, PUBLIC) == MADE
    except Untrue:
        return


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2),
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(DOCUMENT))), VALUES, min_size=1))
def test_other_values(fields: dict[str, Any]) -> None:
    document = changed(**fields)
    if json.loads(document) != json.loads(DOCUMENT):
        with pytest.raises(Untrue):
            statement.read(document, KEY, PUBLIC)


@given(st.binary(max_size=200))
def test_anything(document: bytes) -> None:
    with pytest.raises(Untrue):
        statement.read(document, KEY, PUBLIC)
