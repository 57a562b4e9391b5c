"""One tab polls for all; and what tabs do where something is missing, or when they are left."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from nextauth_py import SessionProvider
from nextauth_py.tabs.messages import OWN_CHANNEL
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import Waiter, name_in, signed_in
from .fake_server import SESSION_COOKIE
from .several_tabs import gets, javascript_says, names, open_tabs, signed_in_tabs

SESSION = "GET /api/auth/session"


FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}


INTERVAL = 60.0


# --- one poller ---


@pytest.mark.parametrize("number", [1, 2, 5, 10, 20])
async def test_all_tabs_together_ask_once_in_an_interval(browser: MemoryBrowser, number: int) -> None:
    await signed_in_tabs(browser, number, refetch_interval=INTERVAL)
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


async def test_the_others_show_the_leaders_answers(browser: MemoryBrowser) -> None:
    tabs = await signed_in_tabs(browser, 3, refetch_interval=INTERVAL)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "Alice II"})
    await asyncio.sleep(INTERVAL + 1)
    assert names(tabs) == {"Alice II"}


LOSSES: dict[str, Callable[[MemoryHost], None]] = {
    "crashed": MemoryHost.crash,
    "frozen": lambda host: host.change_lifecycle("frozen"),
    "frozen without a word": lambda host: setattr(host, "is_frozen", True),
    "in the back/forward cache": lambda host: host.change_lifecycle("left"),
    "hidden": lambda host: host.set_visible(visible=False),
}


@pytest.mark.parametrize("loss", LOSSES)
async def test_a_lost_leader_is_replaced(browser: MemoryBrowser, loss: str) -> None:
    leader, *others = await signed_in_tabs(browser, 4, refetch_interval=INTERVAL)
    await asyncio.sleep(3.2 * INTERVAL)
    before = gets(browser)
    assert isinstance(leader.host, MemoryHost)
    LOSSES[loss](leader.host)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "Alice II"})
    await asyncio.sleep(2.5 * INTERVAL)
    assert names(others) == {"Alice II"}
    assert gets(browser) - before <= 3
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


async def test_a_closed_leader_is_replaced_within_the_interval(browser: MemoryBrowser) -> None:
    leader, *_others = await signed_in_tabs(browser, 3, refetch_interval=INTERVAL)
    leader.close()
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


async def test_a_leader_that_wakes_up_does_not_poll_beside_its_successor(browser: MemoryBrowser) -> None:
    leader, *_others = await signed_in_tabs(browser, 4, refetch_interval=INTERVAL)
    assert isinstance(leader.host, MemoryHost)
    leader.host.is_frozen = True  # without the event that would have it give up the lock
    await asyncio.sleep(5 * INTERVAL)
    leader.host.change_lifecycle("thawed")
    await asyncio.sleep(INTERVAL)
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


async def test_a_tab_in_view_leads_rather_than_a_hidden_one(browser: MemoryBrowser) -> None:
    first, _second = await signed_in_tabs(browser, 2, refetch_interval=INTERVAL)
    assert isinstance(first.host, MemoryHost)
    first.host.set_visible(visible=False)
    await asyncio.sleep(3 * INTERVAL)
    assert {each.tab for each in browser.network.log[-2:]} == {1}


async def test_a_tab_that_was_opened_hidden_does_not_lead(browser: MemoryBrowser) -> None:
    hidden = browser.open_tab()
    hidden.set_visible(visible=False)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    SessionProvider(host=hidden, refetch_interval=INTERVAL).start()
    await open_tabs(browser, 1, refetch_interval=INTERVAL)
    await asyncio.sleep(3 * INTERVAL)
    assert {each.tab for each in browser.network.log[-2:]} == {1}


async def test_when_all_tabs_are_hidden_one_goes_on(browser: MemoryBrowser) -> None:
    tabs = await signed_in_tabs(browser, 3, refetch_interval=INTERVAL)
    for provider in tabs:
        assert isinstance(provider.host, MemoryHost)
        provider.host.set_visible(visible=False)
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


async def test_without_locks_one_tab_asks_and_the_others_listen(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    hosts = [browser.open_tab() for _ in range(5)]
    for host in hosts:
        host.has_locks = False
    tabs = [SessionProvider(host=host, refetch_interval=INTERVAL).start() for host in hosts]
    await asyncio.sleep(1.5 * INTERVAL)
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10
    assert names(tabs) == {"alice"}


# --- where something is missing ---


@pytest.mark.parametrize("missing", ["channels", "storage", "locks", "channels and storage", "everything"])
async def test_where_something_is_missing_the_rest_works(browser: MemoryBrowser, missing: str) -> None:
    hosts = [browser.open_tab() for _ in range(2)]
    for host in hosts:
        host.has_channels = missing not in {"channels", "channels and storage", "everything"}
        host.has_storage = missing not in {"storage", "channels and storage", "everything"}
        host.has_locks = missing not in {"locks", "everything"}
    first, second = (SessionProvider(host=host, refetch_interval=INTERVAL).start() for host in hosts)
    await first.ready()
    await second.ready()
    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await asyncio.sleep(1)
    if host.has_channels or host.has_storage:
        assert name_in(second.state) == "alice"
    else:
        assert name_in(await second.refetch()) == "alice"
    await first.sign_out(redirect=False)
    await asyncio.sleep(INTERVAL * 3)
    assert names([first, second]) == {None}
    assert [host.reports for host in hosts] == [[], []]


async def test_storage_never_holds_the_session(browser: MemoryBrowser) -> None:
    tab = browser.open_tab()
    tab.has_channels = False
    provider = await signed_in(tab)
    await provider.update({"name": "Alice II"})
    assert "lice" not in json.dumps(browser.storage)


# --- the back/forward cache ---


async def test_a_page_in_the_cache_holds_nothing_that_bars_it_from_there(browser: MemoryBrowser) -> None:
    (provider,) = await signed_in_tabs(browser, 1, refetch_interval=INTERVAL)
    host = provider.host
    assert isinstance(host, MemoryHost)
    browser.network.hold(SESSION)
    asking = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)
    host.change_lifecycle("left")
    assert host.channels == []
    assert host.lock_requests == []
    await asyncio.sleep(0.1)
    assert browser.network.log[-1].aborted
    asking.cancel()


@pytest.mark.parametrize("status", ["signed out elsewhere", "signed in elsewhere"])
async def test_a_restored_page_is_stale_at_once_and_right_soon(browser: MemoryBrowser, status: str) -> None:
    if status == "signed out elsewhere":
        browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    provider = SessionProvider(host=browser.open_tab(), refetch_on_window_focus=False).start()
    await provider.ready()
    assert isinstance(provider.host, MemoryHost)
    told = Waiter(provider)
    provider.host.change_lifecycle("left")
    assert provider.state.stale  # what a page shows when it is left is what is seen first on return
    if browser.cookies.pop(SESSION_COOKIE, None) is None:
        browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    provider.host.change_lifecycle("restored")
    assert (await told.next()).stale
    state = await told.next()
    assert not state.stale
    assert (name_in(state) is None) == (status == "signed out elsewhere")


async def test_a_restored_page_receives_and_leads_again(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2, refetch_interval=INTERVAL)
    assert isinstance(first.host, MemoryHost)
    first.host.change_lifecycle("left")
    await asyncio.sleep(INTERVAL)
    first.host.change_lifecycle("restored")
    await second.update({"name": "Alice II"})
    await asyncio.sleep(0.1)
    assert name_in(first.state) == "Alice II"
    second.close()
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


# --- the end ---


async def test_a_hundred_starts_leave_nothing_behind(browser: MemoryBrowser) -> None:
    await signed_in_tabs(browser, 1)
    tab = browser.open_tab()
    for _ in range(100):
        provider = SessionProvider(host=tab, refetch_interval=INTERVAL).start()
        await provider.ready()
        await provider.update({"name": "Alice"})
        provider.close()
    assert tab.open_resources == 0


@pytest.mark.parametrize("moment", ["fetch", "poll", "own fence", "another tab's fence", "nudge"])
async def test_closing_at_any_moment_ends_everything(browser: MemoryBrowser, moment: str) -> None:
    provider, other = await signed_in_tabs(browser, 2, refetch_interval=INTERVAL)
    calls: list[asyncio.Task[object]] = []
    if moment == "fetch":
        browser.network.hold(SESSION)
        calls.append(asyncio.create_task(provider.get_session()))
    elif moment == "poll":
        browser.network.hold(SESSION)
        await asyncio.sleep(INTERVAL)
    elif moment == "own fence":
        browser.network.hold("POST /api/auth/signout")
        calls.append(asyncio.create_task(provider.sign_out(redirect=False)))
    elif moment == "another tab's fence":
        browser.network.hold("POST /api/auth/signout")
        calls.append(asyncio.create_task(other.sign_out(redirect=False)))
        await asyncio.sleep(0.1)
        calls.append(asyncio.create_task(provider.get_session()))
    else:
        javascript_says(browser)
    await asyncio.sleep(0.005)
    state = provider.state
    told: list[object] = []
    provider.subscribe(told.append)
    provider.close()
    browser.network.calm()
    await asyncio.sleep(5 * INTERVAL)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    host = provider.host
    assert isinstance(host, MemoryHost)
    assert (provider.state.status, provider.state.data) == (state.status, state.data)
    assert told == []
    assert host.open_resources == 0


async def test_a_provider_that_was_never_started_says_nothing_when_it_is_closed(
    browser: MemoryBrowser,
) -> None:
    heard: list[object] = []
    browser.open_tab().open_channel(OWN_CHANNEL, heard.append)
    SessionProvider(host=browser.open_tab()).close()
    await asyncio.sleep(1)
    assert heard == []
