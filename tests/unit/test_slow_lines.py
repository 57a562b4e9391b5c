"""A sign-out or an update holds, however slow the line, whatever the other tabs have under way."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nextauth_py import SessionProvider
from nextauth_py.core.wire import Request
from nextauth_py.tabs.messages import OWN_CHANNEL
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in
from .fake_server import EXPIRES, SESSION_COOKIE, FakeServer

SESSION = "GET /api/auth/session"
SIGN_OUT = "POST /api/auth/signout"


async def open_tabs(browser: MemoryBrowser, *options: dict[str, Any]) -> list[SessionProvider]:
    """Alice is signed in, in a tab for each of these options."""
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs = [SessionProvider(host=browser.open_tab(), **each).start() for each in options]
    for provider in tabs:
        await provider.ready()
    await asyncio.sleep(3)
    return tabs


async def end(tabs: list[SessionProvider]) -> None:
    """Leave no poll under way."""
    for provider in tabs:
        provider.close()
    await asyncio.sleep(1)


def host_of(provider: SessionProvider) -> MemoryHost:
    assert isinstance(provider.host, MemoryHost)
    return provider.host


def shown(tabs: list[SessionProvider]) -> set[str | None]:
    return {name_in(provider.state) for provider in tabs}


def cookie(browser: MemoryBrowser) -> str | None:
    text = browser.cookies.get(SESSION_COOKIE)
    return None if text is None else json.loads(text)["name"]


def gets(browser: MemoryBrowser) -> int:
    return browser.network.count(SESSION)


def now() -> float:
    return asyncio.get_running_loop().time()


def javascript_says(browser: MemoryBrowser) -> None:
    channel = browser.open_tab().open_channel("next-auth", lambda _message: None)
    assert channel
    channel.post({"event": "session", "data": {"trigger": "getSession"}})


async def javascript_reads(browser: MemoryBrowser) -> None:
    await browser.network.carry(Request("GET", "/api/auth/session"), browser, 99)
    javascript_says(browser)


# --- the fence stands as long as its mutation lives ---


@pytest.mark.parametrize("second", [6.0, 8.0, 9.9, 10.0, 10.1, 11.0, 12.0, 14.0])
async def test_a_slow_sign_out_with_a_refused_token_is_not_undone_by_a_late_poll(
    browser: MemoryBrowser, server: FakeServer, second: float
) -> None:
    tabs = await open_tabs(browser, {}, {"refetch_interval": 2})
    browser.network.latency = 1.7
    server.refused_csrf_posts = 1
    leaving = asyncio.create_task(tabs[0].sign_out(redirect=False))
    await asyncio.sleep(second)
    gate = browser.network.hold(SESSION)
    asyncio.get_running_loop().call_later(9.0, gate.set)
    await leaving
    await asyncio.sleep(60)
    assert cookie(browser) is None
    assert shown(tabs) == {None}


@pytest.mark.parametrize("latency", [4.0, 4.2, 4.5])
async def test_polls_of_another_tab_do_not_keep_a_slow_sign_out_from_succeeding(
    browser: MemoryBrowser, latency: float
) -> None:
    tabs = await open_tabs(browser, {}, {"refetch_interval": 2})
    browser.network.latency = latency
    await tabs[0].sign_out(redirect=False)
    await asyncio.sleep(60)
    assert cookie(browser) is None
    assert shown(tabs) == {None}


async def test_a_slow_update_with_a_refused_token_is_not_undone(
    browser: MemoryBrowser, server: FakeServer
) -> None:
    tabs = await open_tabs(browser, {}, {"refetch_interval": 2})
    browser.network.latency = 2.4
    server.refused_csrf_posts = 1
    session = await tabs[0].update({"name": "NEW"})
    assert session
    assert session.user
    assert session.user.name == "NEW"
    await asyncio.sleep(60)
    assert cookie(browser) == "NEW"
    assert shown(tabs) == {"NEW"}
    await end(tabs)


@pytest.mark.parametrize(("ours", "theirs"), [(30, 3), (30, 10), (20, 2), (10, 3), (3, 30), (60, 0.5)])
async def test_tabs_of_unlike_timeouts_wait_for_each_other(
    browser: MemoryBrowser, server: FakeServer, ours: float, theirs: float
) -> None:
    tabs = await open_tabs(browser, {"timeout": ours}, {"timeout": theirs, "refetch_interval": 2})
    browser.network.latency = min(ours, 9) * 0.45
    server.refused_csrf_posts = 1
    await tabs[0].sign_out(redirect=False)
    browser.network.latency = 0.01
    await asyncio.sleep(120)
    assert cookie(browser) is None
    assert shown(tabs) == {None}
    await end(tabs)


async def test_a_crashed_tabs_fence_falls_when_its_longest_request_must_have_ended(
    browser: MemoryBrowser,
) -> None:
    first, second = await open_tabs(browser, {"timeout": 5}, {"timeout": 30})
    browser.network.hold(SIGN_OUT)
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    host_of(first).crash()
    began = now()
    assert await second.get_session()
    assert 4 < now() - began < 8
    leaving.cancel()


async def test_a_sign_out_on_a_fast_line_says_its_fence_once(browser: MemoryBrowser) -> None:
    first, _ = await open_tabs(browser, {}, {})
    heard: list[str] = []
    browser.open_tab().open_channel(OWN_CHANNEL, lambda text: heard.append(json.loads(str(text))["kind"]))
    browser.network.latency = 0.02
    await first.sign_out(redirect=False)
    await asyncio.sleep(1)
    assert heard.count("fence") == 1


async def test_a_page_that_loads_in_the_middle_of_a_sign_out_does_not_undo_it(browser: MemoryBrowser) -> None:
    (first,) = await open_tabs(browser, {})
    browser.network.latency = 1.0
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(2.5)  # the POST is on its way
    gate = browser.network.hold(SESSION)
    asyncio.get_running_loop().call_later(4.0, gate.set)
    new = SessionProvider(host=browser.open_tab()).start()
    await leaving
    await asyncio.sleep(20)
    assert cookie(browser) is None
    assert shown([first, new]) == {None}


async def test_a_page_that_loads_in_the_middle_of_a_mutation_waits_with_its_own(
    browser: MemoryBrowser,
) -> None:
    (first,) = await open_tabs(browser, {})
    browser.network.latency = 0.5
    gate = browser.network.hold("POST /api/auth/session")
    updating = asyncio.create_task(first.update({"name": "first"}))
    await asyncio.sleep(3)
    new = SessionProvider({"user": {"name": "alice"}, "expires": EXPIRES}, host=browser.open_tab()).start()
    await asyncio.sleep(0.1)
    asyncio.get_running_loop().call_later(4.0, gate.set)
    await new.update({"name": "second"})
    await updating
    await asyncio.sleep(5)
    assert cookie(browser) == "second"
    assert shown([first, new]) == {"second"}


# --- what began before an outcome ---


async def test_hearing_of_an_outcome_aborts_a_read_that_began_before_it(browser: MemoryBrowser) -> None:
    first, second = await open_tabs(browser, {}, {})
    host_of(second).is_frozen = True  # it misses the fence
    browser.network.hold(SESSION)
    reading = asyncio.create_task(second.refetch())
    await asyncio.sleep(0.1)
    await first.sign_out(redirect=False)
    host_of(second).change_lifecycle("thawed")
    state = await reading
    assert state.status == "unauthenticated"
    assert [each.aborted for each in browser.network.log if each.tab == 1 and each.path.endswith("session")][
        -1
    ]


@pytest.mark.parametrize("thawed", [2.0, 5.0, 9.0])
@pytest.mark.parametrize("change", ["sign out", "update"])
async def test_an_answer_that_comes_too_late_is_looked_into(
    browser: MemoryBrowser, change: str, thawed: float
) -> None:
    first, second = await open_tabs(browser, {}, {})
    gate = browser.network.hold(SESSION)
    reading = asyncio.create_task(second.refetch())
    await asyncio.sleep(0.1)
    host_of(second).change_lifecycle("frozen")
    await (first.sign_out(redirect=False) if change == "sign out" else first.update({"name": "NEW"}))
    await asyncio.sleep(thawed)
    gate.set()
    await asyncio.sleep(0.1)
    assert cookie(browser) == "alice"
    host_of(second).change_lifecycle("thawed")
    await reading
    await asyncio.sleep(5)
    right = None if change == "sign out" else "NEW"
    assert cookie(browser) == right
    assert shown([first, second]) == {right}


async def test_a_read_that_could_not_be_aborted_any_more_is_looked_into(browser: MemoryBrowser) -> None:
    first, second = await open_tabs(browser, {}, {})
    while second.engine._reader._interruptions.take():
        pass
    gate = browser.network.hold(SESSION)
    reading = asyncio.create_task(second.refetch())
    await asyncio.sleep(0.1)
    await first.update({"name": "NEW"})
    await asyncio.sleep(3)
    while second.engine._reader._interruptions.take():
        pass
    gate.set()
    await reading
    await asyncio.sleep(3)
    assert cookie(browser) == "NEW"
    assert shown([first, second]) == {"NEW"}


async def test_a_session_revived_on_a_slow_line_is_signed_out_again(
    browser: MemoryBrowser,
) -> None:
    tabs = await open_tabs(browser, {}, {})
    browser.network.latency = 1.7
    leaving = asyncio.create_task(tabs[0].sign_out(redirect=False))
    await asyncio.sleep(4.0)
    gate = browser.network.hold(SESSION)
    foreign = asyncio.create_task(javascript_reads(browser))
    await leaving
    await asyncio.sleep(2.5)
    gate.set()
    await foreign
    await asyncio.sleep(30)
    assert cookie(browser) is None
    assert shown(tabs) == {None}


async def test_a_session_revived_during_the_check_is_signed_out_again(
    browser: MemoryBrowser,
) -> None:
    tabs = await open_tabs(browser, {}, {})
    browser.network.latency = 1.0
    leaving = asyncio.create_task(tabs[0].sign_out(redirect=False))
    await asyncio.sleep(2.5)
    gate = browser.network.hold(SESSION)
    foreign = asyncio.create_task(javascript_reads(browser))
    asyncio.get_running_loop().call_later(2.0, gate.set)  # it is answered after the POST, before the check
    await leaving
    await foreign
    await asyncio.sleep(30)
    assert cookie(browser) is None
    assert shown(tabs) == {None}


# --- who signs in again ---


@pytest.mark.parametrize("after", [2.0, 4.0, 8.0])
async def test_a_second_sign_in_in_a_javascript_tab_holds(browser: MemoryBrowser, after: float) -> None:
    tabs = await open_tabs(browser, {}, {})
    await tabs[0].sign_out(redirect=False)
    await asyncio.sleep(after)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    await asyncio.sleep(20)
    assert cookie(browser) == "alice"
    assert shown(tabs) == {"alice"}


@pytest.mark.parametrize("after", [2.0, 4.0, 8.0])
async def test_a_visitor_who_returns_signed_in_stays_signed_in(browser: MemoryBrowser, after: float) -> None:
    tabs = await open_tabs(browser, {}, {})
    await tabs[0].sign_out(redirect=False)
    await asyncio.sleep(after)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs.append(SessionProvider(host=browser.open_tab()).start())
    await asyncio.sleep(0.5)
    javascript_says(browser)
    await asyncio.sleep(20)
    assert cookie(browser) == "alice"
    assert shown(tabs) == {"alice"}


@pytest.mark.parametrize("after", [0.0, 0.5, 3.0])
async def test_a_second_sign_in_in_another_python_tab_holds(browser: MemoryBrowser, after: float) -> None:
    tabs = await open_tabs(browser, {}, {})
    await tabs[0].sign_out(redirect=False)
    await asyncio.sleep(after)
    await tabs[1].sign_in("credentials", username="alice", password="wonder", redirect=False)
    javascript_says(browser)
    await asyncio.sleep(20)
    assert cookie(browser) == "alice"
    assert shown(tabs) == {"alice"}


async def test_an_update_of_a_closed_provider_returns_the_servers_session(
    browser: MemoryBrowser,
) -> None:
    (provider,) = await open_tabs(browser, {})
    browser.cookies.clear()
    browser.network.latency = 0.5
    updating = asyncio.create_task(provider.update())
    await asyncio.sleep(0.1)
    provider.close()
    assert await updating is None


# --- what it costs ---


@pytest.mark.parametrize("number", [1, 2, 10])
@pytest.mark.parametrize("latency", [0.0, 0.05, 1.7])
async def test_a_sign_out_where_nothing_comes_back_costs_five_requests(
    browser: MemoryBrowser, number: int, latency: float
) -> None:
    tabs = await open_tabs(browser, *[{}] * number)
    browser.network.latency = latency
    before = len(browser.network.log)
    await tabs[0].sign_out(redirect=False)
    await asyncio.sleep(60)
    assert len(browser.network.log) - before == 5  # a token, the POST, the check, and two looks


async def test_a_sign_out_beside_a_javascript_tab_costs_five_requests_too(browser: MemoryBrowser) -> None:
    tabs = await open_tabs(browser, {}, {})
    javascript_says(browser)
    await asyncio.sleep(5)
    browser.network.latency = 1.7
    before = len(browser.network.log)
    await tabs[0].sign_out(redirect=False)
    await asyncio.sleep(60)
    assert len(browser.network.log) - before == 5


@pytest.mark.parametrize("latency", [0.05, 1.7, 4.0])
async def test_the_cost_of_polls_is_constant(browser: MemoryBrowser, latency: float) -> None:
    await open_tabs(browser, *[{"refetch_interval": 60}] * 3)
    browser.network.latency = latency
    before = len(browser.network.log)
    await asyncio.sleep(630)
    assert len(browser.network.log) - before == 10
