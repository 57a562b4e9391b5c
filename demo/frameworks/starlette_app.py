"""The site in Starlette."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

from nextauth_py import Auth
from nextauth_py.server import Visitor
from nextauth_py.server.starlette import session_required

templates = Jinja2Templates(Path(__file__).parent / "templates")


async def home(request: Request) -> Response:
    """For everybody. The session is in the page, so its Python need not ask for it."""
    visitor = Visitor(request)
    values = {"framework": "Starlette", "session": await visitor.session_script()}
    return visitor.keep(templates.TemplateResponse(request, "page.html", values))


@session_required()
async def me(request: Request) -> Response:
    """For whoever is signed in."""
    session = await request.state.visitor.get_session()
    return JSONResponse({"name": session.user.name})


@session_required(Auth(role="admin"))
async def admin(request: Request) -> Response:
    """For admins."""
    return templates.TemplateResponse(request, "admin.html", {"framework": "Starlette"})


app = Starlette(
    routes=[Route("/", home), Route("/api/me", me), Route("/admin", admin)],
)
