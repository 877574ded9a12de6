"""The pages on platforms, done as they stand there. What a page can only name is prepared: another machine, certificates, Apple."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import apple_tools
import own_osxcross
import pytest
import signing_tools
from apple_tools import clock, png, serving
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from notary_service import KEY_ID, Apple, handler_of
from prepared import example
from program import REPOSITORY, oxcross
from reader import Reader

PLATFORMS = REPOSITORY / "docs" / "platforms"

pytestmark = pytest.mark.usefixtures("emulated")


def read(page: str, instead: Mapping[str, str]) -> str:
    """A page's text, with something else for what it only names."""
    text = (PLATFORMS / page).read_text(encoding="utf-8")
    for shown, done in instead.items():
        assert shown in text
        text = text.replace(shown, done)
    return text


def other_machine(reader: Reader) -> None:
    """The pages' other machine, by ssh: it is this one, whose kernel runs programs of every target but Windows."""
    lines = {"scp": 'cp "$2" "$HOME/${3#*:}"', "ssh": 'shift; cd "$HOME"; exec sh -c "$*"'}
    for name, line in lines.items():
        (reader.tools / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        (reader.tools / name).chmod(0o755)


def test_targets(tmp_path: Path) -> None:
    reader = Reader(tmp_path, folder=example(tmp_path / "myapp"))
    other_machine(reader)
    reader.follow(read("targets.md", {}))


def test_linux(tmp_path: Path) -> None:
    image = f"oxcross-test-page-{os.getpid()}"
    # A daemon that builds for oxcross need have no network: its steps have none.
    text = read("linux.md", {"--tag myapp": f"--tag {image}", "--rm myapp": f"--rm --network none {image}"})
    reader = Reader(tmp_path, folder=example(tmp_path / "myapp"))
    try:
        reader.follow(text)
    finally:
        subprocess.run(["docker", "image", "rm", "--force", image], check=True, capture_output=True)


def test_windows(tmp_path: Path) -> None:
    """With certificates, a server for times and a token of the test's own."""
    keys = signing_tools.certificates(tmp_path)
    folder = example(tmp_path / "myapp")
    (folder / "icon.png").write_bytes(png(256))
    shutil.copy(keys / "code.pfx", folder / "release.pfx")
    shutil.copy(keys / "chain.pem", folder / "release.pem")
    reader = Reader(tmp_path, folder=folder)
    token = signing_tools.token(tmp_path, keys, "release")
    reader.environment["SOFTHSM2_CONF"] = str(token)
    with clock(keys, tmp_path) as address:
        own = {
            "http://timestamp.digicert.com": address,
            'SIGNING_PASSWORD="…"': f"SIGNING_PASSWORD={shlex.quote(signing_tools.SECRET)}",
            'TOKEN_PIN="…"': f"TOKEN_PIN={signing_tools.PIN}",
        }
        reader.follow(read("windows.md", own))


def test_macos(tmp_path: Path) -> None:
    """Notarized by a server that does what Apple's documentation says; what runs is built for x86-64, which a loader of the tests runs."""
    keys = apple_tools.certificates(tmp_path)
    folder = example(tmp_path / "myapp")
    (folder / "icon.png").write_bytes(png(256))
    shutil.copy(keys / "code.p12", folder / "developer-id.p12")
    shutil.copy(keys / "installer.p12", folder / "installer.p12")
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"AuthKey_{KEY_ID}.p8").write_bytes(pem)
    toolchain = Path(oxcross("cache", "path", "macos-x64/toolchain").stdout.strip())
    reader = Reader(tmp_path, folder=folder)
    other_machine(reader)
    apple = Apple(key.public_key())
    apple.answers = ["Accepted"]  # at once: oxcross asks again in a quarter of a minute
    with clock(keys, tmp_path) as time, serving(handler_of(apple)) as address:
        services = f"--service {address}/notary/v2 --upload {address}/{{bucket}} --tickets {address}/lookup"
        own = {
            "macos-arm64 --": "macos-x64 --",
            "MACOS_ARM64=": "MACOS_X64=",
            'SIGNING_PASSWORD="…"': f"SIGNING_PASSWORD={shlex.quote(apple_tools.SECRET)}",
            'certificate = "': f'timestamp = "{time}"\ncertificate = "',
            "oxcross notarize": f"oxcross notarize {services}",
            "/opt/osxcross/target": str(own_osxcross.make(tmp_path / "osxcross", toolchain)),
        }
        reader.follow(read("macos.md", own))
    assert len(apple.tickets) == len(apple.uploads) == 2
