"""Sign-ins in a window, while everything around them goes wrong."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

import pytest

from nextauth_py import ClientFetchError, CsrfError, SessionProvider, SignInResult
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer

from .conftest import name_in, pause, signed_in, start
from .fake_server import FakeServer, html_answer, json_answer
from .test_popups import CLOSED, PAGE, Popup, at_provider, begun, sign_in_as_alice

T = TypeVar("T")

SIGNED_IN = SignInResult(ok=True, status=200, url=PAGE)
MANY = 200  # awaits: more than a sign-in has


def sign_in_as(browser: MemoryBrowser, name: str) -> None:
    server = FakeServer()
    browser.set_cookies(server.cookies_for(server.users[name]))


@types.coroutine
def disturbed(call: Coroutine[Any, Any, T], at: int, disturb: Callable[[], object]) -> Generator[Any, Any, T]:
    """Run a call, and do something as soon as it waits for the `at`-th time."""
    step, error = 0, None
    while True:
        try:
            waits_for = call.throw(error) if error else call.send(None)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]
        if step == at:
            asyncio.get_running_loop().call_soon(disturb)
        step, error = step + 1, None
        try:
            yield waits_for
        except BaseException as thrown:
            error = thrown


def expect_nothing_open(tab: MemoryHost) -> None:
    assert not tab.windows[-1].is_open
    assert [each.name for each in tab.channels if "popup" in each.name] == []


async def land_when_shown(tab: MemoryHost) -> None:
    while not (tab.windows and tab.windows[-1].visited):
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    if tab.windows[-1].is_open:
        sign_in_as_alice(tab.browser)
        tab.windows[-1].land(tab.browser.cookies["next-auth.callback-url"])


# --- ends at every await ---


async def run_to(browser: MemoryBrowser, at: int, how: str) -> bool:
    """Run a sign-in whose call ends at an await. Returns whether it came so far."""
    tab = browser.open_tab("/account")
    provider = start(tab)
    await pause()
    idle = tab.open_resources - len(tab.timers)
    ends = []

    def disturb() -> None:
        ends.append(how)
        if how == "cancel":
            task.cancel()
        elif how == "close":
            provider.close()
        else:
            start(tab)

    async def call() -> SignInResult | None:
        return await disturbed(provider.sign_in("github", popup=True), at, disturb)

    task = asyncio.create_task(call())
    helper = asyncio.create_task(land_when_shown(tab))
    result = (await asyncio.gather(task, return_exceptions=True))[0]
    helper.cancel()
    if not ends:
        assert result == SIGNED_IN
    elif how == "cancel":
        assert task.cancelled()
    else:
        assert result is None
    expect_nothing_open(tab)
    if how == "close" and ends:
        assert tab.open_resources == 0
    else:
        await asyncio.sleep(60)
        assert tab.open_resources - len(tab.timers) == idle
    async with asyncio.timeout(1):  # no tab waits for it any more
        await start(browser.open_tab("/")).refetch()
    assert tab.reports == []
    return bool(ends)


@pytest.mark.parametrize("how", ["cancel", "close", "replace"])
async def test_an_end_at_any_await_leaves_nothing_behind(how: str) -> None:
    for at in range(MANY):
        browser = MemoryBrowser(server := FakeServer())
        server.now = browser.true_time
        browser.network.latency = 0.1
        if not await run_to(browser, at, how):
            assert at > 8
            return
    raise AssertionError("the call never ends")


# --- what the server does ---


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize(
    "answer",
    [
        OSError(),
        json_answer({"message": "x"}, 500),
        html_answer(),
        json_answer([1, 2]),
        json_answer("x", 429),
    ],
)
async def test_a_failure_of_any_request_ends_it(
    browser: MemoryBrowser, monkeypatch: pytest.MonkeyPatch, number: int, answer: Answer | OSError
) -> None:
    provider = start(tab := browser.open_tab("/account"))
    await pause()
    sent: list[str] = []
    carry = browser.network._carry

    async def fail(request: Any, route: str, cookies: Any) -> Any:
        if len(sent) == number:
            browser.network.answer_next(route, answer)
        sent.append(route)
        return await carry(request, route, cookies)

    monkeypatch.setattr(browser.network, "_carry", fail)
    helper = asyncio.create_task(land_when_shown(tab))
    popup = Popup(provider)
    async with asyncio.timeout(60):
        try:
            result = await popup.call
        except ClientFetchError:
            result = None
    helper.cancel()
    assert len(sent) >= number
    assert result is None or (result == SIGNED_IN) == (name_in(provider.state) == "alice")
    expect_nothing_open(tab)


async def test_a_csrf_token_that_is_refused(browser: MemoryBrowser, server: FakeServer) -> None:
    server.refused_csrf_posts = 2
    popup = Popup(start(browser.open_tab("/account")))
    with pytest.raises(CsrfError):
        await popup.result()


async def test_a_slow_network(browser: MemoryBrowser) -> None:
    browser.network.latency = 4.0
    popup = Popup(start(browser.open_tab("/account")))
    await land_when_shown(popup.tab)
    assert await popup.result() == SIGNED_IN


async def test_offline_at_the_end(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    browser.set_online(online=False)
    popup.window.close()
    with pytest.raises(ClientFetchError):
        await popup.result()


# --- whose session it is ---


async def test_a_session_that_was_loading_when_the_window_opened_is_no_success(
    browser: MemoryBrowser,
) -> None:
    sign_in_as_alice(browser)
    browser.network.latency = 1.0
    popup = Popup(SessionProvider(host=browser.open_tab("/account")).start())
    await asyncio.sleep(15)
    assert popup.window.visited
    popup.window.close()
    assert await popup.result() == CLOSED


async def test_a_session_that_is_another_at_each_read_is_no_success(
    browser: MemoryBrowser, server: FakeServer
) -> None:
    provider = await signed_in(browser.open_tab("/account"))
    popup = await at_provider(provider)
    server.extra = {"accessToken": "renewed"}
    popup.window.close()
    assert await popup.result() == CLOSED


async def test_another_user_is_a_success_without_a_landing(browser: MemoryBrowser) -> None:
    popup = await at_provider(await signed_in(browser.open_tab("/account")))
    sign_in_as(browser, "bob")
    popup.window.close()
    assert await popup.result() == SIGNED_IN
    assert name_in(popup.provider.state) == "bob"


@pytest.mark.parametrize("seconds", [0.2, 0.5, 1.0, 1.5, 2.0, 3.0])
async def test_who_signs_in_again_right_after_a_sign_out_stays_signed_in(
    browser: MemoryBrowser, seconds: float
) -> None:
    browser.network.latency = 0.05
    other = start(browser.open_tab("/"))
    provider = await signed_in(browser.open_tab("/account"))
    await provider.sign_out(redirect=False)
    popup = Popup(provider)
    await asyncio.sleep(0.5)
    popup.landing = browser.cookies["next-auth.callback-url"]
    await asyncio.sleep(seconds - 0.2)
    sign_in_as_alice(browser)
    await asyncio.sleep(1.2)  # while the last page loads
    popup.land()
    assert await popup.result() == SIGNED_IN
    await asyncio.sleep(20)
    assert (name_in(provider.state), name_in(other.state)) == ("alice", "alice")


# --- addresses ---


async def test_a_provider_that_the_server_does_not_know_shows_its_page_where_one_may_try_again(
    browser: MemoryBrowser,
) -> None:
    popup = Popup(start(browser.open_tab("/account")), "unknown")
    await pause()
    (url,) = popup.window.visited
    assert url.startswith("https://app.example/api/auth/signin?callbackUrl=")
    popup.window.go(f"{url}&error=CredentialsSignin")
    await asyncio.sleep(5)
    assert popup.window.is_open
    popup.window.close()
    assert await popup.result() == CLOSED


async def test_an_identity_provider_on_the_same_origin_may_have_errors_of_its_own(
    browser: MemoryBrowser,
) -> None:
    popup = await begun(browser)
    popup.window.go("https://app.example/realms/us/login?error=invalid_password")
    await asyncio.sleep(5)
    assert popup.window.is_open
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SIGNED_IN


@pytest.mark.parametrize("url", ["https://evil.example/", "https://app.example.evil.example/in"])
async def test_no_address_of_another_origin_is_where_to_go_next(browser: MemoryBrowser, url: str) -> None:
    """A page's own address may name it, which anybody can link to; no server has checked it."""
    popup = await begun(browser, callback_url=url)
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SIGNED_IN


