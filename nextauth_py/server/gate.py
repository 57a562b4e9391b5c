"""The responses of a protected route to visitors it refuses, for any framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..access import Auth, checked_auth
from ..core.urls import resolve_auth_url
from ..errors import ClientFetchError, NextAuthError
from .visitor import check_options, public_auth_url

if TYPE_CHECKING:
    from typing import Unpack

    from ..models import Session
    from .visitor import BlockingVisitor, Options, Visitor

# All that may stand in a path, in a query, and in a URL. Browsers take a backslash for a slash.
_PATH = "/:@!$&'()*+,;=~"
_QUERY = f"{_PATH}?%"
_URL = f"{_QUERY}#[]"

_LONGEST_WAIT = 24 * 60 * 60  # seconds

_UNAUTHORIZED, _FORBIDDEN, _UNAVAILABLE, _SEE_OTHER = 401, 403, 503, 303


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response in place of the route's.

    Attributes:
        status: Of HTTP.
        message: For a program, or a developer.
        headers: With ``Location``, where a page is sent on.
    """

    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> dict[str, str]:
        """The response's JSON."""
        return {"message": self.message}


@dataclass(frozen=True, slots=True)
class Visit:
    """The parts of a request that a gate needs.

    Attributes:
        method: Of HTTP.
        path: The path that was asked for, decoded.
        query: The query, as it came.
        accept: The kinds of answers that are wanted, as the header says.
    """

    method: str
    path: str
    query: str | bytes
    accept: str

    @property
    def wants_page(self) -> bool:
        """Whether the request is for a page, so that the visitor can be redirected."""
        return self.method in {"GET", "HEAD"} and "text/html" in self.accept.lower()

    @property
    def address(self) -> str:
        """The page's address, without an origin: the auth server knows it better than the Host header.

        However the path begins, browsers read this as one on the same origin.
        """
        path = f"/{quote(self.path.lstrip('/'), _PATH, errors='replace')}"
        query = self.query.encode("utf-8", "replace") if isinstance(self.query, str) else self.query
        return f"{path}?{quote(query, _QUERY)}" if query else path


class Gate:
    """Admit or refuse the visitors of a route.

    Args:
        auth: True to admit every signed-in visitor, or an `Auth`.
        **options: As in `Visitor`.

    Raises:
        TypeError: An option is of a wrong type.
        ValueError: An option has a wrong value.
    """

    def __init__(self, auth: bool | Auth, **options: Unpack[Options]) -> None:
        if callable(auth):
            raise TypeError("session_required takes options: write it with parentheses, session_required()")
        check_options(**options)
        base_url, base_path = options.get("base_url"), options.get("base_path")
        self._auth = checked_auth(auth) or Auth()
        named = resolve_auth_url(base_url, base_path, {}, in_browser=False)
        self._base_path = None if base_url is None and base_path is None else named.path

    async def refusal(self, visitor: Visitor[Any], visit: Visit) -> Refusal | None:
        """Return the response for a visitor who is refused; None for one who is admitted."""
        try:
            return self._judge(await visitor.get_session(), visit)
        except NextAuthError as error:
            return _unavailable(error)

    def blocking_refusal(self, visitor: BlockingVisitor[Any], visit: Visit) -> Refusal | None:
        """As `refusal`."""
        try:
            return self._judge(visitor.get_session(), visit)
        except NextAuthError as error:
            return _unavailable(error)

    def _judge(self, session: Session | None, visit: Visit) -> Refusal | None:
        public = public_auth_url(self._base_path)
        if session is None:
            to = public.endpoint("signin", error="SessionRequired", callbackUrl=visit.address)
            return _refused(_UNAUTHORIZED, "Nobody is signed in.", to, visit)
        if self._auth.admits(session):
            return None
        to = self._auth.unauthorized or public.endpoint("error", error="AccessDenied")
        return _refused(_FORBIDDEN, "This session is not enough.", to, visit)


def _refused(status: int, message: str, to: str, visit: Visit) -> Refusal:
    if not visit.wants_page:
        return Refusal(status, message)
    return Refusal(_SEE_OTHER, message, {"Location": quote(to, _URL)})


def _unavailable(error: NextAuthError) -> Refusal:
    """If the auth server can't be reached: 503; neither admit nor redirect."""
    wait = error.retry_after if isinstance(error, ClientFetchError) else None
    headers = {} if wait is None else {"Retry-After": str(int(min(wait, _LONGEST_WAIT)))}
    return Refusal(_UNAVAILABLE, "The auth server cannot be asked.", headers)
