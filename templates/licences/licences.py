# ruff: noqa: INP001  (a script of a build step, no part of a package)
"""Take licence texts out of source archives, wheels and Debian packages.

Run as ``licences.py IN OUT``; IN/support/licences.json says what is wanted:
{"texts": {NAME: [[SOURCE, PATH], …]}, "stated": [[SOURCE, PATH, TEXT], …], "kinds": {SOURCE: KIND}}.
"""

from __future__ import annotations

import io
import json
import lzma
import re
import sys
import tarfile
import zipfile
from pathlib import Path


def main(inputs: Path, out: Path) -> None:
    wanted = json.loads((inputs / "support/licences.json").read_text(encoding="utf-8"))
    paths: dict[str, set[str]] = {}
    for source, path, *_ in [*wanted["stated"], *(row for rows in wanted["texts"].values() for row in rows)]:
        paths.setdefault(source, set()).add(path)
    files = {
        (source, path): data
        for source, kind in wanted["kinds"].items()
        for path, data in READERS[kind](inputs / source, paths[source]).items()
    }
    for source, path, text in wanted["stated"]:
        if text not in files[source, path].decode():
            sys.exit(f"{path} of {source} does not say {text}")
    (out / "texts").mkdir()
    for name, rows in wanted["texts"].items():
        texts = [text_of(path, files[source, path]) for source, path in rows]
        (out / "texts" / f"{name}.txt").write_text("\n".join(texts), encoding="utf-8")


def from_tar(archive: Path | io.BytesIO, paths: set[str], top: int = 1) -> dict[str, bytes]:
    """Files of an archive by their paths without the first ``top`` folders."""
    found: dict[str, bytes] = {}
    how = {"name": archive} if isinstance(archive, Path) else {"fileobj": archive}
    with tarfile.open(mode="r|*", **how) as tar:
        for member in tar:
            path = "/".join(member.name.split("/")[top:])
            if path in paths and (stream := tar.extractfile(member)) is not None:
                found[path] = stream.read()
                if len(found) == len(paths):
                    return found
    sys.exit(f"{archive}: there is no {', '.join(sorted(paths - set(found)))}")


def from_wheel(wheel: Path, paths: set[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {path: archive.read(path) for path in paths}


def from_deb(package: Path, paths: set[str]) -> dict[str, bytes]:
    """Files of a Debian package: deb(5), an archive of ar(5) with data.tar.xz in it, whose paths begin with "./"."""
    data = package.read_bytes()
    at = 8
    while at < len(data):
        name, size = data[at : at + 16].rstrip(b"/ "), int(data[at + 48 : at + 58])
        if name == b"data.tar.xz":
            return from_tar(io.BytesIO(lzma.decompress(data[at + 60 : at + 60 + size])), paths)
        at += 60 + size + size % 2
    sys.exit(f"{package}: there is no data.tar.xz")


READERS = {"archive": from_tar, "wheel": from_wheel, "deb": from_deb}


def text_of(path: str, data: bytes) -> str:
    """The text with plain lines; of a C file it is the comment that it begins with."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("iso-8859-1")
    if path.endswith(".c"):
        comment = re.match(r"/\*(.*?)\*/", text, re.DOTALL)
        if comment is None:
            sys.exit(f"{path} does not begin with a comment")
        text = "\n".join(re.sub(r"^ \* ?", "", line) for line in comment[1].strip().split("\n"))
    lines = [line.rstrip() for line in text.replace("\f", "").splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
