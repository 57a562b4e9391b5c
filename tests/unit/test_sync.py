"""Tabs of one browser: one session, one request, no sign-out that comes back."""

from __future__ import annotations

import asyncio
import json

from nextauth_py import ClientFetchError, Session, SessionProvider, SessionValidationError
from nextauth_py.tabs.messages import OWN_CHANNEL
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE, html_answer, json_answer
from .several_tabs import gets, names, open_tabs, signed_in_tabs

SESSION = "GET /api/auth/session"


FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}


INTERVAL = 60.0


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
    assert gets(browser) == before + 4  # it makes sure of it, and looks twice


async def test_a_sign_in_that_leaves_the_page_is_announced_too(browser: MemoryBrowser) -> None:
    first, second = await open_tabs(browser, 2)
    await first.sign_in("credentials", username="alice", password="wonder")
    await asyncio.sleep(0.01)
    assert name_in(second.state) == "alice"


async def test_a_change_of_another_tab_is_not_a_local_event(browser: MemoryBrowser) -> None:
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


async def test_a_new_tab_costs_one_request_and_changes_no_other_tab(browser: MemoryBrowser) -> None:
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


async def test_an_answer_of_one_tab_ends_anothers_error(browser: MemoryBrowser) -> None:
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


async def test_a_duplicate_message_is_ignored(browser: MemoryBrowser) -> None:
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


async def test_a_fence_repeated_after_its_end_blocks_no_request(browser: MemoryBrowser) -> None:
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


async def test_a_message_that_does_not_fit_the_session_type_is_an_error(browser: MemoryBrowser) -> None:
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
