"""A proxy in front of a server, which a test has change the answers, as proxies, CDNs and middleware do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

import httpx

# What belongs to one connection.
_OF_A_HOP = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


@dataclass
class Passing:
    """An answer on its way; names of headers in lower case."""

    path: str
    cookie: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes = field(repr=False)

    def drop(self, name: str) -> None:
        """Take a header away."""
        self.headers = [each for each in self.headers if each[0] != name]

    def put(self, name: str, value: str) -> None:
        """Set a header."""
        self.drop(name)
        self.headers.append((name, value))

    def become(self, status: int, body: str = "", kind: str = "text/html; charset=utf-8") -> None:
        """Answer this instead."""
        self.status, self.body, self.headers = status, body.encode(), [("content-type", kind)]

    def redirect(self, location: str) -> None:
        """Lead elsewhere."""
        self.become(307)
        self.put("location", location)


def _nothing(_passing: Passing) -> None:
    pass


class Front:
    """Listens on loopback at once; `behind` is set before anything is asked.

    Attributes:
        url: Its origin.
        behind: The origin of the server.
        change: Changes an answer.
        asked: The method and path of each request.
    """

    def __init__(self) -> None:
        self.behind = ""
        self.change: Callable[[Passing], None] = _nothing
        self.asked: list[tuple[str, str]] = []
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._client = httpx.Client(cookies=no_cookies, trust_env=False, timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._client.close()

    def reset(self) -> None:
        """Change nothing any more."""
        self.change = _nothing
        self.asked.clear()

    def pass_on(self, path: str, headers: list[tuple[str, str]]) -> Passing:
        """The server's answer, bytes as they are."""
        wanted = [(name, value) for name, value in headers if name.lower() not in {"host", "connection"}]
        with self._client.stream("GET", self.behind + path, headers=wanted) as response:
            body = b"".join(response.iter_raw())
        # Node and browsers write header values as Latin-1.
        pairs = [(name.decode().lower(), value.decode("latin-1")) for name, value in response.headers.raw]
        kept = [pair for pair in pairs if pair[0] not in _OF_A_HOP]
        cookie = "; ".join(value for name, value in headers if name.lower() == "cookie")
        passing = Passing(path, cookie, response.status_code, kept, body)
        self.change(passing)
        return passing

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle(self) -> None:
                with suppress(ConnectionError):  # of a big file the first bytes were enough
                    super().handle()

            def do_GET(self) -> None:
                front.asked.append(("GET", self.path))
                passing = front.pass_on(self.path, list(self.headers.items()))
                self.send_response_only(passing.status)
                for name, value in [*passing.headers, ("content-length", str(len(passing.body)))]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(passing.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        return Handler
