"""The site: its pages, its files, and behind it the auth server, which is a process of its own."""

import mimetypes
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import httpx
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES

from nextauth_py import Auth, Session
from nextauth_py.server import Visitor
from nextauth_py.server.fastapi import session_required

PUBLIC = urlsplit(os.environ["NEXTAUTH_URL"])  # where visitors reach the auth routes
INTERNAL = urlsplit(os.environ["NEXTAUTH_URL_INTERNAL"])  # where this process does
BASE = PUBLIC.path.removesuffix("/api/auth")  # the path of the whole site

POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'wasm-unsafe-eval'",  # the second one lets Python start, and no JavaScript
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(" ".join(directive) for directive in POLICY.items()),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

FOR_ADMINS = Auth(role="admin", unauthorized=f"{BASE}/denied")

templates = Jinja2Templates("templates")
templates.env.globals.update(base=BASE, auth=PUBLIC.path)
site = APIRouter(prefix=BASE)


# --- pages: the session is in them, so that their Python need not ask for it ---


async def show(request: Request, page: str, visitor: Visitor[Session]) -> Response:
    values = {"page": page, "session": await visitor.session_script()}
    return visitor.keep(templates.TemplateResponse(request, f"{page}.html", values))


@site.get("/")
async def account(request: Request) -> Response:
    return await show(request, "account", Visitor(request))


@site.get("/members", dependencies=[Depends(session_required())])
async def members(request: Request) -> Response:
    return await show(request, "members", request.state.visitor)


@site.get("/admins", dependencies=[Depends(session_required(FOR_ADMINS))])
async def admins(request: Request) -> Response:
    return await show(request, "admins", request.state.visitor)


@site.get("/denied")
async def denied(request: Request) -> Response:
    return templates.TemplateResponse(request, "denied.html")


# --- data ---


@site.get("/api/me")
async def me(session: Annotated[Session, Depends(session_required())]) -> dict[str, str | None]:
    """An example of data for members: what the server gives away, it has checked itself."""
    return {"name": session.user.name if session.user else None}


# --- the auth routes ---

# Headers of a connection, and those that are said anew.
NOT_PASSED_ON = {
    *("accept-encoding", "connection", "content-length", "host", "keep-alive", "te"),
    *("transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
}


@site.api_route("/api/auth/{path:path}", methods=["GET", "POST"], include_in_schema=False)
async def auth_routes(request: Request, path: str) -> Response:
    """Pass a request on to the auth server, and back what it answers."""
    url = INTERNAL._replace(path=f"{INTERNAL.path}/{path}", query=request.url.query).geturl()
    headers = [each for each in request.headers.items() if not is_own(each[0])]
    headers += [("host", PUBLIC.netloc), ("x-forwarded-proto", PUBLIC.scheme)]
    sent = httpx.Request(request.method, url, headers=headers, content=await request.body())
    try:
        answer = await request.state.transport.handle_async_request(sent)
        content = await answer.aread()
        await answer.aclose()
    except httpx.TransportError:
        return Response("The auth server does not answer.", 502)
    response = Response(content, answer.status_code)
    response.raw_headers += [each for each in answer.headers.raw if not is_own(each[0].decode())]
    return response


def is_own(header: str) -> bool:
    return header.lower() in NOT_PASSED_ON


# --- the application ---


# These files of the bundle have a hash of their contents in their path, so they never change.
UNCHANGING = re.compile(r"/py/(?:pyodide/[0-9a-f]{8}/|pyscript/.*-[\w-]{8}\.js$|.*\.whl$)")


class Files(StaticFiles):
    """Files that browsers keep if they never change; for all others they ask again."""

    def file_response(self, full_path: str | os.PathLike[str], *args: Any, **options: Any) -> Response:
        response = super().file_response(full_path, *args, **options)
        never_changes = UNCHANGING.search(Path(full_path).as_posix())
        kept = "public, max-age=31536000, immutable" if never_changes else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncHTTPTransport]]:
    # A client of httpx would keep the cookies, and send one visitor's with the next one's request.
    async with httpx.AsyncHTTPTransport() as transport:
        yield {"transport": transport}


# Without /docs: that page loads scripts from elsewhere, which the policy forbids.
app = FastAPI(title="__NAME__", lifespan=lifespan, docs_url=None, redoc_url=None)


@app.middleware("http")
async def add_headers(request: Request, respond: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await respond(request)
    response.headers.update(HEADERS)
    return response


app.include_router(site)

# The bundle's .bin and .whl files have been compressed when it was built.
mimetypes.add_type("application/zip", ".whl")
COMPRESSED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
files = GZipMiddleware(Files(directory="public"), compresslevel=6, exclude_content_types=COMPRESSED)
app.mount(BASE or "/", files)
