"""A bundle's Info.plist, and what is wrong with keys for it. Source: "Bundle Resources: Information Property List"
(developer.apple.com/documentation/bundleresources), Apple's documentation.
"""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from oxcross.macos import settings

_OWN: Final = {
    "CFBundleExecutable": "it is the executable's name",
    "CFBundleIdentifier": "set identifier",
    "CFBundlePackageType": "it is always APPL",
    "CFBundleInfoDictionaryVersion": "it is always 6.0",
}


def version_numbers(version: str) -> str:
    """The up to three numbers that a version begins with, which is what macOS takes (CFBundleShortVersionString)."""
    found = re.match(r"v?(?:\d+!)?(\d+(?:\.\d+){0,2})", version)
    return found[1] if found else "0"


def problems(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with further keys of an Info.plist, as (key, message)."""
    for key, value in info.items():
        if key in _OWN:
            yield key, f"cannot be chosen here: {_OWN[key]}"
        elif not _storable(value):
            yield key, "a property list has strings, numbers, booleans, dates, lists and tables of those only"


def _storable(value: object) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and _storable(inner) for key, inner in value.items())
    if isinstance(value, list | tuple):
        return all(map(_storable, value))
    try:
        plistlib.dumps({"": value})
    except (TypeError, OverflowError, ValueError):
        return False
    return True


def info(app: settings.App, executable: str, minimum: str) -> bytes:
    """The Info.plist, as an XML property list in the order of the keys."""
    found: dict[str, Any] = {
        "CFBundleDevelopmentRegion": "en",
        "CFBundleDisplayName": app.name,
        "CFBundleExecutable": executable,
        "CFBundleIdentifier": app.identifier,
        "CFBundleInfoDictionaryVersion": "6.0",
        "CFBundleName": app.name,
        "CFBundlePackageType": "APPL",
        "CFBundleShortVersionString": app.version,
        "CFBundleSupportedPlatforms": ["MacOSX"],
        "CFBundleVersion": app.version,
        "LSMinimumSystemVersion": minimum,
        "NSHighResolutionCapable": True,
    }
    more = {
        "CFBundleIconFile": executable if app.icon else "",
        "LSApplicationCategoryType": app.category,
        "NSHumanReadableCopyright": app.copyright,
        "LSUIElement": app.background,
    }
    found |= {key: value for key, value in more.items() if value}
    return plistlib.dumps({**found, **app.info}, fmt=plistlib.FMT_XML, sort_keys=True)
