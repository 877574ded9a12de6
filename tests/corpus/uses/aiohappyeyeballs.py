"""Connections raced over addresses of both families, refused ones skipped, addresses sorted."""

from __future__ import annotations

import asyncio
import socket

import aiohappyeyeballs as eyes


def address(port: int, host: str = "127.0.0.1", family: int = socket.AF_INET) -> tuple[object, ...]:
    place = (host, port) if family == socket.AF_INET else (host, port, 0, 0)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write((await reader.readline()).upper())
    await writer.drain()
    writer.close()


async def run() -> None:
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        refused = closed.getsockname()[1]
    infos = [address(refused), address(port)]
    found = await eyes.start_connection(infos, happy_eyeballs_delay=0.1, interleave=1)
    reader, writer = await asyncio.open_connection(sock=found)
    writer.write(b"hello\n")
    print(await reader.readline())
    writer.close()
    try:
        await eyes.start_connection([address(refused)])
    except OSError as error:
        print(type(error).__name__)
    mixed = [address(1), address(2, "::1", socket.AF_INET6), address(3)]
    eyes.pop_addr_infos_interleave(mixed, 1)
    eyes.remove_addr_infos(mixed, ("127.0.0.1", 3))
    print(mixed, eyes.addr_to_addr_infos(("127.0.0.1", 80))[0][4], eyes.__version__)
    server.close()
    await server.wait_closed()


def main() -> None:
    asyncio.run(run())
