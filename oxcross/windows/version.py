"""A program's version resource: what Windows shows of a file, and what virus scanners ask who made it.

Source: "VS_VERSIONINFO structure" and "VS_FIXEDFILEINFO structure", Microsoft's documentation of Win32.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from struct import Struct

from oxcross.errors import ConfigError
from oxcross.windows.resources import ENGLISH

Numbers = tuple[int, int, int, int]

_BLOCK = Struct("<HHH")  # size, size of the value, 1 for a text
_FIXED = Struct("<IIIIIIIIIIIII")
_SIGNATURE, _STRUCTURE = 0xFEEF04BD, 0x10000
_PRERELEASE, _FLAGS = 0x2, 0x3F
_FOR_WINDOWS, _PROGRAM = 0x40004, 1
_UNICODE = 1200
_LARGEST = 0xFFFF


def numbers(text: str) -> Numbers:
    """The four numbers of a version as Python packages have it (PEP 440): its release, filled with zeros.

    "1.2.3rc1" is (1, 2, 3, 0). Of another text, the numbers that it begins with. ConfigError for numbers that do not fit
    in 16 bits each.
    """
    match = re.match(r"\s*v?(?:\d+!)?(\d+(?:\.\d+)*)", text)
    parts = [int(part) for part in match[1].split(".")] if match else []
    if any(part > _LARGEST for part in parts[:4]):
        raise ConfigError(
            f"a version of Windows has four numbers up to {_LARGEST}, which {text} has not",
            hint='set it below [tool.oxcross.windows.version-info]: file-version = "1.0"',
        )
    one, two, three, four = (*parts, 0, 0, 0, 0)[:4]
    return one, two, three, four


def prerelease(text: str) -> bool:
    """Whether a version is one of before a release (PEP 440)."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text).is_prerelease
    except InvalidVersion:
        return False


def pack(file: Numbers, product: Numbers, strings: Mapping[str, str], *, pre: bool = False) -> bytes:
    """The resource; ``strings`` by their names ("CompanyName" …), those that are empty are left out."""
    fixed = _FIXED.pack(
        _SIGNATURE, _STRUCTURE, *_words(file), *_words(product), _FLAGS, _PRERELEASE if pre else 0,
        _FOR_WINDOWS, _PROGRAM, 0, 0, 0,
    )  # fmt: skip
    rows = [_string(name, text) for name, text in strings.items() if text]
    table = _block(f"{ENGLISH:04X}{_UNICODE:04X}", b"", rows, text=True)
    translation = _block("Translation", Struct("<HH").pack(ENGLISH, _UNICODE))
    children = [
        _block("StringFileInfo", b"", [table], text=True),
        _block("VarFileInfo", b"", [translation], text=True),
    ]
    return _block("VS_VERSION_INFO", fixed, children)


def _words(version: Numbers) -> tuple[int, int]:
    one, two, three, four = version
    return one << 16 | two, three << 16 | four


def _string(name: str, text: str) -> bytes:
    value = f"{text}\0".encode("utf-16-le")
    return _block(name, value, text=True)


def _block(key: str, value: bytes, children: list[bytes] | None = None, *, text: bool = False) -> bytes:
    """A block; its size counts no padding behind it, that of a text is counted in characters."""
    body = _even(bytes(_BLOCK.size) + f"{key}\0".encode("utf-16-le")) + value
    for child in children or ():
        body = _even(body) + child
    if len(body) > _LARGEST:
        raise ConfigError("the texts of its version are too long: 64 kB are the most")
    return _BLOCK.pack(len(body), len(value) // 2 if text else len(value), int(text)) + body[_BLOCK.size :]


def _even(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
