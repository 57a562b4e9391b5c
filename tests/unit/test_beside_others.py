"""Other clients in the same page: what they do is seen in their answered requests."""

from __future__ import annotations

import asyncio
import json

import pytest

from nextauth_py import SessionProvider
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE, FakeServer

SESSION = "GET /api/auth/session"
CALLBACK = "/api/auth/callback/credentials"
SERVER = FakeServer()


def react_signs_in(tab: MemoryHost, name: str = "alice", path: str = CALLBACK) -> None:
    """As `signIn("credentials", {redirect: false})` of next-auth/react does, which tells nobody."""
    tab.browser.set_cookies(SERVER.cookies_for(SERVER.users[name]))
    tab.see_answer(path, began=tab.now() - 0.1)


async def test_a_silent_sign_in_is_noticed(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    await asyncio.sleep(1)
    react_signs_in(tab)
    await asyncio.sleep(1)
    assert name_in(provider.state) == "alice"
    assert tab.browser.network.count(SESSION) == 1


async def test_a_silent_sign_in_right_after_a_sign_out_is_believed(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0.2)
    react_signs_in(tab)
    await asyncio.sleep(10)
    assert name_in(provider.state) == "alice"


async def test_a_silent_sign_out_is_noticed(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(1)
    del tab.browser.cookies[SESSION_COOKIE]
    tab.see_answer("/api/auth/signout", began=tab.now() - 0.1)
    await asyncio.sleep(1)
    assert provider.state.status == "unauthenticated"


@pytest.mark.parametrize(
    "path",
    [
        "/api/auth/csrf",
        "/api/auth/providers",
        "/api/auth/signin/github",
        "/shop/api/auth/callback/x",
        "/a.png",
    ],
)
async def test_other_requests_cost_nothing(tab: MemoryHost, path: str) -> None:
    SessionProvider(None, host=tab).start()
    await asyncio.sleep(1)
    react_signs_in(tab, path=path)
    await asyncio.sleep(10)
    assert tab.browser.network.log == []


async def test_own_requests_cost_nothing_more(tab: MemoryHost) -> None:
    tab.browser.network.latency = 0.2
    provider = await signed_in(tab)
    before = len(tab.browser.network.log)
    tab.see_answer(CALLBACK, began=tab.now() - 0.4)
    updating = asyncio.create_task(provider.update({"name": "Alice II"}))
    await asyncio.sleep(0.3)
    tab.see_answer(CALLBACK, began=tab.now() - 0.05)
    await updating
    await asyncio.sleep(10)
    assert len(tab.browser.network.log) - before == 2  # a token, and the update


async def test_what_another_client_announces_in_this_page_is_heard(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(1)
    tab.browser.cookies[SESSION_COOKIE] = json.dumps({"name": "Alice III"})
    tab.see_answer("/api/auth/session", began=tab.now() - 0.1)
    message = {"event": "session", "data": {"trigger": "getSession"}, "timestamp": int(tab.now())}
    tab.browser.storage["nextauth.message"] = json.dumps(message)
    await asyncio.sleep(1)
    assert name_in(provider.state) == "Alice III"


async def test_an_announcement_among_many_reads_is_heard(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(1)
    del tab.browser.cookies[SESSION_COOKIE]
    message = {"event": "session", "data": {"trigger": "signout"}, "timestamp": int(tab.now())}
    tab.browser.storage["nextauth.message"] = json.dumps(message)
    for _ in range(20):
        tab.see_answer("/api/auth/session", began=tab.now() - 0.05)
        await asyncio.sleep(0.05)
    assert provider.state.status == "unauthenticated"


async def test_a_read_that_announces_nothing_costs_nothing(tab: MemoryHost) -> None:
    await signed_in(tab)
    await asyncio.sleep(1)
    before = len(tab.browser.network.log)
    for _ in range(3):
        tab.see_answer("/api/auth/session", began=tab.now() - 0.1)
    await asyncio.sleep(10)
    assert len(tab.browser.network.log) == before


async def test_an_update_that_a_late_answer_has_undone_is_repeated(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    began, old = tab.now(), tab.browser.cookies[SESSION_COOKIE]
    await asyncio.sleep(0.1)
    await provider.update({"name": "Alice II"})
    await asyncio.sleep(3)
    tab.browser.cookies[SESSION_COOKIE] = old
    tab.see_answer("/a/page", began=began)
    await asyncio.sleep(1)
    assert name_in(provider.state) == "Alice II"
    assert json.loads(tab.browser.cookies[SESSION_COOKIE])["name"] == "Alice II"


async def test_a_very_late_answer_after_a_sign_out_is_noticed(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    began, old = tab.now(), tab.browser.cookies[SESSION_COOKIE]
    await asyncio.sleep(0.1)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(6)
    tab.browser.cookies[SESSION_COOKIE] = old
    tab.see_answer("/a/page", began=began)
    await asyncio.sleep(1)
    assert provider.state.status == "unauthenticated"
    assert SESSION_COOKIE not in tab.browser.cookies


async def test_late_answers_cost_no_request_more_while_looks_are_planned(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    began = tab.now()
    await asyncio.sleep(0.1)
    before = len(tab.browser.network.log)
    await provider.sign_out(redirect=False)
    for _ in range(4):
        await asyncio.sleep(0.3)
        tab.see_answer("/a/page", began=began)
    await asyncio.sleep(10)
    assert len(tab.browser.network.log) - before == 5


async def test_a_closed_provider_hears_nothing_more(browser: MemoryBrowser) -> None:
    tab = browser.open_tab()
    provider = await signed_in(tab)
    await asyncio.sleep(1)
    tab.see_answer("/api/auth/session", began=tab.now() - 0.1)
    provider.close()
    assert tab.open_resources == 0


# --- refetch_on_window_focus="always" ---


@pytest.mark.parametrize("comes", [MemoryHost.focus, lambda tab: tab.set_visible(visible=True)])
@pytest.mark.parametrize("option", [True, "always"])
async def test_always_asks_while_signed_out_too(tab: MemoryHost, option: bool, comes) -> None:  # type: ignore[no-untyped-def]
    provider = SessionProvider(None, host=tab, refetch_on_window_focus=option).start()
    await asyncio.sleep(10)
    tab.browser.set_cookies(SERVER.cookies_for(SERVER.users["alice"]))
    for _ in range(5):
        comes(tab)
        await asyncio.sleep(0.1)
    assert name_in(provider.state) == ("alice" if option == "always" else None)
    assert tab.browser.network.count(SESSION) == (option == "always")  # at most once in five seconds


async def test_always_is_the_only_word(tab: MemoryHost) -> None:
    with pytest.raises(TypeError, match="takes True or False or \"always\", not 'never'"):
        SessionProvider(host=tab, refetch_on_window_focus="never")  # type: ignore[arg-type]
