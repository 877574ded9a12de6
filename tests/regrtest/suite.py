"""CPython's own tests as a wheel: the package ``test`` of the pinned source, and the extension modules it tests with.

They come from the archive that the interpreter was built of, and are never part of this repository. The extension
modules are ordinary shared objects, made by the target's compiler against the headers of the same build.
"""

from __future__ import annotations

import os
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

from oxcross import engine, executor, recipes, report, targets
from oxcross.collect import distributions
from oxcross.cpython import pinned
from oxcross.fetch import Fetcher
from oxcross.plan import Plan, Step
from oxcross.store import Store

HERE = Path(__file__).parent
NAME = "cpython_tests"
# What makes tests without them be skipped one by one, and no whole files of those that need none.
_WITHOUT_MODULES = (
    ("support/__init__.py", "TEST_MODULES_ENABLED = .*", "TEST_MODULES_ENABLED = False"),
    ("test_importlib/util.py", r'import_helper\.import_module\("_testmultiphase"\)', ""),
)
_TARGET = "linux-x64"
_TAG = "cp{}-cp{}-manylinux_2_17_x86_64"


def step(series: str) -> Step:
    """Makes ``site/``: the package and the modules as they are installed."""
    target = targets.get(_TARGET)
    _, source = pinned(series)
    return Step(
        name=f"{_TARGET}/cpython-tests",
        script=(HERE / "modules.sh").read_text(encoding="utf-8"),
        inputs={
            "cpython": source,
            "python": recipes.cpython(target, series),
            "toolchain": recipes.toolchain(target),
        },
        image=target.image,
        outputs=("site/test/__init__.py",),
    )


def wheel(folder: Path, series: str) -> Path:
    """Write the wheel of CPython's tests into ``folder``; its path."""
    wanted = step(series)
    jobs = len(os.sched_getaffinity(0))
    with Store() as store, report.terminal() as terminal:
        chosen = engine.choose("auto", notice=terminal.notice)
        try:
            made = executor.run(
                Plan.of([wanted]), chosen, store, Fetcher(store, (), terminal), terminal, jobs
            )
        finally:
            chosen.close()
        return _write(made[wanted] / "site", folder, series, _TAG.format(*[series.replace(".", "")] * 2))


def pure_wheel(folder: Path, series: str) -> Path:
    """The same for every target: the package alone, as of a CPython that was configured without the test modules."""
    source = pinned(series)[1]
    with Store() as store, report.terminal() as terminal:
        archive = Fetcher(store, (), terminal).fetch([source])[source.sha256]
        unpacked = folder / "source"
        with tarfile.open(archive) as content:
            content.extractall(unpacked, filter="data")
    site = next(unpacked.glob("*/Lib/test")).parent.rename(folder / "library")
    for path in site.iterdir():
        if path.name != "test":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for file, line, instead in _WITHOUT_MODULES:
        path = site / "test" / file
        text, count = re.subn(f"^{line}$", instead, path.read_text("utf-8"), flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{path}: no line {line!r}, or several")
        path.write_text(text, encoding="utf-8")
    made = _write(site, folder, series, "py3-none-any")
    shutil.rmtree(unpacked)
    shutil.rmtree(site)
    return made


def _write(tree: Path, folder: Path, series: str, tag: str) -> Path:
    version = pinned(series)[1].version
    pure = str(tag.endswith("-any")).lower()
    information = f"{NAME}-{version}.dist-info"
    paths = [path for path in sorted(tree.rglob("*")) if path.is_file()]
    content = {path.relative_to(tree).as_posix(): path.read_bytes() for path in paths}
    programs = {path.relative_to(tree).as_posix() for path in paths if path.stat().st_mode & 0o111}
    content[f"{information}/METADATA"] = f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {version}\n".encode()
    content[f"{information}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: oxcross\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode()
    )
    content[f"{information}/RECORD"] = distributions.record(content, information)
    path = folder / f"{NAME}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in content.items():
            entry = zipfile.ZipInfo(member)
            entry.external_attr = (0o755 if member in programs else 0o644) << 16
            archive.writestr(entry, data)
    return path
