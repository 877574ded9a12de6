"""Tokens signed and judged with HMAC, RSA, EC and Ed25519 keys, key sets over HTTP."""

from __future__ import annotations

import datetime
import json
from http.server import BaseHTTPRequestHandler

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from uses import helpers

KEY = rsa.generate_private_key(65537, 2048)


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key())) | {
        "kid": "one",
        "use": "sig",
        "alg": "RS256",
    }
    return 200, {"Content-Type": "application/json"}, json.dumps({"keys": [key]}).encode()


def main() -> None:
    claims = {"sub": "ada", "iat": 1_700_000_000, "aud": ["a"], "n": 1}
    token = jwt.encode(claims, "k" * 32, algorithm="HS256", headers={"kid": "x"})
    print(
        token,
        jwt.decode(token, "k" * 32, algorithms=["HS256"], audience="a"),
        jwt.get_unverified_header(token),
    )
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    for bad, how in (
        (token, {"key": "w" * 32, "audience": "a"}), (token, {"key": "k" * 32, "audience": "b"}), ("a.b", {"key": "k" * 32}),
        (jwt.encode({"exp": past}, "k" * 32), {"key": "k" * 32}), (jwt.encode({}, "k" * 32), {"key": "k" * 32, "options": {"require": ["exp"]}}),
    ):  # fmt: skip
        try:
            jwt.decode(bad, algorithms=["HS256"], **how)
        except jwt.PyJWTError as error:
            print(type(error).__name__, error)
    for algorithm, key in (
        ("RS256", KEY),
        ("PS384", KEY),
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ):
        print(
            algorithm,
            jwt.decode(jwt.encode(claims, key, algorithm), key.public_key(), [algorithm], audience="a")[
                "sub"
            ],
        )
    with helpers.http(answer) as address:
        client = jwt.PyJWKClient(f"{address}/keys")
        signed = jwt.encode({"a": 1}, KEY, "RS256", {"kid": "one"})
        print(jwt.decode(signed, client.get_signing_key_from_jwt(signed).key, ["RS256"]))
    print(
        jwt.PyJWK({"kty": "oct", "k": "AAAA", "alg": "HS256"}).algorithm_name,
        sorted(jwt.get_algorithm_by_name("HS256").__class__.__mro__[0].__dict__)[:1],
    )
    print(helpers.python("-m", "jwt.help").splitlines()[0])
