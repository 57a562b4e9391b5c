"""The calls to an auth server. What changes the session, a sign-in, sign-out or update, does so alone."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..core import wire
from ..core.options import UNSET, Unset
from ..core.store import Mutation, SessionStore, Stamp, is_same_session, is_same_user
from ..core.urls import (
    STATE_PARAMETER,
    as_texts,
    destination,
    join,
    origin_of,
    safe_redirect,
    with_parameter,
    without_verdict,
)
from ..errors import ClientFetchError, NextAuthError, SessionValidationError, SignOutIncomplete
from ..state import Reason, S
from .driver import monotonic
from .guards import is_acting, send_away
from .watch import SignOutWatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from ..core.wire import SignInResult, SignOutResult
    from ..host.base import Host
    from ..models import Provider
    from .driver import Driver
    from .outbox import Outbox
    from .reader import SessionReader
    from .trace import Trace
    from .transport import Transport

T = TypeVar("T")
R = TypeVar("R", bound="SignInResult | SignOutResult")

# A sign-out is repeated when something else on the origin has renewed the cookie meanwhile.
_SIGN_OUT_ATTEMPTS = 3

# Types of providers whose POST signs in. With the others, nothing changes before the visitor comes back.
_SIGN_IN_HERE = {"credentials", "webauthn"}


class _ObsoleteError(Exception):
    """A repetition is no longer wanted."""


class AuthClient(Generic[S]):
    """Speaks to one auth server, and writes what comes of it into one store.

    Args:
        host: The page or worker this runs in.
        transport: Makes the requests.
        store: Where answers go.
        reader: Reads the session; its reads and our mutations take turns.
        driver: Keeps our mutations and the others' reads apart.
        outbox: Tells the other tabs.
        ended: Called when a sign-in, update or sign-out has ended.
        trace: Logs decisions.

    Attributes:
        host: As given.
        auth: The auth server's address.
        reader: As given.
        leaving: The sign-outs that are about to navigate; guards must not navigate meanwhile.
        calls: The sign-ins, updates and sign-outs in progress.
        ended_at: When the last of them ended, by the event loop's time.
        state_nonce: Is to be in the address that a sign-in returns to, if the page has something to remember.
        watch: Looks whether a session comes back after a sign-out.
    """

    def __init__(
        self,
        host: Host,
        transport: Transport,
        store: SessionStore[S],
        *,
        reader: SessionReader[S],
        driver: Driver,
        outbox: Outbox[S],
        trace: Trace,
        ended: Callable[[], None],
    ) -> None:
        self.host = host
        self.auth = transport.auth
        self.reader = reader
        self.leaving: frozenset[object] = frozenset()
        self.calls: frozenset[object] = frozenset()
        self.ended_at = 0.0
        self.state_nonce = ""
        self._transport = transport
        self._store = store
        self._driver = driver
        self._outbox = outbox
        self._trace = trace
        self._ended = ended
        self.watch: SignOutWatch[S] = SignOutWatch(
            host, transport.auth, store, reader=reader, driver=driver, sign_out_again=self.sign_out_again
        )
        self._told: NextAuthError | None = None  # the last failure that the state has been told of

    @property
    def session(self) -> S | None:
        """The session that is shown."""
        return self._store.state.data

    async def get_csrf_token(self) -> str | None:
        """A csrf token that goes with the browser's cookie; None where the server wants none."""
        async with self.reader.lock:
            return await self._transport.csrf_token()

    async def get_providers(self) -> dict[str, Provider]:
        """The ways to sign in, by id."""
        from ..models import read_providers  # noqa: PLC0415 - pydantic loads when first needed

        return read_providers(self.auth.endpoint("providers"), await self._transport.providers())

    async def sign_in(
        self,
        provider_id: str | None,
        *,
        callback_url: str | None,
        redirect: bool,
        authorization_params: Mapping[str, object] | str,
        fields: Mapping[str, object],
    ) -> SignInResult | None:
        """Sign in, as `nextauth_py.sign_in` describes."""
        self._check_can_leave(redirect=redirect)
        with self._call("sign_in") as call:
            callback = self._checked_callback(callback_url)
            if redirect:
                callback = self.with_state(callback)
            providers = await self._transport.providers()
            provider = providers.get(provider_id or "")
            if provider_id is None or provider is None:
                return self._choose_provider(callback, redirect=redirect, any_provider=bool(providers))
            result, url = await self._run_attempt(
                provider_id, provider, fields, callback, authorization_params, call=call, redirect=redirect
            )
            if not url:
                return result
            return self._finish(url, result, callback, redirect=redirect)

    async def start_sign_in(
        self,
        provider_id: str | None,
        *,
        callback_url: str | None,
        landing: str,
        authorization_params: Mapping[str, object] | str,
        fields: Mapping[str, object],
    ) -> str | SignInResult:
        """Return the URL that a sign-in in another window goes on at; or the result, if it needs no window.

        Args:
            provider_id: As for `sign_in`.
            callback_url: As for `sign_in`, for a sign-in that needs no window.
            landing: Where the window is to be afterwards.
            authorization_params: As for `sign_in`.
            fields: As for `sign_in`.
        """
        with self._call("sign_in") as call:
            providers = await self._transport.providers()
            provider = providers.get(provider_id or "")
            if provider_id is None or provider is None:
                return self._sign_in_page(landing, any_provider=bool(providers))
            kind = provider.get("type")
            if kind == "webauthn":
                raise ValueError("a passkey needs no window: leave out popup=")
            is_elsewhere = kind in wire.ELSEWHERE
            result, url = await self._run_attempt(
                provider_id,
                provider,
                fields,
                landing if is_elsewhere else self._checked_callback(callback_url),
                authorization_params,
                call=call,
                redirect=False,
            )
            return safe_redirect(url, page=self.host.location()) if is_elsewhere and result.ok else result

    async def find_new_session(self, before: S | None) -> bool:
        """After a sign-in elsewhere, ask for the session and tell all tabs. Return whether there is one.

        Args:
            before: A session whose user does not count.

        Raises:
            ClientFetchError: The server could not be reached, or failed.
        """

        async def find(mutation: Mutation) -> bool:
            answer = await self._show_new_session(mutation)
            if isinstance(answer, NextAuthError):
                raise answer
            is_new = answer is not None and not (before and is_same_user(answer, before))
            mutation.is_refused = not is_new
            return is_new

        with self._call("sign_in"):
            return await self._mutate("sign_in", find)

    async def _run_attempt(
        self,
        provider_id: str,
        provider: Mapping[str, Any],
        fields: Mapping[str, object],
        callback: str,
        query: Mapping[str, object] | str,
        *,
        call: object,
        redirect: bool,
    ) -> tuple[SignInResult, str]:
        """Return the result, and where the server leads; nowhere, if only the browser has refused."""
        kind, form = provider.get("type"), fields
        if kind == "webauthn":
            from .passkeys import Ceremony  # noqa: PLC0415 - few sites have them

            ceremony = Ceremony(
                self.host,
                self.auth,
                provider_id,
                provider,
                callback,
                send=self._send_alone,
                idle=lambda: self._idle(call),
                trace=self._trace,
            )
            answer = await ceremony.run(as_texts(fields))
            if isinstance(answer, wire.SignInResult):
                return answer, ""
            form = answer
        route = "callback" if kind in _SIGN_IN_HERE else "signin", provider_id
        attempt = _SignIn(route, {**form, "callbackUrl": callback}, query, provider)
        if kind in _SIGN_IN_HERE:
            return await self._mutate(
                "sign_in", lambda mutation: self._sign_in_here(attempt, mutation, redirect)
            )
        async with self.reader.lock:  # no mutation: nothing changes before the user comes back
            return await self._post_sign_in(attempt)

    def _choose_provider(self, callback: str, *, redirect: bool, any_provider: bool) -> SignInResult | None:
        """Go to the server's sign-in page, or to its error page if it has no providers."""
        url = self._sign_in_page(callback, any_provider=any_provider)
        if redirect and is_acting():
            send_away(self.host, self.auth, url)
            return None
        return self._finish(
            url, wire.SignInResult(ok=False, status=200, error="Signin", url=url), callback, redirect=redirect
        )

    def _sign_in_page(self, callback: str, *, any_provider: bool) -> str:
        told = {"callbackUrl": callback} if any_provider else {}
        path = self.auth.endpoint("signin" if any_provider else "error", **told)
        return safe_redirect(path, page=self.host.location())

    async def _sign_in_here(
        self, attempt: _SignIn, mutation: Mutation, redirect: bool
    ) -> tuple[SignInResult, str]:
        result, url = await self._post_sign_in(attempt)
        mutation.is_refused = not result.ok
        # A page that is about to be left need not know, unless it is to tell others: the next page asks.
        if result.ok and (not redirect or self._outbox.has_peers):
            await self._show_new_session(mutation)
        return result, url

    async def _send_alone(self, request: wire.Request) -> wire.Response:
        async with self.reader.lock:
            return await self._transport.send(request)

    async def _post_sign_in(self, attempt: _SignIn) -> tuple[SignInResult, str]:
        response, url, verdict = await self._transport.post_form(
            *attempt.route, form=attempt.form, query=attempt.query, provider=attempt.provider
        )
        return wire.read_sign_in(response, url, verdict), url

    async def _show_new_session(self, mutation: Mutation) -> S | NextAuthError | None:
        """Show the new session, and return it. The sign-in has succeeded, even if it cannot be read yet."""
        try:
            raw = await self._transport.session()
            answer: S | NextAuthError | None = None if raw is None else self.reader.validated(raw)
            mutation.session = raw
        except NextAuthError as error:
            answer = error
        self._store.apply(answer, started=mutation.started, reason="sign_in", source="mutation")
        return answer

    async def sign_out(
        self, *, callback_url: str | None, redirect: bool, only_if: Callable[[], bool] = lambda: True
    ) -> SignOutResult | None:
        """Sign out and make sure of it, as `nextauth_py.sign_out` describes.

        Args:
            callback_url: As there.
            redirect: As there.
            only_if: Asked at the last moment.
        """
        self._check_can_leave(redirect=redirect)
        with self._call("sign_out") as call:
            callback = self._checked_callback(callback_url)
            form = {"callbackUrl": callback}
            replaced: S | Unset | None = None
            if redirect:
                self.leaving |= {call}

            async def act(mutation: Mutation) -> str:
                nonlocal replaced
                if not only_if():
                    raise _ObsoleteError
                state = self._store.state
                replaced = UNSET if state.status == "loading" else state.data
                return await self._sign_out_surely(form, mutation)

            try:
                url = await self._mutate("sign_out", act)
                self.watch.begin(replaced, self._transport.took)
                if redirect:
                    self.watch.hand_over(self._target(url, callback))
                return self._finish(url, wire.SignOutResult(url), callback, redirect=redirect)
            except BaseException:
                self.leaving -= {call}
                raise

    async def sign_out_again(self) -> None:
        """Sign out and stay on this page, unless somebody signs in before it comes to that."""
        with suppress(_ObsoleteError):
            await self.sign_out(
                callback_url=None, redirect=False, only_if=lambda: self.reader.revival.is_repeating
            )

    async def _sign_out_surely(self, form: Mapping[str, object], mutation: Mutation) -> str:
        """Sign out until the server returns no session.

        If the check fails, the answer to the sign-out stands, and the state has the error.
        """
        session: dict[str, Any] | None = None
        for _ in range(_SIGN_OUT_ATTEMPTS):
            _, url, _ = await self._transport.post_form("signout", form=form, provider={})
            self._outbox.signing_out(mutation)
            doubt: ClientFetchError | None = None
            try:
                session = await self._transport.session()
            except ClientFetchError as error:
                session, doubt = None, error
            if session is None:
                mutation.session = None
                for answer in (None, doubt) if doubt else (None,):
                    self._store.apply(answer, started=mutation.started, reason="sign_out", source="mutation")
                return url
        with suppress(SessionValidationError):
            # The sign-out that this one repeats has shown that nobody is signed in.
            still = self.reader.validated(session or {})
            self._store.apply(still, started=mutation.started, reason="sign_out", source="mutation")
        raise SignOutIncomplete(self.auth.endpoint("signout"))

    async def update(self, data: Mapping[str, Any] | None) -> S | None:
        """Run the server's jwt callback with ``trigger: "update"``, and show what it made of the session."""
        data = wire.as_json(data)
        replaced = self._store.state.data
        with self._call("update"):
            session = await self._mutate("update", lambda mutation: self._update(data, mutation))
        if data is not None and not is_same_session(session, replaced):
            self.reader.expect_revival_of(replaced, lambda: self.update(data))
        return session

    async def _update(self, data: Mapping[str, Any] | None, mutation: Mutation) -> S | None:
        raw = await self._transport.post_update(data)
        session = None if raw is None else self.reader.validated(raw)
        mutation.session = raw
        if self._store.apply(session, started=mutation.started, reason="update", source="mutation"):
            return self._store.state.data
        return session  # the provider is closed

    # --- how a mutation is made ---

    @contextmanager
    def _call(self, kind: Reason) -> Iterator[object]:
        call = object()
        self.calls |= {call}
        try:
            yield call
        except NextAuthError as error:
            if error is not self._told:
                self._tell_failure(error, kind, self._store.begin_read())
            raise
        finally:
            self._end(call)

    @contextmanager
    def _idle(self, call: object) -> Iterator[None]:
        """Let everything else go on while a visitor decides: that may take minutes."""
        self._end(call)
        try:
            yield
        finally:
            self.calls |= {call}

    def _end(self, call: object) -> None:
        self.calls -= {call}
        self.ended_at = monotonic()
        self._ended()

    async def _mutate(self, kind: Reason, act: Callable[[Mutation], Awaitable[T]]) -> T:
        """Run a mutation alone: abort reads in every tab, and hold others back until it has ended."""
        self.reader.abort_reads(f"{kind} begins")
        async with self.reader.lock:
            await self._driver.wait_until_clear()
            mutation = None
            self._trace("begins: %s", kind)
            try:
                with self._store.mutation() as started, self._driver.fenced(started):
                    mutation = Mutation(kind, started)
                    return await self._act(mutation, act)
            finally:
                if mutation:
                    self._outbox.mutated(mutation, self._store.epoch, self._transport.took)

    async def _act(self, mutation: Mutation, act: Callable[[Mutation], Awaitable[T]]) -> T:
        try:
            await self._driver.wait_for_acks()
            outcome = await act(mutation)
        except NextAuthError as error:
            # Where no answer came, the server may have done it all the same.
            mutation.is_refused = not (isinstance(error, ClientFetchError) and error.status is None)
            self._tell_failure(error, mutation.kind, mutation.started)
            raise
        mutation.is_done = not mutation.is_refused
        if mutation.is_done and mutation.kind == "sign_in":
            self.reader.revival.end()
        return outcome

    def _tell_failure(self, error: NextAuthError, kind: Reason, started: Stamp) -> None:
        self._told = error
        self._trace("failed: %s: %s", kind, error)
        # Leaving the page is no failure; if it stays, the server is asked what has become of it.
        if not isinstance(error.__cause__, ConnectionAbortedError):
            self._store.apply(error, started=started, reason=kind, source="mutation")
        elif isinstance(error, ClientFetchError):
            self._outbox.left(error)

    def _check_can_leave(self, *, redirect: bool) -> None:
        if redirect and not self.host.is_page:
            raise ValueError("a worker cannot leave its page: pass redirect=False")

    def _checked_callback(self, callback_url: str | None) -> str:
        page = self.host.location()
        if not callback_url:
            return without_verdict(page)
        url = safe_redirect(callback_url, page=page)
        # A server behind a proxy may go by another origin than the page's, and would refuse this one.
        is_path = callback_url.startswith("/") and not self.auth.origin
        return callback_url if is_path else url

    def with_state(self, callback: str) -> str:
        """The address that a sign-in returns to, for a page that has something to remember."""
        page = self.host.location()
        is_own = self.state_nonce and origin_of(join(page, callback)) == origin_of(page)
        return with_parameter(callback, STATE_PARAMETER, self.state_nonce) if is_own else callback

    def _finish(self, url: str, result: R, callback: str, *, redirect: bool) -> R | None:
        page, target = self.host.location(), self._target(url, callback)
        if not redirect:
            return result
        self.host.navigate(target)
        # Going to another place in the same page loads nothing; the new session must show all the same.
        if "#" in target and target.partition("#")[0] == page.partition("#")[0]:
            self.host.reload()
        return None

    def _target(self, url: str, callback: str) -> str:
        page = self.host.location()
        return destination(safe_redirect(url, page=page), callback, page)


@dataclass(eq=False, repr=False)
class _SignIn:
    """An attempt to sign in. Its form may hold a password, so it does not print it."""

    route: tuple[str, str]
    form: Mapping[str, object]
    query: Mapping[str, object] | str
    provider: Mapping[str, Any]
