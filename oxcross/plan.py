"""What a build consists of: Steps, each named by the hash of all that it reads, and their order.

A Step is plain data (a POSIX sh script, its inputs, its environment), so that it can be run in a
container, on this machine, or be sent elsewhere. Nothing in this module runs anything or imports
anything heavy: `oxcross build --dry-run` needs only this and the store.

What a script sees, by variables only (it never spells ``/oxcross``):

=========  =====================================================================================
``ROOT``   ``/oxcross``, or another folder where the engine has no namespaces
``IN``     ``$ROOT/in``, read-only: one entry per input, under its mount name. A Source is the
           file itself (``tar -xf "$IN/openssl"``), a Step its output folder, a Tree and a Folder a folder
``OUT``    ``$ROOT/out``, empty at the start: what is there at the end is the step's output
``WORK``   ``$ROOT/work``, empty: the current folder, and ``HOME``
``TMPDIR`` ``$ROOT/tmp``
``JOBS``   how many processes to use; not part of the key
=========  =====================================================================================
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Protocol, TypeAlias

SANDBOX_ROOT = "/oxcross"
SOURCE_DATE_EPOCH = 1577836800  # 2020-01-01T00:00:00Z; also the mtime of every file in the store
KEY_FORMAT = 1  # part of every key: a change of meaning of Step or store entry makes all of them new

FIXED_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": str(SOURCE_DATE_EPOCH),
        "PYTHONHASHSEED": "0",
    }
)


class Pinned(Protocol):
    """A source pinned by hash: what the plan and the fetcher ask of ``oxcross.sources.Source``."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str: ...
    @property
    def sha256(self) -> str: ...  # lower-case hex
    @property
    def size(self) -> int: ...  # bytes
    @property
    def filename(self) -> str: ...
    @property
    def upstream(self) -> Sequence[str]: ...  # URLs, tried in order
    @property
    def pool(self) -> str | None: ...  # "pool/main/…": path below an APT mirror, no host
    @property
    def kind(self) -> str: ...  # "archive" | "wheel" | "deb" | "index"


@dataclass(frozen=True)
class Tree:
    """Literal files: relative POSIX path -> content. Mounted as a folder, modes 0644."""

    files: Mapping[str, bytes]

    def __post_init__(self) -> None:
        for path in self.files:
            parts = PurePosixPath(path).parts
            if not parts or path.startswith("/") or ".." in parts:
                raise ValueError(f"not a path inside the tree: {path!r}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the sorted paths and the contents' digests, lower-case hex."""
        return _digest({path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()})


@dataclass(frozen=True)
class Folder:
    """A folder of this machine's that steps read where it lies, such as a tool chain that must not be passed on: no store
    has it, and no step puts any of it into its output. ``sha256`` is its content's (``trees.digest``).
    """

    path: Path  # absolute
    sha256: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One script with all that it reads. Two steps with the same key make the same bytes.

    ``name`` is for people (``linux-x64/openssl``) and, like ``image``, ``outputs`` and ``memory``, no part of
    the key. ``outputs`` are paths that must exist below ``$OUT`` when the script is done; ``memory`` is about
    what its processes need at most, in bytes.
    """

    name: str
    script: str
    inputs: Mapping[str, Input] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    image: str = "manylinux"
    outputs: tuple[str, ...] = ()
    memory: int = 500_000_000

    def __post_init__(self) -> None:
        for mount in self.inputs:
            if mount in ("", ".", "..") or "/" in mount:
                raise ValueError(f"{self.name}: not a mount name: {mount!r}")
        fixed = {*FIXED_ENVIRONMENT, "ROOT", "IN", "OUT", "WORK", "HOME", "TMPDIR", "JOBS"}
        if taken := sorted(fixed.intersection(self.env)):
            raise ValueError(f"{self.name}: the engine sets {', '.join(taken)} itself")

    @cached_property
    def key(self) -> str:
        """SHA-256 (lower-case hex) of the script, the environment and the inputs' identities."""
        inputs = {mount: identity(value) for mount, value in self.inputs.items()}
        return _digest({"format": KEY_FORMAT, "script": self.script, "env": dict(self.env), "inputs": inputs})

    @property
    def needs(self) -> tuple[Step, ...]:
        """The steps whose outputs this one reads."""
        return tuple(value for value in self.inputs.values() if isinstance(value, Step))

    @property
    def sources(self) -> tuple[Pinned, ...]:
        """The pinned sources that this step reads."""
        return tuple(v for v in self.inputs.values() if not isinstance(v, Step | Tree | Folder))

    def __eq__(self, other: object) -> bool:
        return self.key == other.key if isinstance(other, Step) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key)


