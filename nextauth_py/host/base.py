"""The seam: what the client needs of a page or worker, as protocols, without implementation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from ..core.passkeys import Action
    from ..core.wire import Request, Response

Undo = Callable[[], None]
"""Undoes the call that returned it. To be called once."""


Lifecycle = Literal["left", "restored", "frozen", "thawed"]
"""A page was put into the back/forward cache, restored from it, frozen or thawed."""


class Http(Protocol):
    """Requests to the auth server."""

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - browsers have their own
        """Send a request past all caches, and read the whole answer. Cancelling the task aborts it.

        Raises:
            TimeoutError: The answer was not complete within `timeout` seconds.
            ConnectionAbortedError: The browser aborted the request to leave the page, which may yet stay.
            OSError: The request failed.
        """
        ...


class Prefetched(Protocol):
    """The session GET that `session-prefetch.js` sent while Python was booting.

    Attributes:
        started: When, in seconds since the epoch.
    """

    started: float

    async def response(self) -> tuple[Response, float]:
        """Return the answer and its arrival time, in seconds since the epoch.

        Raises:
            OSError: The request failed, or the session has changed since it was sent.
        """
        ...

    def drop(self) -> None:
        """Abort it if it is in flight, and forget it."""
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
        """Call once after at most a minute or so: browsers cannot wait for weeks."""
        ...


class Channel(Protocol):
    """A BroadcastChannel; a tab does not receive its own messages."""

    def post(self, message: Mapping[str, Any] | str) -> None:
        """Post to all other tabs. On a broken channel, do nothing."""
        ...

    def close(self) -> None:
        """Stop receiving. To be called once."""
        ...


class Tabs(Protocol):
    """Communication with the other tabs of the same origin."""

    def open_channel(self, name: str, heard: Callable[[object], None]) -> Channel | None:
        """Open a BroadcastChannel; return None if the browser has none."""
        ...

    def request_lock(self, name: str, granted: Callable[[], None]) -> Undo | None:
        """Queue for a Web Lock of the origin; return None if the browser has none.

        The undo releases the lock, or leaves the queue, at once.
        """
        ...

    def store(self, key: str, text: str) -> None:
        """Write to localStorage, if available. Other scripts of this page hear so too."""
        ...

    def stored(self, key: str) -> str | None:
        """Read from localStorage; None if the key is missing or storage unavailable."""
        ...

    def keep(self, key: str, text: str) -> bool:
        """Write to sessionStorage, if available. Return whether it was."""
        ...

    def take_kept(self, key: str) -> str | None:
        """Remove from sessionStorage and return; None if the key is missing or storage unavailable."""
        ...

    def on_stored(self, key: str, heard: Callable[[str | None], None]) -> Undo:
        """Call back when another tab writes to a localStorage key."""
        ...

    def on_answered(self, heard: Callable[[str, float, float], None]) -> Undo:
        """Call back for each answered request of the page, whoever has made it.

        With its path, or its URL on another origin, without the query; and when it began and ended, in
        seconds since the epoch.
        """
        ...

    def unique(self) -> str:
        """Return a text that is unique among all calls in all tabs."""
        ...


class Attention(Protocol):
    """Visibility, focus, use, lifecycle and network of the page."""

    def is_visible(self) -> bool:
        """Whether the page is visible."""
        ...

    def on_visibility(self, changed: Callable[[], None]) -> Undo:
        """Call back when the page becomes visible or hidden."""
        ...

    def on_focus(self, focused: Callable[[], None]) -> Undo:
        """Call back when the window gets the focus: the only event in some frames."""
        ...

    def on_next_use(self, used: Callable[[], None]) -> Undo:
        """Call back once, on the next key press, pointer press or wheel."""
        ...

    def on_lifecycle(self, changed: Callable[[Lifecycle], None]) -> Undo:
        """Call back on lifecycle changes. The callback must finish its work synchronously."""
        ...

    def is_online(self) -> bool:
        """The browser's `navigator.onLine`; True may be wrong."""
        ...

    def on_online(self, changed: Callable[[], None]) -> Undo:
        """Call back when the network comes or goes."""
        ...


class View(Protocol):
    """Shows content in an element."""

    def render(self, content: object) -> None:
        """Show the content, in place of what is there."""
        ...

    def clear(self) -> None:
        """Show nothing."""
        ...


class Window(Protocol):
    """A window that the page has opened."""

    def go(self, url: str) -> None:
        """Show an address that the caller has checked."""
        ...

    def is_closed(self) -> bool:
        """Whether it is closed, or was cut off from this page by one of its own."""
        ...

    def location(self) -> str | None:
        """The address of what it shows; None if that is of another origin."""
        ...

    def close(self) -> None:
        """Close it if it is open, and give the focus back to what had it.

        Some browsers do not close it while it shows another origin's page.
        """
        ...


class Passkeys(Protocol):
    """WebAuthn: the passkeys of the visitor's devices.

    Attributes:
        is_allowed: Whether the page is a secure context: https, or localhost.
    """

    is_allowed: bool

    async def is_supported(self, *, autofill: bool) -> bool:
        """Whether the browser has passkeys; also in its autofill, if `autofill`."""
        ...

    async def ask(self, action: Action, options: str, *, autofill: bool) -> str:
        """Have the visitor use a passkey, or make one. Cancelling the task closes the browser's dialog.

        Args:
            action: Which of the two.
            options: The server's, as JSON.
            autofill: Whether to offer passkeys in the autofill of the page's fields, without a dialog.

        Returns:
            The credential as JSON.

        Raises:
            PasskeyError: There is none: the visitor has cancelled, or the browser refuses.
            ValueError: The options are invalid.
        """
        ...


class Page(Protocol):
    """The page itself.

    Attributes:
        is_page: False in a worker, which has no page to leave.
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
        """Return a view that replaces an element's content."""
        ...

    def location(self) -> str:
        """The page's address."""
        ...

    def navigate(self, url: str) -> None:
        """Navigate to an address that the caller has checked; relative ones resolve against `location`."""
        ...

    def replace_address(self, url: str) -> None:
        """Have the page go by another address of its origin, without loading it."""
        ...

    def reload(self) -> None:
        """Load the page again."""
        ...

    def open_window(self) -> Window | None:
        """Open an empty window; None if the browser refuses it, as it does unless the user has just acted."""
        ...

    def has_focus(self) -> bool:
        """Whether the user is on this page, and not in another window."""
        ...

    def popup_page(self) -> str | None:
        """The address of the bundle's session-popup.html; None if Python is not from a bundle."""
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
        """Log a line to the console."""
        ...

    def warn(self, line: str) -> None:
        """Log a warning to the console."""
        ...

    def report(self, message: str, error: BaseException) -> None:
        """Report an error in the console, with its traceback."""
        ...

    def find_prefetched(self, path: str) -> Prefetched | None:
        """Return the prefetch of these auth routes; None if there is none, or it is too old."""
        ...

    def passkeys(self) -> Passkeys:
        """The page's way to passkeys."""
        ...


class Host(Http, Clock, Tabs, Attention, Page, Protocol):
    """A page or worker of a browser."""
