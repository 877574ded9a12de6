"""Rich errors with details sent by a server and read by a client, with and without asyncio."""

from __future__ import annotations

import asyncio
import os
from concurrent import futures

os.environ["GRPC_VERBOSITY"] = (
    "NONE"  # it logs with times and numbers of processes, of what may happen or not
)

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status


def fail(request: bytes, context: grpc.ServicerContext) -> bytes:
    detail = any_pb2.Any()
    detail.Pack(
        error_details_pb2.QuotaFailure(violations=[{"subject": request.decode(), "description": "too much"}])
    )
    status = status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="quota", details=[detail])
    context.abort_with_status(rpc_status.to_status(status))
    return b""


def told(error: grpc.RpcError) -> None:
    status = rpc_status.from_call(error)
    failure = error_details_pb2.QuotaFailure()
    print(
        status.code,
        status.message,
        status.details[0].Is(failure.DESCRIPTOR),
        status.details[0].Unpack(failure),
    )
    print(failure.violations[0].subject, error.code())


async def again(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        try:
            await channel.unary_unary("/corpus.Service/Fail")(b"later")
        except grpc.aio.AioRpcError as error:
            print(error.code(), rpc_status.from_call(error) is None, error.details())


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handlers = {"Fail": grpc.unary_unary_rpc_method_handler(fail)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("corpus.Service", handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            channel.unary_unary("/corpus.Service/Fail")(b"me", timeout=30)
        except grpc.RpcError as error:
            told(error)
    asyncio.run(again(f"127.0.0.1:{port}"))
    server.stop(0).wait()
