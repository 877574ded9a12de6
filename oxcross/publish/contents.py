"""What a release holds besides the executables, and who signs it: the one list of it, in order."""

from __future__ import annotations

from oxcross.project import Project
from oxcross.publish import buildinfo, licences, sbom
from oxcross.publish.draft import Addition, Signing


def additions(project: Project) -> list[Addition]:
    """What is added to the project's releases, in the order in which it is made."""
    return [licences.add, sbom.add, buildinfo.addition(project)]


def signing(project: Project) -> list[Signing]:
    """What SHA256SUMS and manifest.json are signed with."""
    del project
    return []
