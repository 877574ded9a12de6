"""docs/errors.md: each error on it is made, from the files and by the command that stand there, with the exit status of its section,
and names that section.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
from pathlib import Path

import pytest
from pages import blocks, pattern, program
from program import REPOSITORY

from oxcross import errors, explain
from oxcross.errors import OxcrossError
from oxcross.store import default_root

PAGE = (REPOSITORY / "docs" / "errors.md").read_text(encoding="utf-8")
KINDS = {
    one.exit_code: one
    for one in vars(errors).values()
    if inspect.isclass(one) and issubclass(one, OxcrossError) and "exit_code" in vars(one)
}
SECTIONS = re.findall(r"^## (\d+): (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
CASES = {
    title: (int(status), text)
    for status, _, section in SECTIONS
    for title, text in re.findall(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", section, re.DOTALL | re.MULTILINE)
}


def test_every_class_has_a_section() -> None:
    named = {int(status): name for status, name, _ in SECTIONS if int(status) != OxcrossError.exit_code}
    assert named == {status: kind.__name__ for status, kind in KINDS.items() if kind is not OxcrossError}
    assert {status for status, _ in CASES.values()} == named.keys()


def test_the_table_names_the_classes() -> None:
    classes = dict(re.findall(r"^\| (\d+) \| \[?`(\w+)`", PAGE, re.MULTILINE))
    assert classes == {str(status): kind.__name__ for status, kind in KINDS.items()}


@pytest.mark.parametrize("title", CASES)
def test_error(title: str, tmp_path: Path) -> None:
    status, text = CASES[title]
    found = blocks(text)
    work, tools = tmp_path / "app", tmp_path / "bin"
    work.mkdir()
    tools.mkdir()
    program(tools)
    for block in found:
        if block.title:
            (work / block.title).write_text(block.text, encoding="utf-8")
    [command] = [block.text for block in found if block.kind == "sh"]
    [shown] = [block.text for block in found if block.kind == "text"]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "OXCROSS_SIGN"))}
    env |= {"PATH": f"{tools}:{env['PATH']}", "OXCROSS_STORE": str(default_root())}
    env |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}  # no credentials, wherever it runs
    done = subprocess.run(
        ["sh", "-c", command], cwd=work, env=env, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    said = re.sub(r"^note  .*\n", "", done.stderr, flags=re.MULTILINE)
    assert re.fullmatch(pattern(shown), said), f"the page shows\n{shown}\nand it is\n{said}"
    [named] = re.findall(r"^  more: oxcross explain (\S+)$", said, re.MULTILINE)
    assert explain.find(named).title == title
