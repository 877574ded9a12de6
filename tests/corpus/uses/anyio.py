"""Task groups, threads, processes, streams, sockets, cancellation and the pytest plugin."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import anyio
import anyio.abc
from anyio import from_thread, streams, to_process, to_thread
from anyio._core import _eventloop
from anyio.streams.memory import MemoryObjectReceiveStream

from uses import helpers


def cube(value: int) -> int:
    return value**3


async def consume(stream: MemoryObjectReceiveStream[int], seen: list[int]) -> None:
    async with stream:
        async for item in stream:
            seen.append(item)


async def echo(client: anyio.abc.SocketStream) -> None:
    async with client:
        await client.send((await client.receive()).upper())


async def run() -> None:
    send, receive = anyio.create_memory_object_stream[int](2)
    seen: list[int] = []
    async with anyio.create_task_group() as group:
        group.start_soon(consume, receive, seen)
        async with send:
            for number in range(5):
                await send.send(number)
    print(seen, await to_thread.run_sync(cube, 3), await to_process.run_sync(cube, 4))
    with anyio.move_on_after(0.01) as scope:
        await anyio.sleep(60)
    print("cancelled", scope.cancelled_caught)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(fails)
            await anyio.sleep(60)
    except* ValueError as errors:
        print(errors.exceptions)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, echo)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            await stream.send(b"hello")
            print(await stream.receive(), stream.extra(anyio.abc.SocketAttribute.family) == socket.AF_INET)
        group.cancel_scope.cancel()
    done = await anyio.run_process(
        [sys.executable, "-c", "import sys; print(sys.stdin.read()[::-1], end='')"], input=b"abc"
    )
    print(done.stdout, done.returncode)
    path = anyio.Path("file.txt")
    await path.write_text("text")
    print(await path.read_text(), [one.name async for one in anyio.Path(".").iterdir()])
    print(await to_thread.run_sync(lambda: from_thread.run(answer)), streams.__name__)


async def fails() -> None:
    raise ValueError("failed")


async def answer() -> str:
    return "from the loop"


def main() -> None:
    anyio.run(run)
    anyio.run(run, backend_options={"debug": False})
    print(sorted(_eventloop.BACKENDS), anyio.get_all_backends())
    with from_thread.start_blocking_portal() as portal:
        print(portal.call(answer))
    Path("test_it.py").write_text(
        "import anyio, pytest\n@pytest.mark.anyio\nasync def test_it(anyio_backend_name):\n    await anyio.sleep(0)\n    assert anyio_backend_name == 'asyncio'\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n"
    )
    print(helpers.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py").partition(" in ")[0])
