"""No secret gets anywhere: a real release, published with failures and without, and every file and word that came of it."""

from __future__ import annotations

import base64
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import publishing
import pytest
import s3server
from disturbed import ENVIRONMENT
from program import oxcross
from publishing import BUCKET

from oxcross.publish.keys import Layout
from oxcross.publish.minisign import SecretKey
from oxcross.store import Store

KEY = SecretKey.generate()
PASSWORD = f"pass {secrets.token_hex(8)} word"
TOKEN = secrets.token_urlsafe(60)
WRONG = secrets.token_urlsafe(30)
FILE = KEY.file(PASSWORD.encode(), (1 << 15, 1 << 24))


def forms() -> dict[str, bytes]:
    """Every secret of the run, as it is and as it could be written otherwise."""
    plain = {
        "AWS secret key": s3server.SECRET.encode(),
        "wrong AWS secret key": WRONG.encode(),
        "session token": TOKEN.encode(),
        "password": PASSWORD.encode(),
        "key file": FILE.splitlines()[1].encode(),
        "key": KEY._seed,
        "decrypted key": KEY.file(None).splitlines()[1][80:160].encode(),
    }
    found = dict(plain)
    for name, value in plain.items():
        found[f"{name}, hexadecimal"] = value.hex().encode()
        found[f"{name}, base64"] = base64.b64encode(value).rstrip(b"=")[:-1]
        found[f"{name}, quoted"] = quote(value, safe="").encode()
    return found


FORMS = forms()


def leaks(place: str, content: bytes) -> list[str]:
    return [f"{place}: {name}" for name, form in FORMS.items() if form in content]


def changed(root: Path, since: float) -> Iterator[tuple[Path, bytes]]:
    """The files that were written since then; their times are set, but not that of the last change to the inode.

    Others use the store meanwhile: what they remove is passed over, folders among it.
    """
    for folder, _, names in os.walk(root):
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):
                if path.is_file() and not path.is_symlink() and path.stat().st_ctime >= since:
                    yield path, path.read_bytes()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[s3server.Server]:
    with s3server.running(tmp_path / "server") as running:
        yield running


def test_no_secret_gets_anywhere(
    server: s3server.Server, project: Callable[..., Path], tmp_path: Path
) -> None:
    folder = project("hello")
    file = folder / "pyproject.toml"
    text = file.read_text(encoding="utf-8")
    publish = f'[tool.oxcross.publish]\nbucket = "{BUCKET}"\npatience = 1\nendpoint = "{server.address}"\n'
    file.write_text(f"{text}\n{publish}{publishing.signed_by(KEY)}", encoding="utf-8")
    client = server.client()
    client.create_bucket(Bucket=BUCKET)
    begun = time.time() - 1
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    state = tmp_path / "state"
    base = {
        **ENVIRONMENT,
        "TMPDIR": str(scratch),
        "XDG_STATE_HOME": str(state),
        "OXCROSS_SIGNING_KEY": FILE,
        "OXCROSS_SIGNING_PASSWORD": PASSWORD,
    }
    line = ("release", "--project", str(folder), "--targets", "linux-x64", "--publish", "--verbose")
    wrong = {**base, "OXCROSS_SIGNING_KEY": KEY.file(WRONG.encode(), (1 << 15, 1 << 24))}
    runs = {
        "wrong password": (3, wrong),
        "wrong secret key": (10, {**base, "AWS_SECRET_ACCESS_KEY": WRONG}),
        "session token of nobody": (10, {**base, "AWS_SESSION_TOKEN": TOKEN}),
        "no server": (10, {**base, "HTTP_PROXY": "http://127.0.0.1:9"}),
        "all right": (0, base),
        "again": (0, base),
    }
    found: list[str] = []
    for name, (status, env) in runs.items():
        done = oxcross(*line, "--channel", "stable", env=env)
        assert done.returncode == status, (name, done.stdout, done.stderr)
        found += leaks(name, (done.stdout + done.stderr).encode())
    done = oxcross("verify", "--project", str(folder), "1.0", "--json", env=base)
    assert done.returncode == 0, done.stderr
    found += leaks("verify", (done.stdout + done.stderr).encode())
    with Store() as store:
        places = {"project": folder, "scratch": scratch, "state": state, "store": store.root}
    for name, root in places.items():
        written = 0
        for path, content in changed(root, begun):
            found += leaks(str(path), content)
            written += 1
        # into the store only where this was never built before
        assert written or name not in ("project", "state"), f"nothing was written into {name}"
    published = publishing.snapshot(client, Layout("", "hello"))
    assert any(key.endswith("SHA256SUMS.minisig") for key in published)
    for key in published:
        found += leaks(key, publishing.content(client, key))
        head = client.head_object(Bucket=BUCKET, Key=key)
        found += leaks(f"metadata of {key}", repr(head["Metadata"]).encode())
    client.close()
    assert found == []


def test_a_leak_would_be_seen(tmp_path: Path) -> None:
    begun = time.time() - 1
    for name, form in FORMS.items():
        file = tmp_path / "log"
        file.write_bytes(b"before" + form + b"after")
        os.utime(file, (1, 1))
        [(path, content)] = changed(tmp_path, begun)
        assert f"{path}: {name}" in leaks(str(path), content)
