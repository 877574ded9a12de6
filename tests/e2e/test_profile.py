"""The profile that CPython is optimised with fits what is built."""

from __future__ import annotations

import json
from pathlib import Path

from program import oxcross


def test_nearly_every_function_has_its_profile(hello: Path) -> None:
    assert hello.exists(), "its CPython is in the store"
    folder = Path(oxcross("cache", "path", "linux-x64/cpython").stdout.strip())
    fit = json.loads((folder / "profile.json").read_text(encoding="utf-8"))
    assert fit["functions"] > 10_000
    assert fit["matched"] + len(fit["changed"]) + len(fit["unknown"]) == fit["functions"]
    assert fit["matched"] >= 0.97 * fit["functions"], {**fit, "unknown": fit["unknown"][:20]}
