"""What `oxcross inspect` tells of an executable: plain data, as JSON and as text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ModuleFact:
    """A module inside; ``size`` is its code when decoded, ``stored`` what it takes, in bytes."""

    name: str
    path: str
    kind: str  # source | package | extension | linked | namespace
    stdlib: bool
    size: int
    stored: int


@dataclass(frozen=True, slots=True)
class Component:
    """Something of others that is inside: a library or a distribution, with its licence (SPDX)."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True, slots=True)
class Hardening:
    """How the executable is protected; see ``contract.py`` for what is demanded."""

    pie: bool
    relro: bool
    bind_now: bool
    nx: bool  # no stack that can be executed, no segment that is writable and executable


@dataclass(frozen=True, slots=True)
class WindowsHardening:
    """The same of an executable of Windows: the flags of its header, and no section that is writable and executable."""

    dynamic_base: bool  # ASLR
    high_entropy_va: bool  # with all of the 64 bits
    nx_compat: bool  # DEP
    write_xor_execute: bool
    guard_cf: bool  # Control Flow Guard


@dataclass(frozen=True, slots=True)
class MacosHardening:
    """The same of an executable of macOS: the flags of its header, and no segment that is, or can become, both."""

    pie: bool
    nx: bool  # no stack that can be executed
    write_xor_execute: bool


@dataclass(frozen=True, slots=True)
class SignatureFact:
    """A signature that is that of the file. ``trusted``: this machine's authorities vouch for it."""

    subject: str
    issuer: str
    timestamp: bool  # whether a server confirmed the time
    trusted: bool


@dataclass(frozen=True, slots=True)
class WindowsFact:
    """What only executables of Windows have. ``signature`` is known where osslsigncode is. ``mapped`` and ``cached`` are the
    extension modules and DLLs inside: those that are loaded from memory, and those that have static thread-local storage,
    for which Windows itself must load them, from a file in the user's cache.
    """

    subsystem: str  # "console" | "windows"
    signed: bool
    signature: SignatureFact | None
    mapped: tuple[str, ...]
    cached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeSignatureFact:
    """A signature of macOS that is that of the file. ``adhoc``: it names nobody. ``cdhash``: what macOS knows the file by."""

    identifier: str
    adhoc: bool
    linker_signed: bool
    cdhash: str


