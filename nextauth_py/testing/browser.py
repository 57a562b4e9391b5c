"""A browser in memory that a test drives: its tabs run pages, its clock stands still until it is moved."""

from __future__ import annotations

import ast
import asyncio
import inspect
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from ..client import registry
from ..core.urls import join
from ..host import enter
from ..provider import current_provider
from .memory import MemoryBrowser, MemoryHost
from .network import VirtualTimeLoop
from .server import FakeAuthServer, FakeUser

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Self

    from ..provider import SessionProvider
    from ..state import SessionState
    from .document import Document, Element
    from .memory import MemoryWindow
    from .network import Network
    from .passkeys import Authenticator

T = TypeVar("T")

_OF_BROWSERS = {"js", "pyodide", "pyscript"}

# Seconds that pass with each thing that a test does: enough for requests, and for tabs to hear each other.
_MOMENT = 0.1


class Browser:
    """A browser with cookies and tabs, in front of a `FakeAuthServer`. To be closed, or used in a ``with``.

    Time is virtual: a moment passes with whatever a test does, and `advance` moves it on.

    Args:
        server: The auth server; by default one without users: call `sign_in_as`, or add some.

    Attributes:
        server: As given.
        tabs: Those opened, in order.

    Example:
        ```python
        with Browser() as browser:
            browser.sign_in_as("alice", role="admin")
            tab = browser.open_tab("/account")
            tab.run("account.py")
            assert "alice" in tab.text("#account")
        ```
    """

    def __init__(self, server: FakeAuthServer | None = None) -> None:
        self.server = server or FakeAuthServer()
        self.tabs: list[Tab] = []
        self._memory = MemoryBrowser(self.server, origin=self.server.origin)
        # In a thread of its own: the test's may run a loop already, as Playwright's does.
        self._thread = ThreadPoolExecutor(1, "nextauth_py.testing")
        self._runner = asyncio.Runner(loop_factory=VirtualTimeLoop)
        self.server.now = lambda: self._memory.start + self._time()
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all pages. Closing again does nothing."""
        if self._is_closed:
            return
        for tab in self.tabs:
            tab.close()
        self._is_closed = True
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()

    @property
    def network(self) -> Network:
        """Between the tabs and the server: slow it down, cut it, hold answers back, count requests."""
        return self._memory.network

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies of all tabs."""
        return self._memory.cookies

    @property
    def authenticator(self) -> Authenticator:
        """The passkeys of the browser, and what its visitor does when asked for one."""
        return self._memory.authenticator

    @property
    def requests(self) -> list[str]:
        """All requests of the tabs, such as ``"GET /api/auth/session"``."""
        return [f"{each.method} {each.path}" for each in self.network.log]

    def open_tab(self, path: str = "/", html: str = "") -> Tab:
        """A new page.

        Args:
            path: Its address on the origin.
            html: What is on it. If left out, an element is there for each ``#id`` that is asked for.
        """
        tab = Tab(self, self._memory, path, html)
        self.tabs.append(tab)
        return tab

    def sign_in_as(self, username: str, **fields: Any) -> FakeUser:
        """Have somebody signed in, without any page noticing: best done before a tab is opened.

        Args:
            username: Who; if the server does not know them, they are added.
            **fields: Of the user in the session, as ``name="Alice", role="admin"``.
        """
        known = self.server.users.get(username)
        user = self.server.add_user(username, **fields) if fields or known is None else known
        self.run(self._take_cookies(user))
        return user

    async def _take_cookies(self, user: FakeUser) -> None:
        self._memory.set_cookies(self.server.cookies_for(user))

    def clear_cookies(self) -> None:
        """Forget who is signed in, without any page noticing."""
        self._memory.cookies.clear()

    def set_online(self, *, online: bool) -> None:
        """Cut or restore the network, with `online` and `offline` events."""
        self.run(self._set_online(online))

    async def _set_online(self, online: bool) -> None:
        self._memory.set_online(online=online)
        await asyncio.sleep(_MOMENT)

    def advance(self, seconds: float) -> None:
        """Let time pass: timers fire, sessions end."""
        self.run(asyncio.sleep(seconds))

    def run(self, work: Coroutine[Any, Any, T], *, tab: Tab | None = None) -> T:
        """Run a coroutine to its end, on virtual time, in a tab if one is given."""
        if self._is_closed:
            work.close()
            raise RuntimeError("this Browser is closed. Make a new one: Browser()")
        context = tab.context if tab else None
        return self._thread.submit(self._runner.run, work, context=context).result()

    def _time(self) -> float:
        return self._runner.get_loop().time()


