"""Protected routes of FastAPI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

from fastapi import Depends, HTTPException, Response, WebSocket
from fastapi.requests import HTTPConnection
from starlette.datastructures import MutableHeaders

from ..access import Auth  # noqa: TC001 - FastAPI reads the annotation
from ..models import Session
from .gate import Gate, Refusal
from .headers import make_private
from .starlette import check_socket, visit_of
from .visitor import Visitor, shared_visitor

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Unpack

    from .visitor import Options


def _called_without_parentheses() -> None:
    """FastAPI asks for this where `session_required` itself is the dependency."""
    raise TypeError("session_required takes options: write it with parentheses, Depends(session_required())")


def session_required(
    auth: Annotated[bool | Auth, Depends(_called_without_parentheses)] = True, **options: Unpack[Options]
) -> Callable[[HTTPConnection, Response], Awaitable[Session]]:
    """Return a dependency that protects a route or a WebSocket, and yields the visitor's session.

    Other visitors get the same responses as in `nextauth_py.server.starlette`. A route that returns a
    response of its own puts the cookies on it: ``request.state.visitor.keep(response)``. On other responses
    that is done for it.

    Args:
        auth: True to admit every signed-in visitor, or an `nextauth_py.Auth`.
        **options: As of `Visitor`.

    Example:
        ```python
        @app.get("/me")
        async def me(session: Annotated[Session, Depends(session_required())]):
            return {"name": session.user.name}
        ```
    """
    gate = Gate(auth, **options)

    async def dependency(request: HTTPConnection, response: Response) -> Session:
        visitor = shared_visitor(Visitor, request, request.scope, **options)
        request.state.visitor = visitor
        refusal = await gate.refusal(visitor, visit_of(request))
        if isinstance(request, WebSocket):
            check_socket(request, visitor, refusal)
        elif refusal:
            raise _refused(refusal, visitor)
        else:
            _keep_at_last(response, visitor)
        return cast("Session", await visitor.get_session())

    # FastAPI reads annotations, which are texts here, from the function's own.
    dependency.__annotations__ = {"request": HTTPConnection, "response": Response, "return": Session}
    return dependency


def _refused(refusal: Refusal, visitor: Visitor[Session]) -> HTTPException:
    response = visitor.keep(Response(headers=refusal.headers))
    del response.headers["Content-Length"]  # of no body
    # Not a dict, which has room for one cookie.
    return HTTPException(refusal.status, refusal.message, response.headers)


def _keep_at_last(response: Response, visitor: Visitor[Session]) -> None:
    """Add the cookies to the headers that FastAPI merges into the route's response, and make it private.

    FastAPI reads the headers when the route has returned, which may have set others by then.
    """
    response._headers = _PrivateHeaders(raw=response.raw_headers)  # noqa: SLF001 - read by `headers`
    visitor.keep(response)


class _PrivateHeaders(MutableHeaders):
    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        headers = MutableHeaders(raw=list(self._list))
        make_private(headers)
        return headers.raw
