"""use_session: a live view of the current provider's session."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, Protocol

from ..client.listeners import ignores_events
from ..errors import ProviderMissingError
from ..provider import current_provider
from ..state import S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..errors import NextAuthError
    from ..provider import SessionProvider
    from ..state import SessionState, Status, Update


class Reader(Protocol):
    """A component that renders, and follows the sessions it reads."""

    def reads(self, provider: SessionProvider[Any]) -> None:
        """A provider's session is read."""

    def requires(
        self, provider: SessionProvider[Any], on_unauthenticated: Callable[[], object] | None
    ) -> None:
        """A provider's session is needed."""


# The components that are rendering, the innermost last.
_readers: list[Reader] = []


def current_reader() -> Reader | None:
    """Return the innermost component that is rendering."""
    return _readers[-1] if _readers else None


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Tell `reader` of each provider whose session is read inside the block."""
    _readers.append(reader)
    try:
        yield
    finally:
        _readers.pop()


class SessionHandle(Generic[S]):
    """A live view: its attributes always show the present. Unpacks as ``data, status, update``."""

    def __init__(self, provider: SessionProvider[S], *, required: bool = False) -> None:
        self._provider = provider
        self._required = required

    def __repr__(self) -> str:
        return f"<SessionHandle {self.status}>"

    def __iter__(self) -> Iterator[Any]:
        return iter((self.data, self.status, self.update))

    @property
    def _state(self) -> SessionState[S]:
        """The state; a component that is rendering follows it, wherever the handle was made."""
        if reader := current_reader():
            reader.reads(self._provider)
        return self._provider.state

    @property
    def data(self) -> S | None:
        """The session; None unless authenticated."""
        return self._state.data if self.status == "authenticated" else None

    @property
    def status(self) -> Status:
        """``"loading"``, ``"authenticated"`` or ``"unauthenticated"``; if required, one of the first two."""
        status = self._state.status
        if self._required and (status == "unauthenticated" or not self._provider.engine.is_confirmed):
            return "loading"
        return status

    @property
    def error(self) -> NextAuthError | None:
        """The last failure, until a request succeeds."""
        return self._state.error

    @property
    def stale(self) -> bool:
        """Whether the last attempt to confirm the session failed."""
        return self._state.stale

    @property
    def update(self) -> Update[S]:
        """As `SessionProvider.update`; the same function as long as the provider lives."""
        return self._provider.update

    def bind(
        self,
        target: object,
        *,
        text: str | Callable[[S], object] | None = None,
        attr: Mapping[str, str | Callable[[S], object]] | None = None,
        show: str | bool | Callable[[S], object] | None = None,
        class_: Mapping[str, str | bool | Callable[[S], object]] | None = None,
    ) -> Callable[[], None]:
        """Have an element of the page follow the session, without a component.

        Functions get the session and are not called while there is none: then the element is empty, hidden,
        or without the attribute or the class. Instead of a function, a path like ``"user.name"`` will do.

        Args:
            target: A CSS selector, a DOM element or a `pyscript.web` element.
            text: What the element says. Always text, never HTML.
            attr: Attributes by name. Of links and images, only relative and http(s) URLs are set.
            show: When the element is shown: also a status, as ``"unauthenticated"``, or True for any session.
            class_: Classes by name, and when the element has them; as `show`.

        Returns:
            A function that ends it.

        Raises:
            LookupError: Nothing on the page matches the selector.
            ValueError: A path or an attribute makes no sense.

        Example:
            ```python
            session.bind("#name", text=lambda s: s.user.name)
            session.bind("#picture", attr={"src": "user.image"}, show=True)
            ```
        """
        from .bind import bind  # noqa: PLC0415 - not every page needs them

        element = self._provider.host.find_element(target)
        return bind(self._provider, element, text=text, attr=attr, show=show, class_=class_)

    @property
    def changed(self) -> Any:
        """A `pyscript.Event` that is triggered with each changed state: ``@when(session.changed)`` works."""
        from ..adapters.pyscript import changed_event  # noqa: PLC0415 - only in a browser

        return changed_event(self._provider)

    @ignores_events
    def refuse(self, url: str | None = None) -> None:
        """Leave the page, because this session is not enough for it.

        Args:
            url: Where to; by default the server's page that says that access is denied.

        Raises:
            UnsafeRedirectError: The URL is no http(s) URL.
        """
        self._provider.engine.refuse(url)

    def subscribe(self, listener: Callable[[SessionState[S]], object]) -> Callable[[], None]:
        """Call the listener with each changed state. Returns a function that ends it."""
        return self._provider.subscribe(listener)


def use_session(
    *,
    required: bool = False,
    on_unauthenticated: Callable[[], object] | None = None,
    provider: SessionProvider[S] | None = None,
) -> SessionHandle[S]:
    """The session of this page. Called while a component renders, it makes that component follow it.

    Args:
        required: Whether this page needs somebody to be signed in. While nobody is, the status is
            ``"loading"``. A failure to reach the server is no reason to leave the page.
        on_unauthenticated: With ``required``, what to do once for each sign-out; it may be an async function.
            By default the page goes to the sign-in page, and comes back after a sign-in.
        provider: The provider to read; by default the one started last.

    Raises:
        ProviderMissingError: No provider has been started.
        ValueError: There is an ``on_unauthenticated``, but the session is not required.

    Example:
        ```python
        session = use_session()
        if session.status == "authenticated":
            print(session.data.user.name)

        data, status, update = use_session(required=True)
        ```
    """
    if on_unauthenticated is not None and not required:
        raise ValueError("on_unauthenticated is for use_session(required=True)")
    found = provider if provider is not None else current_provider()
    if found is None:
        raise ProviderMissingError
    reader = current_reader()
    if reader:
        reader.reads(found)
        if required:
            reader.requires(found, on_unauthenticated)
    elif required:
        found.engine.require(on_unauthenticated)
    return SessionHandle(found, required=required)
