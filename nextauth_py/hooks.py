"""use_session: a live view of the current provider's session."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic

from .errors import ProviderMissingError
from .provider import current_provider
from .state import S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from .errors import NextAuthError
    from .provider import SessionProvider
    from .state import SessionState, Status

    Reader = Callable[[SessionProvider[Any]], object]

# Who is reading sessions just now: the components that are rendering, the innermost last.
_readers: list[Reader] = []


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

    def __init__(self, provider: SessionProvider[S]) -> None:
        self._provider = provider

    def __repr__(self) -> str:
        return f"<SessionHandle {self.status}>"

    def __iter__(self) -> Iterator[Any]:
        return iter((self.data, self.status, self.update))

    @property
    def data(self) -> S | None:
        """The session; None unless authenticated."""
        return self._provider.state.data

    @property
    def status(self) -> Status:
        """``"loading"``, ``"authenticated"`` or ``"unauthenticated"``."""
        return self._provider.state.status

    @property
    def error(self) -> NextAuthError | None:
        """The last failure, until a request succeeds."""
        return self._provider.state.error

    @property
    def stale(self) -> bool:
        """Whether the last attempt to confirm the session failed."""
        return self._provider.state.stale

    @property
    def update(self) -> Callable[[Mapping[str, Any] | None], Awaitable[S | None]]:
        """As `SessionProvider.update`; the same function as long as the provider lives."""
        return self._provider.update

    def subscribe(self, listener: Callable[[SessionState[S]], object]) -> Callable[[], None]:
        """Call the listener with each changed state. Returns a function that ends it."""
        return self._provider.subscribe(listener)


def use_session(*, provider: SessionProvider[S] | None = None) -> SessionHandle[S]:
    """The session of this page. Called while a component renders, it makes that component follow it.

    Args:
        provider: The provider to read; by default the one started last.

    Raises:
        ProviderMissingError: No provider has been started.

    Example:
        ```python
        session = use_session()
        if session.status == "authenticated":
            print(session.data.user.name)

        data, status, update = use_session()
        ```
    """
    found = provider if provider is not None else current_provider()
    if found is None:
        raise ProviderMissingError
    if _readers:
        _readers[-1](found)
    return SessionHandle(found)
