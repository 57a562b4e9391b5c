"""Pages that need somebody signed in: what is done when nobody is, and what is shown meanwhile."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from nextauth_py import Auth, SessionProvider, UnsafeRedirectError, sign_in, use_session
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer
from nextauth_py.ui.component import Component
from nextauth_py.ui.hooks import reading

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE, html_answer, json_answer
from .test_hooks import NotingReader

SESSION = "GET /api/auth/session"
SIGN_IN_PAGE = "/api/auth/signin?error=SessionRequired&callbackUrl=https%3A%2F%2Fapp.example%2Faccount"


async def pause() -> None:
    await asyncio.sleep(0.01)


async def test_a_page_that_needs_a_session_goes_to_the_sign_in_page(tab: MemoryHost) -> None:
    SessionProvider(host=tab).start()
    session = use_session(required=True)
    assert session.status == "loading"
    await pause()
    assert (session.status, session.data) == ("loading", None)
    assert tab.visited == [SIGN_IN_PAGE]


async def test_the_sign_in_page_is_the_one_of_the_base_path(tab: MemoryHost) -> None:
    SessionProvider(None, base_path="/auth", host=tab).start()
    use_session(required=True)
    await pause()
    assert tab.visited[0].startswith("/auth/signin?error=SessionRequired&")


async def test_with_a_session_it_stays(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    session = use_session(required=True)
    await pause()
    assert (session.status, session.data) == ("authenticated", provider.state.data)
    assert tab.visited == []


@pytest.mark.parametrize(
    "failure", [OSError(), html_answer(), html_answer(401), json_answer({}, 500)], ids=str
)
async def test_a_failure_is_no_reason_to_leave(tab: MemoryHost, failure: Any) -> None:
    tab.browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tab.browser.network.answer_next(SESSION, failure, times=3)
    provider = SessionProvider(host=tab).start()
    session = use_session(required=True)
    assert (await provider.ready()).error
    assert session.status == "loading"
    await asyncio.sleep(60)
    assert session.status == "authenticated"
    assert tab.visited == []


async def test_something_else_can_be_done_once_for_each_sign_out(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    calls: list[str] = []

    async def show_dialog() -> None:
        await asyncio.sleep(0)
        calls.append("dialog")

    for _ in range(3):
        use_session(required=True, on_unauthenticated=show_dialog)
    await provider.refetch()
    await pause()
    assert calls == ["dialog"]
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await provider.update({"name": "bob"})
    await provider.sign_out(redirect=False)
    await pause()
    assert calls == ["dialog", "dialog"]
    assert tab.visited == []


async def test_a_sign_out_elsewhere_is_one_too(browser: MemoryBrowser) -> None:
    first, second = browser.open_tab(), browser.open_tab("/account")
    leaving = await signed_in(first)
    await SessionProvider(host=second).start().ready()
    use_session(required=True)
    await leaving.sign_out(redirect=False)
    await pause()
    assert second.visited == [SIGN_IN_PAGE]


async def test_a_sign_out_that_leads_elsewhere_is_not_led_astray(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    await pause()
    assert tab.visited == ["https://app.example/bye"]


async def test_nor_by_those_who_ask_for_a_session_meanwhile(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    provider.subscribe(lambda _state: provider.engine.require(who="a component that draws again"))
    await provider.sign_out(callback_url="/bye")
    await pause()
    assert tab.visited == ["https://app.example/bye"]


async def test_a_sign_out_that_fails_leaves_the_guard_in_place(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    use_session(required=True)
    tab.browser.network.answer_next("POST /api/auth/signout", OSError())
    with pytest.raises(Exception, match="cannot be reached"):
        await provider.sign_out()
    provider.session = None
    await pause()
    assert tab.visited == [SIGN_IN_PAGE]


async def test_what_raises_is_reported(tab: MemoryHost) -> None:
    SessionProvider(None, host=tab).start()

    def broken() -> None:
        raise KeyError("mine")

    use_session(required=True, on_unauthenticated=broken)
    await pause()
    assert [repr(error) for _, error in tab.reports] == ["KeyError('mine')"]


async def test_who_shows_a_session_is_told_that_it_is_needed(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    reader = NotingReader()
    with reading(reader):
        use_session(required=True, on_unauthenticated=print)
    assert reader.required == [(provider, print)]
    await pause()
    assert tab.visited == []


async def test_each_who_needs_it_is_served_and_the_last_wish_counts(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    calls: list[str] = []
    provider.engine.require(lambda: calls.append("old"), who="one")
    provider.engine.require(lambda: calls.append("new"), who="one")
    provider.engine.require(lambda: calls.append("two"), who="two")
    provider.engine.require(lambda: calls.append("gone"), who="gone")
    provider.engine.release("gone")
    provider.session = None
    await pause()
    assert calls == ["new", "two"]


async def test_several_who_need_it_lead_to_the_sign_in_page_once(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    for who in "abc":
        provider.engine.require(who=who)
    provider.engine.require()
    await pause()
    assert tab.visited == [SIGN_IN_PAGE]


async def test_a_closed_provider_leads_nowhere(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab).start()
    use_session(required=True)
    provider.close()
    await pause()
    assert tab.visited == []


async def test_what_needs_a_session_shows_none_from_a_page_that_was_left(browser: MemoryBrowser) -> None:
    left, other = browser.open_tab(), browser.open_tab()
    leaving = await signed_in(other)
    provider = SessionProvider(host=left).start()
    await provider.ready()
    needed, shown = use_session(required=True), use_session()
    left.change_lifecycle("left")
    assert (needed.status, needed.data) == ("loading", None)
    assert (shown.status, shown.stale) == ("authenticated", True)
    await leaving.update({"name": "bob"})
    browser.network.answer_next(SESSION, OSError())
    left.change_lifecycle("restored")
    await pause()
    assert (needed.status, needed.data, bool(needed.error)) == ("loading", None, True)
    await asyncio.sleep(1)
    assert (needed.status, name_in(provider.state)) == ("authenticated", "bob")


# --- pages that are come back to, or never left ---


async def come_back(tab: MemoryHost) -> None:
    """Leave the page, by whatever has sent it elsewhere, and return by the browser's Back."""
    tab.change_lifecycle("left")
    await asyncio.sleep(1)
    tab.visited.clear()
    tab.change_lifecycle("restored")
    await pause()


