"""A browser in memory: several tabs, a cookie jar, a network and a clock that a test moves.

Everything runs on one event loop whose time jumps ahead whenever all tasks wait (see `network`), so a test of
a day takes milliseconds and gives the same result every time.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

from ..core.server_clock import parse_date
from ..core.urls import join
from .network import Network
from .passkeys import Authenticator, MemoryPasskeys

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Context

    from ..core.wire import Request, Response
    from ..host.base import Channel, Lifecycle, Prefetched, Undo, View
    from .document import Document, Element
    from .network import Server

T = TypeVar("T")

# The virtual clock begins on a round date, so that times in failing tests can be read.
_EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z


class MemoryBrowser:
    """The state that the tabs of one browser share.

    Attributes:
        deliveries: After how many seconds each message between two tabs arrives: never if there is no number,
            twice if there are two.
        locks: Who has or waits for each lock, in order.
        clock_error: Seconds that the machine's clock is ahead of the true time, which is the server's.
        authenticator: Its passkeys.
    """

    def __init__(self, server: Server, *, origin: str = "https://app.example") -> None:
        self.origin = origin
        self.network = Network(server, self.true_time)
        self.clock_error = 0.0
        self.authenticator = Authenticator()
        self._slept = 0.0
        self.cookies: dict[str, str] = {}
        self.storage: dict[str, str] = {}
        self.tabs: list[MemoryHost] = []
        self.locks: dict[str, list[_LockRequest]] = {}
        self.deliveries: Callable[[], list[float]] = lambda: [0.0]

    def open_tab(self, path: str = "/") -> MemoryHost:
        """A new page of the origin."""
        tab = MemoryHost(self, len(self.tabs), self.origin + path)
        self.tabs.append(tab)
        return tab

    def true_time(self) -> float:
        """Seconds since the epoch, whatever the machine's clock says."""
        return self.start + asyncio.get_running_loop().time()

    @property
    def start(self) -> float:
        """The true time, in seconds since the epoch, at the start of the event loop's."""
        return _EPOCH + self._slept

    def sleep(self, seconds: float) -> None:
        """Close the laptop for so long: time passes, and no timer fires."""
        self._slept += seconds

    def set_cookies(self, cookies: Mapping[str, str | None]) -> None:
        for name, value in cookies.items():
            if value is None:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value

    def set_online(self, *, online: bool) -> None:
        """Cut or restore the network, and tell the pages."""
        self.network.online = online
        for tab in self.tabs:
            tab.notify(tab.online_listeners)


