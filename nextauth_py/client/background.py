"""Background tasks, cancelled when the provider is closed."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..host.base import Host

T = TypeVar("T")


class Background:
    """Run tasks and listeners; their exceptions go to the console.

    Args:
        host: The page or worker this runs in.
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self._tasks: set[asyncio.Task[Any]] = set()
        self._callers: set[asyncio.Task[Any]] = set()  # tasks of the user's

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run a task. The loop alone would lose it, and print what it raises."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def run(self, call: Coroutine[Any, Any, T]) -> T | None:
        """Make a call of the user's, in the user's task. None if it was ended by `cancel`."""
        task = asyncio.current_task()
        if task is None:
            return await call
        self._callers.add(task)
        cancelling = task.cancelling()
        try:
            return await call
        except asyncio.CancelledError:
            # Ours alone, and not also the user's; asyncio.timeout counts in the same way.
            if task in self._callers or task.uncancel() > cancelling:
                raise
            return None
        finally:
            self._callers.discard(task)

    def call(self, listener: Callable[[T], object], news: T) -> None:
        """Call a listener, which may be an async function."""
        try:
            result = listener(news)
            if inspect.isawaitable(result):
                from ..host.handlers import finished  # noqa: PLC0415 - few listeners are async

                self.spawn(finished(result))
        except Exception as error:
            self._host.report(f"{getattr(listener, '__name__', listener)!r} raised", error)

    def cancel(self) -> None:
        """End all tasks. Not the call that makes this one: by a listener, when it has all but ended."""
        for task in self._tasks:
            task.cancel()
        for task in self._callers - {_current_task()}:
            task.cancel()
            self._callers.discard(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._host.report("a background task failed", error)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # no event loop runs
        return None
