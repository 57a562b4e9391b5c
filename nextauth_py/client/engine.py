"""The engine behind a `SessionProvider`: connects the parts of the client, and runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Generic, cast

from ..core.bounded_json import loads
from ..core.options import UNSET, Unset, checked_session
from ..core.schedule import Schedule, expires_at
from ..core.server_clock import ServerClock
from ..core.store import SessionStore, Stamp
from ..core.urls import STATE_PARAMETER, as_texts, callback_of, join, safe_redirect
from ..errors import ClientFetchError, NextAuthError, SessionValidationError
from ..state import Reason, S
from ..tabs.channel import TabChannel
from ..tabs.fence import Fence
from ..tabs.leader import Leader
from ..tabs.poller import Environment, Poller
from .background import Background
from .driver import Driver, monotonic
from .guards import Guards, send_away
from .inbox import Inbox
from .listeners import Listeners
from .mutations import AuthClient
from .outbox import Outbox
from .reader import SessionReader
from .sign_in import SignIns
from .trace import Trace
from .transport import Transport

if TYPE_CHECKING:
    from typing import Self

    from ..core.store import Change
    from ..core.urls import AuthUrl
    from ..core.wire import SignInResult, SignOutResult
    from ..host.base import Host
    from ..state import SessionState
    from .watch import Unfinished


class Engine(Generic[S]):
    """Load a session, keep it in step with the server and the other tabs, notify listeners.

    Args:
        host: The page or worker this runs in.
        auth: The auth server's address.
        schedule: When to poll, by the user's options.
        initial: The session if it is known. By default the one embedded in the page, else the server's.
        session_type: The session model; None for `Session`.
        popup_page: The address of session-popup.html; None for the bundle's.
        timeout: Seconds before a request counts as failed.
        debug: Whether to explain each decision in the browser's console.

    Attributes:
        host: As given.
        auth: As given.
        schedule: As given.
        debug: As given.
        listeners: Called with each change.
        mutations: What changes the session, and the other calls.
        sign_ins: Sign-ins.
        background: Runs user's calls and our own tasks, and cancels them on close.
        is_started: Whether `start` was called.
        is_closed: Whether `close` was called.
        unfinished_watch: As `SignOutWatch.unfinished`, at the time when it was closed.
    """

    def __init__(
        self,
        host: Host,
        auth: AuthUrl,
        schedule: Schedule,
        *,
        initial: S | Mapping[str, Any] | Unset | None,
        session_type: type[S] | None,
        popup_page: str | None,
        timeout: float,
        debug: bool,
    ) -> None:
        self.host = host
        self.auth = auth
        self.debug = debug
        self.schedule = schedule
        self._initial = initial
        self._session_type = session_type
        self._popup_page = popup_page
        self._timeout = timeout
        tab = host.unique()
        trace = Trace(host, f"{auth.endpoint()} {tab[:4]}", to_console=debug)
        self._clock = ServerClock()
        self._store: SessionStore[S] = SessionStore(self._applied, host.now, tab, self._is_over)
        leader = Leader(tab)
        self.channel = TabChannel(
            host, auth.endpoint(), tab, self._store, leader=leader, schedule=schedule, timeout=timeout
        )
        fence = Fence(tab, now=host.now, monotonic=monotonic)
        environment = Environment(
            now=host.now,
            monotonic=monotonic,
            offset=lambda: self._clock.offset,
            state=lambda: self._store.state,
            is_online=host.is_online,
            is_visible=host.is_visible,
            peers=lambda: self.channel.peers,
            has_javascript_peers=lambda: self.channel.has_javascript_peers,
            longest_timeout=lambda: self.channel.longest_timeout,
        )
        poller = Poller(schedule, leader, tab, timeout, environment=environment, trace=trace)
        self._driver = Driver(
            host, self.channel, fence, poller, clock=self._clock, ask=self._refetch_soon, look=self._look
        )
        self._outbox: Outbox[S] = Outbox(self._store, self._driver)
        transport = Transport(host, auth, timeout, self._clock, begins=self._driver.on_request)
        self._reader: SessionReader[S] = SessionReader(
            host,
            transport,
            self._store,
            session_type=self._session_model,
            clock=self._clock,
            driver=self._driver,
            outbox=self._outbox,
            trace=trace,
        )
        self.mutations: AuthClient[S] = AuthClient(
            host,
            transport,
            self._store,
            reader=self._reader,
            driver=self._driver,
            outbox=self._outbox,
            trace=trace,
            ended=self._call_ended,
        )
        self.sign_ins: SignIns[S] = SignIns(self.mutations, transport, self._outbox)
        self._inbox: Inbox[S] = Inbox(
            host, self._store, self._driver, self.mutations, trace=trace, ask=self._refetch_soon
        )
        self._assigned: tuple[S | None, frozenset[object]] | None = None
        self.background = Background(host)
        self.listeners: Listeners[S] = Listeners(self.background)
        self._guards = Guards(self.background, self._go_to_sign_in)
        self.is_started = False
        self.is_closed = False
        self.unfinished_watch: Unfinished[S] | None = None
        self._on_close: list[Callable[[], object]] = []
        self._settled = asyncio.Event()
        self._has_warned = False
        self._is_told = False  # by the server what is shown

    # --- life ---

    @property
    def running(self) -> Self:
        """The engine itself.

        Raises:
            RuntimeError: It has been closed.
        """
        if self.is_closed:
            raise RuntimeError("this SessionProvider is closed. Make a new one: SessionProvider().start()")
        return self

    def is_like(self, other: Engine[Any]) -> bool:
        """Whether both are of the same page and auth server."""
        return self.host is other.host and self.auth == other.auth

    def start(self, known: S | Unset | None, *, replaced: Engine[Any] | None = None) -> None:
        """Start with the session, if it is known: by `known_session`, or by the engine that is replaced."""
        self.is_started = True
        self._inbox.open()
        self._driver.open()
        made = self.host.now()
        is_outdated = is_told = False
        if isinstance(self._initial, Unset):  # then what is known is as old as the page
            made = min(made, self.host.page_started())
            if is_told := isinstance(known, Unset) and replaced is not None and replaced.is_sure_for(self):
                known, made = replaced.state.data, replaced.schedule.asked_at
                self._outbox.asking(made)
            is_outdated = self.channel.was_announced_since(made)
        if self.mutations.watch.take_over() and not isinstance(known, Unset) and known:
            known = UNSET
        if replaced:
            self.sign_ins.state_nonce = self.sign_ins.state_nonce or replaced.sign_ins.state_nonce
            if replaced.unfinished_watch:
                self.mutations.watch.resume(replaced.unfinished_watch)
        if isinstance(known, Unset) or is_outdated:
            self._refetch_soon("load")
            return
        self._store.apply(known, started=self._store.read_begun_at(made), reason="load", source="assumed")
        self._outbox.assumed(made)
        self._is_told = is_told

    def is_sure_for(self, other: Engine[Any]) -> bool:
        """Whether the server has told this state, and it is of the other's type."""
        is_settled = self._is_told and self.is_confirmed and not self._store.is_mutating
        is_idle = not self.state.refreshing and not self._driver.poller.will_ask
        return (
            is_settled and is_idle and self.state.error is None and self._session_type is other._session_type
        )

    def close(self) -> None:
        """Stop for good; see `SessionProvider.close`."""
        self.is_closed = True
        self.unfinished_watch = self.mutations.watch.unfinished
        self._store.close()
        self.listeners.clear()
        self._guards.clear()
        self._reader.abort_reads("the provider is closed")
        self.background.cancel()
        self._inbox.close()
        self._outbox.close()
        self._driver.close()
        self._settled.set()
        for each in list(self._on_close):
            each()
        self._on_close.clear()

    def known_session(self) -> S | Unset | None:
        """The session as given, or as embedded in the page.

        Raises:
            SessionValidationError: The given one does not fit the session type.
        """
        if not isinstance(self._initial, Unset):
            return self._as_session(self._initial)
        try:
            embedded = self.host.take_embedded_session()
            if embedded is None:
                return UNSET
            return self._as_session(checked_session(loads(embedded)))
        except (ValueError, TypeError, SessionValidationError) as error:
            self.host.report(
                "the session embedded in the page cannot be read; asking the server instead", error
            )
            return UNSET

    def at_close(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call a function when the provider is closed. Return a function that cancels that."""
        self._on_close.append(call)
        return lambda: self._on_close.remove(call) if call in self._on_close else None

    # --- what is known ---

    @property
    def state(self) -> SessionState[S]:
        """The current state."""
        return self._store.state

    @property
    def is_confirmed(self) -> bool:
        """False from a back/forward-cache restore until the server has answered."""
        return self._store.is_confirmed

    def require(
        self, on_unauthenticated: Callable[[], object] | None = None, *, who: Hashable = None
    ) -> None:
        """Require a session on this page, for `use_session` and components.

        Args:
            on_unauthenticated: Called once for each sign-out, and now if signed out. By default the page goes
                to the sign-in page, and returns after a sign-in.
            who: Requires it; a later call for the same object replaces an earlier one.
        """
        self._guards.require(on_unauthenticated, who=who)
        self._look_after_guards()

    def refuse(self, url: str | None = None) -> None:
        """Leave the page, because this session may not see it. Defaults to the server's "Access denied".

        Raises:
            UnsafeRedirectError: The URL is no http(s) URL.
        """
        url = self.auth.endpoint("error", error="AccessDenied") if url is None else url
        send_away(self.host, self.auth, safe_redirect(url, page=self.host.location()))

    def go(self, url: str) -> None:
        """Leave the page for another one.

        Raises:
            UnsafeRedirectError: The URL is no http(s) URL.
        """
        self.host.navigate(safe_redirect(url, page=self.host.location()))

    def report(self, message: str, error: BaseException) -> None:
        """Report an error in the browser's console."""
        self.host.report(message, error)

    def release(self, who: Hashable) -> None:
        """Undo `require`."""
        self._guards.release(who)

    async def settled(self) -> None:
        """Wait for the first answer, or failure."""
        await self._settled.wait()

    # --- the calls ---

    def assign(self, session: S | Mapping[str, Any] | None) -> None:
        """Show a session, as soon as the calls under way have ended."""
        self._assigned = self._as_session(session), self.mutations.calls
        self._assign()

    def set_interval(self, seconds: float) -> None:
        """Poll at another pace from now on."""
        self.schedule.interval = seconds
        self._driver.reschedule()

    async def refetch(self) -> None:
        """Ask the server. A failure is in the state."""
        await self._refetch("refetch")

    async def get_session(self, *, broadcast: bool) -> S | None:
        """Ask the server; tell the JavaScript tabs too if `broadcast`."""
        try:
            await self._reader.refetch_after_nudge("refetch")
        finally:
            self._settled.set()
        if broadcast and not self.is_closed:
            self._outbox.announce("getSession")
        return self.state.data

    async def sign_out(self, *, callback_url: str | None, redirect: bool) -> SignOutResult | None:
        """As `nextauth_py.sign_out`."""
        result = await self.background.run(
            self.mutations.sign_out(callback_url=callback_url, redirect=redirect)
        )
        if redirect and not self.is_closed:
            self.background.spawn(self._stay(self.mutations.leaving))
        return result

    async def sign_in(
        self,
        provider: str | None,
        *,
        callback_url: str | None,
        in_popup: bool,
        can_leave: bool,
        authorization_params: Mapping[str, object] | str,
        fields: Mapping[str, object],
    ) -> SignInResult | None:
        """As `nextauth_py.sign_in`.

        Args:
            provider: As there.
            callback_url: As there.
            in_popup: Whether to open a window for it.
            can_leave: Whether the page may be left for it, if it opens no window.
            authorization_params: As there.
            fields: As there.
        """
        fields = as_texts(fields)  # before a window opens
        if not isinstance(authorization_params, str):
            authorization_params = as_texts(authorization_params)
        if not in_popup:
            call = self.sign_ins.sign_in(
                provider,
                callback_url=callback_url,
                redirect=can_leave,
                authorization_params=authorization_params,
                fields=fields,
            )
        else:
            from .popup import sign_in_in_popup  # noqa: PLC0415 - few pages need it

            call = sign_in_in_popup(
                self.sign_ins,
                provider,
                page=self._popup_page,
                or_redirect=can_leave,
                callback_url=callback_url,
                authorization_params=authorization_params,
                fields=fields,
            )
        return await self.background.run(call)

    async def sign_in_by_form(
        self,
        provider: str,
        fields: Mapping[str, object],
        *,
        in_popup: bool = False,
        can_leave: bool = False,
        authorization_params: str = "",
    ) -> SignInResult | None:
        """Sign in with a form's fields. No name of a field is an option's.

        Args:
            provider: The id of a provider.
            fields: As the form has them; several of one name as a list. The one named ``callbackUrl`` says
                where to be afterwards, see `core.urls.callback_of`.
            in_popup: As for `sign_in`.
            can_leave: As for `sign_in`.
            authorization_params: For an OAuth provider, as a query.
        """
        return await self.sign_in(
            provider,
            callback_url=callback_of(fields, self.host.location()),
            in_popup=in_popup,
            can_leave=can_leave,
            authorization_params=authorization_params,
            fields=fields,
        )

    # --- what the page remembers ---

    def remember(self, data: object) -> bool:
        """As `SessionProvider.remember`."""
        from .remember import remember  # noqa: PLC0415 - few pages need it

        self.sign_ins.state_nonce = remember(self.host, self.auth, data)
        return bool(self.sign_ins.state_nonce)

    def recall(self) -> Any:
        """As `SessionProvider.recall`."""
        page = self.host.location()
        if STATE_PARAMETER not in page and "error=" not in page:
            return None
        from .remember import recall  # noqa: PLC0415 - few pages need it

        return recall(self.host, self.auth)

    # --- asking ---

    async def _refetch(self, reason: Reason) -> None:
        try:
            if reason == "expiry":
                await self._reader.check_expiry()
                self._driver.reschedule()  # perhaps by another time of the server's
            else:
                await self._reader.refetch_after_nudge(reason)
        except NextAuthError:
            pass  # it is in the state, and the listeners know
        finally:
            self._settled.set()

    def _refetch_soon(self, reason: Reason) -> None:
        if reason == "online":
            self._reader.abort_reads("it began before the network came back")
        self.background.spawn(self._refetch_unless_known(reason, self._store.begin_read()))

    def _look(self) -> None:
        """Ask whether a session is back after a sign-out, unless somebody has signed in meanwhile."""
        if self._reader.suspect():
            self._refetch_soon("broadcast")

    async def _refetch_unless_known(self, reason: Reason, requested_at: Stamp) -> None:
        """Refetch, unless the session was assigned or changed after the request was scheduled."""
        if self.state.status == "loading" or self._store.is_current(requested_at):
            await self._refetch(reason)

    # --- writing and telling ---

    def _as_session(self, session: S | Mapping[str, Any] | None) -> S | None:
        if isinstance(session, Mapping):
            return self._reader.validated(session) if session else None
        return session

    def _session_model(self) -> type[S]:
        if self._session_type is None:
            from ..models import Session  # noqa: PLC0415 - pydantic loads when first needed

            return cast("type[S]", Session)
        return self._session_type

    def _assign(self) -> None:
        """Show the assigned session, once the calls that were in progress then have ended."""
        if self._assigned is None or self._store.is_closed or self._store.is_mutating:
            return
        session, calls = self._assigned
        if calls & self.mutations.calls:
            return
        self._assigned = None
        self._reader.abort_reads("a session has been assigned")
        self._reader.revival.end()
        self._store.invalidate()
        self._store.apply(session, started=self._store.begin_read(), reason="assigned", source="assumed")
        self._outbox.assumed(self.host.now())

    def _call_ended(self) -> None:
        self._assign()
        self._look_after_guards()

    async def _stay(self, leaving: frozenset[object]) -> None:
        """Let guards navigate again if the page is still there long after it should have been left."""
        await asyncio.sleep(self._timeout)
        self.mutations.leaving -= leaving
        self._look_after_guards()

    def _is_over(self, session: S) -> bool:
        """Whether a session has ended by the server's clock, which has a resolution of one second."""
        expires = expires_at(session)
        return expires is not None and self.host.now() + self._clock.offset > expires - 1

    def _applied(self, change: Change[S]) -> None:
        """Pass on what the store has done: to the schedule and the other tabs, the listeners, the guards."""
        if change.source:
            self._outbox.applied(change)
            self._is_told = change.source != "assumed"
            if change.source != "read":  # which may have more to say, and is waited for
                self._settled.set()
        if not change.is_new:
            return
        if self.state.status == "loading" and change.source != "mutation":
            self._warn(change.answer)
        self.listeners.notify(change)
        if not self.is_confirmed:  # the page is being left: if it comes back, it is as a new one
            self._guards.reset()
            self.mutations.leaving = frozenset()
        self._look_after_guards()

    def _warn(self, error: object) -> None:
        """Warn a developer once, even without `debug`: the page will show for good that it is loading."""
        if self._has_warned or not isinstance(error, NextAuthError):
            return
        if isinstance(error, ClientFetchError):
            if not error.is_lasting:
                return
            page = self.host.location()
            error = f"{join(page, error.url)}: {error.reason}"
        self._has_warned = True
        self.host.warn(f"the session cannot be loaded. {error}")

    def _look_after_guards(self) -> None:
        if self.is_confirmed and not self.mutations.leaving:
            self._guards.check(self.state)

    def _go_to_sign_in(self) -> None:
        page = self.host.location()
        callback = self.sign_ins.with_state(page)
        url = self.auth.endpoint("signin", error="SessionRequired", callbackUrl=callback)
        send_away(self.host, self.auth, url)
