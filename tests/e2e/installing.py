"""Releases with an install.sh, a web server that gives them out, and the shells that run it as users do."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import downloads
from program import APPS, oxcross

from oxcross import project as projects
from oxcross.build import Artifact
from oxcross.publish import contents, dist, provenance
from oxcross.publish.draft import Draft

NEEDED = {
    "bash": "bash",
    "busybox": "busybox",
    "curl": "curl",
    "dash": "dash",
    "minisign": "minisign",
    "openssl": "openssl",
    "wget": "wget",
    "zsh": "zsh",
}
SHELLS = ("dash", "bash", "zsh", "busybox")


@dataclass(frozen=True)
class Installed:
    """How a run of install.sh ended."""

    status: int
    output: str  # stdout and stderr


@dataclass(frozen=True)
class Place:
    """Releases and who gives them out: 1.0 is signed by nobody, 1.1 with a key of minisign's, and has one target only."""

    site: downloads.Site
    root: Path  # the project's
    secret: Path
    public: str

    def folder(self, version: str) -> Path:
        return self.root / "dist" / "tools" / version

    def script(self, version: str = "1.0") -> Path:
        return self.folder(version) / "install.sh"


def minisign(*line: object) -> None:
    done = subprocess.run(
        ["minisign", *map(str, line)], input="", capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def signed_by(secret: Path) -> Any:
    def sign(file: Path) -> dict[str, bytes]:
        minisign("-S", "-W", "-s", secret, "-m", file)
        signature = file.with_name(file.name + ".minisig")
        content = signature.read_bytes()
        signature.unlink()
        return {".minisig": content}

    return sign


def keys(folder: Path) -> tuple[Path, str]:
    """The file of a new secret key, and the public one's line."""
    folder.mkdir(exist_ok=True)
    minisign("-G", "-W", "-p", folder / "public", "-s", folder / "secret")
    return folder / "secret", (folder / "public").read_text(encoding="utf-8").splitlines()[1]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Place]:
    """The releases, and their web server."""
    for command, package in NEEDED.items():
        assert shutil.which(command), f"{command} is missing: apt-get install {package}"
    root = folder / "tools"
    shutil.copytree(APPS / "tools", root)
    secret, public = keys(root.parent / "keys")
    with downloads.running(root / "dist") as site:
        configuration = root / "pyproject.toml"
        text = configuration.read_text(encoding="utf-8")
        text = text.replace("tell = {}, ", 'tell = {}, web = { run-module = "http.server" }, ')
        text += f'[tool.oxcross.publish]\nurl = "{site.address}/"\n'
        configuration.write_text(text, encoding="utf-8")
        done = oxcross("release", "--project", str(root), "--targets", "linux-x64,linux-x64-musl", "--json")
        assert done.returncode == 0, done.stderr
        configuration.write_text(text.replace('version = "1.0"', 'version = "1.1"'), encoding="utf-8")
        done = oxcross("build", "--project", str(root), "--targets", "linux-x64", "--json")
        assert done.returncode == 0, done.stderr
        [row] = json.loads(done.stdout)["artifacts"]
        facts = {key: row[key] for key in ("minimum", "python", "glibc", "commands")}
        built = Artifact(
            **{key: row[key] for key in ("target", "sha256", "size", "seconds")},
            path=Path(row["path"]),
            facts=facts,
        )

        def signature(draft: Draft) -> None:
            draft.manifest["signature"] = {"public-key": public}

        dist.release(
            *(root / "dist", "tools", "1.1", [built]),
            additions=[signature, *contents.additions(projects.load(root), provenance.released({}, root))],
            signing=[signed_by(secret)],
        )
        yield Place(site, root, secret, public)


def commands(folder: Path, *names: str, **scripts: str) -> Path:
    """A folder for PATH with these of this machine's programs only, and small scripts instead of others."""
    folder.mkdir(exist_ok=True)
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    for name, body in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def bare(folder: Path, shell: str) -> tuple[list[str], str]:
    """How a shell is started, and its PATH: all of this machine's, or BusyBox's applets only."""
    if shell != "busybox":
        return [shell], os.environ["PATH"]
    applets = folder / "applets"
    applets.mkdir(exist_ok=True)
    subprocess.run(["busybox", "--install", "-s", str(applets)], check=True)
    return [str(applets / "sh")], str(applets)


def start(
    place: Place, tmp_path: Path, *options: object, shell: str = "dash", version: str = "1.0", **env: str
) -> subprocess.Popen[str]:
    """install.sh, as a pipe gives it to a shell."""
    line, path = bare(tmp_path, shell)
    with place.script(version).open("rb") as script:
        return subprocess.Popen(
            [*line, "-s", "--", *map(str, options)],
            env={"PATH": path, "HOME": str(tmp_path), **env},
            cwd=tmp_path,
            stdin=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def run(place: Place, tmp_path: Path, *options: object, **more: str) -> Installed:
    process = start(place, tmp_path, *options, **more)
    output, _ = process.communicate(timeout=120)
    return Installed(process.returncode, output)


def good(place: Place, tmp_path: Path, *options: object, **more: str) -> str:
    done = run(place, tmp_path, *options, **more)
    assert done.status == 0, done.output
    return done.output


def refused(place: Place, tmp_path: Path, *options: object, **more: str) -> str:
    done = run(place, tmp_path, *options, **more)
    assert done.status == 1, done.output
    return done.output


def there(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


ALL = ["again", "serve", "tell", "tools", "web"]
