"""Distributions that the index has no wheel of: without extension modules for every target, with them where they are built."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import winprogram
from program import build, oxcross

PROGRAM = """\
import importlib.metadata, json, sys
import docopt, langdetect

arguments = docopt.docopt("usage: app --language=NAME", ["--language", "de"])
native = __import__("netifaces") if "netifaces" in sys.argv else None
print(json.dumps({
    "arguments": arguments,
    "language": langdetect.detect("Das ist ein deutscher Satz"),
    "versions": [importlib.metadata.version(name) for name in ("docopt", "langdetect")],
    "file": docopt.__file__,
    "interfaces": bool(native and native.interfaces()),
}))
"""
PINS = '"docopt==0.6.2", "langdetect==1.0.9"'  # of 2014 and 2021: source distributions only
NATIVE = '"netifaces==0.11.0"'  # whose wheels are for CPython 3.9 and older


def application(folder: Path, requirements: str) -> Path:
    (folder / "app.py").write_text(PROGRAM, encoding="utf-8")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "app"\nversion = "1.0"\ndependencies = [{requirements}]\n\n[tool.oxcross]\nrun-file = "app.py"\n',
        encoding="utf-8",
    )
    return folder


def said(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    assert found["arguments"] == {"--language": "de"}
    assert (found["language"], found["versions"]) == ("de", ["0.6.2", "1.0.9"])
    return found


def run(executable: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([executable, *arguments], capture_output=True, text=True, check=False)


def test_without_extension_modules(tmp_path: Path) -> None:
    """One wheel, built once, for every target; what it was made of is pinned in the lock."""
    project = application(tmp_path, PINS)
    linux = build(project)
    assert said(run(linux))["file"] == f"{linux}/docopt.py"
    said(run(build(project, target="linux-x64-musl")))
    said(winprogram.run(build(project, target="win-x64")))
    lock = (project / "oxcross.lock").read_text(encoding="utf-8")
    assert lock.count("docopt==0.6.2 docopt-0.6.2.tar.gz 25901 sha256:49b3a825280bd66b") == 3
    rows = json.loads(oxcross("build", "--project", str(project), "--dry-run", "--json").stdout)["steps"]
    assert {row["state"] for row in rows} == {"cached"}
    assert "linux-x64/docopt-0.6.2-pure" in {row["name"] for row in rows}


def test_with_extension_modules(tmp_path: Path) -> None:
    project = application(tmp_path, f"{PINS}, {NATIVE}")
    executable = build(project)
    assert said(run(executable, "netifaces"))["interfaces"] is True
    bill = json.loads(oxcross("sbom", str(executable)).stdout)
    [component] = [one for one in bill["components"] if one["name"] == "netifaces"]
    assert component["version"] == "0.11.0"
    done = oxcross("build", "--project", str(project), "--targets", "win-x64")
    assert done.returncode == 4, done.stderr
    assert "netifaces 0.11.0: it has extension modules, which oxcross does not build" in done.stderr
