"""PyScript's own events: ``@when(session.changed)``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pyscript import Event

if TYPE_CHECKING:
    from ..provider import SessionProvider

_events: WeakKeyDictionary[SessionProvider[Any], Any] = WeakKeyDictionary()


def changed_event(provider: SessionProvider[Any]) -> Any:
    """The event that a provider's changed states trigger; always the same one."""
    if provider not in _events:
        event = _events[provider] = Event()
        provider.subscribe(event.trigger)
    return _events[provider]
