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
from .flight import Flight
from .neighbours import Mutation
from .state import Reason, S, SessionStore, Stamp, is_same_session
from .urls import safe_redirect

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from .fence import Fence
    from .host.base import Host
    from .models import Provider
    from .neighbours import Neighbours
    from .urls import AuthUrl
    from .wire import Request, Response, SignInResult, SignOutResult

T = TypeVar("T")
R = TypeVar("R", bound="SignInResult | SignOutResult")

# A sign-out is repeated when something else on the origin has renewed the cookie meanwhile.
_SIGN_OUT_ATTEMPTS = 3

_BAD_REQUEST = 400

# For so many seconds after a mutation, what it replaced is taken for an old answer that a JavaScript client
# has just got, and which has set the old cookie again. Nobody signs in again within a second by hand.
_WATCH = 1.0
_REPEATS = 2


class AuthClient(Generic[S]):
    """Speaks to one auth server and writes what it learns into one store.

    Args:
        host: The world around.
        auth: The server's address.
        store: Where answers go.
        session_type: The session model; a callable, so that pydantic is imported only for a session.
        timeout: Seconds before a request counts as failed.
        fence: Between this tab's mutations and the others' reads, and the other way round.
        neighbours: Those to tell.
    """

    def __init__(
        self,
        host: Host,
        auth: AuthUrl,
        store: SessionStore[S],
        *,
        session_type: Callable[[], type[S]],
        timeout: float,
        fence: Fence,
        neighbours: Neighbours,
    ) -> None:
        self.auth = auth
        self._host = host
        self._store = store
        self._session_type = session_type
        self._timeout = timeout
        self._fence = fence
        self._neighbours = neighbours
        self._turn = asyncio.Lock()
        self._flight: Flight | None = None
        self._watch: _Watch[S] | None = None
        self._awake = asyncio.Event()
        self._awake.set()

    # --- reading ---

    async def get_session(self, reason: Reason) -> S | None:
        """Ask for the session, or join a request that is under way.

        A read that a mutation made worthless ends with what the mutation left.

        Raises:
            ClientFetchError: The server could not be asked. The store keeps what it showed.
            SessionValidationError: The session does not fit the session type. Likewise.
        """
        wished = self._store.begin_read()
        while True:
            if self._fence.is_up:
                await self._fence.clear()
                if self._store.has_written_since(wished):
                    return self._store.state.data
            if self._flight is None:
                self._flight = Flight(self._read_session(reason))
            flight = self._flight
            try:
                completed = await flight.join()
            finally:
                if self._flight is flight and flight.is_over:
                    self._flight = None
            if not completed:
                await self._wait_for_turn()
            if completed or self._store.is_closed or self._store.has_written_since(wished):
                return self._store.state.data

    def abort_reads(self) -> None:
        """Cancel the read under way: its answer would be worthless, and might set an old cookie."""
        if self._flight is not None:
            self._flight.cancel()
            self._flight = None

    def pause(self) -> None:
        """Ask no more: the page is being left, and may be kept to come back to."""
        self._awake.clear()
        self.abort_reads()

    def resume(self) -> None:
        """Go on asking."""
        self._awake.set()

    def watch_for(self, replaced: S | None, again: Callable[[], Awaitable[object]]) -> None:
        """For a moment, take `replaced` for an old answer if a JavaScript tab brings it back.

        Args:
            replaced: The session before a mutation.
            again: Repeats the mutation.
        """
        now = self._host.now()
        if self._watch and self._watch.is_repeating:
            self._watch.until = now + _WATCH
        else:
            self._watch = None if replaced is None else _Watch(replaced, now + _WATCH, again)

    @property
    def is_watching(self) -> bool:
        """Whether what the last mutation replaced may yet come back."""
        return self._watch is not None and bool(self._watch.left) and self._host.now() <= self._watch.until

    async def look_again(self) -> None:
        """Ask because another client spoke; if that brought back what a mutation replaced, repeat that.

        Raises:
            NextAuthError: The request failed, or the repeated mutation.
        """
        if not self.is_watching:
            await self.get_session("broadcast")
            return
        self.abort_reads()  # so that ours is not joined to one that does not look for what came back
        await self.get_session("broadcast")
        watch = self._watch
        if watch is None or not watch.has_come_back:
            return
        watch.has_come_back = False
        watch.left -= 1
        watch.is_repeating = True
        try:
            await watch.again()
        finally:
            watch.is_repeating = False

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
            read = await self._read_alone()
        watch = self._watch if reason == "broadcast" and self.is_watching else None
        if (
            watch
            and not isinstance(read.answer, NextAuthError)
            and is_same_session(read.answer, watch.replaced)
        ):
            watch.has_come_back = True
        else:
            self._write(read, reason)

    async def _read_alone(self) -> _Read[S]:
        """Ask for the session; to be called by whoever has the turn."""
        await self._awake.wait()
        started = self._store.begin_read()
        self._neighbours.asking()
        self._store.mark_refreshing(True)
        try:
            raw = await self._ask_raw_session()
            return _Read(started, None if raw is None else self.validated(raw), raw)
        except NextAuthError as error:
            return _Read(started, error)
        finally:
            self._store.mark_refreshing(False)

    def _write(self, read: _Read[S], reason: Reason) -> None:
        is_written = self._store.apply(read.answer, started=read.started, reason=reason)
        if isinstance(read.answer, NextAuthError):
            raise read.answer
        if is_written:
            self._neighbours.confirmed(read.raw, read.started)

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
                "sign_in", lambda mutation: self._sign_in_here(attempt, mutation, redirect)
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

    async def _sign_in_here(
        self, attempt: _SignIn, mutation: Mutation, redirect: bool
    ) -> tuple[SignInResult, str]:
        result, url = await self._post_sign_in(attempt)
        mutation.is_refused = not result.ok
        # A page that is about to be left need not know, unless it is to tell others: the next page asks.
        if result.ok and (not redirect or self._neighbours.are_there):
            await self._show_new_session(mutation)
        return result, url

    async def _post_sign_in(self, attempt: _SignIn) -> tuple[SignInResult, str]:
        response, url = await self._post_form(*attempt.route, form=attempt.form, query=attempt.query)
        page = self._host.location()
        return wire.read_sign_in(self.auth, response, url, page=page, callback_url=attempt.callback), url

    async def _show_new_session(self, mutation: Mutation) -> None:
        """Show what the sign-in led to. It has succeeded, even if the session cannot be read yet."""
        try:
            raw = await self._ask_raw_session()
            answer: S | NextAuthError | None = None if raw is None else self.validated(raw)
            mutation.session = raw
        except NextAuthError as error:
            answer = error
        self._store.apply(answer, started=mutation.started, reason="sign_in")

    async def sign_out(self, *, callback_url: str | None, redirect: bool) -> SignOutResult | None:
        """Sign out and make sure of it, as `nextauth_py.sign_out` describes."""
        form = {"callbackUrl": self._checked_callback(callback_url)}
        replaced = self._store.state.data
        url = await self._mutate("sign_out", lambda mutation: self._sign_out_surely(form, mutation))
        self.watch_for(replaced, self.sign_out_again)
        return self._finish(url, wire.SignOutResult(url), redirect=redirect)

    async def sign_out_again(self) -> None:
        """Sign out and stay on this page."""
        await self.sign_out(callback_url=None, redirect=False)

    async def _sign_out_surely(self, form: Mapping[str, object], mutation: Mutation) -> str:
        """Sign out until the server shows no session.

        Where it cannot be asked, its answer to the sign-out stands, and the failure shows in the state.
        """
        for _ in range(_SIGN_OUT_ATTEMPTS):
            _response, url = await self._post_form("signout", form=form)
            self._neighbours.signing_out(mutation)
            doubt: ClientFetchError | None = None
            try:
                session = await self._ask_raw_session()
            except ClientFetchError as error:
                session, doubt = None, error
            if session is None:
                mutation.session = None
                self._store.apply(None, started=mutation.started, reason="sign_out")
                if doubt:
                    self._store.apply(doubt, started=mutation.started, reason="sign_out")
                return url
        raise SignOutIncomplete(self.auth.endpoint("signout"))

    async def update(self, data: Mapping[str, Any] | None) -> S | None:
        """Run the server's jwt callback with ``trigger: "update"``, and show what it made of the session."""
        replaced = self._store.state.data
        session = await self._mutate("update", lambda mutation: self._update(data, mutation))
        if data is not None and not is_same_session(session, replaced):
            self.watch_for(replaced, lambda: self.update(data))
        return session

    async def _update(self, data: Mapping[str, Any] | None, mutation: Mutation) -> S | None:
        request, response = await self._post_update(data)
        raw = wire.read_session(request, response)
        session = None if raw is None else self.validated(raw)
        mutation.session = raw
        self._store.apply(session, started=mutation.started, reason="update")
        return self._store.state.data

    # --- how a mutation is made ---

    async def _mutate(self, kind: Reason, act: Callable[[Mutation], Awaitable[T]]) -> T:
        """Run a mutation alone: reads, in every tab, are aborted before it and wait until it is over."""
        self.abort_reads()
        async with self._turn:
            await self._fence.clear()
            mutation = None
            try:
                with self._store.mutation() as started, self._fence.raised(started):
                    mutation = Mutation(kind, started)
                    return await self._act(mutation, act)
            finally:
                if mutation:
                    self._neighbours.mutated(mutation, self._store.epoch)

    async def _act(self, mutation: Mutation, act: Callable[[Mutation], Awaitable[T]]) -> T:
        if not (self._watch and self._watch.is_repeating):
            self._watch = None
        try:
            await self._fence.respected()
            outcome = await act(mutation)
        except NextAuthError as error:
            # Where no answer came, the server may have done it all the same.
            mutation.is_refused = not (isinstance(error, ClientFetchError) and error.status is None)
            self._store.apply(error, started=mutation.started, reason=mutation.kind)
            raise
        mutation.is_done = not mutation.is_refused
        return outcome

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


@dataclass(frozen=True, slots=True)
class _Read(Generic[S]):
    """The answer to one GET of the session, when it was asked for, and as the server sent it."""

    started: Stamp
    answer: S | NextAuthError | None
    raw: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(slots=True)
class _Watch(Generic[S]):
    """What a mutation has replaced, until when it may come back, and what to do then, how often at most."""

    replaced: S
    until: float
    again: Callable[[], Awaitable[object]]
    left: int = _REPEATS
    has_come_back: bool = False
    is_repeating: bool = False
