"""When to ask the server again, and why. Pure: it is told the time and what is going on around the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from ..models import Session
    from ..state import Reason

# Timers are kept short and look at the clock, so that a laptop that slept is noticed, and because a
# browser fires a timer of more than 24.8 days at once.
LONGEST_TIMER = 60.0

# Browsers fire a timer up to a millisecond early.
_EARLY = 0.001

# Switching windows to and fro asks once, not every time.
FOCUS_THROTTLE = 5.0

# Seconds until the first attempt after a failure, doubled with each further one, up to a limit. Between
# half of it and all of it are waited, so that the visitors of a server that was down do not return together.
_FIRST_RETRY, _LONGEST_RETRY = 1.0, 60.0

# A server may ask for a longer rest, but a nonsensical one must not silence a page for ever.
_LONGEST_REST = 24 * 60 * 60.0

# Seconds after a session's end at which the server is asked about it: browsers forget the cookie by a clock
# that is some milliseconds off, and a request that still carries it would extend the session.
EXPIRY_MARGIN = 0.1

_NEVER = float("-inf")


def expires_at(session: Session) -> float | None:
    """When a session ends, in seconds since the epoch; None where its type says nothing about that."""
    from datetime import UTC, datetime  # noqa: PLC0415 - loaded where there is a session

    expires: object = session.expires
    if not isinstance(expires, datetime):
        return None
    return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True)
class Conditions:
    """What goes on around the page when the schedule is looked at.

    Attributes:
        now: This machine's time, in seconds since the epoch.
        offset: Seconds that the server's clock is ahead.
        is_signed_in: Whether a session is shown.
        is_online: What the browser believes.
        is_visible: Whether the page is in view.
        grace: How many intervals this tab lets pass before it asks: more than one if another tab leads.
        head_start: Seconds that this tab gives another one to ask first.
        timeout: Seconds that a request under way may take.
    """

    now: float
    offset: float = 0.0
    is_signed_in: bool = True
    is_online: bool = True
    is_visible: bool = True
    grace: float = 1.0
    head_start: float = 0.0
    timeout: float = 10.0


@dataclass
class Schedule:
    """The user's options, and what has been asked and answered.

    Attributes:
        interval: Seconds between two requests while signed in; 0 never asks.
        on_focus: Whether to ask when the page comes into view.
        when_offline: Whether to go on asking while the browser says that it is offline.
        when_hidden: Whether to go on asking while the page is hidden. One in view asks for the others too.
        renew_before: Seconds before the session's end in which a page that is used extends it; 0 never does.
        asked_at: When the last request began, here or in another tab, in seconds.
        known_at: Likewise, of what is shown without a request: when it was made.
        used_at: When somebody last used the page, in seconds.
    """

    interval: float = 0.0
    on_focus: bool = True
    when_offline: bool = True
    when_hidden: bool = True
    renew_before: float = 0.0
    asked_at: float = _NEVER
    known_at: float = _NEVER
    used_at: float = _NEVER
    _failures: int = 0
    _failed_at: float = _NEVER
    _rest: float = 0.0
    _is_resting: bool = False  # because the server asked for it
    # Of the session that is shown, by the server's clock: its end, when the server last vouched for it, and
    # when it first did so for this end.
    _expires: float | None = None
    _verified_at: float = _NEVER
    _granted_at: float = _NEVER

    # --- what has happened ---

    @property
    def since(self) -> float:
        """When the interval began."""
        return max(self.asked_at, self.known_at)

    def assume(self, expires: float | None, made: float = _NEVER, offset: float = 0.0) -> None:
        """A session is shown, or none, that the server has not been asked about; made at that time, if known.

        An interval that runs goes on, because other tabs may rely on it.
        """
        if made - self.since >= self.interval:
            self.known_at = made
        self._expires, self._verified_at, self._granted_at = expires, _NEVER, made + offset

    def join(self, since: float, now: float) -> None:
        """Take the interval of another tab, if it runs and this one has not asked yet."""
        if self.asked_at < self.known_at and now - self.interval < since < self.known_at:
            self.known_at = since

    def confirm(self, expires: float | None, offset: float) -> None:
        """The server has answered the last request, with a session that ends then, or none."""
        self._verified_at = self.asked_at + offset
        if expires != self._expires or self._granted_at == _NEVER:
            self._expires, self._granted_at = expires, self._verified_at

    def fail(self, now: float, retry_after: float | None, tab: str) -> None:
        """A request has failed.

        Args:
            now: The time, in seconds.
            retry_after: Seconds that the server asks for.
            tab: Spreads the attempts of many tabs.
        """
        self._failures += 1
        chance = crc32(f"{tab} {self._failures}".encode()) / 2**32
        doubled = _FIRST_RETRY * 2.0 ** min(self._failures - 1, 10)
        self._rest = min(doubled, _LONGEST_RETRY) * (0.5 + 0.5 * chance)
        self._is_resting = retry_after is not None
        if retry_after is not None:
            self._rest = max(self._rest, min(retry_after, _LONGEST_REST))
        self._failed_at = now

    def recover(self) -> None:
        """What was asked for is known again."""
        self._failures = 0
        self._is_resting = False

    @property
    def rest(self) -> float | None:
        """Seconds from the last failure to the next attempt; None if the last request was answered."""
        return self._rest if self._failures else None

    # --- what follows from it ---

    def next_ask(self, around: Conditions) -> tuple[float, Reason] | None:
        """When to ask next, and why, unless something happens. A time that has passed means at once."""
        now = around.now
        # A clock that was set back must not make us wait for the time that it has lost.
        self.asked_at, self._failed_at = min(self.asked_at, now), min(self._failed_at, now)
        self.known_at = min(self.known_at, now)
        if self._failures:
            return self._retry(around)
        if not around.is_signed_in:
            return None
        times = (self._poll(around), self._expiry(around), self._renewal(around))
        return min((time for time in times if time is not None), default=None)

    def timer(self, around: Conditions) -> float | None:
        """Seconds until the schedule should be looked at again; None if nothing is to be asked for."""
        planned = self.next_ask(around)
        return None if planned is None else min(max(planned[0] - around.now, 0.0), LONGEST_TIMER)

    def due(self, around: Conditions) -> Reason | None:
        """Why to ask now, if so."""
        planned = self.next_ask(around)
        return planned[1] if planned and planned[0] <= around.now + _EARLY else None

    def focus_is_due(self, now: float) -> bool:
        """Whether the page coming into view is a reason to ask."""
        rests = self._is_resting and now < self._failed_at + self._rest
        # A clock that was set back says nothing about when.
        return self.on_focus and not rests and not 0 <= now - self.since < FOCUS_THROTTLE

    def _retry(self, around: Conditions) -> tuple[float, Reason] | None:
        if not around.is_visible:
            return None
        rested = self._failed_at + self._rest * around.grace
        if self.asked_at > self._failed_at:
            rested = max(rested, self._answered_by(around))
        if around.is_online:
            return rested, "retry"
        # The browser may be wrong about that: whoever wants polls all the same gets them, and no more.
        poll = self._poll(around) if around.is_signed_in else None
        return (max(poll[0], rested), "poll") if poll else None

    def _poll(self, around: Conditions) -> tuple[float, Reason] | None:
        is_allowed = (around.is_online or self.when_offline) and (around.is_visible or self.when_hidden)
        if not self.interval or not is_allowed:
            return None
        return self.since + self.interval * around.grace, "poll"

    def _expiry(self, around: Conditions) -> tuple[float, Reason] | None:
        """Once, after the end: a server that vouches for a session past its end has the last word."""
        if self._expires is None or self._verified_at >= self._expires:
            return None
        end = self._expires - around.offset + EXPIRY_MARGIN
        if self.asked_at >= end:
            return self._answered_by(around), "expiry"
        return end + around.head_start, "expiry"

    def _renewal(self, around: Conditions) -> tuple[float, Reason] | None:
        """Once for each end that the server grants: one that does not extend it is not asked for ever."""
        if not self.renew_before or self._expires is None or self._granted_at == _NEVER:
            return None
        window = min(self.renew_before, (self._expires - self._granted_at) / 2)
        opens = self._expires - window
        if self._verified_at >= opens or around.now - self.used_at > window:
            return None
        opens -= around.offset
        return (self._answered_by(around) if self.asked_at >= opens else opens), "renewal"

    def _answered_by(self, around: Conditions) -> float:
        """When a request that is under way must have ended."""
        return self.asked_at + around.timeout
