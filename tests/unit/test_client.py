"""The calls: sign-in, sign-out, update and the three reads, truthful about what the server did."""

from __future__ import annotations

import asyncio
import json
from enum import Enum
from typing import Any

import pytest

import nextauth_py
from nextauth_py import (
    ClientFetchError,
    CsrfError,
    SessionProvider,
    SignInResult,
    SignOutIncomplete,
    SignOutResult,
    UnsafeRedirectError,
)
from nextauth_py.core.urls import without_verdict
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer

from .conftest import name_in, signed_in
from .fake_server import CSRF_COOKIE, SESSION_COOKIE, FakeServer, html_answer, json_answer

SESSION = "GET /api/auth/session"
CSRF = "GET /api/auth/csrf"
SIGNOUT = "POST /api/auth/signout"
CALLBACK = "POST /api/auth/callback/credentials"
UPDATE = "POST /api/auth/session"
PAGE = "https://app.example/account"


def start(tab: MemoryHost, **options: Any) -> SessionProvider:
    return SessionProvider(None, host=tab, **options).start()


# --- sign-in ---


async def test_right_credentials_sign_in_and_show_the_session(tab: MemoryHost) -> None:
    provider = start(tab)
    result = await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert result == SignInResult(ok=True, status=200, url=PAGE)
    assert name_in(provider.state) == "alice"
    assert tab.visited == []


async def test_wrong_credentials_are_an_outcome_and_change_nothing(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    result = await provider.sign_in("credentials", username="alice", password="no", redirect=False)
    assert result == SignInResult(ok=False, status=401, error="CredentialsSignin")
    assert name_in(provider.state) == "alice"


async def test_by_default_a_sign_in_leaves_for_the_callback_url(tab: MemoryHost) -> None:
    provider = start(tab)
    before = tab.browser.network.count(SESSION)
    assert (
        await provider.sign_in("credentials", username="alice", password="wonder", callback_url="/in") is None
    )
    assert tab.visited == ["https://app.example/in"]
    assert tab.browser.network.count(SESSION) == before  # the next page asks
    assert tab.reloads == 0


async def test_a_refused_sign_in_leaves_for_the_servers_error_page(tab: MemoryHost) -> None:
    await start(tab).sign_in("credentials", username="alice", password="no")
    assert tab.visited == ["https://app.example/api/auth/error?error=CredentialsSignin&provider=credentials"]


async def test_a_target_in_the_same_page_is_reloaded(tab: MemoryHost) -> None:
    await start(tab).sign_in("credentials", username="alice", password="wonder", callback_url="#welcome")
    assert tab.visited == [PAGE + "#welcome"]
    assert tab.reloads == 1


@pytest.mark.parametrize("provider_id", [None, "unknown", "toString", ""])
async def test_without_a_known_provider_it_goes_to_the_sign_in_page(
    tab: MemoryHost, provider_id: str | None
) -> None:
    await start(tab).sign_in(provider_id, callback_url="/after")
    target = "https://app.example/api/auth/signin?callbackUrl=%2Fafter"
    assert tab.visited == [target]
    result = await SessionProvider(host=tab).sign_in(provider_id, callback_url="/after", redirect=False)
    assert result == SignInResult(ok=False, status=200, error="Signin", url=target)


async def test_a_server_without_providers_shows_its_error_page(tab: MemoryHost, server: FakeServer) -> None:
    server.providers = {}
    await start(tab).sign_in("github")
    assert tab.visited == ["https://app.example/api/auth/error"]


async def test_an_oauth_sign_in_goes_to_the_identity_provider(tab: MemoryHost) -> None:
    provider = start(tab)
    await provider.sign_in("github", authorization_params={"prompt": "login"})
    assert tab.visited == ["https://id.example/authorize?code=7&prompt=login"]
    result = await provider.sign_in("github", redirect=False)
    assert result
    assert (result.ok, result.code) == (True, None)
    assert tab.browser.network.count(SESSION) == 0


async def test_parameters_for_the_identity_provider_are_written_as_a_form_would(tab: MemoryHost) -> None:
    params = {"allow_signup": False, "login": None, "scope": ["read", "write"], "max_age": 60}
    result = await start(tab).sign_in("github", authorization_params=params, redirect=False)
    assert result
    assert result.url == (
        "https://id.example/authorize?code=7&allow_signup=false&scope=read&scope=write&max_age=60"
    )


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("callbackUrl", "callback_url"),
        ("redirectTo", "callback_url"),
        ("redirect_to", "callback_url"),
        ("callbackURL", "callback_url"),
        ("authorizationParams", "authorization_params"),
    ],
)
async def test_an_option_by_its_javascript_name_is_no_credential(
    tab: MemoryHost, name: str, ours: str
) -> None:
    provider = start(tab)
    for sign_in in (provider.sign_in, nextauth_py.sign_in):
        fields: dict[str, Any] = {name: "/x"}
        with pytest.raises(TypeError, match=f"takes {ours}=, not {name}="):
            await sign_in("github", **fields)
    assert tab.browser.network.log == []


