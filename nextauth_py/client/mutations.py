"""The calls to an auth server. What changes the session, a sign-in, sign-out or update, does so alone."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..core import wire
from ..core.options import UNSET, Unset
from ..core.store import Mutation, SessionStore, Stamp, is_same_session
from ..core.urls import (
    destination,
    safe_redirect,
    without_verdict,
)
from ..errors import ClientFetchError, NextAuthError, SessionValidationError, SignOutIncomplete
from ..state import Reason, S
from .driver import monotonic
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
        store: As given.
        reader: As given.
        trace: As given.
        leaving: The sign-outs that are about to navigate; guards must not navigate meanwhile.
        calls: The sign-ins, updates and sign-outs in progress.
        ended_at: When the last of them ended, by the event loop's time.
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
        self._transport = transport
        self.store = store
        self._driver = driver
        self._outbox = outbox
        self.trace = trace
        self._ended = ended
        self.watch: SignOutWatch[S] = SignOutWatch(
            host, transport.auth, store, reader=reader, driver=driver, sign_out_again=self.sign_out_again
        )
        self._told: NextAuthError | None = None  # the last failure that the state has been told of

    async def get_csrf_token(self) -> str | None:
        """A csrf token that goes with the browser's cookie; None where the server wants none."""
        async with self.reader.lock:
            return await self._transport.csrf_token()

    async def get_providers(self) -> dict[str, Provider]:
        """The ways to sign in, by id."""
        from ..models import read_providers  # noqa: PLC0415 - pydantic loads when first needed

        return read_providers(self.auth.endpoint("providers"), await self._transport.providers())

    async def sign_out(
        self, *, callback_url: str | None, redirect: bool, only_if: Callable[[], bool] = lambda: True
    ) -> SignOutResult | None:
        """Sign out and make sure of it, as `nextauth_py.sign_out` describes.

        Args:
            callback_url: As there.
            redirect: As there.
            only_if: Asked at the last moment.
        """
        self.check_can_leave(redirect=redirect)
        with self.call("sign_out") as call:
            callback = self.checked_callback(callback_url)
            form = {"callbackUrl": callback}
            replaced: S | Unset | None = None
            if redirect:
                self.leaving |= {call}

            async def act(mutation: Mutation) -> str:
                nonlocal replaced
                if not only_if():
                    raise _ObsoleteError
                state = self.store.state
                replaced = UNSET if state.status == "loading" else state.data
                return await self._sign_out_surely(form, mutation)

            try:
                url = await self.mutate("sign_out", act)
                self.watch.begin(replaced, self._transport.took)
                if redirect:
                    self.watch.hand_over(self._target(url, callback))
                return self.finish(url, wire.SignOutResult(url), callback, redirect=redirect)
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
                    self.store.apply(answer, started=mutation.started, reason="sign_out", source="mutation")
                return url
        with suppress(SessionValidationError):
            # The sign-out that this one repeats has shown that nobody is signed in.
            still = self.reader.validated(session or {})
            self.store.apply(still, started=mutation.started, reason="sign_out", source="mutation")
        raise SignOutIncomplete(self.auth.endpoint("signout"))

    async def update(self, data: Mapping[str, Any] | None) -> S | None:
        """Run the server's jwt callback with ``trigger: "update"``, and show what it made of the session."""
        data = wire.as_json(data)
        replaced = self.store.state.data
        with self.call("update"):
            session = await self.mutate("update", lambda mutation: self._update(data, mutation))
        if data is not None and not is_same_session(session, replaced):
            self.reader.expect_revival_of(replaced, lambda: self.update(data))
        return session

    async def _update(self, data: Mapping[str, Any] | None, mutation: Mutation) -> S | None:
        raw = await self._transport.post_update(data)
        session = None if raw is None else self.reader.validated(raw)
        mutation.session = raw
        if self.store.apply(session, started=mutation.started, reason="update", source="mutation"):
            return self.store.state.data
        return session  # the provider is closed

    # --- how a mutation is made ---

    @contextmanager
    def call(self, kind: Reason) -> Iterator[object]:
        """Note a call of the user's while it lasts; its failure is in the state too."""
        call = object()
        self.calls |= {call}
        try:
            yield call
        except NextAuthError as error:
            if error is not self._told:
                self._tell_failure(error, kind, self.store.begin_read())
            raise
        finally:
            self._end(call)

    @contextmanager
    def idle(self, call: object) -> Iterator[None]:
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

    async def mutate(self, kind: Reason, act: Callable[[Mutation], Awaitable[T]]) -> T:
        """Run a mutation alone: abort reads in every tab, and hold others back until it has ended."""
        self.reader.abort_reads(f"{kind} begins")
        async with self.reader.lock:
            await self._driver.wait_until_clear()
            mutation = None
            self.trace("begins: %s", kind)
            try:
                with self.store.mutation() as started, self._driver.fenced(started):
                    mutation = Mutation(kind, started)
                    return await self._act(mutation, act)
            finally:
                if mutation:
                    self._outbox.mutated(mutation, self.store.epoch, self._transport.took)

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
        self.trace("failed: %s: %s", kind, error)
        # Leaving the page is no failure; if it stays, the server is asked what has become of it.
        if not isinstance(error.__cause__, ConnectionAbortedError):
            self.store.apply(error, started=started, reason=kind, source="mutation")
        elif isinstance(error, ClientFetchError):
            self._outbox.left(error)

    def check_can_leave(self, *, redirect: bool) -> None:
        """Refuse to leave a worker.

        Raises:
            ValueError: This is a worker, and it would.
        """
        if redirect and not self.host.is_page:
            raise ValueError("a worker cannot leave its page: pass redirect=False")

    def checked_callback(self, callback_url: str | None) -> str:
        """The address to return to, as it is sent; by default the page's own.

        Raises:
            UnsafeRedirectError: It is not an http(s) URL.
        """
        page = self.host.location()
        if not callback_url:
            return without_verdict(page)
        url = safe_redirect(callback_url, page=page)
        # A server behind a proxy may go by another origin than the page's, and would refuse this one.
        is_path = callback_url.startswith("/") and not self.auth.origin
        return callback_url if is_path else url

    def finish(self, url: str, result: R, callback: str, *, redirect: bool) -> R | None:
        """Return the result, or leave the page for where the server leads.

        Raises:
            UnsafeRedirectError: That is not an http(s) URL.
        """
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
