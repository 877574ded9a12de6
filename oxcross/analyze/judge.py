"""Holds what was found against the whole environment: what is embedded, left out, accepted."""

from __future__ import annotations

import posixpath
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from oxcross.analyze import licences
from oxcross.analyze.finding import Finding
from oxcross.analyze.rules import SEVERITIES, Rule, load
from oxcross.analyze.scan import Scanned
from oxcross.collect import distributions, dlls, libraries, names
from oxcross.project import Project
from oxcross.sources import Source
from oxcross.targets import Target

_INTERPRETER = "python"  # in place of a distribution: what is linked into every executable


@dataclass(frozen=True, slots=True)
class Told:
    """A finding as the user is told of it; ``path`` is that of a file of the project where it is one."""

    rule: Rule
    severity: str
    distribution: str
    path: str
    line: int
    subject: str
    code: str

    @property
    def place(self) -> str:
        """file:line."""
        return f"{self.path}:{self.line}" if self.line else self.path

    def document(self) -> dict[str, Any]:
        """For --json."""
        return {
            "rule": self.rule.id,
            "severity": self.severity,
            "distribution": self.distribution,
            "path": self.path,
            "line": self.line or None,
            "subject": self.subject,
            "code": self.code,
            "why": self.rule.why,
            "advice": self.rule.advice,
        }


def judge(scans: Sequence[Scanned], project: Project, target: Target, linked: Iterable[Source]) -> list[Told]:
    """All that is to be told, the gravest first, before what the user accepts is taken away."""
    court = _Court(scans, project, target)
    told = [*court.modules(), *court.libraries(), *court.licences(linked)]
    order = list(load().rules)
    places = {(one.rule.id, one.distribution, one.path, one.line): one for one in reversed(told)}
    return sorted(
        places.values(),
        key=lambda one: (
            SEVERITIES.index(one.severity),
            order.index(one.rule.id),
            one.distribution,
            one.path,
            one.line,
        ),
    )


