"""What goes wrong between a publisher and its server, on purpose: an HTTP proxy with a plan, on 127.0.0.1 only.

It reads each request whole, asks the plan what becomes of it, and passes it on, or does not, or not all of it. What the server itself
answered is kept, so that a test sees what was written whatever the publisher was told.
"""

from __future__ import annotations

import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Final

# What a plan can have become of a request. BEFORE: the server never hears of it; AFTER: it does, and the publisher is not told.
THROUGH: Final = "passed on"
CUT_REQUEST: Final = "cut in the request"
CUT_ANSWER: Final = "cut in the answer"
BUSY: Final = "503 SlowDown"
ERROR_BEFORE: Final = "500, not done"
ERROR_AFTER: Final = "500, done"
DELAY: Final = "delay"
HANG: Final = "no answer"
CLOCK: Final = "RequestTimeTooSkewed"
EXPIRED: Final = "ExpiredToken"
DAMAGED_REQUEST: Final = "damaged request"
DAMAGED_ANSWER: Final = "damaged answer"
TRUNCATED: Final = "truncated answer"
KILL: Final = "kill -9"

SINGLE: Final = (
    CUT_REQUEST,
    CUT_ANSWER,
    BUSY,
    ERROR_BEFORE,
    ERROR_AFTER,
    DELAY,
    CLOCK,
    DAMAGED_REQUEST,
    DAMAGED_ANSWER,
    TRUNCATED,
)
_CODES: Final[Mapping[str, tuple[int, str, str]]] = {
    BUSY: (503, "SlowDown", "Please reduce your request rate."),
    ERROR_BEFORE: (500, "InternalError", "We encountered an internal error."),
    ERROR_AFTER: (500, "InternalError", "We encountered an internal error."),
    CLOCK: (
        403,
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
    ),
    EXPIRED: (400, "ExpiredToken", "The provided token has expired."),
}


@dataclass
class Request:
    """A request as it came. ``path``: with its query."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def key(self) -> str:
        """BUCKET/KEY."""
        return self.path.partition("?")[0].lstrip("/")

    @property
    def writes(self) -> bool:
        """Whether it makes an object, if it succeeds."""
        query = self.path.partition("?")[2]
        if self.method == "PUT":
            return "partNumber" not in query
        return self.method == "POST" and "uploadId" in query

    @property
    def reads(self) -> bool:
        """Whether it downloads an object."""
        query = self.path.partition("?")[2]
        listing = any(word in query for word in ("list-type", "uploads", "uploadId"))
        return self.method == "GET" and not listing


@dataclass
class Entry:
    """What became of a request. ``status``: the server's; 0 when it was not asked, or its answer was not seen."""

    method: str
    key: str
    fault: str
    status: int
    writes: bool


Plan = Callable[[int, Request], str]  # number of the request, from 0 -> what becomes of it


@dataclass
class Proxy:
    """A running proxy. ``plan`` may be changed while it runs."""

    port: int
    upstream: int
    chance: random.Random
    plan: Plan
    kill: Callable[[], None] = lambda: None
    hang: float = 30.0  # seconds
    log: list[Entry] = field(default_factory=list)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self, plan: Plan, seed: int, kill: Callable[[], None] = lambda: None) -> None:
        """Begin anew: another plan, an empty log."""
        with self._lock:
            self.plan, self.kill, self.chance = plan, kill, random.Random(seed)  # noqa: S311
            self.log, self._count = [], 0

    def serve(self, client: socket.socket) -> None:
        """One connection of a publisher's."""
        server = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=60)
        try:
            stream = client.makefile("rb")
            while (request := _read(stream, client)) is not None:
                if not self._answer(client, server, request):
                    break
        except (OSError, http.client.HTTPException, ValueError):
            pass
        finally:
            server.close()
            _reset(client)

    def _answer(self, client: socket.socket, server: http.client.HTTPConnection, request: Request) -> bool:
        """Do what the plan says; whether the connection is still good."""
        with self._lock:
            fault = self.plan(self._count, request)
            self._count += 1
            log, chance, kill = self.log, self.chance, self.kill
            at = chance.random()
        entry = Entry(request.method, request.key, fault, 0, request.writes)
        log.append(entry)
        if fault == KILL and at < 0.5:  # half of the kills come before, or in the middle, of the request
            if at < 0.25:
                _send_part(server, request, at * 4)
            kill()
            return False
        if fault == CUT_REQUEST:
            _send_part(server, request, at)
            return False
        if fault == HANG:
            time.sleep(self.hang)
            return False
        if fault == DELAY:
            time.sleep(at * 0.2)
        if fault in _CODES and fault != ERROR_AFTER:
            client.sendall(_error(fault, request))
            return True
        if fault == DAMAGED_REQUEST and request.body:
            place = int(at * len(request.body))
            flipped = bytes([request.body[place] ^ 0x20])
            request.body = request.body[:place] + flipped + request.body[place + 1 :]
        status, reason, headers, body = _ask(server, request)
        entry.status = status
        if fault == ERROR_AFTER:
            client.sendall(_error(fault, request))
            return True
        if fault == DAMAGED_ANSWER and body and request.reads:
            place = int(at * len(body))
            body = body[:place] + bytes([body[place] ^ 0x20]) + body[place + 1 :]
        if fault == TRUNCATED and body and request.method != "HEAD":
            body = body[: int(at * len(body))]
            headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
            headers.append(("Content-Length", str(len(body))))
        answer = _whole(status, reason, headers, body, request.method)
        if fault == KILL:
            kill()
            return False
        if fault == CUT_ANSWER:
            client.sendall(answer[: int(at * len(answer))])
            return False
        client.sendall(answer)
        return True


