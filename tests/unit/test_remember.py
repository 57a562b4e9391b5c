"""What a page remembers over a sign-in that leaves it."""

from __future__ import annotations

from typing import Any

import pytest

from nextauth_py import SessionProvider, use_session
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import pause, start

DRAFT = {"draft": "half a sentence", "numbers": [1, None, 2.5]}
KEY = "nextauth_py.remembered /api/auth"


def callback(tab: MemoryHost) -> str:
    return tab.browser.cookies["next-auth.callback-url"]


def back(tab: MemoryHost, url: str) -> MemoryHost:
    """The page of the same tab at an address."""
    page = tab.browser.open_tab("/")
    page.url, page.kept = url, tab.kept
    return page


async def left(tab: MemoryHost, data: object = DRAFT, **options: Any) -> None:
    provider = start(tab)
    assert provider.remember(data)
    await provider.sign_in("github", **options)


async def test_it_is_there_once_when_the_page_is_back(tab: MemoryHost) -> None:
    await left(tab)
    page = back(tab, callback(tab))
    provider = start(page)
    assert provider.recall() == DRAFT
    assert page.url == "https://app.example/account"
    assert provider.recall() is None
    assert page.kept == {}


async def test_a_reload_does_not_bring_it_back(tab: MemoryHost) -> None:
    await left(tab)
    page = back(tab, callback(tab))
    start(page).recall()
    assert start(back(page, callback(tab))).recall() is None


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("/in?x=1#top", "https://app.example/in?x=1&nextauth_state={}#top"),
        ("/in#/route?y=2", "https://app.example/in?nextauth_state={}#/route?y=2"),
        ("https://app.example/in", "https://app.example/in?nextauth_state={}"),
    ],
)
async def test_the_callback_has_a_nonce_and_is_otherwise_as_it_was(
    tab: MemoryHost, asked: str, told: str
) -> None:
    await left(tab, callback_url=asked)
    url = callback(tab)
    nonce = url.partition("nextauth_state=")[2].partition("#")[0]
    assert url == told.format(nonce)
    page = back(tab, url)
    assert start(page).recall() == DRAFT
    assert page.url == told.format("").replace("?nextauth_state=", "").replace("&nextauth_state=", "")


async def test_credentials_that_leave_the_page_take_it_along(tab: MemoryHost) -> None:
    provider = start(tab)
    provider.remember(DRAFT)
    await provider.sign_in("credentials", username="alice", password="wonder")
    assert start(back(tab, tab.visited[-1])).recall() == DRAFT


async def test_a_form_that_leads_to_a_provider_takes_it_along(tab: MemoryHost) -> None:
    provider = start(tab)
    provider.remember(DRAFT)
    await provider.engine.sign_in_by_form("github", {})
    assert start(back(tab, callback(tab))).recall() == DRAFT


async def test_a_guard_takes_it_along(tab: MemoryHost) -> None:
    provider = start(tab)
    provider.remember(DRAFT)
    use_session(required=True, provider=provider)
    await pause()
    assert "nextauth_state%3D" in tab.visited[-1]


async def test_a_sign_in_that_stays_leaves_it_for_one_that_leaves(tab: MemoryHost) -> None:
    provider = start(tab)
    provider.remember(DRAFT)
    result = await provider.sign_in("credentials", username="alice", password="no", redirect=False)
    assert result is not None
    await provider.sign_in("github")
    assert start(back(tab, callback(tab))).recall() == DRAFT


@pytest.mark.parametrize("address", ["/account", "/account?nextauth_state=guessed"])
async def test_another_page_does_not_get_it(tab: MemoryHost, address: str) -> None:
    await left(tab)
    assert start(back(tab, f"https://app.example{address}")).recall() is None
    assert start(back(tab, callback(tab))).recall() == DRAFT


@pytest.mark.parametrize(
    "told", ["error=OAuthCallback", "error=AccessDenied&callbackUrl=%2Faccount%3Fid%3D1"]
)
async def test_a_page_that_a_refused_sign_in_returns_to_gets_it(tab: MemoryHost, told: str) -> None:
    await left(tab)
    page = back(tab, f"https://app.example/account?{told}")
    assert start(page).recall() == DRAFT
    assert page.kept == {}


