"""The command with a server of its own: copies, lists, configures, queries, shows help, fails, and is completed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import awscli
from awscli.clidriver import create_clidriver
from awscli.testutils import unittest

from uses import helpers, s3server


def aws(*arguments: str) -> str:
    return re.sub(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE", helpers.python("-m", "awscli", *arguments)
    ).replace("\r", "\n")


def main() -> None:
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_PAGER": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    print(
        awscli.__version__,
        len(os.listdir(os.path.join(os.path.dirname(awscli.__file__), "examples"))),
    )
    Path("file.txt").write_text("content")
    with helpers.http(s3server.answer) as address:
        Path("config").write_text(
            f"[default]\nendpoint_url = {address}\nrequest_checksum_calculation = when_required\ns3 =\n  addressing_style = path\n"
        )
        os.environ["AWS_CONFIG_FILE"] = os.path.abspath("config")
        print(aws("s3", "cp", "file.txt", "s3://bucket/a/file.txt", "--no-progress"))
        print(aws("s3", "ls", "s3://bucket/a/"), aws("s3", "cp", "s3://bucket/a/file.txt", "-"))
        print(aws("s3api", "get-object", "--bucket", "bucket", "--key", "none", "out"))
        print(aws("s3", "rm", "s3://bucket/a/file.txt"), s3server.OBJECTS)
    print(aws("configure", "set", "region", "eu-west-3"), aws("configure", "get", "region"))
    print(aws("--version").split()[0], aws("s3", "nonsense").splitlines()[-3:])
    print(aws("ec2", "run-instances", "--generate-cli-skeleton")[:200])
    print(len(create_clidriver()._get_command_table()) > 300, unittest.__name__)
    os.environ["PAGER"] = "cat"
    print(aws("sts", "help"), aws("s3api", "head-bucket", "help").splitlines()[:1])
    print(helpers.python("-c", "from awscli.completer import Completer; print(Completer)"))