class MemoryHost:
    """One tab.

    Attributes:
        browser: The browser that it is a tab of.
        visited: The URLs that the page was sent to, in order. The page stays: a test looks at it.
        reports: What a developer would read in the console as errors.
        lines: What a developer would read there besides.
        environment: The page's environment variables.
        embedded: The text of the session element of the page, or None.
        started: When the page began to load, in seconds since the epoch; None for "just now".
        kept: What the tab's sessionStorage has. The next page of the tab has it too: hand it on.
        windows: The windows that the page has opened, in order.
        allows_windows: Whether the browser lets the page open one, as it does when the user has just acted.
        has_channels: Whether there is a BroadcastChannel. Likewise has_storage, has_locks.
    """

    def __init__(self, browser: MemoryBrowser, number: int, url: str) -> None:
        self.browser = browser
        self.is_page = True
        self.has_channels = self.has_storage = self.has_locks = True
        self.is_frozen = self.has_crashed = False
        self.context: Context | None = None  # in which the tab's code runs, where that matters
        self._frozen_calls: list[Callable[[], None]] = []
        self._thawed = asyncio.Event()
        self._number = number
        self._sending: set[asyncio.Task[Any]] = set()
        self._aborted: set[asyncio.Task[Any]] = set()
        self.url = url
        self.visible = True
        self.focused = True
        self.visited: list[str] = []
        self.windows: list[MemoryWindow] = []
        self.allows_windows = True
        self.reloads = 0
        self.reports: list[tuple[str, BaseException]] = []
        self.environment: dict[str, str] = {}
        self.embedded: str | None = None
        self.started: float | None = None
        self.prefetched: dict[str, Prefetched] = {}
        self.kept: dict[str, str] = {}
        self.timers: set[asyncio.TimerHandle] = set()
        self.channels: list[_MemoryChannel] = []
        self.storage_listeners: list[tuple[str, Callable[[str | None], None]]] = []
        self.answer_listeners: list[Callable[[str, float, float], None]] = []
        self.visibility_listeners: list[Callable[[], None]] = []
        self.online_listeners: list[Callable[[], None]] = []
        self.focus_listeners: list[Callable[[], None]] = []
        self.use_listeners: list[Callable[[], None]] = []
        self.lifecycle_listeners: list[Callable[[Lifecycle], None]] = []
        self.lines: list[str] = []
        self.lock_requests: list[_LockRequest] = []
        self._posted = 0

    @property
    def open_resources(self) -> int:
        """Timers, channels, locks and listeners that are still open."""
        live = (
            self.timers,
            self.channels,
            self.storage_listeners,
            self.answer_listeners,
            self.visibility_listeners,
            self.online_listeners,
            self.focus_listeners,
            self.use_listeners,
            self.lifecycle_listeners,
            self.lock_requests,
        )
        return sum(len(each) for each in live)

    def set_visible(self, *, visible: bool) -> None:
        """Bring the tab into view, or hide it."""
        self.visible = visible
        self.notify(self.visibility_listeners)

    def use(self) -> None:
        """Touch a key, or the page."""
        listeners, self.use_listeners[:] = list(self.use_listeners), []
        self.notify(listeners)

    def focus(self) -> None:
        """Give the window the focus."""
        self.notify(self.focus_listeners)

    def notify(self, listeners: list[Callable[[], None]]) -> None:
        for listener in list(listeners):
            asyncio.get_running_loop().call_soon(self.when_thawed, listener)

    def change_lifecycle(self, change: Lifecycle) -> None:
        """Do to the page what browsers do. A frozen page hears, fires and receives nothing until thawed."""
        if change in {"thawed", "restored"}:
            self.is_frozen = False
            self._thawed.set()
        for listener in list(self.lifecycle_listeners):
            listener(change)
        if change in {"frozen", "left"}:
            self.is_frozen = True
            self._thawed.clear()
        if not self.is_frozen:
            calls, self._frozen_calls = self._frozen_calls, []
            for call in calls:
                asyncio.get_running_loop().call_soon(self.when_thawed, call)

    def follow_link(self) -> None:
        """Begin to leave the page as Firefox does: abort its requests, long before it is left, if it is."""
        for task in self._sending:
            self._aborted.add(task)
            task.cancel()

    def crash(self) -> None:
        """Crash: the tab stops without notice, and the browser releases its locks."""
        self.is_frozen = self.has_crashed = True
        self._thawed.clear()
        self._frozen_calls.clear()
        for request in list(self.lock_requests):
            self._end(request)

    def when_thawed(self, call: Callable[[], None]) -> None:
        """Call at once, or when the page is no longer frozen."""
        if self.is_frozen:
            self._frozen_calls.append(call)
        elif self.context:
            self.context.copy().run(call)
        else:
            call()

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - as the protocol says
        task = asyncio.current_task()
        assert task  # noqa: S101 - coroutines run in tasks
        self._sending.add(task)
        try:
            async with asyncio.timeout(timeout):
                response = await self.browser.network.carry(request, self.browser, self._number)
        except asyncio.CancelledError:
            # A page that gives up at the same moment has cancelled the task once more.
            if task not in self._aborted or task.uncancel():
                raise
            raise ConnectionAbortedError("the page is being left") from None
        finally:
            self._sending.discard(task)
            self._aborted.discard(task)
        if self.is_frozen:
            await self._thawed.wait()
        return response

    def now(self) -> float:
        return self.browser.true_time() + self.browser.clock_error

    def page_started(self) -> float:
        return self.now() if self.started is None else self.started

    def parse_date(self, text: str) -> float | None:
        return parse_date(text)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Undo:
        cancelled: list[bool] = []

        def fire() -> None:
            self.timers.discard(timer)
            self.when_thawed(lambda: None if cancelled else callback())

        def cancel() -> None:
            cancelled.append(True)
            timer.cancel()
            self.timers.discard(timer)

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self.timers.add(timer)
        return cancel

    def open_channel(self, name: str, heard: Callable[[object], None]) -> Channel | None:
        if not self.has_channels:
            return None
        channel = _MemoryChannel(self.browser, self, name, heard)
        self.channels.append(channel)
        return channel

    def request_lock(self, name: str, granted: Callable[[], None]) -> Undo | None:
        if not self.has_locks:
            return None
        request = _LockRequest(name, granted, self)
        self.lock_requests.append(request)
        self.browser.locks.setdefault(name, []).append(request)
        self._grant(name)
        return lambda: self._end(request)

    def _end(self, request: _LockRequest) -> None:
        if request in self.lock_requests:
            self.lock_requests.remove(request)
            self.browser.locks[request.name].remove(request)
            self._grant(request.name)

    def _grant(self, name: str) -> None:
        queue = self.browser.locks[name]
        if queue and not queue[0].is_granted:
            queue[0].is_granted = True
            asyncio.get_running_loop().call_soon(queue[0].grant)

    def store(self, key: str, text: str) -> None:
        if not self.has_storage:
            return
        if self.browser.storage.get(key) == text:
            return  # a write that changes nothing fires no event, in browsers too
        self.browser.storage[key] = text
        for tab in self.browser.tabs:
            if tab is not self:
                tab.hear_stored(key, text)

    def stored(self, key: str) -> str | None:
        return self.browser.storage.get(key) if self.has_storage else None

    def keep(self, key: str, text: str) -> bool:
        if self.has_storage:
            self.kept[key] = text
        return self.has_storage

    def take_kept(self, key: str) -> str | None:
        return self.kept.pop(key, None)

    def hear_stored(self, key: str, text: str) -> None:
        for wanted, heard in list(self.storage_listeners):
            if wanted == key:
                asyncio.get_running_loop().call_soon(self.when_thawed, partial(heard, text))

    def on_stored(self, key: str, heard: Callable[[str | None], None]) -> Undo:
        return _add(self.storage_listeners, (key, heard))

    def on_answered(self, heard: Callable[[str, float, float], None]) -> Undo:
        return _add(self.answer_listeners, heard)

    def see_answer(self, path: str, *, began: float) -> None:
        """Another script of the page is answered now. It asked at `began`, in seconds since the epoch."""
        for listener in list(self.answer_listeners):
            listener(path, began, self.now())

    def unique(self) -> str:
        self._posted += 1
        return f"tab{self._number}-{self._posted}"

    def is_visible(self) -> bool:
        return self.visible

    def on_visibility(self, changed: Callable[[], None]) -> Undo:
        return _add(self.visibility_listeners, changed)

    def on_focus(self, focused: Callable[[], None]) -> Undo:
        return _add(self.focus_listeners, focused)

    def on_next_use(self, used: Callable[[], None]) -> Undo:
        self.use_listeners.append(used)
        return lambda: self.use_listeners.remove(used) if used in self.use_listeners else None

    def on_lifecycle(self, changed: Callable[[Lifecycle], None]) -> Undo:
        return _add(self.lifecycle_listeners, changed)

    def is_online(self) -> bool:
        return self.browser.network.online

    def on_online(self, changed: Callable[[], None]) -> Undo:
        return _add(self.online_listeners, changed)

    @cached_property
    def document(self) -> Document:
        """The page's document."""
        from .document import Document  # noqa: PLC0415 - most tests show nothing, and need no Beautiful Soup

        return Document("", self)

    def find_element(self, target: object) -> Element:
        return self.document.resolve(target)

    def make_view(self, element: Element) -> View:
        return self.document.make_view(element)

    def follow(self, href: str) -> None:
        """Do what a link does."""
        self.navigate(join(self.url, href))

    def location(self) -> str:
        return self.url

    def navigate(self, url: str) -> None:
        self.visited.append(url)

    def replace_address(self, url: str) -> None:
        self.url = url

    def reload(self) -> None:
        self.reloads += 1

    def open_window(self) -> MemoryWindow | None:
        if not self.allows_windows:
            return None
        self.windows.append(MemoryWindow(self))
        return self.windows[-1]

    def has_focus(self) -> bool:
        return self.focused

    def popup_page(self) -> str:
        return f"{self.browser.origin}/py/session-popup.html"

    def take_embedded_session(self) -> str | None:
        taken, self.embedded = self.embedded, None
        return taken

    def environ(self) -> Mapping[str, str]:
        return self.environment

    def passkeys(self) -> MemoryPasskeys:
        return MemoryPasskeys(self.browser.authenticator, self.url)

    def find_prefetched(self, path: str) -> Prefetched | None:
        return self.prefetched.get(path)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, line: str) -> None:
        self.lines.append(line)

    def report(self, message: str, error: BaseException) -> None:
        self.reports.append((message, error))


