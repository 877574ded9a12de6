"""The contract that every executable of a target keeps; a build that breaks it is no build."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from oxcross.collect.libraries import LIBC_OWN
from oxcross.errors import InspectError
from oxcross.inspect import macos
from oxcross.inspect.report import Hardening, MacosFact, MacosHardening, Report, WindowsHardening
from oxcross.targets import Target

_WINDOWS = Path(__file__).with_name("windows.toml")


def check(report: Report, target: Target) -> None:
    """Raise InspectError with all that the executable of ``report`` breaks of ``target``'s contract.

    The blob itself was checked when the report was made.
    """
    broken = list(_broken(report, target))
    if broken:
        raise InspectError(
            "it breaks the contract of its target: " + "; ".join(broken),
            where=report.path,
            hint="this is a defect of oxcross or of the tool chain it was given: please report it",
        )


def _broken(report: Report, target: Target) -> Iterator[str]:
    if report.target != target.name:
        yield f"it is for {report.target or 'no target'}, not for {target.name}"
    if report.arch != target.arch:
        yield f"it is for {report.arch} machines, not {target.arch}"
    if report.slices:
        for one in report.slices:
            yield from (f"{one.arch}: {text}" for text in _broken_by_system(one, target))
    else:
        yield from _broken_by_system(report, target)


def _broken_by_system(report: Report, target: Target) -> Iterator[str]:
    if isinstance(report.hardening, MacosHardening):
        yield from _broken_on_macos(report, report.hardening, target)
    elif isinstance(report.hardening, WindowsHardening):
        yield from _broken_on_windows(report, report.hardening)
    else:
        yield from _broken_on_linux(report, report.hardening, target)


def _broken_on_linux(report: Report, hardening: Hardening, target: Target) -> Iterator[str]:
    if foreign := [name for name in report.needed if name not in LIBC_OWN]:
        yield f"it needs {', '.join(foreign)}, which not every system has"
    if target.libc == "glibc" and target.floor and _version(report.glibc) > _version(target.floor):
        yield f"it needs glibc {report.glibc}, newer than {target.floor}"
    for kept, name in (
        (hardening.relro and hardening.bind_now, "full RELRO"),
        (hardening.nx, "a stack and data that cannot be executed"),
        (hardening.pie, "a position-independent image"),
    ):
        if not kept:
            yield f"it lacks {name}"


def _broken_on_windows(report: Report, hardening: WindowsHardening) -> Iterator[str]:
    allowed = _allowed()
    if foreign := [
        name for name in report.needed if not any(fnmatchcase(name.lower(), one) for one in allowed)
    ]:
        yield f"it needs {', '.join(foreign)}, which an executable of oxcross has no use for"
    for kept, name in (
        (hardening.dynamic_base, "an image that can lie anywhere (DYNAMIC_BASE)"),
        (hardening.high_entropy_va, "an image that can lie anywhere in 64 bits (HIGH_ENTROPY_VA)"),
        (hardening.nx_compat, "data that cannot be executed (NX_COMPAT)"),
        (hardening.write_xor_execute, "sections that are either writable or executable"),
    ):
        if not kept:
            yield f"it lacks {name}"


def _broken_on_macos(report: Report, hardening: MacosHardening, target: Target) -> Iterator[str]:
    if foreign := [name for name in report.needed if name not in macos.allowed("dylibs")]:
        yield f"it needs {', '.join(foreign)}, which an executable of oxcross has no use for"
    if report.macos is not None:
        yield from _broken_facts(report.macos, target)
    for kept, name in (
        (hardening.pie, "a position-independent image"),
        (hardening.nx, "a stack that cannot be executed"),
        (hardening.write_xor_execute, "segments that are either writable or executable"),
    ):
        if not kept:
            yield f"it lacks {name}"


def _broken_facts(facts: MacosFact, target: Target) -> Iterator[str]:
    if target.floor and macos.version(facts.built_for) != macos.version(target.floor):
        yield f"it is made for macOS {facts.built_for}, not for {target.floor}"
    if facts.too_new:
        yield f"it needs macOS {facts.oldest}, newer than {facts.built_for}: {', '.join(facts.too_new)}"
    if facts.signature is None:
        yield "it lacks a signature"
    elif facts.signature.linker_signed:
        yield "its signature is that of a linker"
    yield from facts.layout


@cache
def _allowed() -> tuple[str, ...]:
    return tuple(tomllib.loads(_WINDOWS.read_text(encoding="utf-8"))["dlls"])


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(map(int, text.split("."))) if text else ()
