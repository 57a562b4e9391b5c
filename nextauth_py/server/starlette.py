"""Protected routes of Starlette."""

from __future__ import annotations

import functools
import inspect
from http import HTTPStatus
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from .gate import Gate, Refusal, Visit
from .visitor import BlockingVisitor, Visitor, shared_visitor

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Unpack

    from ..access import Auth
    from .visitor import Options

# For a WebSocket: policy violation, and "try again later". Before it is accepted, a server makes them a 403.
_NOT_ALLOWED, _UNAVAILABLE = 1008, 1013


def session_required(
    auth: bool | Auth = True, **options: Unpack[Options]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Protect an endpoint, async or not.

    Inside, ``request.state.visitor.get_session()`` sends no further request.

    Signed-out visitors are redirected to the sign-in page and back; programs get 401. Visitors without access
    get the auth server's "access denied" page, or 403. If the auth server cannot be reached, the answer is
    503. A WebSocket is refused before it is accepted, with code 1008, which servers send as 403; cookies go
    with the acceptance.

    Args:
        auth: True to admit every signed-in visitor, or an `nextauth_py.Auth`.
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
        async def answer(*args: Any, **values: Any) -> Any:
            request = _connection(args, values)
            visitor = shared_visitor(Visitor, request, request.scope, **options)
            request.state.visitor = visitor
            refusal = await gate.refusal(visitor, visit_of(request))
            if isinstance(request, WebSocket):
                check_socket(request, visitor, refusal)
                return await endpoint(*args, **values)
            response = _refused(refusal) if refusal else await endpoint(*args, **values)
            return visitor.keep(response)

        @functools.wraps(endpoint)
        def blocking_answer(*args: Any, **values: Any) -> Response:
            request = _connection(args, values)
            visitor = shared_visitor(BlockingVisitor, request, request.scope, **options)
            request.state.visitor = visitor
            refusal = gate.blocking_refusal(visitor, visit_of(request))
            response = _refused(refusal) if refusal else endpoint(*args, **values)
            return visitor.keep(response)

        return answer if inspect.iscoroutinefunction(endpoint) else blocking_answer

    return decorate


def visit_of(request: HTTPConnection) -> Visit:
    """Return the parts of a request that a gate needs."""
    # From the scope: `request.url` takes the Host header in, and fails for a query that is not UTF-8.
    scope = request.scope
    path, root = scope["path"], scope.get("app_root_path", scope.get("root_path", "")).rstrip("/")
    if not f"{path}/".startswith(f"{root}/"):  # a proxy has taken it away
        path = root + path
    accept = request.headers.get("accept", "")
    return Visit(scope.get("method", ""), path, scope.get("query_string", b""), accept)


def check_socket(socket: WebSocket, visitor: Visitor[Any], refusal: Refusal | None) -> None:
    """Put the visitor's cookies on the WebSocket's acceptance.

    Raises:
        WebSocketException: It is refused.
    """
    if refusal:
        code = _UNAVAILABLE if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE else _NOT_ALLOWED
        raise WebSocketException(code, refusal.message)
    send = socket._send  # noqa: SLF001 - `accept` sends by it

    async def send_with_cookies(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            headers = MutableHeaders(raw=list(message.get("headers", [])))
            visitor.keep(SimpleNamespace(headers=headers))
            message = {**message, "headers": headers.raw}
        await send(message)

    socket._send = send_with_cookies  # noqa: SLF001


def _connection(args: tuple[Any, ...], values: dict[str, Any]) -> HTTPConnection:
    """The endpoint's argument: the first one, or after ``self``, or by name."""
    return next(each for each in (*args, *values.values()) if isinstance(each, HTTPConnection))


def _refused(refusal: Refusal) -> Response:
    return JSONResponse(refusal.body, refusal.status, refusal.headers)
