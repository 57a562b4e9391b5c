"""Tabs of one browser: one session, one request, no sign-out that comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from nextauth_py import ClientFetchError, Session, SessionProvider, SessionValidationError, SignOutIncomplete
from nextauth_py.core.wire import Request
from nextauth_py.tabs.fence import ACK_TIMEOUT
from nextauth_py.tabs.messages import OWN_CHANNEL, STORAGE_KEY, parse_stored
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import Waiter, name_in, signed_in
from .fake_server import SESSION_COOKIE, html_answer, json_answer

SESSION = "GET /api/auth/session"
FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}
INTERVAL = 60.0


async def open_tabs(browser: MemoryBrowser, count: int, **options: Any) -> list[SessionProvider]:
    """So many tabs, all loaded."""
    providers = [SessionProvider(host=browser.open_tab(), **options).start() for _ in range(count)]
    for provider in providers:
        await provider.ready()
    await asyncio.sleep(1)
    return providers


async def signed_in_tabs(browser: MemoryBrowser, count: int, **options: Any) -> list[SessionProvider]:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    return await open_tabs(browser, count, **options)


def names(providers: list[SessionProvider]) -> set[str | None]:
    return {name_in(provider.state) for provider in providers}


def gets(browser: MemoryBrowser) -> int:
    return browser.network.count(SESSION)


def javascript_says(browser: MemoryBrowser) -> None:
    """A tab of next-auth v5 has asked for the session."""
    channel = browser.open_tab().open_channel("next-auth", lambda _message: None)
    assert channel
    channel.post(FROM_V5)


async def raw_read(browser: MemoryBrowser) -> None:
    """A GET that no fence stops, as a JavaScript client makes it, and its message when it is answered."""
    await browser.network.carry(Request("GET", "/api/auth/session"), browser, 99)
    javascript_says(browser)


# --- payloads ---


async def test_ten_tabs_follow_a_sign_in_an_update_and_a_sign_out_without_asking(
    browser: MemoryBrowser,
) -> None:
    first, *others = await open_tabs(browser, 10)
    before = gets(browser)
    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await asyncio.sleep(0.01)
    assert names(others) == {"alice"}
    assert gets(browser) == before + 1  # the one with which the first tab learns who has signed in

    await first.update({"name": "Alice II"})
    await asyncio.sleep(0.01)
    assert names(others) == {"Alice II"}
    assert gets(browser) == before + 1

    await first.sign_out(redirect=False)
    await asyncio.sleep(60)
    assert {provider.state.status for provider in others} == {"unauthenticated"}
    assert gets(browser) == before + 2  # it makes sure of it


async def test_a_sign_in_that_leaves_the_page_is_told_too(browser: MemoryBrowser) -> None:
    first, second = await open_tabs(browser, 2)
    await first.sign_in("credentials", username="alice", password="wonder")
    await asyncio.sleep(0.01)
    assert name_in(second.state) == "alice"


async def test_what_another_tab_did_is_an_event_from_elsewhere(browser: MemoryBrowser) -> None:
    first, second = await open_tabs(browser, 2)
    events: list[tuple[str, str, bool]] = []
    for name in ("signed_in", "updated", "signed_out"):
        second.on(name, lambda event: events.append((event.name, event.reason, event.local)))
    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await first.update({"name": "bob"})
    await first.sign_out(redirect=False)
    await asyncio.sleep(0.01)
    assert events == [(name, "broadcast", False) for name in ("signed_in", "updated", "signed_out")]


async def test_a_new_tab_and_the_others_know_of_each_other(browser: MemoryBrowser) -> None:
    tabs = await open_tabs(browser, 2)
    tabs += await open_tabs(browser, 1)
    assert [len(provider.engine.channel.peers) for provider in tabs] == [2, 2, 2]
    tabs[0].close()
    await asyncio.sleep(0.01)
    assert [len(provider.engine.channel.peers) for provider in tabs[1:]] == [1, 1]


async def test_a_new_tab_costs_one_request_and_changes_nobodys_state(browser: MemoryBrowser) -> None:
    tabs = await signed_in_tabs(browser, 3)
    told: list[object] = []
    shown = [provider.state.data for provider in tabs]
    for provider in tabs:
        provider.subscribe(told.append)
    before = gets(browser)
    await open_tabs(browser, 1)
    assert gets(browser) == before + 1
    assert told == []
    assert all(provider.state.data is data for provider, data in zip(tabs, shown, strict=True))


async def test_a_failure_in_one_tab_shows_in_the_others_and_signs_nobody_out(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    events: list[tuple[str, bool]] = []
    second.on("error", lambda event: events.append((event.reason, event.local)))
    browser.network.answer_next(SESSION, html_answer(502))
    await first.refetch()
    await asyncio.sleep(0.01)
    assert str(second.state.error) == str(first.state.error)
    assert isinstance(second.state.error, ClientFetchError)
    assert second.state.error.status == 502
    assert (name_in(second.state), second.state.stale) == ("alice", True)
    assert events == [("broadcast", False)]


async def test_one_tab_tries_again_for_all(browser: MemoryBrowser) -> None:
    tabs = await signed_in_tabs(browser, 5, refetch_interval=INTERVAL)
    before = gets(browser)
    browser.network.answer_next(SESSION, json_answer({}, 500), times=4)
    await asyncio.sleep(2 * INTERVAL)
    assert {provider.state.error for provider in tabs} == {None}
    failed, answered = 4, 1
    assert failed + answered <= gets(browser) - before <= failed + answered + 1


async def test_a_session_that_one_tabs_type_refuses_is_shown_in_the_others(browser: MemoryBrowser) -> None:
    class Shop(Session):
        cart: int

    (second,) = await signed_in_tabs(browser, 1)
    picky = SessionProvider(host=browser.open_tab(), session_type=Shop).start()
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    await picky.refetch()
    await asyncio.sleep(0.01)
    assert isinstance(picky.state.error, SessionValidationError)
    assert (name_in(second.state), second.state.error) == ("bob", None)


async def test_what_one_tab_learns_ends_anothers_error(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    browser.network.answer_next(SESSION, html_answer())
    await second.refetch()
    await first.refetch()
    await asyncio.sleep(0.01)
    assert second.state.error is None
    assert not second.state.stale


async def test_an_older_message_never_overwrites_a_newer_state(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    late: list[str] = []
    spy = browser.open_tab().open_channel(OWN_CHANNEL, lambda text: late.append(str(text)))
    assert spy
    await first.refetch()
    await asyncio.sleep(0.01)
    old = next(text for text in late if json.loads(text)["kind"] == "state")
    await first.sign_out(redirect=False)
    await asyncio.sleep(5)
    spy.post(old)
    await asyncio.sleep(0.01)
    assert names([first, second]) == {None}


async def test_a_duplicate_calls_nobody(browser: MemoryBrowser) -> None:
    browser.deliveries = lambda: [0.0, 0.01]
    first, second = await open_tabs(browser, 2)
    told: list[object] = []
    second.subscribe(told.append)
    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await asyncio.sleep(0.1)
    assert len(told) == 1
    now = asyncio.get_running_loop().time()
    await second.get_session()
    assert asyncio.get_running_loop().time() == now  # no fence is left up


async def test_a_fence_heard_again_after_its_end_keeps_nobody_waiting(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    heard: list[str] = []
    spy = browser.open_tab().open_channel(OWN_CHANNEL, lambda text: heard.append(str(text)))
    assert spy
    await first.update({"name": "Alice II"})
    await asyncio.sleep(0.1)
    spy.post(next(text for text in heard if json.loads(text)["kind"] == "fence"))
    await asyncio.sleep(0)  # it is heard
    await asyncio.sleep(0)
    now = asyncio.get_running_loop().time()
    await second.get_session()
    assert asyncio.get_running_loop().time() == now


async def test_what_does_not_fit_this_tabs_session_type_is_its_error(browser: MemoryBrowser) -> None:
    class ShopSession(Session):
        role: str

    (first,) = await open_tabs(browser, 1)
    typed = SessionProvider(host=browser.open_tab(), session_type=ShopSession).start()
    await typed.ready()
    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await asyncio.sleep(0.01)
    assert isinstance(typed.state.error, SessionValidationError)


async def test_a_tab_with_a_newer_protocol_is_followed_by_asking(browser: MemoryBrowser) -> None:
    (provider,) = await open_tabs(browser, 1)
    own = browser.open_tab().open_channel(OWN_CHANNEL, lambda _message: None)
    channel = browser.open_tab().open_channel("next-auth", lambda _message: None)
    assert own
    assert channel
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    own.post(json.dumps({"v": 2, "scope": "/api/auth", "whatever": []}))
    channel.post({**FROM_V5, "nonce": "n", "scope": "/api/auth", "told": 2})
    await asyncio.sleep(1)
    assert name_in(provider.state) == "alice"


async def test_two_providers_with_different_paths_do_not_disturb_each_other(tab: MemoryHost) -> None:
    one = await signed_in(tab)
    SessionProvider(None, base_path="/other", host=tab).start()
    await one.sign_out(redirect=False)
    await asyncio.sleep(1)
    assert "GET /other/session" not in {f"{each.method} {each.path}" for each in tab.browser.network.log}


# --- the fence ---


async def test_a_request_held_in_another_tab_does_not_undo_a_sign_out(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold(SESSION)
    held = asyncio.create_task(second.refetch())
    await asyncio.sleep(0.1)
    await first.sign_out(redirect=False)
    gate.set()
    state = await held
    await asyncio.sleep(1)
    assert state.status == "unauthenticated"
    assert names([first, second]) == {None}
    assert SESSION_COOKIE not in browser.cookies
    assert [each.aborted for each in browser.network.log if each.tab == 1][-1]


async def test_a_request_held_in_another_tab_does_not_undo_an_update(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold(SESSION)
    held = asyncio.create_task(second.refetch())
    await asyncio.sleep(0.1)
    await first.update({"name": "Alice II"})
    gate.set()
    await held
    assert names([first, second]) == {"Alice II"}
    assert json.loads(browser.cookies[SESSION_COOKIE])["name"] == "Alice II"


async def test_no_tab_asks_while_another_signs_out(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    before = gets(browser)
    asking = asyncio.create_task(second.get_session())
    await asyncio.sleep(1)
    assert gets(browser) == before
    gate.set()
    await leaving
    assert await asking is None
    assert gets(browser) == before + 1  # with which the sign-out was made sure of


async def test_no_tab_answers_a_javascript_tab_while_another_signs_out(browser: MemoryBrowser) -> None:
    first, *_others = await signed_in_tabs(browser, 3)
    gate = browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    before = gets(browser)
    javascript_says(browser)
    await asyncio.sleep(1)
    assert gets(browser) == before
    gate.set()
    await leaving


async def test_a_sign_in_waits_for_another_tabs_stalled_sign_out(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    entering = asyncio.create_task(
        second.sign_in("credentials", username="bob", password="builder", redirect=False)
    )
    await asyncio.sleep(1)
    gate.set()
    await asyncio.gather(leaving, entering)
    await asyncio.sleep(1)
    assert names([first, second]) == {"bob"}
    assert json.loads(browser.cookies[SESSION_COOKIE])["name"] == "bob"


@pytest.mark.parametrize("later", [0.0, 0.1])
async def test_two_tabs_that_change_the_session_at_once_take_turns(
    browser: MemoryBrowser, later: float
) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold("POST /api/auth/session")
    one = asyncio.create_task(first.update({"name": "one"}))
    await asyncio.sleep(later)
    two = asyncio.create_task(second.update({"name": "two"}))
    await asyncio.sleep(1)
    assert browser.network.count("POST /api/auth/session") == 1
    gate.set()
    await asyncio.gather(one, two)
    await asyncio.sleep(1)
    assert names([first, second]) == {"two"}
    assert json.loads(browser.cookies[SESSION_COOKIE])["name"] == "two"


async def test_a_refused_sign_in_does_not_hide_what_another_tab_did_meanwhile(browser: MemoryBrowser) -> None:
    first, second = await open_tabs(browser, 2)
    entering = first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    refused = second.sign_in("credentials", username="alice", password="wrong", redirect=False)
    await asyncio.gather(entering, refused)
    await asyncio.sleep(1)
    assert names([first, second]) == {"alice"}


async def test_a_dead_tab_costs_a_sign_out_the_patience_and_only_once(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    assert isinstance(second.host, MemoryHost)
    second.host.crash()
    loop = asyncio.get_running_loop()
    for cost in (ACK_TIMEOUT, 0.0):
        began = loop.time()
        await first.update({"name": "Alice"})
        assert loop.time() - began == pytest.approx(cost)


async def test_a_lone_tab_waits_for_nobody(browser: MemoryBrowser) -> None:
    (first,) = await signed_in_tabs(browser, 1)
    began = asyncio.get_running_loop().time()
    await first.sign_out(redirect=False)
    assert asyncio.get_running_loop().time() == began


async def test_the_fence_of_a_tab_that_crashed_is_forgotten(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    assert isinstance(first.host, MemoryHost)
    first.host.crash()
    before = gets(browser)
    assert await second.get_session()
    assert gets(browser) == before + 1
    leaving.cancel()


async def test_a_refused_sign_out_changes_nothing_elsewhere(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    before = gets(browser)
    browser.network.answer_next("POST /api/auth/signout", html_answer())
    with pytest.raises(ClientFetchError):
        await first.sign_out(redirect=False)
    assert first.state.stale
    await asyncio.sleep(10)
    assert (name_in(second.state), first.state.stale) == ("alice", False)
    assert gets(browser) == before + 1


async def test_the_others_know_of_a_sign_out_before_it_has_been_checked(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold(SESSION)
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    assert second.state.status == "unauthenticated"
    asking = asyncio.create_task(second.get_session())  # which still waits
    await asyncio.sleep(0.1)
    assert browser.network.log[-1].tab == 0
    gate.set()
    await leaving
    assert await asking is None


async def test_the_others_ask_when_the_server_did_not_sign_out_after_all(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    answer = json_answer({"url": "https://app.example/"})
    browser.network.answer_next("POST /api/auth/signout", answer, times=3)
    with pytest.raises(SignOutIncomplete):
        await first.sign_out(redirect=False)
    await asyncio.sleep(1)
    assert names([first, second]) == {"alice"}


async def test_after_a_sign_out_that_got_no_answer_the_others_ask(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    browser.network.answer_next("POST /api/auth/signout", OSError("lost"))
    del browser.cookies[SESSION_COOKIE]  # the server did it; its answer was lost
    with pytest.raises(ClientFetchError):
        await first.sign_out(redirect=False)
    await asyncio.sleep(1)
    assert second.state.status == "unauthenticated"


async def test_a_frozen_tabs_request_does_not_undo_a_sign_out(browser: MemoryBrowser) -> None:
    first, second = await signed_in_tabs(browser, 2)
    gate = browser.network.hold(SESSION)
    held = asyncio.create_task(second.refetch())
    await asyncio.sleep(0.1)
    assert isinstance(second.host, MemoryHost)
    second.host.change_lifecycle("frozen")
    await first.sign_out(redirect=False)
    gate.set()  # and the browser takes the old cookie from the answer
    await asyncio.sleep(0.1)
    assert SESSION_COOKIE in browser.cookies
    second.host.change_lifecycle("thawed")
    await held
    await asyncio.sleep(5)
    assert SESSION_COOKIE not in browser.cookies
    assert names([first, second]) == {None}


# --- JavaScript neighbours ---


async def test_tabs_of_both_javascript_clients_are_told(browser: MemoryBrowser) -> None:
    neighbour = browser.open_tab()
    heard: list[object] = []
    neighbour.open_channel("next-auth", heard.append)
    neighbour.on_stored(STORAGE_KEY, lambda text: heard.append(parse_stored(text)))
    provider = await signed_in(browser.open_tab())
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.01)
    triggers = [(message["event"], message["data"]["trigger"]) for message in heard]  # type: ignore[index]
    assert triggers == [("session", "getSession")] * 2 + [("session", "signout")] * 2


async def test_tabs_of_both_javascript_clients_are_heard(browser: MemoryBrowser) -> None:
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


async def test_what_was_heard_is_not_sent_on(browser: MemoryBrowser) -> None:
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
async def test_what_a_javascript_tab_brings_back_after_a_sign_out_is_signed_out_again(
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


async def test_who_signs_in_again_at_once_stays_signed_in(browser: MemoryBrowser) -> None:
    tabs = await signed_in_tabs(browser, 2)
    await tabs[0].sign_out(redirect=False)
    await tabs[0].sign_in("credentials", username="alice", password="wonder", redirect=False)
    javascript_says(browser)
    await asyncio.sleep(1)
    assert names(tabs) == {"alice"}


async def test_who_signs_in_again_later_stays_signed_in(browser: MemoryBrowser) -> None:
    (first,) = await signed_in_tabs(browser, 1)
    await first.sign_out(redirect=False)
    await asyncio.sleep(2)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    javascript_says(browser)
    await asyncio.sleep(1)
    assert name_in(first.state) == "alice"


# --- one poller ---


@pytest.mark.parametrize("number", [1, 2, 5, 10, 20])
async def test_all_tabs_together_ask_once_in_an_interval(browser: MemoryBrowser, number: int) -> None:
    await signed_in_tabs(browser, number, refetch_interval=INTERVAL)
    before = gets(browser)
    await asyncio.sleep(10 * INTERVAL)
    assert gets(browser) - before == 10


async def test_the_others_show_what_the_leader_learns(browser: MemoryBrowser) -> None:
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


async def test_a_restored_page_hears_and_leads_again(browser: MemoryBrowser) -> None:
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
