"""What an executable says of its content: its manifest and the licence texts, as they lie in it; of a fat file, each machine's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oxcross import pack
from oxcross.collect import licences
from oxcross.collect.licences import Notice
from oxcross.errors import InspectError
from oxcross.inspect.executable import mapped
from oxcross.inspect.locating import HINT, places
from oxcross.pack.reader import Blob


@dataclass(frozen=True, slots=True)
class Carried:
    """One machine's part. ``manifest`` is what ``oxcross.collect.settings`` made."""

    manifest: Mapping[str, Any]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class Executable:
    """An executable: the SHA-256 (lower-case hex) of the file, and what it carries for each machine, in the file's order."""

    sha256: str
    carried: tuple[Carried, ...]


def read(path: Path) -> Executable:
    """What the executable at ``path`` carries. UsageError for no file, InspectError for one that oxcross did not make, or that was
    damaged since.
    """
    data = mapped(path)
    view = memoryview(data)
    try:
        found = [
            _carried(Blob(view[place.start + place.blob.offset :][: place.blob.size]))
            for place in places(data, path)
        ]
    except InspectError as error:
        where = str(path) if error.where in (None, str(path)) else f"{path}: {error.where}"
        raise InspectError(error.message, where=where, hint=error.hint, page=error.page) from None
    return Executable(hashlib.sha256(view).hexdigest(), tuple(found))


def _carried(blob: Blob) -> Carried:
    pack.check(blob)
    known = blob.manifest.get("licences")
    if known is None:
        raise InspectError(
            "it was made by an oxcross that put no licences into executables", hint="build it again"
        )
    try:
        node = blob.node(known["file"])
        text = blob.read(node.data) if node else b""
        notices = tuple(licences.apart(text, known["sections"]))
    except (KeyError, TypeError, ValueError) as error:
        raise InspectError(f"damaged: its licences: {error}", hint=HINT) from error
    return Carried(blob.manifest, notices)
