"""The licence texts of what is inside an executable, as one text: what ``--oxcross-licenses`` prints.

A section for each text, with a line for everything that it is the licence of, between rulers::

    ================================================================================
    openssl 3.5.7: Apache-2.0
    ================================================================================

    the text

The manifest says how long each section is (``licences.sections``, in bytes), so that it can be taken apart again.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

from oxcross import rooms
from oxcross.collect import distributions
from oxcross.collect.distributions import Distribution
from oxcross.pack.codec import Encoder, decode
from oxcross.pack.format import Key
from oxcross.pack.resources import File, Resources
from oxcross.pack.writer import Setting

LACKING = "no licence text in the distribution\n"
LAUNCHER = "oxcross"  # what the launcher goes by
_RULER = "=" * 80
_LAUNCHER_NOTE = "The launcher, which every executable made by oxcross starts with, is part of oxcross.\n\n"
_NAMED_LIKE_ONE = re.compile(r"(licen[cs]e|copying|copyright|notice)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notice:
    """A text, and what it is the licence of: ``heads`` are "NAME VERSION: SPDX-EXPRESSION"."""

    heads: tuple[str, ...]
    text: str

    @property
    def section(self) -> str:
        """As it is printed."""
        return "\n".join((_RULER, *self.heads, _RULER, "", self.text, ""))


def head(name: str, version: str, licence: str) -> str:
    """What a section says of a component."""
    return f"{name} {version}: {licence}"


def of_distributions(inside: Sequence[Distribution], sets: Iterable[Resources]) -> tuple[Notice, ...]:
    """The texts of distributions, in their order, out of the ``sets`` that they are in: what their metadata name (PEP 639), and
    what is called like one.
    """
    texts: dict[tuple[str, str], str] = {}
    for resources in sets:
        folders = {posixpath.dirname(path) for path in resources.files if distributions.is_metadata(path)}
        files: dict[str, dict[str, File]] = {folder: {} for folder in folders}
        for path, file in resources.files.items():
            folder, _, name = path.partition("/")
            if folder in files:
                files[folder][name] = file
        for folder in sorted(folders):
            metadata = decode(files[folder]["METADATA"].data, resources.dictionary)
            one = distributions.describe(metadata)
            found = [
                decode(files[folder][name].data, resources.dictionary)
                for name in _names(metadata, sorted(files[folder]))
            ]
            texts[one.name, one.version] = "\n".join(map(plain, found)) or LACKING
    return tuple(
        Notice((head(one.name, one.version, one.licence),), texts[one.name, one.version]) for one in inside
    )


def _names(metadata: bytes, files: Sequence[str]) -> Iterator[str]:
    """The licence texts among the ``files`` of a .dist-info folder, in order."""
    stated = {str(name) for name in BytesHeaderParser().parsebytes(metadata).get_all("License-File", [])}
    for name in files:
        inner = name.removeprefix("licenses/")
        if inner != name or name in stated or ("/" not in name and _NAMED_LIKE_ONE.match(name)):
            yield name


def plain(data: bytes) -> str:
    """A text of any origin with plain lines."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("iso-8859-1")
    lines = [line.rstrip() for line in text.replace("\f", "").splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def together(notices: Iterable[Notice]) -> tuple[Notice, ...]:
    """The same with equal texts once, where the first of them was."""
    heads: dict[str, dict[str, None]] = {}
    for notice in notices:
        heads.setdefault(notice.text, {}).update(dict.fromkeys(notice.heads))
    return tuple(Notice(tuple(names), text) for text, names in heads.items())


def document(notices: Iterable[Notice]) -> tuple[bytes, list[int]]:
    """The whole text, UTF-8, and the size of each section in bytes."""
    sections = [notice.section.encode() for notice in notices]
    return b"".join(sections), [len(section) for section in sections]


def apart(text: bytes, sizes: Iterable[int]) -> Iterator[Notice]:
    """The sections of such a text. ValueError when it is none."""
    at = 0
    for size in sizes:
        section = text[at : at + size].decode()
        at += size
        ruler, _, rest = section.partition("\n")
        heads, found, body = rest.partition(f"\n{_RULER}\n\n")
        if ruler != _RULER or not found or not body.endswith("\n"):
            raise ValueError("a section of the licences does not begin as one")
        yield Notice(tuple(heads.split("\n")), body[:-1])
    if at != len(text):
        raise ValueError("the licences are longer than their sections")


def lacking(notices: Iterable[Notice]) -> list[str]:
    """The heads of what has no text."""
    return [name for notice in notices if notice.text == LACKING for name in notice.heads]


def embed(
    resources: Resources, facts: dict[str, Any], notices: Iterable[Notice], texts: Path, folder: str
) -> Setting:
    """Put the licences of all that the manifest (``facts``) lists into an executable's resources and what is to be known of
    them into the manifest; the setting by which the launcher finds them.

    ``notices`` are those of the distributions, ``texts`` has one of each library, ``folder`` is where the file goes.
    """
    libraries = [
        Notice((head(row["name"], row["version"], row["licence"]),), _text(texts, row["name"]))
        for row in facts["libraries"]
    ]
    every = together([*libraries, *notices])
    content, sizes = document(every)
    path = f"{folder}/oxcross-licenses.txt"
    # Compressed whatever the project's setting is; the highest level takes twenty times as long for 4 % less.
    resources.add_file(File(path, Encoder("none").payload(content, rarely_read=True)))
    facts["licences"] = {"file": path, "sections": sizes, "lacking": lacking(every)}
    return Setting(Key.LICENCES, text=path)


def _text(texts: Path, name: str) -> str:
    if name == LAUNCHER:
        return _LAUNCHER_NOTE + rooms.licence()
    return (texts / f"{name}.txt").read_text(encoding="utf-8")
