"""The session in a PuePy application's state: pages that redraw on its changes follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import follow

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    from ..provider import SessionProvider


def keep_session(
    state: MutableMapping[str, Any], provider: SessionProvider[Any] | None = None, *, key: str = "session"
) -> Callable[[], None]:
    """Keep the session's state in a ``ReactiveDict``.

    Args:
        state: An application's or a component's state.
        provider: Whose session; by default the current one's.
        key: Under which it is kept.

    Returns:
        A function that ends it.

    Example:
        ```python
        app = Application()
        keep_session(app.state)

        @app.page()
        class Account(Page):
            def populate(self):
                data = self.application.state["session"].data
                t.p(data.user.name if data else "nobody")
        ```
    """
    return follow(lambda current: state.__setitem__(key, current), provider)
