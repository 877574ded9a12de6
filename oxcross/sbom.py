"""The bill of materials of an executable: CycloneDX 1.6 as JSON, made of what the executable itself says it holds.

The same executable gives the same bytes: there is no time in it, and its serial number comes of the executable's SHA-256. In one of
a file for several machines each thing stands once, where it is the same in all of them, and says which targets it is in.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from oxcross import __version__
from oxcross.collect.distributions import canonical
from oxcross.collect.licences import LAUNCHER

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType, Property
    from cyclonedx.model.component import Component
    from packageurl import PackageURL

    from oxcross.inspect.carried import Executable

# By what scanners know a library in lists of vulnerabilities: vendor and product (CPE 2.3). None where they know it otherwise.
_CPE: Mapping[str, str] = {
    "bzip2": "bzip:bzip2",
    "cpython": "python:python",
    "expat": "libexpat_project:libexpat",
    "libffi": "libffi_project:libffi",
    "libyaml": "pyyaml:libyaml",
    "musl": "musl-libc:musl",
    "ncurses": "gnu:ncurses",
    "openssl": "openssl:openssl",
    "sqlite": "sqlite:sqlite",
    "util-linux": "kernel:util-linux",
    "xz": "tukaani:xz",
    "zlib": "zlib:zlib",
    "zstd": "facebook:zstandard",
}
_OF_LAUNCHER = frozenset({"zstd", "compiler-rt", "glibc-start-files", "mingw-w64", "musl"})
_OF_EXTENSIONS = re.compile(r"libyaml|libc\+\+|libgcc-.*|libstdc\+\+-.*")
_DEB = re.compile(r"(?P<name>[^_]+)_(?P<version>[^_]+)_(?P<arch>[^_]+)\.deb")


@dataclass(slots=True)
class _Item:
    """A row of a manifest, and the targets in whose parts it stands so."""

    kind: str  # "library" | "distribution"
    row: Mapping[str, Any]
    own: bool = False  # the application's own distribution, which no index need have
    targets: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"{self.kind}:{self.row['name']}@{self.row['version']}"


def document(executable: Executable) -> bytes:
    """The bill of an executable, as the content of a ``.cdx.json`` file."""
    from cyclonedx.model import HashAlgorithm, HashType, Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output.json import JsonV1Dot6

    first = executable.carried[0].manifest
    bom = Bom(serial_number=uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{executable.sha256}"))
    tool = Component(name="oxcross", version=__version__, type=ComponentType.APPLICATION, bom_ref="tool")
    bom.metadata.tools.components.add(tool)
    application = Component(
        name=first["app"]["name"],
        version=first["app"]["version"],
        type=ComponentType.APPLICATION,
        bom_ref="application",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=executable.sha256)],
        properties=[
            Property(name=f"oxcross:{key}", value=str(one.manifest[key]))
            for one in executable.carried
            for key in ("target", "triple", "python", "oxcross")
        ],
    )
    bom.metadata.component = application
    items = _items(executable)
    components = {ref: _component(ref, item) for ref, item in items.items()}
    for component in components.values():
        bom.components.add(component)
    bom.register_dependency(application, [components[ref] for ref in _of_application(items)])
    for ref, item in items.items():
        bom.register_dependency(components[ref], [components[other] for other in _needs(item, items)])
    written = json.loads(JsonV1Dot6(bom).output_as_string())
    del written["metadata"]["timestamp"]
    return (json.dumps(written, indent=2, ensure_ascii=False) + "\n").encode()


def _items(executable: Executable) -> dict[str, _Item]:
    """All that is inside, by reference; what differs between two machines has two."""
    found: dict[str, _Item] = {}
    for one in executable.carried:
        target = str(one.manifest["target"])
        name = canonical(one.manifest["app"]["name"])
        for kind, rows in (
            ("library", one.manifest["libraries"]),
            ("distribution", one.manifest["distributions"]),
        ):
            for row in rows:
                own = kind == "distribution" and canonical(row["name"]) == name
                item = _Item(kind, row, own, [target])
                known = found.setdefault(item.base, item)
                if known is not item and known.row == row:
                    known.targets.append(target)
                elif known is not item:
                    found[f"{item.base}#{target}"] = item
    return found


def _component(ref: str, item: _Item) -> Component:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType

    row = item.row
    licence = str(row["licence"])
    properties: list[Property] = [Property(name="oxcross:target", value=target) for target in item.targets]
    return Component(
        name=row["name"],
        version=row["version"],
        type=ComponentType.LIBRARY,
        bom_ref=ref,
        licenses=[] if licence == "unknown" else [LicenseFactory().make_from_string(licence)],
        purl=_purl(item),
        cpe=_cpe(item),
        hashes=_hashes(item),
        external_references=_references(item),
        properties=properties,
    )


def _is_wheel(item: _Item) -> bool:
    return item.kind == "distribution" and item.row.get("source", {}).get("file", "").endswith(".whl")


def _hashes(item: _Item) -> list[HashType]:
    """Of a wheel, which is the distribution as it was given away; a source is not what became of it."""
    from cyclonedx.model import HashAlgorithm, HashType

    if not _is_wheel(item):
        return []
    return [HashType(alg=HashAlgorithm.SHA_256, content=item.row["source"]["sha256"])]


def _references(item: _Item) -> list[ExternalReference]:
    """The pinned source, with its SHA-256."""
    from cyclonedx.model import (
        ExternalReference,
        ExternalReferenceType,
        HashAlgorithm,
        HashType,
        XsUri,
    )

    source = item.row.get("source")
    if source is None or _is_wheel(item):
        return []
    return [
        ExternalReference(
            type=ExternalReferenceType.SOURCE_DISTRIBUTION,
            url=XsUri(source.get("url", source["file"])),
            comment=f"part of {source['part-of']}" if "part-of" in source else None,
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=source["sha256"])],
        )
    ]


def _purl(item: _Item) -> PackageURL | None:
    """The package URL: of the index, of Debian, or generic with the source's checksum and address."""
    from packageurl import PackageURL

    row, source = item.row, item.row.get("source", {})
    if item.own:
        return None
    if item.kind == "distribution":
        qualifiers = {"file_name": source["file"]} if source else {}
        return PackageURL("pypi", None, canonical(row["name"]), row["version"], qualifiers)
    if deb := _DEB.fullmatch(source.get("file", "")):
        return PackageURL("deb", "debian", deb["name"], deb["version"], {"arch": deb["arch"]})
    qualifiers = {}
    if source and "part-of" not in source:
        qualifiers = {"checksum": f"sha256:{source['sha256']}"}
        if "url" in source:
            qualifiers["download_url"] = source["url"]
    return PackageURL("generic", None, row["name"], row["version"], qualifiers)


