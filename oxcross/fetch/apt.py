"""The package mirrors this machine is configured with, as one more place to get a source from.

A Debian ``.orig.tar.*`` is the upstream's file, byte for byte, and its path below a mirror is known.
Both formats of sources.list(5) are read; no mirror is named here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

APT_FOLDER = Path("/etc/apt")
_SCHEMES = ("http", "https", "file", "copy")


@dataclass(frozen=True)
class Repository:
    """One enabled entry: where, which suites and components, and the options apt was given."""

    types: tuple[str, ...]  # "deb", "deb-src"
    uri: str  # without a slash at its end
    suites: tuple[str, ...]
    components: tuple[str, ...]
    options: tuple[tuple[str, str], ...]  # as in the one-line format: ("signed-by", "/…")


def repositories(folder: Path = APT_FOLDER) -> list[Repository]:
    """Every enabled entry below ``folder`` (``/etc/apt``), in apt's order."""
    found: list[Repository] = []
    parts = folder / "sources.list.d"
    names = sorted(parts.iterdir()) if parts.is_dir() else []
    for path in [folder / "sources.list", *names]:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        if path.suffix == ".list":
            found.extend(_one_line(text))
        elif path.suffix == ".sources":
            found.extend(_deb822(text))
    return found


def mirrors(folder: Path = APT_FOLDER) -> list[str]:
    """The base URLs, each once; ``pool/…`` paths are relative to them."""
    return list(dict.fromkeys(entry.uri for entry in repositories(folder)))


def _one_line(text: str) -> Iterator[Repository]:
    pattern = r"(deb|deb-src)\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<rest>.*)"
    for line in text.splitlines():
        match = re.fullmatch(pattern, line.split("#", 1)[0].strip())
        if match is None:
            continue
        pairs = (word.partition("=") for word in (match["options"] or "").split())
        options = tuple((name.lower(), value) for name, _, value in pairs)
        for uri in _uris(match["uri"]):
            yield Repository((match[1],), uri, (match["suite"],), tuple(match["rest"].split()), options)


def _deb822(text: str) -> Iterator[Repository]:
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t"):
                fields[name] = f"{fields.get(name, '')}\n{line.strip()}"
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields.get("enabled", "yes").lower() in ("no", "false", "without", "off", "disable"):
            continue
        signed_by = fields.get("signed-by", "")
        options = tuple(
            (key, ",".join(fields[key].split()))
            for key in ("signed-by", "trusted", "check-valid-until")
            if key in fields and not (key == "signed-by" and "\n" in signed_by)  # an inline key
        )
        for word in fields.get("uris", "").split():
            for uri in _uris(word):
                yield Repository(
                    types=tuple(fields.get("types", "").split()),
                    uri=uri,
                    suites=tuple(fields.get("suites", "").split()),
                    components=tuple(fields.get("components", "").split()),
                    options=options,
                )


def _uris(word: str) -> Iterator[str]:
    """The plain URIs behind one word of a sources list; ``mirror+file:`` names a list of them."""
    scheme, _, rest = word.partition(":")
    if scheme == "mirror+file":
        try:
            lines = Path("/" + rest.lstrip("/")).read_text().splitlines()
        except OSError:
            return
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield from _uris(line.split()[0])
    elif scheme in _SCHEMES:
        yield word.replace("copy:", "file:", 1).rstrip("/")
