"""Nothing is extracted, and no Python on disk is looked at: what the kernel is asked for (strace) while programs run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pair import files
from program import APPS, build

_WRITING = re.compile(
    r"^(creat|mkdir|mknod|link|symlink|unlink|rmdir|rename|f?truncate|f?chmod|[fl]?chown|utime|[fl]?(set|remove)xattr|mount)"
    r"|^open.*O_(CREAT|WRONLY|RDWR|TRUNC)"
)
# What any program of the system opens: the loader's libraries, locales, time zones, tables of names.
_SYSTEM = re.compile(
    r"/etc/(ld\.so\.\w+|localtime|mime\.types|nsswitch\.conf|passwd|ssl/openssl\.cnf|apache2?/.*|httpd/.*)"
    r"|/(usr/)?lib(64)?/([\w-]+/)*[\w.+-]+\.so(\.[0-9.]+)?|/(usr/)?lib(64)?/([\w-]+/)*"
    r"|/usr/(share|lib)/(locale|zoneinfo)/.*|/usr/lib/x86_64-linux-gnu/gconv/.*"
    r"|/dev/(null|u?random)|/proc/(self/(exe|fd/\d+|maps|status)|cpuinfo|meminfo|stat|sys/.*)|/sys/devices/system/.*|/sys/fs/cgroup/.*"
)


def _calls(line: list[str], folder: Path, **env: str) -> Iterator[tuple[str, bool, list[str]]]:
    """The system calls with paths while ``line`` runs: what it was, whether it succeeded, its paths."""
    strace = shutil.which("strace")
    assert strace, "strace is missing: apt-get install strace"
    trace = folder / "trace"
    (folder / "tmp").mkdir()
    done = subprocess.run(
        [strace, "-f", "-qq", "-s", "4096", "-e", "trace=%file,ftruncate,fchmod", "-y", "-o", trace, *line],
        env={"HOME": str(folder), "TMPDIR": str(folder / "tmp"), "LC_ALL": "C.UTF-8", **env},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for call in trace.read_text(encoding="utf-8").splitlines():
        what, _, result = call.partition(" ")[2].lstrip().rpartition(" = ")
        paths = re.findall(r'"((?:/|\.)[^"]*)"', what)
        # A descriptor's own path counts where the call names no other: fchmod(3</memfd:name>, 0600)
        paths += re.findall(r"^\w+\(\d+<([^>]*)>", what)
        yield what, not result.startswith("-1"), paths
    trace.unlink()


def _check(executable: Path, folder: Path, *arguments: str, own: str, **env: str) -> None:
    """Run and hold what is written, opened and looked for against what may be."""
    allowed = re.compile(own)
    virtual = f"{executable}/"
    number = 0
    for call, succeeded, paths in _calls([str(executable), *arguments], folder, **env):
        number += 1
        for path in paths:
            if path.startswith("/memfd:"):
                continue
            inside = allowed.fullmatch(path) is not None
            assert inside or not _WRITING.search(call), f"writes: {call}"
            assert not path.startswith(virtual), f"asks the kernel for an embedded file: {call}"
            assert not re.search(r"python|pyvenv|site-packages", path), f"looks for a Python: {call}"
            if call.startswith("open") and succeeded:
                assert inside or path == str(executable) or _SYSTEM.fullmatch(path), f"opens: {call}"
    assert number > 20
    assert not list((folder / "tmp").iterdir())


@pytest.fixture
def built(tmp_path: Path) -> Callable[[str], Path]:
    """A function that builds an application."""

    def make(app: str) -> Path:
        shutil.copytree(APPS / app, tmp_path / app, ignore=shutil.ignore_patterns("build", "dist"))
        return build(tmp_path / app)

    return make


def test_django(built: Callable[[str], Path], tmp_path: Path) -> None:
    """Log in to the admin, add, change and delete: templates, translations and static files are read."""
    site = built("django_site")
    folder = tmp_path / "work"
    folder.mkdir()
    env = {"OBSERVATORY_DATA": str(folder), "DJANGO_SUPERUSER_PASSWORD": "supernova-1572"}
    for line in (
        ["migrate", "--verbosity", "0"],
        ["createsuperuser", "--noinput", "--username", "tycho", "--email", "tycho@example.org"],
        ["loaddata", "sky"],
    ):
        subprocess.run([site, *line], env=env, check=True, stdout=subprocess.DEVNULL)
    database = rf"{re.escape(str(folder))}(/db\.sqlite3(-journal|-wal|-shm)?)?"
    _check(site, folder, "visit", own=database, **env)
    assert list(files(folder)) == ["db.sqlite3"]


def test_numpy(built: Callable[[str], Path], tmp_path: Path) -> None:
    """Extension modules and OpenBLAS are loaded."""
    program = built("numpy_app")
    folder = tmp_path / "work"
    folder.mkdir()
    _check(program, folder, own=re.escape(str(folder)))
    assert not files(folder)
