"""Guards of pages that are come back to, or never left."""

from __future__ import annotations

import asyncio
import json

import pytest

from nextauth_py import Auth, SessionProvider, UnsafeRedirectError, use_session
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer
from nextauth_py.ui.component import Component

from .conftest import pause, signed_in
from .fake_server import SESSION_COOKIE, json_answer

SESSION = "GET /api/auth/session"


SIGN_IN_PAGE = "/api/auth/signin?error=SessionRequired&callbackUrl=https%3A%2F%2Fapp.example%2Faccount"


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


async def test_a_handler_in_place_of_the_redirect_runs_again_too(tab: MemoryHost) -> None:
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


async def test_a_page_kept_open_after_a_sign_out_goes_to_the_sign_in_page(
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


async def test_a_guarded_component_redirects_again_on_a_restored_page(
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


async def test_another_user_is_checked_again(tab: MemoryHost) -> None:
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
