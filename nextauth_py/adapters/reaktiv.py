"""The session as a reaktiv signal, and the signals that components read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reaktiv import Computed, Effect, ReadonlySignal, Signal

from ..client import registry
from ..host import default_host
from ..state import SessionState
from . import follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..provider import SessionProvider

# How often in a row a component is drawn again for changes that it makes itself. A correction takes one.
_REDRAWS = 5


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


class FollowedSignals:
    """The signals that a component read when it was drawn last.

    Args:
        changed: Called when one of them changes, once for each drawing. Must not raise: effects print it.
        report: Called with the error if each drawing changes one of them.
    """

    def __init__(self, changed: Callable[[], None], report: Callable[[Exception], None]) -> None:
        self._changed = changed
        self._report = report
        self._host = default_host()
        self._effect: Effect | None = None
        self._redraws = 0

    def draw(self, render: Callable[[], None]) -> None:
        """Render now, or at the end of a running `batch`, and follow the signals that are read.

        Args:
            render: Must not raise.
        """
        self.stop()
        is_drawn = has_changed = False
        asked = Signal(0)
        same = Computed(lambda: asked() < 0)

        def run() -> None:
            nonlocal is_drawn, has_changed
            if is_drawn:
                has_changed = True
                self._changed()
            else:
                is_drawn = True
                same()
                render()

        self._effect = Effect(run)
        registry.ends[self.stop] = self._host  # which holds them: signals hold effects weakly
        if self._redraws == _REDRAWS:
            self._redraws = 0
            return
        # An effect is not told of changes while it runs. This makes it compare what it has read.
        asked.set(1)
        self._redraws = self._redraws + 1 if has_changed else 0
        if self._redraws == _REDRAWS:
            self._report(RuntimeError("each drawing changes a signal that it reads: change it in a handler"))

    def stop(self) -> None:
        """Follow none of them."""
        if self._effect is not None:
            self._effect.dispose()
            self._effect = None
        registry.ends.pop(self.stop, None)