async def test_back_from_where_a_sign_out_has_led_leads_to_the_sign_in_page(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    session = use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    await come_back(tab)
    assert tab.visited == [SIGN_IN_PAGE]
    assert session.status == "loading"


async def test_back_from_the_sign_in_page_leads_there_again_each_time(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    provider.engine.require()
    provider.engine.require(who="another")
    await pause()
    for _ in range(3):
        await come_back(tab)
        assert tab.visited == [SIGN_IN_PAGE]


async def test_back_to_a_page_that_is_signed_in_again_shows_it(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    session = use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    tab.change_lifecycle("left")
    tab.browser.set_cookies({SESSION_COOKIE: json.dumps({"name": "alice"})})
    tab.visited.clear()
    tab.change_lifecycle("restored")
    await pause()
    assert (session.status, tab.visited) == ("authenticated", [])


async def test_a_page_that_is_come_back_to_waits_for_the_server_before_it_leads_away(
    tab: MemoryHost,
) -> None:
    provider = SessionProvider(None, host=tab).start()
    provider.engine.require(who="a component")
    await pause()
    tab.browser.network.answer_next(SESSION, OSError())
    await come_back(tab)
    provider.engine.require(who="a component")  # draws again
    await pause()
    assert tab.visited == []
    await asyncio.sleep(2)
    assert tab.visited == [SIGN_IN_PAGE]


async def test_what_is_to_be_done_instead_of_leaving_is_done_again_too(tab: MemoryHost) -> None:
    calls: list[str] = []
    provider = SessionProvider(None, host=tab).start()
    use_session(required=True, on_unauthenticated=lambda: calls.append("dialog"))
    await pause()
    await come_back(tab)
    await provider.refetch()
    await pause()
    assert calls == ["dialog", "dialog"]


async def test_a_page_that_was_stale_already_shows_nothing_of_it_when_it_is_left(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, OSError())
    await provider.refetch()
    needed = use_session(required=True)
    shown: list[str] = []
    provider.subscribe(lambda _state: shown.append(needed.status))
    assert (needed.status, needed.stale) == ("authenticated", True)
    tab.change_lifecycle("left")
    assert shown == ["loading"]


async def test_a_page_that_somebody_has_kept_after_a_sign_out_goes_to_the_sign_in_page(
    tab: MemoryHost,
) -> None:
    """By an answer to "Leave this page?", which no page hears."""
    provider = await signed_in(tab, timeout=5)
    use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    await asyncio.sleep(4)
    assert tab.visited == ["https://app.example/bye"]
    await asyncio.sleep(2)
    assert tab.visited == ["https://app.example/bye", SIGN_IN_PAGE]


async def test_a_page_that_has_been_left_does_nothing_more(tab: MemoryHost) -> None:
    provider = await signed_in(tab, timeout=5)
    use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    tab.change_lifecycle("left")
    await asyncio.sleep(60)
    assert tab.visited == ["https://app.example/bye"]


async def test_a_second_sign_out_is_not_led_astray_by_the_first(tab: MemoryHost) -> None:
    provider = await signed_in(tab, timeout=5)
    use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    await asyncio.sleep(4)
    await provider.sign_out(callback_url="/bye")
    await asyncio.sleep(2)
    assert tab.visited == ["https://app.example/bye"] * 2


async def test_a_repeated_sign_out_does_not_let_a_guard_outrun_the_first(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/account")
    provider = await signed_in(tab)
    use_session(required=True)
    await provider.sign_out(callback_url="/bye")
    await provider.engine.mutations.sign_out_again()
    await pause()
    assert tab.visited == ["https://app.example/bye"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "https://app.example@evil.example/"])
async def test_a_sign_out_whose_last_step_is_refused_leads_to_the_sign_in_page(
    tab: MemoryHost, url: str
) -> None:
    provider = await signed_in(tab)
    use_session(required=True)
    tab.browser.network.answer_next(
        "POST /api/auth/signout", Answer(json_answer({"url": url}).response, {SESSION_COOKIE: None})
    )
    with pytest.raises(UnsafeRedirectError):
        await provider.sign_out(callback_url="/bye")
    await pause()
    assert provider.state.status == "unauthenticated"
    assert tab.visited == [SIGN_IN_PAGE]


async def test_a_component_that_sent_somebody_away_does_so_again_on_a_page_that_is_come_back_to(
    tab: MemoryHost,
) -> None:
    provider = await signed_in(tab)

    def private() -> object:
        return "secret"

    shown = Component(private, Auth(role="admin"))
    shown._view = View()
    shown.update()
    await provider.refetch()
    assert len(tab.visited) == 1
    await come_back(tab)
    assert len(tab.visited) == 1
    assert shown._view.content is None
    shown.unmount()


async def test_another_user_is_judged_anew(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    shown = Component(lambda: "secret", Auth(allow=lambda session: session.user.id == "bob"))
    view = shown._view = View()
    shown.update()
    assert (len(tab.visited), view.content) == (1, None)
    await provider.sign_in("credentials", username="bob", password="builder", redirect=False)
    await pause()
    assert (len(tab.visited), view.content) == (1, "secret")
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await pause()
    assert (len(tab.visited), view.content) == (2, None)
    shown.unmount()


class View:
    """Keeps what a component shows."""

    content: object = "nothing yet"

    def render(self, content: object) -> None:
        self.content = content

    def clear(self) -> None:
        self.content = None


def test_a_wish_without_a_need_is_refused() -> None:
    with pytest.raises(ValueError, match="required=True"):
        use_session(on_unauthenticated=print)


# --- round and round ---


@pytest.mark.parametrize(
    "path",
    [
        "/login?error=SessionRequired",
        "/login?callbackUrl=%2Ftodo&error=SessionRequired#form",
        "/login?callbackUrl=%2Flogin",
        "/#/login?error=SessionRequired",
        "/?lang=de#/login?callbackUrl=%2F%23%2Ftodo&error=SessionRequired",
        "/login?callbackUrl=http%3A%2F%2Flocalhost%3A3000%2Flogin%3Fpage%3D2",
        "/api/auth/signin",
        "/api/auth/signin/?callbackUrl=%2Ftodo",
    ],
)
async def test_a_guard_on_the_sign_in_page_stays_and_says_so(browser: MemoryBrowser, path: str) -> None:
    tab = browser.open_tab(path)
    SessionProvider(None, host=tab).start()
    session = use_session(required=True)
    await pause()
    assert (session.status, tab.visited) == ("loading", [])
    ((message, advice),) = tab.reports
    assert message.startswith("the page stays: /api/auth/signin?error=SessionRequired&")
    assert "Leave out auth= and required=True" in str(advice)


@pytest.mark.parametrize("path", ["/login?callbackUrl=%2Flogin", "/api/auth/signin"])
async def test_a_guard_that_signs_in_by_a_call_of_its_own_stays_too(
    browser: MemoryBrowser, path: str
) -> None:
    tab = browser.open_tab(path)
    provider = SessionProvider(None, host=tab).start()
    use_session(required=True, on_unauthenticated=sign_in)
    await pause()
    ((message, _),) = tab.reports
    assert (tab.visited, message.startswith("the page stays: ")) == ([], True)
    await provider.sign_in()  # by a click: once more is no circle
    assert len(tab.visited) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/login?callbackUrl=%2Ftodo",
        "/login?callbackUrl=https%3A%2F%2Fwww.app.example%2Ftodo%2F",
        "/login?callbackUrl=%2Fother&error=SessionRequired",
        "/login?error=SessionRequired",
    ],
)
async def test_a_guard_whose_visitors_return_to_another_page_stays_too(
    browser: MemoryBrowser, path: str
) -> None:
    tab = browser.open_tab(path)
    SessionProvider(None, host=tab).start()
    use_session(required=True, on_unauthenticated=partial(sign_in, callback_url="/todo"))
    await pause()
    assert (tab.visited, len(tab.reports)) == ([], 1)


async def test_a_guard_with_another_callback_leads_to_the_sign_in_page(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/account?callbackUrl=%2Fother")
    SessionProvider(None, host=tab).start()
    use_session(required=True, on_unauthenticated=partial(sign_in, callback_url="/todo"))
    await pause()
    assert tab.visited == ["https://app.example/api/auth/signin?callbackUrl=%2Ftodo"]


@pytest.mark.parametrize(
    "path",
    [
        "/account?error=AccessDenied",
        "/account?code=SessionRequired",
        "/account?callbackUrl=%2Ftodo",
        "/account?callbackUrl=http%3A%2F%2F%5B",
        "/account#error=SessionRequired",
        "/account?next=%2Fapi%2Fauth%2Fsignin",
        "/api/auth/signin-help",
    ],
)
async def test_a_guard_on_any_other_page_leads_to_the_sign_in_page(browser: MemoryBrowser, path: str) -> None:
    tab = browser.open_tab(path)
    SessionProvider(None, host=tab).start()
    use_session(required=True)
    await pause()
    assert len(tab.visited) == 1
    assert not tab.reports


async def test_a_sign_in_page_at_a_path_of_another_server_is_none_of_ours(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/api/auth/signin")
    SessionProvider(None, base_url="https://auth.example", host=tab).start()
    use_session(required=True)
    await pause()
    assert tab.visited[0].startswith("https://auth.example/api/auth/signin?")


async def test_a_page_that_refuses_its_visitor_to_itself_stays_too(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/other-login?error=AccessDenied")
    provider = await signed_in(tab)
    provider.engine.refuse()
    provider.engine.refuse("/other-login?error=AccessDenied")
    assert (tab.visited, len(tab.reports)) == ([], 2)
    provider.engine.refuse("https://login.example/other-login?error=x")
    assert tab.visited == ["https://login.example/other-login?error=x"]
