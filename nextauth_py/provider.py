"""SessionProvider: ties the client, the store and the schedule to a page, and shows them to users."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, Generic, cast, get_args

from .client.background import Background
from .client.guards import Guards, send_away
from .client.listeners import Listeners, ignores_events
from .client.mutations import AuthClient
from .client.reader import SessionReader
from .client.sync import TabSync
from .client.trace import Trace
from .client.transport import Transport
from .core.bounded_json import loads
from .core.options import (
    UNSET,
    Unset,
    checked_flag,
    checked_seconds,
    checked_session,
    checked_session_type,
    checked_timeout,
)
from .core.schedule import RefreshSchedule, expires_at
from .core.server_clock import ServerClock
from .core.store import SessionStore, Stamp
from .core.urls import query_of, resolve_auth_url, safe_redirect
from .errors import NextAuthError, SessionValidationError
from .host import default_host, entered_host
from .state import EventName, Reason, S

if TYPE_CHECKING:
    from typing import Self

    from .core.store import Change
    from .core.urls import AuthUrl
    from .core.wire import SignInResult, SignOutResult
    from .host.base import Host
    from .models import Provider
    from .state import SessionEvent, SessionState

# What the JavaScript clients call the options of a sign-in.
_JAVASCRIPT_NAMES = {
    **dict.fromkeys(("callbackUrl", "redirectTo", "redirect_to"), "callback_url"),
    "authorizationParams": "authorization_params",
}

# The providers of this page that are started, the current one last. Not a ContextVar: in PyScript one
# that a script sets is unset again in event handlers and in the page's other scripts.
_started: list[SessionProvider[Any]] = []


def current_provider() -> SessionProvider[Any] | None:
    """The provider that was started last and is not closed; of the host that was entered, if one was."""
    host = entered_host()
    return next((each for each in reversed(_started) if host is None or each.host is host), None)


def close_providers(host: Host) -> None:
    """Close those of a page."""
    for provider in [each for each in _started if each.host is host]:
        provider.close()


class SessionProvider(Generic[S]):
    """Keeps a page's session: loads it, shares it with the other tabs, tells who subscribes.

    Making one does nothing yet; `start` does.

    Args:
        session: The session if it is known already: a model or a mapping, or None for "signed out". Then
            nothing is fetched. If left out: the one embedded in the page, else the server is asked.
        base_path: Where the auth routes are. None: from ``NEXTAUTH_URL`` or ``AUTH_URL``, else ``/api/auth``.
        base_url: The auth server, if it is on another origin; requests then carry its cookies. The page's own
            origin is the same as none.
        refetch_interval: Seconds between two requests while signed in; 0 for none.
        refetch_on_window_focus: Whether to ask when the page comes into view while signed in.
        refetch_when_offline: Whether the interval goes on while the browser is offline.
        refetch_when_hidden: Whether the interval goes on while no tab of the origin is in view. If not, the
            first one that comes into view asks.
        renew_before_expiry: In the last so many seconds of a session, using the page extends it; 0 for never.
        session_type: A subclass of `Session` with the fields that your server adds.
        timeout: Seconds before a request counts as failed.
        debug: Whether to explain each decision in the browser's console, and to show what components raise
            in their place. The logger ``nextauth_py`` has the same lines as the console, at DEBUG level.
        host: The world around; None for the browser. Tests pass another.

    Attributes:
        debug: As given.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument, or ``NEXTAUTH_URL``, makes no sense.

    Example:
        ```python
        SessionProvider(refetch_interval=5 * 60).start()
        ```
    """

    def __init__(
        self,
        session: S | Mapping[str, Any] | Unset | None = UNSET,
        *,
        base_path: str | None = None,
        base_url: str | None = None,
        refetch_interval: float = 0,
        refetch_on_window_focus: bool = True,
        refetch_when_offline: bool = True,
        refetch_when_hidden: bool = True,
        renew_before_expiry: float = 0,
        session_type: type[S] | None = None,
        timeout: float = 10.0,
        debug: bool = False,
        host: Host | None = None,
    ) -> None:
        self._host = host or default_host()
        self._initial = checked_session(session)
        self._session_type: type[S] | None = checked_session_type(session_type)
        self._schedule = RefreshSchedule(
            checked_seconds("refetch_interval", refetch_interval),
            checked_flag("refetch_on_window_focus", refetch_on_window_focus),
            checked_flag("refetch_when_offline", refetch_when_offline),
            checked_flag("refetch_when_hidden", refetch_when_hidden),
            checked_seconds("renew_before_expiry", renew_before_expiry),
        )
        tab = self._host.unique()
        environ, page = self._host.environ(), self._host.location()
        auth = resolve_auth_url(base_url, base_path, environ, in_browser=True, page=page)
        seconds = checked_timeout(timeout)
        self.debug = checked_flag("debug", debug)
        trace = Trace(self._host, f"{auth.endpoint()} {tab[:4]}", to_console=self.debug)
        self._clock = ServerClock()
        self._store: SessionStore[S] = SessionStore(self._changed, self._host.now, tab, self._is_over)
        self._sync: TabSync[S] = TabSync(
            self._host,
            auth.endpoint(),
            tab,
            self._store,
            schedule=self._schedule,
            timeout=seconds,
            clock=self._clock,
            trace=trace,
            ask=self._refetch_soon,
            shown=self._settle,
        )
        transport = Transport(self._host, auth, seconds, self._clock)
        self._reader: SessionReader[S] = SessionReader(
            self._host,
            transport,
            self._store,
            session_type=self._session_model,
            clock=self._clock,
            fence=self._sync.fence,
            neighbours=self._sync,
            trace=trace,
        )
        self._client: AuthClient[S] = AuthClient(
            self._host,
            transport,
            self._store,
            reader=self._reader,
            fence=self._sync.fence,
            neighbours=self._sync,
            trace=trace,
        )
        self._sync.client = self._client
        self._client.ended = self._call_ended
        self._assigned: tuple[S | None, frozenset[object]] | None = None
        self._background = Background(self._host)
        self._listeners: Listeners[S] = Listeners(self._background)
        self._guards = Guards(self._background, self._go_to_sign_in)
        self._is_started = self._is_closed = False
        self._on_close: list[Callable[[], object]] = []
        self._settled = asyncio.Event()
        self._auth = auth
        self._timeout = seconds
        # One function object for the provider's life, so that it can be compared and handed around.
        self.__dict__["update"] = self.update

    def __repr__(self) -> str:
        return f"<SessionProvider {self._auth.endpoint()!r} {self.state.status}>"

    # --- life ---

    @ignores_events
    def start(self) -> Self:
        """Begin, and become the current provider. Starting again does nothing.

        One of this page for the same auth server is closed: a script or a notebook cell has run again.

        Raises:
            RuntimeError: The provider has been closed.
            SessionValidationError: The given ``session`` does not fit ``session_type``.
        """
        self._check_open()
        if not self._is_started:
            known = self._known_session()
            self._is_started = True
            replaced = [each for each in _started if each.host is self._host and each.auth == self._auth]
            _started.append(self)
            for each in replaced:
                each.close()
            self._begin(known)
        return self

    @ignores_events
    def close(self) -> None:
        """End for good: no listener, timer, channel or request is left, and the state changes no more.

        Calls under way return None, or what is known. A sign-in, update or sign-out among them may have
        reached the server or not; the other tabs ask.
        """
        if self._is_closed:
            return
        self._is_closed = True
        if self in _started:
            _started.remove(self)
        self._store.close()
        self._listeners.clear()
        self._guards.clear()
        self._reader.abort_reads("the provider is closed")
        self._background.cancel()
        self._sync.close()
        self._settled.set()
        for each in list(self._on_close):
            each()
        self._on_close.clear()

    def at_close(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call it when the provider is closed. Returns a function that takes it back."""
        self._on_close.append(call)
        return lambda: self._on_close.remove(call) if call in self._on_close else None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def _begin(self, known: S | Unset | None) -> None:
        self._sync.open()
        made = self._host.now()
        is_outdated = False
        if isinstance(self._initial, Unset):  # then what is known is as old as the page
            made = min(made, self._host.page_started())
            is_outdated = self._sync.was_announced_since(made)
        if isinstance(known, Unset) or is_outdated:
            self._refetch_soon("load")
            return
        self._store.apply(known, started=self._store.read_begun_at(made), reason="load")  # no change
        self._sync.assumed(made)
        self._settle()

    def _known_session(self) -> S | Unset | None:
        if not isinstance(self._initial, Unset):
            return self._as_session(self._initial)
        try:
            embedded = self._host.take_embedded_session()
            if embedded is None:
                return UNSET
            return self._as_session(checked_session(loads(embedded)))
        except (ValueError, TypeError, SessionValidationError) as error:
            self._host.report(
                "the session embedded in the page cannot be read; asking the server instead", error
            )
            return UNSET

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("this SessionProvider is closed. Make a new one: SessionProvider().start()")

    # --- what is known ---

    @property
    def host(self) -> Host:
        """The world around: as given, or the page that this runs in."""
        return self._host

    @property
    def auth(self) -> AuthUrl:
        """Where the auth server is."""
        return self._auth

    @property
    def state(self) -> SessionState[S]:
        """The current state; never changed in place, always replaced."""
        return self._store.state

    @property
    def is_confirmed(self) -> bool:
        """False from when the page is left until, if it is come back to, the server has answered."""
        return self._store.is_confirmed

    @ignores_events
    def require(
        self, on_unauthenticated: Callable[[], object] | None = None, *, who: Hashable = None
    ) -> None:
        """Need somebody to be signed in on this page. `use_session` and components do this for you.

        Args:
            on_unauthenticated: Called once for each sign-out, and now if nobody is signed in. By default the
                page goes to the sign-in page, and comes back after a sign-in.
            who: Needs it; a later call for the same replaces an earlier one.
        """
        self._guards.require(on_unauthenticated, who=who)
        self._look_after_guards()

    @ignores_events
    def refuse(self, url: str | None = None) -> None:
        """Leave the page: the session is not enough for it. By default for the server's "Access denied".

        Raises:
            UnsafeRedirectError: The URL is no http(s) URL.
        """
        url = self._auth.endpoint("error", error="AccessDenied") if url is None else url
        send_away(self._host, self._auth, safe_redirect(url, page=self._host.location()))

    def go(self, url: str) -> None:
        """Leave the page for another one.

        Raises:
            UnsafeRedirectError: The URL is no http(s) URL.
        """
        self._host.navigate(safe_redirect(url, page=self._host.location()))

    def report(self, message: str, error: BaseException) -> None:
        """Show a developer what went wrong, where users of the page do not see it."""
        self._host.report(message, error)

    def release(self, who: Hashable) -> None:
        """End what `require` began."""
        self._guards.release(who)

    @property
    def session(self) -> S | None:
        """The session. Assigning one, or None, shows it at once and asks nobody.

        During a sign-in, update or sign-out it is shown when that has ended; of several, the last one.
        """
        return self.state.data

    @session.setter
    def session(self, session: S | Mapping[str, Any] | None) -> None:
        self._check_open()
        self._assigned = self._as_session(checked_session(session)), self._client.calls
        self._assign()

    @property
    def refetch_interval(self) -> float:
        """Seconds between two requests while signed in. Assigning it takes effect at once."""
        return self._schedule.interval

    @refetch_interval.setter
    def refetch_interval(self, seconds: float) -> None:
        self._schedule.interval = checked_seconds("refetch_interval", seconds)
        self._sync.reschedule()

    @ignores_events
    async def ready(self) -> SessionState[S]:
        """Wait for the first answer. If it is a failure, ``error`` has it; the status is still loading."""
        self.start()
        await self._settled.wait()
        return self.state

    def subscribe(self, listener: Callable[[SessionState[S]], object]) -> Callable[[], None]:
        """Call the listener with each changed state.

        Returns:
            A function that ends it.
        """
        return self._listeners.subscribe(listener)

    def on(self, event: EventName, handler: Callable[[SessionEvent[S]], object]) -> Callable[[], None]:
        """Call the handler when something happens to the session.

        Args:
            event: ``"signed_in"``, ``"signed_out"``, ``"updated"``, ``"expired"`` or ``"error"``. The first
                answer of a page is none of them. The end of a session is "expired", then "signed_out".
            handler: Called with a `SessionEvent`.

        Returns:
            A function that ends it.

        Raises:
            ValueError: There is no such event.
        """
        if event not in get_args(EventName):
            raise ValueError(f"there is no event {event!r}. There are: {', '.join(get_args(EventName))}.")
        return self._listeners.on(event, handler)

    # --- the calls ---

    @ignores_events
    async def refetch(self) -> SessionState[S]:
        """Ask the server now. A failure is in the ``error`` of the returned state."""
        self._check_open()
        await self._refetch("refetch")
        return self.state

    @ignores_events
    async def get_session(self, *, broadcast: bool = True) -> S | None:
        """As `nextauth_py.get_session`."""
        self._check_open()
        session = await self._read("refetch")
        if broadcast and not self._is_closed:
            self._sync.announce("getSession")
        return session

    @ignores_events
    async def get_csrf_token(self) -> str | None:
        """As `nextauth_py.get_csrf_token`."""
        self._check_open()
        return await self._background.run(self._client.get_csrf_token())

    @ignores_events
    async def get_providers(self) -> dict[str, Provider]:
        """As `nextauth_py.get_providers`."""
        self._check_open()
        return await self._background.run(self._client.get_providers()) or {}

    @ignores_events
    async def update(self, data: Mapping[str, Any] | None = None) -> S | None:
        """Have the server update the session, and show it.

        Args:
            data: What the server's jwt callback gets as ``session``, with ``trigger: "update"``. JSON.

        Returns:
            The session as the server has it then; None when signed out.

        Raises:
            ClientFetchError: The server could not be asked.
            CsrfError: The server refuses this browser's csrf token.
            SessionValidationError: The session does not fit ``session_type``.
            TypeError: JSON cannot carry a value in ``data``. Nothing has been sent.
            ValueError: Nor a number that is not finite.
        """
        self._check_open()
        return await self._background.run(self._client.update(data))

    @ignores_events
    async def sign_in(
        self,
        provider: str | None = None,
        /,
        *,
        callback_url: str | None = None,
        redirect: bool = True,
        authorization_params: Mapping[str, object] | str | None = None,
        **fields: object,
    ) -> SignInResult | None:
        """As `nextauth_py.sign_in`."""
        self._check_open()
        for name in fields.keys() & _JAVASCRIPT_NAMES.keys():
            raise TypeError(f"sign_in() takes {_JAVASCRIPT_NAMES[name]}=, not {name}=")
        return await self._background.run(
            self._client.sign_in(
                provider,
                callback_url=callback_url,
                redirect=redirect,
                authorization_params=authorization_params or "",
                fields=fields,
            )
        )

    async def sign_in_by_form(self, provider: str, fields: Mapping[str, object]) -> SignInResult | None:
        """Sign in with a form's fields, and stay on the page. No name of a field is an option's.

        Args:
            provider: The id of a provider.
            fields: As the form has them; several of one name as a list. The one named ``callbackUrl`` says
                where to be afterwards, see `callback_of`.
        """
        self._check_open()
        return await self._background.run(
            self._client.sign_in(
                provider,
                callback_url=self.callback_of(fields),
                redirect=False,
                authorization_params="",
                fields=fields,
            )
        )

    def callback_of(self, fields: Mapping[str, object]) -> str | None:
        """Where a form wants to be after a sign-in: its ``callbackUrl``, else that of the page's address."""
        given = fields.get("callbackUrl")
        last = given[-1] if isinstance(given, list) else given
        return str(last) if last else query_of(self._host.location()).get("callbackUrl", [None])[0]

    @ignores_events
    async def sign_out(
        self, *, callback_url: str | None = None, redirect: bool = True
    ) -> SignOutResult | None:
        """As `nextauth_py.sign_out`."""
        self._check_open()
        result = await self._background.run(
            self._client.sign_out(callback_url=callback_url, redirect=redirect)
        )
        if redirect and not self._is_closed:
            self._background.spawn(self._stay(self._client.leaving))
        return result

    # --- asking ---

    async def _read(self, reason: Reason) -> S | None:
        try:
            return await self._reader.get_session(reason)
        finally:
            self._settle()

    async def _refetch(self, reason: Reason) -> None:
        try:
            if reason == "expiry":
                await self._reader.check_expiry()
            else:
                await self._reader.look_again(reason)
        except NextAuthError:
            pass  # it is in the state, and the listeners know
        finally:
            self._settle()

    def _refetch_soon(self, reason: Reason) -> None:
        if reason == "online":
            self._reader.abort_reads("it began before the network came back")
        self._background.spawn(self._refetch_unless_known(reason, self._store.begin_read()))

    async def _refetch_unless_known(self, reason: Reason, wished: Stamp) -> None:
        """Ask, unless the session has been assigned or changed between the wish and this task's turn."""
        if self.state.status == "loading" or self._store.is_current(wished):
            await self._refetch(reason)

    def _settle(self) -> None:
        self._settled.set()
        self._sync.reschedule()

    # --- writing and telling ---

    def _as_session(self, session: S | Mapping[str, Any] | None) -> S | None:
        if isinstance(session, Mapping):
            return self._reader.validated(session) if session else None
        return session

    def _session_model(self) -> type[S]:
        if self._session_type is None:
            from .models import Session  # noqa: PLC0415 - pydantic loads when first needed

            return cast("type[S]", Session)
        return self._session_type

    def _assign(self) -> None:
        """Show what was assigned, once the calls that were under way then have ended."""
        if self._assigned is None or self._store.is_closed or self._store.is_mutating:
            return
        session, calls = self._assigned
        if calls & self._client.calls:
            return
        self._assigned = None
        self._reader.abort_reads("a session has been assigned")
        self._store.invalidate()
        self._store.apply(session, started=self._store.begin_read(), reason="assigned")
        self._sync.assumed(self._host.now())
        self._settle()

    def _call_ended(self) -> None:
        self._assign()
        self._look_after_guards()

    async def _stay(self, leaving: frozenset[object]) -> None:
        """If the page is still there long after it should have been left, somebody has kept it."""
        await asyncio.sleep(self._timeout)
        self._client.leaving -= leaving
        self._look_after_guards()

    def _is_over(self, session: S) -> bool:
        """Whether a session has ended by the server's clock, which tells only whole seconds."""
        expires = expires_at(session)
        return expires is not None and self._host.now() + self._clock.offset > expires - 1

    def _changed(self, change: Change[S]) -> None:
        self._sync.reschedule()
        self._listeners.tell(change)
        if not self.is_confirmed:  # the page is being left: if it comes back, it is as a new one
            self._guards.reset()
            self._client.leaving = frozenset()
        self._look_after_guards()

    def _look_after_guards(self) -> None:
        if self.is_confirmed and not self._client.leaving:
            self._guards.look(self.state)

    def _go_to_sign_in(self) -> None:
        page = self._host.location()
        url = self._auth.endpoint("signin", error="SessionRequired", callbackUrl=page)
        send_away(self._host, self._auth, url)
