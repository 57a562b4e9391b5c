"""Protected routes in Starlette, FastAPI, Flask and Django, with real auth servers of both generations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Annotated, Any

import httpx
import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path
from fastapi import Depends, FastAPI, Request
from flask import Flask, g
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from demo.serve import AuthServer
from nextauth_py import Auth, Session
from nextauth_py.server import django as for_django
from nextauth_py.server import fastapi as for_fastapi
from nextauth_py.server import flask as for_flask
from nextauth_py.server import starlette as for_starlette

from . import sites
from .conftest import header
from .control import ServerControl

SESSION = "GET /api/auth/session"
ORIGIN = "http://site.example"
ADMIN = Auth(role="admin")
PAGE = {"Accept": "text/html,*/*"}


def _starlette() -> Any:
    @for_starlette.session_required()
    async def me(request: Any) -> PlainTextResponse:
        return PlainTextResponse((await request.state.visitor.get_session()).user.name)

    @for_starlette.session_required()
    def blocking_me(request: Any) -> PlainTextResponse:
        return PlainTextResponse(request.state.visitor.get_session().user.name)

    class Admin(HTTPEndpoint):
        @for_starlette.session_required(ADMIN)
        async def get(self, request: Any) -> PlainTextResponse:
            return PlainTextResponse("secret")

    return Starlette(routes=[Route("/me", me), Route("/blocking/me", blocking_me), Route("/admin", Admin)])


def _fastapi() -> Any:
    app = FastAPI()

    @app.get("/me", response_class=PlainTextResponse)
    async def me(session: Annotated[Session, Depends(for_fastapi.session_required())]) -> str:
        assert session.user
        return session.user.name or ""

    @app.get("/blocking/me")
    def own_response(
        request: Request, session: Annotated[Session, Depends(for_fastapi.session_required())]
    ) -> PlainTextResponse:
        assert session.user
        response: PlainTextResponse = request.state.visitor.keep(PlainTextResponse(session.user.name))
        return response

    @app.get("/admin", dependencies=[Depends(for_fastapi.session_required(ADMIN))])
    async def admin() -> str:
        return "secret"

    return app


def _flask() -> Any:
    app = Flask(__name__)

    @app.get("/me")
    @for_flask.session_required()
    def me() -> str:
        return str(g.visitor.get_session().user.name)

    @app.get("/blocking/me")
    @for_flask.session_required()
    def with_status() -> tuple[str, int]:
        return g.visitor.get_session().user.name, 200

    @app.get("/admin")
    @for_flask.session_required(ADMIN)
    def admin() -> str:
        return "secret"

    return app


@for_django.session_required()
async def _me(request: Any) -> HttpResponse:
    return HttpResponse((await request.visitor.get_session()).user.name)


@for_django.session_required()
def _blocking_me(request: Any) -> HttpResponse:
    return HttpResponse(request.visitor.get_session().user.name)


@for_django.session_required(ADMIN)
def _admin(_request: Any) -> HttpResponse:
    return HttpResponse("secret")


urlpatterns = [path("me", _me), path("blocking/me", _blocking_me), path("admin", _admin)]


def _django() -> Any:
    app = sites._django("asgi")

    async def with_these_urls(*connection: Any) -> None:
        with override_settings(ROOT_URLCONF=__name__):
            await app(*connection)

    return with_these_urls


@pytest.fixture(params=[_starlette, _fastapi, _flask, _django], ids=lambda make: make.__name__[1:])
def get(request: pytest.FixtureRequest) -> Callable[..., httpx.Response]:
    """GETs a path of an app, with these cookies and headers."""
    app = request.param()

    def ask(path: str, cookies: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        headers = {**headers, **({"Cookie": header(cookies)} if cookies else {})}
        if isinstance(app, Flask):
            with httpx.Client(transport=httpx.WSGITransport(app), base_url=ORIGIN) as client:
                return client.get(path, headers=headers)

        async def get() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
                return await client.get(path, headers=headers)

        return asyncio.run(get())

    return ask


Get = Callable[..., httpx.Response]


@pytest.mark.parametrize("path", ["/me", "/blocking/me"])
def test_a_signed_in_visitor_gets_the_route(
    get: Get, alice: dict[str, str], control: ServerControl, path: str
) -> None:
    answer = get(path, alice)
    assert (answer.status_code, answer.text) == (200, "Alice Liddell")
    assert control.requests() == [SESSION]
    (line,) = [line for line in answer.headers.get_list("set-cookie") if "session-token" in line]
    assert "httponly" in line.lower()
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "Cookie" in answer.headers["vary"]


def test_the_cookie_that_is_handed_back_is_whole(get: Get, alice: dict[str, str]) -> None:
    (line,) = [each for each in get("/me", alice).headers.get_list("set-cookie") if "session-token" in each]
    name, _, value = line.partition(";")[0].partition("=")
    assert get("/me", {name: value}).text == "Alice Liddell"


def test_a_program_without_a_session_gets_a_401(get: Get) -> None:
    answer = get("/me", Accept="application/json")
    assert answer.status_code == 401
    assert answer.json() in ({"message": "Nobody is signed in."}, {"detail": "Nobody is signed in."})


def test_a_person_without_a_session_is_led_to_the_sign_in_page_and_back(
    get: Get, auth_server: AuthServer
) -> None:
    answer = get("/me?a=1&b=2", **PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == (
        f"{auth_server.url}/api/auth/signin?error=SessionRequired&callbackUrl=%2Fme%3Fa%3D1%26b%3D2"
    )


def test_a_session_that_is_not_enough(get: Get, bob: dict[str, str], auth_server: AuthServer) -> None:
    assert get("/admin", bob).status_code == 403
    answer = get("/admin", bob, **PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{auth_server.url}/api/auth/error?error=AccessDenied"


def test_a_session_that_is_enough(get: Get, alice: dict[str, str]) -> None:
    assert "secret" in get("/admin", alice, **PAGE).text


ODD_SESSIONS = [
    {"user": {"id": 7, "name": None, "role": "admin"}},
    {"user": {"id": {"$oid": "7"}, "name": ["Alice"], "schema": "x", "model_dump": 1, "role": "admin"}},
    *({"user": user, "role": "admin"} for user in (None, "alice", 7, ["alice"], False)),
]


@pytest.mark.parametrize("session", ODD_SESSIONS, ids=range(len(ODD_SESSIONS)))
def test_no_field_of_another_kind_keeps_anybody_out(
    get: Get, alice: dict[str, str], control: ServerControl, session: dict[str, Any]
) -> None:
    control.answer(SESSION, json.dumps({**session, "expires": "2099-01-01T00:00:00.000Z"}))
    assert "secret" in get("/admin", alice, **PAGE).text


def test_a_failure_neither_admits_nor_redirects(
    get: Get, alice: dict[str, str], control: ServerControl
) -> None:
    control.answer(SESSION, "{}", status=500)
    answer = get("/me", alice, **PAGE)
    assert answer.status_code == 503
    assert "Alice" not in answer.text


def test_the_sign_in_page_is_where_visitors_reach_it(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTAUTH_URL_INTERNAL", "http://10.0.0.7:3000/auth")
    monkeypatch.delenv("NEXTAUTH_URL")
    assert get("/me", **PAGE).headers["location"].startswith("/api/auth/signin?")


def test_the_path_of_an_auth_server_that_is_named_in_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXTAUTH_URL")
    app = FastAPI()
    needed = for_fastapi.session_required(base_url="http://10.0.0.7:3000/auth")
    app.get("/me", dependencies=[Depends(needed)])(lambda: "secret")

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ORIGIN) as client:
            return await client.get("/me", headers=PAGE)

    assert asyncio.run(get()).headers["location"].startswith("/auth/signin?")
