"""Sign-out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nextauth_py import (
    ClientFetchError,
    SignOutIncomplete,
    SignOutResult,
)
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE, FakeServer, html_answer, json_answer

SESSION = "GET /api/auth/session"


SIGNOUT = "POST /api/auth/signout"


PAGE = "https://app.example/account"


async def test_a_sign_out_is_made_sure_of_and_stays_on_the_page(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    before = tab.browser.network.count(SESSION)
    assert await provider.sign_out(redirect=False, callback_url="/bye") == SignOutResult(
        "https://app.example/bye"
    )
    assert provider.state.status == "unauthenticated"
    assert SESSION_COOKIE not in tab.browser.cookies
    assert tab.browser.network.count(SESSION) - before == 1


async def test_by_default_a_sign_out_leaves_for_the_callback_url(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    assert await provider.sign_out(callback_url="/bye") is None
    assert tab.visited == ["https://app.example/bye"]


async def test_a_held_answer_does_not_bring_the_session_back(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    gate = tab.browser.network.hold(SESSION)
    reader = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    await provider.sign_out(redirect=False)
    gate.set()
    await asyncio.sleep(1)
    assert provider.state.status == "unauthenticated"
    assert SESSION_COOKIE not in tab.browser.cookies
    assert await reader is None  # the discarded caller gets what is true now


async def test_a_session_that_comes_back_is_signed_out_again(tab: MemoryHost, browser: MemoryBrowser) -> None:
    provider = await signed_in(tab)
    alive = browser.cookies[SESSION_COOKIE]
    browser.network.answer_next(SIGNOUT, json_answer({"url": PAGE}, cookies={SESSION_COOKIE: alive}), times=2)
    await provider.sign_out(redirect=False)
    assert browser.network.count(SIGNOUT) == 3
    assert provider.state.status == "unauthenticated"


async def test_a_session_that_keeps_coming_back_is_not_called_signed_out(
    tab: MemoryHost, browser: MemoryBrowser
) -> None:
    provider = await signed_in(tab)
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    browser.network.answer_next(SIGNOUT, json_answer({"url": PAGE}), times=9)
    with pytest.raises(SignOutIncomplete):
        await provider.sign_out(redirect=False)
    assert browser.network.count(SIGNOUT) == 3
    assert name_in(provider.state) == "alice"
    assert heard == []


async def test_a_sign_out_with_a_refused_token_tries_once_more(tab: MemoryHost, server: FakeServer) -> None:
    provider = await signed_in(tab)
    server.refused_csrf_posts = 1
    await provider.sign_out(redirect=False)
    assert provider.state.status == "unauthenticated"


@pytest.mark.parametrize("answer", [OSError(), html_answer(), json_answer({"message": "x"}, 500)])
async def test_a_sign_out_that_did_not_happen_is_not_announced(
    tab: MemoryHost, browser: MemoryBrowser, answer: Any
) -> None:
    provider = await signed_in(tab)
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    browser.network.answer_next(SIGNOUT, answer)
    with pytest.raises(ClientFetchError):
        await provider.sign_out(redirect=False)
    assert name_in(provider.state) == "alice"
    assert isinstance(provider.state.error, ClientFetchError)
    assert heard == []


async def test_a_sign_out_that_cannot_be_verified_counts_and_shows_the_doubt(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, OSError())
    await provider.sign_out(redirect=False)
    assert (provider.state.status, provider.state.stale) == ("unauthenticated", True)


async def test_a_sign_in_waits_for_a_sign_out_under_way(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    gate = tab.browser.network.hold(SIGNOUT)
    leaving = asyncio.create_task(provider.sign_out(redirect=False))
    await asyncio.sleep(1)
    coming = asyncio.create_task(
        provider.sign_in("credentials", username="bob", password="builder", redirect=False)
    )
    await asyncio.sleep(1)
    gate.set()
    await asyncio.gather(leaving, coming)
    assert name_in(provider.state) == "bob"
