"""The same protected routes in four frameworks, called as servers call them: bytes over ASGI or WSGI."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import django
import flask
from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.urls import path as django_path
from fastapi import Depends, FastAPI, Response
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from nextauth_py.server import BlockingVisitor, Visitor
from nextauth_py.server import django as for_django
from nextauth_py.server import fastapi as for_fastapi
from nextauth_py.server import flask as for_flask
from nextauth_py.server import starlette as for_starlette

# Of each site: /me and /any/… (the user's name), /stream, /signs-out (deletes the cookie that the auth server
# renews), and /page, for everybody. They answer with the headers in the query.
COOKIE = "authjs.session-token"


@dataclass
class Reply:
    """An answer as it was sent; names of headers in lower case."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for each, value in self.headers if each == name]

    def one(self, name: str) -> str:
        """The values of a header, joined as caches join them."""
        return ", ".join(self.all(name))


Get = Callable[..., Reply]


def _starlette(blocking: bool, options: dict[str, Any]) -> Any:
    needed = for_starlette.session_required(**options)

    @needed
    async def me(request: Request) -> PlainTextResponse:
        name = _name(await request.state.visitor.get_session())
        return PlainTextResponse(name, headers=dict(request.query_params))

    @needed
    def blocking_me(request: Request) -> PlainTextResponse:
        name = _name(request.state.visitor.get_session())
        return PlainTextResponse(name, headers=dict(request.query_params))

    @needed
    async def signs_out(request: Request) -> PlainTextResponse:
        response = PlainTextResponse("bye")
        response.delete_cookie(COOKIE)
        return response

    @needed
    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(iter(["a"]), headers=dict(request.query_params))

    async def page(request: Request) -> PlainTextResponse:
        visitor = Visitor(request)
        script = await visitor.session_script()
        return visitor.keep(PlainTextResponse(script, headers=dict(request.query_params)))

    me = blocking_me if blocking else me
    routes = [("/me", me), ("/any/{rest:path}", me), ("/signs-out", signs_out), ("/stream", stream)]
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in [*routes, ("/page", page)]])


def _fastapi(options: dict[str, Any]) -> Any:
    app = FastAPI()
    needed = Depends(for_fastapi.session_required(**options))

    @app.get("/me", response_class=PlainTextResponse)
    @app.get("/any/{rest:path}", response_class=PlainTextResponse)
    async def me(request: Request, response: Response, session: Any = needed) -> Any:
        for name, value in request.query_params.items():
            response.headers[name] = value
        return _name(session)

    @app.get("/signs-out")
    async def signs_out(response: Response, session: Any = needed) -> None:
        response.delete_cookie(COOKIE)

    @app.get("/stream")
    async def stream(request: Request, session: Any = needed) -> Any:
        return request.state.visitor.keep(StreamingResponse(iter(["a"]), headers=dict(request.query_params)))

    @app.get("/page")
    async def page(request: Request) -> Any:
        visitor = Visitor(request)
        script = await visitor.session_script()
        return visitor.keep(PlainTextResponse(script, headers=dict(request.query_params)))

    return app


def _flask(options: dict[str, Any]) -> Any:
    app = flask.Flask(__name__)
    needed = for_flask.session_required(**options)

    @app.get("/me")
    @app.get("/any/<path:rest>")
    @needed
    def me(rest: str = "") -> Any:
        return _name(flask.g.visitor.get_session()), 200, dict(flask.request.args)

    @app.get("/signs-out")
    @needed
    def signs_out() -> Any:
        response = flask.make_response("bye")
        response.delete_cookie(COOKIE)
        return response

    @app.get("/stream")
    @needed
    def stream() -> Any:
        return flask.Response(iter(["a"]), headers=dict(flask.request.args))

    @app.get("/page")
    def page() -> Any:
        visitor = BlockingVisitor(flask.request)
        response = flask.make_response(visitor.session_script(), 200, dict(flask.request.args))
        return visitor.keep(response)

    @app.get("/aborts")
    @needed
    def aborts() -> Any:
        flask.abort(404)

    return app


