"""The executable is bit-identical from both engines, and from other folders, users, umasks and dates.

Each variant has a store of its own below the user's cache folder, so nothing that one variant built can
serve another; they share only the pinned sources, which are verified by their digests. A variant that is
cached from an earlier run of the same recipes is compared again, not built again.

A target takes some ten minutes from cold. linux-x64 is always compared, as it comes of the local engine where that differs most
from docker; OXCROSS_IDENTITY names targets to compare as users build them, with commas between them, or all of them. What is compared
of targets without shared libraries has distributions in it that are built from source.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from program import APPS, REPOSITORY, build

from oxcross import targets
from oxcross.store import Store

WANTED = os.environ.get("OXCROSS_IDENTITY", "")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """A function: the digest of a target's executable as the docker engine builds it."""
    folder = tmp_path_factory.mktemp("docker")
    for name in ("hello", "linked"):
        shutil.copytree(APPS / name, folder / name)
    return lambda target: _digest(build(folder / _application(target), "--engine", "docker", target=target))


def _application(target: str) -> str:
    return "linked" if target.endswith("-musl") else "hello"


def _variant(name: str) -> dict[str, str]:
    """The environment of a variant: its own store, and the common sources as its first mirror."""
    common = Store().root
    store = common.parent / f"identity-{name}"
    mirrors = [str(common / "sources"), *filter(None, [os.environ.get("OXCROSS_MIRROR")])]
    return {"OXCROSS_STORE": str(store), "OXCROSS_MIRROR": os.pathsep.join(mirrors)}


if WANTED:

    @pytest.mark.usefixtures("emulated")
    @pytest.mark.parametrize("target", targets.load() if WANTED == "all" else WANTED.split(","))
    def test_local_engine(tmp_path: Path, expected: Callable[[str], str], target: str) -> None:
        name = _application(target)
        folder = tmp_path / "a folder with spaces" / name
        shutil.copytree(APPS / name, folder)
        made = build(folder, "--engine", "local", target=target, env=_variant("local"))
        assert _digest(made) == expected(target)


def test_no_namespaces_other_user_umask_and_date(tmp_path: Path, expected: Callable[[str], str]) -> None:
    """Plain local mode, as user and group 65534, umask 077, in 2031, from another folder."""
    faketime = shutil.which("faketime")
    assert faketime, "faketime is missing: apt-get install faketime"
    environment = {**_variant("plain"), "OXCROSS_LOCAL": "plain", "UV_OFFLINE": "1"}
    folder = tmp_path / "other" / "hello"
    shutil.copytree(APPS / "hello", folder)
    line = [sys.executable, "-m", "oxcross", "build", "--project", str(folder), "--targets", "linux-x64"]
    line = [faketime, "2031-05-06 07:08:09", *line, "--engine", "local"]
    line = ["unshare", "--user", "--map-user=65534", "--map-group=65534", *line]
    done = subprocess.run(
        ["sh", "-c", 'umask 077; exec "$@"', "sh", *line],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"], "HOME": str(folder.parent), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-8000:]
    assert _digest(folder / "build" / "linux-x64" / "hello") == expected("linux-x64")
