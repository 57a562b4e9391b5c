"""Sign-outs beside a server that renews the session cookie with each answer, as Auth.js's middleware does."""

from __future__ import annotations

import asyncio
import json

import pytest

from nextauth_py import SessionProvider, SessionState, SignOutIncomplete, use_session
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import EXPIRES, SESSION_COOKIE, FakeServer

SESSION = "GET /api/auth/session"
SIGNOUT = "POST /api/auth/signout"
SERVER = FakeServer()
HERE = "https://app.example/account"


def answer_late(browser: MemoryBrowser, *seconds: float, name: str = "alice") -> None:
    """Requests are under way, whose answers set the cookie that they were sent with."""
    for each in seconds:
        asyncio.get_running_loop().call_later(each, renew, browser, name)


def renew(browser: MemoryBrowser, name: str = "alice") -> None:
    browser.set_cookies(SERVER.cookies_for(SERVER.users[name]))


def shown_by(provider: SessionProvider) -> list[str | None]:
    names: list[str | None] = []
    provider.subscribe(lambda state: names.append(name_in(state)))
    return names


@pytest.mark.parametrize("latency", [0.0, 0.05, 0.3])
@pytest.mark.parametrize(
    "late", [[0.1], [0.39], [0.5], [1.0], [1.5], [0.05, 0.5, 1.0, 1.5], [0.2, 0.9], [1.2, 1.6]]
)
async def test_what_comes_back_is_signed_out_again_and_never_shown(
    tab: MemoryHost, late: list[float], latency: float
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = latency
    shown = shown_by(provider)
    answer_late(tab.browser, *late)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(10)
    assert SESSION_COOKIE not in tab.browser.cookies
    assert shown == [None]
    assert provider.state == SessionState("unauthenticated")


@pytest.mark.parametrize("every", [0.01, 0.2, 0.7])
async def test_what_keeps_coming_back_is_said(tab: MemoryHost, every: float) -> None:
    provider = await signed_in(tab)
    events: list[str] = []
    for name in ("signed_in", "signed_out", "error"):
        provider.on(name, lambda event: events.append(f"{event.name}: {event.reason}"))
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, *(every * number for number in range(1, int(60 / every))))
    await asyncio.sleep(50)
    assert name_in(provider.state) == "alice"
    assert isinstance(provider.state.error, SignOutIncomplete)
    assert events[0] == "signed_out: sign_out"
    assert events[-1] == "error: sign_out"
    assert tab.browser.network.count(SIGNOUT) <= 7


