"""apple-codesign, asked for when it is needed: it is an extra of oxcross's, and its library is large.

PyPI's apple-platform-py wraps the library behind ``rcodesign`` (github.com/indygreg/apple-platform-rs).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oxcross.errors import BuildError, ToolError

EXTRA = "pip install 'oxcross[macos]'"


def platform() -> Any:
    """The module ``apple_platform``. ToolError, with what installs it, when it is not there."""
    try:
        import apple_platform
    except (ImportError, OSError) as error:
        raise ToolError(
            f"this Python lacks apple-platform-py, which signs for macOS ({error})", hint=EXTRA
        ) from None
    return apple_platform


def cryptography() -> Any:
    """The package ``cryptography``, with what is used of it. ToolError, as above."""
    try:
        import cryptography.hazmat.primitives.serialization.pkcs12
        import cryptography.x509
    except ImportError as error:
        raise ToolError(
            f"this Python lacks cryptography, which reads certificates and keys ({error})", hint=EXTRA
        ) from None
    return cryptography


def sign(source: Path, out: Path | None, where: Path, hint: str, **options: Any) -> None:
    """As ``apple_platform.sign``; without ``out`` in place. BuildError, about ``where``, when it does not."""
    module = platform()
    try:
        module.sign(source, out, **options)
    except module.ApplePlatformError as error:
        said = "; ".join(dict.fromkeys([error.message, *map(str, error.source)]))
        raise BuildError(
            f"it cannot be signed: {said}", where=str(where), hint=hint, page="it-cannot-be-signed"
        ) from None


def problems(path: Path) -> list[str]:
    """What apple-codesign finds wrong with the signature of a Mach-O file that has a certificate."""
    module = platform()
    try:
        return [str(one.get("description", one)) for one in module.verify_macho(path)]
    except module.ApplePlatformError as error:
        return [error.message]


def confirmed(path: Path) -> bool:
    """Whether the signature of a file, or of any in a bundle, has a confirmed time."""
    found = platform().reading.find_values(platform().read_signature(path), "time_stamp_token")
    return bool(found)
