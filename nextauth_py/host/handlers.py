"""Call users' functions for events of the page. Touches no JavaScript."""

from __future__ import annotations

import asyncio
import inspect
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

# The event loop holds its tasks only weakly.
_running: set[asyncio.Task[Any]] = set()

_POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


def wants_event(function: Callable[..., object]) -> bool:
    """Whether a handler has a positional parameter without a default, to take the event."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # a function written in C that does not tell
        return True
    return any(each.kind in _POSITIONAL and each.default is each.empty for each in parameters)


def listener(
    function: Callable[..., object], report: Callable[[str, BaseException], None]
) -> Callable[[object], None]:
    """Wrap a user's function for the browser to call with the event; exceptions are reported."""
    takes_event = wants_event(function)
    return lambda event: call(function, [event] if takes_event else [], report)


def call(
    function: Callable[..., object], arguments: list[object], report: Callable[[str, BaseException], None]
) -> None:
    """Call a user's function, which may be async. What it raises is reported, and never reaches the page."""

    def failed(error: BaseException) -> None:
        report(f"the event handler {getattr(function, '__name__', function)!r} failed", error)

    try:
        result = function(*arguments)
    except Exception as error:
        failed(error)
    else:
        if inspect.isawaitable(result):
            _start(finished(result), failed)


async def finished(result: object) -> None:
    """Wait for what a user's function returned, if it is async, or is a task that it has made."""
    if inspect.isawaitable(result):
        await result


def _start(coroutine: Coroutine[Any, Any, object], failed: Callable[[BaseException], None]) -> None:
    """Run to the first await at once, so that ``event.preventDefault()`` in an async handler is in time."""
    loop = asyncio.get_running_loop()
    if sys.version_info >= (3, 12):
        task = asyncio.eager_task_factory(loop, coroutine)
    else:  # tests on an old Python; pages have 3.14
        task = loop.create_task(coroutine)
    _running.add(task)

    def done(task: asyncio.Task[object]) -> None:
        _running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            failed(error)

    task.add_done_callback(done)