async def test_the_provider_by_its_name_is_no_credential(tab: MemoryHost) -> None:
    with pytest.raises(TypeError, match="takes the provider first"):
        await start(tab).sign_in(provider="github")
    assert tab.browser.network.log == []
    result = await start(tab).sign_in("credentials", provider="mine", redirect=False)
    assert result


async def test_a_member_of_an_enum_is_sent_as_its_value(tab: MemoryHost) -> None:
    class Prompt(Enum):
        LOGIN = "login"

    class Scope(str, Enum):  # noqa: UP042 - whose text is not its value
        READ = "read"

    params = {"prompt": Prompt.LOGIN, "scope": [Scope.READ]}
    result = await start(tab).sign_in("github", authorization_params=params, redirect=False)
    assert result
    assert result.url == "https://id.example/authorize?code=7&prompt=login&scope=read"


async def test_a_forms_field_may_have_such_a_name(tab: MemoryHost) -> None:
    fields = {"username": "alice", "password": "wonder", "redirectTo": "/x", "redirect_to": "/x"}
    result = await start(tab).engine.sign_in_by_form("credentials", fields)
    assert result
    assert result.ok


async def test_a_passkey_provider_is_refused_with_the_remedy(tab: MemoryHost, server: FakeServer) -> None:
    server.providers["passkey"] = "webauthn"
    with pytest.raises(ValueError, match=r"call sign_in\(\)"):
        await start(tab).sign_in("passkey")


async def test_a_sign_in_with_a_refused_token_tries_once_more(tab: MemoryHost, server: FakeServer) -> None:
    server.refused_csrf_posts = 1
    await signed_in(tab)
    assert tab.browser.network.count(CSRF) == 2
    assert tab.browser.network.count(CALLBACK) == 2


async def test_a_sign_in_whose_tokens_are_refused_raises(tab: MemoryHost, server: FakeServer) -> None:
    server.refused_csrf_posts = 2
    provider = start(tab)
    with pytest.raises(CsrfError, match="cookies"):
        await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert isinstance(provider.state.error, CsrfError)
    assert tab.browser.network.count(CALLBACK) == 2


@pytest.mark.parametrize(
    "answer", [OSError(), html_answer(), json_answer({}, 500), json_answer({"url": None})]
)
async def test_a_sign_in_that_the_server_does_not_answer_raises(tab: MemoryHost, answer: Any) -> None:
    tab.browser.network.answer_next(CALLBACK, answer)
    provider = start(tab)
    with pytest.raises(ClientFetchError):
        await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert provider.state.status == "unauthenticated"


