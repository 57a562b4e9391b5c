"""WebSockets of FastAPI and Starlette are protected as routes are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.endpoints import WebSocketEndpoint
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from nextauth_py import Auth
from nextauth_py.server import fastapi as for_fastapi
from nextauth_py.server import starlette as for_starlette

from .conftest import header
from .control import ServerControl
from .sockets import Handshake, connect, serving

SESSION = "GET /api/auth/session"
ADMIN = Auth(role="admin")


async def greet(websocket: WebSocket, session: Any) -> None:
    await websocket.accept(headers=[(b"set-cookie", b"own=1")])
    await websocket.send_text(session.user.name)
    await websocket.close()


def starlette_site() -> Starlette:
    @for_starlette.session_required()
    async def chat(websocket: WebSocket) -> None:
        await greet(websocket, await websocket.state.visitor.get_session())

    @for_starlette.session_required()
    @for_starlette.session_required(ADMIN)
    async def admin(websocket: WebSocket) -> None:
        await greet(websocket, await websocket.state.visitor.get_session())

    class Endpoint(WebSocketEndpoint):
        @for_starlette.session_required()
        async def on_connect(self, websocket: WebSocket) -> None:
            await greet(websocket, await websocket.state.visitor.get_session())

    routes = {"/chat": chat, "/admin": admin, "/class": Endpoint}
    return Starlette(routes=[WebSocketRoute(path, endpoint) for path, endpoint in routes.items()])


def fastapi_site() -> FastAPI:
    app = FastAPI()
    signed_in = Depends(for_fastapi.session_required())

    @app.websocket("/chat")
    async def chat(websocket: WebSocket, session: Any = signed_in) -> None:
        await greet(websocket, session)

    @app.websocket("/admin", dependencies=[Depends(for_fastapi.session_required(ADMIN))])
    async def admin(websocket: WebSocket, session: Any = signed_in) -> None:
        await greet(websocket, session)

    @app.websocket("/class")
    @for_starlette.session_required()
    async def decorated(websocket: WebSocket) -> None:
        await greet(websocket, await websocket.state.visitor.get_session())

    return app


@pytest.fixture(params=[starlette_site, fastapi_site])
def app(request: pytest.FixtureRequest) -> Any:
    return request.param()


@pytest.fixture
def port(app: Any) -> Iterator[int]:
    with serving(app) as port:
        yield port


def visit(port: int, path: str, cookies: dict[str, str] | None = None) -> Handshake:
    return connect(port, path, *([(b"Cookie", header(cookies).encode())] if cookies else []))


@pytest.mark.parametrize("path", ["/chat", "/admin", "/class"])
def test_a_signed_in_visitor_gets_the_socket_and_the_renewed_cookie(
    port: int, alice: dict[str, str], control: ServerControl, path: str
) -> None:
    answer = visit(port, path, alice)
    assert (answer.status, answer.text) == (101, "Alice Liddell")
    assert "own=1" in answer.set_cookies
    assert len([line for line in answer.set_cookies if "session-token" in line]) == 1
    assert control.requests() == [SESSION]


@pytest.mark.parametrize("path", ["/chat", "/admin", "/class"])
def test_it_is_for_one_provider_only(port: int, path: str) -> None:
    assert visit(port, path).status == 403
    assert visit(port, path, {"authjs.session-token": "x", "next-auth.session-token": "x"}).status == 403


def test_a_session_that_is_not_enough_does_not_get_it(port: int, bob: dict[str, str]) -> None:
    assert visit(port, "/chat", bob).status == 101
    assert visit(port, "/admin", bob).status == 403


def test_a_failure_admits_nobody(port: int, alice: dict[str, str], control: ServerControl) -> None:
    control.answer(SESSION, "{}", status=500)
    assert visit(port, "/chat", alice).status == 403


@pytest.mark.parametrize("path", ["/chat", "/class"])
def test_a_refusal_says_why_before_the_socket_is_accepted(
    app: Any, path: str, alice: dict[str, str], control: ServerControl
) -> None:
    for cookies, code in (({}, 1008), (alice, 1013)):
        control.answer(SESSION, "{}", status=500)
        (message,) = sent_by(app, path, header(cookies))
        assert (message["type"], message["code"]) == ("websocket.close", code)
        assert message["reason"]


def sent_by(app: Any, path: str, cookie: str) -> list[Any]:
    """What an app tells its server when a WebSocket is asked for."""
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"site.example"), (b"cookie", cookie.encode())],
        "subprotocols": [],
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent
