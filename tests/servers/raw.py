"""An auth server that keeps the bytes of each request and writes what a test says, at any pace."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Self

OFFER = {"user": {"name": "Alice Liddell", "role": "admin"}, "expires": "2099-01-01T00:00:00.000Z"}


def answer(body: bytes | str | Any, *headers: bytes, status: bytes = b"200 OK", keeps: bool = False) -> bytes:
    """A whole answer. What is neither bytes nor str is written as JSON; ``keeps`` the connection open."""
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    data = text if isinstance(text, bytes) else text.encode()
    head = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(data)]
    end = b"keep-alive" if keeps else b"close"
    return b"\r\n".join([*head, b"Connection: " + end, *headers, b"", data])


class RawServer:
    """Listens on loopback, one thread for each connection.

    Attributes:
        requests: What was sent, up to the end of the headers.
        connections: How many there were.
        closed: Has an item for each that the client has ended.
        answers: Returns the parts of the answer to a request, which are written one by one.
        ending: Set when the server ends; an answer at some pace waits for it.
    """

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed: queue.Queue[None] = queue.Queue()
        self.answers: Callable[[bytes], Iterable[bytes]] = lambda _: [answer(OFFER)]
        self.ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def cookies(self) -> list[bytes]:
        """The value of each Cookie header that was sent."""
        lines = [line for request in self.requests for line in request.split(b"\r\n")]
        return [line.partition(b": ")[2] for line in lines if line.lower().startswith(b"cookie:")]

    def drip(self, data: bytes) -> Iterable[bytes]:
        """A byte every hundredth of a second, for as long as the server runs."""
        for at in range(len(data)):
            if self.ending.wait(0.01):
                return
            yield data[at : at + 1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _listen(self) -> None:
        while not self.ending.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the other side has had enough
            sent = b"keep-alive"
            while b"Connection: close" not in sent and sent:
                data = b""
                while b"\r\n\r\n" not in data:
                    part = connection.recv(65536)
                    if not part:
                        return self.closed.put(None)
                    data += part
                self.requests.append(data)
                sent = b""
                for part in self.answers(data):
                    connection.sendall(part)
                    sent += part[:500] if len(sent) < 500 else b""
        return None
