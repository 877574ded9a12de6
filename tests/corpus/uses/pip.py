"""A wheel installed, listed, inspected and removed by ``python -m pip``; its vendored parts used."""

from __future__ import annotations

import base64
import hashlib
import os
import zipfile
from pathlib import Path

import pip
from pip._vendor import certifi, rich
from pip._vendor.packaging.version import Version

from uses import helpers


def wheel(name: str, requires: str = "") -> str:
    """Write a small wheel."""
    information = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": f"NAME = {name!r}\ndef main():\n    print('ran', NAME)\n",
        f"{name}/data.txt": "data\n",
        f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}",
        f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: corpus\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{information}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in files.items()
    ]
    path = f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in {
            **files,
            f"{information}/RECORD": "\n".join([*rows, f"{information}/RECORD,,", ""]),
        }.items():
            member = zipfile.ZipInfo(inner)
            member.create_system = 3  # on every system, so that the file is the same
            archive.writestr(member, text)
    return path


def main() -> None:
    os.environ |= {
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": ".",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_NO_INPUT": "1",
    }
    wheel("alpha", "Requires-Dist: beta>=0.5\n")
    wheel("beta")
    print(pip.__version__, Version(pip.__version__) > Version("20"))
    print(helpers.python("-m", "pip", "install", "--target", "out", "alpha"))
    print(
        sorted(
            path.as_posix().removesuffix(".exe")
            for path in Path("out").rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        )
    )
    print(
        next(Path("out/bin").glob("alpha*")).read_bytes().count(b"alpha") > 0,
        helpers.python("-c", "import sys; sys.path.insert(0, 'out'); import alpha; alpha.main()"),
    )
    print(helpers.python("-m", "pip", "list", "--path", "out"))
    print(helpers.python("-m", "pip", "show", "six").splitlines()[:2])
    print(helpers.python("-m", "pip", "hash", "alpha-1.0-py3-none-any.whl"))
    print(helpers.python("-m", "pip", "install", "--target", "out2", "gamma"))
    print(
        helpers.python(
            "-m",
            "pip",
            "install",
            "--dry-run",
            "--ignore-installed",
            "--report",
            "report.json",
            "--quiet",
            "alpha",
        ),
        Path("report.json").stat().st_size > 100,
    )
    print(helpers.python("-m", "pip", "check"))
    print(helpers.python("-m", "pip", "freeze", "--all"))
    print(
        helpers.python("-m", "pip", "debug").splitlines()[:2] != [],
        "Commands:" in helpers.python("-m", "pip", "help"),
    )
    print(os.path.isfile(certifi.where()), rich.__name__)
