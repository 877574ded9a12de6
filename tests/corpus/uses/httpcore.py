"""Connections pooled and reused, over TCP, Unix sockets, TLS and proxies, with traces and asyncio."""

from __future__ import annotations

import asyncio
import ssl
from http.server import BaseHTTPRequestHandler

import httpcore

from uses import helpers


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    return 200, {"X-Method": handler.command}, handler.path.partition("/")[2].encode() + body


async def run(address: str) -> None:
    async with httpcore.AsyncConnectionPool(max_connections=2) as pool:
        found = await asyncio.gather(*(pool.request("GET", f"{address}/{number}") for number in range(5)))
        print([one.content for one in found], len(pool.connections))


def main() -> None:
    traced: list[str] = []

    def trace(name: str, info: dict[str, object]) -> None:
        traced.append(name)

    with helpers.http(answer) as address:
        with httpcore.ConnectionPool(keepalive_expiry=60) as pool:
            first = pool.request(
                "POST",
                f"{address}/a",
                content=b"body",
                extensions={"trace": trace, "timeout": {"connect": 30}},
            )
            print(
                first.status,
                first.content,
                dict(first.headers)[b"X-Method"],
                first.extensions["http_version"],
            )
            with pool.stream("GET", f"{address}/b") as response:
                print(
                    b"".join(response.iter_stream()),
                    response.extensions["network_stream"].get_extra_info("socket") is not None,
                )
            print(len(pool.connections), traced)
        with httpcore.HTTPProxy(proxy_url=address) as proxy:
            print(proxy.request("GET", "http://somewhere.example/path").status)
        asyncio.run(run(address))
    authority = helpers.certificate()
    with helpers.http(answer, tls=authority) as address:
        context = ssl.create_default_context(cafile=authority)
        with httpcore.ConnectionPool(ssl_context=context) as pool:
            print(pool.request("GET", f"{address}/tls").content)
        with httpcore.ConnectionPool() as pool:
            try:
                pool.request("GET", address)
            except httpcore.ConnectError as error:
                print("refused", "CERTIFICATE_VERIFY_FAILED" in str(error))
    mock = httpcore.MockBackend([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 3\r\n\r\n", b"abc"])
    with httpcore.ConnectionPool(network_backend=mock) as pool:
        print(pool.request("GET", "https://example.org/").content)
    mock = httpcore.MockBackend([b"nonsense\r\n\r\n"])
    with httpcore.ConnectionPool(network_backend=mock) as pool:
        try:
            pool.request("GET", "https://example.org/")
        except httpcore.RemoteProtocolError as error:
            print(error)
    print(httpcore.request.__module__, httpcore.URL("https://a/b").origin)
