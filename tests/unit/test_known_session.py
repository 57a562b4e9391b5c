"""A session that is known when a page starts: how old it is, and when it is asked for again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nextauth_py import SessionProvider, SessionState, use_session
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import EXPIRES, SESSION_COOKIE, FakeServer, json_answer
from .test_prefetch import Ahead

SESSION = "GET /api/auth/session"
ALICE: dict[str, Any] = {"user": {"id": "alice", "name": "alice"}, "expires": EXPIRES}
BOOT = 3.0  # seconds that Python takes to start


class Page:
    """A page that starts to load now, whose Python runs some seconds later."""

    def __init__(self, browser: MemoryBrowser, way: str = "embedded", session: object = ALICE) -> None:
        self.browser = browser
        self.tab = browser.open_tab()
        self.tab.started = self.tab.now()
        self.options: dict[str, Any] = {}
        if way == "embedded":
            self.tab.embedded = json.dumps(session)
        elif way == "prefetched":
            Ahead(self.tab, session)
        elif way != "omitted":
            self.options = {"session": {"None": None, "given": session}[way]}

    async def boot(self, **options: Any) -> SessionProvider:
        await asyncio.sleep(BOOT)
        return SessionProvider(host=self.tab, **{**self.options, **options}).start()

    @property
    def requests(self) -> int:
        """How often it has asked for the session."""
        return sum(
            f"{each.method} {each.path}" == SESSION and each.tab == self.tab._number
            for each in self.browser.network.log
        )

    async def first_request(self, within: float) -> float:
        """Seconds from now until it asks for the session."""
        start = asyncio.get_running_loop().time()
        before = self.requests
        while self.requests == before:
            await asyncio.sleep(0.1)
            if asyncio.get_running_loop().time() - start > within:
                raise AssertionError(f"it has not asked for {within} s")
        return asyncio.get_running_loop().time() - start


# --- how old it is ---


@pytest.mark.parametrize(
    ("is_closed", "without"),
    [
        (False, "nothing"),
        (False, "has_storage"),
        (False, "has_channels"),
        (True, "nothing"),
        (True, "has_channels"),
    ],
)
async def test_a_sign_out_elsewhere_while_python_boots_is_noticed(
    browser: MemoryBrowser, without: str, *, is_closed: bool
) -> None:
    first = browser.open_tab()
    other = await signed_in(first)
    page = Page(browser)
    setattr(first, without, False)
    setattr(page.tab, without, False)
    booting = asyncio.create_task(page.boot())
    await asyncio.sleep(1)
    await other.sign_out(redirect=False)
    if is_closed:
        other.close()
    provider = await booting
    await asyncio.sleep(1)
    assert provider.state == SessionState("unauthenticated")
    assert page.requests == 1


async def test_an_outdated_state_is_never_shown_even_without_other_tabs(
    browser: MemoryBrowser,
) -> None:
    other = await signed_in(browser.open_tab())
    page = Page(browser)
    await asyncio.sleep(1)
    await other.sign_out(redirect=False)
    other.close()
    provider = await page.boot()
    assert provider.state.status == "loading"
    assert (await provider.ready()).status == "unauthenticated"


async def test_a_sign_in_elsewhere_in_time_prevents_the_redirect(browser: MemoryBrowser) -> None:
    other = SessionProvider(None, host=browser.open_tab()).start()
    page = Page(browser, session=None)
    await asyncio.sleep(1)
    await other.sign_in("credentials", username="alice", password="wonder", redirect=False)
    provider = await page.boot()
    use_session(required=True, provider=provider)
    await asyncio.sleep(1)
    assert (name_in(provider.state), page.tab.visited) == ("alice", [])


@pytest.mark.parametrize("way", ["embedded", "prefetched"])
async def test_a_change_elsewhere_before_the_page_began_costs_no_request(
    browser: MemoryBrowser, way: str
) -> None:
    await signed_in(browser.open_tab())
    await asyncio.sleep(0.01)
    page = Page(browser, way)
    provider = await page.boot()
    await asyncio.sleep(1)
    assert (name_in(provider.state), page.requests) == ("alice", 0)


@pytest.mark.parametrize(("seconds", "requests"), [(0.0, 1), (2.0, 1), (-2.0, 0)])
async def test_an_earlier_message_of_a_javascript_client_causes_a_refetch(
    browser: MemoryBrowser, seconds: float, requests: int
) -> None:
    await asyncio.sleep(0.5)  # such a client tells whole seconds
    page = Page(browser)
    message = {"event": "session", "data": {"trigger": "signout"}}
    stamped = {**message, "timestamp": int(page.tab.now() + seconds)}
    browser.storage["nextauth.message"] = json.dumps(stamped)
    await (await page.boot()).ready()
    await asyncio.sleep(1)
    assert page.requests == requests


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"event": "session"}',
        '{"event": "session", "timestamp": "now"}',
        '{"event": "session", "timestamp": null}',
        '{"event": "other", "timestamp": 9e99}',
        '{"event": "session", "nonce": "1", "scope": "/other", "time": 9e99, "timestamp": 9e99}',
        '{"event": "session", "nonce": "1", "scope": "/api/auth", "timestamp": 9e99}',
    ],
)
async def test_whatever_else_is_stored_there_is_none(browser: MemoryBrowser, text: str) -> None:
    page = Page(browser)
    browser.storage["nextauth.message"] = text
    assert name_in((await page.boot()).state) == "alice"
    await asyncio.sleep(1)
    assert page.requests == 0


async def test_opening_such_a_page_voids_no_request_of_other_tabs(browser: MemoryBrowser) -> None:
    other = await signed_in(browser.open_tab())
    browser.cookies[SESSION_COOKIE] = json.dumps({"id": "alice", "name": "Alice II"})
    for way in ("embedded", "given"):
        gate = browser.network.hold(SESSION)
        asking = asyncio.create_task(other.refetch())
        provider = await Page(browser, way).boot()
        await asyncio.sleep(1)
        gate.set()
        assert name_in(await asking) == "Alice II"
        assert browser.network.log[-1].aborted is False
        provider.close()


async def test_a_later_request_of_another_tab_is_newer(browser: MemoryBrowser) -> None:
    page = Page(browser)
    provider = await page.boot()
    page.tab.browser.cookies[SESSION_COOKIE] = json.dumps({"id": "alice", "name": "Alice II"})
    await SessionProvider(host=browser.open_tab()).start().ready()
    await asyncio.sleep(1)
    assert (name_in(provider.state), page.requests) == ("Alice II", 0)


async def test_a_given_session_is_as_of_the_start(browser: MemoryBrowser) -> None:
    """Whoever writes it in Python knows when it was true; nothing is asked."""
    other = await signed_in(browser.open_tab())
    page = Page(browser, "given")
    await asyncio.sleep(1)
    await other.sign_out(redirect=False)
    provider = await page.boot()
    await asyncio.sleep(1)
    assert (name_in(provider.state), page.requests) == ("alice", 0)


async def test_a_clock_that_was_set_back_since_the_page_began_does_no_harm(browser: MemoryBrowser) -> None:
    other = await signed_in(browser.open_tab())
    browser.clock_error = -3600
    page = Page(browser)
    page.tab.started = page.tab.now() + 7200
    provider = await page.boot(refetch_interval=300)
    await other.update({"name": "Alice II"})
    await asyncio.sleep(1)
    assert name_in(provider.state) == "Alice II"
    await asyncio.sleep(1000)
    assert page.requests <= 4


# --- when it is asked for again ---

WAYS = ["omitted", "None", "given", "embedded", "prefetched"]


@pytest.mark.parametrize("with_others", [False, True])
@pytest.mark.parametrize("renew", [0, 60])
@pytest.mark.parametrize("focus", [False, True])
@pytest.mark.parametrize("interval", [0, 5, 300])
@pytest.mark.parametrize("way", WAYS)
async def test_a_page_load_costs_one_request_or_none(
    browser: MemoryBrowser,
    server: FakeServer,
    way: str,
    interval: float,
    renew: float,
    *,
    focus: bool,
    with_others: bool,
) -> None:
    options: dict[str, Any] = {
        "refetch_interval": interval,
        "refetch_on_window_focus": focus,
        "renew_before_expiry": renew,
    }
    browser.set_cookies(server.cookies_for(server.users["alice"]))
    if with_others:
        for _ in range(2):
            await SessionProvider(host=browser.open_tab(), **options).start().ready()
    await asyncio.sleep(1)
    page = Page(browser, way)
    provider = await page.boot(**options)
    page.tab.focus()  # as a new page does
    page.tab.use()
    await asyncio.sleep(1.5)
    assert page.requests == (way == "omitted")
    if not (way == "None" and with_others):  # they may have polled, and have told
        assert name_in(provider.state) == (None if way == "None" else "alice")
    if interval and way != "None":
        await asyncio.sleep(2 * interval)
        before = browser.network.count(SESSION)
        await asyncio.sleep(10 * interval)
        assert browser.network.count(SESSION) - before == 10


@pytest.mark.parametrize(("way", "wait"), [("given", 300.0), ("embedded", 297.0), ("prefetched", 297.0)])
async def test_the_interval_counts_from_when_the_answer_was_made(
    browser: MemoryBrowser, way: str, wait: float
) -> None:
    page = Page(browser, way)
    await page.boot(refetch_interval=300)
    assert await page.first_request(400) == pytest.approx(wait, abs=0.3)


async def test_a_page_that_took_longer_to_boot_than_the_interval_asks_at_once_and_once(
    browser: MemoryBrowser, server: FakeServer
) -> None:
    browser.set_cookies(server.cookies_for(server.users["alice"]))
    page = Page(browser)
    provider = await page.boot(refetch_interval=2)
    await asyncio.sleep(0.5)
    assert (page.requests, name_in(provider.state)) == (1, "alice")
    await asyncio.sleep(1)
    assert page.requests == 1


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("way", ["given", "embedded"])
async def test_a_tab_that_joins_others_takes_their_interval(
    browser: MemoryBrowser, way: str, *, hidden: bool
) -> None:
    first = browser.open_tab()
    await signed_in(first, refetch_interval=300)
    await asyncio.sleep(100)
    if hidden:
        first.set_visible(visible=False)  # as by a link that opens a new tab
    page = Page(browser, way)
    await page.boot(refetch_interval=300)
    before = browser.network.count(SESSION)
    await asyncio.sleep(195)
    assert browser.network.count(SESSION) == before
    await asyncio.sleep(5)
    assert browser.network.count(SESSION) == before + 1
    await asyncio.sleep(3000)
    assert browser.network.count(SESSION) == before + 11


async def test_others_count_from_the_request_too(browser: MemoryBrowser) -> None:
    await signed_in(browser.open_tab(), refetch_interval=300)
    await asyncio.sleep(100)
    await Page(browser, "prefetched").boot(refetch_interval=300)
    before = browser.network.count(SESSION)
    await asyncio.sleep(296)
    assert browser.network.count(SESSION) == before
    await asyncio.sleep(1.5)
    assert browser.network.count(SESSION) == before + 1


async def test_a_clock_that_is_set_back_does_not_put_the_interval_off(browser: MemoryBrowser) -> None:
    page = Page(browser, "given")
    await page.boot(refetch_interval=300)
    browser.clock_error = -7200
    assert await page.first_request(700) < 400


async def test_a_tab_that_does_not_poll_lends_no_interval(browser: MemoryBrowser, server: FakeServer) -> None:
    await SessionProvider(host=browser.open_tab(), refetch_interval=300).start().ready()
    await asyncio.sleep(5000)
    browser.set_cookies(server.cookies_for(server.users["alice"]))
    page = Page(browser)
    await page.boot(refetch_interval=300)
    assert 297 < await page.first_request(800) < 2.5 * 300


async def test_an_assigned_session_is_not_asked_for_at_once(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab, refetch_interval=300).start()
    await asyncio.sleep(5000)
    provider.session = ALICE
    await asyncio.sleep(299)
    assert tab.browser.network.log == []
    provider.session = {**ALICE, "user": {"id": "bob"}}  # does not put the interval off
    await asyncio.sleep(2)
    assert tab.browser.network.count(SESSION) == 1


@pytest.mark.parametrize("way", ["given", "embedded", "prefetched"])
@pytest.mark.parametrize("interval", [0, 3600])
async def test_a_known_session_is_asked_about_after_its_end_and_not_before(
    browser: MemoryBrowser, way: str, interval: float
) -> None:
    page = Page(browser, way, session={**ALICE, "expires": "2026-01-01T00:02:00.000Z"})
    provider = await page.boot(refetch_interval=interval)
    await asyncio.sleep(110)
    assert page.requests == 0
    await asyncio.sleep(10)
    assert (page.requests, provider.state.status) == (1, "unauthenticated")


@pytest.mark.parametrize("way", ["given", "embedded"])
async def test_a_known_session_that_is_over_is_asked_about_at_once(browser: MemoryBrowser, way: str) -> None:
    page = Page(browser, way, session={**ALICE, "expires": "2025-12-31T23:00:00.000Z"})
    provider = await page.boot(refetch_interval=300)
    await asyncio.sleep(1)
    assert (page.requests, provider.state.status) == (1, "unauthenticated")


@pytest.mark.parametrize("way", ["given", "embedded", "prefetched"])
async def test_a_known_session_is_renewed_by_use_near_its_end_and_only_then(
    browser: MemoryBrowser, way: str
) -> None:
    ends = {**ALICE, "expires": "2026-01-01T00:10:00.000Z"}
    renewed = {**ALICE, "expires": "2026-01-01T00:20:00.000Z"}
    page = Page(browser, way, session=ends)
    browser.network.answer_next(SESSION, json_answer(renewed))
    await page.boot(renew_before_expiry=60)
    page.tab.use()
    await asyncio.sleep(530)
    page.tab.use()
    assert page.requests == 0
    await asyncio.sleep(20)
    page.tab.use()
    await asyncio.sleep(1)
    assert page.requests == 1
