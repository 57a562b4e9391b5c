"""SessionProvider: ties the client, the store and the schedule to a page, and shows them to users."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_args

from .client import AuthClient
from .errors import NextAuthError, SessionValidationError
from .host import default_host
from .options import (
    UNSET,
    Unset,
    checked_flag,
    checked_seconds,
    checked_session,
    checked_session_type,
    checked_timeout,
)
from .refresh import RefreshSchedule
from .state import EventName, Reason, S, SessionStore, Stamp
from .sync import TabSync
from .urls import resolve_auth_url

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Self

    from .host.base import Host
    from .models import Provider
    from .state import Change, SessionEvent, SessionState
    from .wire import SignInResult, SignOutResult

T = TypeVar("T")


# The providers of this page that are started, the current one last. Not a ContextVar: in PyScript one
# that a script sets is unset again in event handlers and in the page's other scripts.
_started: list[SessionProvider[Any]] = []


def current_provider() -> SessionProvider[Any] | None:
    """The provider that was started last and is not closed."""
    return _started[-1] if _started else None


class SessionProvider(Generic[S]):
    """Keeps a page's session: loads it, shares it with the other tabs, tells who subscribes.

    Making one does nothing yet; `start` does.

    Args:
        session: The session if it is known already: a model or a mapping, or None for "signed out". Then
            nothing is fetched. If left out: the one embedded in the page, else the server is asked.
        base_path: Where the auth routes are. None: from ``NEXTAUTH_URL`` or ``AUTH_URL``, else ``/api/auth``.
        base_url: The auth server, if it is on another origin; requests then carry its cookies.
        refetch_interval: Seconds between two requests while signed in; 0 for none.
        refetch_on_window_focus: Whether to ask when the page comes into view while signed in.
        refetch_when_offline: Whether the interval goes on while the browser is offline.
        session_type: A subclass of `Session` with the fields that your server adds.
        timeout: Seconds before a request counts as failed.
        host: The world around; None for the browser. Tests pass another.

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
        session_type: type[S] | None = None,
        timeout: float = 10.0,
        host: Host | None = None,
    ) -> None:
        self._host = host or default_host()
        self._initial = checked_session(session)
        self._session_type: type[S] | None = checked_session_type(session_type)
        self._schedule = RefreshSchedule(
            checked_seconds("refetch_interval", refetch_interval),
            checked_flag("refetch_on_window_focus", refetch_on_window_focus),
            checked_flag("refetch_when_offline", refetch_when_offline),
        )
        tab = self._host.unique()
        self._store: SessionStore[S] = SessionStore(self._changed, self._host.now, tab)
        auth = resolve_auth_url(base_url, base_path, self._host.environ(), in_browser=True)
        seconds = checked_timeout(timeout)
        self._sync: TabSync[S] = TabSync(
            self._host,
            auth.endpoint(),
            tab,
            self._store,
            schedule=self._schedule,
            timeout=seconds,
            ask=self._refetch_soon,
            shown=self._settle,
        )
        self._client: AuthClient[S] = AuthClient(
            self._host,
            auth,
            self._store,
            session_type=self._session_model,
            timeout=seconds,
            fence=self._sync.fence,
            neighbours=self._sync,
        )
        self._sync.client = self._client
        self._listeners: list[Callable[[SessionState[S]], object]] = []
        self._handlers: list[tuple[EventName, Callable[[SessionEvent[S]], object]]] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_started = self._is_closed = False
        self._settled = asyncio.Event()
        # One function object for the provider's life, so that it can be compared and handed around.
        self.__dict__["update"] = self.update

    def __repr__(self) -> str:
        return f"<SessionProvider {self._client.auth.endpoint()!r} {self.state.status}>"

    # --- life ---

    def start(self) -> Self:
        """Begin, and become the current provider. Starting again does nothing.

        Raises:
            RuntimeError: The provider has been closed.
            SessionValidationError: The given ``session`` does not fit ``session_type``.
        """
        self._check_open()
        if not self._is_started:
            known = self._known_session()
            self._is_started = True
            _started.append(self)
            self._begin(known)
        return self

    def close(self) -> None:
        """End for good: no listener, timer, channel or request is left, and the state changes no more."""
        if self._is_closed:
            return
        self._is_closed = True
        if self in _started:
            _started.remove(self)
        self._store.close()
        self._listeners.clear()
        self._handlers.clear()
        self._client.abort_reads()
        for task in self._tasks:
            task.cancel()
        self._sync.close()
        self._settled.set()

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
        if isinstance(known, Unset):
            self._refetch_soon("load")
        else:
            self._write(known, "load")

    def _known_session(self) -> S | Unset | None:
        if not isinstance(self._initial, Unset):
            return self._as_session(self._initial)
        embedded = self._host.take_embedded_session()
        if embedded is None:
            return UNSET
        try:
            return self._as_session(checked_session(json.loads(embedded)))
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
    def state(self) -> SessionState[S]:
        """The current state; never changed in place, always replaced."""
        return self._store.state

    @property
    def session(self) -> S | None:
        """The session. Assigning one, or None, shows it at once and asks nobody."""
        return self.state.data

    @session.setter
    def session(self, session: S | Mapping[str, Any] | None) -> None:
        self._check_open()
        self._client.abort_reads()
        self._write(self._as_session(checked_session(session)), "assigned")

    @property
    def refetch_interval(self) -> float:
        """Seconds between two requests while signed in. Assigning it takes effect at once."""
        return self._schedule.interval

    @refetch_interval.setter
    def refetch_interval(self, seconds: float) -> None:
        self._schedule.interval = checked_seconds("refetch_interval", seconds)
        self._sync.reschedule()

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
        return _added(self._listeners, listener)

    def on(self, event: EventName, handler: Callable[[SessionEvent[S]], object]) -> Callable[[], None]:
        """Call the handler when something happens to the session.

        Args:
            event: ``"signed_in"``, ``"signed_out"``, ``"updated"`` or ``"error"``. The first answer that a
                page gets is none of them.
            handler: Called with a `SessionEvent`.

        Returns:
            A function that ends it.

        Raises:
            ValueError: There is no such event.
        """
        if event not in get_args(EventName):
            raise ValueError(f"there is no event {event!r}. There are: {', '.join(get_args(EventName))}.")
        return _added(self._handlers, (event, handler))

    # --- the calls ---

    async def refetch(self) -> SessionState[S]:
        """Ask the server now. A failure is in the ``error`` of the returned state."""
        self._check_open()
        await self._refetch("refetch")
        return self.state

    async def get_session(self, *, broadcast: bool = True) -> S | None:
        """As `nextauth_py.get_session`."""
        self._check_open()
        before = self.state
        session = await self._read("refetch")
        if broadcast and before.status != "loading" and session is not before.data:
            self._sync.announce("getSession")
        return session

    async def get_csrf_token(self) -> str | None:
        """As `nextauth_py.get_csrf_token`."""
        self._check_open()
        return await self._client.get_csrf_token()

    async def get_providers(self) -> dict[str, Provider]:
        """As `nextauth_py.get_providers`."""
        self._check_open()
        return await self._client.get_providers()

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
        """
        self._check_open()
        return await self._client.update(data)

    async def sign_in(
        self,
        provider: str | None = None,
        /,
        *,
        callback_url: str | None = None,
        redirect: bool = True,
        authorization_params: Mapping[str, str] | str | None = None,
        **fields: object,
    ) -> SignInResult | None:
        """As `nextauth_py.sign_in`."""
        self._check_open()
        return await self._client.sign_in(
            provider,
            callback_url=callback_url,
            redirect=redirect,
            authorization_params=authorization_params or "",
            fields=fields,
        )

    async def sign_out(
        self, *, callback_url: str | None = None, redirect: bool = True
    ) -> SignOutResult | None:
        """As `nextauth_py.sign_out`."""
        self._check_open()
        return await self._client.sign_out(callback_url=callback_url, redirect=redirect)

    # --- asking ---

    async def _read(self, reason: Reason) -> S | None:
        try:
            return await self._client.get_session(reason)
        finally:
            self._settle()

    async def _refetch(self, reason: Reason) -> None:
        try:
            if reason == "broadcast":
                await self._client.look_again()
                self._settle()
            else:
                await self._read(reason)
        except NextAuthError:
            self._settle()  # it is in the state, and the listeners know

    def _refetch_soon(self, reason: Reason) -> None:
        self._spawn(self._refetch_unless_known(reason, self._store.begin_read()))

    async def _refetch_unless_known(self, reason: Reason, wished: Stamp) -> None:
        """Ask, unless the session has been assigned or changed between the wish and this task's turn."""
        if self.state.status == "loading" or self._store.is_current(wished):
            await self._refetch(reason)

    def _settle(self) -> None:
        self._settled.set()
        self._sync.reschedule()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run in the background. The loop alone would lose the task, and print what it raises."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._background_done)

    def _background_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._host.report("a background task failed", error)

    # --- writing and telling ---

    def _as_session(self, session: S | Mapping[str, Any] | None) -> S | None:
        if isinstance(session, Mapping):
            return self._client.validated(session) if session else None
        return session

    def _session_model(self) -> type[S]:
        if self._session_type is None:
            from .models import Session  # noqa: PLC0415 - pydantic loads when first needed

            return cast("type[S]", Session)
        return self._session_type

    def _write(self, session: S | None, reason: Reason) -> None:
        self._store.invalidate()
        self._store.apply(session, started=self._store.begin_read(), reason=reason)
        self._settle()

    def _changed(self, change: Change[S]) -> None:
        self._sync.reschedule()
        for listener in list(self._listeners):
            self._tell(listener, change.state)
        event = change.event
        for name, handler in list(self._handlers):
            if event is not None and name == event.name:
                self._tell(handler, event)

    def _tell(self, listener: Callable[[T], object], news: T) -> None:
        """One listener that raises does not keep the others from hearing. It may be an async function."""
        try:
            result = listener(news)
            if inspect.iscoroutine(result):
                self._spawn(result)
        except Exception as error:
            self._host.report(f"{getattr(listener, '__name__', listener)!r} raised", error)


def _added(listeners: list[T], listener: T) -> Callable[[], None]:
    """Add a listener; returns its undo, which may be called more than once."""
    listeners.append(listener)

    def remove() -> None:
        if listener in listeners:
            listeners.remove(listener)

    return remove
