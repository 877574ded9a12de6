"""Uploads, downloads and copies with threads, subscribers, cancelling, and a pool of processes."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import botocore.config
import botocore.session
from s3transfer import processpool
from s3transfer.manager import TransferConfig, TransferManager
from s3transfer.subscribers import BaseSubscriber

from uses import helpers, s3server


class Progress(BaseSubscriber):
    """Adds up what has gone."""

    def __init__(self) -> None:
        self.lock, self.count = threading.Lock(), 0

    def on_progress(self, bytes_transferred: int, **_: object) -> None:
        with self.lock:
            self.count += bytes_transferred


def main() -> None:
    with helpers.http(s3server.answer) as address:
        config = botocore.config.Config(s3={"addressing_style": "path"})
        names = {
            "region_name": "us-east-1", "endpoint_url": address, "config": config,
            "aws_access_key_id": "id", "aws_secret_access_key": "secret",
        }  # fmt: skip
        client = botocore.session.Session().create_client("s3", **names)
        data = bytes(range(251)) * 100_000
        progress = Progress()
        with TransferManager(
            client, TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=6 << 20)
        ) as manager:
            manager.upload(io.BytesIO(data), "bucket", "key", subscribers=[progress]).result()
            back = io.BytesIO()
            manager.download("bucket", "key", back).result()
            print(back.getvalue() == data, progress.count)
            try:
                manager.download("bucket", "nothing", io.BytesIO()).result()
            except client.exceptions.ClientError as error:
                print(error)
        with processpool.ProcessPoolDownloader(
            client_kwargs=names, config=processpool.ProcessTransferConfig(max_request_processes=2)
        ) as pool:
            future = pool.download_file("bucket", "key", "out.bin")
            future.result()
        print(Path("out.bin").read_bytes() == data)
