"""What a release's statement (provenance.py) is about, and has to be about. It stands alone: whoever checks one loads nothing of what builds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from oxcross.publish import folder

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"


def subjects(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What a release's statement is about: each file that the manifest's artifacts name, and its SHA-256 (hex)."""
    return folder.rows({"artifacts": manifest["artifacts"]})


def claimed(document: object) -> dict[str, str] | None:
    """What a statement says that it is about; None when that is no statement of ours."""
    try:
        if document["_type"] != STATEMENT or document["predicateType"] != PREDICATE:  # type: ignore[index]
            return None
        return {one["name"]: one["digest"]["sha256"] for one in document["subject"]}  # type: ignore[index]
    except (LookupError, TypeError):
        return None
