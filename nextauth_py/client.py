"""The calls to an auth server: session, csrf token, providers, sign-in, sign-out, update.

Requests that may set a cookie take turns. Two at once, before there is a cookie, would each get a csrf
cookie of their own, and the one that answers last would make the other's token worthless.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import wire
from .errors import ClientFetchError, CsrfError, NextAuthError, SessionValidationError, SignOutIncomplete
from .state import Reason, S, SessionStore
from .urls import safe_redirect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from .host.base import Host
    from .models import Provider
    from .tabs import Trigger
    from .urls import AuthUrl
    from .wire import Request, Response, SignInResult, SignOutResult

T = TypeVar("T")
R = TypeVar("R", bound="SignInResult | SignOutResult")

# A sign-out is repeated when something else on the origin has renewed the cookie meanwhile.
_SIGN_OUT_ATTEMPTS = 3

_BAD_REQUEST = 400


class AuthClient(Generic[S]):
    """Speaks to one auth server and writes what it learns into one store.

    Args:
        host: The world around.
        auth: The server's address.
        store: Where answers go.
        session_type: The session model; a callable, so that pydantic is imported only for a session.
        timeout: Seconds before a request counts as failed.
        announce: Tells the other tabs.
    """

    def __init__(
        self,
        host: Host,
        auth: AuthUrl,
        store: SessionStore[S],
        *,
        session_type: Callable[[], type[S]],
        timeout: float,
        announce: Callable[[Trigger], None],
    ) -> None:
        self.auth = auth
        self._host = host
        self._store = store
        self._session_type = session_type
        self._timeout = timeout
        self._announce = announce
        self._turn = asyncio.Lock()
        self._flight: _Flight | None = None

    # --- reading ---

    async def get_session(self, reason: Reason) -> S | None:
        """Ask for the session, or join a request that is under way.

        A read that a mutation made worthless ends with what the mutation left.

        Raises:
            ClientFetchError: The server could not be asked. The store keeps what it showed.
            SessionValidationError: The session does not fit the session type. Likewise.
        """
        while True:
            if self._flight is None:
                self._flight = _Flight(self._read_session(reason))
            flight = self._flight
            try:
                completed = await flight.join()
            finally:
                if self._flight is flight and flight.is_over:
                    self._flight = None
            if not completed:
                await self._wait_for_turn()
            if completed or self._store.is_closed or self._store.state.status != "loading":
                return self._store.state.data

    def abort_reads(self) -> None:
        """Cancel the read under way: its answer would be worthless, and might set an old cookie."""
        if self._flight is not None:
            self._flight.cancel()
            self._flight = None

    async def get_csrf_token(self) -> str | None:
        """A csrf token that goes with the browser's cookie; None where the server wants none."""
        async with self._turn:
            return await self._read_csrf_token()

    async def get_providers(self) -> dict[str, Provider]:
        """The ways to sign in, by id."""
        from .models import Provider, read_model  # noqa: PLC0415 - pydantic loads when first needed

        found = await self._read_providers()
        try:
            return {name: read_model(Provider, raw) for name, raw in found.items()}
        except SessionValidationError as error:
            reason = f"a provider lacks a proper {' and '.join(error.fields)}"
            raise ClientFetchError(self.auth.endpoint("providers"), None, reason) from None

    async def _read_session(self, reason: Reason) -> None:
        async with self._turn:
            started = self._store.begin_read()
            self._store.mark_refreshing(True)
            try:
                answer: S | NextAuthError | None = await self._ask_session()
            except NextAuthError as error:
                answer = error
            finally:
                self._store.mark_refreshing(False)
        self._store.apply(answer, started=started, reason=reason)
        if isinstance(answer, NextAuthError):
            raise answer

    async def _ask_session(self) -> S | None:
        raw = await self._ask_raw_session()
        return None if raw is None else self.validated(raw)

    async def _ask_raw_session(self) -> dict[str, Any] | None:
        request = wire.read_request(self.auth, "session")
        return wire.read_session(request, await self._send(request))

    def validated(self, raw: Mapping[str, Any]) -> S:
        """The session as a model."""
        from .models import read_model  # noqa: PLC0415 - pydantic loads when first needed

        return read_model(self._session_type(), raw)

    async def _read_csrf_token(self) -> str | None:
        request = wire.read_request(self.auth, "csrf")
        return wire.read_csrf_token(request, await self._send(request))

    async def _read_providers(self) -> dict[str, dict[str, Any]]:
        request = wire.read_request(self.auth, "providers")
        return wire.read_providers(request, await self._send(request))

    # --- changing ---

    async def sign_in(
        self,
        provider_id: str | None,
        *,
        callback_url: str | None,
        redirect: bool,
        authorization_params: Mapping[str, str] | str,
        fields: Mapping[str, object],
    ) -> SignInResult | None:
        """Sign in, as `nextauth_py.sign_in` describes."""
        callback = self._checked_callback(callback_url)
        providers = await self._read_providers()
        provider = providers.get(provider_id or "")
        if provider_id is None or provider is None:
            return self._choose_provider(callback, redirect=redirect, any_provider=bool(providers))
        if provider.get("type") == "webauthn":
            raise ValueError(f"{provider_id!r} needs a passkey: call sign_in() for the server's page.")
        form = {**fields, "callbackUrl": callback}
        if provider.get("type") == "credentials":
            attempt = _SignIn(("callback", provider_id), form, authorization_params, callback)
            result, url = await self._mutate(
                "sign_in", lambda started: self._sign_in_here(attempt, started, redirect)
            )
        else:
            attempt = _SignIn(("signin", provider_id), form, authorization_params, callback)
            async with self._turn:  # no mutation: nothing changes before the user comes back
                result, url = await self._post_sign_in(attempt)
        return self._finish(url, result, redirect=redirect)

    def _choose_provider(self, callback: str, *, redirect: bool, any_provider: bool) -> SignInResult | None:
        """Lead to the server's own page: of its providers, or of the error that it has none."""
        path = (
            self.auth.endpoint("signin", callbackUrl=callback)
            if any_provider
            else self.auth.endpoint("error")
        )
        url = safe_redirect(path, page=self._host.location())
        return self._finish(
            url, wire.SignInResult(ok=False, status=200, error="Signin", url=url), redirect=redirect
        )

    async def _sign_in_here(self, attempt: _SignIn, started: int, redirect: bool) -> tuple[SignInResult, str]:
        result, url = await self._post_sign_in(attempt)
        if result.ok:
            if not redirect:  # else the next page asks
                await self._show_new_session(started)
            self._announce("getSession")
        return result, url

    async def _post_sign_in(self, attempt: _SignIn) -> tuple[SignInResult, str]:
        response, url = await self._post_form(*attempt.route, form=attempt.form, query=attempt.query)
        page = self._host.location()
        return wire.read_sign_in(self.auth, response, url, page=page, callback_url=attempt.callback), url

    async def _show_new_session(self, started: int) -> None:
        """Show what the sign-in led to. It has succeeded, even if the session cannot be read yet."""
        try:
            answer: S | NextAuthError | None = await self._ask_session()
        except NextAuthError as error:
            answer = error
        self._store.apply(answer, started=started, reason="sign_in")

    async def sign_out(self, *, callback_url: str | None, redirect: bool) -> SignOutResult | None:
        """Sign out and make sure of it, as `nextauth_py.sign_out` describes."""
        form = {"callbackUrl": self._checked_callback(callback_url)}
        url = await self._mutate("sign_out", lambda started: self._sign_out_surely(form, started))
        self._announce("signout")
        return self._finish(url, wire.SignOutResult(url), redirect=redirect)

    async def _sign_out_surely(self, form: Mapping[str, object], started: int) -> str:
        """Sign out until the server shows no session.

        Where it cannot be asked, its answer to the sign-out stands, and the failure shows in the state.
        """
        for _ in range(_SIGN_OUT_ATTEMPTS):
            _response, url = await self._post_form("signout", form=form)
            doubt: ClientFetchError | None = None
            try:
                session = await self._ask_raw_session()
            except ClientFetchError as error:
                session, doubt = None, error
            if session is None:
                self._store.apply(None, started=started, reason="sign_out")
                if doubt:
                    self._store.apply(doubt, started=started, reason="sign_out")
                return url
        raise SignOutIncomplete(self.auth.endpoint("signout"))

    async def update(self, data: Mapping[str, Any] | None) -> S | None:
        """Run the server's jwt callback with ``trigger: "update"``, and show what it made of the session."""
        session = await self._mutate("update", lambda started: self._update(data, started))
        self._announce("getSession")
        return session

    async def _update(self, data: Mapping[str, Any] | None, started: int) -> S | None:
        request, response = await self._post_update(data)
        raw = wire.read_session(request, response)
        session = None if raw is None else self.validated(raw)
        self._store.apply(session, started=started, reason="update")
        return self._store.state.data

    # --- how a mutation is made ---

    async def _mutate(self, reason: Reason, act: Callable[[int], Awaitable[T]]) -> T:
        """Run a mutation alone: reads are aborted before it and wait until it is over."""
        self.abort_reads()
        async with self._turn:
            with self._store.mutation() as started:
                try:
                    return await act(started)
                except NextAuthError as error:
                    self._store.apply(error, started=started, reason=reason)
                    raise

    async def _post_form(
        self, *route: str, form: Mapping[str, object], query: Mapping[str, str] | str = ""
    ) -> tuple[Response, str]:
        """POST with a csrf token, once more with a fresh one if it is refused."""
        page = self._host.location()
        for _ in range(2):
            fields = {**form, "csrfToken": await self._read_csrf_token()}
            request = wire.form_request(self.auth, *route, fields=fields, query=query)
            response = await self._send(request)
            url = wire.read_redirect(request, response, page=page)
            if not wire.csrf_was_refused(self.auth, url, page=page):
                return response, url
        raise CsrfError(request.url)

    async def _post_update(self, data: Mapping[str, Any] | None) -> tuple[Request, Response]:
        for _ in range(2):
            request = wire.update_request(self.auth, await self._read_csrf_token(), data)
            response = await self._send(request)
            if response.status != _BAD_REQUEST:  # which is how this route refuses a csrf token
                return request, response
        raise CsrfError(request.url)

    async def _send(self, request: Request) -> Response:
        try:
            return await self._host.send(request, timeout=self._timeout)
        except TimeoutError:
            raise ClientFetchError(request.url, None, f"no answer within {self._timeout:g} s") from None
        except OSError:
            reason = "the server cannot be reached, or refuses requests from this page (CORS)"
            raise ClientFetchError(request.url, None, reason) from None

    async def _wait_for_turn(self) -> None:
        async with self._turn:
            pass

    def _checked_callback(self, callback_url: str | None) -> str:
        page = self._host.location()
        return page if callback_url is None else safe_redirect(callback_url, page=page)

    def _finish(self, url: str, result: R, *, redirect: bool) -> R | None:
        page = self._host.location()
        target = safe_redirect(url, page=page)
        if not redirect:
            return result
        self._host.navigate(target)
        # Going to another place in the same page loads nothing; the new session must show all the same.
        if "#" in target and target.partition("#")[0] == page.partition("#")[0]:
            self._host.reload()
        return None


@dataclass(frozen=True, slots=True)
class _SignIn:
    """An attempt to sign in. Its form may hold a password, so it does not print it."""

    route: tuple[str, str]
    form: Mapping[str, object] = field(repr=False)
    query: Mapping[str, str] | str
    callback: str


class _Flight:
    """One read that several callers wait for; when the last of them gives up, it is cancelled."""

    def __init__(self, read: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(read)
        # A failure that nobody waited for any more must not be reported by the event loop.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._waiting = 0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or nobody waits for it."""
        return self._task.done() or not self._waiting

    def cancel(self) -> None:
        self._task.cancel()

    async def join(self) -> bool:
        """Wait. False if the read was aborted.

        Raises:
            NextAuthError: The read failed.
        """
        self._waiting += 1
        try:
            await asyncio.wait([self._task])
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                self._task.cancel()
        if self._task.cancelled():
            return False
        self._task.result()
        return True
