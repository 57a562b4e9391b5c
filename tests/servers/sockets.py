"""A site on uvicorn, and a client of its WebSockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, RejectConnection, Request, TextMessage


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """Run an ASGI app; yields its port. A visitor who comes before it has started waits."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, ws="wsproto", log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@dataclass
class Handshake:
    """What a WebSocket's request was answered with; ``text`` is the first message."""

    status: int
    set_cookies: list[str]
    text: str = ""


def connect(port: int, path: str, *headers: tuple[bytes, bytes]) -> Handshake:
    """Open a WebSocket, wait for a message if it is accepted, and close it."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        connection = WSConnection(ConnectionType.CLIENT)
        line.sendall(connection.send(Request(f"127.0.0.1:{port}", path, extra_headers=list(headers))))
        events = _events(line, connection)
        first = next(events)
        if isinstance(first, RejectConnection):
            return Handshake(first.status_code, _cookies(first.headers))
        assert isinstance(first, AcceptConnection)
        message = next(events)
        assert isinstance(message, TextMessage)
        line.sendall(connection.send(CloseConnection(1000)))
        return Handshake(101, _cookies(first.extra_headers), message.data)


def _events(line: socket.socket, connection: WSConnection) -> Iterator[Event]:
    while data := line.recv(65536):
        connection.receive_data(data)
        yield from connection.events()


def _cookies(headers: Any) -> list[str]:
    return [value.decode("latin-1") for name, value in headers if name.lower() == b"set-cookie"]
