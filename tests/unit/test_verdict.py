"""The verdict on a sign-in or sign-out, on pages whose own address looks like one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from nextauth_py import CsrfError, SessionProvider, SignInResult, SignOutResult
from nextauth_py.core.urls import is_same_place, without_verdict
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.server import FakeAuthServer, Generation, json_answer

ORIGIN = "https://app.example"

# Where servers send people, and bookmarks keep them.
PAGES = [
    "/login?error=MissingCSRF",
    "/login?error=CredentialsSignin&code=credentials",
    "/login?callbackUrl=%2Ftodo&error=CredentialsSignin&code=credentials#top",
    "/login?csrf=true",
    "/login/?err%6Fr=MissingCSRF",
    "/login",
]


class OwnSignInPage(FakeAuthServer):
    """A server of a site that has a sign-in page of its own. v4 leads there by way of its error page."""

    def _url(self, path: str) -> str:
        own = path.startswith("signin?") and self.generation == "v5"
        return f"{self.origin}/login?{path.partition('?')[2]}" if own else super()._url(path)


@pytest.fixture(params=["v4", "v5"])
def server(request: pytest.FixtureRequest) -> OwnSignInPage:
    generation: Generation = request.param
    server = OwnSignInPage(generation=generation)
    server.add_user("alice", "wonder")
    return server


def open_page(server: OwnSignInPage, path: str) -> MemoryHost:
    browser = MemoryBrowser(server)
    server.now = browser.true_time
    return browser.open_tab(path)


async def enter(provider: SessionProvider, password: str, **options: Any) -> SignInResult:
    options = {"username": "alice", "password": password, "redirect": False, **options}
    result = await provider.sign_in("credentials", **options)
    assert result is not None
    return result


@pytest.mark.parametrize("path", PAGES)
async def test_right_credentials_are_accepted_on_a_page_with_an_old_refusal_in_its_address(
    server: OwnSignInPage, path: str
) -> None:
    provider = SessionProvider(None, host=open_page(server, path)).start()
    result = await enter(provider, "wonder")
    assert (result.ok, result.error, result.url) == (True, None, without_verdict(ORIGIN + path))
    assert provider.state.status == "authenticated"


@pytest.mark.parametrize("path", PAGES)
async def test_wrong_credentials_are_refused_there(server: OwnSignInPage, path: str) -> None:
    provider = SessionProvider(None, host=open_page(server, path)).start()
    result = await enter(provider, "wrong")
    code = "credentials" if server.generation == "v5" else None
    assert (result.ok, result.error, result.code) == (False, "CredentialsSignin", code)
    assert provider.state.status == "unauthenticated"


@pytest.mark.parametrize("path", PAGES)
async def test_a_sign_out_succeeds_there(server: OwnSignInPage, path: str) -> None:
    tab = open_page(server, path)
    tab.browser.set_cookies(server.cookies_for(server.users["alice"]))
    provider = SessionProvider(host=tab).start()
    assert await provider.sign_out(redirect=False) == SignOutResult(without_verdict(ORIGIN + path))
    assert provider.state.status == "unauthenticated"
    assert server.session_cookie not in tab.browser.cookies


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("refusals", [1, 2])
async def test_a_refused_csrf_token_is_noticed_there(server: OwnSignInPage, path: str, refusals: int) -> None:
    tab = open_page(server, path)
    provider = SessionProvider(None, host=tab).start()
    server.refused_csrf_posts = refusals
    if refusals == 1:
        assert (await enter(provider, "wonder")).ok
        return
    with pytest.raises(CsrfError):
        await enter(provider, "wonder")
    server.refused_csrf_posts = refusals
    with pytest.raises(CsrfError):
        await provider.sign_out(redirect=False)


async def test_after_a_sign_in_the_page_has_no_refusal_in_its_address(server: OwnSignInPage) -> None:
    tab = open_page(server, "/login?error=CredentialsSignin&code=credentials&tab=2#form")
    provider = SessionProvider(None, host=tab).start()
    await provider.sign_in("credentials", username="alice", password="wonder")
    assert tab.visited == [f"{ORIGIN}/login?tab=2#form"]


@pytest.mark.parametrize(
    ("wanted", "returned"),
    [
        ("/done?error=old&a=1", "/done?error=old&a=1"),
        ("/done?error=old&a=1", "/done?a=1&error=old"),
        ("/done/?error=old", "/done?error=old"),
        ("/done?error=old", "/done/?error=old"),
        ("/caf\u00e9?error=sorry, no", "/caf%C3%A9?error=sorry%2C+no"),
        ("/a/../done?error=old#there", "/done?error=old"),
        ("https://app.example:443/done?error=old", "/done?error=old"),
        ("https://APP.example/done?error=old", "http://localhost:3000/done?error=old"),
        ("https://app.example?error=old", "/?error=old"),
        ("?error=MissingCSRF", "/login?error=MissingCSRF"),
    ],
)
async def test_a_callback_that_was_asked_for_is_no_refusal_however_the_server_writes_it(
    server: OwnSignInPage, monkeypatch: pytest.MonkeyPatch, wanted: str, returned: str
) -> None:
    monkeypatch.setattr(server, "_callback_url", lambda _form: server._absolute(returned))
    tab = open_page(server, "/login")
    provider = SessionProvider(None, host=tab).start()
    assert (await enter(provider, "wonder", callback_url=wanted)).ok
    assert await provider.sign_out(callback_url=wanted, redirect=False)


# --- a server that takes another origin for the site's ---

# In a container, at www instead of the apex, and behind a proxy that ends TLS.
ELSEWHERE = ["http://localhost:3000", "https://www.app.example", "http://app.example"]


@pytest.fixture(params=ELSEWHERE)
def moved(request: pytest.FixtureRequest, server: OwnSignInPage) -> OwnSignInPage:
    server.origin = request.param
    return server


@pytest.mark.parametrize("path", PAGES)
async def test_the_verdict_counts_whatever_origin_the_server_names(moved: OwnSignInPage, path: str) -> None:
    tab = open_page(moved, path)
    provider = SessionProvider(None, host=tab).start()
    result = await enter(provider, "wrong")
    code = "credentials" if moved.generation == "v5" else None
    assert (result.ok, result.error, result.code) == (False, "CredentialsSignin", code)
    result = await enter(provider, "wonder")
    assert (result.ok, result.url) == (True, moved.origin)
    assert provider.state.status == "authenticated"
    assert await provider.sign_out(redirect=False) == SignOutResult(moved.origin)


@pytest.mark.parametrize("path", PAGES)
async def test_a_refused_csrf_token_is_recognised_at_any_origin(moved: OwnSignInPage, path: str) -> None:
    tab = open_page(moved, path)
    provider = SessionProvider(None, host=tab).start()
    for call in (
        lambda: enter(provider, "wonder"),
        lambda: provider.sign_out(redirect=False),
        lambda: provider.sign_in("github", redirect=False),
        lambda: provider.sign_in("email", email="alice@example.com", redirect=False),
    ):
        moved.refused_csrf_posts = 1
        result = await call()
        assert result
        assert getattr(result, "ok", True)
        moved.refused_csrf_posts = 2
        with pytest.raises(CsrfError):
            await call()


async def test_a_refused_sign_in_by_mail_is_recognised_at_any_origin(moved: OwnSignInPage) -> None:
    provider = SessionProvider(None, host=open_page(moved, "/login")).start()
    result = await provider.sign_in("email", email="alice", redirect=False)
    assert result
    error = "EmailSignin" if moved.generation == "v4" else "Configuration"
    assert (result.ok, result.error) == (False, error)
    result = await provider.sign_in("email", email="alice@example.com", redirect=False)
    assert result
    assert result.ok
    assert result.url == f"{moved.origin}/api/auth/verify-request?provider=email&type=email"


async def test_a_server_error_before_the_identity_provider_is_a_refusal(
    moved: OwnSignInPage,
) -> None:
    tab = open_page(moved, "/login")
    provider = SessionProvider(None, host=tab).start()
    for url in (
        f"{moved.origin}/login?error=Configuration",
        f"{moved.origin}/api/auth/error?error=Configuration",
    ):
        tab.browser.network.answer_next("POST /api/auth/signin/github", json_answer({"url": url}))
        result = await provider.sign_in("github", redirect=False)
        assert result
        assert (result.ok, result.error) == (False, "Configuration")


@pytest.mark.parametrize("kind", ["oauth", "oidc"])
@pytest.mark.parametrize("params", ["error=x&code=y", "error=MissingCSRF", "csrf=true", "error=AccessDenied"])
async def test_an_identity_providers_url_is_left_alone(moved: OwnSignInPage, kind: str, params: str) -> None:
    moved.providers["github"] = kind
    tab = open_page(moved, "/login")
    result = await SessionProvider(None, host=tab).sign_in(
        "github", authorization_params=params, redirect=False
    )
    url = f"https://id.example/authorize?code=7&{params}"
    assert result == SignInResult(ok=True, status=200, url=url)
    assert tab.browser.network.count("POST /api/auth/signin/github") == 1


@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("generation", ["v4", "v5"])
async def test_other_routes_have_a_verdict_of_another_origin_too(origin: str, generation: Generation) -> None:
    server = OwnSignInPage(generation=generation, base_path="/auth", origin=origin)
    server.add_user("alice", "wonder")
    server.refused_csrf_posts = 1
    provider = SessionProvider(None, host=open_page(server, "/login"), base_path="/auth").start()
    assert (await enter(provider, "wrong")).error == "CredentialsSignin"
    server.refused_csrf_posts = 1
    assert (await enter(provider, "wonder")).ok


async def test_the_callback_is_distinguished_from_a_refusal_by_all_but_the_origin(
    moved: OwnSignInPage,
) -> None:
    tab = open_page(moved, "/login")
    provider = SessionProvider(None, host=tab).start()
    route = "POST /api/auth/callback/credentials"
    for asked, answered, is_ok in (
        ("/form?error=old", "/form?error=old", True),
        ("/form?error=old", "/form?error=CredentialsSignin", False),
        ("/form?error=old", "/other?error=old", False),
        ("/form", "/form?error=CredentialsSignin", False),
    ):
        tab.browser.network.answer_next(route, json_answer({"url": moved.origin + answered}))
        assert (await enter(provider, "wonder", callback_url=asked)).ok is is_ok


@pytest.mark.parametrize("path", ["/login", "/#/login", "/login?lang=de", "/#/login?error=x&code=y"])
@pytest.mark.parametrize("own", ["/login?lang=de?", "/#/login?", "/login?lang=de#form?", "/login?"])
async def test_a_refusal_counts_where_the_sign_in_page_has_a_query_or_a_route_of_its_own(
    path: str, own: str
) -> None:
    tab = open_page(OwnSignInPage(generation="v5"), path)
    provider = SessionProvider(None, host=tab).start()
    url = f"{ORIGIN}{own}error=CredentialsSignin&code=credentials"
    tab.browser.network.answer_next("POST /api/auth/callback/credentials", json_answer({"url": url}))
    result = await enter(provider, "wrong")
    assert (result.ok, result.error, result.code) == (False, "CredentialsSignin", "credentials")


async def test_a_second_refusal_on_a_route_counts_too() -> None:
    url = f"{ORIGIN}/#/login?error=CredentialsSignin&code=credentials"
    tab = open_page(OwnSignInPage(generation="v5"), "/#/login?error=CredentialsSignin&code=credentials")
    provider = SessionProvider(None, host=tab).start()
    tab.browser.network.answer_next("POST /api/auth/callback/credentials", json_answer({"url": url}))
    assert not (await enter(provider, "wrong")).ok


async def test_an_empty_callback_is_none(server: OwnSignInPage) -> None:
    """``location.search`` read for a ``callbackUrl`` that is not there."""
    tab = open_page(server, "/login?error=CredentialsSignin&code=credentials")
    provider = SessionProvider(None, host=tab).start()
    assert not (await enter(provider, "wrong", callback_url="")).ok
    assert (await enter(provider, "wonder", callback_url="")).url == f"{ORIGIN}/login"
    assert await provider.sign_out(callback_url="", redirect=False) == SignOutResult(f"{ORIGIN}/login")


# --- addresses ---


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("/a?error=x", "/a"),
        ("/a?error=x#f?error=y&b=/&code", "/a#f?b=/"),
        ("/a?error=x#error=y", "/a#error=y"),
        ("/a?b=1&error=x&c=%20+&code=y&d&&e=", "/a?b=1&c=%20+&d&&e="),
        ("/a?csrf=true&errors=1&mycode=2", "/a?errors=1&mycode=2"),
        ("/a?error", "/a"),
        ("/a?%65rror=x", "/a"),
        ("/a?Error=x", "/a?Error=x"),
        ("/a?", "/a?"),
        ("/a?b=c?error=x&d=/&e", "/a?b=c?error=x&d=/&e"),
        ("/a?path=C:\\temp&\u00fc=\u20ac", "/a?path=C:\\temp&\u00fc=\u20ac"),
        ("/error/code?x", "/error/code?x"),
        ("", ""),
    ],
)
def test_only_verdict_parameters_are_removed_from_an_address(page: str, kept: str) -> None:
    assert without_verdict(ORIGIN + page) == ORIGIN + kept


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/login?error=CredentialsSignin&code=credentials", "/login"),
        ("/login?error=a", "/login?error=b"),
        ("/login?error=a", "/login?error=a&error=a"),
        ("/login?error=a", "/signin?error=a"),
        ("/login?error=a", "/login?error=a&code="),
        ("/a/b?error=a", "/a?error=a"),
    ],
)
def test_a_refusal_is_another_place_than_the_callback(one: str, other: str) -> None:
    assert not is_same_place(ORIGIN + one, ORIGIN + other)


def test_addresses_of_the_length_of_a_page_are_compared_without_trouble() -> None:
    query = urlencode({f"field{n}": "x" * 50 for n in range(500)})
    assert is_same_place(f"{ORIGIN}/?{query}", f"{ORIGIN}?{query}")
