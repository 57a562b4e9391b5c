"""A browser in memory: several tabs, a cookie jar, a network and a clock that a test moves.

Everything runs on one event loop whose time jumps ahead whenever all tasks wait, so a test of a day takes
milliseconds and gives the same result every time.
"""

from __future__ import annotations

import asyncio
import json
import selectors
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ..wire import Request, Response
    from .base import Channel, Lifecycle, Undo

T = TypeVar("T")

# The virtual clock begins on a round date, so that times in failing tests can be read.
_EPOCH = 1_767_225_600.0  # 2026-01-01T00:00:00Z

_TOO_MANY_ROUNDS = 100_000


class _JumpingSelector(selectors.SelectSelector):
    """Instead of waiting, moves the loop's time ahead by the time that it should wait."""

    elapsed = 0.0
    _rounds = 0  # of the loop since time has moved

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("every task waits for something that will never come")
        self._rounds += 1
        if self._rounds > _TOO_MANY_ROUNDS:
            raise RuntimeError("tasks go round and round without ever waiting")
        if not ready and timeout:
            self.elapsed += timeout
            self._rounds = 0
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop on which a sleep of an hour takes no time."""

    def __init__(self) -> None:
        self._virtual = _JumpingSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.elapsed


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on virtual time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer and the cookies that it sets; a cookie set to None is deleted."""

    response: Response
    cookies: Mapping[str, str | None] = field(default_factory=dict)