class MemoryWindow:
    """A window that a tab has opened.

    Attributes:
        visited: The URLs that were shown in it, in order.
        is_open: Whether it has not been closed.
        is_cut_off: Whether a page in it has Cross-Origin-Opener-Policy.
    """

    def __init__(self, tab: MemoryHost) -> None:
        self.visited: list[str] = []
        self.is_open = True
        self.is_cut_off = False
        self._tab = tab

    def go(self, url: str) -> None:
        self.visited.append(url)

    def is_closed(self) -> bool:
        return self.is_cut_off or not self.is_open

    def location(self) -> str | None:
        place = self.visited[-1] if self.visited else "about:blank"
        is_hidden = place.startswith("http") and not place.startswith(f"{self._tab.browser.origin}/")
        return None if is_hidden else place

    def close(self) -> None:
        self.is_open = False

    def land(self, url: str, **told: str) -> None:
        """Come to the last page of the way, session-popup.html, at its address; it reports to the page."""
        self.go(f"{url}&{urlencode(told)}" if told else url)
        query = urlsplit(self.visited[-1]).query
        message = {"event": "landed", "nonce": parse_qs(query)["nextauth_popup"][0], "told": f"?{query}"}
        for tab in self._tab.browser.tabs:
            for channel in tab.channels:
                if channel.name == "nextauth_py.popup":
                    channel.receive(json.dumps(message))


