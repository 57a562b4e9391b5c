"""Sign-in by passkey, in a browser in memory against an Auth.js v5 server in memory."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import nextauth_py
from nextauth_py import ClientFetchError, SessionProvider, SignInResult
from nextauth_py.core import passkeys
from nextauth_py.core.urls import AuthUrl
from nextauth_py.core.wire import Request, Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.passkeys import Authenticator, Passkey

from .conftest import name_in, pause, start
from .fake_server import FakeServer, html_answer, json_answer

SESSION = "GET /api/auth/session"
PROVIDERS = "GET /api/auth/providers"
OPTIONS = "GET /api/auth/webauthn-options/passkey"
CSRF = "GET /api/auth/csrf"
CALLBACK = "POST /api/auth/callback/passkey"

PAGE = "https://app.example/account"

CANCELLED = SignInResult(ok=False, status=200, error="PasskeyCancelled")


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer("v5")
    server.providers["passkey"] = "webauthn"
    return server


@pytest.fixture
def authenticator(browser: MemoryBrowser, server: FakeServer) -> Authenticator:
    """The browser's, with a passkey of alice's."""
    passkey = Passkey("alices", "app.example", "alice@example.com")
    browser.authenticator.passkeys.append(passkey)
    server.passkeys[passkey.id] = "alice"
    return browser.authenticator


def sent(tab: MemoryHost) -> list[str]:
    return [f"{each.method} {each.path}" for each in tab.browser.network.log]


async def sign_in(provider: SessionProvider, **fields: Any) -> SignInResult:
    result = await provider.sign_in("passkey", redirect=False, **fields)
    assert result
    return result


async def waits_for_visitor(authenticator: Authenticator, call: Any) -> asyncio.Task[Any]:
    """Begin a sign-in, up to the browser's dialog."""
    authenticator.visitor = "waits"
    task = asyncio.create_task(call)
    await pause()
    assert authenticator.is_waiting
    return task


# --- what works ---


async def test_a_passkey_signs_in_and_shows_the_session(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    provider = start(tab)
    result = await sign_in(provider, action="authenticate")
    assert result == SignInResult(ok=True, status=200, url=PAGE)
    assert name_in(provider.state) == "alice"
    assert sent(tab) == [PROVIDERS, OPTIONS, CSRF, CALLBACK, SESSION]
    assert tab.visited == []


async def test_by_default_a_sign_in_leaves_for_the_callback_url(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    start(tab)
    assert await nextauth_py.sign_in("passkey", callback_url="/in") is None
    assert tab.visited == ["https://app.example/in"]
    assert sent(tab) == [PROVIDERS, OPTIONS, CSRF, CALLBACK]


async def test_the_other_tabs_follow_without_asking(
    tab: MemoryHost, browser: MemoryBrowser, authenticator: Authenticator
) -> None:
    other = start(browser.open_tab())
    await sign_in(start(tab))
    await pause()
    assert name_in(other.state) == "alice"
    assert browser.network.count(SESSION) == 1


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({}, "authenticate"),
        ({"action": None}, "authenticate"),
        ({"email": "alice@example.com"}, "authenticate"),
        ({"email": "new@example.com"}, "register"),
        ({"action": "register", "email": "new@example.com"}, "register"),
        ({"action": "authenticate", "email": "alice@example.com"}, "authenticate"),
    ],
)
async def test_what_is_left_out_is_the_servers_decision(
    tab: MemoryHost, authenticator: Authenticator, fields: dict[str, Any], asked: str
) -> None:
    provider = start(tab)
    assert (await sign_in(provider, **fields)).ok
    assert authenticator.asked == [asked]
    assert name_in(provider.state) == ("new@example.com" if asked == "register" else "alice")


