"""The fence around a mutation: while one tab signs in, updates or signs out, no other asks for the session.

A GET that the server reads before a sign-out and answers after it would set the old cookie again.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .state import NEVER, Stamp
from .tabs import MOST_TABS, Pace, remember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .broadcast import Broadcast
    from .host.base import Host
    from .tabs import Message

# How long a mutation waits for the other tabs to say that they have aborted their requests. They answer
# within a few milliseconds; one that is dead or frozen costs no more than this, and only once.
ACK_PATIENCE = 0.05


class Fence:
    """Raises this tab's fence, and respects those of others.

    Args:
        host: The world around, for timers.
        line: To the other tabs.
        patience: Seconds after which a fence of another tab counts as forgotten: its tab has crashed.

    Attributes:
        longest: Seconds that anything here waits for other tabs, however many announce fences, and how often.
    """

    def __init__(self, host: Host, line: Broadcast, patience: float) -> None:
        self._host = host
        self._line = line
        self._patience = self.longest = patience
        # Each new fence costs a timer and an acknowledgement, which all tabs hear.
        self._pace = Pace(host.now, MOST_TABS)
        self._theirs: dict[str, Stamp] = {}
        self._ended: dict[str, Stamp] = {}  # so that a fence heard twice is not raised again
        self._timers: dict[str, Callable[[], None]] = {}
        self._own: Stamp | None = None
        self._missing: set[str] = set()
        self._waiting: set[asyncio.Future[None]] = set()

    def is_late_ack(self, message: Message) -> bool:
        """Whether a tab acknowledges a fence only now that it is down, and so may have read meanwhile."""
        is_ours = message.kind == "ack" and message.time[1] == self._line.tab
        return is_ours and message.time != self._own

    def hear(self, message: Message) -> bool:
        """Take in what another tab says.

        Returns:
            Whether reads must be aborted, before this tab acknowledges: a fence has been raised.
        """
        tab, stamp = message.tab, message.time
        if message.kind == "ack" and stamp == self._own:
            self._missing.discard(tab)
        elif message.kind == "bye":
            self._missing.discard(tab)
            self._ended.pop(tab, None)
            self._forget(tab)
        elif message.kind == "fence":
            # Neither while it stands nor after that does a repetition prolong it.
            if stamp == self._theirs.get(tab) or not self._pace.take():
                return False
            if stamp > self._ended.get(tab, NEVER):
                self._raise(tab, stamp)
        elif message.kind in {"done", "changed", "state"} and stamp > self._theirs.get(tab, NEVER):
            self._end(tab, stamp)
        self._wake()
        return message.kind == "fence"

    @property
    def is_up(self) -> bool:
        """Whether another tab changes the session just now."""
        return bool(self._theirs)

    async def clear(self, seconds: float | None = None) -> None:
        """Wait until no other tab has a fence up, at most so many seconds; by default `longest`."""
        await self._wait_while(lambda: bool(self._theirs), self.longest if seconds is None else seconds)

    @contextmanager
    def raised(self, started: Stamp) -> Iterator[None]:
        """Keep the others from asking. Whoever leaves the block must tell them how it ended."""
        self._own = started
        self._missing = set(self._line.peers)
        self._line.post("fence", time=started)
        try:
            yield
        finally:
            self._own = None
            self._missing = set()

    async def respected(self) -> None:
        """Wait for the others to stop asking, and for mutations of theirs that began before ours."""
        await self._wait_while(lambda: bool(self._missing), ACK_PATIENCE)
        for tab in self._missing:
            self._line.peers.pop(tab, None)
        self._missing = set()
        await self._wait_while(self._is_preceded, self.longest)

    def _is_preceded(self) -> bool:
        return self._own is not None and any(theirs < self._own for theirs in self._theirs.values())

    def close(self) -> None:
        """Let go of everybody who waits, and of all timers."""
        for tab in list(self._theirs):
            self._forget(tab)
        self._missing = set()
        self._wake()

    def _raise(self, tab: str, stamp: Stamp) -> None:
        self._forget(tab)
        if (oldest := remember(self._theirs, tab, stamp)) is not None:
            self._forget(oldest)
        self._timers[tab] = self._host.call_later(self._patience, lambda: self._expire(tab, stamp))

    def _expire(self, tab: str, stamp: Stamp) -> None:
        del self._timers[tab]  # Pyodide does not let a timer cancel itself
        self._end(tab, stamp)

    def _end(self, tab: str, stamp: Stamp) -> None:
        if (oldest := remember(self._ended, tab, stamp)) is not None:
            del self._ended[oldest]
        self._forget(tab)

    def _forget(self, tab: str) -> None:
        self._theirs.pop(tab, None)
        if cancel := self._timers.pop(tab, None):
            cancel()
        self._wake()

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
