"""Stories of a browser: tabs whose calls overlap on a line that is slow, fails and holds answers back.

Python's own random numbers or those of Hypothesis make the plans; both play them here.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any

from nextauth_py import ClientFetchError, NextAuthError, SessionProvider, SessionState, SignInResult
from nextauth_py.core.wire import Request
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer, run

from .unit.fake_server import EXPIRES, SESSION_COOKIE, USERS, FakeServer

ROUTES = [
    "GET /api/auth/session",
    "GET /api/auth/csrf",
    "GET /api/auth/providers",
    "POST /api/auth/session",
    "POST /api/auth/callback/credentials",
    "POST /api/auth/signout",
]
LATENCIES = [0.0, 0.02, 0.3, 1.0, 1.7, 2.4, 4.0, 5.0]
TIMEOUTS = [3.0, 5.0, 10.0, 30.0]
INTERVALS = [0.0, 0.0, 2.0, 10.0, 60.0]
WAITS = [0.0, 0.0, 0.01, 0.4, 1.0, 3.0, 8.0]
HELD = [0.1, 1.0, 3.0, 9.0, 25.0]
DAY = 86_400.0
CALLS = [
    "sign in alice",
    "sign in bob",
    "sign in mallory",
    *["sign out"] * 3,
    "update",
    "update",
    "read",
    "refetch",
]
FAULTS = ["latency", "hold", "hold", "token", "clock", "down", "assign", "close", "crash", "open", "embedded"]

# The longest mutation of the slowest tab, and then what a server that was down is waited for.
_MUTATION, _QUIET = 15 * 30.0, 150.0
_STORM = 3000  # requests


@dataclass(frozen=True)
class Tab:
    """The options of a tab, and whether its listener calls back."""

    timeout: float
    interval: float
    calls_back: bool


@dataclass(frozen=True)
class Step:
    """What happens after some seconds, in one of the tabs or to the network."""

    wait: float
    tab: int
    what: str
    value: Any = None


@dataclass(frozen=True)
class Plan:
    """A story to play."""

    signed_in: bool
    latency: float
    tabs: list[Tab]
    steps: list[Step]


def make_plan(random: Random, *, most_tabs: int = 3) -> Plan:
    """A story by these random numbers: half of them of anything, half of a mutation on a slow line."""
    count = random.randint(1, most_tabs)
    if random.random() < 0.5:
        tabs = [_make_tab(random, INTERVALS) for _ in range(count)]
        steps = [_make_step(random, count) for _ in range(random.randint(0, 9))]
        return Plan(random.random() < 0.7, random.choice(LATENCIES), tabs, steps)
    tabs = [_make_tab(random, [0.0, 2.0]) for _ in range(count)]
    before = [
        _make_step(random, count, ["token", "token", "hold", "clock"]) for _ in range(random.randint(0, 2))
    ]
    mutation = Step(random.choice(WAITS), 0, random.choice(["sign out", "sign out", "update"]))
    during = [
        _make_step(random, count, ["hold", "hold", "read", "token"]) for _ in range(random.randint(0, 4))
    ]
    return Plan(True, random.choice(LATENCIES[3:]), tabs, [*before, mutation, *during])


def _make_tab(random: Random, intervals: list[float]) -> Tab:
    return Tab(random.choice(TIMEOUTS), random.choice(intervals), random.random() < 0.3)


def _make_step(random: Random, tabs: int, kinds: list[str] | None = None) -> Step:
    what = random.choice(kinds or (CALLS if random.random() < 0.6 else FAULTS))
    values: dict[str, Any] = {
        "latency": LATENCIES,
        "hold": [(route, seconds) for route in [ROUTES[0]] * 4 + ROUTES for seconds in HELD],
        "token": [1, 2],
        "clock": [2 * DAY, -2 * DAY, 5.0, -5.0],
        "down": HELD,
        "assign": ["carol", "alice", None],
        "embedded": ["alice", None],
    }
    value = random.choice(values[what]) if what in values else None
    return Step(random.choice(WAITS), random.randrange(tabs), what, value)


class Witness(FakeServer):
    """Remembers what it has granted, in order: "in", "out" or "update"."""

    def __init__(self) -> None:
        super().__init__()
        self.granted: list[str] = []

    def handle(self, request: Request, cookies: Any) -> Answer:
        answer = super().handle(request, cookies)
        if request.method == "POST" and SESSION_COOKIE in answer.cookies:
            kind = "in" if "/callback/" in request.url else "update"
            self.granted.append("out" if answer.cookies[SESSION_COOKIE] is None else kind)
        return answer


def name_of(text: str | None) -> str | None:
    return None if text is None else json.loads(text)["name"]


def name_in(state: SessionState) -> str | None:
    return state.data.user.name if state.data and state.data.user else None


@dataclass
class World:
    """A browser in which a plan is played, and what is false in it."""

    plan: Plan
    lies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = Witness()
        self.browser = MemoryBrowser(self.server)
        self.server.now = self.browser.true_time
        self.tabs: list[SessionProvider] = []
        self.heard: dict[SessionProvider, SessionState] = {}
        self.calls: dict[asyncio.Task[None], SessionProvider] = {}
        self.signed_out: int | None = None  # what the server had granted when the last sign-out succeeded
        self.updated: int | None = None  # likewise, the last update
        self.name: str | None = None  # that it returned
        self.has_crashed = False

    async def play(self) -> list[str]:
        """Play it, and return what is false."""
        if self.plan.signed_in:
            self.browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
        self.browser.network.latency = self.plan.latency
        for tab in self.plan.tabs:
            self._open(tab)
        for step in self.plan.steps:
            await asyncio.sleep(step.wait)
            self._do(step)
        await self._calm_down()
        self._judge()
        await self._end()
        return self.lies

    # --- what happens ---

    def _open(self, tab: Tab, embedded: str | None = None) -> SessionProvider:
        host = self.browser.open_tab()
        host.embedded = embedded
        provider = SessionProvider(host=host, timeout=tab.timeout, refetch_interval=tab.interval)
        if tab.calls_back:
            provider.subscribe(lambda _state: self._spawn(provider, "read"))
        provider.subscribe(lambda state: self.heard.__setitem__(provider, state))
        self.tabs.append(provider.start())
        return provider

    def _do(self, step: Step) -> None:
        provider = self.tabs[step.tab]
        host = host_of(provider)
        network = self.browser.network
        if step.what == "latency":
            network.latency = step.value
        elif step.what == "hold":
            gate = network.hold(step.value[0])
            asyncio.get_running_loop().call_later(step.value[1], gate.set)
        elif step.what == "token":
            self.server.refused_csrf_posts = step.value
        elif step.what == "clock":
            self.browser.clock_error += step.value
        elif step.what == "down":
            self.server.is_down = True
            asyncio.get_running_loop().call_later(step.value, setattr, self.server, "is_down", False)
        elif step.what in {"open", "embedded"}:
            self._replace(step)
        elif provider not in self.living:
            return
        elif step.what == "assign":
            provider.session = step.value and {"user": {"name": step.value}, "expires": EXPIRES}
        elif step.what == "close":
            self._close(provider)
        elif step.what == "crash":
            self.has_crashed = True
            host.crash()
        else:
            self._spawn(provider, step.what)

    def _replace(self, step: Step) -> None:
        """Reload a tab, with a session in its page if the step says so."""
        self._close(self.tabs[step.tab])
        embedded = None
        if step.what == "embedded":
            name = name_of(self.browser.cookies.get(SESSION_COOKIE))
            embedded = json.dumps({"user": {"name": name}, "expires": EXPIRES} if name else {})
        self._open(self.plan.tabs[step.tab], embedded)
        self.tabs[step.tab] = self.tabs.pop()

    def _spawn(self, provider: SessionProvider, what: str) -> None:
        task = asyncio.get_running_loop().create_task(self._call(provider, what))
        self.calls[task] = provider
        task.add_done_callback(self.calls.pop)

    def _close(self, provider: SessionProvider) -> None:
        """Close a page, in the middle of whatever it does."""
        for call, caller in self.calls.items():
            if caller is provider:
                call.cancel()
        provider.close()

    async def _call(self, provider: SessionProvider, what: str) -> None:
        granted = len(self.server.granted)
        try:
            result = await self._start(provider, what)
        except (NextAuthError, RuntimeError):  # it is closed
            return
        new = self.server.granted[granted:]
        if isinstance(result, SignInResult) and result.ok and "in" not in new:
            self.lies.append("a sign-in that the server did not grant")
        if what == "update" and result:
            self.updated, self.name = len(self.server.granted), result.user.name
            if "update" not in new:
                self.lies.append("an update that the server did not grant")
        if what == "sign out":
            if "out" not in new:
                self.lies.append("a sign-out that the server did not grant")
            self.signed_out = len(self.server.granted)

    async def _start(self, provider: SessionProvider, what: str) -> Any:
        if what.startswith("sign in"):
            name = what.rpartition(" ")[2]
            password = USERS.get(name, "?")
            return await provider.sign_in("credentials", username=name, password=password, redirect=False)
        if what == "sign out":
            return await provider.sign_out(redirect=False)
        if what == "update":
            return await provider.update({"name": f"renamed {len(self.server.granted)}"})
        return await (provider.get_session() if what == "read" else provider.refetch())

    # --- what must be true ---

    @property
    def living(self) -> list[SessionProvider]:
        return [each for each in self.tabs if not each.engine.is_closed and not host_of(each).has_crashed]

    async def _calm_down(self) -> None:
        if self.calls:
            await asyncio.wait(set(self.calls), timeout=_MUTATION)
        self.browser.network.calm()
        self.browser.network.latency = 0.02
        self.server.is_down = False
        self.server.refused_csrf_posts = 0
        for provider in self.living:
            provider.refetch_interval = 60
        await asyncio.sleep(_QUIET)
        if any(step.what in {"assign", "embedded"} for step in self.plan.steps):
            for provider in self.living:  # what a page says itself is believed until the server is asked
                await provider.refetch()
            await asyncio.sleep(1)

    def _judge(self) -> None:
        truth = name_of(self.browser.cookies.get(SESSION_COOKIE))
        shown = [name_in(provider.state) for provider in self.living]
        if set(shown) - {truth}:
            self.lies.append(f"{shown} shown, {truth} signed in")
        if any(isinstance(provider.state.error, ClientFetchError) for provider in self.living):
            self.lies.append("an error is left")
        # What a crashed tab has under way is answered all the same, and nobody knows.
        is_out = self.signed_out is not None and "in" not in self.server.granted[self.signed_out :]
        if is_out and truth and not self.has_crashed:
            self.lies.append(f"signed out, and {truth} is signed in again")
        if self.updated == len(self.server.granted) and not self.has_crashed and truth != self.name:
            self.lies.append(f"updated to {self.name}, and {truth} is signed in")
        for provider in self.living:
            heard = self.heard.get(provider)
            if heard and (heard.status, name_in(heard)) != (provider.state.status, name_in(provider.state)):
                self.lies.append("a listener has heard an older state last")
            self.lies += [f"reported: {report}" for report in host_of(provider).reports]
        if len(self.browser.network.log) > _STORM:
            self.lies.append("a storm of requests")

    async def _end(self) -> None:
        for provider in self.tabs:
            provider.close()
        calls = set(self.calls)
        for call in calls:
            call.cancel()
        if calls:
            await asyncio.wait(calls)
        await asyncio.sleep(1)


def host_of(provider: SessionProvider) -> MemoryHost:
    """The memory tab of a provider."""
    assert isinstance(provider.host, MemoryHost)
    return provider.host


def tell(plan: Plan) -> list[str]:
    """Play a plan on virtual time, and return what is false in it."""
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop running in the main one
        return thread.submit(run, World(plan).play()).result()
