"""Sign-in."""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import pytest

import nextauth_py
from nextauth_py import (
    ClientFetchError,
    CsrfError,
    SessionProvider,
    SignInResult,
    UnsafeRedirectError,
)
from nextauth_py.core.urls import without_verdict
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in, start
from .fake_server import SESSION_COOKIE, FakeServer, html_answer, json_answer

SESSION = "GET /api/auth/session"


CSRF = "GET /api/auth/csrf"


CALLBACK = "POST /api/auth/callback/credentials"


PAGE = "https://app.example/account"


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
