"""Tasks that nobody waits for."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .host.base import Host

T = TypeVar("T")


class Background:
    """Runs tasks and listeners; what they raise is shown to developers, and to nobody else.

    Args:
        host: The world around.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a task. The loop alone would lose it, and print what it raises."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def call(self, listener: Callable[[T], object], news: T) -> None:
        """Call a listener, which may be an async function."""
        try:
            result = listener(news)
            if inspect.iscoroutine(result):
                self.spawn(result)
        except Exception as error:
            self._host.report(f"{getattr(listener, '__name__', listener)!r} raised", error)

    def cancel(self) -> None:
        """End all tasks."""
        for task in self._tasks:
            task.cancel()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._host.report("a background task failed", error)
