"""The verdict on a sign-in or sign-out, on pages whose own address looks like one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from nextauth_py import CsrfError, SessionProvider, SignInResult, SignOutResult
from nextauth_py.host.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.server import FakeAuthServer, Generation
from nextauth_py.urls import is_same_place, without_verdict

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


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("/a?error=x", "/a"),
        ("/a?error=x#f?error=y", "/a#f?error=y"),
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
def test_only_what_a_refusal_leaves_is_taken_from_an_address(page: str, kept: str) -> None:
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
