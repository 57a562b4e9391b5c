"""Which tab polls for all: the one that holds a lock or, where nobody polls, the first that notices."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from ..core.schedule import jitter

if TYPE_CHECKING:
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
    """Know whether this tab polls for all of its origin. The lock is a hint: nothing ever waits for it.

    Args:
        tab: This tab's name.

    Attributes:
        rank: Whether this tab leads.
        has_locks: Whether the browser has locks.
    """

    def __init__(self, tab: str) -> None:
        self.rank = Rank.FOLLOWER
        self.has_locks = True
        self._tab = tab

    @property
    def grace(self) -> float:
        """The number of intervals without an answer after which this tab polls."""
        if self.rank:
            return 1.0
        grace = _GRACE if self.has_locks else _GRACE_WITHOUT_LOCKS
        return grace + _SPREAD * jitter(self._tab)

    def win(self) -> None:
        """Lead: this tab has got the lock."""
        self.rank = Rank.LEADER

    def resign(self, *, acting: bool = False) -> None:
        """Lead no longer: this tab gives the lock back.

        Args:
            acting: Whether to go on leading until another tab does.
        """
        self.rank = Rank.ACTING if acting and self.rank else Rank.FOLLOWER

    def take_over(self) -> None:
        """Act as the leader: no other tab has polled for too long."""
        self.rank = max(self.rank, Rank.ACTING)

    def hear(self, message: Message) -> None:
        """Stop acting when another tab leads. If two are acting, the one with the smaller name goes on."""
        if self.rank == Rank.ACTING and (
            message.leads == Rank.LEADER or (message.leads == Rank.ACTING and message.tab < self._tab)
        ):
            self.rank = Rank.FOLLOWER
