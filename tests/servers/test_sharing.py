"""All that protects one route asks the auth server once, in four frameworks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import flask
import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.decorators import method_decorator
from django.views import View
from fastapi import Depends, FastAPI, Request, Response
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from nextauth_py import Auth, Session
from nextauth_py.server import Visitor
from nextauth_py.server import django as for_django
from nextauth_py.server import fastapi as for_fastapi
from nextauth_py.server import flask as for_flask
from nextauth_py.server import starlette as for_starlette

from .raw import OFFER, RawServer, answer
from .sites import COOKIE, Reply, _asgi, _django, _wsgi

Options = dict[str, Any]


class Admin(Session):
    rank: int = 1


class Other(Session):
    rank: int = 2


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer() as server:
        server.answers = lambda request: [
            answer(OFFER, f"Set-Cookie: {COOKIE}={len(server.requests)}; Path=/".encode())
        ]
        yield server


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the one for real servers."""
    monkeypatch.setenv("NEXTAUTH_URL", raw.url)


# --- sites whose /me is protected twice, and answers with the type of its visitor's session ---


def kind_of(session: Session | None) -> str:
    return type(session).__name__


def starlette_site(outer: Options, inner: Options) -> Any:
    @for_starlette.session_required(**outer)
    @for_starlette.session_required(**inner)
    async def me(request: Any) -> PlainTextResponse:
        return PlainTextResponse(kind_of(await request.state.visitor.get_session()))

    return _asgi(Starlette(routes=[Route("/me", me)]))


def blocking_starlette_site(outer: Options, inner: Options) -> Any:
    @for_starlette.session_required(**outer)
    @for_starlette.session_required(**inner)
    def me(request: Any) -> PlainTextResponse:
        return PlainTextResponse(kind_of(request.state.visitor.get_session()))

    return _asgi(Starlette(routes=[Route("/me", me)]))


def fastapi_site(outer: Options, inner: Options) -> Any:
    needed = Depends(for_fastapi.session_required(**inner))
    app = FastAPI(dependencies=[Depends(for_fastapi.session_required(**outer))])

    @app.get("/me", response_class=PlainTextResponse)
    async def me(session: Any = needed) -> str:
        return kind_of(session)

    return _asgi(app)


def fastapi_site_with_responses(outer: Options, inner: Options) -> Any:
    app = FastAPI(dependencies=[Depends(for_fastapi.session_required(**outer))])

    @app.get("/me", dependencies=[Depends(for_fastapi.session_required(**inner))])
    def me(request: Request) -> Response:
        response: Response = request.state.visitor.keep(PlainTextResponse("kept"))
        return response

    return _asgi(app)


def flask_site(outer: Options, inner: Options) -> Any:
    app = flask.Flask(__name__)

    @app.get("/me")
    @for_flask.session_required(**outer)
    @for_flask.session_required(**inner)
    def me() -> str:
        return kind_of(flask.g.visitor.get_session())

    return _wsgi(app)


def flask_site_with_a_guard(outer: Options, inner: Options) -> Any:
    part = flask.Blueprint("part", __name__)

    @part.before_request
    @for_flask.session_required(**outer)
    def guard() -> None: ...

    @part.get("/me")
    @for_flask.session_required(**inner)
    def me() -> str:
        return kind_of(flask.g.visitor.get_session())

    app = flask.Flask(__name__)
    app.register_blueprint(part)
    return _wsgi(app)


def flask_site_in_a_context(outer: Options, inner: Options) -> Any:
    """As in a test or a command, whose context, with ``g``, requests share."""
    get = flask_site(outer, inner)
    app = flask.Flask(__name__)

    def get_there(*args: Any) -> Any:
        with app.app_context():
            return get(*args)

    return get_there


def _django_site(view: Any, *, is_async: bool) -> Any:
    _django("asgi")

    def get(_target: bytes, headers: list[tuple[bytes, bytes]], _method: str) -> Reply:
        request = RequestFactory().get("/me", headers={k.decode(): v.decode() for k, v in headers})
        response = asyncio.run(view(request)) if is_async else view(request)
        sent = [("set-cookie", morsel.OutputString()) for morsel in response.cookies.values()]
        return Reply(response.status_code, sent, response.content)

    return get


def django_site(outer: Options, inner: Options) -> Any:
    @for_django.session_required(**outer)
    @for_django.session_required(**inner)
    def me(request: Any) -> HttpResponse:
        return HttpResponse(kind_of(request.visitor.get_session()))

    return _django_site(me, is_async=False)


def django_site_of_a_class(outer: Options, inner: Options) -> Any:
    @method_decorator(for_django.session_required(**outer), name="dispatch")
    class Me(View):  # type: ignore[misc]
        @method_decorator(for_django.session_required(**inner))  # type: ignore[untyped-decorator]
        def get(self, request: Any) -> HttpResponse:
            return HttpResponse(kind_of(request.visitor.get_session()))

    return _django_site(Me.as_view(), is_async=False)


