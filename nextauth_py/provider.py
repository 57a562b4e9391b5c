"""SessionProvider: the session client of a page, as users see it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, cast

from .client import registry
from .client.engine import Engine
from .client.listeners import ignores_events
from .core import options
from .core.options import UNSET, Unset
from .core.urls import resolve_auth_url
from .host import default_host
from .state import S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from .core.wire import SignInResult, SignOutResult
    from .host.base import Host
    from .models import Provider
    from .state import EventName, SessionEvent, SessionState, Update


def current_provider() -> SessionProvider[Any] | None:
    """Return the running provider that was started last, of the entered host if there is one."""
    return cast("SessionProvider[Any] | None", registry.current())


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
        refetch_on_window_focus: Whether to refetch when the page comes into view while signed in. With
            ``"always"`` also while signed out, for sites whose other pages sign people in and tell nobody.
        refetch_when_offline: Whether to poll while the browser is offline.
        refetch_when_hidden: Whether to poll while no tab of the origin is in view. If False, the first tab
            that comes into view refetches.
        renew_before_expiry: Seconds before a session's end in which using the page extends it; 0 for never.
        session_type: A subclass of `Session` with the fields that your server adds.
        popup_page: The address of ``session-popup.html`` on the page's origin, for ``sign_in(popup=True)``.
            Defaults to the file in the bundle's folder.
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
        refetch_on_window_focus: bool | Literal["always"] = True,
        refetch_when_offline: bool = True,
        refetch_when_hidden: bool = True,
        renew_before_expiry: float = 0,
        session_type: type[S] | None = None,
        popup_page: str | None = None,
        timeout: float = 10.0,
        debug: bool = False,
        host: Host | None = None,
    ) -> None:
        found = host or default_host()
        schedule = options.checked_schedule(
            refetch_interval=refetch_interval,
            refetch_on_window_focus=refetch_on_window_focus,
            refetch_when_offline=refetch_when_offline,
            refetch_when_hidden=refetch_when_hidden,
            renew_before_expiry=renew_before_expiry,
        )
        self.debug = options.checked_flag("debug", debug)
        self.engine: Engine[S] = Engine(
            found,
            resolve_auth_url(base_url, base_path, found.environ(), in_browser=True, page=found.location()),
            schedule,
            initial=options.checked_session(session),
            session_type=options.checked_session_type(session_type),
            popup_page=options.checked_popup_page(popup_page),
            timeout=options.checked_timeout(timeout),
            debug=self.debug,
        )

    def __repr__(self) -> str:
        return f"<SessionProvider {self.engine.auth.endpoint()!r} {self.state.status}>"

    # --- life ---

    @ignores_events
    def start(self) -> Self:
        """Start, and become the current provider. Starting twice does nothing.

        A running provider of this page for the same auth server is closed: a script or a notebook cell has
        run again. This one goes on with the session that is known, without a request.

        Raises:
            RuntimeError: The provider has been closed.
            SessionValidationError: The given ``session`` does not fit ``session_type``.
        """
        engine = self.engine.running
        if not engine.is_started:
            known = engine.known_session()
            engine.start(known, replaced=registry.add(self))
            registry.notify_waiting()
        return self

    @ignores_events
    def close(self) -> None:
        """Stop for good: remove every listener, timer, channel and request. The state stays as it is.

        Calls under way return None, or the state so far. A sign-in, update or sign-out among them may or may
        not have reached the server; the other tabs refetch.
        """
        if not self.engine.is_closed:
            registry.remove(self)
            self.engine.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        self.close()

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
        self.engine.running.assign(options.checked_session(session))

    @property
    def refetch_interval(self) -> float:
        """Seconds between two polls while signed in. Assignment takes effect at once."""
        return self.engine.schedule.interval

    @refetch_interval.setter
    def refetch_interval(self, seconds: float) -> None:
        self.engine.set_interval(options.checked_seconds("refetch_interval", seconds))

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
        return self.engine.listeners.on(event, handler)

    # --- the calls ---

    @ignores_events
    async def refetch(self) -> SessionState[S]:
        """Ask the server now. After a failure, the returned state has an ``error``."""
        await self.engine.running.refetch()
        return self.state

    @ignores_events
    async def get_session(self, *, broadcast: bool = True) -> S | None:
        """As `nextauth_py.get_session`."""
        return await self.engine.running.get_session(broadcast=broadcast)

    @ignores_events
    async def get_csrf_token(self) -> str | None:
        """As `nextauth_py.get_csrf_token`."""
        return await self.engine.running.background.run(self.engine.mutations.get_csrf_token())

    @ignores_events
    async def get_providers(self) -> dict[str, Provider]:
        """As `nextauth_py.get_providers`."""
        return await self.engine.running.background.run(self.engine.mutations.get_providers()) or {}

    @cached_property
    def update(self) -> Update[S]:
        """Have the server update the session, and show the result.

        It is one function for the provider's life, so that it can be compared and handed around.

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

        @ignores_events
        async def update(data: Mapping[str, Any] | None = None) -> S | None:
            return await self.engine.running.background.run(self.engine.mutations.update(data))

        return update

    @ignores_events
    async def sign_in(
        self,
        provider: str | None = None,
        /,
        *,
        callback_url: str | None = None,
        redirect: bool | Unset = UNSET,
        popup: bool | str = False,
        authorization_params: Mapping[str, object] | str | None = None,
        **fields: object,
    ) -> SignInResult | None:
        """As `nextauth_py.sign_in`."""
        engine = self.engine.running
        options.check_fields(provider, fields)
        in_popup, can_leave = options.checked_popup(popup, redirect)
        return await engine.sign_in(
            provider,
            callback_url=callback_url,
            in_popup=in_popup,
            can_leave=can_leave,
            authorization_params=authorization_params or "",
            fields=fields,
        )

    def remember(self, data: object) -> bool:
        """Keep data through a sign-in that leaves the page. `recall` returns it afterwards.

        It is in the tab's sessionStorage, where each script of the origin can read it.

        Args:
            data: JSON data. It replaces what was kept earlier; None forgets that.

        Returns:
            Whether it is kept. The browser may refuse storage, or the data may be too large.

        Raises:
            TypeError: A value is not JSON serializable.
            ValueError: A number is not finite, or the data contains itself.

        Example:
            ```python
            provider.remember({"draft": draft})
            await sign_in("github")
            ```
        """
        return self.engine.running.remember(data)

    def recall(self) -> Any:
        """Return the data that `remember` kept, once, on the page that the sign-in has returned to.

        That page's address has a nonce, ``nextauth_state``, which is removed. The page that called `remember`
        gets the data too if the server has refused the sign-in and leads back there with an ``error``.

        Returns:
            The data; None if there is none for this page, or it is older than a day.
        """
        return self.engine.running.recall()

    @ignores_events
    async def sign_out(
        self, *, callback_url: str | None = None, redirect: bool = True
    ) -> SignOutResult | None:
        """As `nextauth_py.sign_out`."""
        return await self.engine.running.sign_out(callback_url=callback_url, redirect=redirect)
