"""Visitors: ask the auth server which session the cookies of a request belong to."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, cast

import anyio
import httpx

from ..core import wire
from ..core.options import UNSET, Unset, checked_session_type, checked_timeout
from ..core.urls import resolve_auth_url
from ..errors import ClientFetchError, NextAuthError
from ..models import Session, read_model, read_providers
from ..state import S
from .cookies import Jar, checked_cookies, cookie_header
from .embed import Html, session_script
from .fetch import fetch, fetch_blocking
from .headers import keep_cookies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, MutableMapping
    from typing import Literal, TypeAlias, Unpack

    from ..core.urls import AuthUrl
    from ..models import Provider
    from .fetch import Answer

    Route = Literal["session", "csrf", "providers"]

T = TypeVar("T")

if TYPE_CHECKING:
    Steps: TypeAlias = Generator[Route, tuple[wire.Request, wire.Response], T]

R = TypeVar("R")
V = TypeVar("V", bound="_Visit[Any]")

# A server waits with all its visitors: less patience than a page has.
_TIMEOUT = 5.0

_HEADERS_TOO_LARGE = 431

# Where a request keeps its visitors: in the scope of ASGI, the environ of WSGI, or Django's META.
_VISITORS = "nextauth_py.visitors"


class Options(TypedDict, Generic[S], total=False):
    """Where to ask, and for what.

    Attributes:
        base_url: The auth server. By default from ``NEXTAUTH_URL_INTERNAL``, ``NEXTAUTH_URL``, ``AUTH_URL``
            or ``VERCEL_URL``.
        base_path: Where its routes are; by default as those variables say, else ``/api/auth``.
        session_type: A subclass of `Session` with the fields that your server adds.
        timeout: Seconds for the auth server's whole answer; 5 by default.
        cookies: Names of the cookies to pass on, as in `Visitor`; by default all.
        transport: What to send through, as in `Visitor`.
    """

    base_url: str | None
    base_path: str | None
    session_type: type[S] | None
    timeout: float
    cookies: Collection[str] | None
    transport: httpx.AsyncBaseTransport | httpx.BaseTransport | None


def check_options(
    *,
    base_url: str | None = None,
    base_path: str | None = None,
    session_type: type[Session] | None = None,
    timeout: float = _TIMEOUT,
    cookies: Collection[str] | None = None,
    transport: httpx.AsyncBaseTransport | httpx.BaseTransport | None = None,
) -> None:
    """Raise TypeError or ValueError for a wrong option before the first visitor comes."""
    resolve_auth_url(base_url, base_path, {}, in_browser=False)
    checked_session_type(session_type)
    checked_timeout(timeout)
    checked_cookies(cookies)
    _check_transport(transport, httpx.AsyncBaseTransport | httpx.BaseTransport)


def _check_transport(transport: object, kind: Any) -> None:
    if transport is not None and not isinstance(transport, kind):
        wanted = getattr(kind, "__name__", "BaseTransport").replace("Base", "HTTP")
        raise TypeError(f"transport takes an httpx.{wanted}, not {type(transport).__name__}")


class _Known:
    """The answers for one request, shared by all its visitors."""

    def __init__(self, jar: Jar) -> None:
        self.jar = jar
        self.session: dict[str, Any] | Unset | None = UNSET if jar else None  # no cookie, nobody
        self.asking = anyio.Lock()


class _Visit(Generic[S]):
    """A visitor's requests to the auth server, and how to read the answers. No I/O."""

    _transports: type[Any]

    def __init__(
        self,
        request: object,
        *,
        base_url: str | None = None,
        base_path: str | None = None,
        session_type: type[S] | None = None,
        timeout: float = _TIMEOUT,
        cookies: Collection[str] | None = None,
        transport: httpx.AsyncBaseTransport | httpx.BaseTransport | None = None,
    ) -> None:
        _check_transport(transport, self._transports)
        self._transport: Any = transport
        self._auth = internal_auth_url(base_url, base_path)
        self._forwarded = forwarded_headers(self._auth)
        self._session_type: Any = checked_session_type(session_type) or Session
        self._timeout = checked_timeout(timeout)
        header, names = cookie_header(request), checked_cookies(cookies)
        self._question = (self._auth, header, names, transport)
        self._known = _Known(Jar(header, names))
        self._session: S | Unset | None = UNSET

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._auth.endpoint()!r}>"

    @property
    def set_cookies(self) -> list[str]:
        """The ``Set-Cookie`` lines that the auth server has answered with, for your response."""
        return self._known.jar.lines

    def keep(self, response: R) -> R:
        """Put the cookies on your response, so that the session lasts; returns the response.

        The response is also made private, so that no shared cache gives it to another visitor: what its
        headers allow such caches is taken back, and what they say to browsers stays.

        Args:
            response: Of Starlette, FastAPI, Flask or Django.
        """
        return keep_cookies(response, self._known.jar)

    def _joined(self, others: list[_Visit[Any]]) -> _Visit[Any]:
        """Return the visitor for a request that has others: one of them, or this one with their answers."""
        for other in others:
            if other._question == self._question:  # noqa: SLF001 - of the same class
                types = {Session, other._session_type}  # noqa: SLF001
                if type(other) is type(self) and self._session_type in types:
                    return other
                self._known = other._known  # noqa: SLF001
        others.insert(0, self)
        return self

    def _request(self, route: Route) -> wire.Request:
        return replace(wire.read_request(self._auth, route), headers=self._forwarded)

    def _take(self, request: wire.Request, answer: Answer) -> tuple[wire.Request, wire.Response]:
        self._known.jar.take(answer.set_cookies)
        if answer.response.status == _HEADERS_TOO_LARGE:
            reason = "the visitor's cookies are too long for the auth server; pass on its own only: cookies=…"
            raise ClientFetchError(request.url, _HEADERS_TOO_LARGE, reason)
        return request, answer.response

    def _as_model(self) -> S | None:
        if isinstance(self._session, Unset):
            raw = cast("dict[str, Any] | None", self._known.session)
            self._session = None if raw is None else read_model(self._session_type, raw)
        return self._session

    # --- what to ask, and what the answers say: generators of routes, which get the answers ---

    def _session_steps(self) -> Steps[S | None]:
        if isinstance(self._known.session, Unset):
            request, response = yield "session"
            self._known.session = _read(wire.read_session, request, response)
        return self._as_model()

    def _csrf_steps(self) -> Steps[str | None]:
        request, response = yield "csrf"
        return _read(wire.read_csrf_token, request, response)

    def _providers_steps(self) -> Steps[dict[str, Provider]]:
        request, response = yield "providers"
        return read_providers(request.url, _read(wire.read_providers, request, response))

    def _script(self) -> Html:
        """Embed the auth server's own words: a model may rename fields, and refuses half an emoji."""
        return session_script(cast("dict[str, Any] | None", self._known.session))


