"""Clients, with and without asyncio: WSGI and ASGI transports, streams, auth, redirects, multipart, TLS."""

from __future__ import annotations

import asyncio
import gzip
import json
from http.server import BaseHTTPRequestHandler

import httpx

from uses import helpers


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    if handler.path == "/gzip":
        return (
            200,
            {"Content-Encoding": "gzip", "Content-Type": "text/plain"},
            gzip.compress(b"line 1\nline 2\n"),
        )
    if handler.path == "/moved":
        return 307, {"Location": "/target"}, b""
    if handler.path == "/auth" and "Authorization" not in handler.headers:
        return 401, {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'}, b""
    document = {
        "method": handler.command,
        "path": handler.path,
        "type": str(handler.headers["Content-Type"])[:19],
        "size": len(body),
    }
    return 200, {"Content-Type": "application/json", "Set-Cookie": "a=b"}, json.dumps(document).encode()


async def asgi(scope: dict[str, object], receive: object, send: object) -> None:
    await send(
        {"type": "http.response.start", "status": 201, "headers": [(b"x-path", str(scope["path"]).encode())]}
    )
    await send({"type": "http.response.body", "body": b"asgi"})


def wsgi(environ: dict[str, object], start: object) -> list[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [str(environ["PATH_INFO"]).encode()]


async def run(address: str) -> None:
    async with httpx.AsyncClient(base_url=address, limits=httpx.Limits(max_connections=3)) as client:
        found = await asyncio.gather(*(client.get(f"/{number}") for number in range(5)))
        print([one.json()["path"] for one in found])
        async with client.stream("GET", "/gzip") as response:
            print([line async for line in response.aiter_lines()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(asgi), base_url="http://app") as client:
        response = await client.get("/x")
        print(response.status_code, response.headers["x-path"], response.text)


def main() -> None:
    with helpers.http(answer) as address:
        with httpx.Client(
            base_url=address,
            follow_redirects=True,
            event_hooks={"response": [lambda one: print("hook", one.status_code)]},
        ) as client:
            print(client.post("/moved", json={"a": 1}).json(), client.cookies["a"])
            print(client.post("/form", data={"x": "1"}, files={"f": ("a.txt", b"abc", "text/plain")}).json())
            print(client.get("/auth", auth=httpx.DigestAuth("u", "p")).status_code, client.get("/gzip").text)
        asyncio.run(run(address))
        print(httpx.get(f"{address}/x").http_version)
    try:
        httpx.get(address)
    except httpx.ConnectError as error:
        print(type(error).__name__, str(error).endswith("refused"))
    authority = helpers.certificate()
    with helpers.http(answer, tls=authority) as address:
        import ssl

        print(httpx.get(address, verify=ssl.create_default_context(cafile=authority)).json()["path"])
        try:
            httpx.get(address)
        except httpx.ConnectError as error:
            print("refused", "CERTIFICATE_VERIFY_FAILED" in str(error))
    with httpx.Client(transport=httpx.WSGITransport(wsgi), base_url="http://app") as client:
        print(client.get("/wsgi").text)
    print(httpx.URL("https://exämple.org/ä?q=ü"), httpx.codes.IM_A_TEAPOT, httpx.Headers({"A": "b"}))
    print(helpers.python("-m", "httpx", "--help").splitlines()[-1:])
