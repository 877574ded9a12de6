"""The corpus: packages as data, built into executables, run there and in a virtual environment, and compared.

corpus_results.py is what ``./invoke corpus`` runs; tests/e2e/test_corpus.py calls the functions of both.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "unit")]

from program import build, reference_python  # noqa: E402

WANTED = 100  # packages, besides those that are left out
LEFT_OUT = "-"  # the group of a package that is left out; its remark says why
_TIMEOUT = 300  # seconds for one program
_PYTHON = "3.13"
_GLIBC = "2_28"  # oxcross's default
_PROJECT = """\
[project]
name = "corpus"
version = "1.0"

[tool.oxcross]
run-module = "uses"
project = true
requirements-file = "requirements.lock"
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A row of packages.tsv."""

    rank: int
    name: str
    version: str
    group: str
    remark: str

    @property
    def program(self) -> Path:
        """Its program: what it does is the first line of its docstring."""
        return HERE / "uses" / f"{self.name.replace('-', '_')}.py"

    @property
    def purpose(self) -> str:
        """What the program does, in a line."""
        return self.program.read_text(encoding="utf-8").splitlines()[0].strip('"').rstrip(".")


@dataclass(frozen=True, slots=True)
class Run:
    """How a program ended: exit status, stdout and stderr with the places of its Python made neutral."""

    status: int
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The program of a package in the virtual environment and in the executable."""

    package: Package
    expected: Run
    found: Run

    @property
    def same(self) -> bool:
        """Whether the program worked, and the same in both."""
        return self.expected.status == 0 and self.expected == self.found


@dataclass(frozen=True, slots=True)
class Group:
    """Packages that can be installed together: an executable and a virtual environment of the same wheels."""

    executable: Path
    python: Path
    library: Path  # the reference's standard library

    @property
    def packages(self) -> Path:
        """The environment's site-packages."""
        return next(self.python.parent.parent.glob("lib/python3*/site-packages"))

    def extension(self, package: Package) -> bool:
        """Whether the package has compiled modules or libraries."""
        name = re.sub(r"[-_.]+", "_", package.name)
        record = next(self.packages.glob(f"{name}-*.dist-info")) / "RECORD"
        paths = [row[0] for row in csv.reader(record.read_text(encoding="utf-8").splitlines())]
        return any(re.search(r"\.so(\.[\d.]+)?$", path) for path in paths)


@dataclass(frozen=True, slots=True)
class Results:
    """What was built, and what came out, by the names of groups and packages."""

    groups: Mapping[str, Group]
    outcomes: Mapping[str, Outcome]


