"""A server and a client: routes, JSON, forms, streams, web sockets, cookies, TLS, static files and test tools."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiohttp
from aiohttp import http_parser, http_writer, web
from aiohttp.test_utils import TestClient, TestServer

from uses import helpers

routes = web.RouteTableDef()
STATE = web.AppKey("state", dict)


@routes.get("/hello/{name:\\w+}")
async def hello(request: web.Request) -> web.Response:
    return web.json_response(
        {"hello": request.match_info["name"], "q": request.query.getall("q", [])}, headers={"X": "1"}
    )


@routes.post("/form")
async def form(request: web.Request) -> web.Response:
    data = await request.post()
    return web.Response(
        text=" ".join(
            f"{key}={value.filename if hasattr(value, 'filename') else value}" for key, value in data.items()
        )
    )


@routes.get("/ws")
async def socket(request: web.Request) -> web.WebSocketResponse:
    response = web.WebSocketResponse(compress=True)
    await response.prepare(request)
    async for message in response:
        if message.type == aiohttp.WSMsgType.TEXT:
            await response.send_str(message.data[::-1])
    return response


@routes.get("/stream")
async def stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.enable_compression()
    await response.prepare(request)
    for number in range(3):
        await response.write(f"chunk {number}\n".encode())
    return response


@web.middleware
async def named(request: web.Request, handler: object) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.set_cookie("seen", "yes")
    return response


async def run() -> None:
    Path("static").mkdir()
    Path("static/a.txt").write_text("static text")
    app = web.Application(middlewares=[named])
    app.add_routes([*routes, web.static("/static", "static")])
    app[STATE] = {}
    async with TestClient(TestServer(app)) as client:
        found = await client.get("/hello/ada", params=[("q", "1"), ("q", "ü")])
        print(
            found.status,
            await found.json(),
            found.headers["X"],
            client.session.cookie_jar.filter_cookies(found.url)["seen"].value,
        )
        data = aiohttp.FormData({"a": "1"})
        data.add_field("f", b"bytes", filename="f.bin")
        print(await (await client.post("/form", data=data)).text())
        print(
            (await client.get("/none")).status,
            (await client.get("/static/a.txt")).content_length,
            (await client.put("/form")).headers["Allow"],
        )
        print(await (await client.get("/stream")).text())
        async with client.ws_connect("/ws", compress=15) as ws:
            await ws.send_str("hello")
            print((await ws.receive()).data)
    authority = helpers.certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    runner = web.AppRunner(web.Application())
    runner.app.router.add_get("/", lambda request: asyncio.sleep(0, web.Response(text=request.scheme)))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(30)) as session:
        async with session.get(
            f"https://127.0.0.1:{port}/", ssl=ssl.create_default_context(cafile=authority)
        ) as found:
            print(await found.text(), found.version)
        try:
            await session.get(f"https://127.0.0.1:{port}/")
        except aiohttp.ClientConnectorCertificateError as error:
            print(type(error).__name__)
    await runner.cleanup()


def main() -> None:
    print(
        aiohttp.__version__,
        http_parser.HttpRequestParser.__module__,
        http_writer._serialize_headers.__module__,
    )
    asyncio.run(run())
