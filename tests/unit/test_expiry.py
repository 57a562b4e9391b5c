"""Sessions end when they end, by the server's clock, unless they are renewed."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from typing import Any

import pytest

from nextauth_py import SessionProvider
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer

from .conftest import signed_in
from .fake_server import FakeServer, json_answer
from .refetches import gets, note_events

SESSION = "GET /api/auth/session"


CSRF = "GET /api/auth/csrf"


DAY = 24 * 60 * 60.0


HOUR = 60 * 60.0


# --- the end of a session ---


async def at_the_end(
    tab: MemoryHost, server: FakeServer, max_age: float, **options: Any
) -> tuple[SessionProvider, list[tuple[str, str, bool]]]:
    """Somebody has signed in, for so many seconds."""
    server.max_age = max_age
    provider = await signed_in(tab, **options)
    return provider, note_events(provider)


async def test_a_session_ends_when_it_ends_without_polling(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, 100)
    before = gets(tab)
    await asyncio.sleep(99.9)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(0.3)
    assert provider.state.status == "unauthenticated"
    assert events == [("expired", "expiry", False), ("signed_out", "expiry", False)]
    await asyncio.sleep(HOUR)
    assert gets(tab) == before + 1


@pytest.mark.parametrize("error", [HOUR, -HOUR, DAY, -DAY])
async def test_a_clock_that_is_wrong_changes_nothing(
    tab: MemoryHost, server: FakeServer, error: float
) -> None:
    tab.browser.clock_error = error
    provider, events = await at_the_end(tab, server, 1800)
    before = gets(tab)
    await asyncio.sleep(1799)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(2)
    assert [name for name, *_ in events] == ["expired", "signed_out"]
    assert gets(tab) == before + 1


async def test_an_answer_from_a_cache_does_not_set_the_servers_time_back(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, _ = await at_the_end(tab, server, 1800)
    kept = {"content-type": "application/json", "date": formatdate(tab.now() - HOUR, usegmt=True)}
    tab.browser.network.answer_next(
        CSRF, Answer(Response(200, '{"csrfToken": "x"}', {**kept, "age": "3600"}))
    )
    await provider.get_csrf_token()
    before = gets(tab)
    await asyncio.sleep(1799)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(2)
    assert provider.state.status == "unauthenticated"


@pytest.mark.parametrize("error", [HOUR, -HOUR])
async def test_a_clock_that_is_set_meanwhile_neither_ends_nor_extends_a_session(
    tab: MemoryHost, server: FakeServer, error: float
) -> None:
    provider, _ = await at_the_end(tab, server, 1800)
    before = gets(tab)
    await asyncio.sleep(300)
    tab.browser.clock_error = error
    await asyncio.sleep(1499)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(62)
    assert provider.state.status == "unauthenticated" or error < 0


async def test_a_session_known_beforehand_is_not_extended_by_a_clock_that_is_wrong(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, _ = await at_the_end(tab, server, 1800)
    session = provider.session
    provider.close()
    before = gets(tab)
    tab.browser.clock_error = HOUR
    provider = SessionProvider(session, host=tab).start()
    await asyncio.sleep(1799)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(2)
    assert provider.state.status == "unauthenticated"


async def test_a_server_that_tells_no_time_is_asked_when_the_session_ends_here(
    tab: MemoryHost, server: FakeServer
) -> None:
    tab.browser.network.tells_time = False
    provider, events = await at_the_end(tab, server, 100)
    await asyncio.sleep(99)
    assert provider.state.status == "authenticated"
    await asyncio.sleep(2)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_a_laptop_that_slept_past_the_end_asks_once(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, HOUR)
    before = gets(tab)
    await asyncio.sleep(600)
    tab.browser.sleep(8 * HOUR)
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    assert provider.state.status == "unauthenticated"
    assert [name for name, *_ in events] == ["expired", "signed_out"]
    assert gets(tab) == before + 1


async def test_a_sleep_is_noticed_though_no_event_tells_of_it(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, HOUR)
    tab.browser.sleep(8 * HOUR)
    await asyncio.sleep(61)
    assert provider.state.status == "unauthenticated"
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_waking_up_offline_keeps_the_session_until_the_server_can_be_asked(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, events = await at_the_end(tab, server, HOUR)
    tab.browser.set_online(online=False)
    tab.browser.sleep(8 * HOUR)
    await asyncio.sleep(300)
    assert (provider.state.status, provider.state.stale) == ("authenticated", True)
    before = gets(tab)
    tab.browser.set_online(online=True)
    await asyncio.sleep(1)
    assert [name for name, *_ in events] == ["error", "expired", "signed_out"]
    assert gets(tab) == before + 1


@pytest.mark.parametrize("days", [30, 400])
async def test_a_long_session_fires_no_timer_at_once_and_ends_in_its_time(
    tab: MemoryHost, server: FakeServer, days: int
) -> None:
    provider, events = await at_the_end(tab, server, days * DAY)
    before = gets(tab)
    timers = set(tab.timers)
    await asyncio.sleep(10)
    assert tab.timers == timers
    tab.browser.sleep(days * DAY - 100)
    await asyncio.sleep(80)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(15)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_a_session_that_outlives_its_end_is_verified_once(tab: MemoryHost, server: FakeServer) -> None:
    provider = await signed_in(tab)
    server.expires = "2026-01-01T00:01:00Z"
    await provider.refetch()
    before = gets(tab)
    await asyncio.sleep(HOUR)
    assert provider.state.status == "authenticated"
    assert gets(tab) == before + 1
    server.expires = "1999-01-01T00:00:00Z"
    await provider.refetch()
    await asyncio.sleep(HOUR)
    assert provider.state.status == "authenticated"
    assert gets(tab) == before + 2


@pytest.mark.parametrize(
    "session", [{"user": {}}, {"user": {}, "expires": "soon"}], ids=["missing", "nonsense"]
)
async def test_an_end_that_cannot_be_read_is_an_error_and_no_storm(
    tab: MemoryHost, session: dict[str, Any]
) -> None:
    tab.browser.network.answer_next(SESSION, json_answer(session), times=10_000)
    provider = SessionProvider(host=tab).start()
    await asyncio.sleep(HOUR)
    assert "expires" in str(provider.state.error)
    assert gets(tab) <= 2 * 60 + 10


async def test_a_given_session_that_is_over_is_verified(tab: MemoryHost) -> None:
    provider = SessionProvider({"user": {"name": "Alice"}, "expires": "2025-01-01T00:00:00Z"}, host=tab)
    events = note_events(provider)
    provider.start()
    assert provider.state.status == "authenticated"
    await asyncio.sleep(1)
    assert [name for name, *_ in events] == ["expired", "signed_out"]
    assert gets(tab) == 1


async def test_one_tab_verifies_for_all(browser: MemoryBrowser, server: FakeServer) -> None:
    server.max_age = 100
    await signed_in(browser.open_tab())
    tabs = [SessionProvider(host=browser.open_tab()).start() for _ in range(9)]
    await asyncio.sleep(1)
    events = [note_events(provider) for provider in tabs]
    before = browser.network.count(SESSION)
    await asyncio.sleep(100.5)
    assert {provider.state.status for provider in tabs} == {"unauthenticated"}
    assert all([name for name, *_ in each] == ["expired", "signed_out"] for each in events)
    assert browser.network.count(SESSION) == before + 1


async def test_signing_out_by_hand_is_no_expiry(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, 100)
    await asyncio.sleep(50)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(100)
    assert events == [("signed_out", "sign_out", True)]


async def test_polling_goes_on_extending_a_session(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, 100, refetch_interval=60)
    await asyncio.sleep(HOUR)
    assert (provider.state.status, events) == ("authenticated", [])


# --- renewal ---


async def test_a_page_that_is_used_renews_the_session_and_ends_without_use(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, events = await at_the_end(tab, server, 100, renew_before_expiry=20)
    before = gets(tab)
    for _ in range(30):
        await asyncio.sleep(10)
        tab.use()
    assert provider.state.status == "authenticated"
    assert 3 <= gets(tab) - before <= 4
    await asyncio.sleep(220)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_an_unused_page_renews_nothing(tab: MemoryHost, server: FakeServer) -> None:
    _, events = await at_the_end(tab, server, 100, renew_before_expiry=20)
    tab.use()
    await asyncio.sleep(101)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_renewal_is_off_by_default(tab: MemoryHost, server: FakeServer) -> None:
    _, events = await at_the_end(tab, server, 100)
    assert tab.use_listeners == []
    assert events == []
