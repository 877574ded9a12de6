"""A Django site: every command, the admin and every kind of server work from the executable."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from pair import Pair, Side, files, pair

PASSWORD = "supernova-1572"  # noqa: S105 (of the test's own database)
COMMANDS = """
check
makemigrations --check
migrate
showmigrations
sqlmigrate stars 0001
createsuperuser --noinput --username tycho --email tycho@example.org
loaddata sky
brightest --count 2
shell -c "from stars.models import Star; print(Star.objects.count(), Star.objects.first())"
visit
test
dumpdata stars --indent 1
collectstatic --noinput
findstatic admin/css/base.css stars/style.css
inspectdb
diffsettings
startapp comets
startproject planetarium
migrate stars zero
sendtestemail --managers
no-such-command
""".strip().splitlines()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return pair("django_site", tmp_path_factory.mktemp("django"))


def _sides(site: Pair, folder: Path) -> tuple[Side, Side]:
    return site.sides(folder, str(site.project / "manage.py"))


@pytest.fixture
def filled(site: Pair, tmp_path: Path) -> Side:
    """The executable, with a database of its own."""
    side = _sides(site, tmp_path)[0]
    for line in COMMANDS[2], COMMANDS[5], COMMANDS[6]:
        done = side.run(*line.split(), env={"DJANGO_SUPERUSER_PASSWORD": PASSWORD})
        assert done.status == 0, done.errors
    return side


def test_commands(site: Pair, tmp_path: Path) -> None:
    ours, theirs = _sides(site, tmp_path)
    env = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    for command in COMMANDS:
        line = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
        outcome, expected = (side.run(*line, env=env) for side in (ours, theirs))
        for text in "observatory", "manage.py":  # what the program is called
            expected = type(expected)(
                expected.status, expected.output, expected.errors.replace(text, "PROGRAM")
            )
            outcome = type(outcome)(outcome.status, outcome.output, outcome.errors.replace(text, "PROGRAM"))
        assert (command, _timeless(outcome.output), _timeless(outcome.errors)) == (
            command,
            _timeless(expected.output),
            _timeless(expected.errors),
        )
        assert outcome.status == expected.status == (command == COMMANDS[-1]), outcome.errors
    written = files(ours.folder)
    assert "static/admin/css/base.css" in written
    assert "comets/migrations/__init__.py" in written
    random = {"db.sqlite3", "planetarium/planetarium/settings.py"}  # a salt, a secret key
    left = files(theirs.folder)
    assert {path: digest for path, digest in written.items() if path not in random} == {
        path: digest for path, digest in left.items() if path not in random
    }
    assert written.keys() == left.keys()


def _timeless(text: str) -> str:
    return re.sub(r"in \d+\.\d+s", "in S", text)


def test_migrations_are_read_only(filled: Side) -> None:
    done = filled.run("makemigrations", "stars", "--empty", "--name", "later")
    assert done.status == 1
    assert "OSError: [Errno 30] Read-only file system: 'SITE/stars/migrations/0002_later.py'" in done.errors


class _Visitor:
    """A browser: cookies, forms with Django's token."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def get(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        request = urllib.request.Request(
            self.base + path, data, {"Referer": self.base, "Accept-Language": "de"}
        )
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait(self) -> None:
        """Until connections are accepted: uvicorn says that it runs a little before."""
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.get("/")
                return
            time.sleep(0.1)

    def post(self, path: str, **fields: str) -> str:
        status, page = self.get(path)
        assert status == 200, page
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert token is not None
        data = {"csrfmiddlewaretoken": token[1], **fields}
        status, page = self.get(path, urllib.parse.urlencode(data).encode())
        assert status == 200, page
        return page


SERVERS = {
    "runserver": ("runserver --noreload 127.0.0.1:0", r"server at (http://127\.0\.0\.1:\d+)"),
    "reloader": ("runserver 127.0.0.1:0", r"server at (http://127\.0\.0\.1:\d+)"),
    "gunicorn": ("gunicorn --workers 2 --bind 127.0.0.1:0", r"Listening at: (http://127\.0\.0\.1:\d+)"),
    "uvicorn": ("uvicorn --workers 2 --port 0", r"running on (http://127\.0\.0\.1:\d+).*startup complete"),
}


@pytest.mark.parametrize("server", SERVERS)
def test_server(filled: Side, server: str) -> None:
    line, ready = SERVERS[server]
    debug = line.startswith("runserver")
    env = {"OBSERVATORY_DEBUG": str(int(debug))}
    with filled.serve(*line.split(), ready=ready, env=env) as (base, log):
        visitor = _Visitor(base)
        visitor.wait()
        assert "<h1>drei stars</h1>" in visitor.get("/")[1]
        page = visitor.post("/admin/login/?next=/admin/", username="tycho", password=PASSWORD)
        assert "Abmelden" in page
        star = {"constellation": "1", "name": "Betelgeuse", "magnitude": "0.50", "seen_0": "", "seen_1": ""}
        page = visitor.post("/admin/stars/star/add/", **star)
        found = re.search(r'href="(/admin/stars/star/\d+/change/)[^>]*>Betelgeuse', page)
        assert found is not None
        assert "0,42" in visitor.post(found[1], **{**star, "magnitude": "0.42"})
        assert "Betelgeuse in Orion: 0,42 bright <b>****</b>" in visitor.get("/")[1]
        status, page = visitor.get("/static/admin/css/base.css")
        assert (status, "--header-bg" in page) == ((200, True) if debug else (404, False))
        status, page = visitor.get("/fail/")
        assert status == 500
        assert ("asked to fail" in page and "raise LookupError" in page) == debug
    assert ('raise LookupError("asked to fail")' in "".join(log)) == debug


def test_reload(filled: Side) -> None:
    """A module beside the executable is watched as in any site, and what is embedded never changes."""
    settings = filled.folder / "local_settings.py"
    settings.write_text('SITE_TITLE = "First light"\n', encoding="utf-8")
    env = {"OBSERVATORY_DEBUG": "1", "OBSERVATORY_SETTINGS": str(settings)}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # the same one after the restart
    with filled.serve("runserver", str(port), ready=SERVERS["runserver"][1], env=env) as (base, log):
        assert "<title>First light</title>" in _Visitor(base).get("/")[1]
        settings.write_text('SITE_TITLE = "Second light"\n', encoding="utf-8")
        for step in range(100):
            # The reloader compares times of change, and does not say when it has seen the first.
            os.utime(settings, (2_000_000_000 + step // 20, 2_000_000_000 + step // 20))
            with contextlib.suppress(OSError):
                if "<title>Second light</title>" in _Visitor(base).get("/")[1]:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(f"not loaded again: {log}")
    text = "".join(log)
    assert "local_settings.py changed, reloading." in text
    assert text.count("Starting development server") >= 2
