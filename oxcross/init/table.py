"""pyproject.toml with a table more: what was there stays as it was, byte for byte."""

from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path
from typing import Any

from oxcross import atomic
from oxcross.config.findings import shown
from oxcross.errors import ConfigError
from oxcross.init.chosen import OWN, Chosen


def read(file: Path) -> bytes | None:
    """The file's bytes; None when there is none."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=shown(file)) from None


def parse(file: Path, content: bytes | None) -> tuple[str, dict[str, Any]]:
    """The file as text and as data. ConfigError for what is no TOML."""
    try:
        text = (content or b"").decode()
        return text, tomllib.loads(text)
    except ValueError as error:
        raise ConfigError(f"cannot be read: {error}", where=shown(file)) from None


def text(chosen: Chosen) -> str:
    """The tables to add, as TOML."""
    parts = []
    for header, choices in chosen.tables():
        comments = [f"# {line}" for line in chosen.comments if header == OWN]
        lines = [line for one in choices for line in _lines(one.key, one.value)]
        parts.append("\n".join([f"[{header}]", *comments, *lines]) + "\n")
    return "\n".join(parts)


def _lines(key: str, value: object) -> list[str]:
    if isinstance(value, list) and len(value) > 3:
        return [f"{key} = [", *(f"    {quoted(one)}," for one in value), "]"]
    return [f"{key} = {quoted(value)}"]


def quoted(value: object) -> str:
    """A value as TOML; JSON's strings and lists are TOML's, too, but for one character."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {quoted(one)}" for name, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else quoted(name)


def append(file: Path, before: bytes, added: str) -> bytes:
    """``before`` with the tables at its end, with its own line ends.

    ConfigError where they cannot be added so: ``tool`` may be an inline table, which is closed.
    """
    newline = b"\r\n" if b"\r\n" in before else b"\n"
    gap = b"" if not before else newline if before.endswith(b"\n") else newline * 2
    content = before + gap + added.encode().replace(b"\n", newline)
    try:
        tomllib.loads(content.decode())
    except ValueError as error:
        hint = "write `[tool.…]` tables instead of an inline one, or add this yourself:\n" + "".join(
            f"    {line}\n" for line in added.splitlines()
        )
        raise ConfigError(
            f"no table can be added at its end: {error}", where=shown(file), hint=hint.rstrip()
        ) from None
    return content


def write(file: Path, content: bytes) -> None:
    """Write beside, flush, rename: there is all of it or what was there before. A link stays one; rights stay as they are."""
    path = file.resolve()
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
    atomic.write(path, content, mode)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
