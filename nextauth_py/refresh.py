"""When to ask the server again: the interval, and the page being looked at. Pure: it is told the time."""

from __future__ import annotations

from dataclasses import dataclass

# Timers are kept short and look at the clock, so that a laptop that slept is noticed, and because a
# browser fires a timer of more than 24.8 days at once.
LONGEST_TIMER = 60.0

# Switching windows to and fro asks once, not every time.
FOCUS_THROTTLE = 5.0


@dataclass(slots=True)
class RefreshSchedule:
    """Knows when the session was last asked for.

    Attributes:
        interval: Seconds between two requests while signed in; 0 never asks.
        on_focus: Whether to ask when the page comes into view.
        when_offline: Whether to go on asking while the browser says that it is offline.
        asked_at: When the last request began, here or in another tab, in seconds.
    """

    interval: float = 0.0
    on_focus: bool = True
    when_offline: bool = True
    asked_at: float = float("-inf")

    def timer(self, now: float, *, online: bool, patience: float = 1.0) -> float | None:
        """Seconds until the schedule should be looked at again; None if nothing is to be asked for now.

        Args:
            now: The time, in seconds.
            online: What the browser believes.
            patience: How many intervals this tab lets pass before it asks.
        """
        if self.interval <= 0 or not (online or self.when_offline):
            return None
        return min(max(self.asked_at + self.interval * patience - now, 0.0), LONGEST_TIMER)

    def poll_is_due(self, now: float, *, patience: float = 1.0) -> bool:
        """Whether the interval has passed."""
        # Browsers fire a timer up to a millisecond early.
        return 0 < self.interval * patience <= now - self.asked_at + 0.001

    def focus_is_due(self, now: float) -> bool:
        """Whether the page coming into view is a reason to ask."""
        return self.on_focus and now - self.asked_at >= FOCUS_THROTTLE
