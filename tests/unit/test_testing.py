"""What `nextauth_py.testing` gives those who test their pages in plain Python."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from nextauth_py import (
    Auth,
    ClientFetchError,
    SessionProvider,
    component,
    get_session,
    sign_in,
    use_session,
)
from nextauth_py.testing import Browser, FakeAuthServer, Tab, json_answer

from .pages import account

SESSION = "GET /api/auth/session"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Tab:
    return browser.open_tab("/account")


# --- guards ---


def members() -> None:
    SessionProvider().start()

    @component("#members", auth=Auth(role="admin", loading="One moment", unauthorized="/sorry"))
    def members() -> str:
        return "Secrets"


def test_a_guard_leads_to_the_sign_in_page(tab: Tab) -> None:
    tab.run(members)
    assert tab.text("#members") == "One moment"
    assert tab.visited == [
        "/api/auth/signin?error=SessionRequired&callbackUrl=https%3A%2F%2Fapp.example%2Faccount"
    ]


@pytest.mark.parametrize(
    ("role", "text", "visited"), [("admin", "Secrets", []), ("staff", "One moment", ["/sorry"])]
)
def test_a_guard_asks_for_a_role(browser: Browser, role: str, text: str, visited: list[str]) -> None:
    browser.sign_in_as("alice", role=role)
    tab = browser.open_tab()
    tab.run(members)
    assert tab.text("#members") == text
    assert tab.visited == [f"https://app.example{path}" for path in visited]


def test_nothing_guarded_is_seen_on_the_way_back(browser: Browser) -> None:
    browser.sign_in_as("alice", role="admin")
    tab = browser.open_tab()
    tab.run(members)
    tab.leave()
    assert tab.text("#members") == "One moment"
    tab.come_back()
    assert tab.text("#members") == "Secrets"


# --- tabs, time, network ---


def test_tabs_follow_each_other(browser: Browser) -> None:
    browser.sign_in_as("alice", name="Alice")
    tabs = [browser.open_tab() for _ in range(3)]
    for tab in tabs:
        tab.run(account)
    tabs[1].run(use_and_update)
    assert [tab.text("#account b") for tab in tabs] == ["Alice II"] * 3
    tabs[2].click("button", text="Sign out")
    assert [tab.text("#account") for tab in tabs] == ["Sign in"] * 3


async def use_and_update() -> None:
    await use_session().update({"name": "Alice II"})


def test_each_tab_has_its_own_provider(browser: Browser) -> None:
    one, other = browser.open_tab(), browser.open_tab()
    one.run(account)
    other.run(account)
    assert one.provider is not other.provider
    assert one.run(use_session)._provider is one.provider
    with pytest.raises(LookupError, match="has started no SessionProvider"):
        _ = browser.open_tab().provider


def test_changes_of_another_tab_run_listeners_in_this_tab(browser: Browser) -> None:
    tabs = [browser.open_tab(), browser.open_tab()]
    read: list[Any] = [None, None]

    def page(number: int) -> None:
        SessionProvider().start()

        @component("#who")
        def who() -> str:
            read[number] = use_session()._provider
            return str(read[number].state.status)

    tabs[0].run(lambda: page(0))
    tabs[1].run(lambda: page(1))
    browser.server.add_user("bob", "builder")
    tabs[0].run(sign_in("credentials", username="bob", password="builder", redirect=False))
    assert [tab.text("#who") for tab in tabs] == ["authenticated"] * 2
    assert read == [tab.provider for tab in tabs]


def test_a_tab_that_polls(browser: Browser) -> None:
    browser.sign_in_as("alice")
    tab = browser.open_tab()
    tab.run(lambda: SessionProvider(refetch_interval=60).start() and None)
    browser.advance(180)
    assert browser.requests == [SESSION] * 4


def test_a_tab_that_comes_into_view_asks(browser: Browser) -> None:
    browser.sign_in_as("alice")
    tab = browser.open_tab()
    tab.run(account)
    tab.hide()
    browser.advance(3600)
    assert browser.requests == [SESSION]
    tab.show()
    assert browser.requests == [SESSION] * 2


def test_a_session_ends_in_its_time() -> None:
    with Browser(FakeAuthServer(max_age=3600)) as browser:
        browser.sign_in_as("alice")
        tab = browser.open_tab()
        tab.run(account)
        browser.advance(3590)
        assert tab.state.status == "authenticated"
        browser.advance(20)
        assert tab.text("#account") == "Sign in"


def test_a_server_that_is_down_signs_nobody_out(browser: Browser) -> None:
    browser.sign_in_as("alice")
    tab = browser.open_tab()
    tab.run(account)
    browser.server.is_down = True
    tab.run(tab.provider.refetch())
    assert isinstance(tab.state.error, ClientFetchError)
    assert tab.state.status == "authenticated"
    browser.server.is_down = False
    browser.advance(5)
    assert tab.state.error is None


def test_a_network_that_is_cut_and_answers_of_ones_own(browser: Browser) -> None:
    tab = browser.open_tab()
    browser.network.answer_next(SESSION, json_answer({"message": "no"}, 429))
    tab.run(account)
    assert isinstance(tab.state.error, ClientFetchError)
    browser.set_online(online=False)
    assert browser.requests.count(SESSION) == 1
    browser.set_online(online=True)
    assert tab.text("#account") == "Sign in"


def test_a_browser_whose_cookies_are_cleared(browser: Browser) -> None:
    browser.sign_in_as("alice")
    tab = browser.open_tab()
    tab.run(account)
    browser.clear_cookies()
    assert tab.state.status == "authenticated"
    tab.run(get_session())
    assert tab.text("#account") == "Sign in"


# --- the browser itself ---


def test_a_closed_browser_says_so(browser: Browser) -> None:
    browser.open_tab().run(account)
    browser.close()
    browser.close()
    with pytest.raises(RuntimeError, match="this Browser is closed"):
        browser.advance(1)


def test_it_works_inside_of_a_running_loop() -> None:
    """Playwright's sync API keeps one running in the thread of the tests."""

    async def inside() -> str:
        with Browser() as browser:
            tab = browser.open_tab()
            tab.run(account)
            return tab.text("#account")

    assert asyncio.run(inside()) == "Sign in"


