"""Retries, timeouts, pages, operations, exceptions from HTTP and gRPC, path templates and protobuf helpers."""

from __future__ import annotations

import asyncio
import datetime

import grpc
from google.api_core import (
    datetime_helpers,
    exceptions,
    grpc_helpers,
    operation,
    page_iterator,
    path_template,
    protobuf_helpers,
    retry,
    retry_async,
    timeout,
    universe,
)
from google.api_core.client_options import ClientOptions
from google.api_core.gapic_v1 import client_info, routing_header
from google.longrunning import operations_pb2
from google.protobuf import timestamp_pb2, wrappers_pb2

CALLS: list[int] = []


def flaky() -> str:
    CALLS.append(1)
    if len(CALLS) % 3:
        raise exceptions.ServiceUnavailable("again")
    return f"after {len(CALLS)}"


async def later() -> str:
    return flaky()


def main() -> None:
    policy = {"initial": 0.001, "maximum": 0.01, "timeout": 30}
    print(retry.Retry(predicate=retry.if_transient_error, **policy)(flaky)())
    print(asyncio.run(retry_async.AsyncRetry(**policy)(later)()))
    try:
        retry.Retry(initial=0.001, timeout=0.01, predicate=lambda error: True)(lambda: 1 / 0)()
    except exceptions.RetryError as error:
        print(type(error.cause).__name__, str(error)[:30])
    for status in (404, 409, 429, 503):
        print(
            repr(exceptions.from_http_status(status, "text")),
            exceptions.from_http_status(status, "t").grpc_status_code,
        )
    print(
        exceptions.from_grpc_status(grpc.StatusCode.NOT_FOUND, "no"),
        timeout.TimeToDeadlineTimeout(5)._timeout,
    )
    pages = page_iterator.HTTPIterator(
        None,
        lambda method, path, query_params: (
            {"items": [1, 2]} if "pageToken" in query_params else {"items": [0], "nextPageToken": "t"}
        ),
        "/p",
        lambda iterator, item: item * 10,
    )
    print(
        list(pages),
        path_template.expand("v1/*/{name=x/*}", "5", name="x/1"),
        path_template.validate("v1/{n=*}", "v1/a"),
    )
    done = operations_pb2.Operation(name="op", done=True)
    done.response.Pack(wrappers_pb2.StringValue(value="result"))
    print(operation.Operation(done, lambda: done, lambda: None, wrappers_pb2.StringValue).result().value)
    message = timestamp_pb2.Timestamp(seconds=5)
    print(
        protobuf_helpers.get(message, "seconds"),
        list(protobuf_helpers.field_mask(message, timestamp_pb2.Timestamp(seconds=6)).paths),
    )
    print(datetime_helpers.DatetimeWithNanoseconds(2026, 1, 2, nanosecond=5, tzinfo=datetime.UTC).rfc3339())
    print(
        routing_header.to_routing_header({"name": "a/b", "x": "1"}),
        client_info.ClientInfo().to_user_agent().split()[0].partition("/")[0],
    )
    print(
        ClientOptions(api_endpoint="e").api_endpoint,
        universe.determine_domain(None, None),
        grpc_helpers.__file__,
    )
