"""Which tab polls for all: the one that holds a lock or, where nobody polls, the first that notices."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..host.base import Host
    from .messages import Message

_NOT, _ACTING, _LOCKED = 0, 1, 2

# In intervals. A follower asks when it has heard nothing for so long; all in all less than 2.5, with the
# spread, which keeps several followers from asking at once.
_PATIENCE, _SPREAD = 2.0, 0.4

# Without locks nobody is chosen. The first tab that asks leads.
_PATIENCE_WITHOUT_LOCKS = 1.0


class Leader:
    """Whether this tab leads. The lock is a hint: nothing ever waits for it.

    Only tabs in view ask for it, because browsers slow the timers of hidden ones.

    Args:
        host: The world around.
        name: Of the lock.
        tab: This tab's name.
        changed: Called when this tab has got the lock.
    """

    def __init__(self, host: Host, name: str, tab: str, changed: Callable[[], None]) -> None:
        self._host = host
        self._name = name
        self._tab = tab
        self._changed = changed
        self._rank = _NOT
        self._release: Callable[[], None] | None = None
        self._has_locks = True

    @property
    def rank(self) -> int:
        """0: does not lead. 1: because nobody else did. 2: has the lock."""
        return self._rank

    @property
    def patience(self) -> float:
        """How many intervals to let pass before asking."""
        if self._rank:
            return 1.0
        spread = _SPREAD * crc32(self._tab.encode()) / 2**32
        return (_PATIENCE if self._has_locks else _PATIENCE_WITHOUT_LOCKS) + spread

    def seek(self) -> None:
        """Queue for the lock, unless the page is hidden."""
        if self._release is None and self._host.is_visible():
            self._release = self._host.request_lock(self._name, self._granted)
            self._has_locks = self._release is not None

    def step_back(self, *, acting: bool = False) -> None:
        """Give up the lock, or the place in its queue.

        Args:
            acting: Whether to go on leading until another tab does.
        """
        self._rank = _ACTING if acting and self._rank else _NOT
        if self._release is not None:
            release, self._release = self._release, None
            release()

    def take_over(self) -> None:
        """Lead: nobody else has asked for long."""
        self._rank = max(self._rank, _ACTING)

    def hear(self, message: Message) -> None:
        """Stop acting when another tab leads. Of two that act, one goes on."""
        if self._rank == _ACTING and (
            message.leads == _LOCKED or (message.leads == _ACTING and message.tab < self._tab)
        ):
            self._rank = _NOT

    def _granted(self) -> None:
        self._rank = _LOCKED
        self._changed()
