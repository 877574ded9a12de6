"""What a builder says of a step: which tree it made, and which archive that tree is packed in. Signed.

A document is the statement's fields, ``signer`` (its public key) and ``signature``, which is over all the other fields and what
they are for, so that nothing that the key signs elsewhere, and no statement about another step, can be taken for it.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from oxcross.cache import signing
from oxcross.cache.signing import Signer

FORMAT: Final = 1
MOST: Final = 16_384  # bytes of a document
LARGEST: Final = 16 << 30  # bytes of a tree or an archive
_MOST_PATHS: Final = 1_000_000
_CONTEXT: Final = b"oxcross cache statement\n"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Untrue(Exception):
    """The document, or what it leads to, is not what it should be; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """The tree that the step ``key`` made, and where it is."""

    key: str
    name: str  # for people; another project may call the same step otherwise
    digest: str  # of the tree (trees.digest)
    size: int  # bytes of content
    paths: int  # files, folders and links
    archive: str  # SHA-256
    archive_size: int

    def signed(self, signer: Signer) -> bytes:
        """The document. The same statement by the same key is the same bytes."""
        signature = signer.sign(self._content(signer.public))
        document = {**self._fields(signer.public), "signature": signature}
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()

    def _fields(self, public: str) -> dict[str, Any]:
        return {**asdict(self), "format": FORMAT, "signer": public}

    def _content(self, public: str) -> bytes:
        text = json.dumps(self._fields(public), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return _CONTEXT + text.encode()


def read(document: bytes, key: str, public: str) -> Statement:
    """The statement of that public key about the step ``key``. Untrue when it is not one."""
    try:
        fields = json.loads(document)
    except (ValueError, RecursionError):
        raise Untrue("it is no JSON") from None
    if not isinstance(fields, dict):
        raise Untrue("it is no statement")
    version = fields.pop("format", None)
    if type(version) is not int or version != FORMAT:
        raise Untrue("it is written in another format")
    signature, signer = fields.pop("signature", None), fields.pop("signer", None)
    if signer != public or not isinstance(signature, str):
        raise Untrue("another key signed it")
    statement = _statement(fields)
    if not signing.verified(statement._content(public), signature, public):  # noqa: SLF001 (of this module)
        raise Untrue("its signature does not fit")
    if statement.key != key:
        raise Untrue("it is about another step")
    return statement


def _statement(fields: dict[str, Any]) -> Statement:
    numbers = {"size": LARGEST, "archive_size": LARGEST, "paths": _MOST_PATHS}
    digests = ("key", "digest", "archive")
    if fields.keys() != {"name", *digests, *numbers}:
        raise Untrue("it has other fields than a statement")
    for field in digests:
        if not isinstance(fields[field], str) or not _DIGEST.fullmatch(fields[field]):
            raise Untrue(f"{field} is no SHA-256")
    for field, most in numbers.items():
        if type(fields[field]) is not int or not 0 <= fields[field] <= most:
            raise Untrue(f"{field} is no size")
    if not isinstance(fields["name"], str):
        raise Untrue("name is no text")
    return Statement(**fields)
