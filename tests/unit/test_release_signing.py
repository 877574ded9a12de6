"""Signed releases: keys that are read and told about, signatures that are added, the tasks that make keys and sign."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from configuring import HEAD, error, load, writer
from tools import need

from oxcross.build import Artifact
from oxcross.errors import ConfigError, PublishError
from oxcross.publish import dist, folder, settings, signing
from oxcross.publish.minisign import PublicKey, SecretKey
from oxcross.publish.settings import Sign

KEY = SecretKey.generate()
OWN = signing.Anchor((KEY.public,))
PASSWORD = b"correct horse"
CHEAP = (1 << 15, 1 << 24)
PLACES = ("OXCROSS_SIGNING_KEY", "OXCROSS_SIGNING_PASSWORD", "MY_KEY", "MY_PASSWORD")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key or password in the environment, but for what a test puts there."""
    for name in PLACES:
        monkeypatch.delenv(name, raising=False)


def wanted(**more: Any) -> Sign:
    return Sign(public_key=str(KEY.public), **more)


def silent(text: str) -> None:
    pytest.fail(text)


# -- the configuration ----------------------------------------------------------------------

TABLE = f'[tool.oxcross]\nrun-file = "app.py"\n[tool.oxcross.release.sign]\npublic-key = "{KEY.public}"\n'


def test_configuration(tmp_path: Path) -> None:
    write = writer(tmp_path)
    assert load(write(TABLE)).release.sign == wanted()
    found = load(write(TABLE + 'key-file = "keys/own"\npassword-env = "MY_PASSWORD"\n')).release.sign
    assert found == wanted(key_env="", key_file=tmp_path / "keys" / "own", password_env="MY_PASSWORD")  # noqa: S106


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE.replace("RW", "RX"), "release.sign.public-key: not a valid value: 'RX"),
        (TABLE.partition("public-key")[0], "release.sign.public-key: missing"),
        (TABLE + 'key-env = "A"\nkey-file = "b"\n', "key-env and key-file exclude each other"),
        (
            TABLE + 'password-env = "A"\npassword-file = "b"\n',
            "password-env and password-file exclude each other",
        ),
        (TABLE + 'pasword-env = "A"\n', "did you mean 'password-env'?"),
    ],
)
def test_a_wrong_configuration(text: str, message: str, tmp_path: Path) -> None:
    assert message in error(writer(tmp_path)(text))


# -- keys -----------------------------------------------------------------------------------


def test_a_key_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked, plain = KEY.file(PASSWORD, CHEAP), KEY.file(None)
    file = tmp_path / "key"
    file.write_text(locked, encoding="ascii")
    file.chmod(0o600)
    word = tmp_path / "password"
    word.write_bytes(PASSWORD + b"\nnot this line\n")
    assert signing.load(wanted(key_env="", key_file=file, password_file=word), silent) == KEY
    monkeypatch.setenv("OXCROSS_SIGNING_KEY", plain)
    assert signing.load(wanted(), silent) == KEY
    monkeypatch.setenv("MY_KEY", locked)
    monkeypatch.setenv("OXCROSS_SIGNING_PASSWORD", PASSWORD.decode())
    assert signing.load(wanted(key_env="MY_KEY"), silent) == KEY
    monkeypatch.setenv("MY_PASSWORD", PASSWORD.decode())
    monkeypatch.setenv("OXCROSS_SIGNING_PASSWORD", "another")
    assert signing.load(wanted(key_env="MY_KEY", password_env="MY_PASSWORD"), silent) == KEY  # noqa: S106


def test_a_key_that_others_can_read_is_told(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY.file(None), encoding="ascii")
    for mode, told in ((0o640, 1), (0o604, 1), (0o600, 0)):
        file.chmod(mode)
        notices: list[str] = []
        assert signing.load(wanted(key_env="", key_file=file), notices.append) == KEY
        assert notices == [f"others can read the secret key: chmod 600 {file}"] * told


