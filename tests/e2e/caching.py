"""Machines that share a cache in tests: a real S3 server behind a proxy, stores of their own, and one that has built everything."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faults
import s3server
from disturbed import ENVIRONMENT
from faults import Proxy
from program import REPOSITORY, oxcross

from oxcross.cache import signing

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

BUCKET = "cache"
PUBLIC, SECRET = signing.generate()
STRANGER, STRANGERS_SECRET = signing.generate()
STEPS = ["linux-x64/cpython", "linux-x64/launcher", "linux-x64/licences", "linux-x64/runtime"]
Maker = Callable[..., "Machine"]


@dataclass
class Machine:
    """A machine with a project and a store."""

    folder: Path
    env: dict[str, str]

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        return oxcross(*words, "--project", str(self.folder / "hello"), env={**self.env, **env})

    def json(self, *words: str, **env: str) -> dict[str, Any]:
        done = self.run(*words, "--json", **env)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "oxcross", *words, "--project", str(self.folder / "hello")],
            cwd=REPOSITORY,
            env={**ENVIRONMENT, "PATH": "/usr/bin:/bin", **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def store(self) -> Path:
        return Path(self.env["OXCROSS_STORE"])

    def left(self) -> list[str]:
        """What is in the store besides its folders: entries, and what is half made."""
        return sorted(
            str(path.relative_to(self.store)) for path in self.store.glob("*/*") if "locks" not in path.parts
        )


@dataclass(frozen=True)
class Place:
    proxy: Proxy
    client: S3Client

    def keys(self, prefix: str) -> list[str]:
        rows = self.client.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])
        return [row["Key"].removeprefix(f"{prefix}/") for row in rows]

    def content(self, key: str) -> bytes:
        """An object's."""
        with self.client.get_object(Bucket=BUCKET, Key=key)["Body"] as stream:
            return stream.read()

    def written(self) -> Counter[str]:
        """How often each key was written since the proxy was reset."""
        return Counter(entry.key for entry in self.proxy.log if entry.writes and entry.status == 200)


@contextmanager
def running(folder: Path) -> Iterator[Place]:
    """A server with an empty bucket, and the proxy before it."""
    with s3server.running(folder / "server") as server, faults.running(server.port) as proxy:
        client = server.client()
        client.create_bucket(Bucket=BUCKET)
        yield Place(proxy, client)
        client.close()


def maker(place: Place, folder: Path, test: str) -> Maker:
    """A function that makes a machine: its store is empty, or (``filled``) the user's; the place in the bucket is the test's own."""
    place.proxy.reset(lambda *_: faults.THROUGH, 0)
    prefix = "".join(letter if letter.isalnum() else "-" for letter in test)

    def make(
        name: str, *, filled: bool = False, secret: str = "", trust: tuple[str, ...] = (PUBLIC,)
    ) -> Machine:
        own = folder / name
        (own / "hello").mkdir(parents=True)
        (own / "hello" / "hello.py").write_text('print("hello world")\n', encoding="utf-8")
        (own / "hello" / "pyproject.toml").write_text(
            '[project]\nname = "hello"\nversion = "1.0"\nrequires-python = ">=3.12"\n'
            '[tool.oxcross]\nrun-file = "hello.py"\nproject = false\ntargets = ["linux-x64"]\n'
            f'[tool.oxcross.cache]\nbucket = "{BUCKET}"\nprefix = "{prefix}"\n'
            f'endpoint = "{place.proxy.address}"\ntrust = {json.dumps(list(trust))}\n',
            encoding="utf-8",
        )
        env = {**ENVIRONMENT, "OXCROSS_CACHE_KEY": secret}
        return Machine(own, env if filled else {**env, "OXCROSS_STORE": str(own / "store")})

    return make


def states(document: dict[str, Any]) -> dict[str, str]:
    """Name -> state, of what push and pull print."""
    [rows] = document.values()
    return {row["name"]: row["state"] for row in rows}


def prefix(one: Machine) -> str:
    """Of its keys in the bucket."""
    text = (one.folder / "hello" / "pyproject.toml").read_text(encoding="utf-8")
    return text.partition('prefix = "')[2].partition('"')[0]
