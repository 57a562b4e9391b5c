"""Pages whose script runs again, as a notebook's cells do: one of each is left."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from nextauth_py import Component, Session, SessionProvider, component, sign_out, use_session
from nextauth_py.testing import Browser
from nextauth_py.testing.browser import Tab
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import EXPIRES

SESSION = "GET /api/auth/session"
ALICE = {"user": {"name": "Alice"}, "expires": EXPIRES}


def make_account() -> Component:
    @component("#account")
    def account() -> object:
        session = use_session()
        user = session.data and session.data.user
        return user.name if user else session.status

    return account


def ten_lines() -> Component:
    SessionProvider(refetch_interval=60).start()
    return make_account()


@pytest.fixture
def tab() -> Any:
    with Browser() as browser:
        browser.sign_in_as("alice", name="Alice")
        yield browser.open_tab("/account")


def count(tab: Tab) -> int:
    return tab._browser.requests.count(SESSION)


def test_a_component_follows_a_handle_that_was_made_outside_of_it(tab: Tab) -> None:
    def page() -> None:
        SessionProvider().start()
        session = use_session()
        component("#account")(lambda: name_in(tab.state) if session.data else session.status)

    tab.run(page)
    assert tab.text("#account") == "Alice"
    tab.run(lambda: setattr(tab.provider, "session", None))
    assert tab.text("#account") == "unauthenticated"


def test_a_decorator_without_parentheses_makes_a_component_too(tab: Tab) -> None:
    @component
    def account() -> object:
        return "Hello"

    assert isinstance(account, Component)
    tab.run(lambda: account.mount("#account"))
    assert tab.text("#account") == "Hello"


def test_a_method_and_a_partial_are_components_too() -> None:
    class Page:
        def account(self) -> object:
            return "Hello"

    assert [component(each)() for each in (Page().account, partial(Page().account))] == ["Hello"] * 2


def test_components_in_one_that_runs_again_run_once_each(tab: Tab) -> None:
    seen: list[str] = []

    def page() -> None:
        SessionProvider(None).start()
        component("#app")(lambda: "")
        tab.find("#app").tag.append(tab.document.soup.new_tag("div", id="inner"))
        component("#inner")(lambda: seen.append(use_session().status))

    for _ in range(3):
        tab.run(page)
    seen.clear()
    tab.run(lambda: setattr(tab.provider, "session", ALICE))
    assert seen == ["authenticated"]
    assert tab.errors == []


def test_ten_lines_that_run_again_leave_one_of_each(tab: Tab) -> None:
    first = tab.run(ten_lines)
    first_provider = tab.provider
    second = tab.run(ten_lines)
    assert tab.provider is not first_provider
    before = count(tab)
    tab._browser.advance(601)
    assert count(tab) - before == 10
    tab.run(lambda: setattr(tab.provider, "session", {**ALICE, "user": {"name": "Bob"}}))
    assert tab.text("#account") == "Bob"
    assert (first._view, second._view is None) == (None, False)
    with pytest.raises(RuntimeError, match="is closed"):
        tab.run(first_provider.refetch())
    tab.run(lambda: sign_out(redirect=False))
    assert tab.text("#account") == "unauthenticated"
    assert tab.errors == []


def test_a_component_follows_a_provider_that_is_started_again(tab: Tab) -> None:
    tab.run(ten_lines)
    tab.run(lambda: SessionProvider(None).start())
    assert tab.text("#account") == "unauthenticated"
    tab.run(lambda: setattr(tab.provider, "session", ALICE))
    assert tab.text("#account") == "Alice"
    assert tab.errors == []


@pytest.mark.parametrize("turns", [1, 2])
def test_a_component_follows_the_provider_that_replaces_a_closed_one(tab: Tab, turns: int) -> None:
    tab.run(ten_lines)

    def start() -> None:
        if turns == 1:
            tab.provider.close()
        SessionProvider(None).start()

    if turns == 2:
        tab.run(tab.provider.close)
    assert tab.text("#account") == "Alice"
    tab.run(start)
    assert tab.text("#account") == "unauthenticated"
    tab.run(lambda: setattr(tab.provider, "session", ALICE))
    assert tab.text("#account") == "Alice"
    assert tab.errors == []


def test_a_component_whose_element_has_left_the_page_follows_no_provider(tab: Tab) -> None:
    tab.run(ten_lines)
    members = tab.run(lambda: component("#members", auth=True)(lambda: "Members"))
    assert tab.text("#members") == "Members"
    tab.run(tab.provider.close)
    tab.find("#members").tag.extract()
    tab.run(lambda: SessionProvider(None).start())
    assert tab.visited == []
    assert members._view is None


def test_an_unmounted_component_follows_no_provider(tab: Tab) -> None:
    left, gone = tab.run(ten_lines), tab.run(lambda: component("#gone")(lambda: use_session().status))
    tab.run(tab.provider.close)
    tab.run(gone.unmount)
    other = tab._browser.open_tab("/account")
    other.run(lambda: SessionProvider(None).start())
    assert tab.text("#account") == "Alice"
    tab.run(lambda: SessionProvider(None).start())
    assert (tab.text("#account"), tab.text("#gone")) == ("unauthenticated", "")
    tab.run(left.unmount)
    assert tab.errors == other.errors == []


def test_a_component_takes_the_place_of_another(tab: Tab) -> None:
    def page() -> tuple[Component, Component]:
        SessionProvider(ALICE).start()
        return make_account(), component(tab.find("#account"))(lambda: f"second {use_session().status}")

    first, second = tab.run(page)
    assert tab.text("#account") == "second authenticated"
    tab.run(lambda: setattr(tab.provider, "session", None))
    assert tab.text("#account") == "second unauthenticated"
    tab.run(first.unmount)
    assert tab.text("#account") == "second unauthenticated"
    tab.run(lambda: first.mount("#account"))
    tab.run(second.update)
    assert tab.text("#account") == "unauthenticated"
    assert tab.errors == []


def test_a_component_that_finds_no_element_leaves_the_others(tab: Tab) -> None:
    first = tab.run(ten_lines)
    with pytest.raises(LookupError):
        tab.run(lambda: first.mount("main .missing"))
    assert tab.text("#account") == "Alice"


async def test_providers_of_other_servers_and_other_tabs_go_on(browser: MemoryBrowser) -> None:
    tab, other = browser.open_tab(), browser.open_tab()
    others = [
        await signed_in(tab),
        SessionProvider(None, base_path="/other", host=tab).start(),
        SessionProvider(None, base_url="https://auth.example", host=tab).start(),
        SessionProvider(host=other).start(),
        SessionProvider(None, host=tab),  # not started
    ]
    again = SessionProvider(host=tab).start()
    with pytest.raises(RuntimeError, match="is closed"):
        await others[0].refetch()
    assert others[4].start().state.status == "unauthenticated"
    with pytest.raises(RuntimeError, match="is closed"):
        await again.refetch()
    await asyncio.sleep(1)
    assert name_in(others[3].state) == "alice"
    for provider in others[1:]:
        await provider.get_csrf_token()


async def test_running_again_leaves_nothing_open(browser: MemoryBrowser) -> None:
    host: MemoryHost = browser.open_tab()
    for _ in range(3):
        provider = SessionProvider(refetch_interval=10, renew_before_expiry=10, host=host).start()
    await provider.ready()
    opened = host.open_resources
    provider.close()
    assert opened
    assert host.open_resources == 0
    assert not host.reports


# --- client-side navigation: the router removes a page's elements, and the script of the next page runs ---


def test_a_script_that_runs_again_goes_on_with_what_is_known(tab: Tab) -> None:
    tab.run(ten_lines)
    before = count(tab)
    shown: list[str] = []

    def again() -> None:
        SessionProvider().start()
        component("#account")(lambda: shown.append(use_session().status))

    for _ in range(3):
        tab._browser.advance(15)
        tab.run(again)
    assert shown == ["authenticated"] * 3
    assert count(tab) == before
    tab._browser.advance(60)
    tab.hide()
    tab.show()
    assert count(tab) - before == 1  # however many scripts have run


@pytest.mark.parametrize("age", [0.0, 100.0])
def test_a_provider_that_replaces_another_keeps_the_interval(tab: Tab, age: float) -> None:
    tab.run(lambda: SessionProvider(refetch_interval=300).start())
    before = count(tab)
    tab._browser.advance(age)
    tab.run(lambda: SessionProvider(refetch_interval=300).start())
    tab._browser.advance(299 - age)
    assert count(tab) == before
    tab._browser.advance(2)
    assert count(tab) - before == 1


def test_what_is_in_doubt_is_asked_for_again(tab: Tab) -> None:
    class Mine(Session):
        pass

    tab.run(ten_lines)
    before = count(tab)
    tab.run(lambda: SessionProvider(session_type=Mine).start())
    assert count(tab) - before == 1
    tab.run(lambda: setattr(tab.provider, "session", ALICE))
    before = count(tab)
    tab.run(lambda: SessionProvider().start())
    assert count(tab) - before == 1


@pytest.mark.parametrize("soon", [0.1, 1.0])
def test_a_sign_out_is_watched_by_the_next_script_too(tab: Tab, soon: float) -> None:
    tab.run(ten_lines)
    alive = dict(tab._browser.cookies)
    tab.run(lambda: sign_out(redirect=False))
    tab._browser.advance(soon)
    tab.run(ten_lines)
    assert tab.text("#account") == "unauthenticated"
    tab._browser.cookies.update(alive)
    tab._browser.advance(10)
    assert tab.text("#account") == "unauthenticated"
    assert not alive.keys() & tab._browser.cookies.keys()


def test_a_component_whose_element_has_left_lets_go(tab: Tab) -> None:
    tab.run(lambda: SessionProvider().start())
    members = tab.run(lambda: component("#members", auth=True)(lambda: "Members"))
    tab.find("#members").tag.extract()
    tab.run(lambda: sign_out(redirect=False))
    assert tab.visited == []
    assert members._view is None


def test_a_component_that_is_mounted_unmounts_those_that_have_left(tab: Tab) -> None:
    old = tab.run(ten_lines)
    tab.find("#account").tag.extract()
    tab.run(lambda: component("#other")(lambda: "Other"))
    assert old._view is None


def test_a_component_may_be_mounted_before_its_element_is_on_the_page(tab: Tab) -> None:
    tab.run(lambda: SessionProvider().start())
    element = tab.find("#later")
    body = element.tag.parent
    element.tag.extract()
    account = tab.run(lambda: component(element)(lambda: use_session().status))
    tab.run(lambda: setattr(tab.provider, "session", ALICE))
    assert body
    body.append(element.tag)
    tab.run(lambda: setattr(tab.provider, "session", None))
    assert tab.text("#later") == "unauthenticated"
    element.tag.extract()
    tab.run(lambda: setattr(tab.provider, "session", ALICE))
    assert account._view is None
