"""S3 multipart upload, download and paging against a server of its own; EC2 and STS from the service data."""

from __future__ import annotations

import io
import json

import boto3
import botocore.config
from boto3.dynamodb.conditions import Attr, Key
from boto3.s3.transfer import TransferConfig
from botocore.stub import Stubber

from uses import helpers, s3server


def main() -> None:
    session = boto3.session.Session("id", "secret", region_name="eu-west-1")
    print(len(session.get_available_services()) > 300, session.get_available_resources())
    with helpers.http(s3server.answer) as address:
        config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        s3 = session.client("s3", endpoint_url=address, config=config)
        data = bytes(range(256)) * 65536
        transfer = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=6 << 20, max_concurrency=3)
        s3.upload_fileobj(io.BytesIO(data), "bucket", "large", Config=transfer)
        for name in "abc":
            s3.put_object(Bucket="bucket", Key=name, Body=name.encode())
        back = io.BytesIO()
        s3.download_fileobj("bucket", "large", back, Config=transfer)
        print("same", back.getvalue() == data, sorted(s3server.PARTS))
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket="bucket"):
            print([(one["Key"], one["Size"]) for one in page["Contents"]])
        try:
            s3.get_object(Bucket="bucket", Key="missing")
        except s3.exceptions.NoSuchKey as error:
            print(type(error).__name__, error)
        bucket = session.resource("s3", endpoint_url=address, config=config).Bucket("bucket")
        print([item.key for item in bucket.objects.all()], bucket.Object("a").metadata)
    sts = session.client("sts")
    with Stubber(sts) as stub:
        stub.add_response("get_caller_identity", {"Account": "123456789012"}, {})
        print(sts.get_caller_identity())
    try:
        session.client("ec2").run_instances(MaxCount="x", Nonsense=1)
    except Exception as error:
        print(error)
    print(session.client("ec2").waiter_names[:3])
    print((Key("id").eq(1) & Attr("n").between(1, 2)).get_expression()["format"])
    print(json.dumps(session.client("s3").meta.service_model.metadata["serviceId"]))
    print(
        session.get_partition_for_region("cn-north-1"),
        session.client("s3", "us-gov-west-1").meta.endpoint_url,
    )
