"""Requests that the browser aborts because the page is about to be left, which it then may not be."""

from __future__ import annotations

import asyncio
import json

import pytest

from nextauth_py import ClientFetchError, SessionProvider
from nextauth_py.tabs.messages import OWN_CHANNEL
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE

SESSION = "GET /api/auth/session"
SIGN_IN = "POST /api/auth/callback/credentials"
LONG = 60.0


class Heard:
    """What a provider's listeners, and the other tabs, have been told."""

    def __init__(self, browser: MemoryBrowser, *providers: SessionProvider) -> None:
        self.log: list[str] = []
        browser.open_tab().open_channel(OWN_CHANNEL, self._note_failure)
        for provider in providers:
            provider.subscribe(lambda state: self.log.append(f"{state.status} {state.error}"))
            provider.on("error", lambda event: self.log.append(event.name))

    def _note_failure(self, message: object) -> None:
        if json.loads(str(message))["kind"] == "failed":
            self.log.append("failed")


async def two_tabs(browser: MemoryBrowser) -> tuple[SessionProvider, MemoryHost, SessionProvider]:
    """Alice's, in which nothing happens any more."""
    host, other = browser.open_tab(), SessionProvider(host=browser.open_tab()).start()
    provider = await signed_in(host)
    await asyncio.sleep(LONG)
    return provider, host, other


async def test_a_read_aborted_by_a_link_is_silent_and_repeated_if_the_page_stays(
    browser: MemoryBrowser,
) -> None:
    provider, host, other = await two_tabs(browser)
    heard = Heard(browser, provider, other)
    browser.network.hold(SESSION)
    before = browser.network.count(SESSION)
    asking = asyncio.create_task(provider.get_session())
    await asyncio.sleep(0.1)
    host.follow_link()
    session = await asyncio.wait_for(asking, LONG)
    assert session is provider.state.data
    assert [each.aborted for each in browser.network.log[-2:]] == [True, False]
    await asyncio.sleep(LONG)
    assert heard.log == []
    assert browser.network.count(SESSION) == before + 2
    assert not provider.state.stale


async def test_a_page_that_is_left_asks_no_more(browser: MemoryBrowser) -> None:
    provider, host, other = await two_tabs(browser)
    heard = Heard(browser, other)
    browser.network.hold(SESSION)
    asking = asyncio.create_task(provider.get_session())
    await asyncio.sleep(0.1)
    host.follow_link()
    await asyncio.sleep(0.1)
    before = browser.network.count(SESSION)
    host.change_lifecycle("left")
    await asyncio.sleep(LONG)
    assert browser.network.count(SESSION) == before
    assert heard.log == []
    host.change_lifecycle("restored")
    assert await asking is provider.state.data


async def test_the_first_read_of_a_page_waits_until_it_is_answered(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    browser.network.hold(SESSION)
    host = browser.open_tab()
    provider = SessionProvider(host=host).start()
    heard = Heard(browser, provider)
    await asyncio.sleep(0.1)
    host.follow_link()
    state = await provider.ready()
    assert name_in(state) == "alice"
    assert heard.log == ["authenticated None"]


async def test_a_network_failure_is_shown_if_the_page_has_stayed(browser: MemoryBrowser) -> None:
    provider, host, other = await two_tabs(browser)
    heard = Heard(browser, provider, other)
    browser.network.hold(SESSION)
    asking = asyncio.create_task(provider.get_session())
    await asyncio.sleep(0.1)
    host.follow_link()
    browser.network.online = False
    with pytest.raises(ClientFetchError):
        await asyncio.wait_for(asking, LONG)
    await asyncio.sleep(0)
    assert "error" in heard.log


async def test_a_second_link_aborts_the_repeated_read(browser: MemoryBrowser) -> None:
    provider, host, other = await two_tabs(browser)
    heard = Heard(browser, provider, other)
    asking = asyncio.create_task(provider.get_session())
    for _ in range(2):
        browser.network.hold(SESSION)
        await asyncio.sleep(2.5)
        host.follow_link()
    await asyncio.wait_for(asking, LONG)
    assert heard.log == []


async def test_an_aborted_update_raises_and_refetches(
    browser: MemoryBrowser,
) -> None:
    provider, host, other = await two_tabs(browser)
    heard = Heard(browser, provider, other)
    browser.network.hold("POST /api/auth/session")
    updating = asyncio.create_task(provider.update({"name": "Alice II"}))
    await asyncio.sleep(0.1)
    host.follow_link()
    with pytest.raises(ClientFetchError):
        await updating
    await asyncio.sleep(LONG)
    assert "error" not in heard.log
    assert "failed" not in heard.log
    assert not any("cannot be reached" in each for each in heard.log)
    assert {name_in(each.state) for each in (provider, other)} == {
        json.loads(browser.cookies[SESSION_COOKIE] or "")["name"]
    }


async def test_a_sign_in_whose_post_is_aborted_raises_and_fires_no_error(browser: MemoryBrowser) -> None:
    host, other = browser.open_tab(), SessionProvider(host=browser.open_tab()).start()
    provider = SessionProvider(host=host).start()
    await provider.ready()
    heard = Heard(browser, provider, other)
    browser.network.hold(SIGN_IN)
    signing_in = asyncio.create_task(
        provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    )
    await asyncio.sleep(0.1)
    host.follow_link()
    with pytest.raises(ClientFetchError):
        await signing_in
    await asyncio.sleep(LONG)
    assert not {"error", "failed"} & set(heard.log)
    assert provider.state.error is None


@pytest.mark.parametrize("route", ["GET /api/auth/providers", "GET /api/auth/csrf", SESSION])
async def test_a_sign_in_of_which_a_get_is_aborted_goes_on_if_the_page_stays(
    browser: MemoryBrowser, route: str
) -> None:
    provider = SessionProvider(host=(host := browser.open_tab())).start()
    await provider.ready()
    heard = Heard(browser, provider)
    browser.network.hold(route)
    signing_in = asyncio.create_task(
        provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    )
    await asyncio.sleep(0.1)
    host.follow_link()
    result = await asyncio.wait_for(signing_in, LONG)
    assert result
    assert result.ok
    assert heard.log[:2] == ["authenticated None"]


async def test_a_sign_out_whose_check_is_aborted_is_checked_if_the_page_stays(
    browser: MemoryBrowser,
) -> None:
    provider, host, other = await two_tabs(browser)
    heard = Heard(browser, provider, other)
    browser.network.hold(SESSION)
    signing_out = asyncio.create_task(provider.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    host.follow_link()
    await asyncio.wait_for(signing_out, LONG)
    assert set(heard.log) == {"unauthenticated None"}
    assert SESSION_COOKIE not in browser.cookies