def _cpe(item: _Item) -> str | None:
    known = _CPE.get(item.row["name"]) if item.kind == "library" else None
    if known is None:
        return None
    version = str(item.row["version"]).partition("+")[0]  # a snapshot's day is no part of what is listed
    return f"cpe:2.3:a:{known}:{version}:*:*:*:*:*:*:*"


def _of_application(items: Mapping[str, _Item]) -> Iterator[str]:
    """What the application itself stands on: the launcher, distributions that no other asks for, what only extension modules use."""
    asked = {other for item in items.values() for other in item.row.get("requires", ())}
    for ref, item in items.items():
        name = item.row["name"]
        if item.kind == "distribution" and name not in asked:
            yield ref
        if item.kind == "library" and (name == LAUNCHER or _OF_EXTENSIONS.fullmatch(name)):
            yield ref


def _needs(item: _Item, items: Mapping[str, _Item]) -> Iterable[str]:
    """What something inside needs of the rest."""
    name = item.row["name"]
    if item.kind == "distribution":
        wanted = {("distribution", other) for other in item.row.get("requires", ())}
    else:
        others = {one.row["name"] for one in items.values() if one.kind == "library"} - {LAUNCHER}
        own = {other for other in others if other in _OF_LAUNCHER}
        linked = {other for other in others - own - {"cpython"} if not _OF_EXTENSIONS.fullmatch(other)}
        found = {LAUNCHER: {*own, "cpython"}, "cpython": linked}.get(name, set())
        wanted = {("library", other) for other in found}
    return [
        ref
        for ref, one in items.items()
        if (one.kind, one.row["name"]) in wanted and set(one.targets) & set(item.targets)
    ]
