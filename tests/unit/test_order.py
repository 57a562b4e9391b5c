"""In which order listeners hear of changes, also of their own, and what is assigned during a call."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextauth_py import NextAuthError, SessionEvent, SessionProvider, SessionState
from nextauth_py.adapters import follow
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import run
from nextauth_py.ui.bind import bind

from .conftest import name_in, signed_in
from .fake_server import EXPIRES, FakeServer

CREDENTIALS: dict[str, Any] = {"username": "alice", "password": "wonder", "redirect": False}


def session(name: str) -> dict[str, Any]:
    return {"user": {"id": name, "name": name}, "expires": EXPIRES}


def names(states: list[SessionState]) -> list[str | None]:
    return [name_in(state) for state in states]


@pytest.fixture
def provider(tab: MemoryHost) -> SessionProvider:
    return SessionProvider(None, host=tab)


# --- listeners that call back ---


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_all_hear_all_changes_in_order_wherever_the_one_that_causes_some_stands(
    provider: SessionProvider, place: int
) -> None:
    heard: list[list[SessionState]] = [[], []]

    def sign_out_at_once(state: SessionState) -> None:
        if name_in(state) == "alice":
            provider.session = session("bob")
            provider.session = None

    listeners = [each.append for each in heard]
    listeners.insert(place, sign_out_at_once)
    provider.start()
    for listener in listeners:
        provider.subscribe(listener)
    provider.session = session("alice")
    assert [names(each) for each in heard] == [["alice", "bob", None]] * 2
    assert provider.state.data is None


async def test_a_binding_never_shows_a_signed_out_user_again(provider: SessionProvider) -> None:
    element = SimpleNamespace(localName="p", textContent="?")

    def sign_out_at_once(state: SessionState) -> None:
        if state.data:
            provider.session = None

    provider.start().subscribe(sign_out_at_once)
    bind(provider, element, text="user.name")
    provider.session = session("alice")
    assert element.textContent == ""


async def test_events_come_with_their_change_and_in_its_order(provider: SessionProvider) -> None:
    heard: list[str] = []

    def on_state(state: SessionState) -> None:
        heard.append(f"state {name_in(state)}")

    def on_event(event: SessionEvent) -> None:
        heard.append(f"{event.name} {name_in(event.state)}")
        if event.name == "signed_in":
            provider.session = None

    provider.on("signed_in", on_event)
    provider.on("signed_in", lambda event: heard.append(f"again {name_in(event.state)}"))
    provider.on("signed_out", on_event)
    provider.start().subscribe(on_state)
    provider.session = session("alice")
    assert heard == ["state alice", "signed_in alice", "again alice", "state None", "signed_out None"]


async def test_the_provider_has_the_latest_state_during_an_older_notification(
    provider: SessionProvider,
) -> None:
    pairs: list[tuple[str | None, str | None]] = []

    def sign_out_at_once(state: SessionState) -> None:
        if state.data:
            provider.session = None

    provider.start().subscribe(sign_out_at_once)
    provider.subscribe(lambda state: pairs.append((name_in(state), name_in(provider.state))))
    provider.session = session("alice")
    assert pairs == [("alice", None), (None, None)]


async def test_a_listener_removed_by_another_is_not_called(provider: SessionProvider) -> None:
    heard: list[SessionState] = []
    provider.start().subscribe(lambda _state: stop())
    stop = provider.subscribe(heard.append)
    provider.session = session("alice")
    assert heard == []


async def test_a_listener_added_during_a_delivery_gets_later_changes_only(
    provider: SessionProvider,
) -> None:
    found: list[str | None] = []
    heard: list[SessionState] = []

    def add(state: SessionState) -> None:
        if name_in(state) == "alice":
            provider.session = session("bob")
            found.append(name_in(provider.state))
            provider.subscribe(heard.append)
            provider.session = session("carol")

    provider.start().subscribe(add)
    provider.session = session("alice")
    assert (found, names(heard)) == (["bob"], ["carol"])


async def test_a_listener_that_raises_does_not_stop_the_others(
    provider: SessionProvider, tab: MemoryHost
) -> None:
    heard: list[SessionState] = []

    def broken(state: SessionState) -> None:
        if state.data:
            provider.session = None
            raise KeyError("mine")

    provider.start().subscribe(broken)
    provider.subscribe(heard.append)
    provider.session = session("alice")
    provider.session = session("bob")
    assert names(heard) == ["alice", None, "bob", None]
    assert len(tab.reports) == 2


async def test_no_listener_is_called_after_a_close_in_a_listener(
    provider: SessionProvider, tab: MemoryHost
) -> None:
    heard: list[object] = []

    def close(state: SessionState) -> None:
        if state.data:
            provider.session = None
            provider.close()

    provider.start().subscribe(close)
    provider.subscribe(heard.append)
    provider.on("signed_in", heard.append)
    provider.on("signed_out", heard.append)
    provider.session = session("alice")
    assert heard == []
    assert tab.open_resources == 0


async def test_adapters_miss_no_change(
    provider: SessionProvider,
) -> None:
    written: list[str | None] = []

    def write(state: SessionState) -> None:
        written.append(name_in(state))
        if name_in(state) == "alice":
            provider.session = session("bob")

    provider.start().session = session("alice")
    follow(write, provider)
    assert written[-1] == "bob"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["alice", "bob", None]), st.sampled_from(["", "bob", "out"]))))
def test_all_listeners_get_the_same_changes_in_order_whatever_they_assign(
    plan: list[tuple[str | None, str]],
) -> None:
    async def play() -> None:
        provider = SessionProvider(None, host=MemoryBrowser(FakeServer()).open_tab()).start()
        heard: list[list[SessionState]] = [[], [], []]
        waiting = list(plan)

        def answer(_state: SessionState) -> None:
            what = waiting.pop()[1] if waiting else ""
            if what:
                provider.session = None if what == "out" else session(what)

        for each in heard:
            provider.subscribe(each.append)
            provider.subscribe(answer)
        for name, _ in plan:
            provider.session = session(name) if name else None
        assert names(heard[0]) == names(heard[1]) == names(heard[2])
        assert not heard[0] or heard[0][-1] == provider.state

    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop running in the main one
        thread.submit(run, play()).result()


# --- assignments during calls ---


def call(provider: SessionProvider, what: str) -> asyncio.Task[Any]:
    if what == "sign in":
        return asyncio.create_task(provider.sign_in("credentials", **CREDENTIALS))
    if what == "update":
        return asyncio.create_task(provider.update({"name": "Alice II"}))
    return asyncio.create_task(provider.sign_out(redirect=False))


@pytest.mark.parametrize("what", ["sign in", "update", "sign out"])
@pytest.mark.parametrize("after", [0.0, 0.1, 1.5, 2.5, 3.5, 4.5, 5.5])
async def test_an_assignment_during_a_call_is_shown_after_its_outcome(
    tab: MemoryHost, what: str, after: float
) -> None:
    provider = await signed_in(tab)
    if what == "sign in":
        await provider.sign_out(redirect=False)
    await asyncio.sleep(2)
    outcome = {"sign in": "alice", "update": "Alice II", "sign out": None}[what]
    heard: list[SessionState] = []
    provider.subscribe(heard.append)
    tab.browser.network.latency = 0.5
    running = call(provider, what)
    await asyncio.sleep(after)
    is_over = running.done()
    provider.session = session("carol")
    provider.session = session("dora")
    await running
    assert names(heard) == ([outcome, "carol", "dora"] if is_over else [outcome, "dora"])
    await asyncio.sleep(20)
    assert name_in(provider.state) == "dora"


@pytest.mark.parametrize("what", ["sign in", "update", "sign out"])
async def test_a_call_that_fails_does_not_swallow_it(tab: MemoryHost, what: str) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.5
    running = call(provider, what)
    await asyncio.sleep(0.1)
    provider.session = session("carol")
    tab.browser.network.online = False
    with pytest.raises(NextAuthError):
        await running
    assert name_in(provider.state) == "carol"


async def test_nor_does_one_that_is_cancelled(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 5
    running = call(provider, "sign out")
    await asyncio.sleep(1)
    provider.session = session("carol")
    running.cancel()
    await asyncio.wait([running])
    assert name_in(provider.state) == "carol"


async def test_nor_one_that_is_refused(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    tab.browser.network.latency = 0.5
    running = asyncio.create_task(provider.sign_in("credentials", **{**CREDENTIALS, "password": "no"}))
    await asyncio.sleep(3.2)
    provider.session = session("carol")
    result = await running
    assert result is not None
    assert not result.ok
    assert name_in(provider.state) == "carol"


async def test_a_listener_may_assign_a_session_during_a_sign_out_notification(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    heard: list[SessionState] = []

    def show_guest(state: SessionState) -> None:
        if state.data is None:
            provider.session = session("guest")

    provider.subscribe(show_guest)
    provider.subscribe(heard.append)
    await provider.sign_out(redirect=False)
    assert names(heard) == [None, "guest"]


async def test_a_call_that_begins_after_the_assignment_has_the_last_word(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.5
    leaving = call(provider, "sign out")
    await asyncio.sleep(0.1)
    provider.session = session("carol")
    entering = call(provider, "sign in")
    await leaving
    assert name_in(provider.state) == "carol"
    await entering
    assert name_in(provider.state) == "alice"


async def test_of_several_calls_the_assignment_waits_for_those_that_had_begun(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.5
    calls = [call(provider, "sign out"), call(provider, "sign in")]
    await asyncio.sleep(0.1)
    provider.session = session("carol")
    await calls[0]
    assert name_in(provider.state) is None
    await calls[1]
    assert name_in(provider.state) == "carol"


async def test_the_end_of_one_call_does_not_lose_it_in_the_middle_of_another(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.hold("GET /api/auth/providers")
    entering = call(provider, "sign in")
    await asyncio.sleep(1)
    provider.session = session("carol")
    tab.browser.network.latency = 0.5
    leaving = call(provider, "sign out")
    await asyncio.sleep(1)
    entering.cancel()
    await leaving
    assert name_in(provider.state) == "carol"


async def test_an_invalid_assignment_is_refused_at_once_during_a_call_too(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.5
    running = call(provider, "sign out")
    await asyncio.sleep(0.1)
    with pytest.raises(TypeError, match="session takes"):
        provider.session = 3  # type: ignore[assignment]
    await running
    assert provider.state.data is None


async def test_closing_before_the_call_has_ended_drops_it(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 0.5
    heard: list[SessionState] = []
    provider.subscribe(heard.append)
    running = call(provider, "sign out")
    await asyncio.sleep(0.1)
    provider.session = session("carol")
    provider.close()
    await running
    assert (name_in(provider.state), heard) == ("alice", [])


async def test_the_other_tabs_see_the_outcome_of_the_call(browser: MemoryBrowser, server: FakeServer) -> None:
    one, other = browser.open_tab(), browser.open_tab()
    provider, elsewhere = await signed_in(one), SessionProvider(host=other).start()
    await elsewhere.ready()
    browser.network.latency = 0.5
    running = call(provider, "update")
    await asyncio.sleep(0.1)
    provider.session = session("carol")
    await running
    await asyncio.sleep(5)
    assert (name_in(elsewhere.state), name_in(provider.state)) == ("Alice II", "carol")
