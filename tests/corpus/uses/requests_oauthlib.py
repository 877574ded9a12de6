"""OAuth 1 signatures and OAuth 2 flows with refreshing, against a server of its own."""

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler
from unittest import mock
from urllib.parse import parse_qs

from oauthlib.oauth2 import BackendApplicationClient, InvalidGrantError, TokenExpiredError
from requests_oauthlib import OAuth1, OAuth1Session, OAuth2, OAuth2Session
from requests_oauthlib.compliance_fixes import slack_compliance_fix

from uses import helpers


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    form = {key: value[0] for key, value in parse_qs(body.decode()).items()}
    if handler.path == "/request_token":
        return 200, {"Content-Type": "text/plain"}, b"oauth_token=t&oauth_token_secret=s"
    if form.get("code") == "bad":
        return 400, {"Content-Type": "application/json"}, b'{"error": "invalid_grant"}'
    if handler.path == "/token":
        token = {
            "access_token": form.get("grant_type"),
            "token_type": "Bearer",
            "expires_in": 100,
            "refresh_token": "r",
        }
        return 200, {"Content-Type": "application/json"}, json.dumps(token).encode()
    return 200, {"Content-Type": "text/plain"}, str(handler.headers["Authorization"]).encode()


def main() -> None:
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
    with helpers.http(answer) as address:
        one = OAuth1Session("key", "secret", signature_type="auth_header")
        print(
            one.fetch_request_token(f"{address}/request_token"), one.authorization_url("http://127.0.0.1/a")
        )
        with (
            mock.patch("oauthlib.oauth1.rfc5849.generate_nonce", return_value="n"),
            mock.patch("oauthlib.oauth1.rfc5849.generate_timestamp", return_value="1"),
        ):
            signed = OAuth1("key", "secret", "token", "tokensecret").client.sign("http://example.org/p?q=1")
        print(sorted(signed[1].items()))
        backend = OAuth2Session(client=BackendApplicationClient("id"))
        print(
            backend.fetch_token(f"{address}/token", client_secret="s")["access_token"],
            backend.get(f"{address}/x").text,
        )
        web = OAuth2Session("id", redirect_uri="http://127.0.0.1/cb", scope=["a", "b"], state="st")
        print(web.authorization_url("http://127.0.0.1/authorize"))
        print(
            web.fetch_token(
                f"{address}/token", authorization_response="https://127.0.0.1/cb?code=c&state=st"
            )["access_token"]
        )
        try:
            web.fetch_token(f"{address}/token", code="bad")
        except InvalidGrantError as error:
            print(repr(error.error))
        saved: list[object] = []
        old = OAuth2Session(
            "id",
            token={
                "access_token": "old",
                "refresh_token": "r",
                "expires_in": -5,
                "token_type": "Bearer",
                "expires_at": 1,
            },
            auto_refresh_url=f"{address}/token",
            token_updater=saved.append,
        )
        print(old.get(f"{address}/x").text, len(saved))
        try:
            OAuth2Session("id", token={"access_token": "a", "token_type": "Bearer", "expires_at": 1}).get(
                f"{address}/x"
            )
        except TokenExpiredError as error:
            print(type(error).__name__)
    print(OAuth2.__name__, slack_compliance_fix(web) is web)
