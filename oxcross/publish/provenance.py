"""How a release was made, as an in-toto statement with SLSA's predicate: what was asked for, what went in, and who says so.

It has no time and no number of a run: the same commit, lock and builder give the same bytes. Nobody but this machine attests it, so it claims
Build L1 and no more. It is signed by being named in SHA256SUMS. Source: in-toto.io/Statement/v1, slsa.dev/provenance/v1.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from oxcross import __version__
from oxcross.collect import lockfile, requirements
from oxcross.collect.resolve import Resolution, known, resolve
from oxcross.plan import Folder, Pinned, Plan
from oxcross.project import Project
from oxcross.publish import revision
from oxcross.publish.draft import Addition, Draft
from oxcross.publish.revision import Revision
from oxcross.publish.subjects import PREDICATE, STATEMENT, subjects
from oxcross.sdist import IndexFile
from oxcross.store import Store
from oxcross.wanted import parts, row, steps

BUILD_TYPE: Final = "urn:oxcross:release:v1"
LOCAL: Final = "urn:oxcross:local"  # who builds, when that is no service
CLAIM: Final = (
    "SLSA Build L1: the builder itself says how this was made, and nobody else attests it. More is only what a hosted builder's own "
    "signed attestation says."
)

Json = dict[str, Any]


def addition(projects: Sequence[Project], store: Store) -> Addition:
    """What adds the statement to a release of a project, built for these targets. Its place in the order: behind all that
    adds rows to the manifest's artifacts.
    """

    def add(draft: Draft) -> None:
        name = f"{draft.name}-{draft.version}.provenance.json"
        document = statement(draft, projects, store)
        content = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        draft.manifest["provenance"] = draft.add(name, content.encode())

    return add


def released(manifest: Mapping[str, Any], place: Path) -> Addition:
    """What adds the statement of a release that is built again: who made it says that, and not who compares."""

    def add(draft: Draft) -> None:
        if "provenance" in manifest:
            name = str(manifest["provenance"]["file"])
            draft.manifest["provenance"] = draft.add(name, place / name)

    return add


def statement(draft: Draft, projects: Sequence[Project], store: Store) -> Json:
    """The statement about what a draft holds so far."""
    first = projects[0]
    found = subjects(draft.manifest)
    return {
        "_type": STATEMENT,
        "subject": [{"name": file, "digest": {"sha256": found[file]}} for file in sorted(found)],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "project": {"name": first.name, "version": first.version},
                    "configuration": {first.pyproject.name: {"sha256": _sha256(first.pyproject)}},
                    "targets": [{"target": one.target, "python": one.python} for one in projects],
                },
                "internalParameters": {"oxcross": __version__},
                "resolvedDependencies": _dependencies(projects, store),
            },
            "runDetails": {"builder": {"id": builder(os.environ), "version": {"oxcross": __version__}}},
            "oxcross_claim": CLAIM,
        },
    }


def builder(environment: Mapping[str, str]) -> str:
    """Who builds: the workflow, where GitHub runs it; else nobody that could be named."""
    workflow = environment.get("GITHUB_WORKFLOW_REF", "")
    if environment.get("GITHUB_ACTIONS") != "true" or not workflow:
        return LOCAL
    return f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{workflow}"


def _dependencies(projects: Sequence[Project], store: Store) -> list[Json]:
    """The project's own source first, then what else went in, each once."""
    root = projects[0].root
    found: list[Json] = []
    if (source := revision.current(root)) is not None:
        found.append(_source(source, revision.address(root)))
    lock = root / lockfile.NAME
    if lock.is_file():
        found.append({"name": lockfile.NAME, "digest": {"sha256": _sha256(lock)}})
    several: list[Json] = []
    for project in parts(projects):
        target = row(project, store)
        resolution = known(project, target, store) or resolve(project, target, store)
        several += _distributions(resolution)
        plan = Plan.of(steps(project, store, resolution.built))
        several += [_pinned(source) for step in plan for source in step.sources]
        several += [
            {"name": name, "digest": {"oxcrossFolder": value.sha256}}
            for step in plan
            for name, value in step.inputs.items()
            if isinstance(value, Folder)
        ]
    once = {json.dumps(one, sort_keys=True): one for one in several}
    return found + [once[text] for text in sorted(once)]


def _source(source: Revision, address: str) -> Json:
    return {
        "name": "source",
        **({"uri": f"git+{address}"} if address else {}),
        "digest": {"gitCommit": source.commit},
        "annotations": {"modified": source.dirty},
    }


def _pinned(source: Pinned) -> Json:
    """A source that a step reads. Where it was fetched from is not said: its bytes are the same everywhere."""
    return {
        "name": source.filename,
        "uri": _purl("generic" if source.kind in ("archive", "deb") else "pypi", source.name, source.version),
        "digest": {"sha256": source.sha256},
    }


def _distributions(resolution: Resolution) -> Iterable[Json]:
    for line in resolution.lines:
        if (
            name := requirements.name_of(line)
        ) is not None:  # else an option, such as the address of an index
            yield _distribution(name, line)
    for sdist in resolution.built:
        files: tuple[IndexFile, ...] = (sdist.file, *sdist.wheels)
        yield from map(_pinned, files)
    for local in resolution.local:
        digest = {"digest": {"sha256": _sha256(local.path)}} if local.path.is_file() else {}
        yield {"name": local.path.name, **digest}


def _distribution(name: str, line: str) -> Json:
    """A line of the lock, whose hashes are those of all files of that version that may be taken."""
    pinned, *hashes = (word.strip() for word in line.split("--hash="))
    version = pinned.partition(";")[0].partition("==")[2].strip()
    found: Json = {"name": name, "uri": _purl("pypi", name, version)}
    digests = [one.removeprefix("sha256:") for one in hashes if one.startswith("sha256:")]
    if len(digests) == 1:
        found["digest"] = {"sha256": digests[0]}
    elif digests:
        found["annotations"] = {"oneOfSha256": sorted(digests)}
    return found


def _purl(kind: str, name: str, version: str) -> str:
    """A package's address (github.com/package-url/purl-spec)."""
    return f"pkg:{kind}/{quote(name, safe='')}" + (f"@{quote(version, safe='')}" if version else "")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