@dataclass(slots=True, eq=False)
class _LockRequest:
    """A place in a lock's queue."""

    name: str
    granted: Callable[[], None]
    tab: MemoryHost
    is_granted: bool = False

    def grant(self) -> None:
        if self in self.tab.lock_requests:
            self.tab.when_thawed(self.granted)


class _MemoryChannel:
    """A BroadcastChannel: every other channel of that name hears it, even in the same tab."""

    def __init__(
        self, browser: MemoryBrowser, tab: MemoryHost, name: str, heard: Callable[[object], None]
    ) -> None:
        self._browser = browser
        self._tab = tab
        self.name = name
        self.heard = heard

    def post(self, message: Mapping[str, Any] | str) -> None:
        text = json.dumps(message)
        for tab in [] if self._tab.has_crashed else self._browser.tabs:
            for channel in tab.channels:
                if channel.name == self.name and channel is not self:
                    channel.receive(text)

    def receive(self, text: str) -> None:
        for delay in self._browser.deliveries():
            deliver = partial(self._tab.when_thawed, partial(self._deliver, text))
            loop = asyncio.get_running_loop()
            _ = loop.call_later(delay, deliver) if delay else loop.call_soon(deliver)

    def _deliver(self, text: str) -> None:
        if self in self._tab.channels:
            self.heard(json.loads(text))

    def close(self) -> None:
        self._tab.channels.remove(self)


def _add(listeners: list[T], listener: T) -> Undo:
    listeners.append(listener)
    return lambda: listeners.remove(listener)
