"""NAME-VERSION-TARGET.cdx.json: the bill of materials of each executable of a release."""

from __future__ import annotations

from oxcross import sbom
from oxcross.inspect import carried
from oxcross.publish.draft import Draft


def add(draft: Draft) -> None:
    """Add a bill for each executable, and its row as "sbom" of the executable's. InspectError for a damaged executable."""
    for built, row in draft.pairs():
        content = sbom.document(carried.read(built.path))
        row["sbom"] = draft.add(f"{draft.name}-{draft.version}-{built.target}.cdx.json", content)
