"""Pages that come into view or go out of it, and networks that come and go."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nextauth_py import SessionProvider, SessionState
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE
from .refetches import busy_server, gets, note_events

SESSION = "GET /api/auth/session"


HOUR = 60 * 60.0


# --- coming into view, and the network ---


async def test_fifty_events_in_two_seconds_cost_one_request_and_no_notification(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(60)
    told: list[SessionState] = []
    provider.subscribe(told.append)
    before = gets(tab)
    for event in range(50):
        if event % 3 == 0:
            tab.focus()
        elif event % 3 == 1:
            tab.set_visible(visible=True)
        else:
            tab.notify(tab.online_listeners)
        await asyncio.sleep(0.04)
    assert gets(tab) == before + 1
    assert told == []


async def test_the_window_getting_the_focus_asks_as_coming_into_view_does(tab: MemoryHost) -> None:
    await signed_in(tab)
    await asyncio.sleep(60)
    before = gets(tab)
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) == before + 1
    tab.visible = False
    await asyncio.sleep(60)
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) == before + 1


async def test_coming_online_asks_however_short_ago_was_asked(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_on_window_focus=False)
    tab.browser.set_online(online=False)
    await asyncio.sleep(0.1)
    tab.browser.cookies.clear()
    events = note_events(provider)
    tab.browser.set_online(online=True)
    await asyncio.sleep(0.01)
    assert events == [("signed_out", "online", False)]


async def test_a_request_from_before_the_network_came_back_is_not_waited_for(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.set_online(online=False)
    await asyncio.sleep(0.1)
    tab.browser.network.online = True  # the browser has not noticed yet
    tab.browser.network.hold(SESSION)
    reading = asyncio.create_task(provider.get_session())
    await asyncio.sleep(0.1)
    tab.browser.set_online(online=True)
    async with asyncio.timeout(0.1):
        assert await reading is provider.state.data


async def test_a_page_that_starts_offline_asks_when_online(tab: MemoryHost) -> None:
    tab.browser.set_online(online=False)
    provider = SessionProvider(host=tab).start()
    assert (await provider.ready()).error
    tab.browser.set_online(online=True)
    await asyncio.sleep(0.01)
    assert (provider.state.status, provider.state.error) == ("unauthenticated", None)


async def test_coming_online_while_hidden_asks_on_return(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_on_window_focus=False)
    before = gets(tab)
    tab.set_visible(visible=False)
    tab.browser.set_online(online=False)
    await asyncio.sleep(1)
    tab.browser.set_online(online=True)
    await asyncio.sleep(1)
    assert gets(tab) == before
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    assert gets(tab) == before + 1


async def test_coming_online_sends_nothing_while_signed_out(tab: MemoryHost) -> None:
    SessionProvider(None, host=tab).start()
    tab.browser.set_online(online=False)
    await asyncio.sleep(1)
    tab.browser.set_online(online=True)
    await asyncio.sleep(1)
    assert gets(tab) == 0


async def test_ten_tabs_coming_online_ask_once(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs = [SessionProvider(host=browser.open_tab()).start() for _ in range(10)]
    await asyncio.sleep(60)
    browser.set_online(online=False)
    await asyncio.sleep(1)
    before = browser.network.count(SESSION)
    browser.cookies.clear()
    browser.set_online(online=True)
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) == before + 1
    assert {provider.state.status for provider in tabs} == {"unauthenticated"}


async def test_ten_tabs_coming_online_to_a_server_that_is_down_ask_once(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs = [SessionProvider(host=browser.open_tab()).start() for _ in range(10)]
    await asyncio.sleep(60)
    browser.set_online(online=False)
    await asyncio.sleep(1)
    before = browser.network.count(SESSION)
    browser.network.answer_next(SESSION, busy_server("60"), times=10)
    browser.set_online(online=True)
    await asyncio.sleep(30)
    assert browser.network.count(SESSION) == before + 1
    assert {(provider.state.status, provider.state.stale) for provider in tabs} == {("authenticated", True)}


async def test_polling_on_demand_of_the_network_stops_and_goes_on_with_it(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=10, refetch_when_offline=False)
    await asyncio.sleep(25)
    tab.browser.set_online(online=False)
    before = gets(tab)
    await asyncio.sleep(100)
    assert gets(tab) == before
    tab.browser.set_online(online=True)
    await asyncio.sleep(15)
    assert gets(tab) == before + 2  # at once, and ten seconds later


async def test_a_hidden_tab_that_others_lead_asks_once_on_return(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    hidden, shown = browser.open_tab(), browser.open_tab()
    for tab in (hidden, shown):
        SessionProvider(host=tab, refetch_interval=60).start()
    await asyncio.sleep(1)
    hidden.set_visible(visible=False)
    await asyncio.sleep(90)
    seen = len(browser.network.log)
    await asyncio.sleep(300)
    assert {exchange.tab for exchange in browser.network.log[seen:]} == {1}
    before = browser.network.count(SESSION)
    hidden.set_visible(visible=True)
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) == before + 1


# --- out of view ---


def poller(tab: MemoryHost, **options: Any) -> SessionProvider:
    session = {"user": {"name": "alice"}, "expires": "2099-01-01T00:00:00Z"}
    return SessionProvider(
        session, refetch_interval=10, refetch_when_hidden=False, host=tab, **options
    ).start()


def sign_in_all(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})


@pytest.mark.parametrize("on_focus", [True, False])
async def test_the_interval_rests_while_hidden_and_one_request_is_made_on_return(
    tab: MemoryHost, *, on_focus: bool
) -> None:
    sign_in_all(tab.browser)
    poller(tab, refetch_on_window_focus=on_focus)
    await asyncio.sleep(15)
    assert gets(tab) == 1
    tab.set_visible(visible=False)
    await asyncio.sleep(HOUR)
    assert gets(tab) == 1
    tab.set_visible(visible=True)
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) == 2
    await asyncio.sleep(10)
    assert gets(tab) == 3


async def test_a_tab_in_view_goes_on_for_the_hidden_ones(browser: MemoryBrowser) -> None:
    sign_in_all(browser)
    hidden, shown = browser.open_tab(), browser.open_tab()
    provider, _ = poller(hidden), poller(shown)
    await asyncio.sleep(15)
    hidden.set_visible(visible=False)
    before = gets(hidden)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    await asyncio.sleep(100)
    assert 8 <= gets(hidden) - before <= 10
    assert name_in(provider.state) == "bob"


@pytest.mark.parametrize("on_focus", [True, False])
@pytest.mark.parametrize("has", [{}, {"has_locks": False}, {"has_locks": False, "has_channels": False}])
async def test_of_several_hidden_tabs_the_one_that_is_come_back_to_asks(
    browser: MemoryBrowser, has: dict[str, bool], *, on_focus: bool
) -> None:
    sign_in_all(browser)
    tabs = [browser.open_tab() for _ in range(3)]
    for tab in tabs:
        vars(tab).update(has)
        poller(tab, refetch_on_window_focus=on_focus)
    await asyncio.sleep(5)
    for tab in tabs:
        tab.set_visible(visible=False)
    await asyncio.sleep(60)
    before = gets(tabs[0])
    await asyncio.sleep(HOUR)
    assert gets(tabs[0]) == before
    tabs[1].set_visible(visible=True)
    tabs[1].focus()
    await asyncio.sleep(1)
    assert gets(tabs[0]) - before == 1


async def test_by_default_the_interval_goes_on_while_hidden(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=10)
    tab.set_visible(visible=False)
    before = gets(tab)
    await asyncio.sleep(101)
    assert gets(tab) - before == 10


def test_the_option_takes_true_or_false(tab: MemoryHost) -> None:
    with pytest.raises(TypeError, match="refetch_when_hidden takes True or False"):
        SessionProvider(refetch_when_hidden=1, host=tab)  # type: ignore[arg-type]
