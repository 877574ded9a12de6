"""Projects that were never configured: `oxcross init`, `oxcross build`, and the program runs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from program import oxcross

HEAD = '[project]\nname = "greet"\nversion = "1.0"\n'
CODE = {
    "src/greet/__init__.py": "",
    "src/greet/cli.py": """
from importlib.resources import files
import six
def main():
    print(files("greet").joinpath("words.txt").read_text().strip(), six.__name__)
def loud():
    print("HELLO")
""",
    "src/greet/words.txt": "hello\n",
}
SETUPTOOLS = (
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    f'{HEAD}dependencies = ["six"]\n'
    '[project.scripts]\ngreet = "greet.cli:main"\nloud = "greet.cli:loud"\n'
    '[tool.setuptools.package-data]\ngreet = ["*.txt"]\n'
)
SCRIPT = """\
# /// script
# requires-python = ">=3.12"
# dependencies = ["six"]
# ///
from pathlib import Path
import helper, six
print((Path(__file__).parent / "assets" / "words.txt").read_text().strip(), helper.NAME, six.__name__)
"""
SETUP_PY = """\
from setuptools import find_packages, setup
setup(
    name="greet", version="1.0", packages=find_packages("src"), package_dir={"": "src"},
    package_data={"greet": ["*.txt"]}, install_requires=["six"], entry_points={"console_scripts": ["greet=greet.cli:main"]},
)
"""
POETRY = """\
[tool.poetry]
name = "greet"
version = "1.0"
description = ""
authors = []
packages = [{ include = "greet", from = "src" }]
[tool.poetry.dependencies]
python = "^3.11"
six = "^1.16"
[tool.poetry.scripts]
greet = "greet.cli:main"
[build-system]
requires = ["poetry-core"]
build-backend = "poetry.core.masonry.api"
"""
KINDS = {
    "Poetry's own tables": ({"pyproject.toml": POETRY, **CODE}, [("", "hello six")]),
    "setuptools with two scripts": (
        {"pyproject.toml": SETUPTOOLS, **CODE},
        [("", "hello six"), ("loud", "HELLO")],
    ),
    "a script with inline metadata": (
        {"greet.py": SCRIPT, "helper.py": "NAME = 'helper'\n", "assets/words.txt": "hello\n"},
        [("", "hello helper six")],
    ),
    "setup.py alone": ({"setup.py": SETUP_PY, **CODE}, [("", "hello six")]),
    "a package that is run": (
        {"greet/__init__.py": "", "greet/__main__.py": "print('hello')\n", "requirements.txt": "six\n"},
        [("", "hello")],
    ),
    "an application as uv begins it": (
        {"pyproject.toml": f'{HEAD}dependencies = ["six"]\n', "main.py": "import six; print(six.__name__)\n"},
        [("", "six")],
    ),
}


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def ran(program: Path) -> str:
    done = subprocess.run([program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_configured_by_init(tmp_path: Path, kind: str) -> None:
    files, programs = KINDS[kind]
    folder = lay(tmp_path / "greet", files)
    done = oxcross("init", "--project", str(folder))
    assert done.returncode == 0, done.stderr
    following = done.stdout.splitlines()[-1]
    assert following == f"next: oxcross build --project {folder}"
    built = oxcross(*following.split()[2:], "--json")
    assert built.returncode == 0, built.stderr
    assert "no [tool.oxcross]" not in built.stderr
    [artifact] = json.loads(built.stdout)["artifacts"]
    for name, says in programs:
        program = Path(artifact["path"])
        if name:
            program = tmp_path / name
            program.symlink_to(artifact["path"])
        assert ran(program) == f"{says}\n"


def test_not_configured_at_all(tmp_path: Path) -> None:
    scripts = SETUPTOOLS.replace('loud = "greet.cli:loud"\n', "")
    folder = lay(tmp_path / "greet", {"pyproject.toml": scripts, **CODE})
    built = oxcross("build", "--project", str(folder), "--json")
    assert built.returncode == 0, built.stderr
    assert "there is no [tool.oxcross]: greet runs greet.cli:main, the one program" in built.stderr
    assert ran(Path(json.loads(built.stdout)["artifacts"][0]["path"])) == "hello six\n"
    assert (folder / "pyproject.toml").read_text(encoding="utf-8") == scripts
