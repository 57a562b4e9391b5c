"""Subscribers of states and events, called in order; and a decorator for calls that may be handlers."""

from __future__ import annotations

import inspect
from collections import deque
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast, get_args

from ..host import default_host
from ..state import EventName, S, SessionEvent, SessionState

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..core.store import Change
    from .background import Background

P = ParamSpec("P")
R = TypeVar("R")


def ignores_events(call: Callable[P, R]) -> Callable[P, R]:
    """Let a call be a handler as it is: whatever calls it passes an event, which it has no use for.

    Events are those of the DOM, wybthon's view of them, and what the listeners of a provider are called with.
    What the call then raises is reported: PyScript would paint it over the page.
    """

    def without_events(arguments: tuple[object, ...]) -> Any:
        return [each for each in arguments if not _is_event(each)]

    if inspect.iscoroutinefunction(call):

        @wraps(call)
        async def run_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            kept = without_events(args)
            try:
                return await call(*kept, **kwargs)
            except Exception as error:
                if len(kept) == len(args):
                    raise
                default_host().report(f"{call.__name__} failed", error)

        return cast("Callable[P, R]", run_async)  # and a coroutine function, for whoever looks

    @wraps(call)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return call(*without_events(args), **kwargs)

    return run


def _is_event(value: object) -> bool:
    if isinstance(value, (SessionEvent, SessionState)):
        return True
    return hasattr(value, "preventDefault") or hasattr(value, "prevent_default")


class Listeners(Generic[S]):
    """The subscribers of a provider. One that raises does not keep the others from hearing.

    Changes are delivered one after the other, each to all listeners: what a listener changes waits until the
    present change has been delivered. A listener hears the changes between its addition and its removal.

    Args:
        background: Calls them.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._listeners: list[_Entry] = []
        self._waiting: deque[Change[S]] = deque()
        self._count = 0  # of all changes so far
        self._is_delivering = False

    def subscribe(self, listener: Callable[[SessionState[S]], object]) -> Callable[[], None]:
        """Call the listener with each changed state. Returns its undo."""
        return self._add(listener, None)

    def on(self, event: EventName, handler: Callable[[SessionEvent[S]], object]) -> Callable[[], None]:
        """Call the handler with each event of that name. Returns its undo.

        Raises:
            ValueError: There is no such event.
        """
        if event not in get_args(EventName):
            raise ValueError(f"there is no event {event!r}. There are: {', '.join(get_args(EventName))}.")
        return self._add(handler, event)

    def notify(self, change: Change[S]) -> None:
        """Deliver a change, after those that are being delivered."""
        self._count += 1
        self._waiting.append(change)
        if self._is_delivering:
            return
        self._is_delivering = True
        try:
            while self._waiting:
                self._deliver(self._waiting.popleft(), self._count - len(self._waiting))
        finally:
            self._is_delivering = False

    def clear(self) -> None:
        """Remove all listeners, also in the middle of a delivery."""
        self._listeners.clear()

    def _deliver(self, change: Change[S], number: int) -> None:
        self._call(None, change.state, number)
        for event in change.events:
            self._call(event.name, event, number)

    def _call(self, event: EventName | None, news: object, number: int) -> None:
        for each in list(self._listeners):
            # An earlier listener may have removed it.
            if each.event == event and each.added_at < number and each in self._listeners:
                self._background.call(each.listener, news)

    def _add(self, listener: Callable[[Any], object], event: EventName | None) -> Callable[[], None]:
        entry = _Entry(listener, event, self._count)
        self._listeners.append(entry)

        @ignores_events
        def remove() -> None:
            if entry in self._listeners:
                self._listeners.remove(entry)

        return remove


@dataclass(eq=False)
class _Entry:
    """A listener, the event that it is for (None: any change), and how many changes came before it."""

    listener: Callable[[Any], object]
    event: EventName | None
    added_at: int
