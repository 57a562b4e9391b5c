"""What a page that requires a session does while signed out: once for each sign-out."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from ..core.urls import is_same_place, join, origin_of, query_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ..core.urls import AuthUrl
    from ..host.base import Host
    from ..state import SessionState
    from .background import Background

# What runs is what a guard wants done: nobody has clicked.
_acting: ContextVar[bool] = ContextVar("acting", default=False)


class Guards:
    """Run the handlers of components and hooks that require a session.

    Args:
        background: Runs the handlers.
        default: The default handler: go to the sign-in page.
    """

    def __init__(self, background: Background, default: Callable[[], object]) -> None:
        self._background = background
        self._default = default
        self._wanted: dict[Hashable, Callable[[], object]] = {}
        self._served: set[Hashable] = set()

    def require(self, on_unauthenticated: Callable[[], object] | None, *, who: Hashable = None) -> None:
        """Require a session from now on.

        Args:
            on_unauthenticated: Called once for each sign-out; may be async.
            who: Requires it; a later call for the same object replaces an earlier one.
        """
        wanted = on_unauthenticated or self._default
        self._wanted[wanted if who is None else who] = wanted

    def release(self, who: Hashable) -> None:
        """Require a session no longer."""
        self._wanted.pop(who, None)
        self._served.discard(who)

    def check(self, state: SessionState[Any]) -> None:
        """Run the handlers if signed out. A failed request is no reason to."""
        if state.status == "authenticated":
            self._served.clear()
        if state.status != "unauthenticated":
            return
        for who, act in list(self._wanted.items()):
            served = act if act == self._default else who  # the page leaves only once
            if served not in self._served:
                self._served.add(served)
                self._background.spawn(_run(act))

    def reset(self) -> None:
        """Let each handler run again: a page that is left behaves as a new one when it is restored."""
        self._served.clear()

    def clear(self) -> None:
        """Forget all handlers."""
        self._wanted.clear()


def is_acting() -> bool:
    """Whether the current code was called by a guard."""
    return _acting.get()


def send_away(host: Host, auth: AuthUrl, url: str) -> None:
    """Leave a page whose guard refuses the visitor, unless the target would lead back to it."""
    page = host.location()
    if _would_go_in_circles(auth, page, join(page, url)):
        advice = "Leave out auth= and required=True where one signs in, or is refused."
        host.report(f"the page stays: {url} would lead back to it", RuntimeError(advice))
    else:
        host.navigate(url)


def _would_go_in_circles(auth: AuthUrl, page: str, target: str) -> bool:
    """Whether the target leads back to this page: it is the sign-in page, or the one for refused visitors.

    Args:
        auth: The auth server.
        page: The address of the current page.
        target: The absolute URL that the guard sends it to.
    """
    sign_in = join(page, auth.endpoint("signin"))
    if origin_of(page) == origin_of(target) and is_same_place(page, target):
        return True
    if origin_of(page) == origin_of(sign_in) and _has_path_of(page, sign_in):
        return True
    # The server leads on to a page of the site, and adds what it has been told.
    told, asked = query_of(page), query_of(target)
    reason = asked.get("error") or (_has_path_of(target, sign_in) and ["SessionRequired"])
    if reason and reason == told.get("error"):
        return True
    places = page, *asked.get("callbackUrl", [])
    callbacks = told.get("callbackUrl", [])
    return any(_has_path_of(join(page, one), join(page, other)) for one in places for other in callbacks)


def _has_path_of(page: str, url: str) -> bool:
    try:
        return is_same_place(page.partition("?")[0], url.partition("#")[0].partition("?")[0])
    except ValueError:  # it is no URL
        return False


async def _run(act: Callable[[], object]) -> None:
    from ..host.handlers import finished  # noqa: PLC0415 - few pages have guards

    _acting.set(True)  # in this task, and those that it starts
    await finished(act())
