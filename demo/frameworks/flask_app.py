"""The site in Flask."""

from __future__ import annotations

from flask import Flask, Response, g, make_response, render_template, request

from nextauth_py import Auth
from nextauth_py.server import BlockingVisitor
from nextauth_py.server.flask import session_required

app = Flask(__name__)


@app.get("/")
def home() -> Response:
    """For everybody. The session is in the page, so its Python need not ask for it."""
    visitor = BlockingVisitor(request)
    page = render_template("page.html", framework="Flask", session=visitor.session_script())
    return visitor.keep(make_response(page))


@app.get("/api/me")
@session_required()
def me() -> dict[str, str]:
    """For whoever is signed in."""
    return {"name": g.visitor.get_session().user.name}


@app.get("/admin")
@session_required(Auth(role="admin"))
def admin() -> str:
    """For admins."""
    return render_template("admin.html", framework="Flask")