def test_one_browser_knows_nothing_of_another() -> None:
    with Browser() as one, Browser() as other:
        one.sign_in_as("alice")
        for browser in (one, other):
            browser.open_tab().run(account)
        assert one.tabs[0].state.status == "authenticated"
        assert other.tabs[0].state.status == "unauthenticated"
        assert one.tabs[0].run(get_session())
        assert other.tabs[0].run(get_session()) is None


def test_without_beautiful_soup_it_says_what_to_install(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "nextauth_py.testing.document")
    monkeypatch.setitem(sys.modules, "bs4", None)
    with pytest.raises(ImportError, match=r'pip install "nextauth-py\[testing\]"'):
        browser.open_tab()


# --- fixtures ---


def test_the_fixtures_are_there(
    nextauth_browser: Browser, nextauth_server: FakeAuthServer, nextauth_tab: Tab
) -> None:
    nextauth_server.add_user("bob", "builder", name="Bob")
    nextauth_tab.run(account)
    result = nextauth_tab.run(sign_in("credentials", username="bob", password="builder", redirect=False))
    assert result
    assert result.ok
    assert nextauth_tab.text("#account") == "Signed in as Bob Sign out"
    assert nextauth_browser.tabs == [nextauth_tab]


def test_a_slash_behind_the_routes_makes_no_difference() -> None:
    with Browser(FakeAuthServer(base_path="/auth/")) as browser:
        browser.sign_in_as("alice")
        tab = browser.open_tab()
        tab.run(lambda: SessionProvider(base_path="/auth/").start())
        assert tab.state.status == "authenticated"
        assert browser.requests == ["GET /auth/session"]


# --- sign-ins in a window ---


@pytest.fixture
def result(tab: Tab) -> list[Any]:
    """What the page's sign-in in a window comes to."""
    results: list[Any] = []

    def page() -> None:
        SessionProvider().start()
        task = asyncio.ensure_future(sign_in("github", popup=True))
        task.add_done_callback(lambda task: results.append(task.result()))

    tab.run(page)
    return results


def test_a_test_signs_in_in_the_window(tab: Tab, result: list[Any]) -> None:
    assert result == []
    tab.finish_popup("alice")
    assert result[0].ok
    assert tab.state.data is not None
    assert tab.state.data.user is not None
    assert tab.state.data.user.name == "alice"


def test_a_test_refuses_the_visitor_in_the_window(tab: Tab, result: list[Any]) -> None:
    tab.finish_popup(error="AccessDenied")
    assert result[0].error == "AccessDenied"


def test_a_test_closes_the_window(tab: Tab, browser: Browser, result: list[Any]) -> None:
    tab.close_popup()
    browser.advance(15)
    assert result[0].error == "PopupClosed"
    with pytest.raises(LookupError, match="no window is open"):
        tab.close_popup()


def test_a_test_signs_in_on_the_servers_page_in_the_window(tab: Tab) -> None:
    tasks: list[Any] = []
    tab.run(lambda: tasks.append(asyncio.ensure_future(SessionProvider().start().sign_in(popup=True))))
    tab.finish_popup("alice")
    assert tasks[0].result().ok
    assert tab.state.status == "authenticated"


def test_a_test_has_the_browser_refuse_windows(tab: Tab) -> None:
    assert tab.allows_popups
    tab.allows_popups = False
    assert tab.run(sign_in("github", popup=True)).error == "PopupBlocked"
    with pytest.raises(LookupError, match="no window is open"):
        tab.finish_popup("alice")
