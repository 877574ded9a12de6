"""A Sigstore of the tests' own on 127.0.0.1, as far as a client sees one: it gives certificates, logs them, and logs signatures.

Fulcio's API (v2), a certificate transparency log's signature in the certificate (RFC 6962, section 3.2), Rekor's API (v1) with a log of one entry each.
Sigstore's own client signs with it and verifies what it gave: ``trust`` is a trust configuration as it reads them.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import http.server
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

ISSUER: Final = "https://issuer.example"
_DER = serialization.Encoding.DER
_PEM = serialization.Encoding.PEM
_SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
_SCT_LIST: Final = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_FULCIO_ISSUER: Final = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")  # as Fulcio's documentation has it
_ORIGIN: Final = "log.example"


def token(subject: str, *, seconds: int = 600) -> str:
    """A token as OpenID Connect has them; nobody checks its signature here."""
    now = int(dt.datetime.now(dt.UTC).timestamp())
    claims = {"iss": ISSUER, "sub": subject, "aud": "sigstore", "iat": now, "exp": now + seconds}
    parts = [{"alg": "HS256", "typ": "JWT"}, claims]
    words = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*words, "c2lnbmF0dXJl"])


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(_DER, _SPKI)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "tests"),
            x509.NameAttribute(x509.NameOID.COMMON_NAME, text),
        ]
    )


@dataclass
class Sigstore:
    """The services. ``address``: http://127.0.0.1:PORT; ``refuse``: no certificate is given to anybody."""

    address: str = ""
    refuse: bool = False
    authority: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    transparency: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    log: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    entries: int = 0

    def __post_init__(self) -> None:
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        public = self.authority.public_key()
        self.root = (
            x509.CertificateBuilder()
            .subject_name(_name("authority"))
            .issuer_name(_name("authority"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.authority, hashes.SHA256())
        )

    def certificates(self, request: dict[str, Any], bearer: str) -> dict[str, Any]:
        """Fulcio: a certificate for whom the token names, for ten minutes."""
        pem = base64.b64decode(request["certificateSigningRequest"])
        public = x509.load_pem_x509_csr(pem).public_key()
        payload = bearer.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        now = dt.datetime.now(dt.UTC)
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=False,
            crl_sign=False,
            encipher_only=False,
            decipher_only=False,
        )
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.public_key())
        name = x509.UniformResourceIdentifier(claims["sub"])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(seconds=5))
            .not_valid_after(now + dt.timedelta(minutes=10))
            .add_extension(usage, critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(authority, critical=False)
            .add_extension(x509.SubjectAlternativeName([name]), critical=True)
            .add_extension(x509.UnrecognizedExtension(_FULCIO_ISSUER, claims["iss"].encode()), critical=False)
        )
        before = builder.sign(self.authority, hashes.SHA256())
        listed = x509.UnrecognizedExtension(_SCT_LIST, self._logged(before, now))
        leaf = builder.add_extension(listed, critical=False).sign(self.authority, hashes.SHA256())
        chain = [one.public_bytes(_PEM).decode() for one in (leaf, self.root)]
        return {"signedCertificateEmbeddedSct": {"chain": {"certificates": chain}}}

    def _logged(self, certificate: x509.Certificate, now: dt.datetime) -> bytes:
        """The list of one signed timestamp for what is to be a certificate, in an OCTET STRING."""
        content = certificate.tbs_certificate_bytes
        time = int(now.timestamp() * 1000)
        issuer = hashlib.sha256(_spki(self.authority)).digest()
        entry = issuer + len(content).to_bytes(3, "big") + content
        signed = struct.pack("!BBQH", 0, 0, time, 1) + entry + struct.pack("!H", 0)
        signature = self.transparency.sign(signed, ec.ECDSA(hashes.SHA256()))
        identifier = hashlib.sha256(_spki(self.transparency)).digest()
        one = b"\0" + identifier + struct.pack("!QH", time, 0) + b"\4\3"
        one += struct.pack("!H", len(signature)) + signature
        rows = struct.pack("!H", len(one)) + one
        rows = struct.pack("!H", len(rows)) + rows
        length = bytes([len(rows)]) if len(rows) < 128 else b"\x81" + bytes([len(rows)])
        return b"\x04" + length + rows

    def entry(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """Rekor: the entry, in a tree of its own."""
        self.entries += 1
        body = json.dumps(proposed, sort_keys=True, separators=(",", ":")).encode()
        root = hashlib.sha256(b"\0" + body).digest()
        identifier = hashlib.sha256(_spki(self.log)).digest()
        now = int(dt.datetime.now(dt.UTC).timestamp())
        text = base64.b64encode(body).decode()
        promise = {"body": text, "integratedTime": now, "logID": identifier.hex(), "logIndex": 0}
        canonical = json.dumps(promise, sort_keys=True, separators=(",", ":")).encode()
        note = f"{_ORIGIN}\n1\n{base64.b64encode(root).decode()}\n"
        signature = identifier[:4] + self.log.sign(note.encode(), ec.ECDSA(hashes.SHA256()))
        checkpoint = f"{note}\n— {_ORIGIN} {base64.b64encode(signature).decode()}\n"
        verification = {
            "signedEntryTimestamp": base64.b64encode(
                self.log.sign(canonical, ec.ECDSA(hashes.SHA256()))
            ).decode(),
            "inclusionProof": {
                "logIndex": 0,
                "rootHash": root.hex(),
                "treeSize": 1,
                "hashes": [],
                "checkpoint": checkpoint,
            },
        }
        return {root.hex(): {**promise, "verification": verification}}

    def trust(self) -> str:
        """The trust configuration, as JSON."""
        start = {"start": "2020-01-01T00:00:00Z"}

        def instance(key: ec.EllipticCurvePrivateKey, path: str) -> dict[str, Any]:
            public = {
                "rawBytes": base64.b64encode(_spki(key)).decode(),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": start,
            }
            identifier = base64.b64encode(hashlib.sha256(_spki(key)).digest()).decode()
            return {
                "baseUrl": f"{self.address}{path}",
                "hashAlgorithm": "SHA2_256",
                "publicKey": public,
                "logId": {"keyId": identifier},
            }

        root = {"rawBytes": base64.b64encode(self.root.public_bytes(_DER)).decode()}
        authority = {
            "subject": {"organization": "tests", "commonName": "authority"},
            "uri": self.address,
            "certChain": {"certificates": [root]},
            "validFor": start,
        }
        service = {"url": self.address, "majorApiVersion": 1, "validFor": start, "operator": "tests"}
        document = {
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": {
                "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
                "tlogs": [instance(self.log, "")],
                "certificateAuthorities": [authority],
                "ctlogs": [instance(self.transparency, "/ct")],
                "timestampAuthorities": [],
            },
            "signingConfig": {
                "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
                "caUrls": [service],
                "oidcUrls": [],
                "rekorTlogUrls": [service],
                "tsaUrls": [],
                "rekorTlogConfig": {"selector": "ANY"},
                "tsaConfig": {"selector": "ANY"},
            },
        }
        return json.dumps(document)


@contextmanager
def running() -> Iterator[Sigstore]:
    """The services, in a thread."""
    services = Sigstore()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = 201
            if self.path == "/api/v2/signingCert":
                bearer = self.headers["Authorization"].removeprefix("Bearer ")
                answer: dict[str, Any] = services.certificates(request, bearer)
                if services.refuse:
                    status, answer = 403, {"message": "nobody knows you"}
            else:
                assert self.path == "/api/v1/log/entries"
                answer = services.entry(request)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    services.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield services
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
