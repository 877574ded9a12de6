"""Both ends of HTTP/1.1 conversations: chunks, pipelining, upgrades and violations."""

from __future__ import annotations

import h11


def talk(client: h11.Connection, server: h11.Connection, events: list[h11.Event]) -> None:
    for event in events:
        data = client.send(event)
        if data:
            server.receive_data(data)
    while True:
        event = server.next_event()
        if event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
            break
        print(type(event).__name__, event)
        if isinstance(event, h11.EndOfMessage):
            break


def main() -> None:
    client, server = h11.Connection(h11.CLIENT), h11.Connection(h11.SERVER)
    headers = [("Host", "example.org"), ("Transfer-Encoding", "chunked"), ("Expect", "100-continue")]
    talk(client, server, [h11.Request(method="POST", target="/path", headers=headers)])
    print(server.they_are_waiting_for_100_continue)
    talk(client, server, [h11.Data(data=b"hello"), h11.EndOfMessage(headers=[("Digest", "x")])])
    talk(
        server,
        client,
        [
            h11.InformationalResponse(status_code=103, headers=[]),
            h11.Response(status_code=200, headers=[("Content-Length", "2")]),
            h11.Data(data=b"ok"),
            h11.EndOfMessage(),
        ],
    )
    print(client.states, server.states, client.their_http_version)
    client.start_next_cycle()
    server.start_next_cycle()
    server.receive_data(b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nrest")
    print(server.next_event(), server.next_event(), server.next_event(), server.trailing_data)
    for broken in (
        b"GET / HTTP/3.7\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n",
        b"x" * 70000,
    ):
        victim = h11.Connection(h11.SERVER)
        victim.receive_data(broken)
        try:
            print(victim.next_event())
        except h11.RemoteProtocolError as error:
            print(error.error_status_hint, error)
    try:
        h11.Connection(h11.CLIENT).send(h11.Data(data=b"x"))
    except h11.LocalProtocolError as error:
        print(error)
    print(h11.__version__, h11.PRODUCT_ID)
