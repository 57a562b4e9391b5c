"""SessionProvider: ties the client, the store and the schedule to a page, and shows them to users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, get_args

from .client.engine import Engine
from .client.listeners import ignores_events
from .core.options import (
    UNSET,
    Unset,
    check_fields,
    checked_flag,
    checked_seconds,
    checked_session,
    checked_session_type,
    checked_timeout,
)
from .core.schedule import Schedule
from .core.urls import resolve_auth_url
from .host import default_host, entered_host
from .state import EventName, S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from .core.wire import SignInResult, SignOutResult
    from .host.base import Host
    from .models import Provider
    from .state import SessionEvent, SessionState

# The providers of this page that are started, the current one last. Not a ContextVar: in PyScript one
# that a script sets is unset again in event handlers and in the page's other scripts.
_started: list[SessionProvider[Any]] = []


def current_provider() -> SessionProvider[Any] | None:
    """Return the running provider that was started last, of the entered host if there is one."""
    host = entered_host()
    return next((each for each in reversed(_started) if host is None or each.host is host), None)


# Callbacks that wait for a provider of a page.
_waiting: list[tuple[Host, Callable[[], object]]] = []


def when_started(host: Host, call: Callable[[], object]) -> None:
    """Call a function once a provider of the page is running: now, or when one is started."""
    _waiting.append((host, call))
    _notify_waiting()


def _notify_waiting() -> None:
    hosts = {each.host for each in _started}
    due = [each for each in _waiting if each[0] in hosts]
    _waiting[:] = [each for each in _waiting if each not in due]
    for _, call in due:
        call()


def close_providers(host: Host) -> None:
    """Close all providers of a page."""
    for provider in [each for each in _started if each.host is host]:
        provider.close()


class SessionProvider(Generic[S]):
    """Keep a page's session: load it, share it with the other tabs, notify subscribers.

    Constructing a provider has no side effects; `start` begins.

    Args:
        session: The session if it is known already: a model or a mapping, or None for "signed out"; then
            nothing is fetched. By default the session embedded in the page, else the server is asked.
        base_path: The path of the auth routes. Defaults to the one in ``NEXTAUTH_URL`` or ``AUTH_URL``, else
            ``/api/auth``.
        base_url: The auth server, if it has another origin than the page; requests then carry its cookies.
        refetch_interval: Seconds between two polls while signed in; 0 to never poll.
        refetch_on_window_focus: Whether to refetch when the page comes into view while signed in.
        refetch_when_offline: Whether to poll while the browser is offline.
        refetch_when_hidden: Whether to poll while no tab of the origin is in view. If False, the first tab
            that comes into view refetches.
        renew_before_expiry: Seconds before a session's end in which using the page extends it; 0 for never.
        session_type: A subclass of `Session` with the fields that your server adds.
        timeout: Seconds before a request counts as failed.
        debug: Whether to explain each decision in the browser's console, and to show a component's exception
            in its place. The logger ``nextauth_py`` gets the same lines at DEBUG level.
        host: The page or worker this runs in (`host.base.Host`); None for the browser's. Tests pass another.

    Attributes:
        debug: As given.
        engine: The implementation. For other parts of this package; its names may change.

    Raises:
        TypeError: An argument is of the wrong type.
        ValueError: An argument or ``NEXTAUTH_URL`` is invalid.

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
        found = host or default_host()
        schedule = Schedule(
            checked_seconds("refetch_interval", refetch_interval),
            checked_flag("refetch_on_window_focus", refetch_on_window_focus),
            checked_flag("refetch_when_offline", refetch_when_offline),
            checked_flag("refetch_when_hidden", refetch_when_hidden),
            checked_seconds("renew_before_expiry", renew_before_expiry),
        )
        self.debug = checked_flag("debug", debug)
        self.engine: Engine[S] = Engine(
            found,
            resolve_auth_url(base_url, base_path, found.environ(), in_browser=True, page=found.location()),
            schedule,
            initial=checked_session(session),
            session_type=checked_session_type(session_type),
            timeout=checked_timeout(timeout),
            debug=self.debug,
        )
        self._is_started = False
        # One function object for the provider's life, so that it can be compared and handed around.
        self.__dict__["update"] = self.update

    def __repr__(self) -> str:
        return f"<SessionProvider {self.engine.auth.endpoint()!r} {self.state.status}>"

    # --- life ---

    @ignores_events
    def start(self) -> Self:
        """Start, and become the current provider. Starting twice does nothing.

        A running provider of this page for the same auth server is closed: a script or a notebook cell has
        run again.

        Raises:
            RuntimeError: The provider has been closed.
            SessionValidationError: The given ``session`` does not fit ``session_type``.
        """
        self._check_open()
        if not self._is_started:
            known = self.engine.known_session()
            self._is_started = True
            replaced = [each for each in _started if each.engine.is_like(self.engine)]
            _started.append(self)
            for each in replaced:
                each.close()
            self.engine.start(known)
            _notify_waiting()
        return self

    @ignores_events
    def close(self) -> None:
        """Stop for good: remove every listener, timer, channel and request. The state stays as it is.

        Calls under way return None, or the state so far. A sign-in, update or sign-out among them may or may
        not have reached the server; the other tabs refetch.
        """
        if self.engine.is_closed:
            return
        if self in _started:
            _started.remove(self)
        self.engine.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self.engine.is_closed:
            raise RuntimeError("this SessionProvider is closed. Make a new one: SessionProvider().start()")

    # --- what is known ---

    @property
    def host(self) -> Host:
        """The browser: as given, or the page that this runs in."""
        return self.engine.host

    @property
    def state(self) -> SessionState[S]:
        """The current state; never changed in place, always replaced."""
        return self.engine.state

    @property
    def session(self) -> S | None:
        """The session. Assigning one, or None, shows it at once, without a request.

        A session assigned during a sign-in, update or sign-out is shown when the call has ended.
        """
        return self.state.data

    @session.setter
    def session(self, session: S | Mapping[str, Any] | None) -> None:
        self._check_open()
        self.engine.assign(checked_session(session))

    @property
    def refetch_interval(self) -> float:
        """Seconds between two polls while signed in. Assignment takes effect at once."""
        return self.engine.schedule.interval

    @refetch_interval.setter
    def refetch_interval(self, seconds: float) -> None:
        self.engine.set_interval(checked_seconds("refetch_interval", seconds))

    @ignores_events
    async def ready(self) -> SessionState[S]:
        """Wait for the first answer. After a failure, ``error`` is set and the status is still loading."""
        self.start()
        await self.engine.settled()
        return self.state

    def subscribe(self, listener: Callable[[SessionState[S]], object]) -> Callable[[], None]:
        """Call the listener with each changed state.

        Returns:
            A function that unsubscribes the listener.
        """
        return self.engine.listeners.subscribe(listener)

    def on(self, event: EventName, handler: Callable[[SessionEvent[S]], object]) -> Callable[[], None]:
        """Call the handler when something happens to the session.

        Args:
            event: ``"signed_in"``, ``"signed_out"``, ``"updated"``, ``"expired"`` or ``"error"``. A page's
                first answer is no event. When a session ends, "expired" precedes "signed_out".
            handler: Called with a `SessionEvent`.

        Returns:
            A function that unsubscribes the handler.

        Raises:
            ValueError: There is no such event.
        """
        if event not in get_args(EventName):
            raise ValueError(f"there is no event {event!r}. There are: {', '.join(get_args(EventName))}.")
        return self.engine.listeners.on(event, handler)

    # --- the calls ---

    @ignores_events
    async def refetch(self) -> SessionState[S]:
        """Ask the server now. After a failure, the returned state has an ``error``."""
        self._check_open()
        await self.engine.refetch()
        return self.state

    @ignores_events
    async def get_session(self, *, broadcast: bool = True) -> S | None:
        """As `nextauth_py.get_session`."""
        self._check_open()
        return await self.engine.get_session(broadcast=broadcast)

    @ignores_events
    async def get_csrf_token(self) -> str | None:
        """As `nextauth_py.get_csrf_token`."""
        self._check_open()
        return await self.engine.background.run(self.engine.mutations.get_csrf_token())

    @ignores_events
    async def get_providers(self) -> dict[str, Provider]:
        """As `nextauth_py.get_providers`."""
        self._check_open()
        return await self.engine.background.run(self.engine.mutations.get_providers()) or {}

    @ignores_events
    async def update(self, data: Mapping[str, Any] | None = None) -> S | None:
        """Have the server update the session, and show the result.

        Args:
            data: JSON data that the server's jwt callback gets as ``session``, with ``trigger: "update"``.

        Returns:
            The updated session; None when signed out.

        Raises:
            ClientFetchError: The server could not be reached, or failed.
            CsrfError: The server refuses this browser's csrf token.
            SessionValidationError: The session does not fit ``session_type``.
            TypeError: A value in ``data`` is not JSON serializable. Nothing has been sent.
            ValueError: A number in ``data`` is not finite. Nothing has been sent.
        """
        self._check_open()
        return await self.engine.background.run(self.engine.mutations.update(data))

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
        check_fields(provider, fields)
        return await self.engine.background.run(
            self.engine.mutations.sign_in(
                provider,
                callback_url=callback_url,
                redirect=redirect,
                authorization_params=authorization_params or "",
                fields=fields,
            )
        )

    @ignores_events
    async def sign_out(
        self, *, callback_url: str | None = None, redirect: bool = True
    ) -> SignOutResult | None:
        """As `nextauth_py.sign_out`."""
        self._check_open()
        return await self.engine.sign_out(callback_url=callback_url, redirect=redirect)
