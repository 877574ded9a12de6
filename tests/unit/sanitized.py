"""The launcher's C built by this machine's compiler with sanitizers, as programs of launcher/tests that show what it does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

LAUNCHER = Path(__file__).resolve().parents[2] / "launcher"
# A sanitizer's report must not look like the reader's own "damaged" (70).
_SANITIZED = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=0", "UBSAN_OPTIONS": "halt_on_error=1:exitcode=99"}
_FLAGS = ("-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def build(out: Path, units: Iterable[str], *libraries: str) -> Path:
    """Compile these files of launcher/ to the program ``out``."""
    compiler = shutil.which("cc") or shutil.which("clang")
    assert compiler, "the launcher's tests need a C compiler: apt-get install gcc"
    files = [LAUNCHER / unit for unit in units]
    line: list[str | Path] = [compiler, *_FLAGS, *_SANITIZERS, f"-I{LAUNCHER}", *files, *libraries, "-o", out]
    subprocess.run(line, check=True)
    return out


def run(probe: Path, *arguments: str | Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run such a program; seconds. What it prints is taken for UTF-8, and other bytes are shown."""
    return subprocess.run(
        [probe, *arguments],
        capture_output=True,
        env=_SANITIZED,
        timeout=timeout,
        check=False,
        encoding="utf-8",
        errors="backslashreplace",
    )
