"""Tokens signed with a service account, fetched from and refreshed by a server of its own, and verified."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs

import google.auth
import google.auth.transport.requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, exceptions, jwt
from google.oauth2 import credentials, service_account

from uses import helpers

KEY = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
    if form.get("refresh_token") == "bad":
        return 400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant"}'
    claims = jwt.decode(form["assertion"], PUBLIC) if "assertion" in form else {}
    document = {
        "access_token": f"token for {claims.get('scope', form.get('refresh_token'))}",
        "expires_in": 3600,
        "token_type": "Bearer",
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def main() -> None:
    pem = KEY.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    request = google.auth.transport.requests.Request()
    with helpers.http(answer) as address:
        account = {
            "type": "service_account",
            "client_email": "a@b",
            "token_uri": f"{address}/token",
            "private_key": pem,
            "private_key_id": "k",
            "project_id": "p",
        }
        Path("account.json").write_text(json.dumps(account))
        found = service_account.Credentials.from_service_account_file("account.json", scopes=["one", "two"])
        found.refresh(request)
        print(found.token, found.valid, found.service_account_email, found.project_id)
        user = credentials.Credentials(
            None, refresh_token="r", token_uri=f"{address}/token", client_id="c", client_secret="s"
        )
        session = google.auth.transport.requests.AuthorizedSession(user)
        print(session.get(f"{address}/x", data={"refresh_token": "again"}).json()["access_token"], user.token)
        try:
            credentials.Credentials(
                None, refresh_token="bad", token_uri=f"{address}/t", client_id="c", client_secret="s"
            ).refresh(request)
        except exceptions.RefreshError as error:
            print(error)
        default, project = google.auth.load_credentials_from_file("account.json")
        print(type(default).__name__, project)
    signer = crypt.RSASigner.from_string(pem, "k")
    token = jwt.encode(signer, {"iat": 1, "exp": 2, "aud": "x"})
    try:
        jwt.decode(token, PUBLIC, audience="x")
    except exceptions.InvalidValue as error:
        print(str(error).partition(",")[0])
    print(
        crypt.verify_signature(b"m", signer.sign(b"m"), PUBLIC),
        signer.__class__.__module__,
        jwt.decode_header(token),
    )
