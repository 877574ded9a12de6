"""Fernet, AES-GCM, RSA, EC, Ed25519, X.509, PKCS#12, key derivation and errors from OpenSSL."""

from __future__ import annotations

import datetime
import hashlib

from cryptography import exceptions, fernet, x509
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives import hashes, hmac, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import pkcs12

SHA = hashes.SHA256()


def main() -> None:
    print(backend.openssl_version_text())
    key = fernet.Fernet(b"A" * 43 + b"=")
    token = key.encrypt_at_time(b"secret", 1_700_000_000)
    print(key.decrypt(token), key.extract_timestamp(token))
    try:
        key.decrypt(token[:-2] + b"AA")
    except fernet.InvalidToken as error:
        print(repr(error))
    print(AESGCM(b"k" * 32).encrypt(b"n" * 12, b"data", b"more").hex())
    print(ChaCha20Poly1305(b"k" * 32).encrypt(b"n" * 12, b"data", None).hex())
    cipher = Cipher(algorithms.AES(b"k" * 16), modes.CBC(b"i" * 16)).encryptor()
    padder = padding.PKCS7(128).padder()
    print((cipher.update(padder.update(b"text") + padder.finalize()) + cipher.finalize()).hex())
    private = rsa.generate_private_key(65537, 2048)
    oaep = rsa_padding.OAEP(rsa_padding.MGF1(SHA), SHA, None)
    print(private.decrypt(private.public_key().encrypt(b"hello", oaep), oaep))
    pss = rsa_padding.PSS(rsa_padding.MGF1(SHA), rsa_padding.PSS.MAX_LENGTH)
    try:
        private.public_key().verify(private.sign(b"x", pss, SHA), b"y", pss, SHA)
    except exceptions.InvalidSignature as error:
        print(repr(error))
    signer = ed25519.Ed25519PrivateKey.from_private_bytes(b"p" * 32)
    print(signer.sign(b"message").hex())
    shared = x25519.X25519PrivateKey.from_private_bytes(b"q" * 32)
    print(shared.exchange(x25519.X25519PrivateKey.from_private_bytes(b"r" * 32).public_key()).hex())
    curve = ec.derive_private_key(12345, ec.SECP384R1())
    print(hashlib.sha256(curve.public_key().public_numbers().x.to_bytes(48)).hexdigest())
    name = x509.Name.from_rfc4514_string("CN=example.org,O=Exämple")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder(name, name, signer.public_key(), 7, start, start + datetime.timedelta(9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("example.org")]), critical=False)
        .sign(signer, None)
    )
    print(made.fingerprint(SHA).hex(), made.subject.rfc4514_string(), made.extensions[0].value)
    made.verify_directly_issued_by(made)
    box = pkcs12.serialize_key_and_certificates(
        b"n", curve, None, None, serialization.BestAvailableEncryption(b"pw")
    )
    print(pkcs12.load_key_and_certificates(box, b"pw")[0].key_size)
    try:
        serialization.load_pem_private_key(
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", None
        )
    except ValueError as error:
        print(type(error).__name__, str(error).partition(".")[0])
    pem = signer.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    print(serialization.load_ssh_private_key(pem, None).sign(b"message") == signer.sign(b"message"))
    print(
        PBKDF2HMAC(SHA, 32, b"salt", 1000).derive(b"pw").hex(),
        Scrypt(b"salt", 32, 16, 8, 1).derive(b"pw").hex(),
    )
    mac = hmac.HMAC(b"key", SHA)
    mac.update(memoryview(bytearray(b"buffer")))
    print(mac.finalize().hex())
