"""Notarization, against a server that does what Apple's documentation says, and takes nothing else."""

from __future__ import annotations

import json
import re
import shutil
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path

import pytest
from apple_tools import certificates, executable, serving, who
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from notary_service import ISSUER, KEY_ID, TICKET, Apple, handler_of

from oxcross import cli
from oxcross.errors import ConfigError, PublishError, ToolError
from oxcross.macos import bundle, notary, pkg, staple
from oxcross.macos.settings import App, MacOS, Notarize, Package, Signing
from oxcross.macos.sign import sign


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = certificates(tmp_path_factory.mktemp("keys"))
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "AuthKey.p8").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder


@pytest.fixture
def own(keys: Path) -> notary.Key:
    return notary.key(Notarize(issuer=ISSUER, key_id=KEY_ID, key=keys / "AuthKey.p8"))


@pytest.fixture
def apple(own: notary.Key) -> Iterator[Apple]:
    made = Apple(own.private.public_key())
    with serving(handler_of(made)) as address:
        made.address = address
        yield made


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: Path) -> Path:
    """A folder with an executable, a bundle and a package that are signed."""
    folder = tmp_path_factory.mktemp("signed")
    how = Signing(identity=who(keys), timestamp="")
    (folder / "x").mkdir()
    plain = executable(folder / "x", "universal2")
    sign(plain, folder / "app", how, "org.example.app", lambda _: None)
    app = App(name="The App", identifier="org.example.app", version="1.0")
    bundle.make(folder / "app", folder, MacOS(app=app, sign=how), lambda _: None)
    about = pkg.About(
        name="app", identifier="org.example.app", version="1.0", minimum="11.0", arch="universal2"
    )
    installer = Package(location="/usr/local/bin", identity=who(keys, "installer", "package"), timestamp="")
    pkg.make(folder / "app", folder / "app.pkg", about, installer)
    return folder


@pytest.fixture
def files(signed: Path, tmp_path: Path) -> Path:
    """The same, for one test's use."""
    folder = tmp_path / "files"
    shutil.copytree(signed, folder)
    return folder


def service(apple: Apple, keys: Path) -> Notarize:
    return Notarize(
        issuer=ISSUER,
        key_id=KEY_ID,
        key=keys / "AuthKey.p8",
        service=f"{apple.address}/notary/v2",
        upload=f"{apple.address}/{{bucket}}",
        tickets=f"{apple.address}/lookup",
    )


