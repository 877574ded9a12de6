"""The import of the Django set in instructions: the executable against warm ``.pyc`` files on the same CPython.

The set is what a running admin site imports (``apps/django_set/modules.txt``, in the order of its import;
``django_set.py list`` writes it). Import alone is the whole process less one that imports nothing.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tomllib
from pathlib import Path

from measure import build, instructions

APP = Path(__file__).parent / "apps" / "django_set"
RUNS = 3  # the seed of str hashes moves the counts by some thousandths


def table(folder: Path) -> list[str]:
    """The table's lines; the reference's library lies in ``folder / "python"``, and gets site-packages."""
    python = folder / "python" / "bin" / "python3.13"
    _install(folder)
    lines = {
        "python -I": [str(python), "-I", str(APP / "django_set.py")],
        "oxcross": [str(build(APP))],
    }
    modules = str(APP / "modules.txt")
    for line in lines.values():
        subprocess.run([*line, "import", modules], check=True)  # warms the .pyc files
    counts = {
        name: (_median([*line, "hello"]), _median([*line, "import", modules])) for name, line in lines.items()
    }
    number = len((APP / "modules.txt").read_text(encoding="utf-8").split())
    rows = [f"| the {number} modules of a Django admin site | whole process | ratio | import alone | ratio |"]
    rows.append("|---|---|---|---|---|")
    hello, whole = counts["python -I"]
    for name, (own_hello, own_whole) in counts.items():
        alone = own_whole - own_hello
        rows.append(
            f"| {name} | {own_whole:.1f} M | {own_whole / whole:.3f} "
            f"| {alone:.1f} M | {alone / (whole - hello):.3f} |"
        )
    return rows


def _install(folder: Path) -> None:
    """Put what oxcross.lock names into the reference's site-packages."""
    lock = tomllib.loads((APP / "oxcross.lock").read_text(encoding="utf-8"))
    requirements = folder / "django.txt"
    requirements.write_text("\n".join(lock["targets"]["linux-x64"]["requirements"]), encoding="utf-8")
    packages = folder / "python" / "lib" / "python3.13" / "site-packages"
    line = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes"]
    subprocess.run([*line, "--target", str(packages), "-r", str(requirements)], check=True)


def _median(line: list[str]) -> float:
    return statistics.median(instructions(line) for _ in range(RUNS))
