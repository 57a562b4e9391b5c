"""PyScript's own events: ``@when(session.changed)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pyscript import Event

from ..host.handlers import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider

_events: WeakKeyDictionary[SessionProvider[Any], Any] = WeakKeyDictionary()


def changed_event(provider: SessionProvider[Any]) -> Any:
    """The event that a provider's changed states trigger; always the same one."""
    if provider not in _events:
        event = _events[provider] = _Changed(provider.host.report)
        provider.subscribe(event.trigger)
    return _events[provider]


class _Changed(Event):  # type: ignore[misc]
    """An event whose listeners all hear it. PyScript's own would show what one raises on the page."""

    def __init__(self, report: Callable[[str, BaseException], None]) -> None:
        super().__init__()
        self._report = report

    def trigger(self, result: object) -> None:
        for each in list(self._listeners):
            call(each, [result], self._report)