def test_keys_that_do_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = KEY.file(PASSWORD, CHEAP)
    monkeypatch.setenv("OTHER", SecretKey.generate().file(None))
    monkeypatch.setenv("LOCKED", locked)
    monkeypatch.setenv("JUNK", "junk")
    monkeypatch.setenv("WRONG", "wrong+password")
    for one, message in (
        (wanted(), r"key-env: the environment variable OXCROSS_SIGNING_KEY is not set(.|\n)*--unsigned"),
        (wanted(key_env="", key_file=tmp_path / "no"), "key-file: there is no file"),
        (wanted(key_env="JUNK"), "key-env: the secret key cannot be used: not a secret key"),
        (wanted(key_env="OTHER"), f"it is the secret key of RW.*, not of {str(KEY.public)[:5]}"),
        (wanted(key_env="LOCKED"), r"there is no password\n.*OXCROSS_SIGNING_PASSWORD"),
        (wanted(key_env="LOCKED", password_env="WRONG"), "cannot be used: not its password"),  # noqa: S106
        (wanted(key_env="LOCKED", password_env="UNSET"), "password-env: the environment variable UNSET"),  # noqa: S106
        (wanted(key_env="LOCKED", password_file=tmp_path / "no"), "password-file: there is no file"),
    ):
        with pytest.raises(ConfigError, match=message) as caught:
            signing.load(one, silent)
        assert caught.value.exit_code == 3
        assert "wrong+password" not in str(caught.value)
        assert locked.splitlines()[1] not in str(caught.value)


# -- releases -------------------------------------------------------------------------------


def released(tmp_path: Path, *keys: SecretKey, root: str = "dist") -> dist.Release:
    path = tmp_path / "build" / "linux-x64" / "app"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"executable")
    digest = hashlib.sha256(b"executable").hexdigest()
    built = [Artifact(target="linux-x64", path=path, sha256=digest, size=10, seconds=1.0)]
    signers = [signing.sign_with(key, "app", "1.0") for key in keys]
    return dist.release(tmp_path / root, "app", "1.0", built, (), signers)


def test_a_signed_release(tmp_path: Path) -> None:
    done = released(tmp_path, KEY)
    for file in ("SHA256SUMS", "manifest.json"):
        text = (done.path / f"{file}.minisig").read_text(encoding="utf-8")
        assert KEY.public.verify((done.path / file).read_bytes(), text) == f"app 1.0 {file}"
    signing.check(OWN, folder.read(done.path, "app", "1.0"))
    again = released(tmp_path, KEY, root="again")
    for path in done.path.iterdir():
        assert path.read_bytes() == (again.path / path.name).read_bytes()


def test_signatures_are_added(tmp_path: Path) -> None:
    done = released(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in done.path.iterdir()}
    with pytest.raises(PublishError, match=r"SHA256SUMS.minisig: SHA256SUMS is not signed"):
        signing.check(OWN, folder.read(done.path, "app", "1.0"))
    assert not released(tmp_path, KEY).new
    signing.check(OWN, folder.read(done.path, "app", "1.0"))
    now = {path.name: path.stat().st_mtime_ns for path in done.path.iterdir()}
    assert now.items() > before.items()
    assert now.keys() - before.keys() == {"SHA256SUMS.minisig", "manifest.json.minisig"}
    assert not released(tmp_path, KEY).new
    assert not released(tmp_path).new
    assert now == {path.name: path.stat().st_mtime_ns for path in done.path.iterdir()}
    assert [path.name for path in done.path.parent.iterdir()] == ["1.0"]
    with pytest.raises(PublishError, match="it is another signature than the key makes"):
        released(tmp_path, SecretKey.generate())


