"""The fence around a mutation: while one tab signs in, updates or signs out, no other asks for the session.

A GET that the server reads before a sign-out and answers after it would set the old cookie again.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..core.store import NEVER, TOO_FAR_AHEAD, Stamp
from .messages import MOST_TABS, Pace, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..host.base import Host
    from .channel import TabChannel
    from .messages import Message

# How long a mutation waits for the other tabs to say that they have aborted their requests. They answer
# within a few milliseconds; one that is dead or frozen costs no more than this, and only once.
ACK_TIMEOUT = 0.05

# A mutating tab says its fence again before each request, but at most once in this many seconds: on a fast
# line never. A tab that is silent for longer than a request may take, and twice this, has crashed.
_SIGN_OF_LIFE = 1.0

# Requests of the longest mutation: three sign-outs, each with two csrf tokens, two POSTs and a check. A fence
# that stands for longer than they can take is none, however often it is announced.
_MOST_REQUESTS = 15


class Fence:
    """Raise this tab's fence, and respect the other tabs'.

    Args:
        host: Has the timers.
        channel: To the other tabs.

    Attributes:
        channel: As given.
    """

    def __init__(self, host: Host, channel: TabChannel) -> None:
        self._host = host
        self.channel = channel
        # Each new fence costs a timer and an acknowledgement, which all tabs hear.
        self._pace = Pace(host.now, MOST_TABS)
        # Of each tab its last fence, or what it has told since, and until when that can be raised.
        self._known: dict[str, tuple[Stamp, float]] = {}
        self._timers: dict[str, Callable[[], None]] = {}  # of those that are up
        self._own: Stamp | None = None
        self._said = 0.0
        self._missing: set[str] = set()
        self._waiting: set[asyncio.Future[None]] = set()

    def is_late_ack(self, message: Message) -> bool:
        """Whether an acknowledgement comes too late: its tab may have read meanwhile."""
        is_ours = message.kind == "ack" and message.time[1] == self.channel.tab
        return is_ours and not (message.time == self._own and message.tab in self._missing)

    def hear(self, message: Message) -> bool:
        """Process a message of another tab.

        Returns:
            Whether a fence has been raised, so that reads must be aborted before this tab acknowledges.
        """
        tab, stamp = message.tab, message.time
        if message.kind == "ack" and stamp == self._own:
            self._missing.discard(tab)
        elif message.kind == "bye":
            self._missing.discard(tab)
            self._known.pop(tab, None)
            self._lower(tab)
        elif message.kind == "fence":
            return self._raise(tab, stamp)
        elif message.kind == "hello" and self._own and self._pace.take():
            self._say()  # a new page must not begin what we are in the middle of
        elif message.kind in {"done", "changed", "state"} and self._is_news(tab, stamp):
            self._note(tab, (stamp, 0.0))
            self._lower(tab)
        self._wake()
        return False

    @property
    def longest(self) -> float:
        """The longest wait for other tabs in seconds, however many fences they announce."""
        return _MOST_REQUESTS * self.channel.longest_timeout

    @property
    def is_up(self) -> bool:
        """Whether another tab is changing the session."""
        return bool(self._timers)

    async def wait_until_clear(self, seconds: float | None = None) -> None:
        """Wait until no other tab has a fence up, for at most `seconds`; by default `longest`."""
        await self._wait_while(lambda: bool(self._timers), self.longest if seconds is None else seconds)

    @contextmanager
    def raised(self, started: Stamp) -> Iterator[None]:
        """Keep the other tabs from reading. Afterwards the caller posts how the mutation ended."""
        self._own = started
        self._missing = set(self.channel.peers)
        self._say()
        try:
            yield
        finally:
            self._own = None
            self._missing = set()

    def live(self) -> None:
        """Post our fence again, if it is up: another request of its mutation begins."""
        if self._own and _now() - self._said > _SIGN_OF_LIFE:
            self._say()

    def _say(self) -> None:
        self._said = _now()
        self.channel.post("fence", time=self._own)

    async def wait_for_acks(self) -> None:
        """Wait until the other tabs have stopped reading, and mutations that began before ours have ended."""
        await self._wait_while(lambda: bool(self._missing), ACK_TIMEOUT)
        for tab in self._missing:
            self.channel.peers.pop(tab, None)
        self._missing = set()
        await self._wait_while(self._is_preceded, self.longest)

    def _is_preceded(self) -> bool:
        return self._own is not None and any(self._known[tab][0] < self._own for tab in self._timers)

    def close(self) -> None:
        """Wake all waiters and cancel all timers."""
        for tab in list(self._timers):
            self._lower(tab)
        self._missing = set()
        self._wake()

    def _raise(self, tab: str, stamp: Stamp) -> bool:
        """Note a fence, or a sign that its mutation is alive. Return whether it is newly raised."""
        if self._is_news(tab, stamp) and self._pace.take():
            self._note(tab, (stamp, _now() + _MOST_REQUESTS * self.channel.peers[tab]))
        known, until = self._known.get(tab, (NEVER, 0.0))
        left = until - _now()
        if stamp != known or left <= 0:
            return False
        was_up = tab in self._timers
        self._lower(tab)
        seconds = min(self.channel.peers[tab] + 2 * _SIGN_OF_LIFE, left)
        self._timers[tab] = self._host.call_later(seconds, lambda: self._expire(tab))
        return not was_up

    def _is_news(self, tab: str, stamp: Stamp) -> bool:
        known, _ = self._known.get(tab, (NEVER, 0.0))
        # What is known to be ahead of all clocks comes of one that has been set back since.
        return known < stamp or known[0] > self._host.now() * 1e6 + TOO_FAR_AHEAD

    def _note(self, tab: str, known: tuple[Stamp, float]) -> None:
        if (oldest := remember(self._known, tab, known)) is not None:
            del self._known[oldest]
            self._lower(oldest)

    def _expire(self, tab: str) -> None:
        del self._timers[tab]  # Pyodide does not let a timer cancel itself
        self._wake()

    def _lower(self, tab: str) -> None:
        if cancel := self._timers.pop(tab, None):
            cancel()

    async def _wait_while(self, condition: Callable[[], bool], seconds: float) -> None:
        if not condition():
            return
        is_late: list[bool] = []

        def give_up() -> None:
            is_late.append(True)
            self._wake()

        cancel = self._host.call_later(seconds, give_up)
        try:
            while condition() and not is_late:
                await self._news()
        finally:
            cancel()

    async def _news(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)


def _now() -> float:
    return asyncio.get_running_loop().time()
