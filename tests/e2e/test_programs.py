"""Well-known programs: documented commands of each give from the executable what they give in an environment.

Each is built once, with what its oxcross.lock names; both run with a folder of their own as HOME.
"""

from __future__ import annotations

import functools
import http.server
import json
import re
import sqlite3
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from pair import Pair, Side, files, pair


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Pair]:
    """A function that builds a test application, once."""
    return functools.cache(lambda app: pair(app, tmp_path_factory.mktemp(app)))


def _same(
    sides: tuple[Side, Side],
    *arguments: str,
    status: int = 0,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
) -> str:
    """Run a command on both sides; the output of both."""
    ours, theirs = (side.run(*arguments, env=env, stdin=stdin) for side in sides)
    assert ours == theirs
    assert ours.status == status, ours.errors
    return ours.output + ours.errors


@pytest.fixture
def media() -> Iterator[str]:
    """The address of a page with a video, on the loopback interface."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            video = self.path.endswith(".mp4")
            body = bytes(range(256)) * 64 if video else b"<title>Clip</title><video src='/clip.mp4'></video>"
            self.send_response(200)
            self.send_header("Content-Type", "video/mp4" if video else "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815 (the name that http.server wants)

        def log_message(self, *arguments: object) -> None:
            """Keep the test's output clean."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_yt_dlp(program: Callable[[str], Pair], tmp_path: Path, media: str) -> None:
    sides = program("yt_dlp").sides(tmp_path, "yt-dlp")
    assert re.fullmatch(r"\d{4}\.\d\d\.\d\d\n", _same(sides, "--version"))
    assert len(_same(sides, "--list-extractors").splitlines()) > 1500
    assert "made here" in _same(sides, "--quiet", "--print", "title", "own:abc")
    assert "Clip" in _same(sides, "--print", "%(title)s %(ext)s %(extractor)s", f"{media}/page")
    _same(sides, "--quiet", "-o", "%(title)s.%(ext)s", f"{media}/page")
    _same(sides, "no-such-address", status=1)
    written = files(sides[0].folder)
    assert "Clip (1).mp4" in written
    assert written == files(sides[1].folder)


def test_black(program: Callable[[str], Pair], tmp_path: Path) -> None:
    sides = program("black").sides(tmp_path, "black")
    assert "compiled: yes" in _same(sides, "--version")
    assert "x = {'a': 1}" in _same(sides, "-c", "x  = {'a':1}")
    assert "x = {'a': 1}" in _same(sides, "-", stdin="x  = {'a':1}")
    for arguments, status in [(["--check", "package"], 1), (["package"], 0), (["--check", "package"], 0)]:
        for side in sides:  # the order of lines is that of the processes
            done = side.run(*arguments)
            assert done.status == status, done.errors
            assert re.search(r"^4 files (re|left un|would be (re|left un))", done.errors, re.MULTILINE)
    assert "cannot parse" in _same(sides, "bad.py", status=123)
    written = {path: digest for path, digest in files(sides[0].folder).items() if ".cache" not in path}
    assert written == {
        path: digest for path, digest in files(sides[1].folder).items() if ".cache" not in path
    }


@pytest.mark.parametrize("theme", ["mkdocs", "readthedocs", "material"])
def test_mkdocs(program: Callable[[str], Pair], tmp_path: Path, theme: str) -> None:
    sides = program("mkdocs").sides(tmp_path, "mkdocs")
    env = {"NO_MKDOCS_2_WARNING": "1", "SOURCE_DATE_EPOCH": "1700000000"}
    assert "mkdocs, version" in _same(sides, "--version")
    _same(sides, "new", "fresh", env=env)
    for side in sides:
        done = side.run("build", "--strict", "--config-file", "project/mkdocs.yml", "--theme", theme, env=env)
        assert done.status == 0, done.errors
        assert "Documentation built" in done.errors
    written = files(sides[0].folder)
    assert "project/site/page/index.html" in written
    assert written == files(sides[1].folder)


