"""Certificates like Apple's, of an authority that nobody knows; a server that confirms times; small bundles."""

from __future__ import annotations

import datetime as dt
import struct
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier
from macho_tools import attach, launcher

from oxcross import link
from oxcross.macos.settings import Identity

VARIABLE = "APPLE_PASSWORD"
SECRET = "pa ss'wörd$1"  # noqa: S105 # of the test's own certificates
TEAM = "ABCDE12345"
DAY = dt.timedelta(days=1)
INSTALLER = ObjectIdentifier("1.2.840.113635.100.4.13")
_DEVELOPER_ID = {"code": "1.2.840.113635.100.6.1.13", "installer": "1.2.840.113635.100.6.1.14"}
_USES = {
    "code": ExtendedKeyUsageOID.CODE_SIGNING,
    "old": ExtendedKeyUsageOID.CODE_SIGNING,
    "curve": INSTALLER,
    "installer": INSTALLER,
    "time": ExtendedKeyUsageOID.TIME_STAMPING,
}
_TSA = """\
[tsa]
default_tsa = here
[here]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha1
"""

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def _name(common: str) -> x509.Name:
    return x509.Name([
        x509.NameAttribute(NameOID.COMMON_NAME, common),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, TEAM),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Toy Ltd"),
    ])  # fmt: skip


def _certificate(
    subject: str, key: Key, issuer: x509.Name, signer: Key, kind: str, days: int = 800
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 30 * DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.BasicConstraints(ca=kind == "ca", path_length=None), critical=True)
    )
    if kind != "ca":
        builder = builder.add_extension(x509.ExtendedKeyUsage([_USES[kind]]), critical=True)
    if kind in _DEVELOPER_ID:
        own = x509.UnrecognizedExtension(ObjectIdentifier(_DEVELOPER_ID[kind]), b"\x05\x00")
        builder = builder.add_extension(own, critical=True)
    return builder.sign(signer, hashes.SHA256())


def _pem(key: Key, password: bytes | None = None) -> bytes:
    how = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how)


def certificates(folder: Path) -> Path:
    """The folder, with NAME.pem, NAME.key and NAME.p12 of each kind, ca.pem, chain.pem, locked.key and password."""
    root = rsa.generate_private_key(65537, 2048)
    authority = _certificate("Toy CA", root, _name("Toy CA"), root, "ca")
    (folder / "ca.pem").write_bytes(authority.public_bytes(Encoding.PEM))
    titles = {"code": "Developer ID Application", "installer": "Developer ID Installer"}
    for kind in _USES:
        key: Key = (
            ec.generate_private_key(ec.SECP256R1())
            if kind == "curve"
            else rsa.generate_private_key(65537, 2048)
        )
        title = f"{titles.get(kind, kind)}: Toy Ltd ({TEAM})"
        days = -1 if kind == "old" else 800
        made = _certificate(title, key, authority.subject, root, kind, days)
        (folder / f"{kind}.pem").write_bytes(made.public_bytes(Encoding.PEM))
        (folder / f"{kind}.key").write_bytes(_pem(key))
        packed = pkcs12.serialize_key_and_certificates(
            b"toy", key, made, [authority], BestAvailableEncryption(SECRET.encode())
        )
        (folder / f"{kind}.p12").write_bytes(packed)
        if kind == "code":
            (folder / "locked.key").write_bytes(_pem(key, SECRET.encode()))
            alone = pkcs12.serialize_key_and_certificates(
                b"toy", None, made, None, BestAvailableEncryption(b"x")
            )
            (folder / "keyless.p12").write_bytes(alone)
    (folder / "chain.pem").write_bytes((folder / "ca.pem").read_bytes() + (folder / "code.pem").read_bytes())
    (folder / "password").write_text(f"{SECRET}\n", encoding="utf-8")
    return folder


def who(keys: Path, kind: str = "code", table: str = "sign") -> Identity:
    """One of the certificates, with an unencrypted key."""
    return Identity(
        where=f"tool.oxcross.macos.{table}",
        certificate=str(keys / f"{kind}.pem"),
        key=str(keys / f"{kind}.key"),
    )


@contextmanager
def clock(keys: Path, folder: Path) -> Iterator[str]:
    """The address of an RFC 3161 server, which confirms one time after the other."""
    turn = Lock()
    (folder / "tsa.cnf").write_text(_TSA, encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="ascii")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            signer = ["-signer", f"{keys}/time.pem", "-inkey", f"{keys}/time.key", "-chain", f"{keys}/ca.pem"]
            line = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query", "-out", "answer"]
            with turn:
                (folder / "query").write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
                subprocess.run([*line, *signer], cwd=folder, check=True, capture_output=True)
                answer = (folder / "answer").read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's
            pass

    with serving(Handler) as address:
        yield f"{address}/"


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server on this machine; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def executable(folder: Path, arch: str) -> Path:
    """A small executable for a machine, or for both ("universal2")."""
    if arch != "universal2":
        return attach(folder, launcher(arch), arch=arch).path
    parts = [executable(folder, one) for one in ("x86_64", "aarch64")]
    return link.join(parts, folder / "out" / arch).path


def png(width: int, height: int | None = None) -> bytes:
    """A transparent picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    size = struct.pack(">IIBBBBB", width, height or width, 8, 6, 0, 0, 0)
    rows = zlib.compress(bytes((4 * width + 1) * (height or width)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
