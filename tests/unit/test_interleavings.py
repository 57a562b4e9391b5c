"""Calls that overlap in any order, on a network that is slow and fails: what is shown is what is true."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from nextauth_py import NextAuthError, SessionProvider, SessionState, SignInResult
from nextauth_py.core.wire import Request
from nextauth_py.testing.memory import MemoryBrowser
from nextauth_py.testing.network import Answer, run

from .conftest import name_in
from .fake_server import SESSION_COOKIE, USERS, FakeServer, html_answer, json_answer

ROUTES = [
    "GET /api/auth/session",
    "GET /api/auth/csrf",
    "GET /api/auth/providers",
    "POST /api/auth/session",
    "POST /api/auth/callback/credentials",
    "POST /api/auth/signout",
]
FAILURES = [
    OSError("lost"),
    html_answer(),
    json_answer({"message": "down"}, 500),
    json_answer({"csrfToken": "stale"}),
]

WAITS = st.sampled_from([0.0, 0.1, 0.4, 1.0, 3.0])
CALLS = st.sampled_from(
    ["sign in alice", "sign in bob", "sign in mallory", "sign out", "update", "read", "read", "refetch"]
)


@dataclass(frozen=True)
class Step:
    """A call, or a fault of the network, after some seconds. Calls do not wait for each other."""

    wait: float
    call: str
    failing: str | None
    failure: Answer | OSError
    held: str
    held_for: float | None


STEPS = st.builds(
    Step,
    WAITS,
    CALLS,
    st.none() | st.none() | st.sampled_from(ROUTES),
    st.sampled_from(FAILURES),
    st.just(ROUTES[0]) | st.sampled_from(ROUTES),
    st.none() | WAITS,
)


class Witness(FakeServer):
    """Counts what it has granted."""

    def __init__(self) -> None:
        super().__init__()
        self.granted: list[str] = []

    def handle(self, request: Request, cookies: Any) -> Answer:
        answer = super().handle(request, cookies)
        if request.method == "POST" and SESSION_COOKIE in answer.cookies:
            self.granted.append("out" if answer.cookies[SESSION_COOKIE] is None else "in")
        return answer


@dataclass
class Story:
    """One browser with one tab, and what is false in it."""

    server: Witness = field(default_factory=Witness)
    lies: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.browser = MemoryBrowser(self.server)
        self.tab = self.browser.open_tab()
        self.provider = SessionProvider(host=self.tab, timeout=5)
        self.provider.subscribe(self.compare)

    @property
    def truth(self) -> str | None:
        """Who is signed in by the cookie."""
        cookie = self.browser.cookies.get(SESSION_COOKIE)
        return None if cookie is None else json.loads(cookie)["name"]

    def compare(self, state: SessionState) -> None:
        """Whatever is shown as confirmed is what the cookie says at that moment."""
        if state.error is None and name_in(state) != self.truth:
            self.lies.append(f"shown {name_in(state)}, signed in {self.truth}")

    async def call(self, what: str) -> None:
        granted = len(self.server.granted)
        try:
            result = await self._start(what)
        except NextAuthError:
            return
        if isinstance(result, SignInResult) and result.ok and "in" not in self.server.granted[granted:]:
            self.lies.append("a sign-in that the server did not grant")
        if what == "sign out" and "out" not in self.server.granted[granted:]:
            self.lies.append("a sign-out that the server did not grant")

    def _start(self, what: str) -> Coroutine[Any, Any, Any]:
        if what.startswith("sign in"):
            name = what.rpartition(" ")[2]
            password = USERS.get(name, "?")
            return self.provider.sign_in("credentials", username=name, password=password, redirect=False)
        if what == "sign out":
            return self.provider.sign_out(redirect=False)
        if what == "update":
            return self.provider.update({"name": f"renamed {len(self.server.granted)}"})
        return self.provider.get_session() if what == "read" else self.provider.refetch()


async def play(latency: float, steps: list[Step]) -> None:
    story = Story()
    network = story.browser.network
    network.latency = latency
    with story.provider:
        calls = [asyncio.create_task(story.call("refetch"))]
        for step in steps:
            await asyncio.sleep(step.wait)
            if step.failing:
                network.answer_next(step.failing, step.failure)
            if step.held_for is not None:
                gate = network.hold(step.held)
                asyncio.get_running_loop().call_later(step.held_for, gate.set)
            calls.append(asyncio.create_task(story.call(step.call)))
        await asyncio.gather(*calls)
        network.calm()
        state = await story.provider.refetch()
        assert (name_in(state), state.error) == (story.truth, None)
    assert story.lies == []
    assert story.tab.reports == []


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(st.sampled_from([0.0, 0.05, 0.3, 1.2, 2.4]), st.lists(STEPS, max_size=8))
def test_what_is_shown_is_true_and_what_is_reported_was_granted(latency: float, steps: list[Step]) -> None:
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop running in the main one
        thread.submit(run, play(latency, steps)).result()
