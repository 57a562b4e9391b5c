"""When to look for a session that comes back after a sign-out, without anybody saying so."""

from __future__ import annotations

# Seconds after a sign-out, besides those of a request. The second look is for slow answers.
FIRST_LOOK, SECOND_LOOK = 0.4, 1.7

# Until so many seconds after a sign-out, coming into view is a chance to look once more. Nobody has signed in
# elsewhere by then, and come back.
_RETURN = 4.0

_NEVER = float("-inf")


class Looks:
    """The looks that are planned. All times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._due: list[float] = []
        self._are_shared = False
        self._until = _NEVER  # coming into view is a chance

    def plan(self, now: float, took: float, *, is_first: bool, lateness: float | None = None) -> None:
        """Plan to look, instead of what was planned.

        Args:
            now: The time.
            took: Seconds of the sign-out's slowest request; less the time that has passed since it.
            is_first: Whether to look soon too.
            lateness: If several tabs may plan it, so that one look is enough: seconds to let others go first.
        """
        looks = [FIRST_LOOK, SECOND_LOOK] if is_first else [SECOND_LOOK]
        self._due = [now + took + each + (lateness or 0.0) for each in looks if took + each > 0]
        self._are_shared = lateness is not None
        self._until = now + _RETURN

    def cancel(self) -> None:
        """Plan no look."""
        self._due.clear()

    def made(self, until: float, *, by_another_tab: bool = False) -> None:
        """Note that the session has been asked for: no look is needed for that until the given time."""
        if self._are_shared or not by_another_tab:
            self._due = [each for each in self._due if each > until]

    def came_into_view(self, now: float) -> bool:
        """Plan a look at once if this is a chance for one, and none is planned. Return whether."""
        if self._due or now > self._until:
            return False
        self._until = _NEVER
        self._due.append(now)
        return True

    @property
    def next(self) -> float | None:
        """When the next look is due; None if none is planned."""
        return min(self._due, default=None)