async def test_somebody_else_who_signs_in_stays_signed_in(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    answer_late(tab.browser, 0.3, name="bob")
    await asyncio.sleep(10)
    assert name_in(provider.state) == "bob"
    assert tab.browser.network.count(SIGNOUT) == 1


async def test_a_session_that_is_assigned_stays(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    provider.session = {"user": {"name": "carol"}, "expires": EXPIRES}
    await asyncio.sleep(10)
    assert name_in(provider.state) == "carol"


async def test_a_sign_out_of_a_signed_out_page_costs_three_requests(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    await provider.sign_out(redirect=False)
    await asyncio.sleep(10)
    assert len(tab.browser.network.log) == 3


async def test_coming_into_view_is_a_chance_to_look_once(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(3)
    renew(tab.browser)
    before = tab.browser.network.count(SESSION)
    for _ in range(3):
        tab.set_visible(visible=False)
        tab.set_visible(visible=True)
        tab.focus()
        await asyncio.sleep(0.1)
    assert SESSION_COOKIE not in tab.browser.cookies
    assert provider.state.status == "unauthenticated"
    await asyncio.sleep(3)
    renew(tab.browser)
    before = tab.browser.network.count(SESSION)
    await asyncio.sleep(20)
    tab.focus()
    await asyncio.sleep(1)
    assert tab.browser.network.count(SESSION) == before  # what is there now, nobody has replaced


@pytest.mark.parametrize("closes", [True, False])
async def test_another_tab_looks_for_one_that_is_gone(browser: MemoryBrowser, closes: bool) -> None:
    first, second = await signed_in(browser.open_tab()), await signed_in(browser.open_tab())
    await first.sign_out(redirect=False)
    if closes:
        first.close()
    answer_late(browser, 1.5)
    before = browser.network.count(SESSION)
    await asyncio.sleep(1.6)
    assert browser.network.count(SESSION) - before == (not closes)  # the first look, of the first tab
    await asyncio.sleep(10)
    assert SESSION_COOKIE not in browser.cookies
    assert second.state.status == "unauthenticated"


# --- where the page is left ---


async def leave(tab: MemoryHost, *, callback_url: str | None = None) -> MemoryHost:
    """Sign out, and return the page that the tab comes to."""
    provider = await signed_in(tab)
    await provider.sign_out(callback_url=callback_url)
    tab.change_lifecycle("left")
    after = tab.browser.open_tab()
    after.url, after.kept = tab.visited[-1], tab.kept
    return after


@pytest.mark.parametrize("embedded", [True, False])
@pytest.mark.parametrize("required", [True, False])
async def test_the_next_page_does_not_show_what_has_come_back(
    browser: MemoryBrowser, required: bool, embedded: bool
) -> None:
    after = await leave(browser.open_tab("/account"))
    renew(browser)
    if embedded:
        after.embedded = json.dumps({"user": {"name": "alice"}, "expires": EXPIRES})
    provider = SessionProvider(host=after).start()
    shown = shown_by(provider)
    if required:
        use_session(required=True, provider=provider)
    await provider.ready()
    assert provider.state.status == "unauthenticated"
    await asyncio.sleep(0.8)
    renew(browser)
    await asyncio.sleep(10)
    assert shown == [None]
    assert SESSION_COOKIE not in browser.cookies
    assert len(after.visited) == required


async def test_the_next_page_takes_what_was_asked_for_ahead(browser: MemoryBrowser) -> None:
    after = await leave(browser.open_tab("/account"))
    before = browser.network.count(SESSION)
    await SessionProvider(host=after).start().ready()
    await asyncio.sleep(10)
    assert browser.network.count(SESSION) - before == 2  # when it loads, and once more


async def test_a_page_elsewhere_believes_the_server(browser: MemoryBrowser) -> None:
    after = await leave(browser.open_tab("/account"), callback_url="/bye")
    after.url = HERE
    renew(browser)
    provider = SessionProvider(host=after).start()
    await provider.ready()
    assert name_in(provider.state) == "alice"
    assert not after.kept


@pytest.mark.parametrize("seconds", [6.0, 3600.0])
async def test_a_page_that_loads_later_believes_the_server(browser: MemoryBrowser, seconds: float) -> None:
    after = await leave(browser.open_tab("/account"))
    await asyncio.sleep(seconds)
    renew(browser)
    provider = SessionProvider(host=after).start()
    await provider.ready()
    assert name_in(provider.state) == "alice"


async def test_a_page_that_loads_slowly_still_signs_out_again(browser: MemoryBrowser) -> None:
    after = await leave(browser.open_tab("/account"))
    after.started = after.now()
    renew(browser)
    await asyncio.sleep(4)
    provider = SessionProvider(host=after).start()
    await provider.ready()
    assert provider.state.status == "unauthenticated"
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "{}",
        "[]",
        "[1, 2, 3]",
        '["/api/auth", "now", ""]',
        "nonsense",
        "[" * 99,
        '["/api/auth", 1e999, ""]',
    ],
)
async def test_what_a_hostile_script_has_written_there_is_ignored(tab: MemoryHost, kept: str) -> None:
    tab.kept["nextauth_py.signed_out"] = kept
    renew(tab.browser)
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    assert name_in(provider.state) == "alice"


async def test_a_page_whose_sign_out_was_refused_tells_nothing(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.online = False
    with pytest.raises(Exception, match="cannot be reached"):
        await provider.sign_out()
    assert not tab.kept
