"""Who is told of changes, and what is asked."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

from nextauth_py import (
    ClientFetchError,
    Session,
    SessionEvent,
    SessionProvider,
    SessionState,
    SessionValidationError,
)
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import Waiter, name_in, signed_in
from .fake_server import EXPIRES, FakeServer, html_answer

SESSION = "GET /api/auth/session"


ALICE = {"user": {"name": "Alice"}, "expires": EXPIRES}


# --- telling ---


async def test_subscribers_are_called_until_they_unsubscribe(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    states: list[SessionState] = []
    stop = provider.subscribe(states.append)
    provider.session = ALICE
    provider.session = ALICE
    stop()
    stop()
    provider.session = None
    assert [state.status for state in states] == ["authenticated"]


async def test_a_subscriber_that_raises_is_reported_and_the_others_hear(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    states: list[SessionState] = []

    def broken(_state: SessionState) -> None:
        raise KeyError("mine")

    async def broken_later(_state: SessionState) -> None:
        raise KeyError("mine too")

    for listener in (broken, broken_later, states.append):
        provider.subscribe(listener)
    provider.session = ALICE
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(states) == 1
    assert [repr(error) for _, error in tab.reports] == ["KeyError('mine')", "KeyError('mine too')"]


async def test_a_subscriber_may_call_back_and_unsubscribe(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    finished: list[str] = []

    async def leave(state: SessionState) -> None:
        stop()
        finished.append(state.status)
        await provider.sign_out(redirect=False)
        finished.append(provider.state.status)

    stop = provider.subscribe(leave)
    await provider.update({"name": "bob"})
    async with asyncio.timeout(1):
        while len(finished) < 2:
            await asyncio.sleep(0.01)
    assert finished == ["authenticated", "unauthenticated"]


async def test_events_say_what_happened_and_why(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    events: list[tuple[str, str, bool]] = []

    def note(event: SessionEvent) -> None:
        events.append((event.name, event.reason, event.local))

    for name in ("signed_in", "updated", "signed_out", "error"):
        provider.on(name, note)
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await provider.update({"name": "bob"})
    tab.browser.network.answer_next(SESSION, OSError())
    await provider.refetch()
    await provider.sign_out(redirect=False)
    assert events == [
        ("signed_in", "sign_in", True),
        ("updated", "update", True),
        ("error", "refetch", False),
        ("signed_out", "sign_out", True),
    ]


# --- asking ---


async def test_refetch_returns_the_state_and_raises_nothing(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, html_answer())
    state = await provider.refetch()
    assert isinstance(state.error, ClientFetchError)
    assert (state.status, state.stale) == ("authenticated", True)
    state = await provider.refetch()
    assert (state.error, state.stale) == (None, False)


async def test_refetches_at_the_same_time_share_one_request(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    await asyncio.gather(*(provider.refetch() for _ in range(10)))
    assert tab.browser.network.count(SESSION) == 1


async def test_refreshing_shows_while_a_request_is_under_way(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    tab.browser.network.latency = 1
    task = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.5)
    assert provider.state.refreshing
    await task
    assert not provider.state.refreshing


async def test_the_interval_asks_while_signed_in(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_interval=0.5)
    before = tab.browser.network.count(SESSION)
    await asyncio.sleep(5.1)
    assert tab.browser.network.count(SESSION) - before == 10
    await provider.sign_out(redirect=False)
    await asyncio.sleep(2)
    before = tab.browser.network.count(SESSION)
    await asyncio.sleep(5)
    assert tab.browser.network.count(SESSION) == before


async def test_the_interval_is_met_by_timers_of_a_minute_at_most(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=3600)
    waits: list[float] = []
    now = asyncio.get_running_loop().time
    for _ in range(3):
        waits.append(next(iter(tab.timers)).when() - now())
        await asyncio.sleep(60.5)
    assert max(waits) <= 60


async def test_the_interval_can_be_changed_while_running(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    provider.refetch_interval = 10
    before = tab.browser.network.count(SESSION)
    await asyncio.sleep(10.1)
    assert tab.browser.network.count(SESSION) - before == 1
    provider.refetch_interval = 0
    await asyncio.sleep(100)
    assert tab.browser.network.count(SESSION) - before == 1
    with pytest.raises(ValueError, match="refetch_interval"):
        provider.refetch_interval = -1


async def test_the_interval_rests_while_offline_if_so_wished(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=10, refetch_when_offline=False)
    tab.browser.set_online(online=False)
    before = tab.browser.network.count(SESSION)
    await asyncio.sleep(100)
    assert tab.browser.network.count(SESSION) == before


async def test_coming_online_asks_at_once(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.set_online(online=False)
    await provider.refetch()
    assert provider.state.stale
    heard = Waiter(provider)
    tab.browser.set_online(online=True)
    assert not (await heard.next()).stale


async def test_coming_into_view_asks_but_not_every_time(tab: MemoryHost) -> None:
    await signed_in(tab)
    await asyncio.sleep(60)
    before = tab.browser.network.count(SESSION)
    for _ in range(10):
        tab.set_visible(visible=False)
        tab.set_visible(visible=True)
        await asyncio.sleep(0.2)
    assert tab.browser.network.count(SESSION) - before == 1


async def test_coming_into_view_asks_again_after_a_failure(tab: MemoryHost) -> None:
    tab.visible = False
    tab.browser.network.answer_next(SESSION, OSError())
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    await asyncio.sleep(60)
    assert provider.state.status == "loading"
    heard = Waiter(provider)
    tab.set_visible(visible=True)
    assert (await heard.next()).status == "unauthenticated"


@pytest.mark.parametrize("options", [{"refetch_on_window_focus": False}, {"session": None}])
async def test_coming_into_view_asks_nothing_if_not_wished_or_signed_out(
    tab: MemoryHost, options: dict[str, Any]
) -> None:
    SessionProvider(host=tab, **{"session": ALICE, **options}).start()
    await asyncio.sleep(60)
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    assert tab.browser.network.log == []


async def test_assigning_a_session_shows_it_and_outruns_a_request_under_way(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab).start()
    tab.browser.network.latency = 1
    provider.session = ALICE
    assert name_in(provider.state) == "Alice"
    assert provider.session is provider.state.data
    await asyncio.sleep(5)
    assert name_in(provider.state) == "Alice"
    with pytest.raises(TypeError, match="session takes"):
        provider.session = 3  # type: ignore[assignment]


async def test_listeners_get_the_session_type(tab: MemoryHost, server: FakeServer) -> None:
    class Shop(Session):
        cart: int

    server.extra = {"cart": 3}
    provider = await signed_in(tab, session_type=Shop)
    assert isinstance(provider.session, Shop)
    server.extra = {"cart": "many"}
    state = await provider.refetch()
    assert isinstance(state.error, SessionValidationError)
    assert state.error.fields == ("cart",)
    assert isinstance(state.data, Shop)


def test_it_prints_where_it_asks_and_no_session(browser: MemoryBrowser) -> None:
    assert repr(SessionProvider(ALICE, host=browser.open_tab())) == "<SessionProvider '/api/auth' loading>"


def test_help_shows_that_a_session_may_be_left_out() -> None:
    assert repr(inspect.signature(SessionProvider).parameters["session"].default) == "UNSET"
