"""All services' models loaded, endpoints and signatures made, responses parsed, retries and waiters run."""

from __future__ import annotations

import datetime
import hashlib
from unittest import mock

import botocore.loaders
import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.stub import Stubber


def main() -> None:
    session = botocore.session.Session()
    session.set_credentials("id", "secret")
    session.set_config_variable("region", "us-east-1")
    loader = session.get_component("data_loader")
    services = loader.list_available_services("service-2")
    print(len(services), hashlib.sha256(",".join(services).encode()).hexdigest())
    print(loader.search_paths[0] == loader.CUSTOMER_DATA_PATH, botocore.loaders.Loader.BUILTIN_DATA_PATH)
    for name in ("dynamodb", "ec2", "iam", "lambda", "s3", "sqs"):
        model = session.get_service_model(name)
        print(
            name, model.api_version, model.protocol, len(model.operation_names), len(model.shape_names) > 10
        )
    for name in services[::20]:
        print(name, session.create_client(name).meta.endpoint_url)
    request = AWSRequest("GET", "https://s3.amazonaws.com/bucket/key", headers={"Host": "s3.amazonaws.com"})
    fixed = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    with mock.patch("botocore.auth.get_current_datetime", return_value=fixed.replace(tzinfo=None)):
        SigV4Auth(Credentials("id", "secret"), "s3", "us-east-1").add_auth(request)
    print(request.headers["Authorization"])
    client = session.create_client("sqs")
    with Stubber(client) as stub:
        stub.add_client_error("send_message", "QueueDoesNotExist", "no such queue", 400)
        try:
            client.send_message(QueueUrl="http://127.0.0.1/q", MessageBody="x")
        except client.exceptions.ClientError as error:
            print(error)
    ec2 = session.create_client("ec2")
    body = b"<DescribeRegionsResponse><regionInfo><item><regionName>x</regionName></item></regionInfo></DescribeRegionsResponse>"
    raw = mock.Mock(stream=lambda: iter([body]))

    def send(request: object, **_: object) -> AWSResponse:
        return AWSResponse("http://127.0.0.1", 200, {}, raw)

    ec2.meta.events.register("before-send", send)
    print(ec2.describe_regions()["Regions"])
    print(ec2.get_waiter("instance_running").config.max_attempts, ec2.can_paginate("describe_instances"))