async def test_who_is_signed_in_adds_a_passkey_and_signs_in_by_it(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider = start(tab)
    await provider.sign_in("credentials", username="bob", password="builder", redirect=False)
    assert (await sign_in(provider, action="register")).ok
    assert name_in(provider.state) == "bob"
    assert list(server.passkeys.values()) == ["bob"]
    await provider.sign_out(redirect=False)
    assert (await sign_in(provider, action="authenticate")).ok
    assert name_in(provider.state) == "bob"


async def test_a_form_of_the_page_may_name_the_action(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    fields = {"email": "new@example.com", "action": "register", "csrfToken": "of the markup"}
    result = await provider.engine.sign_in_by_form("passkey", fields)
    assert result
    assert result.ok
    assert authenticator.asked == ["register"]


async def test_with_other_providers_the_options_are_fields(tab: MemoryHost, server: FakeServer) -> None:
    forms = []

    def authorize(form: Any) -> None:
        forms.append(form)

    server.authorize = authorize
    await start(tab).sign_in("credentials", action="dance", autofill=True, redirect=False)
    assert (forms[0]["action"], forms[0]["autofill"]) == ("dance", "true")


# --- while the visitor decides ---


async def test_nothing_waits_for_the_visitor(
    tab: MemoryHost, browser: MemoryBrowser, authenticator: Authenticator
) -> None:
    provider, other = start(tab), start(browser.open_tab())
    task = await waits_for_visitor(authenticator, sign_in(provider))
    await asyncio.sleep(600)
    assert provider.engine.mutations.calls == frozenset()
    async with asyncio.timeout(0.1):
        await other.sign_in("credentials", username="bob", password="builder", redirect=False)
        await pause()
        assert name_in(provider.state) == "bob"
        assert name_in(await provider.refetch()) == "bob"
        assert await provider.update({"name": "Bob II"})
        await other.sign_out(redirect=False)
    provider.session = {"user": {"name": "shown"}, "expires": "2099-01-01T00:00:00Z"}
    assert name_in(provider.state) == "shown"
    authenticator.confirm()
    assert (await task).ok
    assert name_in(provider.state) == "alice"


async def test_a_cancelled_task_closes_the_dialog(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not authenticator.is_waiting
    assert provider.engine.mutations.calls == frozenset()
    assert CALLBACK not in sent(tab)


async def test_a_closed_provider_closes_the_dialog(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, provider.sign_in("passkey"))
    provider.close()
    assert await task is None
    assert not authenticator.is_waiting


async def test_a_later_call_ends_one_that_waits(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider))
    authenticator.visitor = "confirms"
    assert (await sign_in(SessionProvider(host=tab))).ok
    assert await task == CANCELLED
    assert sent(tab).count(OPTIONS) == 2
    assert sent(tab).count(CALLBACK) == 1


async def test_of_several_at_once_the_last_asks_the_visitor(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    provider = start(tab)
    results = await asyncio.gather(*(sign_in(provider) for _ in range(4)))
    assert [each.error for each in results] == ["PasskeyCancelled"] * 3 + [None]
    assert authenticator.asked == ["authenticate"]
    assert sent(tab).count(CALLBACK) == 1


async def test_a_call_that_has_its_passkey_is_not_ended(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    provider = start(tab)
    gate = tab.browser.network.hold(CALLBACK)
    first = asyncio.create_task(sign_in(provider, action="authenticate"))
    await pause()
    second = asyncio.create_task(sign_in(provider, action="authenticate"))
    await pause()
    assert sent(tab).count(OPTIONS) == 1  # it would replace the challenge that is being checked
    gate.set()
    assert (await first).ok
    assert (await second).ok


# --- autofill ---


async def test_autofill_waits_until_the_visitor_picks_a_passkey(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider, autofill=True))
    assert authenticator.asked == ["autofill"]
    await asyncio.sleep(60)
    authenticator.confirm()
    assert (await task).ok
    assert name_in(provider.state) == "alice"


async def test_autofill_gets_a_new_challenge_before_the_old_one_is_over(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider, autofill=True))
    await asyncio.sleep(14 * 60)
    assert sent(tab).count(OPTIONS) == 2
    assert authenticator.asked == ["autofill"] * 2
    tab.set_visible(visible=False)
    await asyncio.sleep(60 * 60)
    assert sent(tab).count(OPTIONS) == 2  # it might replace the one of a tab in view
    tab.set_visible(visible=True)
    await pause()
    assert sent(tab).count(OPTIONS) == 3
    tab.set_visible(visible=True)
    await pause()
    assert sent(tab).count(OPTIONS) == 3
    authenticator.confirm()
    assert (await task).ok


async def test_autofill_goes_on_after_a_failure(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider, autofill=True))
    tab.browser.set_online(online=False)
    await asyncio.sleep(11 * 60)
    assert sent(tab).count(OPTIONS) > 2
    assert provider.engine.mutations.calls == frozenset()
    assert provider.state.error is None
    tab.browser.set_online(online=True)
    await asyncio.sleep(60)
    authenticator.confirm()
    assert (await task).ok


async def test_a_cancelled_task_ends_autofill(tab: MemoryHost, authenticator: Authenticator) -> None:
    before = tab.open_resources
    provider = start(tab)
    held = tab.open_resources
    task = await waits_for_visitor(authenticator, sign_in(provider, autofill=True))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not authenticator.is_waiting
    assert tab.open_resources == held
    provider.close()
    assert tab.open_resources == before


async def test_autofill_gives_way_to_a_button(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider, autofill=True))
    authenticator.visitor = "confirms"
    assert (await sign_in(provider, autofill=False)).ok
    assert await task == CANCELLED
    assert authenticator.asked == ["autofill", "authenticate"]


async def test_a_browser_may_have_passkeys_and_no_autofill(
    tab: MemoryHost, authenticator: Authenticator
) -> None:
    authenticator.has_autofill = False
    provider = start(tab)
    assert (await sign_in(provider, autofill=True)).error == "PasskeyUnsupported"
    assert (await sign_in(provider)).ok


