"""Routes, and the tests of a page."""

from __future__ import annotations

from typing import Annotated, assert_type

from fastapi import Depends, FastAPI, Request
from flask import Flask, request
from starlette.requests import Request as StarletteRequest
from starlette.responses import HTMLResponse, Response

from nextauth_py import Auth, Provider, Session, SessionProvider, blocking
from nextauth_py.server import (
    AUTH_COOKIES,
    BlockingVisitor,
    Visitor,
    get_csrf_token,
    get_providers,
    get_session,
    session_script,
)
from nextauth_py.server import fastapi as for_fastapi
from nextauth_py.server import flask as for_flask
from nextauth_py.server import starlette as for_starlette
from nextauth_py.testing import Browser, FakeAuthServer, Tab, json_answer


class ShopSession(Session):
    role: str = ""


app = FastAPI()
flask_app = Flask(__name__)


@app.get("/me")
async def me(
    session: Annotated[ShopSession, Depends(for_fastapi.session_required(session_type=ShopSession))],
) -> str:
    return session.role


@app.get("/page")
async def page(request: Request) -> HTMLResponse:
    visitor = Visitor(request, session_type=ShopSession, cookies=AUTH_COOKIES)
    session = await visitor.get_session()
    assert_type(session, ShopSession | None)
    assert_type(await visitor.get_csrf_token(), str | None)
    assert_type(await visitor.get_providers(), dict[str, Provider])
    response = visitor.keep(HTMLResponse(session_script(session) + await visitor.session_script()))
    assert_type(response, HTMLResponse)
    return response


@for_starlette.session_required(Auth(role="admin"))
async def starlette_page(request: StarletteRequest) -> Response:
    assert_type(await get_session(request), Session | None)
    assert_type(await get_session(request, session_type=ShopSession), ShopSession | None)
    assert_type(await get_csrf_token(request), str | None)
    assert_type(await get_providers(request), dict[str, Provider])
    return Response()


@flask_app.get("/me")
@for_flask.session_required()
def flask_page() -> dict[str, str]:
    assert_type(BlockingVisitor(request, session_type=ShopSession).get_session(), ShopSession | None)
    return {}


def worker() -> None:
    assert_type(blocking.get_session(), Session | None)
    assert_type(blocking.get_session(session_type=ShopSession), ShopSession | None)
    assert_type(blocking.get_csrf_token(), str | None)
    assert_type(blocking.get_providers(), dict[str, Provider])
    blocking.enable()


def test_the_page_shows_who_is_signed_in() -> None:
    server = FakeAuthServer(generation="v5")
    server.add_user("alice", "wonder", id=7)
    server.authorize = lambda form: server.users.get(form.get("username", ""))
    with Browser(server) as browser:
        tab: Tab = browser.open_tab("/account")
        tab.run(lambda: SessionProvider().start())
        browser.network.answer_next("GET /api/auth/session", json_answer({}))
        tab.click("button", text="Sign in")
        assert tab.state.data is None