async def test_a_sign_in_has_succeeded_even_if_the_session_cannot_be_read(tab: MemoryHost) -> None:
    provider = start(tab)
    tab.browser.network.answer_next(SESSION, OSError())
    result = await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert result
    assert result.ok
    assert isinstance(provider.state.error, ClientFetchError)
    assert name_in(await provider.refetch()) == "alice"


ODD_ADDRESSES = [
    "/files?path=C:\\temp",
    "/files#C:\\temp",
    "/files?error=\\&path=\\\\host\\share#\\",
    "//evil.example/\\",
    "/zero\u200bwidth?q=a\u00a0",
    "/caf\u00e9?q=\t",
    "/?q=a ",
]


@pytest.mark.parametrize("redirect", [True, False])
@pytest.mark.parametrize("path", ODD_ADDRESSES)
async def test_a_page_may_have_an_odd_address(browser: MemoryBrowser, path: str, *, redirect: bool) -> None:
    tab = browser.open_tab(path)
    provider = start(tab)
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=redirect)
    assert SESSION_COOKIE in browser.cookies
    await provider.sign_out(callback_url=tab.url, redirect=redirect)
    assert SESSION_COOKIE not in browser.cookies
    expected = [without_verdict(tab.url), tab.url] if redirect else []
    assert tab.visited == expected


@pytest.mark.parametrize("url", ["/files?path=C:\\temp", "?path=C:\\temp", "#\\", "https://b.example/?\\"])
async def test_a_backslash_behind_the_path_is_a_character_like_others(tab: MemoryHost, url: str) -> None:
    provider = start(tab)
    assert await provider.sign_out(callback_url=url, redirect=False)
    assert await provider.sign_in("github", callback_url=url, redirect=False)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "//evil.example", "https://a@b.example", "/\\evil.example?", "/a\\b#"]
)
async def test_an_unsafe_callback_url_is_refused_before_anything_is_sent(tab: MemoryHost, url: str) -> None:
    provider = start(tab)
    for call in (provider.sign_in("github", callback_url=url), provider.sign_out(callback_url=url)):
        with pytest.raises(UnsafeRedirectError):
            await call
    assert tab.browser.network.log == []


async def test_an_unsafe_url_of_the_server_is_not_followed(tab: MemoryHost) -> None:
    tab.browser.network.answer_next(CALLBACK, json_answer({"url": "javascript:alert(1)"}))
    with pytest.raises(UnsafeRedirectError):
        await start(tab).sign_in("credentials", username="alice", password="wonder")
    assert tab.visited == []


async def test_a_late_signed_out_answer_does_not_undo_a_sign_in(tab: MemoryHost) -> None:
    gate = tab.browser.network.hold(SESSION)
    provider = SessionProvider(host=tab).start()
    await asyncio.sleep(1)
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    gate.set()
    await asyncio.sleep(1)
    assert name_in(provider.state) == "alice"
    assert name_in(await provider.ready()) == "alice"


# --- sign-out ---


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


# --- update ---


