"""A suite of tests run in the process and in a child: fixtures, rewriting, plugins, parametrisation, reports, doctests."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest

from uses import helpers

FILES = {
    "pytest.ini": "[pytest]\naddopts = -p no:cacheprovider --strict-markers\nmarkers = slow: takes long\n",
    "conftest.py": """\
import pytest
pytest_plugins = ["own_plugin"]
@pytest.fixture(scope="session", params=[1, 2])
def number(request):
    return request.param
def pytest_addoption(parser):
    parser.addoption("--colour", default="red")
def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line("summary by conftest")
""",
    "own_plugin.py": "def helper(x):\n    assert x == {'a': 1, 'b': [1, 2]}\ndef pytest_report_header(config):\n    return 'colour ' + config.getoption('--colour')\n",
    "test_one.py": """\
import logging, os, pytest, warnings
from own_plugin import helper
def test_number(number): assert number + 1 > number
def test_fails(): assert [1, 2, 3] == [1, 2, 4], "lists"
def test_rewritten(): helper({"a": 1, "b": [1, 3]})
@pytest.mark.parametrize(("x", "y"), [(1, 1), (2, 4), pytest.param(3, 9, id="three")])
def test_square(x, y): assert x * x == y
@pytest.mark.xfail(raises=ZeroDivisionError)
def test_xfail(): 1 / 0
@pytest.mark.skipif("os.sep in os.path.join('a', 'b')", reason="joined")
def test_skip(): ...
def test_builtin(tmp_path, monkeypatch, capsys, capfd, caplog, recwarn):
    monkeypatch.setenv("X", "1"); os.system("echo fd"); print("out"); logging.warning("logged"); warnings.warn("w")
    assert capfd.readouterr().out and caplog.messages == ["logged"] and len(recwarn) == 1
    (tmp_path / "a").write_text("x")
def test_raises():
    with pytest.raises(ExceptionGroup, match="many"): raise ExceptionGroup("many", [ValueError()])
    assert 0.1 + 0.2 == pytest.approx(0.3)
def test_text(): assert "a\\nb\\nc" == "a\\nB\\nc"
""",
    "module.py": 'def double(x):\n    """\n    >>> double(2)\n    4\n    >>> double(3)\n    7\n    """\n    return 2 * x\n',
}  # fmt: skip


def _stable(text: str) -> str:
    text = re.sub(r"in \d+\.\d+s", "in T", text)
    text = text.replace(f"platform {sys.platform} ", "platform … ")
    text = re.sub(r"=+", "=", text)
    return re.sub(r"(?m)(^| )([_-])\2{4,}(?= |$)", r"\1\2", text)  # lines are shorter on Windows


def main() -> None:
    for name, text in FILES.items():
        Path(name).write_text(text)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = pytest.main(["-v", "-rA", "--tb=short", "--junitxml=out.xml", "test_one.py"])
    print(repr(status), _stable(out.getvalue()))
    suite = xml.etree.ElementTree.parse("out.xml").getroot()[0]
    print({name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")})
    for line in (
        ["--doctest-modules", "module.py"],
        ["--fixtures", "-q"],
        ["--markers"],
        ["--version"],
        ["-k", "square and three"],
        ["--nope"],
    ):
        print(_stable(helpers.python("-m", "pytest", "-p", "no:cacheprovider", *line)))
    print(pytest.__file__, pytest.version_tuple[0])
