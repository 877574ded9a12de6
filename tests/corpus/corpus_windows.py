"""The corpus on Windows: the programs in executables for win-x64, run under wine, and compared with an environment's.

``./invoke corpus --windows`` and tests/e2e/test_corpus_windows.py call it. What is expected is what a program prints on
this machine, in a virtual environment with the same versions. windows.toml has what is taken apart, with the reasons.
"""

from __future__ import annotations

import json
import os
import queue
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import corpus
import dlls
from corpus import HERE, Package, Run
from program import build
from winprogram import TARGET, windows_path

from oxcross import runner
from oxcross.inspect.executable import locate
from oxcross.pack.format import ModuleFlag, NodeKind
from oxcross.pack.reader import Blob
from oxcross.pe import Pe, is_pe

RESULTS = HERE / "WINDOWS.md"
ENOUGH = 60  # packages whose programs work
FROM_MEMORY = 0.8  # of all extension modules
LIBRARIES = "--libraries"  # instead of a package's name: load all native files (uses/libraries.py)
KINDS = ("wine", "Windows", "package", "oxcross")  # what keeps a program from working
_SECONDS = 300.0  # for one program
_LIBRARIES_SECONDS = 300.0
_SLOTS = 3  # programs at a time: they wait more than they compute
_VERSION = "win10"  # that wine says it is: CPython wants no older one
# Each Windows since 8 has this DLL, wine only since 9; what is made by Rust takes its random numbers from there.
_PRIMITIVES = dlls.dll(exports={1: ("ProcessPrng", "advapi32.SystemFunction036")}, pointers=0)
# What the wheels of other platforms do not share; their files are held against RECORD by the programs themselves.
_OF_THE_WHEEL = re.compile(r"^(files|modules|tree) \d+ .*$|^(source) \d+(?= )", re.MULTILINE)
_EXTENSION = re.compile(
    r"\.(?:cpython-\d+-x86_64-linux-gnu\.so|abi3\.so|cp\d+-win_amd64\.pyd|pyd|so)(?![\w.])"
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a program does not work: what keeps it from it (one of KINDS), and how."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a program prints otherwise on Windows, and why."""

    pattern: re.Pattern[str]
    reason: str


@dataclass(frozen=True, slots=True)
class Known:
    """windows.toml: versions that are held, why programs fail, and lines (patterns) that differ, by package."""

    held: Mapping[str, str]
    held_why: Mapping[str, str]
    failing: Mapping[str, Reason]
    lines: Mapping[str, tuple[Line, ...]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A program in the environment and under wine; stdout without what cannot be alike."""

    package: Package
    version: str
    native: bool
    expected: Run
    found: Run

    @property
    def works(self) -> bool:
        """Whether it ended well and printed the same."""
        return (
            self.expected.status == 0 and self.found.status == 0 and self.expected.output == self.found.output
        )


@dataclass(frozen=True, slots=True)
class Census:
    """A group's native files, by their paths: what must go through the cache, and what the launcher has put there."""

    mapped: tuple[str, ...]
    cached: tuple[str, ...]
    written: tuple[str, ...]  # names of the cache's files
    failed: Mapping[str, str]  # why, by the name of what could not be loaded


@dataclass(frozen=True, slots=True)
class Group:
    """An executable for Windows, and the environment that tells what is expected."""

    executable: Path
    python: Path
    library: Path

    @property
    def packages(self) -> Path:
        """The environment's site-packages."""
        return next(self.python.parent.parent.glob("lib/python3*/site-packages"))

    def record(self, package: Package) -> Path:
        """The package's metadata in the environment."""
        name = re.sub(r"[-_.]+", "_", package.name)
        return next(self.packages.glob(f"{name}-*.dist-info"))

    def pure(self, package: Package) -> bool:
        """Whether the wheel is one for all platforms."""
        return "Root-Is-Purelib: true" in (self.record(package) / "WHEEL").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Results:
    """What came out, by the names of packages and groups."""

    outcomes: Mapping[str, Outcome]
    census: Mapping[str, Census]


def known() -> Known:
    """Read windows.toml."""
    data: dict[str, Any] = tomllib.loads((HERE / "windows.toml").read_text(encoding="utf-8"))
    held = data.get("held", {})
    return Known(
        {name: row["version"] for name, row in held.items()},
        {name: row["reason"] for name, row in held.items()},
        {name: Reason(row["by"], row["reason"]) for name, row in data.get("failing", {}).items()},
        {
            name: tuple(Line(re.compile(row["pattern"], re.MULTILINE), row["reason"]) for row in rows)
            for name, rows in data.get("lines", {}).items()
        },
    )


def lockfile(group: str) -> Path:
    """The lock of a group."""
    return HERE / f"{group}-windows.lock"


def lock(groups: Iterable[str]) -> None:
    """Resolve each group for Windows: with the versions of its other lock, but for those that are held."""
    held = known().held
    for name in groups:
        lines = [
            f"{one.name}=={held.get(one.name, one.version)}\n"
            for one in corpus.packages()
            if one.group == name
        ]
        pinned = re.findall(
            r"^([\w.-]+)==(\S+)", (HERE / f"{name}.lock").read_text(encoding="utf-8"), re.MULTILINE
        )
        assert TARGET.uv_platform
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as constraints:
            constraints.writelines(f"{one}=={version}\n" for one, version in pinned if one not in held)
            constraints.flush()
            corpus.resolve(lines, lockfile(name), TARGET.uv_platform, "--constraints", constraints.name)


def make(name: str, folder: Path) -> Group:
    """Build the executable of a group in ``folder``, and the environment beside it."""
    laid_out = corpus.project(lockfile(name), folder)
    built = build(laid_out, target=TARGET.name)
    python, library = corpus.make_environment(lockfile(name), folder)
    length = len(str(folder / "environment" / "lib" / library.name / "site-packages"))
    group = Group(corpus.place(built, folder, length - len("Z:")), python, library)
    shutil.copytree(laid_out / "uses", group.packages / "uses")
    return group


class Slots:
    """Wine's folders, one for each program that runs: what hangs is ended together with its own wineserver."""

    def __init__(self, folder: Path, count: int = _SLOTS) -> None:
        first = folder / "wine-0"
        base = {name: value for name, value in os.environ.items() if not name.startswith("WINE")}
        env = runner.environment(TARGET, {**base, "WINEPREFIX": str(first)})
        version = runner.line(TARGET, "winecfg", "/v", _VERSION)
        subprocess.run(
            version, env=env, check=True, timeout=120, capture_output=True, stdin=subprocess.DEVNULL
        )
        _end(first)  # it writes its registry
        (first / "drive_c/windows/system32/bcryptprimitives.dll").write_bytes(_PRIMITIVES)
        prefixes = [first, *(folder / f"wine-{number}" for number in range(1, count))]
        for other in prefixes[1:]:
            shutil.copytree(first, other, symlinks=True)
        self._free: queue.Queue[Path] = queue.Queue()
        for prefix in prefixes:
            self._free.put(prefix)

    @contextmanager
    def one(self) -> Iterator[Path]:
        """A folder that nobody else uses."""
        prefix = self._free.get()
        try:
            yield prefix
        finally:
            self._free.put(prefix)

    def close(self) -> None:
        """End all that still runs in them."""
        while not self._free.empty():
            _end(self._free.get())


def _end(prefix: Path) -> None:
    """End all programs of a wine folder."""
    server = shutil.which("wineserver") or "/usr/lib/wine/wineserver"
    env = {**os.environ, "WINEPREFIX": str(prefix)}
    for way in ("-k", "-w"):
        subprocess.run([server, way], env=env, capture_output=True, timeout=60, check=False)


def _wine(
    group: Group, arguments: Sequence[str], slots: Slots, folder: str, cache: Path, seconds: float
) -> tuple[int, str, str]:
    """Run a group's executable in a folder."""
    place = windows_path(Path(folder))
    # Wine gives programs what it knows of the user instead of the environment's, but for WINEHOME, which is their HOME
    # (uses/__main__.py); TMPDIR is where its own server is to be found.
    own = {"WINEHOME": place, "TMPDIR": tempfile.gettempdir(), "OXCROSS_CACHE": windows_path(cache)}
    with slots.one() as prefix:
        env = runner.environment(TARGET, {**own, "WINEPREFIX": str(prefix)})

        def end(process: subprocess.Popen[bytes]) -> None:
            process.kill()
            _end(prefix)

        return corpus.execute(runner.line(TARGET, group.executable, *arguments), folder, env, seconds, end)


def run(package: Package, group: Group, slots: Slots) -> Outcome:
    """Run the package's program in the environment and under wine."""
    pure = group.pure(package)
    lines = known().lines.get(package.name, ())
    version = group.record(package).name.removesuffix(".dist-info").rpartition("-")[2]
    with _folder() as folder:
        command = [str(group.python), "-I", "-X", "utf8", "-m", "uses", package.name]
        expected = corpus.execute(command, folder, {})
        places = {
            str(group.packages): "{packages}",
            str(group.python.parent.parent): "{environment}",
            str(group.library): "{library}",
            str(group.library.parent.parent): "{environment}",
        }
        wanted = _neutral(expected, _written(places, folder), pure, lines)
    with _folder() as folder:
        found = _wine(group, [package.name], slots, folder, group.executable.parent / "cache", _SECONDS)
        places = {
            f"{group.executable}/lib/{group.library.name}": "{library}",
            f"{group.executable}/": "{packages}/",
            str(group.executable): "{environment}/bin/python",
        }
        places = _written(places, folder)
        places |= {f"{root}{place}": name for place, name in places.items() for root in ("Z:", "/Z:")}
        return Outcome(package, version, not pure, wanted, _neutral(found, places, pure, lines))


def _written(places: Mapping[str, str], folder: str) -> dict[str, str]:
    """The ways to write these places and the current folder: some tell places by how they lie from there."""
    relative = {
        os.path.relpath(place, folder) + "/" * place.endswith("/"): name for place, name in places.items()
    }
    return {folder: "{folder}", **places, **relative}


@contextmanager
def _folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="oxcross-corpus-", ignore_cleanup_errors=True) as folder:
        yield folder


def _neutral(done: tuple[int, str, str], places: Mapping[str, str], pure: bool, lines: Sequence[Line]) -> Run:
    """Without what the two systems cannot have alike: places, separators, line ends, endings of modules' names."""
    status, out, err = done
    texts = []
    for text in (out, err):
        slashed = re.sub(r"\\+", "/", text.replace("\r\n", "\n"))
        texts.append(_EXTENSION.sub("{extension}", corpus.neutral(slashed, places)))
    if not pure:
        texts[0] = _OF_THE_WHEEL.sub(r"\1\2 …", texts[0])
    for line in lines:
        texts[0] = line.pattern.sub("…", texts[0])
    return Run(status, *texts)


def count(group: Group, slots: Slots) -> Census:
    """Load every native file of a group's executable, and see which of them went through the cache."""
    files = _natives(group.executable)
    by_name = {path.rpartition("/")[2].lower(): path for path in files}
    cached = {path for path, file in files.items() if file.has_variables}
    waiting = [*cached]
    while waiting:  # Windows' loader finds what is needed by its file only
        needed = {by_name[name.lower()] for name in files[waiting.pop()].needed if name.lower() in by_name}
        waiting += needed - cached
        cached |= needed
    with _folder() as folder:
        cache = Path(folder) / "cache"
        status, out, err = _wine(group, [LIBRARIES], slots, folder, cache, _LIBRARIES_SECONDS)
        assert status == 0, err
        written = sorted(path.name for path in cache.rglob("*") if path.is_file())
    mapped = sorted(set(files) - cached)
    return Census(tuple(mapped), tuple(sorted(cached)), tuple(written), json.loads(out.splitlines()[-1]))


def _natives(executable: Path) -> dict[str, Pe]:
    """The DLLs and extension modules in an executable, by their paths."""
    data = executable.read_bytes()
    offset, size = locate(data, executable)
    blob = Blob(data[offset : offset + size])
    payloads = {node.path: node.data for node in blob.nodes if node.kind == NodeKind.FILE}
    payloads |= {row.path: row.code for row in blob.modules if ModuleFlag.EXTENSION in row.flags}
    found = {}
    for path, payload in payloads.items():
        if path.lower().endswith((".pyd", ".dll")):
            content = blob.read(payload)
            if is_pe(content) and Pe(content).dll:
                found[path] = Pe(content)
    return found


def run_all(wanted: Iterable[Package], folder: Path) -> Results:
    """Build the groups that ``wanted`` needs below ``folder``, then run all, two at a time."""
    chosen = list(wanted)
    groups = {name: make(name, folder / name) for name in dict.fromkeys(one.group for one in chosen)}
    slots = Slots(folder)
    try:
        with ThreadPoolExecutor(_SLOTS) as pool:
            outcomes = pool.map(lambda one: run(one, groups[one.group], slots), chosen)
            census = pool.map(lambda name: count(groups[name], slots), groups)
            return Results(
                {one.package.name: one for one in outcomes}, dict(zip(groups, census, strict=True))
            )
    finally:
        slots.close()
