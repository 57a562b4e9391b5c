"""Protected routes of Flask."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from flask import Response, after_this_request, current_app, g, jsonify, make_response, request

from .gate import Gate, Refusal, Visit
from .visitor import BlockingVisitor, shared_visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from ..access import Auth
    from .visitor import Options


def session_required(
    auth: bool | Auth = True, **options: Unpack[Options]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Protect a view, or a whole blueprint as its ``before_request``.

    Inside, ``flask.g.visitor.get_session()`` sends no further request.

    Other visitors get the same responses as in `nextauth_py.server.starlette`.

    Args:
        auth: True to admit every signed-in visitor, or an `nextauth_py.Auth`.
        **options: As of `Visitor`.

    Example:
        ```python
        @app.get("/me")
        @session_required()
        def me():
            return {"name": g.visitor.get_session().user.name}
        ```
    """
    gate = Gate(auth, **options)

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def answer(*args: Any, **values: Any) -> Response | None:
            visitor = shared_visitor(BlockingVisitor, request, request.environ, **options)
            g.visitor = visitor
            after_this_request(visitor.keep)  # what `abort` and an exception answer, too
            refusal = gate.blocking_refusal(visitor, _visit())
            result = _refused(refusal) if refusal else current_app.ensure_sync(view)(*args, **values)
            return None if result is None else make_response(result)  # None: on to the view, or Flask objects

        return answer

    return decorate


def _visit() -> Visit:
    path = request.root_path.rstrip("/") + request.path
    return Visit(request.method, path, request.query_string, request.headers.get("Accept", ""))


def _refused(refusal: Refusal) -> tuple[Response, int, dict[str, str]]:
    return jsonify(refusal.body), refusal.status, refusal.headers