Input: TypeAlias = Step | Tree | Folder | Pinned


def identity(value: Input) -> list[str]:
    """What an input contributes to the key of a step that reads it."""
    if isinstance(value, Step):
        return ["step", value.key]
    if isinstance(value, Tree):
        return ["tree", value.digest]
    if isinstance(value, Folder):
        return ["folder", value.sha256]
    return ["source", value.sha256]


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class State(Enum):
    """What the plan will do about a step."""

    CACHED = "cached"
    BUILD = "build"
    FETCH = "fetch"  # it is to be built, and a source that it reads is not in the store yet


class Known(Protocol):
    """What ``Plan.states`` asks of the store; answered without reading any content."""

    def has(self, key: str) -> bool: ...
    def has_source(self, sha256: str) -> bool: ...


class Reporter(Protocol):
    """Who is told how a build goes on. Called from several threads; must not raise."""

    def step_started(self, step: Step) -> None: ...
    def step_finished(self, step: Step, *, cached: bool, seconds: float) -> None: ...
    def step_failed(self, step: Step, seconds: float) -> None: ...
    def fetch_started(self, name: str, total: int) -> None: ...
    def fetch_progress(self, name: str, done: int, total: int) -> None: ...
    def fetch_finished(self, name: str, *, ok: bool) -> None: ...
    def notice(self, text: str) -> None: ...


@dataclass(frozen=True)
class Plan:
    """Steps in an order in which each comes after all that it needs.

    ``wanted`` are those that were asked for; the others are there because these need them.
    """

    steps: tuple[Step, ...]
    wanted: tuple[Step, ...]

    @classmethod
    def of(cls, wanted: Iterable[Step]) -> Plan:
        """Collect ``wanted`` and all steps they need.

        Raises ValueError when two different steps have one name or a step needs itself. Steps of
        the same key count once, under the first name.
        """
        ordered: dict[str, Step] = {}
        path: list[Step] = []

        done: set[int] = set()  # by identity: asking a step that needs itself for its key has no end

        def visit(step: Step) -> None:
            if id(step) in done:
                return
            if any(step is other for other in path):
                names = [other.name for other in path]
                chain = " -> ".join([*names[names.index(step.name) :], step.name])
                raise ValueError(f"steps need each other: {chain}")
            path.append(step)
            for needed in step.needs:
                visit(needed)
            path.pop()
            done.add(id(step))
            ordered.setdefault(step.key, step)

        goals = tuple(wanted)
        for step in goals:
            visit(step)
        names: dict[str, Step] = {}
        for step in ordered.values():
            if names.setdefault(step.name, step) is not step:
                raise ValueError(f"two different steps are called {step.name!r}")
        return cls(tuple(ordered.values()), tuple(dict.fromkeys(ordered[step.key] for step in goals)))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def named(self, name: str) -> Step:
        """The step of that name; KeyError when there is none."""
        for step in self.steps:
            if step.name == name:
                return step
        raise KeyError(name)

    def states(self, store: Known) -> dict[Step, State]:
        """What is to be done for each step, in order, without building or hashing anything."""
        states: dict[Step, State] = {}
        for step in self.steps:
            if store.has(step.key):
                states[step] = State.CACHED
            elif all(store.has_source(source.sha256) for source in step.sources):
                states[step] = State.BUILD
            else:
                states[step] = State.FETCH
        return states