class _Court:
    def __init__(self, scans: Sequence[Scanned], project: Project, target: Target) -> None:
        self._scans = scans
        self._project = project
        self._target = target
        self._windows = target.os == "windows"
        self._rules = load()
        self._tops = frozenset[str]().union(*(scanned.tops for scanned in scans))
        self._shared = [file for one in scans for file in one.shared if file.arch == target.arch]
        self._embedded = {file.soname for file in self._shared} | {
            posixpath.basename(file.path) for file in self._shared
        }

    def _tell(self, part: Scanned, rule: Rule, found: Finding, *, severity: str = "") -> Iterator[Told]:
        if rule.accepts(part.name, found.path):
            return
        quiet = found.soft or (part.name in self._rules.tools and rule.kind != "licence")
        grade = "note" if quiet else severity or rule.severity
        path = self._shown(found.path) if part.own else found.path
        yield Told(rule, grade, part.name, path, found.line, found.subject, found.code)

    def _shown(self, path: str) -> str:
        root = self._project.root
        return next((f"{folder}{path}" for folder in ("src/", "") if (root / folder / path).is_file()), path)

    # -- modules

    def modules(self) -> Iterator[Told]:
        """What the modules do."""
        missing: dict[tuple[str, Rule, str], tuple[Scanned, Finding]] = {}
        for part in self._scans:
            for found in part.findings:
                rule = self._rules.rules.get(found.rule) or self._rules.one("import")
                if rule.kind == "import":
                    if (absent := self._absent(found.subject)) is not None:
                        # Once for a module, at the place where it matters most.
                        key = part.name, absent, found.subject.partition(".")[0]
                        if key not in missing or (missing[key][1].soft and not found.soft):
                            missing[key] = part, found
                elif not self._is_there(part, rule, found):
                    grade = "warning" if rule.kind == "lacking" and part.own else ""
                    yield from self._tell(part, rule, found, severity=grade)
        for (_, absent, _), (part, found) in missing.items():
            yield from self._tell(part, absent, found, severity="warning" if part.own else "")

    def _absent(self, module: str) -> Rule | None:
        """The rule about a module that is not embedded; None when it is."""
        if self._is_left_out(module):
            return self._rules.one("absent")
        top = module.partition(".")[0]
        known = top in self._tops or top in self._rules.past or top in sys.stdlib_module_names
        return None if known else self._rules.one("import")

    def _is_left_out(self, module: str) -> bool:
        top = module.partition(".")[0]
        if top in self._tops:
            return any(f"{module}.".startswith(f"{name}.") for name in self._project.exclude_modules)
        return (
            top in self._rules.one("absent").modules
            or distributions.canonical(top) in self._project.exclude_packages
        )

    def _is_there(self, part: Scanned, rule: Rule, found: Finding) -> bool:
        """Whether what is asked for is embedded, so that nothing differs."""
        name = found.subject
        if rule.kind == "load":
            library = posixpath.basename(name)
            if self._windows:
                return library.lower() in self._embedded or dlls.known().brings(library.lower())
            return library in self._embedded or library in libraries.LIBC_OWN
        if (
            rule.kind == "lacking"
        ):  # others bring some of them: windows-curses has _curses, pyreadline3 readline
            return name in self._tops or f"_{name}" in self._tops
        if rule.kind == "child":
            top = name.partition(".")[0]
            return top not in rule.modules and (top in self._tops or top in sys.stdlib_module_names)
        if rule.kind == "relative":  # only of a file that is there is it known to be meant
            return not part.own or not (self._project.root / name).is_file()
        if rule.kind == "program":  # it runs from memory, where its run paths lead nowhere
            files = [file for file in self._shared if file.path == found.path]
            return not any(self._embedded.intersection(file.needed) for file in files)
        interpreter = self._project.interpreter
        return (name == "sys.frozen" and not interpreter.sys_frozen) or (
            name == "sys._MEIPASS" and interpreter.sys_meipass
        )

    # -- shared libraries

    def libraries(self) -> Iterator[Told]:
        """What the shared libraries need."""
        owners = {file.path: part for part in self._scans for file in part.shared}
        by_request = self._by_request()
        for name, users in self._missing().items():
            rule = self._rules.needed(name)
            if self._windows and dlls.known().is_runtime(name):
                rule = self._rules.one("needed-runtime")
            # Once in a distribution, where it matters most.
            first = {
                owners[path].name: path for path in sorted(users, key=lambda path: path not in by_request)
            }
            for path in first.values():
                grade = "warning" if rule.severity == "error" and path in by_request else ""
                yield from self._tell(owners[path], rule, Finding(path, 0, rule.id, name), severity=grade)
        allowed = tuple(map(int, self._project.glibc.split(".")))
        for file in self._shared:
            if file.glibc > allowed:
                rule, floor = self._rules.one("glibc"), ".".join(map(str, file.glibc))
                yield from self._tell(
                    owners[file.path], rule, Finding(file.path, 0, rule.id, f"glibc {floor}")
                )
            for folder in file.runpaths:
                if not folder.startswith(("$ORIGIN", "${ORIGIN}")):
                    rule = self._rules.one("runpath")
                    yield from self._tell(owners[file.path], rule, Finding(file.path, 0, rule.id, folder))

    def _missing(self) -> Mapping[str, Sequence[str]]:
        """The libraries that nobody has, with the files that need them."""
        if self._windows:
            return dlls.order(self._shared).missing
        fallback = {"libgcc_s.so.1": (), "libstdc++.so.6": ()} if self._target.runtime else {}
        return libraries.order(self._shared, fallback).missing

    def _by_request(self) -> set[str]:
        """The libraries that no extension module needs, itself or through others: plugins, programs."""
        named = {name: file for file in self._shared for name in (file.soname, posixpath.basename(file.path))}
        suffixes = self._target.extension_suffixes(self._target.soabi(self._project.python))
        waiting = [
            file
            for file in self._shared
            if names.of(file.path, suffixes) and not posixpath.basename(file.path).startswith("lib")
        ]
        reached: set[str] = set()
        while waiting:
            file = waiting.pop()
            if file.path not in reached:
                reached.add(file.path)
                waiting += [named[name] for name in file.needed if name in named]
        return {file.path for file in self._shared} - reached

    # -- licences

    def licences(self, linked: Iterable[Source]) -> Iterator[Told]:
        """What the licences ask: of distributions, of libraries that they carry, of what is linked in."""
        for part in self._scans:
            if part.own:
                continue
            if part.metadata and (rule := licences.applies(part.licence)):
                soft = licences.is_unclear(part.licence)
                yield from self._tell(part, rule, Finding(part.metadata, 0, rule.id, part.licence, soft=soft))
            for file in part.shared:
                name = posixpath.basename(file.path)
                if (licence := licences.of_library(name)) and (rule := licences.applies(licence)):
                    yield from self._tell(part, rule, Finding(file.path, 0, rule.id, licence))
        for source in linked:
            if rule := licences.applies(source.licence):
                # Linked in for good: nobody can replace it.
                severity = "warning" if rule.id == "lesser-gpl" else rule.severity
                where = f"{source.name} {source.version}"
                yield Told(rule, severity, _INTERPRETER, where, 0, source.licence, "")
