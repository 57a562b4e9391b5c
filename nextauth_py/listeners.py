"""Who is told of changes and events, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from .state import S

if TYPE_CHECKING:
    from collections.abc import Callable

    from .background import Background
    from .state import Change, EventName, SessionEvent, SessionState

T = TypeVar("T")


class Listeners(Generic[S]):
    """Those who have subscribed to a provider. One that raises does not keep the others from hearing.

    Args:
        background: Calls them.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._listeners: list[Callable[[SessionState[S]], object]] = []
        self._handlers: list[tuple[EventName, Callable[[SessionEvent[S]], object]]] = []

    def subscribe(self, listener: Callable[[SessionState[S]], object]) -> Callable[[], None]:
        """Call the listener with each changed state. Returns its undo."""
        return _added(self._listeners, listener)

    def on(self, event: EventName, handler: Callable[[SessionEvent[S]], object]) -> Callable[[], None]:
        """Call the handler with each event of that name. Returns its undo."""
        return _added(self._handlers, (event, handler))

    def tell(self, change: Change[S]) -> None:
        """Tell everybody who has been there before; they may come and go meanwhile."""
        for listener in list(self._listeners):
            self._background.call(listener, change.state)
        for event in change.events:
            for name, handler in list(self._handlers):
                if name == event.name:
                    self._background.call(handler, event)

    def clear(self) -> None:
        """Forget them all."""
        self._listeners.clear()
        self._handlers.clear()


def _added(listeners: list[T], listener: T) -> Callable[[], None]:
    """Add a listener; returns its undo, which may be called more than once."""
    listeners.append(listener)

    def remove() -> None:
        if listener in listeners:
            listeners.remove(listener)

    return remove
