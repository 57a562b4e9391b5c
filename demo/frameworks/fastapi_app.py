"""The site in FastAPI."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Response
from fastapi.templating import Jinja2Templates

from nextauth_py import Auth, Session
from nextauth_py.server import Visitor
from nextauth_py.server.fastapi import session_required

app = FastAPI()
templates = Jinja2Templates(Path(__file__).parent / "templates")


@app.get("/")
async def home(request: Request) -> Response:
    """For everybody. The session is in the page, so its Python need not ask for it."""
    visitor = Visitor(request)
    values = {"framework": "FastAPI", "session": await visitor.session_script()}
    return visitor.keep(templates.TemplateResponse(request, "page.html", values))


@app.get("/api/me")
async def me(session: Annotated[Session, Depends(session_required())]) -> dict[str, str | None]:
    """For whoever is signed in."""
    return {"name": session.user.name if session.user else None}


@app.get("/admin", dependencies=[Depends(session_required(Auth(role="admin")))])
async def admin(request: Request) -> Response:
    """For admins."""
    return templates.TemplateResponse(request, "admin.html", {"framework": "FastAPI"})
