"""S3 objects put, read as streams and listed, with asyncio and retries, against a server of its own."""

from __future__ import annotations

import asyncio
from http.server import BaseHTTPRequestHandler

import aiobotocore
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

from uses import helpers, s3server

FAILED: list[str] = []


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    """Refuse the first try of everything that is put."""
    if handler.command == "PUT" and handler.path not in FAILED:
        FAILED.append(handler.path)
        return 503, s3server.XML, b"<Error><Code>SlowDown</Code><Message>slow</Message></Error>"
    return s3server.answer(handler, body)


async def run(address: str) -> None:
    session = get_session()
    config = AioConfig(
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        retries={"mode": "standard", "total_max_attempts": 3},
    )
    names = {"region_name": "eu-west-1", "aws_access_key_id": "id", "aws_secret_access_key": "secret"}
    async with session.create_client("s3", endpoint_url=address, config=config, **names) as client:
        bodies = [str(number).encode() * 1000 for number in range(8)]
        await asyncio.gather(
            *(
                client.put_object(Bucket="b", Key=f"k{number}", Body=body)
                for number, body in enumerate(bodies)
            )
        )
        for number in (0, 7):
            found = await client.get_object(Bucket="b", Key=f"k{number}")
            async with found["Body"] as stream:
                print(len(await stream.read(10)), (await stream.read()) == bodies[number][10:])
        async for page in client.get_paginator("list_objects_v2").paginate(Bucket="b"):
            print([one["Key"] for one in page["Contents"]])
        try:
            await client.get_object(Bucket="b", Key="none")
        except client.exceptions.NoSuchKey as error:
            print(error)
        print(await client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}) != "")
    print(len(FAILED), await session.get_available_regions("s3"))


def main() -> None:
    print(aiobotocore.__version__)
    with helpers.http(answer) as address:
        asyncio.run(run(address))