def run(apple: Apple, keys: Path, *words: str | Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """``oxcross notarize``, in a folder without a project."""
    monkeypatch.setenv("OXCROSS_NOTARY_ISSUER", ISSUER)
    monkeypatch.setenv("OXCROSS_NOTARY_KEY_ID", KEY_ID)
    monkeypatch.setenv("OXCROSS_NOTARY_KEY", str(keys / "AuthKey.p8"))
    monkeypatch.setattr(notary.Notary.__init__, "__kwdefaults__", {"pause": 0.01})
    wanted = service(apple, keys)
    flags = [
        "--service",
        wanted.service,
        "--upload",
        wanted.upload,
        "--tickets",
        wanted.tickets,
        "--project",
        "/",
    ]
    return cli.main(["notarize", *map(str, words), *flags])


def test_a_bundle(
    apple: Apple, keys: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = files / "The App.app"
    with zipfile.ZipFile(files / "app.zip", "w") as packed:
        packed.writestr("The App.app/", b"")
    with zipfile.ZipFile(files / "other.zip", "w") as packed:
        packed.writestr("Other.app/", b"")
    assert run(apple, keys, app, "--json", monkeypatch=monkeypatch) == 0
    [row] = json.loads(capsys.readouterr().out)["notarized"]
    assert (row["status"], row["stapled"]) == ("Accepted", True)
    [data] = apple.uploads.values()
    with zipfile.ZipFile(BytesIO(data)) as sent:
        assert sent.namelist()[0] == "The App.app/"
        assert sent.read("The App.app/Contents/MacOS/app") == (app / "Contents/MacOS/app").read_bytes()
    [name] = apple.tickets
    assert re.fullmatch(r"2/2/[0-9a-f]{40}", name)
    assert name == staple.record(app)
    assert (app / "Contents/CodeResources").read_bytes() == TICKET == staple.stapled(app)
    with zipfile.ZipFile(files / "app.zip") as anew:
        assert anew.read("The App.app/Contents/CodeResources") == TICKET
    with zipfile.ZipFile(files / "other.zip") as other:
        assert other.namelist() == ["Other.app/"]
    assert [row["submissionName"] for row in apple.submissions.values()] == ["The App.zip"]


def test_a_package_and_an_executable(
    apple: Apple, keys: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (files / "app.pkg").read_bytes()
    words = [str(files / "app.pkg"), "--also", str(files / "app")]
    assert run(apple, keys, *words, monkeypatch=monkeypatch) == 0
    said = capsys.readouterr()
    assert "executables have no place for a ticket" in said.err
    assert re.search(r"app\.pkg\s+\S+\s+stapled", said.out)
    assert re.search(r"app\s+\S+\s+accepted", said.out)
    after = (files / "app.pkg").read_bytes()
    assert after.startswith(before)
    assert after[len(before) :].startswith(b"t8lr\x01\x00\x01\x00")
    assert staple.stapled(files / "app.pkg") == TICKET
    assert apple.tickets[0] == staple.record(files / "app.pkg")
    assert apple.tickets[0].startswith("2/1/")
    staple.staple(files / "app.pkg", f"{apple.address}/lookup")  # again: in the place of the first
    assert (files / "app.pkg").read_bytes() == after
    first, second = apple.uploads.values()
    assert first == before
    with zipfile.ZipFile(BytesIO(second)) as sent:
        assert sent.namelist() == ["app"]


def test_what_is_refused(
    apple: Apple, keys: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apple.answers = ["In Progress", "Invalid"]
    assert run(apple, keys, files / "app", monkeypatch=monkeypatch) == PublishError.exit_code
    said = capsys.readouterr().err
    assert "Apple does not notarize it (Invalid)" in said
    assert "error: app.zip/app arm64: The signature does not include a secure timestamp." in said
    assert not apple.tickets


def test_no_ticket(
    apple: Apple, keys: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apple.ticket = None
    assert run(apple, keys, files / "app.pkg", monkeypatch=monkeypatch) == PublishError.exit_code
    assert "there is no ticket for it: Record not found" in capsys.readouterr().err
    apple.ticket = b"something else"
    with pytest.raises(PublishError, match="its ticket is none"):
        staple.staple(files / "app.pkg", f"{apple.address}/lookup")
    assert not staple.stapled(files / "app.pkg")


def test_it_takes_longer(
    apple: Apple, keys: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    apple.answers = ["In Progress"] * 3 + ["Accepted"]
    assert run(apple, keys, files / "app.pkg", "--wait", "0", monkeypatch=monkeypatch) == ToolError.exit_code
    said = capsys.readouterr().err
    found = re.search(r"--submission ([\w-]+)", said)
    assert found is not None
    apple.broken = 2  # answers that are not there are asked for again
    words = [str(files / "app.pkg"), "--submission", found[1]]
    assert run(apple, keys, *words, monkeypatch=monkeypatch) == 0
    assert len(apple.submissions) == 1
    assert staple.stapled(files / "app.pkg") == TICKET


def test_what_apple_would_refuse_is_not_uploaded(
    apple: Apple, keys: Path, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = executable(files / "x", "aarch64")
    soft = files / "soft"
    sign(plain, soft, Signing(identity=who(keys), timestamp="", hardened_runtime=False), "a", lambda _: None)
    about = pkg.About(name="app", identifier="org.example.app", version="1.0", minimum="11.0", arch="aarch64")
    pkg.make(plain, files / "plain.pkg", about, Package(location="/x"))
    (files / "broken").write_bytes((files / "app").read_bytes()[:-1] + b"x")
    (files / "text").write_text("text")
    (files / "no.app").mkdir()
    (files / "no.pkg").write_text("text")
    for name, says in {
        str(plain): "only what is signed with a certificate",
        "soft": "only programs with the hardened runtime",
        "plain.pkg": "it is not signed",
        "broken": "its signature is not right",
        "text": "neither a bundle",
        "no.app": "it is no bundle",
        "no.pkg": "it is no package",
        "x": "a folder that is no bundle",
        "nothing": "there is no such file",
    }.items():
        assert run(apple, keys, files / name, monkeypatch=monkeypatch) in {2, 10}
        assert says in capsys.readouterr().err, name
    assert not apple.submissions


def test_another_key(apple: Apple, keys: Path, files: Path, own: notary.Key) -> None:
    other = notary.Key(ISSUER, KEY_ID, ec.generate_private_key(ec.SECP256R1()))
    with pytest.raises(PublishError, match=r"refuses \(401 .*signature\n.*belong together"):
        notary.Notary(service(apple, keys), other).submit(files / "app.pkg", "app.pkg")
    stranger = notary.Key("somebody", KEY_ID, own.private)
    with pytest.raises(PublishError, match="issuer or audience"):
        notary.Notary(service(apple, keys), stranger).status("x")
    with pytest.raises(PublishError, match="no such submission"):
        notary.Notary(service(apple, keys), own).status("x")


def test_nobody_answers(keys: Path, own: notary.Key, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    with serving(BaseHTTPRequestHandler) as address:
        pass
    gone = Notarize(service=address, upload=address, tickets=address)
    with pytest.raises(ToolError, match="cannot be reached"):
        notary.Notary(gone, own).status("x")
    with pytest.raises(ToolError, match="cannot be reached"):
        staple.staple(files / "app.pkg", address)


def test_keys(keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keys / "AuthKey.p8"
    monkeypatch.delenv("OXCROSS_NOTARY_KEY", raising=False)
    for wanted, says in (
        (Notarize(), r"macos\.notarize\.issuer: missing\n.*OXCROSS_NOTARY_ISSUER"),
        (Notarize(issuer=ISSUER, key=path), r"notarize\.key-id: missing"),
        (Notarize(issuer=ISSUER, key_id=KEY_ID), r"notarize\.key: missing"),
        (Notarize(issuer=ISSUER, key_id=KEY_ID, key=tmp_path / "no"), "cannot be read"),
        (Notarize(issuer=ISSUER, key_id=KEY_ID, key=keys / "code.pem"), r"is no \.p8 file"),
        (Notarize(issuer=ISSUER, key_id=KEY_ID, key=keys / "code.key"), "is no key for ES256"),
    ):
        with pytest.raises(ConfigError, match=says):
            notary.key(wanted)
    monkeypatch.setenv("OXCROSS_NOTARY_KEY", str(path))
    assert notary.key(Notarize(issuer=ISSUER, key_id=KEY_ID)).identifier == KEY_ID
    assert "private" not in repr(notary.key(Notarize(issuer=ISSUER, key_id=KEY_ID)))