async def test_an_update_shows_what_the_server_made_of_it(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    session = await provider.update({"name": "bob"})
    assert session is provider.state.data
    assert name_in(provider.state) == "bob"


async def test_an_update_does_not_flash_to_loading(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    statuses: list[str] = []
    provider.subscribe(lambda state: statuses.append(state.status))
    await provider.update({"name": "bob"})
    assert statuses == ["authenticated"]


async def test_a_read_under_way_does_not_undo_an_update(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    gate = tab.browser.network.hold(SESSION)
    reader = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    await provider.update({"name": "bob"})
    gate.set()
    await reader
    assert name_in(provider.state) == "bob"
    assert json.loads(tab.browser.cookies[SESSION_COOKIE])["name"] == "bob"


async def test_updates_at_the_same_time_keep_their_order(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.gather(*(provider.update({"name": str(number)}) for number in range(5)))
    assert name_in(provider.state) == "4"


async def test_an_update_when_signed_out_gives_none(tab: MemoryHost) -> None:
    provider = start(tab)
    assert await provider.update({"name": "bob"}) is None
    assert provider.state.status == "unauthenticated"


async def test_an_update_with_a_refused_token_tries_once_more_then_raises(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider = await signed_in(tab)
    server.refused_csrf_posts = 1
    await provider.update({"name": "bob"})
    server.refused_csrf_posts = 2
    with pytest.raises(CsrfError):
        await provider.update({"name": "carol"})
    assert name_in(provider.state) == "bob"


@pytest.mark.parametrize(
    "answer",
    [
        html_answer(400),
        json_answer({"message": "no"}, 400),
        Answer(Response(400, "Bad Request", {"content-type": "text/plain"})),
        Answer(Response(400, "")),
    ],
)
async def test_a_bad_request_that_no_auth_server_answers_is_no_refused_token(
    tab: MemoryHost, answer: Answer
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(UPDATE, answer)
    with pytest.raises(ClientFetchError) as caught:
        await provider.update({"name": "bob"})
    assert caught.value.status == 400
    assert tab.browser.network.count(UPDATE) == 1
    assert name_in(provider.state) == "alice"


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(None, 400),
        json_answer({}, 400),
        Answer(Response(400, "[object Object]", {"content-type": "text/plain;charset=UTF-8"})),
    ],
)
async def test_a_refused_token_of_an_update_is_known_in_all_its_forms(
    tab: MemoryHost, answer: Answer
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(UPDATE, answer)
    await provider.update({"name": "bob"})
    assert name_in(provider.state) == "bob"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"x": float("nan")}, ValueError),
        ({"x": [{"y": float("-inf")}]}, ValueError),
        ({"x": {"y": object()}}, TypeError),
        ({("x",): 1}, TypeError),
    ],
)
async def test_an_update_that_json_cannot_carry_is_refused_before_anything_is_sent(
    tab: MemoryHost, data: dict[Any, Any], error: type[Exception]
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.log.clear()
    with pytest.raises(error):
        await provider.update(data)
    assert tab.browser.network.log == []
    assert (name_in(provider.state), provider.state.error) == ("alice", None)


async def test_an_update_sends_what_it_was_given_whatever_becomes_of_that(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    data = {"name": "bob"}
    updating = asyncio.create_task(provider.update(data))
    await asyncio.sleep(0)
    data["name"] = "carol"
    await updating
    assert name_in(provider.state) == "bob"


async def test_update_is_one_function_for_life(tab: MemoryHost) -> None:
    provider = start(tab)
    update = provider.update
    await provider.refetch()
    assert provider.update is update


# --- reading ---


async def test_get_session_tells_signed_out_from_failed(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, OSError())
    with pytest.raises(ClientFetchError, match="cannot be reached") as caught:
        await provider.get_session()
    assert (caught.value.url, caught.value.status) == ("/api/auth/session", None)
    del tab.browser.cookies[SESSION_COOKIE]
    assert await provider.get_session() is None


async def test_a_slow_answer_is_an_error_after_the_timeout(tab: MemoryHost) -> None:
    provider = start(tab, timeout=2)
    tab.browser.network.hold(SESSION)
    with pytest.raises(ClientFetchError, match="no answer within 2 s"):
        await provider.get_session()
    assert tab.browser.network.log[0].aborted


async def test_get_session_tells_javascript_tabs_each_time(tab: MemoryHost, browser: MemoryBrowser) -> None:
    provider = start(tab)
    heard: list[Any] = []
    other = browser.open_tab()
    other.open_channel("next-auth", heard.append)
    other.on_stored("nextauth.message", heard.append)
    for _ in range(3):  # also in one second
        assert await provider.get_session() is None
    await asyncio.sleep(0.1)
    assert len(heard) == 6
    assert heard[0]["data"] == {"trigger": "getSession"}


async def test_get_session_without_a_provider_tells_them_too(browser: MemoryBrowser) -> None:
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    await SessionProvider(host=browser.open_tab()).get_session()
    await asyncio.sleep(0.1)
    assert len(heard) == 1


async def test_reads_of_our_own_tell_javascript_tabs_nothing(tab: MemoryHost, browser: MemoryBrowser) -> None:
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    provider = SessionProvider(host=tab, refetch_interval=1).start()
    await provider.ready()
    await provider.refetch()
    await provider.get_session(broadcast=False)
    tab.browser.network.answer_next(SESSION, OSError())
    with pytest.raises(ClientFetchError):
        await provider.get_session()
    await asyncio.sleep(10)
    assert heard == []


async def test_get_session_in_one_tab_has_no_python_tab_ask(browser: MemoryBrowser) -> None:
    first, second = (SessionProvider(host=browser.open_tab()).start() for _ in range(2))
    await asyncio.gather(first.ready(), second.ready())
    await asyncio.sleep(1)
    before = browser.network.count(SESSION)
    await first.get_session()
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) - before == 1


@pytest.mark.parametrize("answer", [None, {"csrfToken": None}])
async def test_a_csrf_answer_of_null_is_no_token(tab: MemoryHost, answer: object) -> None:
    tab.browser.network.answer_next(CSRF, json_answer(answer))
    assert await start(tab).get_csrf_token() is None


async def test_first_requests_do_not_run_side_by_side(tab: MemoryHost) -> None:
    tab.browser.network.latency = 1
    provider = SessionProvider(host=tab).start()
    token, _ = await asyncio.gather(provider.get_csrf_token(), provider.get_session())
    assert tab.browser.cookies[CSRF_COOKIE] == token


async def test_a_server_without_a_csrf_route_is_taken_at_its_word(tab: MemoryHost) -> None:
    tab.browser.network.answer_next(CSRF, html_answer(404))
    assert await start(tab).get_csrf_token() is None


async def test_providers_are_models(tab: MemoryHost) -> None:
    providers = await start(tab).get_providers()
    assert providers["github"].type == "oauth"
    assert providers["github"].signin_url == "https://app.example/api/auth/signin/github"


async def test_a_provider_that_is_none_is_a_server_error(tab: MemoryHost) -> None:
    tab.browser.network.answer_next("GET /api/auth/providers", json_answer({"github": {"id": "github"}}))
    with pytest.raises(ClientFetchError, match="lacks a proper name and type"):
        await start(tab).get_providers()


async def test_cancelling_the_only_caller_aborts_the_request(tab: MemoryHost) -> None:
    provider = start(tab)
    tab.browser.network.hold(SESSION)
    task = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert tab.browser.network.log[0].aborted
    assert await provider.get_session() is None


async def test_a_call_right_after_a_cancelled_one_asks_anew(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.hold(SESSION)
    task = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    before = tab.browser.network.count(SESSION)
    task.add_done_callback(lambda _task: calls.append(asyncio.ensure_future(provider.get_session())))
    calls: list[asyncio.Future[Any]] = []
    task.cancel()
    await asyncio.wait([task])
    assert await calls[0] is provider.session
    assert tab.browser.network.count(SESSION) - before == 1


async def test_cancelling_one_of_two_callers_leaves_the_request_to_the_other(tab: MemoryHost) -> None:
    provider = start(tab)
    gate = tab.browser.network.hold(SESSION)
    first, second = (asyncio.create_task(provider.get_session()) for _ in range(2))
    await asyncio.sleep(1)
    first.cancel()
    await asyncio.sleep(1)
    gate.set()
    assert await second is None
    assert not tab.browser.network.log[0].aborted
    assert tab.browser.network.count(SESSION) == 1


async def test_a_request_to_another_origin_names_cors_when_it_fails(browser: MemoryBrowser) -> None:
    browser.network.online = False
    provider = SessionProvider(None, base_url="https://auth.example", host=browser.open_tab())
    with pytest.raises(ClientFetchError, match="https://auth.example/api/auth/session: .*CORS"):
        await provider.get_session()
