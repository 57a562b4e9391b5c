"""Several tabs whose calls overlap, on a slow network, and that freeze, crash, close, are left and come back.

Two worlds. In the first no message is lost and every tab lives: then the cookie is what the server granted
last, whatever was held back anywhere. In the second messages are late, doubled and lost, and tabs fail: then,
once all is quiet, all tabs that live show what is true.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nextauth_py import NextAuthError, SessionProvider, SessionState
from nextauth_py.core.wire import Request
from nextauth_py.host.base import Lifecycle
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer, run
from tests.world import ROUTES

from .conftest import name_in
from .fake_server import SESSION_COOKIE, USERS, FakeServer

TABS = 3
TIMEOUTS = [5.0, 12.0, 30.0]
INTERVAL = 60.0
QUIET = 5 * INTERVAL
STORM = 1000  # requests

CALLS = ["sign in alice", "sign in bob", "sign in mallory", "sign out", "update", "read", "read", "refetch"]
FATES = ["freeze", "thaw", "crash", "follow a link", "leave", "restore", "close", "open", "hide", "show"]
WAITS = st.sampled_from([0.0, 0.002, 0.1, 0.4, 1.0, 3.0])


@dataclass(frozen=True)
class Step:
    """What one tab does, after some seconds; and how long the next answer of a route is held back."""

    wait: float
    tab: int
    what: str
    route: str
    held_for: float | None


def steps(what: list[str]) -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        WAITS,
        st.integers(0, TABS - 1),
        st.sampled_from(what),
        st.just(ROUTES[0]) | st.sampled_from(ROUTES),
        st.none() | st.sampled_from([0.1, 1.0, 3.0]),
    )
    return st.lists(step, max_size=10)


class Witness(FakeServer):
    """Remembers the last thing that it has granted: a name, or None for a sign-out."""

    granted: str | None = None
    requests = 0

    def handle(self, request: Request, cookies: Any) -> Answer:
        self.requests += 1
        answer = super().handle(request, cookies)
        if request.method == "POST" and SESSION_COOKIE in answer.cookies:
            self.granted = name_of(answer.cookies[SESSION_COOKIE])
        return answer


def name_of(cookie: str | None) -> str | None:
    return None if cookie is None else json.loads(cookie)["name"]


@dataclass
class Story:
    """A browser, and what is false in it."""

    browser: MemoryBrowser
    lies: list[str] = field(default_factory=list)
    providers: list[SessionProvider] = field(default_factory=list)
    calls: list[asyncio.Task[None]] = field(default_factory=list)

    def open_tab(self) -> None:
        timeout = TIMEOUTS[len(self.browser.tabs) % len(TIMEOUTS)]
        provider = SessionProvider(host=self.browser.open_tab(), timeout=timeout, refetch_interval=INTERVAL)
        provider.subscribe(lambda state: self.look(provider, state))
        self.providers.append(provider.start())

    def look(self, provider: SessionProvider, state: SessionState) -> None:
        if provider.engine.is_closed:
            self.lies.append("a closed tab changed")

    async def call(self, provider: SessionProvider, what: str) -> None:
        try:
            if what.startswith("sign in"):
                name = what.rpartition(" ")[2]
                await provider.sign_in(
                    "credentials", username=name, password=USERS.get(name, "?"), redirect=False
                )
            elif what == "sign out":
                await provider.sign_out(redirect=False)
            elif what == "update":
                await provider.update({"name": f"renamed {len(self.browser.network.log)}"})
            else:
                await (provider.get_session() if what == "read" else provider.refetch())
        except NextAuthError:
            return

    def do(self, step: Step) -> None:
        provider = self.providers[step.tab]
        host = provider.host
        assert isinstance(host, MemoryHost)
        if provider.engine.is_closed or host.has_crashed:
            if step.what == "open":
                self.providers[step.tab].close()
                self.open_tab()
                self.providers[step.tab] = self.providers.pop()
        elif step.what in FATES:
            FATE[step.what](provider, host)
        elif not host.is_frozen:
            self.calls.append(asyncio.create_task(self.call(provider, step.what)))

    @property
    def living(self) -> list[SessionProvider]:
        hosts = {provider: provider.host for provider in self.providers if not provider.engine.is_closed}
        return [each for each, host in hosts.items() if isinstance(host, MemoryHost) and not host.has_crashed]


def thaw(host: MemoryHost, how: Lifecycle) -> None:
    if host.is_frozen:
        host.change_lifecycle(how)


FATE: dict[str, Callable[[SessionProvider, MemoryHost], None]] = {
    "freeze": lambda _, host: None if host.is_frozen else host.change_lifecycle("frozen"),
    "thaw": lambda _, host: thaw(host, "thawed") if host.channels else None,
    "follow a link": lambda _, host: None if host.is_frozen else host.follow_link(),
    "crash": lambda _, host: host.crash(),
    "leave": lambda _, host: None if host.is_frozen else host.change_lifecycle("left"),
    "restore": lambda _, host: None if host.channels else thaw(host, "restored"),
    "close": lambda provider, _: provider.close(),
    "open": lambda *_: None,
    "hide": lambda _, host: host.set_visible(visible=False),
    "show": lambda _, host: host.set_visible(visible=True),
}


async def play(latency: float, steps: list[Step], deliveries: list[list[float]]) -> None:
    server = Witness()
    story = Story(MemoryBrowser(server))
    story.browser.network.latency = latency
    pattern = cycle(deliveries)
    story.browser.deliveries = lambda: next(pattern)
    for _ in range(TABS):
        story.open_tab()
    for step in steps:
        await asyncio.sleep(step.wait)
        if step.held_for is not None:
            gate = story.browser.network.hold(step.route)
            asyncio.get_running_loop().call_later(step.held_for, gate.set)
        story.do(step)
    story.browser.network.calm()
    await asyncio.sleep(QUIET)
    for provider in story.living:
        assert isinstance(provider.host, MemoryHost)
        thaw(provider.host, "thawed" if provider.host.channels else "restored")
    await asyncio.sleep(QUIET)
    truth = name_of(story.browser.cookies.get(SESSION_COOKIE))
    # Nobody polls while signed out; a message that got lost then shows when somebody looks.
    if deliveries != FAITHFUL:
        story.browser.deliveries = lambda: [0.0]
        for provider in story.living:
            await provider.refetch()
    shown = {name_in(provider.state) for provider in story.living}
    assert shown <= {truth}, f"{shown} shown, {truth} signed in"
    if deliveries == FAITHFUL:
        assert truth == server.granted, f"{truth} signed in, {server.granted} granted"
    assert story.lies == []
    assert server.requests < STORM
    for provider in story.living:
        assert provider.host.reports == []  # type: ignore[attr-defined]
        provider.close()
    for call in story.calls:
        call.cancel()  # those of tabs that crashed would wait for ever
    await asyncio.wait(story.calls) if story.calls else None
    assert not any(tab.open_resources for tab in story.browser.tabs if not tab.has_crashed)


def tell(latency: float, plan: list[Step], deliveries: list[list[float]]) -> None:
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop running in the main one
        thread.submit(run, play(latency, plan, deliveries)).result()


FAITHFUL = [[0.001]]
LATENCIES = st.sampled_from([0.01, 0.05, 0.3, 1.7])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(LATENCIES, steps([*CALLS, "hide", "show"]))
def test_the_last_mutation_holds_whatever_was_held_back(latency: float, plan: list[Step]) -> None:
    tell(latency, plan, FAITHFUL)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(
    LATENCIES,
    steps(CALLS + FATES),
    st.lists(st.sampled_from([[0.0], [0.001], [0.2], [0.0, 0.1], []]), min_size=1, max_size=5),
)
def test_tabs_that_live_agree_when_all_is_quiet(
    latency: float, plan: list[Step], deliveries: list[list[float]]
) -> None:
    tell(latency, plan, deliveries)
