"""What an executable's own headers say, and those of the native files inside, by its format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from oxcross import elf, macho, pack, pe
from oxcross.collect.libraries import LIBC_OWN
from oxcross.elf import Elf, ElfError
from oxcross.errors import InspectError
from oxcross.inspect import layout, macos, signed
from oxcross.inspect.locating import Locator
from oxcross.inspect.report import (
    Hardening,
    MacosFact,
    MacosHardening,
    SignatureFact,
    WindowsFact,
    WindowsHardening,
)
from oxcross.macho import Macho, MachoError
from oxcross.pack.format import LibraryFlag, ModuleFlag
from oxcross.pack.reader import Blob
from oxcross.pe import Pe, PeError

_SYSTEM = ("/usr/lib/", "/System/Library/")  # every macOS has what lies there


@dataclass(frozen=True, slots=True)
class Image:
    """The fields of a Report that depend on the executable's format; see there."""

    arch: str
    needed: tuple[str, ...]
    external: tuple[str, ...]
    hardening: Hardening | WindowsHardening | MacosHardening
    interpreter: str | None = None
    glibc: str | None = None
    glibc_embedded: str | None = None
    windows: WindowsFact | None = None
    macos: MacosFact | None = None


def of_elf(file: Elf, blob: Blob) -> Image:
    """An executable of Linux. Raises ElfError, and InspectError for a damaged file inside."""
    embedded = [one for _, one in _elves(blob)]
    provided = {library.soname for library in blob.libraries} | LIBC_OWN
    wanted = {name for one in embedded for name in one.needed}
    floors = [one.glibc for one in (file, *embedded) if one.glibc]
    return Image(
        arch=file.arch,
        needed=tuple(file.needed),
        external=tuple(sorted(wanted - provided)),
        hardening=Hardening(
            pie=file.pie,
            relro=bool(file.of_type(elf.PT_GNU_RELRO)),
            bind_now=file.bind_now,
            nx=_nx(file),
        ),
        interpreter=file.interpreter,
        glibc=_dotted(file.glibc),
        glibc_embedded=_dotted(max(floors, default=None)),
    )


def of_pe(file: Pe, blob: Blob, signature: SignatureFact | None) -> Image:
    """An executable of Windows. Raises PeError, and InspectError for a damaged file inside."""
    from oxcross.collect.dlls import known

    provided = {library.soname.lower() for library in blob.libraries}
    systems = {library.soname for library in blob.libraries if LibraryFlag.SYSTEMS in library.flags}
    external: set[str] = set()
    cached: list[str] = []
    mapped: list[str] = []
    for name, one in _dlls(blob):
        external |= {dll.dll.lower() for dll in one.imports} - provided
        (cached if one.has_variables or name in systems else mapped).append(name)
    return Image(
        arch=file.arch,
        needed=tuple(file.needed),
        external=tuple(sorted(name for name in external if not known().brings(name))),
        hardening=WindowsHardening(
            dynamic_base=file.allows(pe.DYNAMIC_BASE),
            high_entropy_va=file.allows(pe.HIGH_ENTROPY_VA),
            nx_compat=file.allows(pe.NX_COMPAT),
            write_xor_execute=not any(
                section.flags & pe.SCN_WRITE and section.flags & pe.SCN_EXECUTE for section in file.sections
            ),
            guard_cf=file.allows(pe.GUARD_CF) and bool(file.guard_flags),
        ),
        windows=WindowsFact(
            subsystem=file.subsystem,
            signed=file.signature != (0, 0),
            signature=signature,
            mapped=tuple(sorted(mapped)),
            cached=tuple(sorted(cached)),
        ),
    )


def of_macho(file: Macho, blob: Blob, locator: Locator) -> Image:
    """An executable of macOS. Raises MachoError, also for a signature that is not the file's, and InspectError for a damaged
    file inside.
    """
    provided = {library.soname for library in blob.libraries}
    external: set[str] = set()
    built = file.build.oldest if file.build else (0, 0, 0)
    inside = [built]
    for one in _machos(blob, file.header.cpu):
        external |= {dylib.name for dylib in one.dylibs if not dylib.name.startswith(_SYSTEM)}
        inside += [one.build.oldest] if one.build else []
    too_new = macos.too_new(file, built, macos.newer())
    return Image(
        arch=file.arch,
        needed=tuple(dylib.name for dylib in file.dylibs),
        external=tuple(sorted(name for name in external if name.rpartition("/")[2] not in provided)),
        hardening=MacosHardening(
            pie=file.pie,
            nx=not file.header.flags & macho.MH_ALLOW_STACK_EXECUTION,
            write_xor_execute=not any(
                kind & macho.VM_WRITE and kind & macho.VM_EXECUTE
                for segment in file.segments
                for kind in (segment.protection, segment.most)
            ),
        ),
        macos=MacosFact(
            built_for=macho.dotted(built),
            oldest=macho.dotted(max([built, *too_new.values()])),
            oldest_embedded=macho.dotted(max(inside)),
            too_new=tuple(f"{name} ({macho.dotted(since)})" for name, since in sorted(too_new.items())),
            uuid=file.uuid.hex() if file.uuid else "",
            signature=signed.look_macho(file),
            layout=tuple(layout.problems(file, locator)),
        ),
    )


def _native(blob: Blob) -> Iterator[tuple[str, memoryview]]:
    """Every file that the executable may load from memory, with the name it has."""
    refs = {row.code: row.name for row in blob.modules if ModuleFlag.EXTENSION in row.flags}
    refs |= {blob.nodes[row.node].data: row.soname for row in blob.libraries}
    for ref, name in refs.items():
        raw = ref.codec == pack.Codec.RAW
        yield name, blob.stored(ref) if raw else memoryview(blob.read(ref))


def _elves(blob: Blob) -> Iterator[tuple[str, Elf]]:
    for name, data in _native(blob):
        if not elf.is_elf(data):
            continue  # a file that is only called like a library
        try:
            one = Elf(data)
            _ = (one.needed, one.glibc)
        except ElfError as error:
            raise InspectError(f"damaged: {name}: {error}", where="blob section PAYLOAD") from error
        yield name, one


def _dlls(blob: Blob) -> Iterator[tuple[str, Pe]]:
    for name, data in _native(blob):
        if not pe.is_pe(data):
            continue
        try:
            one = Pe(data)
            _ = (one.imports, one.has_variables)
        except PeError as error:
            raise InspectError(f"damaged: {name}: {error}", where="blob section PAYLOAD") from error
        yield name, one


def _machos(blob: Blob, cpu: int) -> Iterator[Macho]:
    """Those for one machine, also out of fat files."""
    for name, data in _native(blob):
        if not macho.is_macho(data):
            continue
        try:
            ranges = [(0, len(data))]
            if macho.is_fat(data):
                ranges = [(one.offset, one.offset + one.size) for one in macho.slices(data) if one.cpu == cpu]
            for start, end in ranges:
                one = Macho(data[start:end])
                _ = (one.dylibs, one.build)
                yield one
        except MachoError as error:
            raise InspectError(f"damaged: {name}: {error}", where="blob section PAYLOAD") from error


def _nx(file: Elf) -> bool:
    stacks = file.of_type(elf.PT_GNU_STACK)
    writable = elf.PF_W | elf.PF_X
    return (
        bool(stacks)
        and not any(stack.flags & elf.PF_X for stack in stacks)
        and not any(load.flags & writable == writable for load in file.of_type(elf.PT_LOAD))
    )


def _dotted(version: tuple[int, ...] | None) -> str | None:
    return ".".join(map(str, version)) if version else None
