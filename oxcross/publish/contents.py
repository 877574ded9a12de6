"""What a release holds besides the executables, and who signs it: the one list of it, in order."""

from __future__ import annotations

from collections.abc import Callable

from oxcross.project import Project
from oxcross.publish.draft import Addition, Signing


def additions(project: Project, statement: Addition) -> list[Addition]:
    """What is added to the project's releases, in the order in which it is made. ``statement``: provenance.py's, which says how."""
    from oxcross.publish import buildinfo, licences, manifest, sbom, signing
    from oxcross.publish.archives import Archives
    from oxcross.publish.installers import Installers

    return [
        licences.add,
        sbom.add,
        Archives(project),
        signing.stated(project.release.sign),
        Installers(project),
        buildinfo.addition(project),
        statement,
        manifest.described,
    ]


def signing(project: Project, notice: Callable[[str], None]) -> list[Signing]:
    """What SHA256SUMS and manifest.json are signed with. ConfigError when that cannot be used."""
    from oxcross.publish import identity
    from oxcross.publish import signing as signatures

    found = []
    if (wanted := project.release.sign) is not None:
        found.append(signatures.signer(wanted, project.name, project.version, notice))
    if (signer := identity.signer(project.release.sigstore, notice)) is not None:
        found.append(signer)
    return found
