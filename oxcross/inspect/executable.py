"""Reads any oxcross executable: its headers (images.py), its locator, its blob."""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from oxcross import pack
from oxcross.elf import Elf, ElfError, is_elf
from oxcross.errors import InspectError, UsageError
from oxcross.inspect import images, signed
from oxcross.inspect.report import BlobFact, Component, ModuleFact, Report
from oxcross.inspect.squeezed import groups
from oxcross.pack.format import LOCATOR, LOCATOR_MAGIC, VERSION, Key, ModuleFlag, NodeKind, Run
from oxcross.pack.reader import Blob, ModuleRow
from oxcross.pe import Pe, PeError, is_pe

_HINT = "the file was changed or cut short after it was built: build or download it again"


def inspect(path: Path) -> Report:
    """All there is to know of the executable at ``path``; every table of its blob is checked.

    Raises UsageError when there is no such file, InspectError for a file that is no oxcross
    executable, and for a damaged one (it names the section).
    """
    data = _mapped(path)
    offset, size = locate(data, path)
    view = memoryview(data)
    try:
        blob = Blob(view[offset : offset + size])
        # Two digests, of the file and of the blob, on two processors: they are most of the time.
        with ThreadPoolExecutor(1) as pool:
            digest = pool.submit(lambda: hashlib.sha256(view).hexdigest())
            pack.check(blob)
            image = _image(view, path, blob)
            return _report(path, digest.result(), image, blob, view, offset)
    except (ElfError, PeError) as error:
        raise InspectError(f"damaged: {error}", where=str(path), hint=_HINT) from error
    except InspectError as error:
        where = f"{path}: {error.where}" if error.where else str(path)
        raise InspectError(error.message, where=where, hint=error.hint) from None


def _mapped(path: Path) -> mmap.mmap:
    """The file in memory; unmapped when nothing looks into it any more."""
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError as error:
        raise UsageError("there is no such file", where=str(path)) from error
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except ValueError as error:  # an empty file
        raise InspectError("not an oxcross executable: it is empty", where=str(path)) from error


def locate(data: mmap.mmap | bytes, path: Path) -> tuple[int, int]:
    """Offset and size of the blob in the file, from its locator.

    The first locator counts: the launcher comes first, and a blob may hold anything.
    """
    at = data.find(LOCATOR_MAGIC)
    if not (is_elf(data[:4]) or is_pe(data[:4])) or at < 0 or at + LOCATOR.size > len(data):
        raise InspectError("not an oxcross executable", where=str(path))
    _, address, size, offset, end = LOCATOR.unpack_from(data, at)
    if not address:
        raise InspectError("a launcher without a blob, not an executable", where=str(path))
    if len(data) < end or offset + size > len(data):
        raise InspectError(
            f"damaged: truncated ({len(data)} of {end} bytes are there)", where=str(path), hint=_HINT
        )
    return offset, size


def _image(view: memoryview, path: Path, blob: Blob) -> images.Image:
    if is_elf(view):
        return images.of_elf(Elf(view), blob)
    file = Pe(view)
    return images.of_pe(file, blob, signed.look(path, file))


def _report(
    path: Path, sha256: str, image: images.Image, blob: Blob, view: memoryview, offset: int
) -> Report:
    manifest = blob.manifest
    modules = tuple(_module(row) for row in blob.modules)
    files = [node for node in blob.nodes if node.kind == NodeKind.FILE]
    compressed = groups(view[:offset])
    libraries = _components(manifest, "libraries")
    distributions = _components(manifest, "distributions")
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
        blob=BlobFact(VERSION, offset, blob.size, blob.sha256),
        modules=modules,
        files=len(files),
        files_size=sum(node.data.size for node in files),
        shared_libraries=tuple(library.soname for library in blob.libraries),
        libraries=libraries,
        distributions=distributions,
        licences=tuple(sorted({one.licence for one in (*libraries, *distributions)})),
        windows=image.windows,
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