def _read(stream: object, client: socket.socket) -> Request | None:
    """The next request of a connection, whole; None at its end."""
    readline, read = stream.readline, stream.read  # type: ignore[attr-defined]
    first = readline().decode("latin-1").split()
    if len(first) != 3:
        return None
    headers: list[tuple[str, str]] = []
    while (line := readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = line.partition(":")
        headers.append((name, value.strip()))
    known = {name.lower(): value for name, value in headers}
    if known.get("expect", "").lower() == "100-continue":
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = read(int(known.get("content-length", 0)))
    kept = [(name, value) for name, value in headers if name.lower() not in ("expect", "connection")]
    return Request(first[0], first[1], kept, body)


def _open(server: http.client.HTTPConnection, request: Request) -> None:
    server.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
    for name, value in request.headers:
        server.putheader(name, value)
    server.endheaders()


def _ask(
    server: http.client.HTTPConnection, request: Request
) -> tuple[int, str, list[tuple[str, str]], bytes]:
    """The server's answer."""
    _open(server, request)
    if request.body:
        server.send(request.body)
    answer = server.getresponse()
    body = answer.read()
    dropped = ("transfer-encoding", "connection")
    headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in dropped]
    return answer.status, answer.reason, headers, body


def _send_part(server: http.client.HTTPConnection, request: Request, share: float) -> None:
    """So much of a request, then nothing more."""
    with suppress(OSError, http.client.HTTPException):
        if request.body and share > 0.1:
            _open(server, request)
            server.send(request.body[: int(share * len(request.body))])
    server.close()


def _whole(status: int, reason: str, headers: list[tuple[str, str]], body: bytes, method: str) -> bytes:
    if (
        method != "HEAD"
        and not any(name.lower() == "content-length" for name, _ in headers)
        and status != 204
    ):
        headers = [*headers, ("Content-Length", str(len(body)))]
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def _error(fault: str, request: Request) -> bytes:
    """An error as S3 writes it. It repeats what it was sent, as some servers do: nothing of that may be shown."""
    status, code, text = _CODES[fault]
    sent = dict(request.headers).get("Authorization", "")
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{text}</Message>'
        f"<StringToSign>{sent}</StringToSign><RequestId>1</RequestId></Error>"
    ).encode()
    if request.method == "HEAD":
        body = b""
    headers = [("Content-Type", "application/xml"), ("Date", formatdate(usegmt=True))]
    return _whole(status, code, [*headers, ("Content-Length", str(len(body)))], body, "GET")


def _reset(client: socket.socket) -> None:
    """Close with RST, as a cut connection looks (SO_LINGER, socket(7))."""
    with suppress(OSError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@contextmanager
def running(upstream: int) -> Iterator[Proxy]:
    """A proxy before the server on that port; it lets everything pass until it is told otherwise."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    proxy = Proxy(listener.getsockname()[1], upstream, random.Random(0), lambda *_: THROUGH)  # noqa: S311

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=proxy.serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)


def sometimes(share: float, kinds: tuple[str, ...], seed: int, most: int = 1000) -> Plan:
    """Each request with that probability, one of these, ``most`` of them."""
    chance = random.Random(seed)  # noqa: S311
    left = most

    def plan(_number: int, _request: Request) -> str:
        nonlocal left
        if left and chance.random() < share:
            left -= 1
            return chance.choice(kinds)
        return THROUGH

    return plan


def from_on(first: int, kind: str) -> Plan:
    """All requests from that number on."""
    return lambda number, _: kind if number >= first else THROUGH


def once(at: int, kind: str) -> Plan:
    """One request."""
    return lambda number, _: kind if number == at else THROUGH
