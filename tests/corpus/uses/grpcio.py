"""Servers and clients of every kind of call, with TLS, interceptors, metadata, deadlines, asyncio, and in a child."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from concurrent import futures

from uses import helpers

os.environ["GRPC_VERBOSITY"] = "NONE"  # it logs with times and numbers of processes

import grpc
from grpc import _cython


def unary(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.set_trailing_metadata([("count", str(len(request))), ("data-bin", b"\x00\x01")])
    if request == b"fail":
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "asked to fail")
    if request == b"raise":
        raise RuntimeError("raised")
    if request == b"sleep":
        time.sleep(0.5)
    return request.upper()


def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    for number in range(3):
        yield request + str(number).encode()


def collect(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    return b",".join(requests)


def both(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    for request in requests:
        yield request[::-1]


class Counting(grpc.UnaryUnaryClientInterceptor):
    """Counts the calls."""

    count = 0

    def intercept_unary_unary(self, continuation: object, details: object, request: object) -> object:
        self.count += 1
        return continuation(details, request)


async def asynchronous() -> None:
    server = grpc.aio.server()

    async def echo(request: bytes, context: object) -> bytes:
        await asyncio.sleep(0)
        return b"async " + request

    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("s", {"Echo": grpc.unary_unary_rpc_method_handler(echo)})]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        print(await asyncio.gather(*(channel.unary_unary("/s/Echo")(str(n).encode()) for n in range(4))))
    await server.stop(None)


def main() -> None:
    print(grpc.__version__, _cython.cygrpc.__file__, grpc.StatusCode.OK)
    authority = helpers.certificate().read_bytes()
    server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.so_reuseport", 0)])
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary), "Stream": grpc.unary_stream_rpc_method_handler(stream),
        "Collect": grpc.stream_unary_rpc_method_handler(collect), "Both": grpc.stream_stream_rpc_method_handler(both),
    }  # fmt: skip
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("corpus.Service", handlers)])
    plain = server.add_insecure_port("127.0.0.1:0")
    key = authority[: authority.index(b"-----BEGIN CERTIFICATE")]
    secure = server.add_secure_port(
        "127.0.0.1:0", grpc.ssl_server_credentials([(key, authority[len(key) :])])
    )
    server.start()
    counting = Counting()
    channel = grpc.intercept_channel(
        grpc.insecure_channel(f"127.0.0.1:{plain}", compression=grpc.Compression.Gzip), counting
    )
    call = channel.unary_unary("/corpus.Service/Unary")
    answer, details = call.with_call(b"hello", metadata=[("x", "y")], timeout=30)
    print(answer, {one.key: one.value for one in details.trailing_metadata()}["count"], details.code())
    print(
        list(channel.unary_stream("/corpus.Service/Stream")(b"n")),
        channel.stream_unary("/corpus.Service/Collect")(iter([b"a", b"b"])),
    )
    print(
        list(channel.stream_stream("/corpus.Service/Both")(iter([b"abc", b"def"]))),
        len(call(b"x" * 3_000_000)),
    )
    for request, limit in ((b"fail", 30), (b"sleep", 0.05)):
        try:
            call(request, timeout=limit)
        except grpc.RpcError as error:
            print(error.code(), error.details())
    waiting = call.future(b"later")
    print(waiting.result(), counting.count)
    credentials = grpc.ssl_channel_credentials(authority[len(key) :])
    with grpc.secure_channel(f"127.0.0.1:{secure}", credentials) as channel:
        print(channel.unary_unary("/corpus.Service/Unary")(b"over tls", timeout=30))
    with grpc.secure_channel(f"127.0.0.1:{secure}", grpc.ssl_channel_credentials()) as channel:
        try:
            channel.unary_unary("/corpus.Service/Unary")(b"untrusted", timeout=30)
        except grpc.RpcError as error:
            print(error.code())
    server.stop(0).wait()
    asyncio.run(asynchronous())
    print(
        helpers.python("-c", "import grpc; print(grpc.insecure_channel('127.0.0.1:1')._channel is not None)")
    )
