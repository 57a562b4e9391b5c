"""Cookies pass through real web servers as the bytes that came: uvicorn's ASGI, and the WSGI of wsgiref."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from django.test import override_settings

from . import sites
from .raw import OFFER, RawServer, answer
from .sockets import serving
from .test_fetch import AS_IT_CAME
from .test_requests import LINES


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer() as server:
        server.answers = lambda _: [answer(OFFER, *(f"Set-Cookie: {line}".encode() for line in LINES))]
        yield server


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the one for real servers."""
    monkeypatch.setenv("NEXTAUTH_URL", raw.url)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def serving_wsgi(app: Any) -> Iterator[int]:
    with make_server("127.0.0.1", 0, app, handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@contextmanager
def serving_django(kind: str, *, blocking: bool) -> Iterator[int]:
    app = sites._django(kind)
    serve = serving if kind == "asgi" else serving_wsgi
    with override_settings(ROOT_URLCONF=sites._DjangoUrls(blocking, {})), serve(app) as port:
        yield port


SERVERS: dict[str, Callable[[], Any]] = {
    "starlette": lambda: serving(sites._starlette(False, {})),
    "starlette, blocking": lambda: serving(sites._starlette(True, {})),
    "fastapi": lambda: serving(sites._fastapi({})),
    "flask": lambda: serving_wsgi(sites._flask({})),
    "django, asgi": lambda: serving_django("asgi", blocking=False),
    "django, asgi, blocking": lambda: serving_django("asgi", blocking=True),
    "django, wsgi": lambda: serving_django("wsgi", blocking=True),
    "django, wsgi, async": lambda: serving_django("wsgi", blocking=False),
}


def get(port: int, cookie: bytes) -> bytes:
    """The whole answer."""
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(b"GET /me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: " + cookie + b"\r\n\r\n")
        return b"".join(iter(lambda: line.recv(65536), b""))


@pytest.mark.parametrize("name", SERVERS)
def test_cookies_pass_through_a_real_server_both_ways(raw: RawServer, name: str) -> None:
    headers = [each.strip() for each in AS_IT_CAME]  # 60 kB of cookies are too much for some servers
    with SERVERS[name]() as port:
        for cookie in headers[:-1]:
            reply = get(port, cookie)
            assert b" 200 " in reply.partition(b"\r\n")[0]
            lines = reply.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            found = [
                line.partition(":")[2].strip() for line in lines if line.lower().startswith("set-cookie")
            ]
            assert found == LINES
    assert raw.cookies == headers[:-1]
