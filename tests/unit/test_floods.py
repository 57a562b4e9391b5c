"""Messages by the thousand, from tabs that do not exist: bounded memory, timers, waits and requests."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nextauth_py import SessionProvider
from nextauth_py.tabs.messages import MOST_TABS, OWN_CHANNEL, Pace
from nextauth_py.testing.memory import MemoryBrowser

from .attacker import FLOODS, Attacker, gets, host_of, now, open_tabs
from .conftest import name_in
from .fake_server import SESSION_COOKIE, html_answer, json_answer

SESSION = "GET /api/auth/session"
TIMEOUT = 10.0
LONGEST = 15 * TIMEOUT  # that a mutation can take
INTERVAL = 60.0


@pytest.fixture
def attacker(browser: MemoryBrowser) -> Attacker:
    return Attacker(browser)


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_leaves_few_names_and_timers(
    browser: MemoryBrowser, attacker: Attacker, flood: str
) -> None:
    (provider,) = await open_tabs(browser, 1)
    before = gets(browser)
    for _ in range(3000):
        FLOODS[flood](attacker)
    await asyncio.sleep(0.01)
    fence = provider.engine._driver.fence
    for known in (provider.engine.channel.peers, fence._known, fence._until):
        assert len(known) <= MOST_TABS
    assert len(host_of(provider).timers) <= MOST_TABS + 5
    await asyncio.sleep(2)
    assert gets(browser) - before <= 20
    provider.close()
    assert host_of(provider).open_resources == 0


@pytest.mark.parametrize("every", [0.001, 0.03, 0.4])
@pytest.mark.parametrize("flood", FLOODS)
async def test_no_call_waits_longer_than_a_fence_stands_in_any_flood(
    browser: MemoryBrowser, attacker: Attacker, flood: str, every: float
) -> None:
    (provider,) = await open_tabs(browser, 1)
    browser.network.latency = 0.25
    flooding = attacker.keep(lambda: FLOODS[flood](attacker), every)
    await asyncio.sleep(1)
    before, began = gets(browser), now()
    await provider.refetch()
    assert now() - began <= LONGEST + TIMEOUT + 0.6  # and the request itself
    assert gets(browser) - before <= 40
    flooding.cancel()


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_mutation_waits_no_longer_than_two_fences_may_stand(
    browser: MemoryBrowser, attacker: Attacker, flood: str
) -> None:
    (provider,) = await open_tabs(browser, 1)
    flooding = attacker.keep(lambda: FLOODS[flood](attacker), 0.01)
    await asyncio.sleep(1)
    began = now()
    await provider.sign_out(redirect=False)
    assert now() - began <= 2 * LONGEST + 1
    flooding.cancel()
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("flood", FLOODS)
async def test_after_a_flood_all_tabs_follow_as_before(
    browser: MemoryBrowser, attacker: Attacker, flood: str
) -> None:
    first, second = await open_tabs(browser, 2)
    flooding = attacker.keep(lambda: FLOODS[flood](attacker), 0.01)
    await asyncio.sleep(20)
    flooding.cancel()
    await asyncio.sleep(2 * TIMEOUT)
    if "state" in flood:  # which says that nobody is signed in
        await first.refetch()
    await first.update({"name": "Alice II"})
    await asyncio.sleep(1)
    assert {name_in(first.state), name_in(second.state)} == {"Alice II"}
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    attacker.nudge()
    await asyncio.sleep(2)
    assert {name_in(first.state), name_in(second.state)} == {"bob"}


@pytest.mark.parametrize("flood", ["javascript", "changed", "fence", "new epochs"])
async def test_a_minute_of_a_flood_costs_about_one_request_a_second(
    browser: MemoryBrowser, attacker: Attacker, flood: str
) -> None:
    tabs = await open_tabs(browser, 3)
    browser.network.latency = 0.02
    before = gets(browser)
    flooding = attacker.keep(lambda: FLOODS[flood](attacker), 0.05)
    for _ in range(6):
        await asyncio.gather(*(provider.refetch() for provider in tabs))
        await asyncio.sleep(10)
    assert gets(browser) - before <= len(tabs) * (60 + 30 + 6)
    flooding.cancel()


async def test_news_comes_through_while_nudges_never_stop(browser: MemoryBrowser, attacker: Attacker) -> None:
    (provider,) = await open_tabs(browser, 1)
    flooding = attacker.keep(attacker.nudge, 0.005)
    await asyncio.sleep(5)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    await asyncio.sleep(2.5)
    assert name_in(provider.state) == "bob"
    flooding.cancel()


async def test_a_read_that_is_not_aborted_any_more_is_no_answer_to_later_news(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    (provider,) = await open_tabs(browser, 1)
    while provider.engine._reader._interruptions.take():
        pass
    gate = browser.network.hold(SESSION)
    expires = "2099-01-01T00:00:00Z"
    browser.network.answer_next(SESSION, json_answer({"user": {"name": "carol"}, "expires": expires}))
    asking = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)  # the server has handled it
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    attacker.nudge()
    await asyncio.sleep(0.5)
    gate.set()
    await asking
    await asyncio.sleep(0.5)
    assert name_in(provider.state) == "bob"


async def test_a_fence_that_no_tab_has_is_acknowledged_a_bounded_number_of_times(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    await open_tabs(browser, 1)
    heard: list[str] = []
    attacker.tab.open_channel(OWN_CHANNEL, lambda text: heard.append(json.loads(str(text))["kind"]))
    for _ in range(3000):
        attacker.say("fence")
    await asyncio.sleep(1)
    assert heard.count("ack") <= MOST_TABS + 5


async def test_a_mutation_does_not_wait_for_ever_for_older_ones(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    (provider,) = await open_tabs(browser, 1)

    async def be_older() -> None:
        for time in range(1, 1000):
            attacker.say("fence", time=[time, "old"])
            await asyncio.sleep(0.5)

    attacker.say("here")  # and so a mutation waits for what this tab says
    await asyncio.sleep(0.01)
    began = now()
    leaving = asyncio.create_task(provider.sign_out(redirect=False))
    older = asyncio.create_task(be_older())
    await leaving
    assert now() - began <= 2 * LONGEST + 1
    older.cancel()


async def test_an_answer_is_shown_though_changes_are_announced_for_ever(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    (provider,) = await open_tabs(browser, 1)
    browser.network.latency = 0.05
    flooding = attacker.keep(lambda: FLOODS["new epochs"](attacker), 0.01)
    await asyncio.sleep(5)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    for _ in range(10):
        await provider.refetch()
    assert name_in(provider.state) == "bob"
    browser.network.latency = 0.8
    new = SessionProvider(host=browser.open_tab(), timeout=TIMEOUT).start()
    began = now()
    await new.ready()
    assert now() - began <= TIMEOUT + 2
    flooding.cancel()


async def test_mere_announcements_of_requests_do_not_delay_polls(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    await open_tabs(browser, 1, refetch_interval=INTERVAL)
    before = gets(browser)
    flooding = attacker.keep(lambda: attacker.say("asking"), 1)
    await asyncio.sleep(5 * INTERVAL)
    assert gets(browser) - before >= 4
    flooding.cancel()


async def test_other_tabs_failures_do_not_put_off_an_attempt_for_ever(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    (provider,) = await open_tabs(browser, 1)
    flooding = attacker.keep(lambda: attacker.say("failed", failure=[500, "HTTP 500", None]), 0.5)
    await asyncio.sleep(1)
    assert provider.state.error
    before = gets(browser)
    await asyncio.sleep(1200)
    assert 2 <= gets(browser) - before <= 20
    flooding.cancel()


async def test_hellos_are_answered_at_once_and_then_together(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    await open_tabs(browser, 1)
    heard: list[str] = []
    attacker.tab.open_channel(OWN_CHANNEL, lambda text: heard.append(json.loads(str(text))["kind"]))
    attacker.say("hello")
    await asyncio.sleep(0.001)
    assert heard.count("here") == 1
    heard.clear()
    for _ in range(1000):
        attacker.say("hello")
        await asyncio.sleep(0.001)
    await asyncio.sleep(1)
    assert 10 <= heard.count("here") <= 25


async def test_a_hundred_tabs_know_each_other(browser: MemoryBrowser) -> None:
    tabs = await open_tabs(browser, 100)
    assert {len(provider.engine.channel.peers) for provider in tabs} == {99}
    await tabs[0].update({"name": "Alice II"})
    await asyncio.sleep(0.01)
    assert {name_in(provider.state) for provider in tabs} == {"Alice II"}


@pytest.mark.parametrize(
    ("announced", "requests_take"), [(None, 150), (5.0, 75), (1e6, 900), (float("1e-9"), 1)]
)
async def test_a_fence_that_is_announced_for_ever_stands_as_long_as_a_mutation_can_take(
    browser: MemoryBrowser, attacker: Attacker, announced: float | None, requests_take: float
) -> None:
    (provider,) = await open_tabs(browser, 1)
    stamp = [int(attacker.tab.now() * 1e6), "one"]
    fields: dict[str, Any] = {} if announced is None else {"timeout": announced}
    began = now()
    flooding = attacker.keep(lambda: attacker.say("fence", tab="one", time=stamp, **fields), 0.5)
    await asyncio.sleep(requests_take + 1)
    assert not provider.engine._driver.fence.is_up
    await provider.get_session()
    assert now() - began < requests_take + 2
    flooding.cancel()


async def test_stamps_of_a_day_ahead_stop_nothing(browser: MemoryBrowser, attacker: Attacker) -> None:
    first, second = await open_tabs(browser, 2)
    ahead = [int((attacker.tab.now() + 86_399) * 1e6), "z"]
    for kind in ("here", "fence", "state", "changed"):
        attacker.say(kind, tab="z", time=ahead, epoch=ahead)
    await asyncio.sleep(2 * TIMEOUT)
    await first.refetch()
    await first.update({"name": "Alice II"})
    await asyncio.sleep(0.1)
    assert {name_in(first.state), name_in(second.state)} == {"Alice II"}
    await second.sign_out(redirect=False)
    await asyncio.sleep(0.1)
    assert first.state.status == "unauthenticated"


@pytest.mark.parametrize("field", ["tab", "mutated", "time", "epoch"])
async def test_long_names_are_not_remembered(browser: MemoryBrowser, attacker: Attacker, field: str) -> None:
    (provider,) = await open_tabs(browser, 1)
    long = "x" * 65
    fields: dict[str, Any] = {field: [1, long] if field in {"time", "epoch"} else long}
    attacker.say("state", **fields)
    await asyncio.sleep(0.01)
    assert not provider.engine.channel.peers


@pytest.mark.parametrize("answer", ["[" * 100_000, '{"x":' + "[" * 500 + "]" * 500 + "}", "NaN", "1e999"])
async def test_an_answer_that_cannot_be_read_is_tried_again(browser: MemoryBrowser, answer: str) -> None:
    (provider,) = await open_tabs(browser, 1)
    odd = json_answer(None)
    odd = type(odd)(type(odd.response)(200, answer, odd.response.headers))
    browser.network.answer_next(SESSION, odd)
    state = await provider.refetch()
    assert state.error
    assert name_in(state) == "alice"
    await asyncio.sleep(3)
    assert provider.state.error is None
    assert (await provider.refetch()).error is None
    browser.network.answer_next(SESSION, html_answer())
    assert (await provider.refetch()).error


async def test_an_embedded_session_that_is_too_deep_is_asked_for(browser: MemoryBrowser) -> None:
    tab = browser.open_tab()
    tab.embedded = '{"expires":"2099-01-01T00:00:00Z","x":' + "[" * 5000 + "]" * 5000 + "}"
    provider = SessionProvider(host=tab).start()
    assert (await provider.ready()).status == "unauthenticated"
    assert gets(browser) == 1
    assert len(tab.reports) == 1


@pytest.mark.parametrize("digits", [309, 5000])
async def test_a_nonsensical_retry_after_is_posted_to_other_tabs_too(
    browser: MemoryBrowser, digits: int
) -> None:
    first, second = await open_tabs(browser, 2)
    odd = html_answer(503)
    headers = {**odd.response.headers, "retry-after": "9" * digits}
    browser.network.answer_next(SESSION, type(odd)(type(odd.response)(503, "", headers)))
    await first.refetch()
    await asyncio.sleep(0.1)
    assert second.state.error


async def test_an_answer_is_shown_though_other_tabs_fail_for_ever(
    browser: MemoryBrowser, attacker: Attacker
) -> None:
    (provider,) = await open_tabs(browser, 1)
    browser.network.latency = 0.3
    flooding = attacker.keep(lambda: attacker.say("failed", failure=[500, "HTTP 500", None]), 0.05)
    await asyncio.sleep(1)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    for _ in range(3):
        await provider.refetch()
    assert name_in(provider.state) == "bob"
    flooding.cancel()


async def test_a_slow_answer_counts_though_another_tab_has_failed_meanwhile(browser: MemoryBrowser) -> None:
    (provider,) = await open_tabs(browser, 1)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    gate = browser.network.hold(SESSION)
    asking = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)
    browser.network.answer_next(SESSION, html_answer())
    await SessionProvider(host=browser.open_tab(), timeout=TIMEOUT).start().ready()
    before = gets(browser)
    gate.set()
    await asking
    assert name_in(provider.state) == "bob"
    assert gets(browser) == before


def test_a_pace_allows_so_many_at_once_and_then_one_a_second() -> None:
    clock = [1000.0]
    pace = Pace(lambda: clock[0], 3)
    assert [pace.take() for _ in range(5)] == [True, True, True, False, False]
    assert pace.wait() == 1.0
    clock[0] += 1.0
    assert [pace.take() for _ in range(2)] == [True, False]
    clock[0] -= 5000.0  # set back
    assert not pace.take()
    clock[0] += 1.0
    assert pace.take()
    clock[0] += 1e6
    assert [pace.take() for _ in range(4)] == [True, True, True, False]
