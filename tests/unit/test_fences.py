"""While one tab changes the session, the others hold their requests back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from nextauth_py import ClientFetchError, SignOutIncomplete
from nextauth_py.tabs.fence import ACK_TIMEOUT
from nextauth_py.tabs.messages import OWN_CHANNEL, Message
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in
from .fake_server import SESSION_COOKIE, html_answer, json_answer
from .several_tabs import gets, javascript_says, names, open_tabs, signed_in_tabs

SESSION = "GET /api/auth/session"


FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}


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


async def test_a_refused_sign_in_does_not_hide_a_change_of_another_tab(browser: MemoryBrowser) -> None:
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


async def test_a_single_tab_does_not_wait_for_others(browser: MemoryBrowser) -> None:
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


async def test_a_wait_for_a_fence_ends_though_timers_fire_a_little_early(
    browser: MemoryBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    exactly = MemoryHost.call_later

    def in_whole_milliseconds(
        host: MemoryHost, seconds: float, callback: Callable[[], None]
    ) -> Callable[[], None]:
        return exactly(host, int(seconds * 1000) / 1000, callback)

    monkeypatch.setattr(MemoryHost, "call_later", in_whole_milliseconds)
    (provider,) = await open_tabs(browser, 1)
    crashed = browser.open_tab()
    channel = crashed.open_channel(OWN_CHANNEL, lambda _message: None)
    assert channel
    fence = Message("fence", "crashed", (int(crashed.now() * 1e6), "crashed"), timeout=3.0)
    channel.post(fence.to_json("/api/auth"))
    await asyncio.sleep(0.0123456)
    async with asyncio.timeout(10):
        await provider.refetch()
