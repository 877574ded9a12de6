"""A wheel and an sdist built by the backend and by setup.py, with package data, finders and entry points."""

from __future__ import annotations

import contextlib
import io
import os
import tarfile
import zipfile
from importlib import metadata
from pathlib import Path

import setuptools
from setuptools import build_meta, config

from uses import helpers

FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "tiny"
version = "1.2"
description = "A tiny one"
dependencies = ["six>=1.0"]
[project.scripts]
tiny = "tiny.cli:main"
[tool.setuptools.package-data]
tiny = ["data/*.txt"]
""",
    "src/tiny/__init__.py": "__version__ = '1.2'\n",
    "src/tiny/cli.py": "def main():\n    print('tiny')\n",
    "src/tiny/data/hello.txt": "hello\n",
}


def main() -> None:
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, newline="\n")
    print(setuptools.__version__, setuptools.find_packages("src"), setuptools.find_namespace_packages("src"))
    os.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    log = io.StringIO()
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        wheel = build_meta.build_wheel("dist")
        sdist = build_meta.build_sdist("dist")
        editable = build_meta.build_editable("dist")
    print(wheel, sdist, editable)
    with zipfile.ZipFile(f"dist/{wheel}") as archive:
        for name in archive.namelist():
            print(name, archive.getinfo(name).file_size)
    with tarfile.open(f"dist/{sdist}") as archive:
        print(sorted(archive.getnames()))
    print(config.pyprojecttoml.read_configuration("pyproject.toml")["project"]["version"])
    Path("setup.py").write_text("from setuptools import setup\nsetup()\n")
    print(helpers.python("setup.py", "--version", "--name"))
    print(helpers.python("-c", "import setuptools, distutils; print(distutils.__name__, distutils.__file__)"))
    print(
        len(metadata.entry_points(group="distutils.commands")),
        len(setuptools.Distribution().get_command_list()),
    )
