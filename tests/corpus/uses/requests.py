"""Sessions, cookies, gzip, redirects, hooks, adapters, streaming and TLS with servers of its own."""

from __future__ import annotations

import gzip
import json
import pickle
import zlib
from http.server import BaseHTTPRequestHandler

import requests
from requests.adapters import HTTPAdapter

from uses import helpers


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    if handler.path == "/login":
        return 302, {"Location": "/home", "Set-Cookie": "token=abc; Path=/"}, b""
    if handler.path == "/gzip":
        return (
            200,
            {"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"},
            gzip.compress("größe".encode()),
        )
    if handler.path == "/deflate":
        return 200, {"Content-Encoding": "deflate"}, zlib.compress(b"deflated")
    if handler.path == "/latin":
        return 200, {"Content-Type": "text/html"}, "äöü ist so schön, größer als groß".encode("cp1252")
    if handler.path.startswith("/status/"):
        return int(handler.path.rpartition("/")[2]), {}, b""
    document = {
        "method": handler.command,
        "path": handler.path,
        "cookie": handler.headers.get("Cookie"),
        "authorization": handler.headers.get("Authorization"),
        "type": (handler.headers.get("Content-Type") or "").partition(";")[0],
        "body": body.decode("utf-8", "replace") if len(body) < 50 else len(body),
    }
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def answered(one: requests.Response, **_: object) -> None:
    print("answered", one.status_code)


def main() -> None:
    with helpers.http(answer) as address, requests.Session() as session:
        session.hooks["response"].append(answered)
        print(session.get(f"{address}/login").json(), session.cookies.get_dict())
        print(session.get(f"{address}/gzip").text, session.get(f"{address}/deflate").content)
        latin = session.get(f"{address}/latin")
        print(latin.encoding, latin.apparent_encoding)
        print(session.post(f"{address}/json", json={"a": [1, None]}).json())
        print(
            session.post(f"{address}/form", data={"x": "1 2"}, files={"f": ("a.txt", b"abc")}).json()["type"]
        )
        print(session.get(f"{address}/q", params={"k": ["1", "2"]}, auth=("user", "pass")).json())
        print(session.put(f"{address}/chunks", data=iter([b"ab", b"cd"])).json()["body"])
        with session.get(f"{address}/gzip", stream=True) as streamed:
            print(list(streamed.iter_content(4)))
        try:
            session.get(f"{address}/status/418").raise_for_status()
        except requests.HTTPError as error:
            print(
                type(error).__name__,
                error.response.status_code,
                pickle.loads(pickle.dumps(error.response)).status_code,
            )
        session.mount("http://", HTTPAdapter(max_retries=2, pool_maxsize=1))
        print(session.options(address).json()["method"])
    try:
        requests.get(address, timeout=5)
    except requests.ConnectionError as error:
        print(type(error).__name__)
    authority = helpers.certificate()
    with helpers.http(answer, tls=authority) as address:
        print(requests.get(f"{address}/tls", verify=str(authority)).json()["path"])
        try:
            requests.get(address)
        except requests.exceptions.SSLError as error:
            print("refused", "CERTIFICATE_VERIFY_FAILED" in str(error))
    print(requests.certs.where(), requests.certs.where() == requests.utils.DEFAULT_CA_BUNDLE_PATH)
    print("help", '"implementation"' in helpers.python("-m", "requests.help"))
