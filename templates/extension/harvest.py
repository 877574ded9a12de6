# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Take a built wheel apart: what is installed, and the objects that are linked into the executable.

::

    tree/             as below site-packages; an extension module is an empty file in its place
    objects/NAME.o    one for each extension module, by its full name
    modules           their names, a line each, sorted
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import posixpath
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from isolate import ObjectError, is_object, isolate

_SCHEMES = {"purelib", "platlib", "data"}


def harvest(wheel: Path, out: Path, suffixes: Sequence[str]) -> None:
    """Write what is in ``wheel`` to ``out``. ``suffixes`` are those of extension modules, longest first."""
    files: dict[str, tuple[bytes, bool]] = {}
    modules: list[str] = []
    objects = out / "objects"
    objects.mkdir(parents=True)
    for path, data, executable in members(wheel):
        content = data
        if is_object(data):
            module = module_of(path, suffixes)
            try:
                made = isolate(data, "PyInit_" + module.rpartition(".")[2], f"PyInit.{module}")
            except ObjectError as error:
                sys.exit(f"oxcross: {path} cannot be linked into an executable: {error}")
            (objects / f"{module}.o").write_bytes(made)
            modules.append(module)
            content = b""
        files[path] = content, executable
    information = next(path for path in files if path.endswith(".dist-info/METADATA")).rpartition("/")[0]
    contents = {path: data for path, (data, _) in files.items()}
    files[f"{information}/RECORD"] = record(contents, information), False
    for path, (data, executable) in files.items():
        place = out / "tree" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if executable else 0o644)
    (out / "modules").write_text("".join(f"{module}\n" for module in sorted(modules)), encoding="utf-8")
    print(f"oxcross: {len(modules)} extension modules in {wheel.name}")


def members(wheel: Path) -> Iterator[tuple[str, bytes, bool]]:
    """The files of a wheel (PEP 427): path below site-packages, content, whether it is executable."""
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            path = posixpath.normpath(item.filename)
            if item.is_dir() or path.startswith(("../", "/")):
                continue
            top, _, rest = path.partition("/")
            if top.endswith(".data"):
                scheme, _, inside = rest.partition("/")
                if scheme == "scripts":
                    path = f"bin/{inside}"
                elif scheme in _SCHEMES:
                    path = inside
                else:
                    continue
            yield path, archive.read(item), bool(item.external_attr >> 16 & 0o111)


def module_of(path: str, suffixes: Sequence[str]) -> str:
    """The full name of the extension module at ``path``. SystemExit for a library that is none."""
    for suffix in suffixes:
        stem = path.removesuffix(suffix)
        if stem != path and all(part.isidentifier() and part.isascii() for part in stem.split("/")):
            return stem.replace("/", ".").removesuffix(".__init__")
    sys.exit(
        f"oxcross: {path} is a shared library, but no extension module: it cannot be linked into an executable"
    )


def console_scripts(entry_points: str) -> Iterator[tuple[str, str]]:
    """The programs that an installer generates: name, ``module:function``."""
    inside = False
    for line in entry_points.splitlines():
        text = line.strip()
        if text.startswith("["):
            inside = text == "[console_scripts]"
        elif inside and "=" in text:
            name, _, target = text.partition("=")
            yield name.strip(), target.partition("[")[0].strip()


def record(files: dict[str, bytes], information: str) -> bytes:
    """RECORD for ``files``, sorted."""
    own = f"{information}/RECORD"
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for path in sorted({*files, own}):
        if path == own:
            rows.writerow([path, "", ""])
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[path]).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(files[path])])
    return out.getvalue().encode()
