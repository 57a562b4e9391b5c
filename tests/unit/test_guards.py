"""Pages that require a session."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Any

import pytest

from nextauth_py import SessionProvider, sign_in, use_session
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.ui.hooks import reading

from .conftest import name_in, pause, signed_in
from .fake_server import SESSION_COOKIE, html_answer, json_answer
from .test_hooks import NotingReader

SESSION = "GET /api/auth/session"


SIGN_IN_PAGE = "/api/auth/signin?error=SessionRequired&callbackUrl=https%3A%2F%2Fapp.example%2Faccount"


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


async def test_nor_by_other_callers_of_get_session(tab: MemoryHost) -> None:
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


async def test_exceptions_are_reported(tab: MemoryHost) -> None:
    SessionProvider(None, host=tab).start()

    def broken() -> None:
        raise KeyError("mine")

    use_session(required=True, on_unauthenticated=broken)
    await pause()
    assert [repr(error) for _, error in tab.reports] == ["KeyError('mine')"]


async def test_a_rendering_component_is_told_that_a_session_is_required(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    reader = NotingReader()
    with reading(reader):
        use_session(required=True, on_unauthenticated=print)
    assert reader.required == [(provider, print)]
    await pause()
    assert tab.visited == []


async def test_each_guard_runs_and_its_last_handler_counts(tab: MemoryHost) -> None:
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


async def test_several_guards_navigate_once(tab: MemoryHost) -> None:
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


async def test_guarded_content_is_hidden_on_a_restored_page(browser: MemoryBrowser) -> None:
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
