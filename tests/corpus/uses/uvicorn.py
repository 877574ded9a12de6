"""An ASGI application served over HTTP, by the class, by the command with its import string, and by workers."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import uvicorn
from uvicorn import importer

# What a console's Ctrl-C is; on Windows only a group of processes can be sent such, and only this one.
STOP = getattr(signal, "CTRL_BREAK_EVENT", signal.SIGINT)
GROUP = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
APP = """\
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            print(message["type"], flush=True)
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": [[b"content-type", b"text/plain"]]})
    await send({"type": "http.response.body", "body": b"from " + scope["path"].encode()})
"""


async def application(scope: dict[str, object], receive: object, send: object) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 202, "headers": []})
        await send({"type": "http.response.body", "body": scope["query_string"]})


def fetched(address: str) -> bytes:
    """Tried again while workers start."""
    for _ in range(300):
        try:
            return urllib.request.urlopen(address, timeout=30).read()
        except urllib.error.URLError:
            time.sleep(0.1)
    return b""


def command(*options: str) -> None:
    line = [
        sys.executable,
        "-m",
        "uvicorn",
        "served:app",
        "--app-dir",
        ".",
        "--port",
        "0",
        "--no-access-log",
        *options,
    ]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, creationflags=GROUP
    ) as process:
        watch = threading.Timer(60, process.kill)
        watch.start()
        seen: list[str] = []
        for text in process.stdout:
            seen.append(text.strip())
            if found := re.search(r"running on (http://127.0.0.1:\d+)", text):
                address = found[1]
                break
        print(fetched(f"{address}/path"))
        process.send_signal(STOP)
        seen += [text.strip() for text in process.stdout]
        watch.cancel()
    print(
        process.wait(30) in (0, 130, -2, 0xC000013A),
        sorted({re.sub(r"\[\d+\]|127.0.0.1:\d+", "N", text).replace("SIGBREAK", "SIGINT") for text in seen}),
    )


def main() -> None:
    config = uvicorn.Config(application, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    with contextlib.closing(urllib.request.urlopen(f"http://127.0.0.1:{port}/?a=b", timeout=30)) as answer:
        print(answer.status, answer.read(), answer.headers["server"])
    server.should_exit = True
    thread.join()
    print(config.http_protocol_class.__name__, config.loaded, server.started)
    Path("served.py").write_text(APP)
    command()
    command("--workers", "2")
    for text in ("nomodule:app", "served"):
        try:
            importer.import_from_string(text)
        except importer.ImportFromStringError as error:
            print(error)