# --- what the browser refuses ---


def cancel(authenticator: Authenticator) -> None:
    authenticator.visitor = "cancels"


def have_none(authenticator: Authenticator) -> None:
    authenticator.passkeys.clear()


def support_none(authenticator: Authenticator) -> None:
    authenticator.is_supported = False


def be_broken(authenticator: Authenticator) -> None:
    async def ask(*_: object, **__: object) -> str:
        raise passkeys.PasskeyError("UnknownError", "out of order")

    vars(authenticator)["ask"] = ask


@pytest.mark.parametrize("redirect", [True, False])
@pytest.mark.parametrize(
    ("happen", "error"),
    [
        (cancel, "PasskeyCancelled"),
        (have_none, "PasskeyCancelled"),
        (support_none, "PasskeyUnsupported"),
        (be_broken, "PasskeyFailed"),
    ],
)
async def test_without_a_passkey_the_page_stays_as_it_is(
    tab: MemoryHost, authenticator: Authenticator, happen: Any, error: str, *, redirect: bool
) -> None:
    provider = start(tab)
    before = provider.state
    happen(authenticator)
    result = await provider.sign_in("passkey", redirect=redirect)
    assert result == SignInResult(ok=False, status=200, error=error)
    assert provider.state == before
    assert CALLBACK not in sent(tab)
    assert tab.visited == []


async def test_passkeys_are_of_one_domain(
    tab: MemoryHost, authenticator: Authenticator, server: FakeServer
) -> None:
    server.origin = "https://other.example"
    assert (await sign_in(start(tab))).error == "PasskeyOrigin"
    assert CALLBACK not in sent(tab)


async def test_a_device_registers_once(tab: MemoryHost, authenticator: Authenticator) -> None:
    provider = start(tab)
    await sign_in(provider)
    result = await sign_in(provider, action="register")
    assert result == SignInResult(ok=False, status=200, error="PasskeyExists")
    assert name_in(provider.state) == "alice"


async def test_a_visitor_may_cancel_after_a_while(tab: MemoryHost, authenticator: Authenticator) -> None:
    task = await waits_for_visitor(authenticator, sign_in(start(tab)))
    await asyncio.sleep(60)
    authenticator.cancel()
    assert await task == CANCELLED
    with pytest.raises(LookupError, match="no page asks"):
        authenticator.confirm()


async def test_a_browser_asks_for_one_tab_at_a_time(
    tab: MemoryHost, browser: MemoryBrowser, authenticator: Authenticator
) -> None:
    task = await waits_for_visitor(authenticator, sign_in(start(tab)))
    assert (await sign_in(start(browser.open_tab()))).error == "PasskeyFailed"
    task.cancel()


async def test_debugging_shows_what_the_browser_said(tab: MemoryHost, authenticator: Authenticator) -> None:
    authenticator.visitor = "cancels"
    await sign_in(start(tab, debug=True))
    assert any("no passkey: NotAllowedError: The operation" in line for line in tab.lines)


# --- what the server refuses ---


@pytest.mark.parametrize("redirect", [True, False])
@pytest.mark.parametrize(
    "fields", [{"action": "register"}, {"action": "register", "email": "alice@example.com"}]
)
async def test_a_refused_request_is_a_result(
    tab: MemoryHost, authenticator: Authenticator, fields: dict[str, Any], *, redirect: bool
) -> None:
    provider = start(tab)
    result = await provider.sign_in("passkey", redirect=redirect, **fields)
    assert result == SignInResult(ok=False, status=400, error="Invalid request")
    assert provider.state.error is None
    assert authenticator.asked == []
    assert tab.visited == []


async def test_a_failing_server_says_why(tab: MemoryHost, authenticator: Authenticator) -> None:
    url = "https://app.example/api/auth/error?error=Configuration"
    tab.browser.network.answer_next(OPTIONS, json_answer({"url": url}))
    assert await sign_in(start(tab)) == SignInResult(ok=False, status=200, error="Configuration")


async def test_a_passkey_that_the_server_does_not_know(
    tab: MemoryHost, authenticator: Authenticator, server: FakeServer
) -> None:
    server.passkeys.clear()
    provider = start(tab)
    assert await sign_in(provider) == SignInResult(ok=False, status=200, error="Configuration")
    assert SESSION not in sent(tab)
    assert await provider.sign_in("passkey") is None
    assert tab.visited == ["https://app.example/api/auth/error?error=Configuration"]