async def test_a_link_to_a_page_with_a_form_cannot_say_where_to_go_next(browser: MemoryBrowser) -> None:
    provider = start(tab := browser.open_tab("/login?callbackUrl=https%3A%2F%2Fevil.example%2F"))
    call = asyncio.ensure_future(provider.engine.sign_in_by_form("github", {}, in_popup=True))
    await pause()
    sign_in_as_alice(browser)
    tab.windows[-1].land(browser.cookies["next-auth.callback-url"])
    result = await call
    assert result
    assert result.url == tab.url


async def test_credentials_in_a_window_go_on_as_without_one_behind_a_proxy(
    browser: MemoryBrowser, server: FakeServer
) -> None:
    server.origin = "http://internal:3000"
    provider = start(browser.open_tab("/account"))
    options: dict[str, Any] = {"username": "alice", "password": "wonder", "callback_url": "/next"}
    without = await provider.sign_in("credentials", redirect=False, **options)
    assert await provider.sign_in("credentials", popup=True, **options) == without


@pytest.mark.parametrize("options", [{"field": b"bytes"}, {"authorization_params": {"x": b"bytes"}}])
async def test_what_no_form_can_carry_is_an_error_before_a_window_opens(
    tab: MemoryHost, options: dict[str, Any]
) -> None:
    with pytest.raises(TypeError):
        await start(tab).sign_in("github", popup=True, **options)
    assert tab.windows == []


