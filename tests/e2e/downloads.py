"""A web server that releases are downloaded from, and what goes wrong with a download, on 127.0.0.1 only."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# What can become of a download.
WHOLE: Final = "whole"
CUT: Final = "cut in the middle"
DAMAGED: Final = "one byte is another"
ERROR: Final = "500"
STALLED: Final = "half, then nothing"

Plan = Callable[[int, str], str]  # number of the request, from 0, and file name -> what becomes of it


@dataclass
class Site:
    """A running server of what lies in ``folder``. ``plan`` may be changed while it runs."""

    port: int
    folder: Path
    plan: Plan = lambda *_: WHOLE
    asked: list[str] = field(default_factory=list)  # names of files
    stalled: threading.Event = field(default_factory=threading.Event)  # one has half of a file
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self, plan: Plan = lambda *_: WHOLE) -> None:
        self.plan = plan
        self.asked.clear()
        self.stalled.clear()


def always(kind: str, file: str = "") -> Plan:
    """All downloads, or those of files that are called so."""
    return lambda _, name: kind if file in name else WHOLE


@contextmanager
def running(folder: Path) -> Iterator[Site]:
    """A server of what lies in ``folder``."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = folder / self.path.lstrip("/")
            fate = site.plan(len(site.asked), path.name)
            site.asked.append(path.name)
            if fate == ERROR or not path.is_file():
                self.send_error(500 if fate == ERROR else 404)
                return
            content = path.read_bytes()
            half = len(content) // 2
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if fate == DAMAGED:
                content = content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
            if fate in (CUT, STALLED):
                self.wfile.write(content[:half])
                self.wfile.flush()
                if fate == STALLED:
                    site.stalled.set()
                    site.ending.wait(60)
                self.close_connection = True
                return
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Keep the test's output clean."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: object) -> None:
            """Those who download are killed, too."""

    server = Server(("127.0.0.1", 0), Handler)
    site = Site(int(server.server_address[1]), folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        site.ending.set()
        server.shutdown()
        server.server_close()
