"""The reads without async, for code in workers: plain calls, through pyodide-http.

A call blocks its thread. That is fine in a worker, but would freeze a page: there, use the functions of
`nextauth_py` there.

Example:
    ```python
    from nextauth_py import blocking

    session = blocking.get_session()
    ```
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, overload

from .core import wire
from .core.options import checked_session_type, checked_timeout
from .core.urls import resolve_auth_url
from .errors import ClientFetchError
from .provider import current_provider

if TYPE_CHECKING:
    from typing import Literal

    from .core.urls import AuthUrl
    from .core.wire import Request, Response
    from .models import Provider, Session
    from .state import S

__all__ = ["enable", "get_csrf_token", "get_providers", "get_session"]

_TIMEOUT = 10.0


@overload
def get_session(
    *, base_path: str | None = None, base_url: str | None = None, timeout: float = _TIMEOUT
) -> Session | None: ...
@overload
def get_session(
    *,
    session_type: type[S],
    base_path: str | None = None,
    base_url: str | None = None,
    timeout: float = _TIMEOUT,
) -> S | None: ...
def get_session(
    *,
    session_type: type[Any] | None = None,
    base_path: str | None = None,
    base_url: str | None = None,
    timeout: float = _TIMEOUT,
) -> Any:
    """Ask the server for the session, and wait for it.

    Args:
        session_type: A subclass of `Session` with the fields that your server adds.
        base_path: Where the auth routes are; by default as of the worker's provider, else as that's default.
        base_url: The auth server, if it is on another origin.
        timeout: Seconds before the request counts as failed; in a worker only, pages cannot limit it.

    Returns:
        The session; None only if signed out.

    Raises:
        ClientFetchError: The server could not be asked, or gave no proper answer.
        SessionValidationError: The session does not fit ``session_type``.
        RuntimeError: This Python does not run in a browser.
    """
    model = checked_session_type(session_type)
    raw = wire.read_session(*_ask("session", base_path, base_url, timeout))
    if raw is None:
        return None
    from .models import Session, read_model  # noqa: PLC0415 - pydantic loads when first needed

    return read_model(model or Session, raw)


def get_csrf_token(
    *, base_path: str | None = None, base_url: str | None = None, timeout: float = _TIMEOUT
) -> str | None:
    """The csrf token for a form of your own; arguments and errors as of `get_session`.

    Returns:
        The token; None where the server's framework checks csrf in a way of its own.
    """
    return wire.read_csrf_token(*_ask("csrf", base_path, base_url, timeout))


def get_providers(
    *, base_path: str | None = None, base_url: str | None = None, timeout: float = _TIMEOUT
) -> dict[str, Provider]:
    """The ways to sign in that the server offers, by id; arguments and errors as of `get_session`."""
    request, response = _ask("providers", base_path, base_url, timeout)
    from .models import read_providers  # noqa: PLC0415 - pydantic loads when first needed

    return read_providers(request.url, wire.read_providers(request, response))


def enable() -> None:
    """Have ``urllib`` and, if it is installed, ``requests`` send through the browser, from now on.

    Requests to the page's own origin then carry the session's cookie; a path alone is a URL of it.

    Raises:
        RuntimeError: This Python does not run in a browser.
    """
    _check_browser()
    from .host.blocking import patch  # noqa: PLC0415 - only a browser can import it

    patch()


def _ask(
    route: Literal["session", "csrf", "providers"],
    base_path: str | None,
    base_url: str | None,
    timeout: float,
) -> tuple[Request, Response]:
    _check_browser()
    from .host.blocking import send  # noqa: PLC0415 - only a browser can import it

    seconds = checked_timeout(timeout)
    request = wire.read_request(_auth(base_path, base_url), route)
    try:
        return request, send(request, timeout=seconds)
    except TimeoutError:
        raise ClientFetchError(request.url, None, f"no answer within {seconds:g} s") from None
    except OSError:
        raise ClientFetchError(request.url, None, "the server cannot be reached") from None


def _auth(base_path: str | None, base_url: str | None) -> AuthUrl:
    provider = current_provider()
    if provider and base_path is None and base_url is None:
        return provider.engine.auth
    return resolve_auth_url(base_url, base_path, os.environ, in_browser=True)


def _check_browser() -> None:
    if sys.platform != "emscripten":
        raise RuntimeError(
            "nextauth_py.blocking is for workers in the browser. On a server use nextauth_py.server."
        )
