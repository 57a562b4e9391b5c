"""The site in Django, in one file. The views are plain functions; async ones work the same with `Visitor`."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from nextauth_py import Auth
from nextauth_py.server import BlockingVisitor
from nextauth_py.server.django import session_required

TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [Path(__file__).parent / "templates"],
}

settings.configure(
    ALLOWED_HOSTS=["localhost", "127.0.0.1"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=secrets.token_hex(),
    TEMPLATES=[TEMPLATES],
    USE_TZ=True,
)


def home(request: Any) -> HttpResponse:
    """For everybody. The session is in the page, so its Python need not ask for it."""
    visitor = BlockingVisitor(request)
    values = {"framework": "Django", "session": visitor.session_script()}
    return visitor.keep(render(request, "page.html", values))


@session_required()
def me(request: Any) -> HttpResponse:
    """For whoever is signed in."""
    return JsonResponse({"name": request.visitor.get_session().user.name})


@session_required(Auth(role="admin"))
def admin(request: Any) -> HttpResponse:
    """For admins."""
    return render(request, "admin.html", {"framework": "Django"})


urlpatterns = [path("", home), path("api/me", me), path("admin", admin)]
application = get_asgi_application()
