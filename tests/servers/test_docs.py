"""Every example of docs/servers.md runs, and does what its text says."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from django.test import RequestFactory
from starlette.requests import Request

from .conftest import header
from .sockets import connect, serving
from .test_frameworks import _django

SERVERS = Path(__file__).parents[2] / "docs/servers.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", SERVERS.read_text("utf-8"), re.DOTALL)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, Any]]:
    """Runs the example with a certain text in it; returns its names."""

    def run(containing: str) -> dict[str, Any]:
        (code,) = [each for each in EXAMPLES if containing in each]
        module = ModuleType("example")  # where FastAPI looks for what annotations name
        monkeypatch.setitem(sys.modules, "example", module)
        exec(code, module.__dict__)
        return module.__dict__

    return run


def starlette_request(cookies: dict[str, str]) -> Request:
    headers = [(b"cookie", header(cookies).encode())] if cookies else []
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": headers})


def test_all_are_tested() -> None:
    assert len(EXAMPLES) == 10


def test_the_session_of_a_visitor(run: Callable[[str], dict[str, Any]], alice: dict[str, str]) -> None:
    hello = run("async def hello")["hello"]
    answer = asyncio.run(hello(starlette_request(alice)))
    assert answer.body == b"Hello, Alice Liddell"
    assert "session-token" in answer.headers["set-cookie"]
    assert asyncio.run(hello(starlette_request({}))).body == b"Hello, stranger"


def test_the_session_of_a_visitor_without_async(
    run: Callable[[str], dict[str, Any]], alice: dict[str, str]
) -> None:
    name_of = run("def name_of(")["name_of"]
    assert name_of({"Cookie": header(alice)}) == "Alice Liddell"
    assert name_of({}) is None


def test_only_the_cookies_that_are_named(run: Callable[[str], dict[str, Any]], alice: dict[str, str]) -> None:
    name_of_visitor = run("def name_of_visitor")["name_of_visitor"]
    assert asyncio.run(name_of_visitor({"Cookie": header(alice)})) == "Alice Liddell"
    assert asyncio.run(name_of_visitor({"Cookie": "site.session=1"})) is None


def test_a_page_that_knows_the_session(run: Callable[[str], dict[str, Any]], alice: dict[str, str]) -> None:
    answer = asyncio.run(run("async def home")["home"](starlette_request(alice)))
    assert b'id="nextauth-session">{"user":{' in answer.body


@pytest.mark.parametrize("framework", ['@app.get("/me")\nasync', 'Starlette(routes=[Route("/me"', "Flask("])
def test_routes_for_some(
    run: Callable[[str], dict[str, Any]], alice: dict[str, str], bob: dict[str, str], framework: str
) -> None:
    app = run(framework)["app"]

    async def get(path: str, cookies: dict[str, str]) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://site.example") as client:
            return await client.get(path, headers={"Cookie": header(cookies)})

    def ask(path: str, cookies: dict[str, str]) -> httpx.Response:
        if framework != "Flask(":
            return asyncio.run(get(path, cookies))
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://site.example") as client:
            return client.get(path, headers={"Cookie": header(cookies)})

    assert ask("/me", alice).json() == {"name": "Alice Liddell"}
    assert ask("/admin", alice).json() == {"secret": 42}
    assert ask("/admin", bob).status_code == 403
    assert ask("/me", {}).status_code == 401


def test_a_websocket_for_some(run: Callable[[str], dict[str, Any]], alice: dict[str, str]) -> None:
    with serving(run("@app.websocket")["app"]) as port:
        assert connect(port, "/chat", (b"Cookie", header(alice).encode())).text == "Hello, Alice Liddell"
        assert connect(port, "/chat").status == 403


def test_a_transport_of_ones_own(run: Callable[[str], dict[str, Any]], alice: dict[str, str]) -> None:
    with serving(run("transport=")["app"]) as port:
        url = f"http://127.0.0.1:{port}/name"
        assert httpx.get(url, headers={"Cookie": header(alice)}, trust_env=False).text == "Alice Liddell"
        assert httpx.get(url, trust_env=False).text == "stranger"


def test_routes_for_some_in_django(
    run: Callable[[str], dict[str, Any]], alice: dict[str, str], bob: dict[str, str]
) -> None:
    _django()
    me, admin = (each.callback for each in run("urlpatterns =")["urlpatterns"])

    def request(cookies: dict[str, str]) -> Any:
        return RequestFactory().get("/", headers={"Cookie": header(cookies)})

    assert b"Alice Liddell" in me(request(alice)).content
    assert b"42" in asyncio.run(admin(request(alice))).content
    assert asyncio.run(admin(request(bob))).status_code == 403
    assert me(request({})).status_code == 401
