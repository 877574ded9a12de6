# ruff: noqa: INP001, I001  (a script of a build step, no part of a package; "build" is beside it)
"""Build a source distribution that has no extension modules, by its own backend (PEP 517), and unpack its wheel.

Run by the build machine's Python as ``pure.py FACTS``. There is no compiler: what needs one has said nothing of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import build
import harvest

# How files begin that are for one machine only: ELF, PE, Mach-O (both byte orders, universal).
_NATIVE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe")


def main(facts: Path) -> None:
    known = json.loads(facts.read_text(encoding="utf-8"))
    inside, work = Path(os.environ["IN"]), Path(os.environ["WORK"])
    site, configuration, out = work / "site", work / "configuration", work / "wheel"
    for folder in (site, configuration, out):
        folder.mkdir()
    for mount in known["wheels"]:
        build.install(inside / mount, site)
    (configuration / "sitecustomize.py").write_bytes((build.SUPPORT / "sitecustomize.py").read_bytes())
    source = build.unpack(inside / "sdist", known["filename"], work / "source")
    environment = {
        **os.environ,
        "CC": "/bin/false",
        "CXX": "/bin/false",
        "PATH": f"{site / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": f"{configuration}:{site}",
        "OXCROSS_SITE": str(site),
        "OXCROSS_MACHINE": os.uname().machine,
        **known["environment"],
    }
    hook = [sys.executable, str(build.SUPPORT / "hook.py"), str(facts), str(out)]
    if status := subprocess.run(hook, cwd=source, env=environment, check=False).returncode:
        sys.exit(status)
    [wheel] = out.glob("*.whl")
    for path, data, _ in harvest.members(wheel):
        if data.startswith(_NATIVE) and path.endswith((".so", ".pyd", ".dll", ".dylib")):
            sys.exit(f"oxcross: {path} was compiled, and nothing in the source distribution had said so")
    harvest.harvest(wheel, Path(os.environ["OUT"]), ())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
