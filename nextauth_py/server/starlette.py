"""Protected routes of Starlette."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .gate import Gate, Refusal, Visit
from .visitor import BlockingVisitor, Visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from ..models import Session
    from ..ui.auth import Auth
    from .visitor import Options


def session_required(
    auth: bool | Auth = True, **options: Unpack[Options]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Protect an endpoint, async or not. In it, ``request.state.visitor.get_session()`` asks nobody again.

    Who asks for a page and is not signed in is led to the sign-in page, and back; a program gets 401. Who is
    signed in but not let in gets the auth server's "access denied", or 403. If the auth server cannot be
    asked, the answer is 503.

    Args:
        auth: Who is let in: whoever is signed in, or as an `nextauth_py.Auth` says.
        **options: As of `Visitor`.

    Example:
        ```python
        @session_required(Auth(role="admin"))
        async def admin(request):
            session = await request.state.visitor.get_session()
            return PlainTextResponse(f"Hello, {session.user.name}")
        ```
    """
    gate = Gate(auth, **options)

    def decorate(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(endpoint)
        async def answer(*args: Any, **values: Any) -> Response:
            request = _request(args)
            visitor: Visitor[Session] = Visitor(request, **options)
            request.state.visitor = visitor
            refusal = await gate.refusal(visitor, visit_of(request))
            response = _refused(refusal) if refusal else await endpoint(*args, **values)
            return visitor.keep(response)

        @functools.wraps(endpoint)
        def blocking_answer(*args: Any, **values: Any) -> Response:
            request = _request(args)
            visitor: BlockingVisitor[Session] = BlockingVisitor(request, **options)
            request.state.visitor = visitor
            refusal = gate.blocking_refusal(visitor, visit_of(request))
            response = _refused(refusal) if refusal else endpoint(*args, **values)
            return visitor.keep(response)

        return answer if inspect.iscoroutinefunction(endpoint) else blocking_answer

    return decorate


def visit_of(request: Request) -> Visit:
    """What a gate needs to know of a request."""
    # From the scope: `request.url` takes the Host header in, and fails for a query that is not UTF-8.
    scope = request.scope
    accept = request.headers.get("accept", "")
    return Visit(request.method, scope["path"], scope.get("query_string", b""), accept)


def _request(args: tuple[Any, ...]) -> Request:
    """The endpoint's argument: the first one, or after ``self``."""
    return next(arg for arg in args if isinstance(arg, Request))


def _refused(refusal: Refusal) -> Response:
    return JSONResponse(refusal.body, refusal.status, refusal.headers)