def test_datasette(program: Callable[[str], Pair], tmp_path: Path) -> None:
    sides = program("datasette").sides(tmp_path, "datasette")
    for side in sides:
        with sqlite3.connect(side.folder / "sky.db") as database:
            database.execute("create table star (id integer primary key, name text)")
            database.execute("insert into star (name) values ('Vega'), ('Rigel')")
        database.close()
    assert "datasette, version" in _same(sides, "--version")
    assert "prepare_connection" in _same(sides, "plugins", "--all")
    assert json.loads(_same(sides, "inspect", "sky.db"))["sky"]["tables"] == {"star": {"count": 2}}
    sql = "/sky.json?_shape=array&sql=select+shout(name)+as+loud+from+star"
    assert json.loads(_same(sides, "sky.db", "--plugins-dir", "plugins", "--get", sql)) == [
        {"loud": "VEGA"},
        {"loud": "RIGEL"},
    ]
    answers = []
    for side in sides:
        line = ["serve", "sky.db", "--port", "0", "--plugins-dir", "plugins", "--template-dir", "templates"]
        ready = r"running on (http://127\.0\.0\.1:\d+)"
        with side.serve(*line, ready=ready) as (base, log):
            found = {}
            for path in ("/sky/star.json?_shape=array", "/sky/star", "/-/static/app.css", "/-/databases"):
                with urllib.request.urlopen(base + path, timeout=30) as answer:
                    found[path] = re.sub(r"[\d.]+ms", "", answer.read().decode().replace(base, "BASE"))
        assert "Finished server process" in "".join(log)
        assert json.loads(found["/sky/star.json?_shape=array"])[1] == {"id": 2, "name": "Rigel"}
        assert "own footer" in found["/sky/star"]
        answers.append(found)
    assert answers[0] == answers[1]


def test_ansible(program: Callable[[str], Pair], tmp_path: Path) -> None:
    built = program("ansible")
    play = built.sides(tmp_path, "ansible-playbook", "ansible-playbook")
    env = {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "0",
    }
    outputs = []
    for side in play:
        home = str(side.folder / ".ansible")
        done = side.run(
            "site.yml",
            env={**env, "ANSIBLE_REMOTE_TMP": f"{home}/tmp", "ANSIBLE_ASYNC_DIR": f"{home}/async"},
        )
        assert done.status == 0, done.output + done.errors
        outputs.append(re.sub(r"jid=j\d+\.\d+", "jid=J", done.output))
        assert (side.folder / "out" / "greet.txt").read_text(encoding="utf-8") == "hello world WORLD 3\n"
    assert outputs[0] == outputs[1]
    assert '"counted.twice": 42' in outputs[0]

    adhoc = built.sides(tmp_path / "adhoc", "ansible", "ansible")
    ping = _same(adhoc, "localhost", "-m", "ping", env={**env, "ANSIBLE_REMOTE_TMP": str(tmp_path / "tmp")})
    assert '"ping": "pong"' in ping
    doc = built.sides(tmp_path / "doc", "ansible-doc", "ansible-doc")
    assert "MODULE ansible.builtin.copy" in _same(doc, "copy", env=env)
    assert len(_same(doc, "--list", "--type", "lookup").splitlines()) > 20
    config = built.sides(tmp_path / "config", "ansible-config", "ansible-config")
    assert "ANSIBLE_NOCOLOR(env: ANSIBLE_NOCOLOR) = True" in _same(config, "dump", "--only-changed", env=env)


def test_ipython(program: Callable[[str], Pair], tmp_path: Path) -> None:
    sides = program("ipython").sides(tmp_path, "ipython", "ipython")
    assert re.fullmatch(r"9\.\d+\.\d+\n", _same(sides, "--version"))
    assert "FOLDER/.ipython" in _same(sides, "locate")
    assert "42" in _same(sides, "-c", "print(6 * 7)")
    assert "['shell']" in _same(sides, "magic.ipy")
    assert "NameError" in _same(sides, "-c", "missing", status=1)
    assert "['dump', 'dumps']" in _same(sides, "complete.py")
    shown = _same(sides, "--simple-prompt", "--no-banner", stdin="1 + 1\nimport json\njson.dumps?\nexit\n")
    assert "Out[1]: 2" in shown
    kernels = [side.run("kernel.py") for side in sides]  # its log varies from run to run
    assert kernels[0].output == kernels[1].output
    assert "42 __main__ True" in kernels[0].output

    consoles = program("ipython").sides(tmp_path / "console", "jupyter-console", "jupyter-console")
    said = [("In [1]: ", "6 * 7"), ("In [2]: ", "exit")]
    screens = [side.converse("--simple-prompt", said=said) for side in consoles]
    assert ["Out[1]: 42" in screen for screen in screens] == [True, True]  # each has another tip of the day


def test_pytest(program: Callable[[str], Pair], tmp_path: Path) -> None:
    sides = program("pytest").sides(tmp_path, "pytest")
    assert "pytest 9" in _same(sides, "--version")
    for arguments in (["checks/arithmetic.py"], ["-n", "2", "-q", "checks/arithmetic.py"]):
        outputs = []
        for side in sides:
            done = side.run(*arguments)
            assert done.status == 1, done.errors
            # Of two processes, either may be the first to end.
            neutral = re.sub(r"={3,}|in \d+\.\d+s|gw\d|^(\.F|F\.)", "", done.output, flags=re.MULTILINE)
            outputs.append(sorted(neutral.splitlines()))
        assert outputs[0] == outputs[1]
        assert any("assert [1, 3] == [1, 2]" in line for line in outputs[0])
        assert "1 failed, 1 passed" in "".join(outputs[0])
