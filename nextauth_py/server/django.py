"""Protected views of Django."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from asgiref.sync import iscoroutinefunction
from django.http import JsonResponse

from .gate import Gate, Refusal, Visit
from .visitor import BlockingVisitor, Visitor, shared_visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from ..access import Auth
    from .visitor import Options


def session_required(
    auth: bool | Auth = True, **options: Unpack[Options]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Protect a view, async or not. Inside, ``request.visitor.get_session()`` sends no further request.

    Other visitors get the same responses as in `nextauth_py.server.starlette`.

    Args:
        auth: True to admit every signed-in visitor, or an `nextauth_py.Auth`.
        **options: As of `Visitor`.

    Example:
        ```python
        @session_required(Auth(role="admin"))
        def admin(request):
            return HttpResponse(f"Hello, {request.visitor.get_session().user.name}")
        ```
    """
    gate = Gate(auth, **options)

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        async def answer(request: Any, *args: Any, **values: Any) -> Any:
            visitor = shared_visitor(Visitor, request, request.META, **options)
            request.visitor = visitor
            refusal = await gate.refusal(visitor, _visit(request))
            return visitor.keep(_refused(refusal) if refusal else await view(request, *args, **values))

        @functools.wraps(view)
        def blocking_answer(request: Any, *args: Any, **values: Any) -> Any:
            visitor = shared_visitor(BlockingVisitor, request, request.META, **options)
            request.visitor = visitor
            refusal = gate.blocking_refusal(visitor, _visit(request))
            return visitor.keep(_refused(refusal) if refusal else view(request, *args, **values))

        return answer if _is_async(view) else blocking_answer

    return decorate


def _is_async(view: Callable[..., Any]) -> bool:
    """Whether the view returns an awaitable, as the ``dispatch`` of a class with async handlers does."""
    method = getattr(view, "func", view)  # `method_decorator` hands on a partial
    return iscoroutinefunction(view) or bool(
        getattr(getattr(method, "__self__", None), "view_is_async", None)
    )


def _visit(request: Any) -> Visit:
    query = request.META.get("QUERY_STRING", "").encode("utf-8" if hasattr(request, "scope") else "latin-1")
    return Visit(request.method, request.path, query, request.headers.get("Accept", ""))


def _refused(refusal: Refusal) -> Any:
    return JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)
