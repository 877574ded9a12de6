"""NAME-VERSION-licenses.txt: the licence texts of all that is in a release's executables, out of these themselves."""

from __future__ import annotations

from oxcross.collect import licences
from oxcross.inspect import carried
from oxcross.publish.draft import Draft


def add(draft: Draft) -> None:
    """Add the texts, equal ones once, and their row as the manifest's "licenses". InspectError for a damaged executable."""
    notices = [
        notice
        for built in draft.artifacts
        for one in carried.read(built.path).carried
        for notice in one.notices
    ]
    content, _ = licences.document(licences.together(notices))
    draft.manifest["licenses"] = draft.add(f"{draft.name}-{draft.version}-licenses.txt", content)
