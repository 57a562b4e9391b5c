"""When to refetch the session, and why. Pure: time and conditions are arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zlib import crc32

if TYPE_CHECKING:
    from ..models import Session
    from ..state import Reason

    OnFocus = bool | Literal["always"]

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


def jitter(name: str) -> float:
    """A number from 0 to 1, another one for each name, so that tabs do not act at the same moment."""
    return crc32(name.encode()) / 2**32


def expires_at(session: Session) -> float | None:
    """When a session ends, in seconds since the epoch; None where its type says nothing about that."""
    from datetime import UTC, datetime  # noqa: PLC0415 - loaded where there is a session

    expires: object = session.expires
    if not isinstance(expires, datetime):
        return None
    return (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()


@dataclass(eq=False, repr=False)
class Conditions:
    """The conditions under which the schedule is evaluated.

    Attributes:
        now: This machine's time, in seconds since the epoch.
        offset: Seconds that the server's clock is ahead.
        is_signed_in: Whether a session is shown.
        is_online: The browser's `navigator.onLine`.
        is_visible: Whether the page is visible.
        grace: The number of intervals after which this tab polls; more than one if another tab leads.
        head_start: Seconds to let another tab refetch first.
        timeout: Seconds after which a request in flight has failed.
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
    """The user's options, and the times of requests and answers.

    Attributes:
        interval: Seconds between two polls while signed in; 0 to never poll.
        on_focus: Whether to refetch when the page comes into view; "always" if also while signed out.
        when_offline: Whether to poll while the browser is offline.
        when_hidden: Whether to poll while the page is hidden. A visible tab polls for the others too.
        renew_before: Seconds before the session's end in which using the page extends it; 0 for never.
        asked_at: When the last request began, in this tab or another, in seconds.
        known_at: When a session that is shown without a request was valid, in seconds.
        used_at: When the page was last used, in seconds.
    """

    interval: float = 0.0
    on_focus: OnFocus = True
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

    # --- events ---

    @property
    def since(self) -> float:
        """When the current interval began."""
        return max(self.asked_at, self.known_at)

    def assume(self, expires: float | None, made: float = _NEVER, offset: float = 0.0) -> None:
        """Note a session, or none, that is shown without a request and was valid at `made`, if known.

        A running interval goes on, because other tabs may rely on it.
        """
        if made - self.since >= self.interval:
            self.known_at = made
        self._expires, self._verified_at, self._granted_at = expires, _NEVER, made + offset

    def join(self, since: float, now: float) -> None:
        """Adopt another tab's interval, if it is running and this tab has not sent a request yet."""
        if self.asked_at < self.known_at and now - self.interval < since < self.known_at:
            self.known_at = since

    def confirm(self, expires: float | None, offset: float) -> None:
        """Note the answer to the last request: a session that expires then, or none."""
        self._verified_at = self.asked_at + offset
        if expires != self._expires or self._granted_at == _NEVER:
            self._expires, self._granted_at = expires, self._verified_at

    def fail(self, now: float, retry_after: float | None, tab: str) -> None:
        """Note a failed request.

        Args:
            now: The time, in seconds.
            retry_after: Seconds that the server asks to wait.
            tab: This tab's name, the seed of the jitter.
        """
        self._failures += 1
        chance = jitter(f"{tab} {self._failures}")
        doubled = _FIRST_RETRY * 2.0 ** min(self._failures - 1, 10)
        self._rest = min(doubled, _LONGEST_RETRY) * (0.5 + 0.5 * chance)
        self._is_resting = retry_after is not None
        if retry_after is not None:
            self._rest = max(self._rest, min(retry_after, _LONGEST_REST))
        self._failed_at = now

    def recover(self) -> None:
        """Note that a request has succeeded again."""
        self._failures = 0
        self._is_resting = False

    @property
    def rest(self) -> float | None:
        """Seconds from the last failure to the next attempt; None if the last request succeeded."""
        return self._rest if self._failures else None

    # --- decisions ---

    def next_ask(self, around: Conditions) -> tuple[float, Reason] | None:
        """Return when to refetch next, and why. A time in the past means now."""
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
        """Return the seconds until the next evaluation; None if no refetch is planned."""
        planned = self.next_ask(around)
        return None if planned is None else min(max(planned[0] - around.now, 0.0), LONGEST_TIMER)

    def due(self, around: Conditions) -> Reason | None:
        """Return the reason to refetch now; None if there is none."""
        planned = self.next_ask(around)
        return planned[1] if planned and planned[0] <= around.now + _EARLY else None

    def focus_is_due(self, now: float) -> bool:
        """Whether to refetch because the page came into view."""
        rests = self._is_resting and now < self._failed_at + self._rest
        # A clock that was set back says nothing about when.
        return bool(self.on_focus) and not rests and not 0 <= now - self.since < FOCUS_THROTTLE

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
        """Refetch once after the session's end: a server that still returns the session has the last word."""
        if self._expires is None or self._verified_at >= self._expires:
            return None
        end = self._expires - around.offset + EXPIRY_MARGIN
        if self.asked_at >= end:
            return self._answered_by(around), "expiry"
        return end + around.head_start, "expiry"

    def _renewal(self, around: Conditions) -> tuple[float, Reason] | None:
        """Renew once for each `expires`: a server that does not extend it is not asked for ever."""
        if not self.renew_before or self._expires is None or self._granted_at == _NEVER:
            return None
        window = min(self.renew_before, (self._expires - self._granted_at) / 2)
        opens = self._expires - window
        if self._verified_at >= opens or around.now - self.used_at > window:
            return None
        opens -= around.offset
        return (self._answered_by(around) if self.asked_at >= opens else opens), "renewal"

    def _answered_by(self, around: Conditions) -> float:
        """When the request in flight has ended at the latest."""
        return self.asked_at + around.timeout
