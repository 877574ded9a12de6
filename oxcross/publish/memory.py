"""What this user last saw of each channel, kept on this machine: a bucket that was put back to an earlier state cannot know of it.

A file a channel, below the user's folder for state (``$XDG_STATE_HOME/oxcross/channels``). Publishing goes on where it cannot be written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from oxcross import atomic
from oxcross.publish import keys
from oxcross.publish.keys import Layout
from oxcross.publish.pointer import Pointer
from oxcross.publish.settings import Publish


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The pointer that was last seen."""

    digest: str  # SHA-256 (hex)
    version: str
    sequence: int


def place(settings: Publish, layout: Layout, channel: str) -> Path:
    """The file for a channel."""
    whole = json.dumps([settings.endpoint, settings.bucket, layout.prefix, layout.name, channel])
    name = hashlib.sha256(whole.encode()).hexdigest()
    return user_state_path("oxcross") / "channels" / f"{name}.json"


def recall(settings: Publish, layout: Layout, channel: str) -> Memory | None:
    """What was last seen of a channel; None when nothing was, or the file is not ours."""
    try:
        document: dict[str, Any] = json.loads(place(settings, layout, channel).read_text(encoding="utf-8"))
        found = Memory(
            digest=document["pointer"],
            version=str(document["version"]),
            sequence=int(document["sequence"]),
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return found if keys.is_digest(found.digest) else None


def remember(settings: Publish, layout: Layout, pointer: Pointer, before: Container[str]) -> bool:
    """Keep a channel's pointer; ``before`` are the digests (hex) of those that came before it, as far as they are known.

    False, and what was seen stays, when that is neither the pointer itself nor one of these.
    """
    seen = recall(settings, layout, pointer.channel)
    if seen and seen.digest != pointer.digest and seen.digest not in before:
        return False
    if seen is None or seen.digest != pointer.digest:
        with suppress(OSError):
            _write(place(settings, layout, pointer.channel), settings, pointer)
    return True


def _write(path: Path, settings: Publish, pointer: Pointer) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "bucket": settings.bucket,
        "name": pointer.name,
        "channel": pointer.channel,
        "version": pointer.version,
        "sequence": pointer.sequence,
        "pointer": pointer.digest,
    }
    atomic.write(path, (json.dumps(document, indent=2) + "\n").encode(), 0o600)
