"""Single requests to an auth server. Order and state are up to the callers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..core import wire
from ..errors import ClientFetchError, CsrfError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..core.server_clock import ServerClock
    from ..core.urls import AuthUrl
    from ..core.wire import Request, Response
    from ..host.base import Host, Prefetched

# Seconds after which a page that was to be left has stayed: the link was a download, or the user has thought
# better of it. More than the host takes for being left, so that the next failure counts.
_STAYS = 2.0


class Transport:
    """Send requests to one auth server. Every call may raise ClientFetchError.

    Args:
        host: The page or worker this runs in.
        auth: The server's address.
        timeout: Seconds before a request counts as failed.
        clock: Is set by each answer's date.
        begins: Called before each request.

    Attributes:
        auth: As given.
        timeout: As given.
        took: Seconds that the slowest of the last few answered requests took.
    """

    def __init__(
        self,
        host: Host,
        auth: AuthUrl,
        timeout: float,
        clock: ServerClock,
        *,
        begins: Callable[[], None],
    ) -> None:
        self.auth = auth
        self.timeout = timeout
        self._host = host
        self._clock = clock
        self._begins = begins
        self.took = 0.0

    async def session(self) -> dict[str, Any] | None:
        """GET the session; None for "signed out"."""
        request = wire.read_request(self.auth, "session")
        return wire.read_session(request, await self.send(request))

    async def prefetched_session(self) -> tuple[float, dict[str, Any] | None] | None:
        """Return when the prefetch began (in seconds since the epoch) and its session; None without one."""
        prefetched = self._find_prefetched()
        if prefetched is None:
            return None
        try:
            async with asyncio.timeout(self.timeout):
                response, received = await prefetched.response()
        except OSError:
            return None
        finally:
            prefetched.drop()
        self._hear_time(response, received)
        return prefetched.started, wire.read_session(wire.read_request(self.auth, "session"), response)

    def drop_prefetched(self) -> None:
        """Abort the prefetch: its answer would be outdated, and might set an old cookie."""
        if prefetched := self._find_prefetched():
            prefetched.drop()

    def _find_prefetched(self) -> Prefetched | None:
        return self._host.find_prefetched(self.auth.endpoint())

    async def csrf_token(self) -> str | None:
        """GET the csrf token for the browser's cookie; None if the server uses none."""
        if prefetched := self._find_prefetched():
            with suppress(OSError):  # it may set a csrf cookie too, and the later one counts
                async with asyncio.timeout(self.timeout):
                    await prefetched.response()
        request = wire.read_request(self.auth, "csrf")
        return wire.read_csrf_token(request, await self.send(request))

    async def providers(self) -> dict[str, dict[str, Any]]:
        """GET the providers by id."""
        request = wire.read_request(self.auth, "providers")
        return wire.read_providers(request, await self.send(request))

    async def post_form(
        self,
        *route: str,
        form: Mapping[str, object],
        query: Mapping[str, object] | str = "",
        provider: Mapping[str, Any],
    ) -> tuple[Response, str, dict[str, list[str]]]:
        """POST with a csrf token, once more with a fresh one if it is refused.

        Args:
            route: Below the auth server's address.
            form: The fields, among them the ``callbackUrl``.
            query: Of the address.
            provider: As the server describes it; empty for a sign-out.

        Returns:
            The answer, the URL that it names, and what that says: see `wire.read_verdict`.

        Raises:
            CsrfError: The fresh one is refused too.
        """
        page, callback = self._host.location(), str(form["callbackUrl"])
        for _ in range(2):
            fields = {**form, "csrfToken": await self.csrf_token()}
            request = wire.form_request(self.auth, *route, fields=fields, query=query)
            response = await self.send(request)
            url = wire.read_redirect(request, response, page=page)
            verdict = wire.read_verdict(self.auth, url, page=page, callback_url=callback, provider=provider)
            if not wire.csrf_was_refused(url, verdict):
                return response, url, verdict
        raise CsrfError(request.url)

    async def post_update(self, data: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """Run the server's jwt callback with ``trigger: "update"``; returns the session that it made.

        Raises:
            CsrfError: The server refuses the csrf token, and a fresh one too.
        """
        for _ in range(2):
            request = wire.update_request(self.auth, await self.csrf_token(), data)
            response = await self.send(request)
            if not wire.update_was_refused(response):
                return wire.read_session(request, response)
        raise CsrfError(request.url)

    async def send(self, request: Request) -> Response:
        """Send a request, and hear the server's time."""
        self._begins()
        now = asyncio.get_running_loop().time
        began = now()
        try:
            response = await self._host.send(request, timeout=self.timeout)
        except TimeoutError:
            raise ClientFetchError(request.url, reason=f"no answer within {self.timeout:g} s") from None
        except OSError as error:
            if request.method == "GET" and isinstance(error, ConnectionAbortedError):
                await asyncio.sleep(_STAYS)
                return await self.send(request)
            reason = "the server cannot be reached, or refuses requests from this page (CORS)"
            raise ClientFetchError(request.url, reason=reason) from error
        self.took = max(now() - began, self.took / 2)
        self._hear_time(response, self._host.now())
        return response

    def _hear_time(self, response: Response, received: float) -> None:
        date = self._host.parse_date(response.headers.get("date", ""))
        if date is not None:
            self._clock.hear(date + wire.read_age(response), received)
