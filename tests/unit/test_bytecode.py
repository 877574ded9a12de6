"""Bytecode is a function of source, path, level and interpreter, and of nothing else."""

from __future__ import annotations

import marshal
import random
import sys
import sysconfig
from pathlib import Path
from types import CodeType

import pytest

from oxcross.collect.bytecode import Compiled, compile_all
from oxcross.errors import CollectError

PYTHON = Path(sys.executable)
STDLIB = Path(sysconfig.get_path("stdlib"))


def standard_library() -> dict[str, bytes]:
    unwanted = {"site-packages", "test", "tests", "idlelib", "lib2to3"}
    files = sorted(path for path in STDLIB.rglob("*.py") if not unwanted.intersection(path.parts))
    return {path.relative_to(STDLIB).as_posix(): path.read_bytes() for path in files}


def test_columns_are_left_out_when_asked() -> None:
    source = {"a.py": b"def f(x):\n    return x.one + x.two[3]\n"}
    kept, left = (
        compile_all(PYTHON, source, optimize=0, columns=columns)["a.py"].code for columns in (True, False)
    )
    assert kept
    assert left
    assert len(left) < len(kept)


def test_whole_standard_library_in_any_order() -> None:
    """Each run is a process of its own with another hash seed (-I ignores PYTHONHASHSEED)."""
    sources = standard_library()
    assert len(sources) > 500
    expected = compile_all(PYTHON, sources, optimize=0)
    chance = random.Random(7)  # noqa: S311
    for jobs in (1, 3):
        paths = list(sources)
        chance.shuffle(paths)
        again = compile_all(PYTHON, {path: sources[path] for path in paths}, optimize=0, jobs=jobs)
        assert [path for path in paths if again[path] != expected[path]] == []
    few = chance.sample(sorted(sources), 5)
    for path in few:
        assert compile_all(PYTHON, {path: sources[path]}, optimize=0)[path] == expected[path]


def code_of(source: bytes, *, path: str = "pkg/mod.py", optimize: int = 0) -> CodeType:
    compiled = compile_all(PYTHON, {path: source}, optimize=optimize)[path]
    assert compiled.code is not None
    code = marshal.loads(compiled.code)  # noqa: S302
    assert isinstance(code, CodeType)
    return code


def test_path_is_the_virtual_one() -> None:
    code = code_of(b"def f():\n    return 1\n")
    assert code.co_filename == "pkg/mod.py"
    inner = [const for const in code.co_consts if isinstance(const, CodeType)]
    assert [one.co_filename for one in inner] == ["pkg/mod.py"]


@pytest.mark.parametrize(
    ("optimize", "expected"), [(0, (True, "doc")), (1, (False, "doc")), (2, (False, None))]
)
def test_levels(optimize: int, expected: tuple[bool, str | None]) -> None:
    names: dict[str, object] = {}
    exec(code_of(b'"doc"\nfound = __debug__\n', optimize=optimize), names)  # noqa: S102
    assert (names["found"], names.get("__doc__")) == expected


def test_encodings() -> None:
    names: dict[str, object] = {}
    exec(code_of("# coding: latin-1\nx = 'é'\n".encode("latin-1")), names)  # noqa: S102
    assert names["x"] == "é"
    exec(code_of("\ufeffy = 'é'\n".encode()), names)  # noqa: S102
    assert names["y"] == "é"


def test_what_does_not_compile_is_told() -> None:
    sources = {
        "old.py": b"print 'hello'\n",
        "template.py": b"{{ name }} = \n",
        "null.py": b"x = '\0'\n",
        "good.py": b"x = 1\n",
    }
    compiled = compile_all(PYTHON, sources, optimize=0)
    assert [path for path, one in compiled.items() if one.code is None] == [
        "old.py",
        "template.py",
        "null.py",
    ]
    assert "print" in compiled["old.py"].error


def test_warnings_are_silent_and_harmless() -> None:
    assert code_of(b"x = '\\d'\nassert (1, 'always')\n").co_names == ("x",)


def test_values_survive_the_store() -> None:
    for one in (Compiled(b"\x00code"), Compiled(None, "é")):
        assert Compiled.of(one.value()) == one


def test_bad_interpreter(tmp_path: Path) -> None:
    with pytest.raises(CollectError, match="cannot be run"):
        compile_all(tmp_path / "python", {"a.py": b""}, optimize=0)
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho boom >&2\nexit 3\n")
    broken.chmod(0o755)
    with pytest.raises(CollectError, match="status 3: boom"):
        compile_all(broken, {"a.py": b""}, optimize=0)


def test_nothing_to_do() -> None:
    assert compile_all(Path("/nowhere"), {}, optimize=0) == {}
