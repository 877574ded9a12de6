"""minisign's keys and signatures, against minisign itself and OpenSSL, in both directions."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from tools import need

from oxcross.publish.minisign import MinisignError, PublicKey, SecretKey

CONTENT = b"0123456789abcdef  app-1.0-linux-x64\n" * 3
COMMENT = "app 1.0 SHA256SUMS"
CHEAP = (1 << 15, 1 << 24)  # of what a password costs to try, for tests
PASSWORD = b"correct horse"


@pytest.fixture(scope="module")
def key() -> SecretKey:
    return SecretKey.generate()


def minisign(folder: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    need(minisign="minisign")
    return subprocess.run(
        ["minisign", *arguments], cwd=folder, input=said, capture_output=True, text=True, check=False
    )


def test_minisign_verifies_ours(key: SecretKey, tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_bytes(CONTENT)
    (tmp_path / "SHA256SUMS.minisig").write_text(key.sign(CONTENT, COMMENT), encoding="utf-8")
    (tmp_path / "key.pub").write_text(key.public.file(), encoding="utf-8")
    for named in (["-P", str(key.public)], ["-p", "key.pub"]):
        done = minisign(tmp_path, "-V", "-H", *named, "-m", "SHA256SUMS")
        assert done.returncode == 0, done.stderr
        assert f"Trusted comment: {COMMENT}" in done.stdout
    (tmp_path / "SHA256SUMS").write_bytes(CONTENT + b"\n")
    assert minisign(tmp_path, "-V", "-p", "key.pub", "-m", "SHA256SUMS").returncode == 1


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_minisign_reads_our_keys(key: SecretKey, password: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(key.file(password, CHEAP), encoding="ascii")
    (tmp_path / "file").write_bytes(CONTENT)
    said = f"{PASSWORD.decode()}\n" if password else ""
    done = minisign(tmp_path, "-S", "-s", "secret", "-m", "file", "-t", COMMENT, said=said)
    assert done.returncode == 0, done.stderr
    signature = (tmp_path / "file.minisig").read_text(encoding="utf-8")
    assert key.public.verify(CONTENT, signature) == COMMENT
    assert signature.splitlines()[1:] == key.sign(CONTENT, COMMENT).splitlines()[1:]  # the same to the bit


@pytest.mark.parametrize("encrypted", [False, True])
def test_we_read_minisigns_keys(encrypted: bool, tmp_path: Path) -> None:
    """The encrypted one costs what minisign takes by default: 1 GiB of memory, some seconds."""
    flags = [] if encrypted else ["-W"]
    said = f"{PASSWORD.decode()}\n" * 2 if encrypted else ""
    done = minisign(tmp_path, "-G", *flags, "-p", "public", "-s", "secret", said=said)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "secret").read_text(encoding="ascii")
    public = PublicKey.parse((tmp_path / "public").read_text(encoding="ascii"))
    secret = SecretKey.parse(text, PASSWORD if encrypted else None)
    assert secret.public == public
    assert public.name in (tmp_path / "public").read_text(encoding="ascii")
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "file.minisig").write_text(secret.sign(CONTENT, COMMENT), encoding="utf-8")
    assert minisign(tmp_path, "-V", "-p", "public", "-m", "file").returncode == 0


def test_openssl_verifies_ours(key: SecretKey, tmp_path: Path) -> None:
    """A public key for OpenSSL is twelve bytes (RFC 8410) and the last 32 of minisign's."""
    signature = key.sign(CONTENT, COMMENT).splitlines()
    head = base64.b64decode("MCowBQYDK2VwAyEA")
    (tmp_path / "key.der").write_bytes(head + base64.b64decode(str(key.public))[10:])
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "signature").write_bytes(base64.b64decode(signature[1])[10:])

    def verified() -> bool:
        hashed = subprocess.run(
            ["openssl", "dgst", "-blake2b512", "-binary", "-out", "hash", "file"], cwd=tmp_path, check=True
        )
        assert hashed.returncode == 0
        line = "openssl pkeyutl -verify -rawin -pubin -keyform DER -inkey key.der -sigfile signature -in hash"
        done = subprocess.run(line.split(), cwd=tmp_path, check=False, capture_output=True)
        return done.returncode == 0

    assert verified()
    (tmp_path / "file").write_bytes(CONTENT[:-1])
    assert not verified()


def test_a_key_is_read_as_it_was_written(key: SecretKey) -> None:
    assert SecretKey.parse(key.file(None), None) == key
    assert SecretKey.parse(key.file(PASSWORD, CHEAP), PASSWORD) == key
    assert PublicKey.parse(str(key.public)) == PublicKey.parse(key.public.file()) == key.public
    assert key._seed.hex() not in repr(key)
    assert repr(key._seed) not in repr(key)


def test_a_keys_name_is_a_number() -> None:
    """minisign writes no zeros in front."""
    assert PublicKey(bytes([0xAB, 1, *bytes(6)]), bytes(32)).name == "1AB"


def test_wrong_keys(key: SecretKey) -> None:
    locked = key.file(PASSWORD, CHEAP)
    plain = bytearray(base64.b64decode(key.file(None).splitlines()[1]))
    plain[70] ^= 1
    greedy = bytearray(base64.b64decode(locked.splitlines()[1]))
    greedy[38:54] = (1 << 40).to_bytes(8, "little") * 2
    for text, password, message in (
        (locked, b"another", "not its password"),
        (locked, None, "encrypted, and there is no password"),
        (base64.b64encode(plain).decode(), None, "damaged"),
        (base64.b64encode(greedy).decode(), PASSWORD, "MiB of memory, which there are not"),
        (str(key.public), None, "not a secret key"),
        ("", None, "not a secret key"),
        ("é", None, "not a secret key"),
    ):
        with pytest.raises(MinisignError, match=message):
            SecretKey.parse(text, password)
    for text in ("", "RWQ", key.file(None), base64.b64encode(b"ED" + bytes(40)).decode()):
        with pytest.raises(MinisignError, match="not a public key"):
            PublicKey.parse(text)


def test_wrong_signatures(key: SecretKey) -> None:
    good = key.sign(CONTENT, COMMENT)
    other = SecretKey(key.identifier, bytes(32)).sign(CONTENT, COMMENT)  # of another key with the same name
    old = good.splitlines()
    old[1] = base64.b64encode(b"Ed" + base64.b64decode(old[1])[2:]).decode()
    for signature, message in (
        (other, "not the signature of this content"),
        (key.sign(CONTENT + b" ", COMMENT), "not the signature of this content"),
        (SecretKey.generate().sign(CONTENT, COMMENT), "signed with another key"),
        (good.replace("1.0", "1.1"), "its comment was changed"),
        ("\n".join(old), "of a kind"),
        ("", "not a signature"),
        (good + good, "not a signature"),
        (good.replace("trusted comment: app", "comment: app"), "not a signature"),
        (good.replace(good.splitlines()[1], "RUQ="), "not a signature"),
    ):
        with pytest.raises(MinisignError, match=message):
            key.public.verify(CONTENT, signature)
    for at in range(len(good)):  # no character of it can be another one, but for the first line's
        changed = good[:at] + ("A" if good[at] != "A" else "B") + good[at + 1 :]
        if at < good.index("\n"):
            continue
        with pytest.raises(MinisignError):
            key.public.verify(CONTENT, changed)