async def test_an_answer_to_another_challenge_is_refused(
    tab: MemoryHost, browser: MemoryBrowser, authenticator: Authenticator
) -> None:
    provider = start(tab)
    task = await waits_for_visitor(authenticator, sign_in(provider))
    authenticator.confirm()
    kept = browser.cookies["authjs.challenge"].replace('"challenge": "', '"challenge": "x')
    browser.cookies["authjs.challenge"] = kept
    assert (await task).error == "WebAuthnVerificationError"
    assert name_in(provider.state) is None


CHALLENGE = {"challenge": "x", "rpId": "app.example"}


@pytest.mark.parametrize(
    "answer",
    [
        OSError(),
        html_answer(),
        html_answer(400),
        json_answer({}, 500),
        json_answer({"error": ""}, 400),
        json_answer({"error": ["odd"]}, 400),
        json_answer([]),
        json_answer(None),
        json_answer({"url": PAGE}),
        json_answer({"url": None}),
        json_answer({"action": "dance", "options": CHALLENGE}),
        json_answer({"action": ["authenticate"], "options": CHALLENGE}),
        json_answer({"action": "authenticate", "options": "odd"}),
        json_answer({"action": "authenticate", "options": {}}),
        json_answer({"action": "authenticate", "options": CHALLENGE}, 400),
    ],
)
async def test_an_answer_without_options_raises(
    tab: MemoryHost, authenticator: Authenticator, answer: Any
) -> None:
    tab.browser.network.answer_next(OPTIONS, answer)
    provider = start(tab)
    with pytest.raises(ClientFetchError):
        await sign_in(provider)
    assert isinstance(provider.state.error, ClientFetchError)
    assert CALLBACK not in sent(tab)


@pytest.mark.parametrize("fields", [{"autofill": True}, {"action": "authenticate"}])
async def test_no_server_makes_a_sign_in_a_registration(
    tab: MemoryHost, authenticator: Authenticator, fields: dict[str, Any]
) -> None:
    site = {"id": "app.example", "name": "App"}
    options = {"challenge": "x", "rp": site, "user": {"id": "1", "name": "alice", "displayName": "Alice"}}
    tab.browser.network.answer_next(OPTIONS, json_answer({"action": "register", "options": options}))
    with pytest.raises(ClientFetchError, match="no options"):
        await sign_in(start(tab), **fields)
    assert authenticator.asked == []


# --- what makes no sense ---


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"action": "dance"}, 'action="dance" is none: use "authenticate" or "register"'),
        ({"action": ["register", "authenticate"]}, "is none"),
        ({"action": ""}, "is none"),
        ({"autofill": "maybe"}, "autofill takes True or False"),
        ({"autofill": True, "action": "register"}, "autofill=True is for"),
    ],
)
async def test_an_option_without_sense_is_refused_before_the_server_is_asked(
    tab: MemoryHost, authenticator: Authenticator, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        await sign_in(start(tab), **fields)
    assert sent(tab) == [PROVIDERS]


async def test_a_page_without_https_is_told_so(server: FakeServer) -> None:
    tab = MemoryBrowser(server, origin="http://app.example").open_tab()
    with pytest.raises(ValueError, match="need a page of https"):
        await sign_in(start(tab))
    assert sent(tab) == [PROVIDERS]
    at_home = MemoryBrowser(server, origin="http://localhost:3000").open_tab()
    server.origin = "http://localhost:3000"
    assert (await sign_in(start(at_home), email="new@example.com")).ok
    by_number = MemoryBrowser(server, origin="http://127.0.0.1:3000").open_tab()
    assert (await sign_in(start(by_number), email="x@example.com")).error == "PasskeyOrigin"


async def test_a_worker_is_told_so(tab: MemoryHost) -> None:
    tab.is_page = False
    with pytest.raises(ValueError, match="worker cannot ask for a passkey"):
        await sign_in(start(tab))
    assert sent(tab) == [PROVIDERS]


# --- the request ---


def test_the_query_has_the_fields_but_not_what_belongs_to_the_post() -> None:
    fields = {"email": ["a@b.example"], "csrfToken": ["secret"], "callbackUrl": ["/x"]}
    request = passkeys.options_request(AuthUrl(), "passkey", fields)
    assert request.url == "/api/auth/webauthn-options/passkey?email=a%40b.example"
    elsewhere = passkeys.options_request(AuthUrl("https://auth.example", "/auth"), "passkey", {})
    assert elsewhere.url == "https://auth.example/auth/webauthn-options/passkey"
    assert elsewhere.with_credentials


def test_the_options_reach_the_browser_as_they_are() -> None:
    answer = Response(
        200,
        '{"action": "authenticate", "options": {"challenge": "\\u00e9"}}',
        {"content-type": "application/json"},
    )
    challenge = passkeys.read_options(
        AuthUrl(), Request("GET", "/x"), answer, asked=[], page=PAGE, callback_url=PAGE, provider={}
    )
    assert challenge == passkeys.Challenge("authenticate", '{"challenge": "\\u00e9"}', "/x")
