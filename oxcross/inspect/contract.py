"""The contract that every executable of a target keeps; a build that breaks it is no build."""

from __future__ import annotations

from collections.abc import Iterator

from oxcross.collect.libraries import LIBC_OWN
from oxcross.errors import InspectError
from oxcross.inspect.report import Report
from oxcross.targets import Target


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
    if foreign := [name for name in report.needed if name not in LIBC_OWN]:
        yield f"it needs {', '.join(foreign)}, which not every system has"
    if target.libc == "glibc" and target.floor and _version(report.glibc) > _version(target.floor):
        yield f"it needs glibc {report.glibc}, newer than {target.floor}"
    hardening = report.hardening
    for kept, name in (
        (hardening.relro and hardening.bind_now, "full RELRO"),
        (hardening.nx, "a stack and data that cannot be executed"),
        (hardening.pie, "a position-independent image"),
    ):
        if not kept:
            yield f"it lacks {name}"


def _version(text: str | None) -> tuple[int, ...]:
    return tuple(map(int, text.split("."))) if text else ()
