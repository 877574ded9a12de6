"""What the manifest lists: which file each distribution was, who needs whom, what oxcross adds to what was linked."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import wheels as made
from test_collect import built, store, write  # noqa: F401 (fixtures)

from oxcross import pack, targets
from oxcross.collect import contained, uv, wheels
from oxcross.collect.collected import Built, Collected, gather
from oxcross.collect.distributions import Distribution
from oxcross.collect.index import Found, Release
from oxcross.collect.startup import Startup
from oxcross.recipes import components
from oxcross.sdist import IndexFile
from oxcross.store import Store

LINUX = targets.get("linux-x64")


def collected(**changes: Any) -> Collected:
    row = {"name": "cpython", "version": "3.13.15", "licence": "PSF-2.0"}
    values: dict[str, Any] = {
        "resources": pack.Resources(),
        "commands": {},
        "distributions": (),
        "facts": {"version": "3.13.15", "components": [row]},
        "glibc": (),
        "startup": Startup(),
        **changes,
    }
    return Collected(**values)


def names(target: str, **changes: Any) -> set[str]:
    return {row["name"] for row in contained.libraries(targets.get(target), collected(**changes))}


def test_what_is_added_to_what_was_linked() -> None:
    every = {"cpython", "zstd", "hacl-star", "oxcross"}
    assert names("linux-x64") == {*every, "compiler-rt", "glibc-start-files"}
    assert names("linux-x64-musl") == names("win-x64") == {*every, "compiler-rt"}
    assert names("macos-arm64") == every
    linked = names("linux-x64-musl", linked=("libyaml", components.LIBCXX))
    assert linked == {*every, "compiler-rt", "libyaml", "libc++"}


def test_run_time_libraries_are_listed_when_they_are_inside() -> None:
    resources = pack.Resources()
    resources.add_library(pack.Library("libz.so.1", "x/libz.so.1"))
    assert "libgcc-amd64" not in names("linux-x64", resources=resources)
    resources.add_library(pack.Library("libgcc_s.so.1", "lib/libgcc_s.so.1", fallback=True))
    assert {"libgcc-amd64", "libstdc++-amd64"} <= names("linux-x64", resources=resources)
    assert "gcc-base-amd64" not in names("linux-x64", resources=resources), "it is there for its text"


def test_a_part_says_what_it_is_part_of() -> None:
    rows = {row["name"]: row for row in contained.libraries(LINUX, collected())}
    assert rows["hacl-star"]["source"]["part-of"] == "cpython 3.13.15"
    assert "part-of" not in rows["zstd"]["source"]
    assert "source" not in rows["oxcross"]


def test_who_needs_whom(tmp_path: Path) -> None:
    """Markers are the target's; extras count when somebody asks for them; the rest is not inside."""
    inside = (
        Distribution(
            "A_a", "1", "MIT", 1, ('b[fast]>=1; python_version >= "3.12"', "gone", "old path @ ???")
        ),
        Distribution(
            "b", "1", "MIT", 1, ('c; extra == "fast"', 'd; extra == "slow"', 'a.a; extra == "fast"')
        ),
        Distribution("c", "1", "MIT", 1, ('d; sys_platform == "win32"',)),
        Distribution("d", "1", "MIT", 1, ('e; extra == "x"',)),
        Distribution("e", "1", "MIT", 1, ('a-a; python_version < "3"',)),
    )
    project = write(tmp_path / "app", 'run-file = "a.py"\nrequirements = ["d[x]"]', {"a.py": ""})
    rows = {
        name: {
            row["name"]: row["requires"]
            for row in contained.distributions(project, target, collected(distributions=inside))
        }
        for name, target in {"linux": LINUX, "windows": targets.get("win-x64")}.items()
    }
    assert rows["linux"] == {"A_a": ["b"], "b": ["A_a", "c"], "c": [], "d": ["e"], "e": []}
    assert rows["windows"] == {**rows["linux"], "c": ["d"]}


def _file(filename: str, sha256: str) -> Found:
    return Found(IndexFile(name="x", version="1", filename=filename, sha256=sha256, size=1), "")


ABI3 = _file("x-1-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", "1" * 64)
OWN = _file("x-1-cp313-cp313-manylinux_2_28_x86_64.whl", "2" * 64)
PURE = _file("x-1-py3-none-any.whl", "3" * 64)
ODD = _file("x-1.whl", "4" * 64)


@pytest.mark.parametrize(
    ("files", "hashes", "tags", "chosen"),
    [
        ((PURE,), (), (), PURE),
        ((ABI3, OWN, PURE, ODD), (), ("cp313-cp313-manylinux_2_28_x86_64",), OWN),
        (
            (ABI3, OWN, PURE),
            (),
            ("cp39-abi3-manylinux2014_x86_64", "cp39-abi3-manylinux_2_17_x86_64"),
            ABI3,
        ),
        ((ABI3, OWN, PURE), ("3" * 64,), (), PURE),
        ((ABI3, OWN, PURE), (), ("cp313-cp313-linux_x86_64",), None),
        ((), (), (), None),
    ],
)
def test_which_wheel_it_was(files: tuple[Found, ...], hashes: Any, tags: Any, chosen: Found | None) -> None:
    found = wheels._chosen(Release("x", "1", None, files), hashes, frozenset(tags))
    assert found == (chosen.file if chosen else None)


def test_the_index_is_asked_once(
    tmp_path: Path,
    store: Store,  # noqa: F811
    built: Built,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of two wheels that fit the installed one is named; a local wheel names itself; the second time nobody is asked."""
    index = tmp_path / "index"
    made.make(index, "dep", tag="py3-none-any")
    fitting = made.make(index, "dep", tag="cp313-cp313-manylinux_2_17_x86_64")
    local = made.make(tmp_path / "local", "near")
    made.use(monkeypatch, index)
    text = f'run-file = "a.py"\nproject = false\nrequirements = ["dep", "near @ {local.as_uri()}"]'
    project = write(tmp_path / "app", text, {"a.py": ""})
    found = gather(project, LINUX, built, store)
    expected = {
        name: (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
        for name, path in {"dep": fitting, "near": local}.items()
    }
    assert {name: (one.filename, one.sha256) for name, one in found.wheels.items()} == expected

    def fail(*arguments: Any, **more: Any) -> str:
        raise AssertionError(arguments, MappingProxyType(more))

    monkeypatch.setattr(uv, "run", fail)
    assert gather(project, LINUX, built, store).wheels == found.wheels