class Tab:
    """A page of a `Browser`, with what it shows.

    Attributes:
        document: Its elements: ``tab.document.soup`` is all of it, for Beautiful Soup.
        visited: The URLs that the page was sent to, in order. The page itself stays, to be looked at.
    """

    def __init__(self, browser: Browser, memory: MemoryBrowser, path: str, html: str) -> None:
        try:
            from .document import Document  # noqa: PLC0415 - only those who open tabs need Beautiful Soup
        except ImportError as error:
            raise ImportError('this needs Beautiful Soup: pip install "nextauth-py[testing]"') from error

        self._browser = browser
        self._host = _PageHost(memory, len(memory.tabs), memory.origin + path)
        self._host.started = browser.server.now() + memory.clock_error
        memory.tabs.append(self._host)
        self.document: Document = Document(html, self._host)
        self._host.document = self.document
        self._host.context = self.context = copy_context()
        self.context.run(enter, self._host)

    # --- what it does ---

    def run(self, page: str | Path | Callable[[], Any] | Coroutine[Any, Any, Any]) -> Any:
        """Run Python as the page would.

        Args:
            page: The path of a script, which may have a top-level ``await``; a function, which may be async;
                or a coroutine.

        Returns:
            What the function or the coroutine returns; of a script, its names.
        """
        return self._do(lambda: _start(page))

    def click(self, selector: str, *, text: str | None = None) -> None:
        """Click on the first element that matches, and has the text in it. See `find`."""
        self._do(lambda: self.document.click(self.document.find(selector, text=text)))

    def fill(self, selector: str, value: str) -> None:
        """Type a text into a field, in place of what is in it."""
        self._do(lambda: self.document.fill(self.document.find(selector), value))

    def submit(self, selector: str = "form") -> None:
        """Send a form off, as the Enter key does."""
        self._do(lambda: self.document.submit(self.document.find(selector)))

    def finish_popup(self, username: str | None = None, *, error: str | None = None) -> None:
        """Complete the sign-in in the window that the page opened last, or have it refused.

        Args:
            username: Who signs in; added to the server if it does not know them.
            error: Why the sign-in is refused, such as ``"AccessDenied"``.

        Raises:
            LookupError: The page has opened no window, or it is closed.
        """
        window = self._popup()
        if username:
            self._browser.sign_in_as(username)
        shown = parse_qs(urlsplit(window.visited[-1]).query).get("callbackUrl", [""])[0]
        url = shown or self._browser.cookies[self._browser.server.callback_cookie]
        self._do(lambda: window.land(join(self._host.url, url), **({"error": error} if error else {})))

    def close_popup(self) -> None:
        """Close the window that the page opened last, as a visitor does who changes their mind.

        Raises:
            LookupError: As `finish_popup`.
        """
        self._do(self._popup().close)

    def _popup(self) -> MemoryWindow:
        if not self._host.windows or not self._host.windows[-1].is_open:
            raise LookupError("no window is open: the page has opened none, or it is closed")
        return self._host.windows[-1]

    @property
    def allows_popups(self) -> bool:
        """Whether the browser lets the page open windows, as real ones do after a click. By default True."""
        return self._host.allows_windows

    @allows_popups.setter
    def allows_popups(self, is_allowed: bool) -> None:
        self._host.allows_windows = is_allowed

    def hide(self) -> None:
        """Bring another tab into view."""
        self._do(lambda: self._host.set_visible(visible=False))

    def show(self) -> None:
        """Bring this tab into view."""
        self._do(lambda: self._host.set_visible(visible=True))

    def leave(self) -> None:
        """Go to another site; the browser keeps the page to come back to."""
        self._do(lambda: self._host.change_lifecycle("left"))

    def come_back(self) -> None:
        """Press Back: the page is as it was left."""
        self._do(lambda: self._host.change_lifecycle("restored"))

    def close(self) -> None:
        """End the page."""
        self._do(lambda: registry.close_all(self._host))

    def _do(self, act: Callable[[], Any]) -> Any:
        async def do() -> Any:
            result = act()
            if inspect.isawaitable(result):
                result = await result
            await asyncio.sleep(_MOMENT)
            return result

        return self._browser.run(do(), tab=self)

    # --- what it shows ---

    def find(self, selector: str, *, text: str | None = None) -> Element:
        """The first element that matches a CSS selector, and has the text in it.

        Raises:
            LookupError: There is none. The error shows the page.
        """
        return self.document.find_or_make(selector, text=text)

    def text(self, selector: str) -> str:
        """An element's text, with whitespace collapsed."""
        return self.find(selector).text

    def html(self, selector: str) -> str:
        """An element's inner HTML."""
        return self.find(selector).innerHTML

    @property
    def provider(self) -> SessionProvider[Any]:
        """The page's current provider.

        Raises:
            LookupError: None has been started.
        """
        found = self.context.copy().run(current_provider)  # it may be entered just now
        if found is None:
            raise LookupError("this page has started no SessionProvider")
        return found

    @property
    def state(self) -> SessionState[Any]:
        """The session of the page's provider."""
        return self.provider.state

    @property
    def visited(self) -> list[str]:
        """The URLs that the page was sent to, in order. The page itself stays, to be looked at."""
        return self._host.visited

    @property
    def errors(self) -> list[BaseException]:
        """Exceptions of components, handlers and background tasks, as the console would show them."""
        return [error for _, error in self._host.reports]


class _PageHost(MemoryHost):
    """A tab whose page may have a session embedded."""

    def take_embedded_session(self) -> str | None:
        return self.document.take_session()


def _start(page: Any) -> Any:
    if isinstance(page, (str, Path)):
        return _run_script(Path(page).read_bytes(), str(page))
    return page() if callable(page) else page


async def _run_script(source: bytes, path: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "__main__", "__file__": path}
    code = compile(source, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    try:
        result = eval(code, names)  # noqa: S307 - the user's own page
        if inspect.iscoroutine(result):
            await result
    except ModuleNotFoundError as error:
        if error.name in _OF_BROWSERS:
            error.add_note("Only a real browser has it: test this page with Playwright. See docs/testing.md.")
        raise
    return names
