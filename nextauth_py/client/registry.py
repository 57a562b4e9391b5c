"""The running providers of this Python, and callbacks that wait for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from ..host import entered_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..host.base import Host
    from .engine import Engine

    class Provider(Protocol):
        """A `SessionProvider`."""

        engine: Engine[Any]

        def close(self) -> None:
            """Stop for good."""


# The current one last. Not a ContextVar: in PyScript one that a script sets is unset again in event handlers
# and in the page's other scripts.
started: list[Any] = []

# What stops when a page ends, besides its providers.
ends: dict[Callable[[], None], Host] = {}

# Callbacks that wait for a provider of a page.
_waiting: list[tuple[Host, Callable[[], object]]] = []


def current() -> Any:
    """The provider that was started last, of the entered host if there is one; None without one."""
    host = entered_host()
    return next((each for each in reversed(started) if host is None or each.engine.host is host), None)


def add(provider: Provider) -> Engine[Any] | None:
    """Make a provider the current one. Close that of the same page and auth server, and return its engine."""
    replaced = next((each for each in started if each.engine.is_like(provider.engine)), None)
    started.append(provider)
    if replaced is None:
        return None
    replaced.close()
    return cast("Engine[Any]", replaced.engine)


def remove(provider: Provider) -> None:
    """Forget a provider."""
    if provider in started:
        started.remove(provider)


def when_started(host: Host, call: Callable[[], object]) -> None:
    """Call a function once a provider of the page is running: now, or when one is started."""
    _waiting.append((host, call))
    notify_waiting()


def notify_waiting() -> None:
    """Call those whose page has a provider now."""
    hosts = {each.engine.host for each in started}
    due = [each for each in _waiting if each[0] in hosts]
    _waiting[:] = [each for each in _waiting if each not in due]
    for _, call in due:
        call()


def close_all(host: Host) -> None:
    """Close all providers of a page that ends."""
    for provider in [each for each in started if each.engine.host is host]:
        provider.close()
    for stop in [stop for stop, page in ends.items() if page is host]:
        stop()
