"""Reads any oxcross executable: its headers (images.py), its locator (locating.py), its blob."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from oxcross import pack, targets
from oxcross.elf import Elf, ElfError, is_elf
from oxcross.errors import InspectError, UsageError
from oxcross.inspect import images, signed
from oxcross.inspect.locating import HINT, Place, locate, places
from oxcross.inspect.report import BlobFact, Component, ModuleFact, Report
from oxcross.inspect.squeezed import groups
from oxcross.macho import UNIVERSAL2, Macho, MachoError, is_fat, is_macho
from oxcross.pack.format import VERSION, Key, ModuleFlag, NodeKind, Run
from oxcross.pack.reader import Blob, ModuleRow
from oxcross.pe import Pe, PeError

__all__ = ["inspect", "locate"]


def inspect(path: Path) -> Report:
    """All there is to know of the executable at ``path``; every table of its blob is checked.

    Raises UsageError when there is no such file, InspectError for a file that is no oxcross
    executable, and for a damaged one (it names the section).
    """
    data = mapped(path)
    found = places(data, path)
    view = memoryview(data)
    try:
        # Two digests, of the file and of the blob, on two processors: they are most of the time.
        with ThreadPoolExecutor(1) as pool:
            parts = [view[place.start : place.end] for place in found]
            digests = [pool.submit(_sha256, part) for part in parts]
            reports = [
                _inspect(path, digest, part, place)
                for digest, part, place in zip(digests, parts, found, strict=True)
            ]
        return _fat(reports, view) if is_fat(view) else reports[0]
    except (ElfError, PeError, MachoError) as error:
        raise InspectError(f"damaged: {error}", where=str(path), hint=HINT) from error
    except InspectError as error:
        where = f"{path}: {error.where}" if error.where else str(path)
        raise InspectError(error.message, where=where, hint=error.hint, page=error.page) from None


def _sha256(view: memoryview) -> str:
    return hashlib.sha256(view).hexdigest()


def mapped(path: Path) -> mmap.mmap:
    """The file in memory; unmapped when nothing looks into it any more."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=str(path)) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except ValueError as error:  # an empty file
        raise InspectError(
            "not an oxcross executable: it is empty", where=str(path), page="not-made-by-oxcross"
        ) from error


def _inspect(path: Path, digest: Future[str], view: memoryview, place: Place) -> Report:
    offset, size = place.blob.offset, place.blob.size
    blob = Blob(view[offset : offset + size])
    pack.check(blob)
    image = _image(view, path, blob, place)
    return _report(path, digest.result(), image, blob, view, place)


def _image(view: memoryview, path: Path, blob: Blob, place: Place) -> images.Image:
    if is_elf(view):
        return images.of_elf(Elf(view), blob)
    if is_macho(view):
        return images.of_macho(Macho(view), blob, place.blob)
    file = Pe(view)
    return images.of_pe(file, blob, signed.look(path, file))


def _fat(reports: list[Report], view: memoryview) -> Report:
    """The report of a fat file: the first one's of its executables, and all of them."""
    first, arches = reports[0], tuple(report.arch for report in reports)
    known = [target for target in targets.load().values() if target.arch == "universal2"]
    names = {report.target for report in reports}
    target = known[0] if known and arches == UNIVERSAL2 and len(names) > 1 else None
    return replace(
        first,
        size=len(view),
        sha256=_sha256(view),
        arch="universal2" if arches == UNIVERSAL2 else "+".join(arches),
        target=target.name if target else first.target,
        triple=target.triple if target else first.triple,
        needed=tuple(dict.fromkeys(name for report in reports for name in report.needed)),
        external=tuple(sorted({name for report in reports for name in report.external})),
        slices=tuple(reports),
    )


def _report(
    path: Path, sha256: str, image: images.Image, blob: Blob, view: memoryview, place: Place
) -> Report:
    manifest = blob.manifest
    modules = tuple(_module(row) for row in blob.modules)
    files = [node for node in blob.nodes if node.kind == NodeKind.FILE]
    compressed = groups(view[: place.blob.offset])
    libraries = _components(manifest, "libraries")
    distributions = _components(manifest, "distributions")
    texts = manifest.get("licences", {})
    kind, value = blob.setting(Key.RUN_KIND), blob.setting(Key.RUN_TARGET)
    return Report(
        path=str(path),
        size=len(view),
        sha256=sha256,
        app={key: str(manifest.get("app", {}).get(key, "")) for key in ("name", "version")},
        target=str(manifest.get("target", "")),
        triple=str(manifest.get("triple", "")),
        arch=image.arch,
        python=str(manifest.get("python", "")),
        oxcross=str(manifest.get("oxcross", "")),
        run={"kind": _run(kind.number if kind else 0), "target": value.text if value else ""},
        commands=dict(_commands(blob)),
        compressed=compressed,
        glibc=image.glibc,
        glibc_embedded=image.glibc_embedded,
        needed=image.needed,
        external=image.external,
        interpreter=image.interpreter,
        hardening=image.hardening,
        blob=BlobFact(VERSION, place.start + place.blob.offset, blob.size, blob.sha256),
        modules=modules,
        files=len(files),
        files_size=sum(node.data.size for node in files),
        shared_libraries=tuple(library.soname for library in blob.libraries),
        libraries=libraries,
        distributions=distributions,
        licences=tuple(sorted({one.licence for one in (*libraries, *distributions)})),
        licence_texts=len(texts.get("sections", ())),
        without_text=tuple(map(str, texts.get("lacking", ()))),
        windows=image.windows,
        macos=image.macos,
    )


def _module(row: ModuleRow) -> ModuleFact:
    if ModuleFlag.NAMESPACE in row.flags:
        kind = "namespace"
    elif ModuleFlag.EXTENSION in row.flags:
        kind = "linked" if ModuleFlag.LINKED in row.flags else "extension"
    else:
        kind = "package" if ModuleFlag.PACKAGE in row.flags else "source"
    return ModuleFact(
        row.name, row.path, kind, ModuleFlag.STDLIB in row.flags, row.code.size, row.code.stored
    )


def _components(manifest: dict[str, Any], key: str) -> tuple[Component, ...]:
    rows = manifest.get(key, [])
    return tuple(Component(str(row["name"]), str(row["version"]), str(row["licence"])) for row in rows)


def _run(number: int) -> str:
    return Run(number).name.lower().replace("_", "-") if number in Run._value2member_map_ else "?"


def _commands(blob: Blob) -> Iterator[tuple[str, dict[str, str]]]:
    for setting in blob.settings:
        if setting.key == Key.COMMAND:
            name, _, target = setting.text.partition("=")
            yield name, {"kind": _run(setting.number), "target": target}
