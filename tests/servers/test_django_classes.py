"""Django's class-based views: async ones are not marked as functions are before Python 3.12."""

from __future__ import annotations

import inspect

from django.http import HttpRequest, HttpResponse
from django.views import View

from nextauth_py.server.django import session_required


class Waiting(View):  # type: ignore[misc]
    async def get(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse("for members")


class Plain(View):  # type: ignore[misc]
    def get(self, _request: HttpRequest) -> HttpResponse:
        return HttpResponse("for members")


def test_a_protected_class_is_async_if_its_handlers_are() -> None:
    assert inspect.iscoroutinefunction(session_required()(Waiting.as_view()))
    assert not inspect.iscoroutinefunction(session_required()(Plain.as_view()))
