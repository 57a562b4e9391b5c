"""What the client needs from the world around it, as protocols. No implementation lives here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from ..core.wire import Request, Response

Undo = Callable[[], None]
"""Takes back what the call that returned it has set up. To be called once."""


Lifecycle = Literal["left", "restored", "frozen", "thawed"]
"""What browsers do to pages: keep one that was left, bring it back, stop its timers, start them again."""


class Http(Protocol):
    """Requests to the auth server."""

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - browsers have their own
        """Send, without any cache, and read the whole answer. Cancelling the task aborts the request.

        Raises:
            TimeoutError: The answer was not complete after so many seconds.
            ConnectionAbortedError: The browser has aborted the request to leave the page, which may yet stay.
            OSError: There was no answer.
        """
        ...


class Prefetched(Protocol):
    """A request for the session that `session-prefetch.js` has begun while Python was booting.

    Attributes:
        started: When, in seconds since the epoch.
    """

    started: float

    async def response(self) -> tuple[Response, float]:
        """The answer, and when it arrived, in seconds since the epoch.

        Raises:
            OSError: There was none, or the session has changed since it was asked for.
        """
        ...

    def drop(self) -> None:
        """Abort it if it is under way, and let nobody find it again."""
        ...


class Clock(Protocol):
    """Time and timers."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def page_started(self) -> float:
        """When the page, or the worker, began to load: seconds since the epoch."""
        ...

    def parse_date(self, text: str) -> float | None:
        """An HTTP date in seconds since the epoch; None if it is none."""
        ...

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Undo:
        """Call once, after at most a minute or so: browsers cannot wait for weeks."""
        ...


class Channel(Protocol):
    """A line to the other tabs; a tab does not hear itself on it."""

    def post(self, message: Mapping[str, Any] | str) -> None:
        """Send to all others. A channel that has broken stays silent."""
        ...

    def close(self) -> None:
        """Stop hearing. To be called once."""
        ...


class Tabs(Protocol):
    """The other pages of this browser on the same origin."""

    def open_channel(self, name: str, heard: Callable[[object], None]) -> Channel | None:
        """Open a BroadcastChannel; None where there is none."""
        ...

    def request_lock(self, name: str, granted: Callable[[], None]) -> Undo | None:
        """Queue for a lock that one tab of the origin has at a time; None where there are no locks.

        The undo gives it back, or leaves the queue, at once.
        """
        ...

    def store(self, key: str, text: str) -> None:
        """Write to localStorage, if there is one."""
        ...

    def stored(self, key: str) -> str | None:
        """Read from localStorage; None if there is nothing, or no storage."""
        ...

    def on_stored(self, key: str, heard: Callable[[str | None], None]) -> Undo:
        """Hear what other tabs write to a localStorage key."""
        ...

    def unique(self) -> str:
        """A text that no other call of it, in no tab, has returned."""
        ...


class Attention(Protocol):
    """Whether anybody looks at the page, and whether there is a network."""

    def is_visible(self) -> bool:
        """Whether the page is in view."""
        ...

    def on_visibility(self, changed: Callable[[], None]) -> Undo:
        """Hear of the page coming into view and going out of it."""
        ...

    def on_focus(self, focused: Callable[[], None]) -> Undo:
        """Hear of the window getting the focus: some frames are told nothing else."""
        ...

    def on_next_use(self, used: Callable[[], None]) -> Undo:
        """Hear once of somebody touching a key or the page."""
        ...

    def on_lifecycle(self, changed: Callable[[Lifecycle], None]) -> Undo:
        """Hear of what the browser does to the page. What is to be done must be done before returning."""
        ...

    def is_online(self) -> bool:
        """What the browser believes. It may be wrong when it says yes."""
        ...

    def on_online(self, changed: Callable[[], None]) -> Undo:
        """Hear of the network coming and going."""
        ...


class View(Protocol):
    """Shows content in an element."""

    def render(self, content: object) -> None:
        """Show the content, in place of what is there."""
        ...

    def clear(self) -> None:
        """Show nothing."""
        ...


class Page(Protocol):
    """The page itself.

    Attributes:
        is_page: Whether there is one, which can be left for another. Workers have none.
    """

    is_page: bool

    def find_element(self, target: object) -> Any:
        """The DOM element of a selector, a DOM element or a `pyscript.web` element.

        Raises:
            LookupError: Nothing on the page matches the selector.
            TypeError: The target is none of these.
        """
        ...

    def make_view(self, element: Any) -> View:
        """What shows content in an element, in place of what is in it."""
        ...

    def location(self) -> str:
        """The page's address."""
        ...

    def navigate(self, url: str) -> None:
        """Leave for another address. The caller has checked it; the host makes it absolute."""
        ...

    def reload(self) -> None:
        """Load the page again."""
        ...

    def take_embedded_session(self) -> str | None:
        """The text of the page's element ``<script type="application/json" id="nextauth-session">``.

        Once: it was true when the page was made, and may not be so when a second provider starts.

        Raises:
            ValueError: There are several.
        """
        ...

    def environ(self) -> Mapping[str, str]:
        """Environment variables."""
        ...

    def log(self, line: str) -> None:
        """Show a developer what is going on, where users of the page do not see it."""
        ...

    def report(self, message: str, error: BaseException) -> None:
        """Show a developer what went wrong, where users of the page do not see it."""
        ...

    def find_prefetched(self, path: str) -> Prefetched | None:
        """What has been asked for ahead at these auth routes, unless it was too long ago."""
        ...


class Host(Http, Clock, Tabs, Attention, Page, Protocol):
    """All of it: a browser tab."""
