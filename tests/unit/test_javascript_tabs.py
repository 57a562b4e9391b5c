"""Tabs of JavaScript clients beside ours."""

from __future__ import annotations

import asyncio
import json

import pytest

from nextauth_py.core.wire import Request
from nextauth_py.tabs.messages import STORAGE_KEY, parse_stored
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import Waiter, name_in, signed_in
from .fake_server import SESSION_COOKIE
from .several_tabs import gets, javascript_says, names, open_tabs, signed_in_tabs

SESSION = "GET /api/auth/session"


FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}


async def raw_read(browser: MemoryBrowser) -> None:
    """A GET that no fence stops, as a JavaScript client makes it, and its message when it is answered."""
    await browser.network.carry(Request("GET", "/api/auth/session"), browser, 99)
    javascript_says(browser)


async def test_tabs_of_both_javascript_clients_are_notified(browser: MemoryBrowser) -> None:
    neighbour = browser.open_tab()
    heard: list[object] = []
    neighbour.open_channel("next-auth", heard.append)
    neighbour.on_stored(STORAGE_KEY, lambda text: heard.append(parse_stored(text)))
    provider = await signed_in(browser.open_tab())
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.01)
    triggers = [(message["event"], message["data"]["trigger"]) for message in heard]  # type: ignore[index]
    assert triggers == [("session", "getSession")] * 2 + [("session", "signout")] * 2


async def test_messages_of_both_javascript_clients_are_received(browser: MemoryBrowser) -> None:
    (provider,) = await open_tabs(browser, 1)
    heard = Waiter(provider)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    assert (await heard.next()).status == "authenticated"

    del browser.cookies[SESSION_COOKIE]
    browser.open_tab().store(STORAGE_KEY, json.dumps({**FROM_V5, "timestamp": 1}))
    assert (await heard.next()).status == "unauthenticated"


@pytest.mark.parametrize("latency", [0.0, 0.5])
async def test_a_javascript_message_costs_all_tabs_one_request(
    browser: MemoryBrowser, latency: float
) -> None:
    tabs = await open_tabs(browser, 5)
    browser.network.latency = latency
    before = gets(browser)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    javascript_says(browser)
    await asyncio.sleep(30)
    assert gets(browser) == before + 1
    assert names(tabs) == {"alice"}


async def test_a_javascript_message_is_answered_though_the_leader_is_dead(browser: MemoryBrowser) -> None:
    leader, *others = await open_tabs(browser, 5)
    before = gets(browser)
    assert isinstance(leader.host, MemoryHost)
    leader.host.is_frozen = True
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    await asyncio.sleep(1)
    assert names(others) == {"alice"}
    assert gets(browser) == before + 1


async def test_received_answers_are_not_posted_again(browser: MemoryBrowser) -> None:
    await open_tabs(browser, 2)
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    await asyncio.sleep(1)
    assert heard == [FROM_V5]
    assert STORAGE_KEY not in browser.storage


async def test_a_read_that_began_before_the_news_is_aborted(browser: MemoryBrowser) -> None:
    provider = await signed_in(browser.open_tab())
    await asyncio.sleep(5)
    gate = browser.network.hold(SESSION)
    late = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)
    browser.cookies.clear()
    javascript_says(browser)
    await late
    gate.set()
    await asyncio.sleep(1)
    assert provider.state.status == "unauthenticated"
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("number", [1, 3])
async def test_a_session_revived_by_a_javascript_tab_is_signed_out_again(
    browser: MemoryBrowser, number: int
) -> None:
    first, *_others = tabs = await signed_in_tabs(browser, number)
    gate = browser.network.hold(SESSION)
    foreign = asyncio.create_task(raw_read(browser))
    await asyncio.sleep(0.1)
    await first.sign_out(redirect=False)
    gate.set()
    await foreign
    await asyncio.sleep(0.5)
    assert SESSION_COOKIE not in browser.cookies
    assert names(tabs) == {None}


async def test_a_silent_read_of_a_known_javascript_tab_does_not_undo_a_sign_out(
    browser: MemoryBrowser,
) -> None:
    (first,) = await signed_in_tabs(browser, 1)
    javascript_says(browser)
    await asyncio.sleep(1)
    gate = browser.network.hold(SESSION)
    foreign = asyncio.create_task(browser.network.carry(Request("GET", "/api/auth/session"), browser, 99))
    await asyncio.sleep(0.1)
    await first.sign_out(redirect=False)
    gate.set()
    await foreign
    await asyncio.sleep(0.5)
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("who", [0, 1, 2])
async def test_the_value_that_a_javascript_tab_brings_back_after_an_update_is_updated_again(
    browser: MemoryBrowser, who: int
) -> None:
    tabs = await signed_in_tabs(browser, 3)
    shown: list[str | None] = []
    gate = browser.network.hold(SESSION)
    foreign = asyncio.create_task(raw_read(browser))
    await asyncio.sleep(0.1)
    await tabs[who].update({"name": "Alice II"})
    for provider in tabs:
        provider.subscribe(lambda state: shown.append(name_in(state)))
    gate.set()
    await foreign
    await asyncio.sleep(0.5)
    assert json.loads(browser.cookies[SESSION_COOKIE])["name"] == "Alice II"
    assert names(tabs) == {"Alice II"}
    assert "alice" not in shown


async def test_a_sign_out_holds_though_its_tab_is_left(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold(SESSION)
    foreign = asyncio.create_task(raw_read(browser))
    await asyncio.sleep(0.1)
    await first.sign_out(redirect=False)
    assert isinstance(first.host, MemoryHost)
    first.host.change_lifecycle("left")
    gate.set()
    await foreign
    await asyncio.sleep(0.5)
    assert SESSION_COOKIE not in browser.cookies
    assert second.state.status == "unauthenticated"


async def test_a_second_sign_in_at_once_holds(browser: MemoryBrowser) -> None:
    tabs = await signed_in_tabs(browser, 2)
    await tabs[0].sign_out(redirect=False)
    await tabs[0].sign_in("credentials", username="alice", password="wonder", redirect=False)
    javascript_says(browser)
    await asyncio.sleep(1)
    assert names(tabs) == {"alice"}


async def test_a_later_second_sign_in_holds(browser: MemoryBrowser) -> None:
    (first,) = await signed_in_tabs(browser, 1)
    await first.sign_out(redirect=False)
    await asyncio.sleep(2)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    await asyncio.sleep(1)
    assert name_in(first.state) == "alice"
