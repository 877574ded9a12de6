"""Servers and clients with and without asyncio: messages, compression, pings, closing, TLS, broadcast, the command."""

from __future__ import annotations

import asyncio
import http
import ssl
import threading

import websockets
from websockets import exceptions, frames, speedups, utils
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.sync.client import connect as connect_sync
from websockets.sync.server import serve as serve_sync

from uses import helpers


async def handler(connection: ServerConnection) -> None:
    async for message in connection:
        if message == "close":
            await connection.close(4000, "asked")
            return
        await connection.send(message[::-1])


def health(connection: ServerConnection, request: object) -> object:
    return connection.respond(http.HTTPStatus.OK, "healthy\n") if request.path == "/health" else None


async def run() -> None:
    authority = helpers.certificate()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    async with serve(
        handler, "127.0.0.1", 0, process_request=health, subprotocols=["chat"], ssl=context
    ) as server:
        port = server.sockets[0].getsockname()[1]
        trusted = ssl.create_default_context(cafile=authority)
        async with connect(f"wss://127.0.0.1:{port}/", subprotocols=["chat"], ssl=trusted) as client:
            await client.send("hello ü")
            print(
                await client.recv(),
                client.subprotocol,
                [type(one).__name__ for one in client.protocol.extensions],
            )
            await client.send(b"\x00\x01" * 50000)
            print(len(await client.recv()), await (await client.ping()) >= 0)
            await client.send(["frag", "ments"])
            print(await client.recv())
            broadcast(server.connections, "to all")
            print(await client.recv())
            await client.send("close")
            try:
                await client.recv()
            except exceptions.ConnectionClosed as error:
                print(error)
        try:
            await connect(f"wss://127.0.0.1:{port}/health", ssl=trusted)
        except exceptions.InvalidStatus as error:
            print(error, error.response.body)


def main() -> None:
    print(
        websockets.__version__,
        speedups.__file__,
        utils.apply_mask is speedups.apply_mask,
        speedups.apply_mask(b"abcde", b"1234"),
    )
    asyncio.run(run())
    with serve_sync(lambda link: [link.send(message.upper()) for message in link], "127.0.0.1", 0) as server:
        threading.Thread(target=server.serve_forever).start()
        port = server.socket.getsockname()[1]
        with connect_sync(f"ws://127.0.0.1:{port}") as client:
            client.send("sync")
            print(client.recv(timeout=30))
        server.shutdown()
    try:
        asyncio.run(_refused())
    except OSError as error:
        print(type(error).__name__)
    print(frames.Close(1001, "x"), frames.Opcode.TEXT, sorted(websockets.__all__)[:3])
    print(helpers.python("-m", "websockets", "--version"))


async def _refused() -> None:
    await connect("ws://127.0.0.1:1", open_timeout=5)
