"""Pools, retries, redirects, gzip and multipart over HTTP and TLS to a server of its own."""

from __future__ import annotations

import gzip
import json
from http.server import BaseHTTPRequestHandler

import urllib3
from urllib3.util import Retry, Timeout, parse_url

from uses import helpers

SEEN: list[str] = []


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    SEEN.append(handler.path)
    if handler.path == "/flaky" and SEEN.count("/flaky") < 3:
        return 503, {"Retry-After": "0"}, b""
    if handler.path == "/moved":
        return 302, {"Location": "/gzip"}, b""
    if handler.path == "/gzip":
        return 200, {"Content-Encoding": "gzip"}, gzip.compress(b"unpacked " * 3)
    document = {"method": handler.command, "body": len(body), "agent": handler.headers["User-Agent"]}
    return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def main() -> None:
    pool = urllib3.PoolManager(
        timeout=Timeout(30), retries=Retry(total=4, backoff_factor=0, status_forcelist=[503])
    )
    with helpers.http(answer) as address:
        print(pool.request("GET", f"{address}/flaky").json(), SEEN)
        print(pool.request("GET", f"{address}/moved").data)
        fields = {"text": "é", "file": ("name.txt", b"content", "text/plain")}
        print(pool.request("POST", f"{address}/form", fields=fields).json()["method"])
        streamed = pool.request("GET", f"{address}/gzip", preload_content=False)
        print(list(streamed.stream(5)), streamed.headers["content-encoding"])
        print(pool.connection_from_url(address).num_connections)
    try:
        pool.request("GET", f"{address}/gone", retries=Retry(1, backoff_factor=0))
    except urllib3.exceptions.MaxRetryError as error:
        print(type(error.reason).__name__)
    authority = helpers.certificate()
    with helpers.http(answer, tls=authority) as address:
        trusting = urllib3.PoolManager(ca_certs=str(authority))
        print(trusting.request("PUT", f"{address}/x", body=b"12345").json())
        try:
            pool.request("GET", address, retries=False)
        except urllib3.exceptions.SSLError as error:
            print("refused", "CERTIFICATE_VERIFY_FAILED" in str(error))
        print(urllib3.PoolManager(cert_reqs="CERT_NONE", ca_certs=None).connection_pool_kw["cert_reqs"])
    print(parse_url("https://user:pw@example.org:8443/päth?q=1#f"))