class _DjangoUrls:
    """The routes of a Django site."""

    def __init__(self, blocking: bool, options: dict[str, Any]) -> None:
        needed = for_django.session_required(**options)

        @needed
        async def me(request: Any, rest: str = "") -> HttpResponse:
            return HttpResponse(_name(await request.visitor.get_session()), headers=request.GET.dict())

        @needed
        def blocking_me(request: Any, rest: str = "") -> HttpResponse:
            return HttpResponse(_name(request.visitor.get_session()), headers=request.GET.dict())

        @needed
        def signs_out(request: Any) -> HttpResponse:
            response = HttpResponse("bye")
            response.delete_cookie(COOKIE)
            return response

        @needed
        def stream(request: Any) -> StreamingHttpResponse:
            parts = _parts() if hasattr(request, "scope") else ["a"]
            return StreamingHttpResponse(parts, headers=request.GET.dict())

        def page(request: Any) -> HttpResponse:
            visitor = BlockingVisitor(request)
            return visitor.keep(HttpResponse(visitor.session_script(), headers=request.GET.dict()))

        mine = blocking_me if blocking else me
        routes = {"me": mine, "any/<path:rest>": mine, "signs-out": signs_out, "stream": stream, "page": page}
        self.urlpatterns = [django_path(route, view) for route, view in routes.items()]


async def _parts() -> AsyncIterator[str]:
    yield "a"


def _name(session: Any) -> str:
    """The user's name, with a question mark for what no page can be encoded with."""
    return str(session.user.name).encode("utf-8", "replace").decode()


def _django(kind: str) -> Any:
    if not settings.configured:
        settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="test", USE_TZ=True)
        django.setup()
    from django.core.asgi import get_asgi_application  # noqa: PLC0415 - only once Django is set up
    from django.core.wsgi import get_wsgi_application  # noqa: PLC0415

    return get_asgi_application() if kind == "asgi" else get_wsgi_application()


Headers = list[tuple[bytes, bytes]]


def _asgi(app: Any) -> Get:
    def get(target: bytes, headers: Headers, method: str) -> Reply:
        path, _, query = target.partition(b"?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "headers": headers,
            "server": ("site.example", 80),
        }
        sent: list[Any] = []
        asked = asyncio.Event()

        async def receive() -> Any:
            if not asked.is_set():
                asked.set()
                return {"type": "http.request", "body": b"", "more_body": False}
            return await asyncio.Event().wait()  # a visitor who stays

        async def send(message: Any) -> None:
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        found = [(name.decode().lower(), value.decode("latin-1")) for name, value in sent[0]["headers"]]
        return Reply(sent[0]["status"], found, b"".join(each.get("body", b"") for each in sent[1:]))

    return get


def _wsgi(app: Any) -> Get:
    def get(target: bytes, headers: Headers, method: str) -> Reply:
        path, _, query = target.partition(b"?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "SERVER_NAME": "site.example",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in headers:
            environ[f"HTTP_{name.decode().upper().replace('-', '_')}"] = value.decode("latin-1")
        started: list[Any] = []
        body = app(environ, lambda status, found, exc_info=None: started.extend((status, found)))
        data = b"".join(body)
        getattr(body, "close", lambda: None)()
        status, found = started
        return Reply(int(status[:3]), [(name.lower(), value.strip()) for name, value in found], data)

    return get


def _in_django(kind: str, blocking: bool, options: dict[str, Any]) -> Get:
    get = (_asgi if kind == "asgi" else _wsgi)(_django(kind))
    urls = _DjangoUrls(blocking, options)

    def get_there(target: bytes, headers: Headers, method: str) -> Reply:
        with override_settings(ROOT_URLCONF=urls):
            return get(target, headers, method)

    return get_there


_MAKERS: dict[str, Callable[[dict[str, Any]], Get]] = {
    "starlette": lambda options: _asgi(_starlette(False, options)),
    "starlette, blocking": lambda options: _asgi(_starlette(True, options)),
    "fastapi": lambda options: _asgi(_fastapi(options)),
    "flask": lambda options: _wsgi(_flask(options)),
    "django, asgi": lambda options: _in_django("asgi", False, options),
    "django, asgi, blocking": lambda options: _in_django("asgi", True, options),
    "django, wsgi": lambda options: _in_django("wsgi", True, options),
    "django, wsgi, async": lambda options: _in_django("wsgi", False, options),
}
SITES = list(_MAKERS)


def site(name: str, **options: Any) -> Get:
    """Return what GETs from a site: ``get(b"/me?a=b", [(b"cookie", b"…")])``, or with a dict of str.

    Args:
        name: Of `SITES`.
        **options: Of its `session_required`.
    """
    get = _MAKERS[name](options)

    def ask(
        target: bytes | str, headers: Headers | dict[str, str] | None = None, method: str = "GET"
    ) -> Reply:
        pairs = (
            headers
            if isinstance(headers, list)
            else [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        )
        raw = target if isinstance(target, bytes) else target.encode()
        return get(raw, [(b"host", b"site.example"), *pairs], method)

    return ask