def packages() -> list[Package]:
    """All rows of packages.tsv, those that are left out too."""
    found = []
    for line in (HERE / "packages.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            rank, name, version, group, *remark = line.split("\t")
            found.append(Package(int(rank), name, version, group, "".join(remark)))
    return found


def lock(names: Iterable[str]) -> None:
    """Resolve each group anew: GROUP.lock, with hashes and without addresses."""
    for name in names:
        lines = [f"{one.name}=={one.version}\n" for one in packages() if one.group == name]
        resolve(lines, HERE / f"{name}.lock", f"x86_64-manylinux_{_GLIBC}")


def resolve(lines: Iterable[str], lockfile: Path, platform: str, *options: str) -> None:
    """Write the lock of these requirements."""
    command = [
        "uv", "pip", "compile", "-", "--python-platform", platform,
        "--python-version", _PYTHON, "--only-binary", ":all:", "--no-header", "--no-annotate",
        "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--quiet",
        *options, "--output-file", str(lockfile),
    ]  # fmt: skip
    subprocess.run([sys.executable, "-m", *command], input="".join(lines), text=True, check=True)


def project(lockfile: Path, folder: Path) -> Path:
    """Lay out the project of a group's executable in ``folder``."""
    made = folder / "project"
    made.mkdir(parents=True)
    (made / "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
    shutil.copy(lockfile, made / "requirements.lock")
    shutil.copytree(HERE / "uses", made / "uses", ignore=shutil.ignore_patterns("__pycache__"))
    return made


def place(executable: Path, folder: Path, length: int) -> Path:
    """Move an executable below ``folder``, to a path of that many characters.

    As long as the environment's packages: what is laid out by the length of its lines then looks the same.
    """
    parent = folder / "executable"
    parent.mkdir()
    name = executable.stem.ljust(length - len(str(parent)) - 1 - len(executable.suffix), "-")
    return executable.rename(parent / f"{name}{executable.suffix}")


def make_environment(lockfile: Path, folder: Path) -> tuple[Path, Path]:
    """A virtual environment with the wheels of a lock for this machine: its python, and the standard library."""
    python = reference_python()
    environment = folder / "environment"
    subprocess.run([python, "-I", "-m", "venv", "--without-pip", environment], check=True)
    own = environment / "bin" / "python"
    install = [
        "uv", "pip", "install", "--quiet", "--python", str(own), "--no-deps", "--require-hashes",
        "--only-binary", ":all:", "--requirements", str(lockfile),
        "--python-platform", f"x86_64-manylinux_{_GLIBC}",
    ]  # fmt: skip
    subprocess.run([sys.executable, "-m", *install], check=True)
    return own, next(python.parent.parent.glob("lib/python3*"))


def make(name: str, folder: Path) -> Group:
    """Build the executable of a group in ``folder`` and install its wheels into an environment beside it."""
    lockfile = HERE / f"{name}.lock"
    laid_out = project(lockfile, folder)
    built = build(laid_out)
    python, library = make_environment(lockfile, folder)
    length = len(str(folder / "environment" / "lib" / library.name / "site-packages"))
    group = Group(place(built, folder, length), python, library)
    shutil.copytree(laid_out / "uses", group.packages / "uses")
    return group


def run(package: Package, group: Group) -> Outcome:
    """Run the package's program in the environment and from the executable."""
    places = {
        str(group.packages): "{packages}",
        str(group.python.parent.parent): "{environment}",
        str(group.library): "{library}",
        str(group.library.parent.parent): "{environment}",
    }
    expected = _run([str(group.python), "-I", "-X", "utf8", "-m", "uses", package.name], places)
    places = {
        f"{group.executable}/lib/{group.library.name}": "{library}",
        f"{group.executable}/": "{packages}/",
        str(group.executable): "{environment}/bin/python",
    }
    return Outcome(package, expected, _run([str(group.executable), package.name], places))


def _run(command: Sequence[str], places: Mapping[str, str]) -> Run:
    with tempfile.TemporaryDirectory(prefix="oxcross-corpus-") as folder:
        status, *streams = execute(command, folder, {})
        # Some tell places by how they lie from the current folder.
        relative = {
            os.path.relpath(place, folder) + "/" * place.endswith("/"): name for place, name in places.items()
        }
        places = {folder: "{folder}", **places, **relative}
        texts = [neutral(data, places) for data in streams]
    return Run(status, *texts)


def execute(
    command: Sequence[str],
    folder: str,
    env: Mapping[str, str],
    timeout: float = _TIMEOUT,
    end: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> tuple[int, str, str]:
    """Run a command in a folder that is also its home: exit status, stdout and stderr.

    After ``timeout`` seconds ``end`` ends it, with all that holds its streams; else its process group is killed.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "PATH" or name.startswith("OPENBLAS_")  # see OpenBLAS on processors it mistakes
    }
    environment = {**kept, "HOME": folder, "TMPDIR": folder, "LC_ALL": "C.UTF-8", "TZ": "UTC", **env}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            streams = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            (end or _kill)(process)
            streams = process.communicate()
    out, err = (data.decode("utf-8", "replace") for data in streams)
    return process.returncode, out, err


def _kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)


def neutral(text: str, places: Mapping[str, str]) -> str:
    """Without what differs from run to run: the places of the two roots, addresses of objects in memory."""
    for place in sorted(places, key=len, reverse=True):
        text = text.replace(place, places[place])
    return re.sub(r"0x[0-9a-fA-F]{6,16}\b", "0x…", text)


def run_all(wanted: Iterable[Package], folder: Path) -> Results:
    """Build the groups that ``wanted`` needs below ``folder``, then run all programs, two at a time."""
    chosen = list(wanted)
    groups = {name: make(name, folder / name) for name in dict.fromkeys(one.group for one in chosen)}
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(lambda one: run(one, groups[one.group]), chosen)
        return Results(groups, {one.package.name: one for one in outcomes})