@dataclass(frozen=True, slots=True)
class MacosFact:
    """What only executables of macOS have. ``built_for`` is the oldest macOS by the header; ``oldest`` the one that has all the
    symbols, too, of which ``too_new`` lists those that the former lacks; ``oldest_embedded`` also that for every library
    inside. ``layout``: what is wrong with where its parts lie.
    """

    built_for: str
    oldest: str
    oldest_embedded: str
    too_new: tuple[str, ...]
    uuid: str
    signature: CodeSignatureFact | None
    layout: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlobFact:
    """The blob: where it lies in the file, and the digest that it carries and that was verified."""

    version: int
    offset: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Report:
    """An executable. Sizes in bytes; digests are SHA-256, lower-case hex.

    ``run`` and each of ``commands``: what runs, as ``kind`` and ``target``.
    ``compressed``: the parts of its program code that are stored compressed. ``glibc`` is the oldest glibc that starts the
    executable, ``glibc_embedded`` the oldest that also loads every library inside (None: no glibc is
    needed). ``licence_texts`` is how many different ones there are, ``without_text`` what came without one. ``external`` are libraries that something inside asks for and the system must have. ``slices`` are the executables
    in a fat file (macOS), whose own facts are those of the first one.
    """

    path: str
    size: int
    sha256: str
    app: dict[str, str]
    target: str
    triple: str
    arch: str
    python: str
    oxcross: str
    run: dict[str, str]
    commands: dict[str, dict[str, str]]
    compressed: tuple[str, ...]
    glibc: str | None
    glibc_embedded: str | None
    needed: tuple[str, ...]
    external: tuple[str, ...]
    interpreter: str | None
    hardening: Hardening | WindowsHardening | MacosHardening
    blob: BlobFact
    modules: tuple[ModuleFact, ...]
    files: int
    files_size: int
    shared_libraries: tuple[str, ...]
    libraries: tuple[Component, ...]
    distributions: tuple[Component, ...]
    licences: tuple[str, ...]
    licence_texts: int
    without_text: tuple[str, ...]
    windows: WindowsFact | None = None
    macos: MacosFact | None = None
    slices: tuple[Report, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def render_text(self) -> str:
        """For people: the facts, and what takes the most room."""
        hardening = asdict(self.hardening)
        code = sum(module.stored for module in self.modules)
        biggest = sorted(self.modules, key=lambda module: -module.stored)[:10]
        rows = [
            ("executable", f"{self.path} ({_megabytes(self.size)})"),
            ("sha256", self.sha256),
            (
                "application",
                f"{self.app['name']} {self.app['version']}, runs {self.run['kind']} {self.run['target']}".rstrip(),
            ),
            *(("command", f"{name}: {run['kind']} {run['target']}") for name, run in self.commands.items()),
            ("target", f"{self.target} ({self.triple})"),
            ("python", f"{self.python}, put together by oxcross {self.oxcross}"),
            *self._system(),
            ("needs", ", ".join(self.needed) or "nothing"),
            (
                "program code",
                f"compressed: {', '.join(self.compressed)}" if self.compressed else "mapped as it is",
            ),
            ("hardening", ", ".join(name for name, on in hardening.items() if on) or "none"),
            ("blob", f"{_megabytes(self.blob.size)} at {self.blob.offset}, {self.blob.sha256}"),
            ("modules", f"{len(self.modules)}, {_megabytes(code)}"),
            ("files", f"{self.files}, {_megabytes(self.files_size)}"),
        ]
        lacking = f", none of {', '.join(self.without_text)}" if self.without_text else ""
        rows.append(("licence texts", f"{self.licence_texts}{lacking}"))
        if linked := [module.name for module in self.modules if module.kind == "linked"]:
            rows.append(("linked in", ", ".join(linked)))
        if self.external:
            rows.append(("from the system", ", ".join(self.external)))
        if self.windows and self.windows.cached:
            rows.append(("cached as files", ", ".join(self.windows.cached)))
        lines = [f"{name:<16}{text}" for name, text in rows]
        lines += _table("libraries", self.libraries) + _table("distributions", self.distributions)
        lines += ["", "largest modules"]
        lines += [f"  {_megabytes(module.stored):>10}  {module.name}" for module in biggest]
        return "\n".join(lines) + "\n"

    def _system(self) -> list[tuple[str, str]]:
        """What its system asks of it, and it of its system."""
        if self.macos is not None:
            return _macos(self.macos, self.slices)
        if self.windows is None:
            inside = self.glibc_embedded or "none"
            return [("glibc", f"{self.glibc or 'none'} to start, {inside} for all that is inside")]
        signature = self.windows.signature
        if not self.windows.signed:
            text = "no"
        elif signature is None:
            text = "yes; osslsigncode, which can tell by whom, is not on this machine"
        else:
            text = f"by {signature.subject}, for whom {signature.issuer} vouches"
            text += ", with a confirmed time" if signature.timestamp else ""
            text += "" if signature.trusted else " (no authority that this machine knows)"
        return [("subsystem", self.windows.subsystem), ("signed", text)]


def _macos(facts: MacosFact, slices: Iterable[Report]) -> list[tuple[str, str]]:
    rows = [
        ("macOS", f"{facts.oldest} to start, {facts.oldest_embedded} for all that is inside"),
        ("signed", _signed(facts.signature)),
    ]
    rows += [("slice", f"{one.arch} ({_megabytes(one.size)})") for one in slices]
    return rows + [("layout", text) for text in facts.layout]


def _signed(signature: CodeSignatureFact | None) -> str:
    if signature is None:
        return "no: macOS does not start it on arm64"
    kind = "ad hoc, which names nobody" if signature.adhoc else "with a certificate"
    return f"{kind}; as {signature.identifier}, cdhash {signature.cdhash}"


def _table(title: str, components: Iterable[Component]) -> list[str]:
    rows = [f"  {one.name:<24} {one.version:<14} {one.licence}" for one in components]
    return ["", title, *rows] if rows else []


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
