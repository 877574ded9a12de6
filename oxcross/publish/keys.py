"""How releases lie in a bucket: every key there is, and nothing about how they get there.

PREFIX/NAME/layout.json                        says that oxcross's releases lie here; it never changes
PREFIX/NAME/VERSION/FILE                       a release: created once, never changed; manifest.json is the last of it
PREFIX/NAME/channels/CHANNEL.json              the pointer of a channel: it changes, and latest/ after it
PREFIX/NAME/channels/CHANNEL/SHA256.json       every pointer there was, by its own digest
PREFIX/NAME/latest/CHANNEL/FILE                copies of what the channel points at, without the version in their names
PREFIX/NAME/yanked/VERSION.json                marks: nothing may point there any more
PREFIX/NAME/pruned/VERSION.json                the same, and its files are removed, or will be
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from oxcross.errors import PublishError

MANIFEST: Final = "manifest.json"
SUMS: Final = "SHA256SUMS"
LAYOUT: Final = "layout.json"
MARKER: Final = b'{"format": 1, "made-by": "oxcross"}\n'  # what is in it
SIGNATURES: Final = (".asc", ".sig", ".minisig", ".sigstore", ".sigstore.json")
_RESERVED: Final = ("channels", "latest", "yanked", "pruned", LAYOUT)
_PART: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")
_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Layout:
    """The keys of one program's releases. ``prefix`` is without slashes at its ends, "" the bucket's top."""

    prefix: str
    name: str

    @property
    def root(self) -> str:
        """What all keys begin with, slash included."""
        return f"{self.prefix}/{self.name}/" if self.prefix else f"{self.name}/"

    @property
    def layout(self) -> str:
        """The key of the object that says whose place this is."""
        return f"{self.root}{LAYOUT}"

    @property
    def channels(self) -> str:
        """What the keys of pointers begin with."""
        return f"{self.root}channels/"

    def version(self, version: str) -> str:
        """What the keys of a release begin with, slash included. PublishError for what cannot be a version."""
        if not _PART.fullmatch(version) or version in _RESERVED:
            raise PublishError(
                f"cannot be a version: {version!r}",
                hint="letters, digits, '.', '_', '+' and '-' only, and none of: " + ", ".join(_RESERVED),
            )
        return f"{self.root}{version}/"

    def file(self, version: str, name: str) -> str:
        """The key of a file of a release; ``name`` may have slashes."""
        if not _FILE.fullmatch(name):
            raise PublishError(
                f"cannot be published under this name: {name!r}",
                hint="letters, digits, '.', '_', '+' and '-' only, and no '.' at the beginning",
            )
        return self.version(version) + name

    def pointer(self, channel: str) -> str:
        """The key of a channel's pointer."""
        return f"{self.channels}{channel}.json"

    def history(self, channel: str, digest: str = "") -> str:
        """The key of a pointer that there was, by its SHA-256 (hex); what all of them begin with when that is ""."""
        return f"{self.channels}{channel}/{f'{digest}.json' if digest else ''}"

    def latest(self, channel: str = "") -> str:
        """What the keys of a channel's copies begin with, slash included; of all channels' when that is ""."""
        return f"{self.root}latest/{f'{channel}/' if channel else ''}"

    def yanked(self, version: str = "") -> str:
        """The key of the mark of a yanked version; what all of them begin with when that is ""."""
        return f"{self.root}yanked/{f'{version}.json' if version else ''}"

    def pruned(self, version: str = "") -> str:
        """The key of the mark of a version that was or will be removed; what all of them begin with."""
        return f"{self.root}pruned/{f'{version}.json' if version else ''}"

    def version_of(self, key: str) -> str:
        """The version that a key below ``root`` belongs to; "" when it is no release's."""
        first, slash, _ = key.removeprefix(self.root).partition("/")
        return first if slash and first not in _RESERVED and _PART.fullmatch(first) else ""


def is_digest(text: object) -> bool:
    """Whether that is a SHA-256 in lower-case hex."""
    return isinstance(text, str) and _DIGEST.fullmatch(text) is not None


def rank(name: str, *, artifact: bool) -> int:
    """When a file of a release is published: 0 first. manifest.json, which makes it complete, is the last."""
    if name == MANIFEST:
        return 4
    if name == SUMS:
        return 2
    if artifact:
        return 0
    return 3 if name.endswith(SIGNATURES) else 1


def is_signature(name: str) -> bool:
    """Whether that is a signature of SHA256SUMS or manifest.json, which SHA256SUMS cannot name."""
    return name in {f"{file}{suffix}" for file in (SUMS, MANIFEST) for suffix in SIGNATURES}


def varies(name: str) -> bool:
    """Whether that is a signature which is never the same twice, because a service confirmed its time."""
    return is_signature(name) and name.endswith(".sigstore.json")


def content_type(name: str) -> str:
    """The media type that a file is served with; the same on every machine, unlike mimetypes'."""
    if name == SUMS or name.endswith((".txt", ".asc", ".minisig", ".sh", ".ps1")):
        return "text/plain; charset=utf-8"
    for suffix, kind in _TYPES.items():
        if name.endswith(suffix):
            return kind
    return "application/octet-stream"


_TYPES: Final = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".zip": "application/zip",
    ".gz": "application/gzip",
}
