"""The pinned sources: what oxcross builds from, each a file known by its SHA-256.

``sources.toml`` is the one place where a version is chosen. A source says where its very bytes can be
had (``upstream`` addresses, a path in a Debian ``pool``); where upstream's own file has other bytes than
the one that is built from (repacked, a snapshot), ``alternatives`` records it for provenance only.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from oxcross.errors import SourceError, nearest

TABLE = Path(__file__).with_name("sources.toml")
_CHUNK = 1 << 20
_KEYS = ("name", "version", "filename", "sha256", "size", "licence", "licence_files", "kind", "upstream")


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """A file of the same release with other bytes, and why it is not the one built from."""

    url: str
    sha256: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """Something of others that a source brings along and that ends in executables, under a licence of its own."""

    name: str
    licence: str  # SPDX expression
    licence_files: tuple[str, ...]
    version: str = ""  # "": what is built of the source says it, or it is the source's
    stated_in: str = ""  # the file of the source that has the version's text in it, which is checked


@dataclass(frozen=True, kw_only=True)
class Source:
    """One pinned file.

    ``licence_files`` are the texts of its licence: paths in it, without an archive's top folder. Of a C file that is the comment that
    it begins with; "OTHER:PATH" is a file of another source. No key of a step has them but that of the step that reads them.
    """

    name: str
    version: str
    filename: str
    sha256: str  # lower-case hex
    size: int  # bytes; 0 where it is not known
    licence: str  # SPDX expression
    kind: str  # archive | wheel | deb
    upstream: tuple[str, ...] = ()  # URLs of these very bytes, tried in order
    pool: str | None = None  # path below a Debian mirror, "pool/main/…"
    note: str = ""
    alternatives: tuple[Alternative, ...] = ()
    licence_files: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()


def load() -> Mapping[str, Source]:
    """The sources by name; a name with several versions (cpython) stands for the first in the table."""
    first: dict[str, Source] = {}
    for source in _rows(TABLE):
        first.setdefault(source.name, source)
    return first


def versions(name: str) -> dict[str, Source]:
    """The pinned versions of one source, oldest first."""
    rows = sorted(_rows(TABLE), key=lambda s: _version_key(s.version))
    return {source.version: source for source in rows if source.name == name}


def get(name: str, version: str | None = None) -> Source:
    """A source by name and, for one with several versions, version or its beginning ("3.13").

    SourceError when it is not pinned; the hint is the command that pins it.
    """
    pinned = versions(name)
    if not pinned:
        raise SourceError(f"there is no source {name!r}", hint=nearest(name, load()))
    if version is None:
        return load()[name]
    for known, source in reversed(pinned.items()):
        if known == version or known.startswith(f"{version}."):
            return source
    raise SourceError(
        f"{name} {version} is not pinned; pinned: {', '.join(pinned)}",
        where=TABLE.name,
        hint=f"to pin it: oxcross sources pin {name} {version} FILE-OR-URL",
    )


def pin(name: str, version: str, location: str, *, table: Path = TABLE) -> Source:
    """Pin the file at ``location`` (path or URL) as ``name`` ``version``: hash it and rewrite its row.

    A row of that name and version is replaced; else one is added that takes its licence and kind from
    another version. SourceError when the location cannot be read or the name is not known.
    """
    rows = [source for source in _rows(table) if source.name == name]
    if not rows:
        raise SourceError(f"there is no source {name!r}", hint=nearest(name, {s.name for s in _rows(table)}))
    like = next((source for source in rows if source.version == version), rows[-1])
    digest, size = _digest(location)
    url = location if "://" in location else None
    source = Source(
        name=name,
        version=version,
        filename=Path(unquote(urlsplit(location).path) if url else location).name,
        sha256=digest,
        size=size,
        licence=like.licence,
        kind=like.kind,
        upstream=(url,) if url else (),
        licence_files=like.licence_files,
        parts=tuple(replace(part, version="", stated_in="") for part in like.parts),
    )
    _rewrite(table, source)
    _rows.cache_clear()
    return source


@cache
def _rows(table: Path) -> tuple[Source, ...]:
    rows = tomllib.loads(table.read_text(encoding="utf-8"))["source"]
    return tuple(_source(row) for row in rows)


def _source(row: Mapping[str, Any]) -> Source:
    fields = dict(row)
    fields["upstream"] = tuple(fields.get("upstream", ()))
    fields["alternatives"] = tuple(Alternative(**other) for other in fields.get("alternatives", ()))
    fields["licence_files"] = tuple(fields.pop("licence-files", ()))
    fields["parts"] = tuple(map(_part, fields.get("parts", ())))
    return Source(**fields)


def _part(row: Mapping[str, Any]) -> Part:
    fields = {key.replace("-", "_"): value for key, value in row.items()}
    return Part(**{**fields, "licence_files": tuple(fields["licence_files"])})


def _version_key(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def _digest(location: str) -> tuple[str, int]:
    """SHA-256 (hex) and size in bytes of a file or of what an address answers."""
    digest, size = hashlib.sha256(), 0
    try:
        with closing(_open(location)) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except (OSError, ValueError) as error:  # urllib's errors are OSErrors
        raise SourceError(f"cannot be read: {error}", where=location) from error
    return digest.hexdigest(), size


def _open(location: str) -> IO[bytes]:
    if "://" not in location:
        return Path(location).open("rb")
    if urlsplit(location).scheme not in ("http", "https", "file"):
        raise SourceError("is neither a file nor an http(s) address", where=location)
    import urllib.request  # slow to import, and only needed here

    stream: IO[bytes] = urllib.request.urlopen(location, timeout=60)  # noqa: S310 (scheme checked above)
    return stream


def _rewrite(table: Path, source: Source) -> None:
    """Put the row of ``source`` in place of the old one, or after the last of its name."""
    head, *blocks = re.split(r"^(?=\[\[source\]\]$)", table.read_text(encoding="utf-8"), flags=re.MULTILINE)
    row = "\n".join(_row(source)) + "\n"
    same = [at for at, block in enumerate(blocks) if f'\nname = "{source.name}"\n' in block]
    exact = [at for at in same if f'\nversion = "{source.version}"\n' in blocks[at]]
    if exact:
        blocks[exact[0]] = row + ("\n" if exact[0] + 1 < len(blocks) else "")
    else:
        last = same[-1]
        blocks[last] = blocks[last].rstrip("\n") + "\n\n"
        blocks.insert(last + 1, row + ("\n" if last + 1 < len(blocks) else ""))
    fresh = table.with_name(f".{table.name}.new")
    fresh.write_text(head + "".join(blocks), encoding="utf-8")
    fresh.replace(table)


def _row(source: Source) -> Iterator[str]:
    yield "[[source]]"
    for key in _KEYS:
        if key != "licence_files" or source.licence_files:
            yield f"{key.replace('_', '-')} = {_toml(getattr(source, key))}"
    for part in source.parts:
        yield ""
        yield "[[source.parts]]"
        for key in ("name", "licence", "licence_files"):
            yield f"{key.replace('_', '-')} = {_toml(getattr(part, key))}"


def _toml(value: str | int | tuple[str, ...]) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
