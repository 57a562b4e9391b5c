"""The session as a wybthon signal, to embed in a component as a reactive hole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wybthon import create_signal

from ..state import SessionState
from . import follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider


def session_signal(provider: SessionProvider[Any] | None = None) -> Callable[[], SessionState[Any]]:
    """A getter of the session's state that components and effects follow.

    Example:
        ```python
        @component
        def Account():
            state = session_signal()
            return p(lambda: state().data.user.name if state().data else "nobody")
        ```
    """
    getter: Callable[[], SessionState[Any]]
    getter, setter = create_signal(SessionState())
    follow(setter, provider)
    return getter
