"""One request that several callers wait for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from .state import NEVER, Stamp

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Flight:
    """One read that several callers wait for; when the last of them gives up, it is cancelled.

    Attributes:
        due: By the event loop's time: from then on no message of another tab aborts it.
        outdated: When such a message came all the same; its answer is too old for what is asked later.
    """

    def __init__(self, read: Coroutine[Any, Any, None]) -> None:
        self._task = asyncio.create_task(read)
        # A failure that nobody waited for any more must not be reported by the event loop.
        self._task.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._waiting = 0
        self.due = float("inf")
        self.outdated: Stamp = NEVER

    @property
    def is_over(self) -> bool:
        """Whether it has ended, or nobody waits for it."""
        return self._task.done() or not self._waiting

    def cancel(self) -> None:
        """Abort it; all who wait learn so."""
        self._task.cancel()

    async def join(self) -> bool:
        """Wait. False if the read was aborted.

        Raises:
            NextAuthError: The read failed.
        """
        self._waiting += 1
        try:
            await asyncio.wait([self._task])
        finally:
            self._waiting -= 1
            if self._waiting == 0:
                self._task.cancel()
        if self._task.cancelled():
            return False
        self._task.result()
        return True
