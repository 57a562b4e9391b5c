"""Which tab polls for all: the one that holds a lock or, where nobody polls, the first that notices."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..host.base import Host
    from .messages import Message


class Rank(IntEnum):
    """Whether a tab leads."""

    FOLLOWER = 0
    ACTING = 1  # because no other tab did
    LEADER = 2  # has the lock


# In intervals. A follower asks when it has heard nothing for so long; all in all less than 2.5, with the
# spread, which keeps several followers from asking at once.
_GRACE, _SPREAD = 2.0, 0.4

# Without locks nobody is chosen. The first tab that asks leads.
_GRACE_WITHOUT_LOCKS = 1.0


class Leader:
    """Elect one tab of the origin to poll for all. The lock is a hint: nothing ever waits for it.

    Only visible tabs campaign, because browsers throttle the timers of hidden ones.

    Args:
        host: The page or worker this runs in.
        name: The lock's name.
        tab: This tab's name.
        changed: Called when this tab has acquired the lock.
    """

    def __init__(self, host: Host, name: str, tab: str, changed: Callable[[], None]) -> None:
        self._host = host
        self._name = name
        self._tab = tab
        self._changed = changed
        self._rank = Rank.FOLLOWER
        self._release: Callable[[], None] | None = None
        self._has_locks = True

    @property
    def rank(self) -> int:
        """Whether this tab leads, as a `Rank`."""
        return self._rank

    @property
    def grace(self) -> float:
        """The number of intervals without an answer after which this tab polls."""
        if self._rank:
            return 1.0
        spread = _SPREAD * crc32(self._tab.encode()) / 2**32
        return (_GRACE if self._has_locks else _GRACE_WITHOUT_LOCKS) + spread

    def campaign(self) -> None:
        """Queue for the lock, unless the page is hidden."""
        if self._release is None and self._host.is_visible():
            self._release = self._host.request_lock(self._name, self._granted)
            self._has_locks = self._release is not None

    def resign(self, *, acting: bool = False) -> None:
        """Release the lock, or leave its queue.

        Args:
            acting: Whether to go on leading until another tab does.
        """
        self._rank = Rank.ACTING if acting and self._rank else Rank.FOLLOWER
        if self._release is not None:
            release, self._release = self._release, None
            release()

    def take_over(self) -> None:
        """Act as the leader: no other tab has polled for too long."""
        self._rank = max(self._rank, Rank.ACTING)

    def hear(self, message: Message) -> None:
        """Stop acting when another tab leads. If two are acting, the one with the smaller name goes on."""
        if self._rank == Rank.ACTING and (
            message.leads == Rank.LEADER or (message.leads == Rank.ACTING and message.tab < self._tab)
        ):
            self._rank = Rank.FOLLOWER

    def _granted(self) -> None:
        self._rank = Rank.LEADER
        self._changed()
