"""What a program may do in macOS's hardened runtime.

Source: "Hardened Runtime" and "Entitlements", Apple's documentation (developer.apple.com/documentation/security/hardened-runtime,
developer.apple.com/documentation/bundleresources/entitlements).
"""

from __future__ import annotations

import plistlib
from pathlib import Path
from typing import Any, Final
from xml.parsers.expat import ExpatError

from oxcross.errors import ConfigError
from oxcross.macos import settings

# What an interpreter needs that loads the libraries of wheels:
DEFAULT: Final[dict[str, Any]] = {
    # ctypes' callbacks are closures of libffi, which writes their code on x86-64; without it, the first one ends the program.
    "com.apple.security.cs.allow-unsigned-executable-memory": True,
    # Wheels' libraries are loaded from a cache and have their makers' signatures, or ad-hoc ones, not this team's.
    "com.apple.security.cs.disable-library-validation": True,
}


def load(path: Path) -> dict[str, Any]:
    """The entitlements in a property list. ConfigError, which names the file, for one that is none."""
    try:
        found = plistlib.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, IndexError) as error:
        raise ConfigError(f"not a property list: {error}", where=str(path)) from None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise ConfigError("not a property list with a dictionary", where=str(path))
    return found


def wanted(signing: settings.Signing) -> dict[str, Any]:
    """The entitlements that a signature gets; none: an empty dictionary. ConfigError as of ``load``."""
    if signing.entitlements is not None:
        return load(signing.entitlements)
    return DEFAULT if signing.hardened_runtime else {}


def text(found: dict[str, Any]) -> bytes:
    """As an XML property list, in the order of the keys."""
    return plistlib.dumps(found, fmt=plistlib.FMT_XML, sort_keys=True)
