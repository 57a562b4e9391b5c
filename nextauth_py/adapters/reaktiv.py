"""The session as a reaktiv signal: ``Computed`` and ``Effect`` follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reaktiv import ReadonlySignal, Signal

from ..state import SessionState
from . import follow

if TYPE_CHECKING:
    from ..provider import SessionProvider


def session_signal(provider: SessionProvider[Any] | None = None) -> ReadonlySignal[SessionState[Any]]:
    """A signal of the session's state.

    Example:
        ```python
        state = session_signal()
        name = Computed(lambda: state().data.user.name if state().data else "nobody")
        ```
    """
    signal: Signal[SessionState[Any]] = Signal(SessionState())
    follow(signal.set, provider)
    return signal.as_readonly()
