"""The size of whole applications: oxcross's compressed executables beside PyInstaller's one-file ones.

Each application is one script of ``apps/sizes`` with what it requires, in the versions of ``requirements.lock`` on both
sides. An executable that does not run, or does not print what the other one does, ends the benchmark.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from measure import build

HERE = Path(__file__).parent
SCRIPTS = HERE / "apps" / "sizes"
# What nothing imports; OpenSSL goes where no TLS is spoken.
THIN = "[tool.oxcross.stdlib]\nexclude = [{groups}]\nunreached = false\n"


@dataclass(frozen=True)
class Application:
    """A script. ``options`` tell PyInstaller what it does not find out, ``tls`` is whether it may need OpenSSL."""

    script: str
    requires: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    tls: bool = True


APPLICATIONS = (
    Application("hello", tls=False),
    Application("flask_page", ("flask",)),
    Application("httpie_command", ("httpie",), ("--version",), ("--copy-metadata=httpie",)),
    Application("numpy_solve", ("numpy",), tls=False),
    Application("django_login", ("django",), options=("--collect-all=django",)),
)


def _pins() -> dict[str, str]:
    text = (HERE / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, flags=re.MULTILINE))


def _run(executable: Path, one: Application, folder: Path) -> str:
    done = subprocess.run(
        [executable, *one.arguments], capture_output=True, text=True, check=False, cwd=folder
    )
    if done.returncode != 0 or not done.stdout.strip():
        sys.exit(f"bench: {executable}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def _oxcross(one: Application, folder: Path, *, thin: bool) -> Path:
    project = folder / f"{one.script}-{'thin' if thin else 'whole'}"
    project.mkdir(parents=True)
    (project / f"{one.script}.py").write_bytes((SCRIPTS / f"{one.script}.py").read_bytes())
    pins = _pins()
    required = ", ".join(f'"{name}=={pins[name]}"' for name in one.requires)
    lines = [
        f'[project]\nname = "{one.script.replace("_", "-")}"\nversion = "1.0"\nrequires-python = ">=3.12"\n',
        f'[tool.oxcross]\nrun-file = "{one.script}.py"\nproject = false\nsources = false\ncompression = "zstd"',
        f"requirements = [{required}]\n",
    ]
    if thin:
        groups = ["eastern-encodings", *([] if one.tls else ["openssl"])]
        lines.append(THIN.format(groups=", ".join(f'"{name}"' for name in groups)))
    (project / "pyproject.toml").write_text("\n".join(lines), encoding="utf-8")
    return build(project)


def _pyinstaller(one: Application, folder: Path, python: Path) -> Path:
    place = folder / f"{one.script}-pyinstaller"
    place.mkdir(parents=True)
    line = [python, "-m", "PyInstaller", "--onefile", "--log-level=ERROR", "--distpath", place / "dist"]
    line += ["--workpath", place / "work", "--specpath", place, *one.options, SCRIPTS / f"{one.script}.py"]
    subprocess.run(line, check=True, cwd=place)
    return place / "dist" / one.script


def table(folder: Path, python: Path) -> list[str]:
    """The table's lines. ``python`` has PyInstaller and all requirements."""
    rows = [
        "| one file, compressed | oxcross | with what it imports only | PyInstaller | ratio | ratio of the second |",
        "|---|---|---|---|---|---|",
    ]
    for one in APPLICATIONS:
        made = [
            _oxcross(one, folder, thin=False),
            _oxcross(one, folder, thin=True),
            _pyinstaller(one, folder, python),
        ]
        said = [_run(path, one, folder) for path in made]
        if len(set(said)) != 1:
            sys.exit(f"bench: {one.script}: not the same: {said}")
        whole, thin, theirs = (path.stat().st_size / 1e6 for path in made)
        rows.append(
            f"| {one.script} | {whole:.2f} MB | {thin:.2f} MB | {theirs:.2f} MB "
            f"| {whole / theirs:.2f} | {thin / theirs:.2f} |"
        )
    return rows
