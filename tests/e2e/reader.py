"""A reader of a page of the documentation, who does what stands there, in its order:

- a block with a title is a file: it is written, from the folder where the reader is (``~`` is the reader's home); ``sh`` with one is for another terminal, and the test's own;
- a block of ``toml`` without one are settings: they get into ``pyproject.toml``, in place of what was set before;
- a block of ``sh`` is typed, all in one shell session, which has to go well;
- a block of ``text`` is what that printed.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pages import Block, blocks, pattern, program

from oxcross.bzl import toml
from oxcross.store import default_root

PROJECT = "pyproject.toml"
_SECONDS = 900


class Reader:
    """Somebody with oxcross and a shell, a home of their own, and the user's store.

    ``environment`` is the shell's at its start, ``tools`` a folder that stands first in PATH, ``printed`` what the last block printed.
    ``substitute`` makes of a block's text what is done instead (an address, a key: what a page can only name).
    """

    def __init__(self, home: Path, *, folder: Path) -> None:
        """``folder`` is where the reader is when the page begins."""
        self.tools = home / "bin"
        self.tools.mkdir(parents=True)
        program(self.tools)
        (home / "home").mkdir()
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        own |= {"HOME": str(home / "home"), "PATH": f"{self.tools}:{os.environ['PATH']}"}
        self.environment = own | {"OXCROSS_STORE": str(default_root()), "AWS_EC2_METADATA_DISABLED": "true"}
        self.printed = ""
        self.substitute: Callable[[str], str] = lambda text: text
        self._state = home / "state"  # the session's variables and its folder
        self._state.write_text(f'export PWD="{folder}"\n', encoding="utf-8")

    def follow(self, text: str) -> None:
        """Do all of a page. AssertionError where it does not go as it says; also of one that has nothing to type."""
        found = blocks(text)
        assert any(_kind(block) == "typed" for block in found)
        for block in found:
            self._do(block, self.substitute(block.text))

    def type(self, line: str) -> str:
        """What a line in the session prints. AssertionError when it fails."""
        script = f'. "{self._state}"\ncd "$PWD"\n{line}\nexport -p > "{self._state}"\n'
        ran = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script], cwd=self._state.parent, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, f"{line}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    @property
    def folder(self) -> Path:
        """Where the reader is."""
        return Path(self.type("pwd").strip())

    def _do(self, block: Block, text: str) -> None:
        match _kind(block):
            case "file":
                file = self.folder / block.title.replace("~", self.environment["HOME"])
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            case "settings":
                set_in(self.folder / PROJECT, text)
            case "shown":
                assert re.fullmatch(pattern(text), self.printed), (
                    f"the page shows\n{text}\nand it is\n{self.printed}"
                )
            case "typed":
                self.printed = self.type(text)


def _kind(block: Block) -> str:
    """What a reader does with a block; of other kinds nothing."""
    if block.title:
        return "" if block.kind == "sh" else "file"
    return {"sh": "typed", "text": "shown", "toml": "settings"}.get(block.kind, "")


def set_in(project: Path, text: str) -> None:
    """Write settings into a ``pyproject.toml``; those that begin with keys are [tool.oxcross]'s."""
    settings = tomllib.loads(text if text.startswith("[") else f"[tool.oxcross]\n{text}")
    before = tomllib.loads(project.read_text(encoding="utf-8"))
    project.write_text(toml.dumps(merged(before, settings)), encoding="utf-8")


def merged(before: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Tables with what later ones say in place of it: tables grow, other values are replaced."""
    made = dict(before)
    for key, value in later.items():
        tables = isinstance(value, Mapping) and isinstance(before.get(key), Mapping)
        made[key] = merged(before[key], value) if tables else value
    return made