# --- what other scripts and other tabs say ---


@pytest.mark.parametrize("told", [None, 7, "", "x?error=1", "error=Injected", {"error": "x"}, [1]])
async def test_reports_that_are_none(browser: MemoryBrowser, told: Any) -> None:
    popup = await begun(browser)
    nonce = popup.landing.partition("nextauth_popup=")[2]
    channel = browser.open_tab("/other").open_channel("nextauth_py.popup", print)
    assert channel
    channel.post({"event": "landed", "nonce": nonce, "told": told})
    await asyncio.sleep(1)
    assert not popup.call.done()
    popup.window.close()
    assert await popup.result() == CLOSED


async def test_a_landing_that_reports_twice_and_late(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    browser.deliveries = lambda: [0.0, 0.0, 3.0]
    sign_in_as_alice(browser)
    popup.land()
    popup.land(error="AccessDenied")
    assert await popup.result() == SIGNED_IN
    await asyncio.sleep(5)
    assert popup.tab.reports == []


async def test_a_flood_of_forged_reports(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    channel = browser.open_tab("/other").open_channel("nextauth_py.popup", print)
    assert channel
    for number in range(5000):
        channel.post({"event": "landed", "nonce": str(number), "told": "?" + "x" * 100})
    await asyncio.sleep(1)
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SIGNED_IN


async def test_a_tab_that_crashed_while_it_changed_the_session(browser: MemoryBrowser) -> None:
    other = browser.open_tab("/")
    others = await signed_in(other)
    popup = await begun(browser)
    browser.network.hold("POST /api/auth/signout")
    asyncio.create_task(others.sign_out(redirect=False))  # noqa: RUF006
    await pause()
    other.crash()
    sign_in_as_alice(browser)
    popup.land()
    async with asyncio.timeout(120):
        assert await popup.result() == SIGNED_IN


async def test_changes_of_the_session_while_the_window_is_open(browser: MemoryBrowser) -> None:
    other = start(browser.open_tab("/"))
    provider = await signed_in(browser.open_tab("/account"))
    popup = await at_provider(provider)
    await other.update({"name": "Alice"})
    await provider.sign_out(redirect=False)
    await other.sign_in("credentials", username="bob", password="builder", redirect=False)
    popup.window.close()
    assert await popup.result() == SIGNED_IN
    assert name_in(provider.state) == "bob"


# --- the page is left and restored ---


@pytest.mark.parametrize(
    "changes", [["left", "restored"] * 3, ["left", "left", "restored"], ["frozen", "thawed"]]
)
async def test_lifecycle_changes_leak_no_channel(browser: MemoryBrowser, changes: list[Any]) -> None:
    popup = await begun(browser)
    for each in changes:
        popup.tab.change_lifecycle(each)
    await pause()
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SIGNED_IN


async def test_a_window_that_ends_while_the_page_is_in_the_back_forward_cache(browser: MemoryBrowser) -> None:
    popup = await begun(browser)
    await asyncio.sleep(1)
    popup.tab.change_lifecycle("left")
    sign_in_as_alice(browser)
    popup.land()
    popup.window.close()
    popup.tab.focused = False
    await asyncio.sleep(30)
    popup.tab.change_lifecycle("restored")
    popup.tab.focused = True
    async with asyncio.timeout(15):
        assert await popup.result() == SIGNED_IN


async def test_a_provider_that_was_never_started(browser: MemoryBrowser) -> None:
    provider = SessionProvider(host=browser.open_tab("/account"))
    popup = await at_provider(provider)
    sign_in_as_alice(browser)
    popup.land()
    assert await popup.result() == SIGNED_IN
    assert popup.tab.open_resources == 0
