"""Installed distributions: their metadata, for the manifest, and what of it goes in."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser

# Facts of one installation, not of the distribution: they name this machine's paths and tools.
LOCAL_FILES = frozenset({"direct_url.json", "uv_cache.json", "uv_build.json", "REQUESTED", "INSTALLER"})
_METADATA = re.compile(r"[^/]+\.dist-info/METADATA")


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution that is inside: ``licence`` as its metadata says it (SPDX where it does)."""

    name: str
    version: str
    licence: str
    files: int
    requires: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "requires", tuple(self.requires))


def canonical(name: str) -> str:
    """The normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def is_metadata(path: str) -> bool:
    """Whether this is the file with a distribution's name and version."""
    return _METADATA.fullmatch(path) is not None


def describe(metadata: bytes, record: bytes = b"") -> Distribution:
    """The distribution of a METADATA file (core metadata specification) and its RECORD."""
    message = BytesHeaderParser().parsebytes(metadata)
    return Distribution(
        name=str(message.get("Name", "")),
        version=str(message.get("Version", "")),
        licence=_licence(message),
        files=len(record_paths(record)),
        requires=tuple(str(line) for line in message.get_all("Requires-Dist", [])),
    )


def _licence(message: Message) -> str:
    if expression := message.get("License-Expression"):
        return str(expression)
    classifiers = [str(value) for value in message.get_all("Classifier", [])]
    found = [value.rpartition(" :: ")[2] for value in classifiers if value.startswith("License ::")]
    text = str(message.get("License", "")).strip()
    if text and "\n" not in text and len(text) <= 100 and text != "UNKNOWN":
        return text
    return " AND ".join(found) or "unknown"


def record_paths(record: bytes) -> list[str]:
    """The paths in a RECORD file, relative to site-packages."""
    return [row[0] for row in csv.reader(io.StringIO(record.decode("utf-8", "replace"))) if row]


def cleaned_record(record: bytes, kept: Iterable[str]) -> bytes:
    """RECORD with the rows of ``kept`` paths only, sorted: no trace of where it was installed."""
    wanted = set(kept)
    rows = {
        posixpath.normpath(row[0]): row
        for row in csv.reader(io.StringIO(record.decode("utf-8", "replace")))
        if row and posixpath.normpath(row[0]) in wanted
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows[path] for path in sorted(rows))
    return out.getvalue().encode()


def console_scripts(entry_points: bytes) -> dict[str, str]:
    """The programs that installers generate from entry_points.txt: ``module:function`` by name."""
    scripts: dict[str, str] = {}
    inside = False
    for line in entry_points.decode("utf-8", "replace").splitlines():
        text = line.strip()
        if text.startswith("["):
            inside = text in ("[console_scripts]", "[gui_scripts]")
        elif inside and "=" in text:
            name, _, target = text.partition("=")
            scripts[name.strip()] = target.partition("[")[0].strip()
    return scripts


def record(files: Mapping[str, bytes], information: str) -> bytes:
    """RECORD for ``files``, sorted."""
    own = f"{information}/RECORD"
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for path in sorted({*files, own}):
        if path == own:
            rows.writerow([path, "", ""])
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(files[path])])
    return out.getvalue().encode()