def async_django_site_of_a_class(outer: Options, inner: Options) -> Any:
    @method_decorator(for_django.session_required(**outer), name="dispatch")
    class Me(View):  # type: ignore[misc]
        @method_decorator(for_django.session_required(**inner))  # type: ignore[untyped-decorator]
        async def get(self, request: Any) -> HttpResponse:
            return HttpResponse(kind_of(await request.visitor.get_session()))

    return _django_site(Me.as_view(), is_async=True)


def async_django_site(outer: Options, inner: Options) -> Any:
    @for_django.session_required(**outer)
    @for_django.session_required(**inner)
    async def me(request: Any) -> HttpResponse:
        return HttpResponse(kind_of(await request.visitor.get_session()))

    return _django_site(me, is_async=True)


Make = Callable[[Options, Options], Any]
SITES = [
    starlette_site,
    blocking_starlette_site,
    fastapi_site,
    fastapi_site_with_responses,
    flask_site,
    flask_site_in_a_context,
    flask_site_with_a_guard,
    django_site,
    async_django_site,
    django_site_of_a_class,
    async_django_site_of_a_class,
]
TYPED = [make for make in SITES if make is not fastapi_site_with_responses]


def get(site: Any, cookie: bytes = COOKIE.encode() + b"=old") -> Reply:
    reply: Reply = site(b"/me", [(b"host", b"site.example"), (b"cookie", cookie)], "GET")
    return reply


def assert_asked_once(reply: Reply, raw: RawServer) -> None:
    assert reply.status == 200
    assert len(raw.requests) == 1
    assert reply.all("set-cookie") == [f"{COOKIE}=1; Path=/"]


@pytest.mark.parametrize("make", SITES)
@pytest.mark.parametrize("outer", [{}, {"auth": Auth(role="admin")}, {"timeout": 9.0}], ids=str)
def test_a_request_asks_once(make: Make, outer: Options, raw: RawServer) -> None:
    assert_asked_once(get(make(outer, {})), raw)


@pytest.mark.parametrize("make", TYPED)
def test_session_types_of_one_request_share_the_answer(make: Make, raw: RawServer) -> None:
    reply = get(make({"session_type": Admin}, {"session_type": Other}))
    assert_asked_once(reply, raw)
    assert reply.body == b"Other"


@pytest.mark.parametrize("make", TYPED)
@pytest.mark.parametrize("options", [({"session_type": Admin}, {}), ({}, {"session_type": Admin})], ids=str)
def test_a_session_type_holds_for_visitors_without_one(
    make: Make, options: tuple[Options, Options], raw: RawServer
) -> None:
    reply = get(make(*options))
    assert_asked_once(reply, raw)
    assert reply.body == b"Admin"


@pytest.mark.parametrize("make", SITES)
@pytest.mark.parametrize("inner", [{"cookies": ["a"]}, {"base_path": "/other"}], ids=str)
def test_another_question_is_asked_for_itself(make: Make, inner: Options, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(OFFER)]
    assert get(make({}, inner), b"a=1; b=2").status == 200
    assert len(raw.requests) == 2


@pytest.mark.parametrize("make", SITES)
def test_the_inner_of_two_still_refuses(make: Make, raw: RawServer) -> None:
    assert get(make({}, {"auth": Auth(role="owner")})).status == 403
    assert len(raw.requests) == 1


@pytest.mark.parametrize("make", SITES)
def test_no_two_requests_share_an_answer(make: Make, raw: RawServer) -> None:
    site = make({}, {})
    replies = [get(site), get(site), get(site, b"other=1")]
    assert [each.all("set-cookie") for each in replies] == [
        [f"{COOKIE}=1; Path=/"],
        [f"{COOKIE}=2; Path=/"],
        [f"{COOKIE}=3; Path=/"],
    ]
    assert raw.cookies == [f"{COOKIE}=old".encode()] * 2 + [b"other=1"]


def test_calls_at_the_same_time_ask_once(raw: RawServer) -> None:
    async def ask() -> list[Any]:
        visitor: Visitor[Session] = Visitor({"cookie": "a=1"})
        return await asyncio.gather(*(visitor.get_session() for _ in range(5)))

    first, *others = asyncio.run(ask())
    assert all(each is first for each in others)
    assert len(raw.requests) == 1


def test_a_guard_without_parentheses_says_how_to_write_it() -> None:
    for framework in (for_flask, for_starlette, for_django):
        with pytest.raises(TypeError, match=r"with parentheses, session_required\(\)"):
            framework.session_required(print)


def test_a_dependency_without_parentheses_says_how_to_write_it() -> None:
    app = FastAPI(dependencies=[Depends(for_fastapi.session_required)])
    app.get("/")(print)
    with pytest.raises(TypeError, match=r"Depends\(session_required\(\)\)"):
        _asgi(app)(b"/", [], "GET")
