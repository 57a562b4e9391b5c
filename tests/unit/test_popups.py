"""Sign-ins in a window of their own: how the window ends, and what the page makes of it."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import unquote

import pytest

import nextauth_py
from nextauth_py import ClientFetchError, SessionProvider, SignInResult, UnsafeRedirectError
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost, MemoryWindow

from .conftest import name_in, pause, signed_in, start
from .fake_server import FakeServer, json_answer

PAGE = "https://app.example/account"
AT_PROVIDER = "https://id.example/authorize?code=7"
SESSION = "GET /api/auth/session"
SIGN_IN_PAGE = "https://app.example/api/auth/signin?callbackUrl="
CLOSED = SignInResult(ok=False, status=200, error="PopupClosed")
BLOCKED = SignInResult(ok=False, status=0, error="PopupBlocked")


class Popup:
    """A sign-in in a window, and the window."""

    def __init__(self, provider: SessionProvider, *arguments: str, **options: Any) -> None:
        self.provider = provider
        self.tab: Any = provider.host
        self.landing = ""  # where the window is to be at the end, as the server has been told
        self.call = asyncio.ensure_future(
            provider.sign_in(*(arguments or ("github",)), **{"popup": True, **options})
        )

    @property
    def window(self) -> MemoryWindow:
        window: MemoryWindow = self.tab.windows[-1]
        return window

    def land(self, **told: str) -> None:
        self.window.land(self.landing, **told)

    async def result(self) -> SignInResult | None:
        result = await self.call
        assert not self.window.is_open
        assert [each.name for each in self.tab.channels if "popup" in each.name] == []
        return result


async def at_provider(provider: SessionProvider, **options: Any) -> Popup:
    popup = Popup(provider, **options)
    await pause()
    assert popup.window.visited == [AT_PROVIDER]
    popup.landing = popup.tab.browser.cookies["next-auth.callback-url"]
    return popup


async def begun(browser: MemoryBrowser, **options: Any) -> Popup:
    return await at_provider(start(browser.open_tab("/account")), **options)


def sign_in_as_alice(browser: MemoryBrowser) -> None:
    """What the provider and the server do behind our back."""
    server = FakeServer()
    browser.set_cookies(server.cookies_for(server.users["alice"]))


# --- success ---


async def test_the_page_stays_and_shows_the_session_after_one_request(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    before = browser.network.count(SESSION)
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SignInResult(ok=True, status=200, url=PAGE)
    assert browser.network.count(SESSION) == before + 1
    assert popup.tab.visited == []


async def test_all_tabs_follow_without_a_request_of_their_own(browser: MemoryBrowser) -> None:
    others = [start(browser.open_tab("/")) for _ in range(9)]
    popup = await begun(browser)
    before = browser.network.count(SESSION)
    sign_in_as_alice(browser)
    popup.land()
    await popup.result()
    await asyncio.sleep(5)
    assert {name_in(each.state) for each in others} == {"alice"}
    assert browser.network.count(SESSION) == before + 1


async def test_the_window_opens_before_anything_is_awaited(tab: MemoryHost) -> None:
    call = start(tab).sign_in("github", popup=True)
    assert tab.windows == []
    call.send(None)  # to its first await
    assert len(tab.windows) == 1
    call.close()
    assert not tab.windows[0].is_open


async def test_the_plain_call_does_it_too(tab: MemoryHost) -> None:
    start(tab)
    call = asyncio.ensure_future(nextauth_py.sign_in("github", popup=True))
    await pause()
    tab.windows[-1].close()
    assert await call == CLOSED


async def test_callback_url_is_where_to_go_next(browser: MemoryBrowser) -> None:
    popup = await begun(browser, callback_url="/next")
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SignInResult(ok=True, status=200, url="https://app.example/next")


async def test_somebody_who_is_signed_in_may_sign_in_again(tab: MemoryHost) -> None:
    popup = await at_provider(await signed_in(tab))
    popup.land()
    assert (await popup.result()) == SignInResult(ok=True, status=200, url=PAGE)


async def test_reads_and_other_tabs_do_not_wait_for_the_window(tab: MemoryHost) -> None:
    provider = start(tab)
    popup = await at_provider(provider)
    async with asyncio.timeout(1):
        assert (await start(tab.browser.open_tab("/")).refetch()).status == "unauthenticated"
        assert (await provider.refetch()).status == "unauthenticated"
        provider.session = {"user": {"name": "x"}, "expires": "2099-01-01T00:00:00Z"}
        assert name_in(provider.state) == "x"
    popup.window.close()
    await popup.result()


async def test_without_a_provider_it_shows_the_servers_page_where_one_may_try_again(
    browser: MemoryBrowser,
) -> None:
    provider = start(browser.open_tab("/account"))
    call = asyncio.ensure_future(provider.sign_in(popup=True))
    await pause()
    window: MemoryWindow = provider.host.windows[-1]  # type: ignore[attr-defined]
    (url,) = window.visited
    assert url.startswith(SIGN_IN_PAGE)
    window.go(f"{SIGN_IN_PAGE}%2F&error=CredentialsSignin")
    await asyncio.sleep(5)
    assert window.is_open
    sign_in_as_alice(browser)
    window.land(f"https://app.example{unquote(url.removeprefix(SIGN_IN_PAGE))}")
    assert await call == SignInResult(ok=True, status=200, url=PAGE)


@pytest.mark.parametrize("name", ["credentials", "email"])
async def test_what_needs_no_window_has_it_closed_at_once(tab: MemoryHost, name: str) -> None:
    provider = start(tab)
    fields: dict[str, Any] = {"username": "alice", "password": "wonder", "email": "a@b.example"}
    result = await provider.sign_in(name, popup=True, callback_url="/next", authorization_params={}, **fields)
    assert result
    assert result.ok
    next_page = "/api/auth/verify-request?provider=email&type=email" if name == "email" else "/next"
    assert result.url == f"https://app.example{next_page}"
    assert tab.windows[-1].visited == []
    assert not tab.windows[-1].is_open


# --- failure ---


async def test_a_refusal_that_the_last_page_reports(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    before = browser.network.count(SESSION)
    popup.land(error="AccessDenied", code="x")
    refused = SignInResult(ok=False, status=200, error="AccessDenied", code="x")
    assert await popup.result() == refused
    assert browser.network.count(SESSION) == before


@pytest.mark.parametrize("path", ["/api/auth/error?error=AccessDenied", "/login?error=AccessDenied"])
async def test_a_refusal_on_a_page_of_the_server_or_of_the_site(browser: MemoryBrowser, path: str) -> None:
    popup = await begun(browser)
    popup.window.go(f"https://app.example{path}")
    assert await popup.result() == SignInResult(ok=False, status=200, error="AccessDenied")


async def test_a_server_that_refuses_at_once(tab: MemoryHost) -> None:
    refusal = json_answer({"url": "https://app.example/api/auth/error?error=Configuration"})
    tab.browser.network.answer_next("POST /api/auth/signin/github", refusal)
    popup = Popup(start(tab))
    assert await popup.result() == SignInResult(ok=False, status=200, error="Configuration")


async def test_a_server_that_cannot_be_reached_is_an_error(tab: MemoryHost) -> None:
    tab.browser.network.answer_next("POST /api/auth/signin/github", OSError())
    popup = Popup(start(tab))
    with pytest.raises(ClientFetchError):
        await popup.result()
    assert not popup.window.is_open


async def test_a_window_that_is_closed_before_it_goes_anywhere(tab: MemoryHost) -> None:
    tab.browser.network.latency = 1.0
    popup = Popup(start(tab))
    await pause()
    popup.window.close()
    assert await popup.result() == CLOSED
    assert popup.window.visited == []


async def test_a_window_that_is_closed_at_the_provider(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    await asyncio.sleep(1)
    popup.window.close()
    async with asyncio.timeout(3):
        assert await popup.result() == CLOSED


async def test_a_window_that_is_closed_after_the_sign_in_counts(browser: MemoryBrowser) -> None:
    """The server has led it to another page of the site than it was told."""
    popup = await begun(browser)
    sign_in_as_alice(browser)
    popup.window.go("https://app.example/")
    await asyncio.sleep(5)
    popup.window.close()
    assert await popup.result() == SignInResult(ok=True, status=200, url=PAGE)


async def test_a_closed_window_leaves_the_session_of_before(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    popup = await at_provider(provider)
    popup.window.close()
    assert await popup.result() == CLOSED
    assert name_in(provider.state) == "alice"


async def test_a_landing_without_a_session_is_no_success(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    popup.land()
    assert await popup.result() == SignInResult(ok=False, status=200, error="Callback")


async def test_a_server_that_fails_at_the_end_is_an_error(browser: MemoryBrowser, server: FakeServer) -> None:
    popup = await begun(browser)
    server.is_down = True
    popup.land()
    with pytest.raises(ClientFetchError):
        await popup.call
    assert not popup.window.is_open


# --- Cross-Origin-Opener-Policy ---


async def test_a_window_that_is_cut_off_is_waited_for(browser: MemoryBrowser) -> None:
    """It seems closed, but the visitor is in it."""
    popup = await begun(browser)
    popup.window.is_cut_off = True
    popup.tab.focused = False
    await asyncio.sleep(600)
    sign_in_as_alice(browser)
    popup.land()
    assert (await popup.result()) == SignInResult(ok=True, status=200, url=PAGE)


async def test_a_window_that_is_cut_off_and_closed_ends_when_the_visitor_is_back(
    browser: MemoryBrowser,
) -> None:
    popup = await begun(browser)
    popup.window.is_cut_off = True
    popup.tab.focused = False
    await asyncio.sleep(60)
    popup.tab.focused = True
    async with asyncio.timeout(12):
        assert await popup.result() == CLOSED


async def test_without_a_channel_the_address_says_it(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/account")
    tab.has_channels = False
    popup = await at_provider(start(tab))
    sign_in_as_alice(browser)
    popup.window.go(popup.landing)
    assert (await popup.result()) == SignInResult(ok=True, status=200, url=PAGE)


# --- several, and ends ---


async def test_two_at_once_are_told_apart(browser: MemoryBrowser) -> None:
    first, second = await begun(browser), await begun(browser)
    sign_in_as_alice(browser)
    second.land()
    assert (await second.result()) == SignInResult(ok=True, status=200, url=PAGE)
    assert first.window.is_open
    first.window.close()
    assert (await first.result()) == SignInResult(ok=True, status=200, url=PAGE)  # somebody is signed in


@pytest.mark.parametrize(
    "message",
    [
        None,
        {"event": "landed", "nonce": "guessed", "told": "?"},
        {"event": "landed", "told": "?"},
        {"event": "other", "told": "?error=Injected"},
    ],
)
async def test_other_messages_mean_nothing(browser: MemoryBrowser, message: Any) -> None:
    popup = await begun(browser)
    channel = browser.open_tab("/other").open_channel("nextauth_py.popup", print)
    assert channel
    channel.post(message)
    await asyncio.sleep(1)
    assert not popup.call.done()
    popup.window.close()
    await popup.result()


async def test_a_cancelled_call_closes_the_window(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    popup.call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await popup.result()
    assert not popup.window.is_open


async def test_closing_the_provider_closes_the_window_and_leaks_nothing(tab: MemoryHost) -> None:
    provider = start(tab)
    popup = await at_provider(provider)
    provider.close()
    assert await popup.result() is None
    assert tab.open_resources == 0


async def test_a_page_in_the_back_forward_cache_holds_no_channel(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    popup.tab.change_lifecycle("left")
    assert popup.tab.channels == []
    popup.tab.change_lifecycle("restored")
    sign_in_as_alice(browser)
    popup.land()
    assert (await popup.result()) == SignInResult(ok=True, status=200, url=PAGE)


# --- what cannot be ---


async def test_a_blocked_window_raises_nothing_and_sends_nothing(tab: MemoryHost) -> None:
    provider = start(tab)
    tab.allows_windows = False
    assert await provider.sign_in("github", popup=True) == BLOCKED
    assert tab.browser.network.log == []


async def test_or_redirect_leaves_the_page_where_a_window_is_blocked(tab: MemoryHost) -> None:
    provider = start(tab)
    tab.allows_windows = False
    assert await provider.sign_in("github", popup="or-redirect", callback_url="/in") is None
    assert tab.visited == [AT_PROVIDER]


async def test_or_redirect_uses_the_window_where_there_is_one(browser: MemoryBrowser) -> None:
    popup = await begun(browser, popup="or-redirect")
    popup.window.close()
    assert await popup.result() == CLOSED


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"popup": "yes"}, TypeError, "or-redirect"),
        ({"popup": 1}, TypeError, "popup takes"),
        ({"redirect": True}, ValueError, "leave out redirect=True"),
        ({"popup": "or-redirect", "redirect": False}, ValueError, "popup=True"),
        ({"callback_url": "javascript:alert(1)"}, UnsafeRedirectError, "http"),
    ],
)
async def test_bad_options_are_errors_before_a_window_opens(
    tab: MemoryHost, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    provider = start(tab)
    with pytest.raises(error, match=text):
        await provider.sign_in("github", **{"popup": True, **options})
    assert (tab.windows, tab.browser.network.log) == ([], [])


async def test_a_worker_has_no_windows(tab: MemoryHost) -> None:
    tab.is_page = False
    with pytest.raises(ValueError, match="worker"):
        await start(tab).sign_in("github", popup=True)


async def test_the_page_for_windows_can_be_anywhere_on_the_origin(browser: MemoryBrowser) -> None:
    popup = await begun_with_page(browser, "/else/where.html?x=1")
    assert popup.landing.startswith("https://app.example/else/where.html?x=1&nextauth_popup=")
    popup.window.close()
    await popup.result()


async def begun_with_page(browser: MemoryBrowser, page: str) -> Popup:
    return await at_provider(start(browser.open_tab("/account"), popup_page=page))


@pytest.mark.parametrize("page", ["https://other.example/session-popup.html", "//other.example/x"])
async def test_the_page_for_windows_must_be_on_the_origin(tab: MemoryHost, page: str) -> None:
    with pytest.raises(UnsafeRedirectError):
        await start(tab, popup_page=page).sign_in("github", popup=True)
    assert tab.windows == []


async def test_without_a_bundle_one_must_say_where_the_page_is(
    tab: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab, "popup_page", lambda: None)
    with pytest.raises(ValueError, match="popup_page="):
        await start(tab).sign_in("github", popup=True)


@pytest.mark.parametrize("page", [7, ""])
def test_popup_page_takes_an_address(tab: MemoryHost, page: Any) -> None:
    with pytest.raises(TypeError, match="popup_page"):
        SessionProvider(host=tab, popup_page=page)


async def test_another_origins_server_is_told_the_whole_address(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/account")
    popup = await at_provider(start(tab, base_url="https://auth.example"))
    assert popup.landing.startswith("https://app.example/py/session-popup.html?nextauth_popup=")
    popup.window.close()
    await popup.call
