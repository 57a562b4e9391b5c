"""The fence around a mutation: while one tab signs in, updates or signs out, no other asks for the session.

A GET that the server reads before a sign-out and answers after it would set the old cookie again. Pure: the
fence decides, and the client's driver posts and waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..core.store import NEVER, TOO_FAR_AHEAD, Stamp
from .messages import MOST_TABS, Pace, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .messages import Message

# What a message asks for: to abort reads and acknowledge, to post our fence again, or to look for an answer
# that has passed our fence.
Order = Literal["abort", "repeat", "suspect"]

# How long a mutation waits for the other tabs to say that they have aborted their requests. They answer
# within a few milliseconds; one that is dead or frozen costs no more than this, and only once.
ACK_TIMEOUT = 0.05

# A mutating tab says its fence again before each request, but at most once in this many seconds: on a fast
# line never. A tab that is silent for longer than a request may take, and twice this, has crashed.
_SIGN_OF_LIFE = 1.0

# Requests of the longest mutation: three sign-outs, each with two csrf tokens, two POSTs and a check. A fence
# that stands for longer than they can take is none, however often it is announced.
MOST_REQUESTS = 15


class Fence:
    """Know this tab's fence and those of the other tabs.

    Args:
        tab: This tab's name.
        now: Returns the machine's time, in seconds since the epoch.
        monotonic: Returns the seconds of a clock that is never set.

    Attributes:
        own: When the mutation began that this tab's fence protects; None without one.
        missing: The tabs that have not acknowledged it.
    """

    def __init__(self, tab: str, *, now: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self.own: Stamp | None = None
        self.missing: set[str] = set()
        self._tab = tab
        self._now = now
        self._monotonic = monotonic
        # Each new fence costs an acknowledgement, which all tabs hear.
        self._pace = Pace(now, MOST_TABS)
        # Of each tab its last fence, or what it has told since, and until when that can be raised.
        self._known: dict[str, tuple[Stamp, float]] = {}
        self._until: dict[str, float] = {}  # of each fence that has been raised, when it falls
        self._said = 0.0

    # --- ours ---

    def raise_own(self, started: Stamp, tabs: Iterable[str]) -> None:
        """Raise this tab's fence; the `tabs` are to acknowledge it. To be posted."""
        self.own, self.missing, self._said = started, set(tabs), self._monotonic()

    def lower_own(self) -> None:
        """Lower it. The caller posts how the mutation has ended."""
        self.own, self.missing = None, set()

    def repeats(self) -> bool:
        """Whether to post our fence again now that another request of its mutation begins."""
        is_due = self.own is not None and self._monotonic() - self._said > _SIGN_OF_LIFE
        if is_due:
            self._said = self._monotonic()
        return is_due

    def is_preceded(self) -> bool:
        """Whether another tab's mutation that began before ours has not ended."""
        return self.own is not None and any(self._known[tab][0] < self.own for tab in self._standing())

    # --- the others' ---

    @property
    def is_up(self) -> bool:
        """Whether another tab is changing the session."""
        now = self._monotonic()
        return any(until > now for until in self._until.values())

    def expires_in(self) -> float:
        """Seconds until the next fence of another tab expires; infinity if none is up."""
        now = self._monotonic()
        return min((until - now for until in self._until.values() if until > now), default=float("inf"))

    def hear(self, message: Message, timeout: float) -> Order | None:
        """Process a message of another tab, which grants its requests `timeout` seconds."""
        tab, stamp = message.tab, message.time
        match message.kind:
            case "ack" if stamp == self.own and tab in self.missing:
                self.missing.discard(tab)
            case "ack" if stamp[1] == self._tab:
                return "suspect"  # it comes too late: the tab may have read meanwhile
            case "bye":
                self.missing.discard(tab)
                self._known.pop(tab, None)
                self._until.pop(tab, None)
            case "fence" if self._is_raised(tab, stamp, timeout):
                return "abort"
            case "hello" if self.own and self._pace.take():
                self._said = self._monotonic()
                return "repeat"  # a new page must not begin what we are in the middle of
            case "done" | "changed" | "state" if self._is_news(tab, stamp):
                self._note(tab, (stamp, 0.0))
                self._until.pop(tab, None)
        return None

    def _standing(self) -> list[str]:
        now = self._monotonic()
        return [tab for tab, until in self._until.items() if until > now]

    def _is_raised(self, tab: str, stamp: Stamp, timeout: float) -> bool:
        """Note a fence, or a sign that its mutation is alive. Return whether it is newly raised."""
        now = self._monotonic()
        if self._is_news(tab, stamp) and self._pace.take():
            self._note(tab, (stamp, now + MOST_REQUESTS * timeout))
        known, until = self._known.get(tab, (NEVER, 0.0))
        if stamp != known or until <= now:
            return False
        was_up = self._until.get(tab, now) > now
        self._until[tab] = min(now + timeout + 2 * _SIGN_OF_LIFE, until)
        return not was_up

    def _is_news(self, tab: str, stamp: Stamp) -> bool:
        known, _ = self._known.get(tab, (NEVER, 0.0))
        # What is known to be ahead of all clocks comes of one that has been set back since.
        return known < stamp or known[0] > self._now() * 1e6 + TOO_FAR_AHEAD

    def _note(self, tab: str, known: tuple[Stamp, float]) -> None:
        if (oldest := remember(self._known, tab, known)) is not None:
            del self._known[oldest]
            self._until.pop(oldest, None)