def _read(
    read: Callable[[wire.Request, wire.Response], T], request: wire.Request, response: wire.Response
) -> T:
    try:
        return read(request, response)
    except RecursionError:
        raise ClientFetchError(request.url, response.status, "the answer is nested too deeply") from None


class Visitor(_Visit[S]):
    """The visitor who sent a request. Methods are async; `BlockingVisitor` has blocking ones.

    Only the request's cookies are passed on, as they came, and only to the auth server. A session that is
    asked for twice is fetched once.

    Args:
        request: Of Starlette, FastAPI, Flask, Django, or its headers.
        base_url: The auth server. By default from ``NEXTAUTH_URL_INTERNAL``, ``NEXTAUTH_URL``, ``AUTH_URL``
            or ``VERCEL_URL``.
        base_path: Where its routes are; by default as those variables say, else ``/api/auth``.
        session_type: A subclass of `Session` with the fields that your server adds.
        timeout: Seconds for the auth server's whole answer.
        cookies: Names of the cookies to pass on; by default all, because a site may name the auth server's as
            it likes. A ``*`` stands for any text. The forms of a name with ``__Secure-`` and ``__Host-`` are
            passed on too, and the chunks of a big cookie (``name.0``, …). For the default names of NextAuth
            and Auth.js there is `AUTH_COOKIES`.
        transport: What to send through, as an ``httpx.AsyncHTTPTransport`` (``httpx.HTTPTransport`` in
            blocking code) that you open and close. By default connections are kept for other visitors until
            the event loop, or the program, ends.

    Raises:
        TypeError: The request is none, or an option is of a wrong type.
        ValueError: No auth server is named, or not by a URL; or an option has a wrong value.

    Example:
        ```python
        visitor = Visitor(request)
        session = await visitor.get_session()
        return visitor.keep(HTMLResponse(page_for(session)))
        ```
    """

    _transports = httpx.AsyncBaseTransport

    async def get_session(self) -> S | None:
        """The visitor's session; None if, and only if, they are not signed in.

        Raises:
            ClientFetchError: The auth server could not be asked, or gave no proper answer.
            SessionValidationError: The session does not fit ``session_type``.
        """
        if not isinstance(self._known.session, Unset):
            return self._as_model()
        async with self._known.asking:  # calls in the meantime wait for the answer
            return await self._run(self._session_steps())

    async def session_script(self) -> Html:
        """The element that tells the page the session; see `session_script`.

        If the auth server cannot be asked, or its answer cannot be written into a page, this is empty, and
        the page's `SessionProvider` asks for itself.
        """
        try:
            await self.get_session()
        except NextAuthError:
            return Html("")
        return self._script()

    async def get_csrf_token(self) -> str | None:
        """A csrf token for a form; `keep` must put the cookie that it goes with on the form's response.

        Returns:
            The token; None where the auth server checks csrf in a way of its own.

        Raises:
            ClientFetchError: The auth server could not be asked, or gave no proper answer.
        """
        return await self._run(self._csrf_steps())

    async def get_providers(self) -> dict[str, Provider]:
        """The ways to sign in, by id.

        Raises:
            ClientFetchError: The auth server could not be asked, or gave no proper answer.
        """
        return await self._run(self._providers_steps())

    async def _run(self, steps: Steps[T]) -> T:
        try:
            route = next(steps)
            while True:
                request = self._request(route)
                answer = await fetch(request, self._known.jar.header, self._timeout, self._transport)
                route = steps.send(self._take(request, answer))
        except StopIteration as end:
            return cast("T", end.value)