def test_former_keys(tmp_path: Path) -> None:
    old = SecretKey.generate()
    done = released(tmp_path, old)
    now = wanted(former_keys=(str(old.public),))
    there = folder.read(done.path, "app", "1.0")
    signing.check(signing.anchor(now, former=True), there)
    with pytest.raises(PublishError, match="signed with another key"):
        signing.check(signing.anchor(now, former=False), there)
    (done.path / "SHA256SUMS.minisig").write_text(SecretKey.generate().sign(b"", ""), encoding="utf-8")
    with pytest.raises(PublishError, match=f"rather than {KEY.public.name}"):
        signing.check(signing.anchor(now, former=True), folder.read(done.path, "app", "1.0"))


# -- tasks ----------------------------------------------------------------------------------


def oxcross(cwd: Path, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oxcross", *argv],
        cwd=cwd,
        env={**os.environ, "OXCROSS_STORE": str(cwd / "store"), **env},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_keygen(tmp_path: Path) -> None:
    need(minisign="minisign")
    done = oxcross(tmp_path, "keygen", "--out", "own.key", "--no-password")
    assert done.returncode == 0, done.stderr
    public = PublicKey.parse((tmp_path / "own.key.pub").read_text(encoding="ascii"))
    assert f'[tool.oxcross.release.sign]\npublic-key = "{public}"' in done.stdout
    secret = (tmp_path / "own.key").read_text(encoding="ascii")
    assert SecretKey.parse(secret, None).public == public
    assert secret.splitlines()[1] not in done.stdout + done.stderr
    assert (tmp_path / "own.key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "file").write_text("text", encoding="utf-8")
    line = ["minisign", "-S", "-s", "own.key", "-m", "file"]
    assert subprocess.run(line, cwd=tmp_path, check=False, stdin=subprocess.DEVNULL).returncode == 0
    for file in ("own.key", "own.key.pub"):
        again = oxcross(tmp_path, "keygen", "--out", "own.key", "--no-password")
        assert again.returncode == 2
        assert f"{file}: it is there already" in again.stderr
        (tmp_path / file).rename(tmp_path / f"moved-{file}")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "own"))) == []


def test_keygen_asks_for_a_password(tmp_path: Path) -> None:
    refused = oxcross(tmp_path, "keygen")
    assert refused.returncode == 2
    assert "there is no password for the secret key" in refused.stderr
    assert "--no-password" in refused.stderr
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    assert "the password is empty" in oxcross(tmp_path, "keygen", "--password-file", "empty").stderr
    assert not (tmp_path / "oxcross.key").exists()


def test_keygen_encrypts(tmp_path: Path) -> None:
    done = oxcross(tmp_path, "keygen", "--json", OXCROSS_SIGNING_PASSWORD=PASSWORD.decode())
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    text = (tmp_path / document["key-file"]).read_text(encoding="ascii")
    assert str(SecretKey.parse(text, PASSWORD).public) == document["public-key"]
    assert PASSWORD.decode() not in done.stdout + done.stderr


def test_keygen_with_little_memory(tmp_path: Path) -> None:
    """An encrypted key takes 1 GiB, to try each password, too."""
    line = f"ulimit -v 1000000; exec {sys.executable} -m oxcross keygen"
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=tmp_path,
        env={**os.environ, "OXCROSS_SIGNING_PASSWORD": PASSWORD.decode()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 7, done.stderr
    assert "its password takes 1024 MiB of memory, which there are not" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_is_told_before_anything_is_built(tmp_path: Path) -> None:
    write = writer(tmp_path)
    write(TABLE, head=HEAD)
    done = oxcross(tmp_path, "release", "--targets", "linux-x64")
    assert done.returncode == 3
    assert f"the environment variable {settings.KEY_ENV} is not set, which has the secret key" in done.stderr
    assert "linux-x64" not in done.stderr
    assert oxcross(tmp_path, "release", "--dry-run").returncode == 0
    (tmp_path / "pyproject.toml").write_text(
        HEAD + TABLE + '[tool.oxcross.publish]\nbucket = "releases"\n', encoding="utf-8"
    )
    done = oxcross(tmp_path, "release", "--publish", "--unsigned")
    assert done.returncode == 2
    assert "what is not signed is not published" in done.stderr
