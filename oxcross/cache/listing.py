"""What lies in the cache's bucket, told by the keys alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from oxcross.cache import remote, signing
from oxcross.cache.settings import Cache
from oxcross.publish.s3 import Bucket

_KINDS = {"steps": remote.STEPS, "blobs": remote.BLOBS, "sources": remote.SOURCES}


@dataclass(frozen=True)
class Kind:
    """How many objects of a kind there are."""

    entries: int
    size: int  # bytes


@dataclass(frozen=True)
class Named:
    """Who signed statements: the public key, where it is a trusted one."""

    name: str  # signing.short
    public: str  # "" when it is not trusted
    steps: int


@dataclass(frozen=True)
class Listed:
    """All of it."""

    place: str
    kinds: Mapping[str, Kind]
    signers: tuple[Named, ...]

    def document(self) -> dict[str, Any]:
        """For --json."""
        kinds = {name: asdict(kind) for name, kind in self.kinds.items()}
        signers = [
            {"signer": one.name, "trusted": bool(one.public), "steps": one.steps} for one in self.signers
        ]
        return {"place": self.place, "kinds": kinds, "signers": signers}


def listed(bucket: Bucket, settings: Cache) -> Listed:
    """What lies there. PublishError."""
    prefix = remote.key_prefix(settings)
    trusted = {signing.short(public): public for public in settings.trust}
    kinds = {}
    signers: Counter[str] = Counter()
    for name, folder in _KINDS.items():
        objects = list(bucket.objects(prefix + folder))
        kinds[name] = Kind(len(objects), sum(one.size for one in objects))
        if folder == remote.STEPS:
            signers.update(one.key.rpartition("/")[2].removesuffix(".json") for one in objects)
    named = tuple(Named(name, trusted.get(name, ""), count) for name, count in sorted(signers.items()))
    return Listed(bucket.where(prefix + remote.ROOT), kinds, named)