class Server(Protocol):
    """What the virtual network leads to."""

    def handle(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        """Answer a request at once. Delays are the network's business."""
        ...


@dataclass(slots=True)
class Exchange:
    """One request as the network saw it."""

    method: str
    path: str
    tab: int
    aborted: bool = False


class Network:
    """Carries requests, slowly if told so; can lose them, and can hold answers back.

    Attributes:
        latency: Seconds each way.
        online: Whether anything arrives at all.
        log: Every request, in the order in which they were sent.
    """

    def __init__(self, server: Server) -> None:
        self.latency = 0.0
        self.online = True
        self.log: list[Exchange] = []
        self._server = server
        self._instead: list[tuple[str, Answer | OSError]] = []
        self._gates: list[tuple[str, asyncio.Event]] = []

    def hold(self, route: str) -> asyncio.Event:
        """Hold the answer to the next request, like ``"GET /api/auth/session"``, until the event is set.

        The server has handled the request by then: it is the answer that is late.
        """
        gate = asyncio.Event()
        self._gates.append((route, gate))
        return gate

    def answer_next(self, route: str, answer: Answer | OSError, *, times: int = 1) -> None:
        """Answer the next requests of a route with this instead of asking the server."""
        self._instead += [(route, answer)] * times

    def calm(self) -> None:
        """Hold back and replace no further answers."""
        self._instead.clear()
        self._gates.clear()

    def count(self, route: str) -> int:
        """How many requests of a route were sent."""
        return sum(f"{each.method} {each.path}" == route for each in self.log)

    async def carry(self, request: Request, browser: MemoryBrowser, tab: int) -> Response:
        exchange = Exchange(request.method, urlsplit(request.url).path, tab)
        self.log.append(exchange)
        try:
            return await self._carry(request, f"{exchange.method} {exchange.path}", browser)
        except asyncio.CancelledError:
            exchange.aborted = True
            raise

    async def _carry(self, request: Request, route: str, browser: MemoryBrowser) -> Response:
        await asyncio.sleep(self.latency)
        if not self.online:
            raise OSError("the network is down")
        gate = _take(self._gates, route)
        answer = _take(self._instead, route) or self._server.handle(request, dict(browser.cookies))
        if gate:
            await gate.wait()
        await asyncio.sleep(self.latency)
        if isinstance(answer, OSError):
            raise answer
        browser.set_cookies(answer.cookies)
        return answer.response


def _take(waiting: list[tuple[str, T]], route: str) -> T | None:
    """Remove and return the first entry for a route."""
    for index, (wanted, value) in enumerate(waiting):
        if wanted == route:
            del waiting[index]
            return value
    return None


class MemoryBrowser:
    """What the tabs of one browser share.

    Attributes:
        deliveries: After how many seconds each message between two tabs arrives: never if there is no number,
            twice if there are two.
        locks: Who has or waits for each lock, in order.
    """

    def __init__(self, server: Server, *, origin: str = "https://app.example") -> None:
        self.origin = origin
        self.network = Network(server)
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
        reports: What a developer would read in the console.
        environment: The page's environment variables.
        embedded: The text of the session element of the page, or None.
        has_channels: Whether there is a BroadcastChannel. Likewise has_storage, has_locks.
    """

    def __init__(self, browser: MemoryBrowser, number: int, url: str) -> None:
        self.browser = browser
        self.has_channels = self.has_storage = self.has_locks = True
        self.is_frozen = self.has_crashed = False
        self._frozen_calls: list[Callable[[], None]] = []
        self._thawed = asyncio.Event()
        self._number = number
        self.url = url
        self.visible = True
        self.visited: list[str] = []
        self.reloads = 0
        self.reports: list[tuple[str, BaseException]] = []
        self.environment: dict[str, str] = {}
        self.embedded: str | None = None
        self.timers: set[asyncio.TimerHandle] = set()
        self.channels: list[_MemoryChannel] = []
        self.storage_listeners: list[tuple[str, Callable[[str | None], None]]] = []
        self.visibility_listeners: list[Callable[[], None]] = []
        self.online_listeners: list[Callable[[], None]] = []
        self.lifecycle_listeners: list[Callable[[Lifecycle], None]] = []
        self.lock_requests: list[_LockRequest] = []
        self._posted = 0

    @property
    def open_resources(self) -> int:
        """Timers, channels, locks and listeners that nobody has closed."""
        live = (
            self.timers,
            self.channels,
            self.storage_listeners,
            self.visibility_listeners,
            self.online_listeners,
            self.lifecycle_listeners,
            self.lock_requests,
        )
        return sum(len(each) for each in live)

    def set_visible(self, *, visible: bool) -> None:
        """Bring the tab into view, or hide it."""
        self.visible = visible
        self.notify(self.visibility_listeners)

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
                asyncio.get_running_loop().call_soon(call)

    def crash(self) -> None:
        """End without a word: nothing is heard or done any more, and the browser gives back the locks."""
        self.is_frozen = self.has_crashed = True
        self._thawed.clear()
        self._frozen_calls.clear()
        for request in list(self.lock_requests):
            self._end(request)

    def when_thawed(self, call: Callable[[], None]) -> None:
        """Call at once, or when the page is no longer frozen."""
        if self.is_frozen:
            self._frozen_calls.append(call)
        else:
            call()

    async def send(self, request: Request, *, timeout: float) -> Response:  # noqa: ASYNC109 - as the protocol says
        async with asyncio.timeout(timeout):
            response = await self.browser.network.carry(request, self.browser, self._number)
        if self.is_frozen:
            await self._thawed.wait()
        return response

    def now(self) -> float:
        return _EPOCH + asyncio.get_running_loop().time()

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

    def hear_stored(self, key: str, text: str) -> None:
        for wanted, heard in list(self.storage_listeners):
            if wanted == key:
                asyncio.get_running_loop().call_soon(self.when_thawed, partial(heard, text))

    def on_stored(self, key: str, heard: Callable[[str | None], None]) -> Undo:
        return _add(self.storage_listeners, (key, heard))

    def unique(self) -> str:
        self._posted += 1
        return f"tab{self._number}-{self._posted}"

    def is_visible(self) -> bool:
        return self.visible

    def on_visibility(self, changed: Callable[[], None]) -> Undo:
        return _add(self.visibility_listeners, changed)

    def on_lifecycle(self, changed: Callable[[Lifecycle], None]) -> Undo:
        return _add(self.lifecycle_listeners, changed)

    def is_online(self) -> bool:
        return self.browser.network.online

    def on_online(self, changed: Callable[[], None]) -> Undo:
        return _add(self.online_listeners, changed)

    def location(self) -> str:
        return self.url

    def navigate(self, url: str) -> None:
        self.visited.append(url)

    def reload(self) -> None:
        self.reloads += 1

    def take_embedded_session(self) -> str | None:
        taken, self.embedded = self.embedded, None
        return taken

    def environ(self) -> Mapping[str, str]:
        return self.environment

    def report(self, message: str, error: BaseException) -> None:
        self.reports.append((message, error))


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
