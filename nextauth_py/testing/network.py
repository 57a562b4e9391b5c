"""Virtual time, and a virtual network that a test can slow down, cut, and hold answers back in."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from ..core.wire import Request, Response

T = TypeVar("T")

_TOO_MANY_ROUNDS = 100_000


class _JumpingSelector(selectors.SelectSelector):
    """A selector that advances the loop's time instead of waiting."""

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
    """A server at the other end of the virtual network."""

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


class Cookies(Protocol):
    """The cookie jar of a browser.

    Attributes:
        cookies: Its cookies by name.
    """

    cookies: dict[str, str]

    def set_cookies(self, cookies: Mapping[str, str | None]) -> None:
        """Keep cookies; None deletes one."""


class Network:
    """Carries requests, slowly if told so; can lose them, and can hold answers back.

    Args:
        server: Where they go.
        now: The server's clock.

    Attributes:
        latency: Seconds each way.
        online: Whether anything arrives at all.
        tells_time: Whether answers have a Date header, as those of HTTP servers do.
        log: Every request, in the order in which they were sent.
    """

    def __init__(self, server: Server, now: Callable[[], float]) -> None:
        self.latency = 0.0
        self.online = self.tells_time = True
        self.log: list[Exchange] = []
        self._server = server
        self._now = now
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

    async def carry(self, request: Request, browser: Cookies, tab: int) -> Response:
        exchange = Exchange(request.method, urlsplit(request.url).path, tab)
        self.log.append(exchange)
        try:
            return await self._carry(request, f"{exchange.method} {exchange.path}", browser)
        except asyncio.CancelledError:
            exchange.aborted = True
            raise

    async def _carry(self, request: Request, route: str, browser: Cookies) -> Response:
        await asyncio.sleep(self.latency)
        if not self.online:
            raise OSError("the network is down")
        gate = _take(self._gates, route)
        answer = _take(self._instead, route) or self._server.handle(request, dict(browser.cookies))
        date = {"date": formatdate(self._now(), usegmt=True)} if self.tells_time else {}
        if gate:
            await gate.wait()
        await asyncio.sleep(self.latency)
        if isinstance(answer, OSError):
            raise answer
        browser.set_cookies(answer.cookies)
        return replace(answer.response, headers={**date, **answer.response.headers})


def _take(waiting: list[tuple[str, T]], route: str) -> T | None:
    """Remove and return the first entry for a route."""
    for index, (wanted, value) in enumerate(waiting):
        if wanted == route:
            del waiting[index]
            return value
    return None
