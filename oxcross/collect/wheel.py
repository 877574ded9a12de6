"""Wheels of what lies on this machine: the project itself, and requirements that are folders.

A wheel is built by the project's own backend, isolated (``uv build``), and kept unpacked in the store
under the digest of the project's files.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import shutil
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path

from oxcross.collect import distributions, projectfiles, refresh, uv
from oxcross.elf import is_elf
from oxcross.errors import CollectError
from oxcross.store import Store
from oxcross.targets import Target

_FORMAT = 1
_PURELIB = {"purelib", "platlib", "data"}


@dataclass(frozen=True, slots=True)
class Wheel:
    """An unpacked wheel: ``files`` as below site-packages, ``key`` names it in the store."""

    key: str
    files: Mapping[str, bytes]

    @property
    def information(self) -> str:
        """The name of its .dist-info folder."""
        return next(path for path in self.files if distributions.is_metadata(path)).rpartition("/")[0]

    @property
    def metadata(self) -> bytes:
        """Its METADATA."""
        return self.files[f"{self.information}/METADATA"]


def of(path: Path, store: Store) -> Wheel:
    """The wheel of a project's folder, or of a ``.whl`` file."""
    if path.suffix == ".whl" and path.is_file():
        data = path.read_bytes()
        return Wheel(hashlib.sha256(data).hexdigest(), unpack(data, str(path)))
    return build(path, store)


def build(root: Path, store: Store, *, notice: Callable[[str], None] = lambda _: None) -> Wheel:
    """The wheel of the project in ``root``, built when its files are not those of a known wheel.

    Raises CollectError when the backend fails or the wheel has compiled parts.
    """
    if not root.is_dir():
        raise CollectError("there is no such folder", where=str(root))
    files = projectfiles.digests(root)
    revision = projectfiles.revision(root)
    key = "wheel-" + projectfiles.digest({"format": str(_FORMAT), **files, **revision})
    if (tree := store.get(key)) is not None:
        return Wheel(key, projectfiles.contents(tree))
    if (content := refresh.refreshed(root, files, store)) is not None:
        return Wheel(key, content)
    with store.lock(key, name=f"wheel/{root.name}"):
        if (tree := store.get(key)) is None:
            notice(f"building {root.name}")
            with store.temporary("wheel") as folder:
                content = _build(root, folder, () if revision else files)
                _write(folder / "tree", content)
                tree = store.put(key, folder / "tree", f"wheel/{root.name}")
                refresh.remember(root, files, content, key, store)
    return Wheel(key, projectfiles.contents(tree))


def _build(root: Path, folder: Path, files: Iterable[str]) -> dict[str, bytes]:
    """Build in a copy of ``files``: the wheel is made of what its key says, not of what earlier builds
    left in the project's folder, and nothing is left there. Without ``files`` the folder itself is
    built: a version that comes from version control is to be had nowhere else."""
    source = folder / "source" if files else root
    for path in files:
        copy = source / path
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, copy)
    out = folder / "out"
    uv.run(
        ["build", "--wheel", "--out-dir", str(out), *uv.python(), str(source)],
        folder=source,
        doing="its wheel cannot be built",
        where=str(root),
    )
    wheels = list(out.glob("*.whl"))
    if len(wheels) != 1:
        raise CollectError(f"its build backend made {len(wheels)} wheels, not one", where=str(root))
    return unpack(wheels[0].read_bytes(), str(root))


def unpack(data: bytes, where: str) -> dict[str, bytes]:
    """A pure wheel's files as they are installed, RECORD made anew.

    Raises CollectError for a wheel that is damaged, or for one platform or Python only. Source: the
    binary distribution format specification (PEP 427).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    except zipfile.BadZipFile as error:
        raise CollectError(f"its wheel is damaged: {error}", where=where) from error
    files: dict[str, bytes] = {}
    for name, content in members.items():
        path = posixpath.normpath(name)
        if path.startswith(("../", "/")):
            raise CollectError(f"its wheel holds a file outside of itself: {name}", where=where)
        if placed := _placed(path):
            files[placed] = content
    information = {path.rpartition("/")[0] for path in files if distributions.is_metadata(path)}
    if len(information) != 1:
        raise CollectError("its wheel has no metadata", where=where)
    folder = information.pop()
    tags = BytesHeaderParser().parsebytes(files.get(f"{folder}/WHEEL", b"")).get_all("Tag", [])
    if not any(str(tag).endswith("-any") for tag in tags) or any(map(is_elf, files.values())):
        raise CollectError(
            f"its wheel is for one platform only ({', '.join(map(str, tags)) or 'no tags'})",
            where=where,
            hint="oxcross builds pure Python projects; build wheels of the others elsewhere (cibuildwheel) "
            "and require them",
        )
    files[f"{folder}/RECORD"] = distributions.record(files, folder)
    return files


def _placed(path: str) -> str | None:
    """Where a member of a wheel is installed, below site-packages; None: nowhere."""
    top, _, rest = path.partition("/")
    if not top.endswith(".data"):
        return path
    scheme, _, inside = rest.partition("/")
    if scheme in _PURELIB:
        return inside
    return f"bin/{inside}" if scheme == "scripts" else None


def requires(metadata: bytes, extras: str, target: Target) -> list[str]:
    """The requirements in a METADATA file that hold with these ``extras`` ("[a,b]" or empty) on ``target``.

    Markers without ``extra`` stay: uv judges them, knowing the Python as well.
    """
    from packaging.requirements import Requirement

    wanted = [name.strip() for name in extras.strip("[] ").split(",")]
    found = []
    for line in distributions.describe(metadata).requires:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or "extra" not in str(marker):
            found.append(line)
        elif any(marker.evaluate({**target.markers, "extra": extra}) for extra in wanted):
            # What else the marker says of Python was judged for this one, not for the target's: rarely, and for
            # extras only, these differ.
            requirement.marker = None
            found.append(str(requirement))
    return found


def _write(tree: Path, files: Mapping[str, bytes]) -> None:
    tree.mkdir()
    for path, content in files.items():
        place = tree / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
