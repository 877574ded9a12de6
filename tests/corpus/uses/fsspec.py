"""File systems by name: memory, local, zip, tar, caches, HTTP, mappers, compression, and the registry of all."""

from __future__ import annotations

import asyncio
import gzip
import pickle
from http.server import BaseHTTPRequestHandler

import fsspec
from fsspec.implementations.cached import SimpleCacheFileSystem
from fsspec.registry import available_protocols, known_implementations

from uses import helpers


def answer(handler: BaseHTTPRequestHandler, body: bytes) -> helpers.Answer:
    if handler.path == "/":
        return 200, {"Content-Type": "text/html"}, b'<a href="a.txt">a</a>'
    return 200, {"Content-Type": "text/plain"}, b"over http " * 3


def main() -> None:
    print(len(available_protocols()), sorted(known_implementations)[:5])
    memory = fsspec.filesystem("memory")
    memory.pipe({"/d/a.txt": b"alpha", "/d/e/b.txt": b"beta"})
    print(memory.find("/d"), memory.glob("/d/**/*.txt"), memory.du("/d"), memory.cat("/d/a.txt"))
    with fsspec.open("local.txt.gz", "wt", compression="infer") as file:
        file.write("compressed")
    print(gzip.open("local.txt.gz").read(), fsspec.open("local.txt.gz", compression="gzip").open().read())
    archive = fsspec.filesystem("zip", fo="a.zip", mode="w")
    archive.pipe("inner.txt", b"zipped")
    archive.close()
    with fsspec.open("zip://inner.txt::a.zip") as file:
        print(file.read())
    mapper = fsspec.get_mapper("memory://map")
    mapper["k/1"] = b"v"
    print(dict(mapper), pickle.loads(pickle.dumps(mapper))["k/1"])
    local = fsspec.filesystem("file")
    print(
        [one["type"] for one in local.ls(".", detail=True)],
        local.exists("none"),
        local.checksum("local.txt.gz") > 0,
    )
    with helpers.http(answer) as address:
        http = fsspec.filesystem("http")
        print(
            http.cat(f"{address}/a.txt"),
            [one.rpartition("/")[2] for one in http.ls(f"{address}/", detail=False)],
        )
        cache = SimpleCacheFileSystem(fs=http, cache_storage="cache")
        print(cache.open(f"{address}/a.txt").read()[:9], len(local.ls("cache")))
        with fsspec.open(f"simplecache::{address}/a.txt") as file:
            print(file.read(4))
        print(asyncio.run(_gather(address)))
    try:
        fsspec.filesystem("nonsense")
    except ValueError as error:
        print(error)
    try:
        fsspec.filesystem("sftp")
    except ImportError as error:
        print(error)
    print(fsspec.core.url_to_fs("memory://x/y")[1], fsspec.utils.tokenize(1, 2))


async def _gather(address: str) -> bytes:
    http = fsspec.filesystem("http", asynchronous=True, skip_instance_cache=True)
    session = await http.set_session()
    try:
        return (await asyncio.gather(*(http._cat_file(f"{address}/{n}") for n in range(3))))[2]
    finally:
        await session.close()