async def test_another_page_that_a_refused_sign_in_leads_to_does_not(tab: MemoryHost) -> None:
    await left(tab)
    assert start(back(tab, "https://app.example/login?error=OAuthCallback")).recall() is None
    assert start(back(tab, callback(tab))).recall() == DRAFT


async def test_the_nonce_goes_from_wherever_it_is_in_the_address(tab: MemoryHost) -> None:
    await left(tab)
    odd = "&nextauth_state=other&x=%20a&nextauth%5Fstate=z#/route?nextauth_state=q&y=1"
    page = back(tab, callback(tab) + odd)
    assert start(page).recall() == DRAFT
    assert page.url == "https://app.example/account?x=%20a#/route?y=1"


async def test_a_provider_that_replaces_another_knows_what_that_has_kept(tab: MemoryHost) -> None:
    start(tab).remember(DRAFT)
    await start(tab).sign_in("github")
    assert start(back(tab, callback(tab))).recall() == DRAFT


async def test_a_provider_that_replaces_another_keeps_its_own(tab: MemoryHost) -> None:
    start(tab).remember("old")
    second = SessionProvider(None, host=tab)
    second.remember(DRAFT)
    await second.start().sign_in("github")
    assert start(back(tab, callback(tab))).recall() == DRAFT


async def test_a_machine_whose_clock_is_set_back_meanwhile(tab: MemoryHost) -> None:
    await left(tab)
    tab.browser.clock_error = -60
    assert start(back(tab, callback(tab))).recall() == DRAFT


async def test_another_auth_servers_provider_does_not_get_it(tab: MemoryHost) -> None:
    await left(tab)
    page = back(tab, callback(tab))
    assert start(page, base_path="/other/auth").recall() is None
    assert start(page).recall() == DRAFT


@pytest.mark.parametrize("address", ["", "https://app.example/account?nextauth_state=other"])
async def test_after_a_day_it_is_gone(browser: MemoryBrowser, tab: MemoryHost, address: str) -> None:
    await left(tab)
    browser.sleep(24 * 60 * 60)
    page = back(tab, address or callback(tab))
    assert start(page).recall() is None
    assert page.kept == {}


async def test_the_last_one_counts_and_none_forgets(tab: MemoryHost) -> None:
    provider = start(tab)
    provider.remember(1)
    assert provider.remember(2)
    await provider.sign_in("github")
    assert start(back(tab, callback(tab))).recall() == 2
    provider.remember(3)
    assert not provider.remember(None)
    assert tab.kept == {}
    await provider.sign_in("github")
    assert "nextauth_state" not in callback(tab)


async def test_without_storage_it_says_so(tab: MemoryHost) -> None:
    provider = start(tab)
    tab.has_storage = False
    assert not provider.remember(DRAFT)
    await provider.sign_in("github")
    assert "nextauth_state" not in callback(tab)


@pytest.mark.parametrize("data", ["x" * 5_000_000, [[[[[[[[[[["deep"]]]]]]]]]]] * 1])
async def test_what_is_too_large_is_not_kept_or_is_whole(tab: MemoryHost, data: object) -> None:
    provider = start(tab)
    if provider.remember(data):
        await provider.sign_in("github")
        assert start(back(tab, callback(tab))).recall() == data
    else:
        assert tab.kept == {}


@pytest.mark.parametrize(
    ("data", "error"), [({1, 2}, TypeError), (float("nan"), ValueError), ({"secret": object()}, TypeError)]
)
async def test_what_json_cannot_carry_is_refused(
    tab: MemoryHost, data: object, error: type[Exception]
) -> None:
    provider = start(tab)
    with pytest.raises(error, match=r"remember\(\) takes JSON"):
        provider.remember(data)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '["n", "then", 1]', "[" * 100_000, "null"])
async def test_what_other_scripts_have_stored_there_breaks_nothing(tab: MemoryHost, text: str) -> None:
    tab.kept[KEY] = text
    tab.url = "https://app.example/account?nextauth_state=n"
    assert start(tab).recall() is None


async def test_a_callback_on_another_origin_gets_no_nonce(tab: MemoryHost) -> None:
    await left(tab, callback_url="https://other.example/in")
    assert "nextauth_state" not in callback(tab)


def test_a_closed_provider_remembers_nothing(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab)
    provider.close()
    with pytest.raises(RuntimeError):
        provider.remember(1)