class BlockingVisitor(_Visit[S]):
    """As `Visitor`, for code without async: its methods return when the answer is there."""

    _transports = httpx.BaseTransport

    def get_session(self) -> S | None:
        """As `Visitor.get_session`."""
        return self._run(self._session_steps())

    def session_script(self) -> Html:
        """As `Visitor.session_script`."""
        try:
            self.get_session()
        except NextAuthError:
            return Html("")
        return self._script()

    def get_csrf_token(self) -> str | None:
        """As `Visitor.get_csrf_token`."""
        return self._run(self._csrf_steps())

    def get_providers(self) -> dict[str, Provider]:
        """As `Visitor.get_providers`."""
        return self._run(self._providers_steps())

    def _run(self, steps: Steps[T]) -> T:
        try:
            route = next(steps)
            while True:
                request = self._request(route)
                answer = fetch_blocking(request, self._known.jar.header, self._timeout, self._transport)
                route = steps.send(self._take(request, answer))
        except StopIteration as end:
            return cast("T", end.value)


async def get_session(request: object, **options: Unpack[Options[S]]) -> S | None:
    """Return the session of the visitor who sent a request; None if signed out. See `Visitor`."""
    return await Visitor(request, **options).get_session()


async def get_csrf_token(request: object, **options: Unpack[Options]) -> str | None:
    """The csrf token of a visitor who has one: a new one is of use only with its cookie. See `Visitor`."""
    visitor: Visitor[Session] = Visitor(request, **options)
    return await visitor.get_csrf_token()


async def get_providers(request: object, **options: Unpack[Options]) -> dict[str, Provider]:
    """The ways to sign in, by id. See `Visitor`."""
    visitor: Visitor[Session] = Visitor(request, **options)
    return await visitor.get_providers()


def shared_visitor(
    kind: type[V], request: object, place: MutableMapping[str, Any], **options: Unpack[Options]
) -> V:
    """Return the request's visitor, shared by callers with the same options; others share its answers.

    Args:
        kind: `Visitor` or `BlockingVisitor`.
        request: As of `Visitor`.
        place: What belongs to this request alone.
        **options: As of `Visitor`.
    """
    return cast("V", kind(request, **options)._joined(place.setdefault(_VISITORS, [])))  # noqa: SLF001


def public_auth_url(base_path: str | None) -> AuthUrl:
    """Return the auth server's address for browsers: on ``NEXTAUTH_URL``'s origin, else the page's.

    Raises:
        ValueError: The variable is not a URL.
    """
    public = {name: value for name, value in os.environ.items() if name != "NEXTAUTH_URL_INTERNAL"}
    return resolve_auth_url(None, base_path, public, in_browser=False)


def forwarded_headers(internal: AuthUrl) -> dict[str, str]:
    """Headers that tell an auth server its public address if it is reached at an internal one.

    By it NextAuth and Auth.js choose the names of their cookies, unless their own environment names it.
    """
    public = public_auth_url(None).origin
    if not public or public == internal.origin:
        return {}
    try:
        url = httpx.URL(public)
    except httpx.InvalidURL:
        raise ValueError(f"{public!r} is not a URL; see NEXTAUTH_URL and AUTH_URL") from None
    return {"X-Forwarded-Host": url.netloc.decode(), "X-Forwarded-Proto": url.scheme}


def internal_auth_url(base_url: str | None, base_path: str | None) -> AuthUrl:
    """Return the address at which this server reaches the auth server.

    Raises:
        ValueError: The address is not set, or not a URL.
    """
    found = resolve_auth_url(base_url, base_path, os.environ, in_browser=False)
    if not found.origin:
        raise ValueError(
            "where is the auth server? Set NEXTAUTH_URL, or pass base_url='http://localhost:3000'."
        )
    return found
