"""What only executables for Windows ask of their resources: names that it can have, and the table of DLLs.

Source of the rules for names: "Naming Files, Paths, and Namespaces", Microsoft's documentation of Win32.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from oxcross.collect import distributions, dlls
from oxcross.collect.libraries import Shared
from oxcross.errors import CollectError
from oxcross.pack.codec import decode
from oxcross.pack.resources import Resources
from oxcross.project import Project

_FORBIDDEN = re.compile(
    r"""(?ix)(?:^|/)(?:
    (?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9¹²³])[ ]*(?:\.[^/]*)?  # devices, whatever the suffix
    |[^/]*[<>:"|?*\\\x00-\x1f][^/]*
    |[^/]*[.\ ]  # what Windows takes away
    )(?=/|$)"""
)
_SHOWN = 5  # places of a kind that an error names


def check(resources: Resources, project: Project) -> list[str]:
    """Leave out data files whose names Windows cannot have; a warning for each such name.

    Raises CollectError for modules of such names, and for paths that differ in upper and lower case only: Windows takes
    them for one.
    """
    bad = {path: wrong for path in _paths(resources) if (wrong := _wrong(path))}
    code = [module.path for module in resources.modules.values() if module.path in bad]
    if code:
        raise CollectError(
            f"Windows cannot have files of these names: {_some(code)}",
            where=str(project.pyproject),
            hint="rename them, or leave them out (exclude-modules, exclude-packages)",
        )
    for path in bad:
        resources.files.pop(path, None)
        resources.directories.discard(path)
    if twins := _twins(_paths(resources)):
        raise CollectError(
            "Windows takes paths for one that differ in upper and lower case only: "
            + _some(f"{one} and {other}" for one, other in twins),
            where=str(project.pyproject),
            hint="rename one of them, or leave it out (exclude-modules, exclude-packages)",
        )
    left_out = dict.fromkeys(bad.values())
    return [f"{path}: Windows can have no file or folder of that name: it is left out" for path in left_out]


def _paths(resources: Resources) -> Iterator[str]:
    yield from (module.path for module in resources.modules.values())
    yield from resources.files
    yield from resources.directories


def _wrong(path: str) -> str | None:
    """The beginning of a path whose last name is one that Windows cannot have."""
    found = _FORBIDDEN.search(path)
    return path[: found.end()] if found else None


def _twins(paths: Iterable[str]) -> dict[tuple[str, str], None]:
    """The pairs of files or folders that are one on Windows; of folders not what is in them, too."""
    known: dict[str, str] = {}
    twins: dict[tuple[str, str], None] = {}
    for path in sorted(set(paths)):
        pair: tuple[str, str] | None = None
        part = path
        while part and (same := known.setdefault(part.lower(), "")) != part:
            if same:
                pair = same, part
            else:
                known[part.lower()] = part
            part = part.rpartition("/")[0]
        if pair:
            twins[pair] = None
    return twins


def _some(texts: Iterable[str]) -> str:
    every = sorted(texts)
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more


def add_libraries(resources: Resources, shared: Sequence[Shared]) -> list[str]:
    """Put all embedded DLLs into the table; warnings for those that are asked for and that nobody provides.

    Of what plugins and programs ask for only Microsoft's run time is told: `oxcross analyze` tells the rest.
    """
    embedded = dlls.order(shared)
    for library in embedded.libraries:
        resources.add_library(library)
    known = dlls.known()
    reached = dlls.reached(shared)
    loaded = {file.path for file in shared if not file.program}
    found = []
    for name, users in embedded.missing.items():
        runtime = known.is_runtime(name)
        user = next((path for path in users if path in (loaded if runtime else reached)), None)
        if user is None:
            continue
        owner = _owner(resources, user)
        needed = f"{name}: needed by {user}{f' of {owner}' if owner else ''}, and no wheel has it"
        if runtime:
            found.append(f"{needed}: where it is not installed, users need the {known.product}")
        else:
            found.append(f"{needed}: it must be on the user's system")
    for path, other in embedded.twins.items():
        if resources.files[path].data.digest != resources.files[other].data.digest:
            found.append(f"{path}: {other} has the same name, and is what is loaded by it")
    return found


def _owner(resources: Resources, path: str) -> str | None:
    """The distribution whose RECORD has the file."""
    for name, file in resources.files.items():
        if name.endswith(".dist-info/RECORD"):
            record = decode(file.data, resources.dictionary)
            if path in distributions.record_paths(record):
                return name.partition("-")[0]
    return None
