"""What manifest.json says: one model, of which each release carries the JSON Schema beside its manifest.

Readers take no offence at keys that they do not know: a later oxcross adds some, and the format stays 1. A key that is here keeps its meaning.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, StringConstraints, ValidationError

from oxcross.errors import PublishError
from oxcross.publish.draft import Draft

FORMAT: Final = 1
SCHEMA: Final = "manifest.schema.json"
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Digest = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-f]{64}$")]


def _key(name: str) -> str:
    """A field's name as the manifest spells it."""
    return name.replace("_", "-")


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=_key, use_attribute_docstrings=True)


class Row(_Part):
    """A file of the release."""

    file: StrictStr
    """Its name beside the manifest."""
    sha256: Digest
    """Its SHA-256, in lower-case hex."""
    size: Annotated[StrictInt, Field(ge=0)]
    """Its size in bytes."""


class Artifact(Row):
    """The executable for one platform."""

    target: StrictStr
    """The platform's name, such as linux-x64: no two artifacts have the same."""
    triple: StrictStr
    """The platform as compilers name it: x86_64-linux-gnu."""
    os: StrictStr
    """linux, windows or macos."""
    arch: StrictStr
    """x86_64, aarch64, or universal2 for both in one file."""
    libc: StrictStr
    """glibc, musl, ucrt or libsystem. What says musl is static, and runs beside any C library."""
    minimum: StrictStr | None = None
    """The oldest system that it runs on: the version of glibc, Windows or macOS. null: any."""
    python: StrictStr | None = None
    """The version of CPython inside."""
    glibc: StrictStr | None = None
    """The oldest glibc that it runs with; null where it needs none."""
    commands: tuple[StrictStr, ...] = ()
    """The programs inside: the first argument picks one, or the name of a link."""
    packages: tuple[Row, ...] = ()
    """What it was packed into for its system: for macOS .zip and .pkg."""
    archive: Row | None = None
    """A .tar.gz or .zip of it, with its licence."""
    sbom: Row | None = None
    """Its bill of materials (CycloneDX)."""


class Source(_Part):
    """The state of the sources in their version control."""

    commit: StrictStr
    """The commit's identifier."""
    dirty: bool
    """Whether files differed from it."""


class Build(_Part):
    """What it was built with, and of."""

    oxcross: StrictStr | None = None
    """oxcross's version."""
    python: StrictStr | None = None
    """The version of CPython inside."""
    lock: Digest | None = None
    """The SHA-256 of oxcross.lock, which names all requirements with their digests."""
    source: Source | None = None
    """The sources; null where no version control says."""


class Signature(_Part):
    """The key that SHA256SUMS and this manifest are signed with: SHA256SUMS.minisig, manifest.json.minisig."""

    public_key: StrictStr
    """As minisign takes it: the line of base64."""
    key_id: StrictStr | None = None
    """The key's number in hex, as minisign shows it."""


class Manifest(_Part):
    """A release: what there is of one version of a program, for which platforms, and the digest of each file."""

    schema_file: Annotated[StrictStr | None, Field(alias="$schema")] = None
    """The JSON Schema of this file, beside it."""
    format: Literal[1]
    """Raised when what is here changes its meaning; that there are more keys does not."""
    name: StrictStr
    """The program's."""
    version: StrictStr
    """Its version: what lies here is never changed."""
    artifacts: tuple[Artifact, ...]
    """The executables, by target."""
    licenses: Row | None = None
    """The licences of all that is inside, as text."""
    installers: tuple[Row, ...] = ()
    """Scripts that choose, download, check and install an executable: install.sh, install.ps1."""
    provenance: Row | None = None
    """How it was made (SLSA, in-toto)."""
    build: Build | None = None
    """What it was built with, and of."""
    signature: Signature | None = None
    """The key that it is signed with; without one there are no signatures that minisign reads."""


def check(document: dict[str, Any], where: str) -> Manifest:
    """A manifest as it was read. PublishError with the key that is wrong."""
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
        hint = "if a newer oxcross wrote it, update this one" if first["loc"] == ("format",) else None
        raise PublishError(f"{key.removeprefix('.')}: {first['msg']}", where=where, hint=hint) from None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a manifest."""
    schema = Manifest.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": _DIALECT, **schema, "title": "manifest.json of a release"}


def described(draft: Draft) -> None:
    """The addition that puts the schema beside the manifest, which names it first of all."""
    draft.add(SCHEMA, (json.dumps(json_schema(), indent=2) + "\n").encode())
    rest = dict(draft.manifest)
    draft.manifest.clear()
    draft.manifest.update({"$schema": SCHEMA, **rest})
