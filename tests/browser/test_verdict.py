"""Sign-in and sign-out on a site's own sign-in page, at an address with an old refusal: real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare, shared_page
from .python_page import PythonPage

CSRF = "GET /api/auth/csrf"
UPDATE = "POST /api/auth/session"
ELSEWHERE = "http://app.example"

ADDRESSES = [
    "?error=MissingCSRF",
    "?error=CredentialsSignin&code=credentials",
    "?callbackUrl=%2Ftodo&csrf=true&error=CredentialsSignin&code=credentials#top",
    r"?path=C:\temp#C:\temp",
]

START = """
    from nextauth_py import *
    provider = SessionProvider(None).start()

    async def enter(password):
        result = await sign_in("credentials", username="alice", password=password, redirect=False)
        return [result.ok, result.error, result.url]

    async def error_of(call):
        try:
            await call
        except NextAuthError as error:
            return type(error).__name__
"""


@pytest.fixture(scope="module", params=["v4", "v5"])
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param, sign_in_page="/python.html")


@pytest.fixture(scope="module")
def booted(browser: Browser, server: AuthServer) -> Iterator[PythonPage]:
    context = browser.new_context()
    outside = prepare(context)
    python = PythonPage(context.new_page()).open(f"{server.url}/python.html")
    python.run(START)
    yield python
    assert outside == []
    context.close()


@pytest.fixture(params=ADDRESSES)
def python(request: pytest.FixtureRequest, booted: PythonPage) -> PythonPage:
    """The sign-in page at such an address, with nobody signed in."""
    booted.page.context.clear_cookies()
    booted.page.evaluate("address => history.replaceState(null, '', address)", request.param)
    booted.run("provider.session = None")
    return booted


def raw_session(python: PythonPage) -> Any:
    """What the server says, past the client."""
    return python.page.evaluate("fetch('/api/auth/session', {cache: 'no-store'}).then(r => r.json())") or None


def test_right_and_wrong_credentials_and_a_sign_out(python: PythonPage) -> None:
    assert python.run("await enter('wrong')") == [False, "CredentialsSignin", None]
    assert raw_session(python) is None
    accepted = python.run("await enter('wonder')")
    assert accepted[:2] == [True, None]
    assert "error=" not in accepted[2]
    assert raw_session(python)["user"]["name"] == "Alice Liddell"
    assert "error=" not in python.run("(await sign_out(redirect=False)).url")
    assert raw_session(python) is None


def test_a_refused_csrf_token_is_renewed_once(python: PythonPage, server: AuthServer) -> None:
    with ServerControl(server.url) as control:
        control.answer(CSRF, '{"csrfToken": "stale"}')
        assert python.run("(await enter('wonder'))[0]") is True
        control.answer(CSRF, '{"csrfToken": "stale"}', times=2)
        assert python.run("await error_of(sign_out(redirect=False))") == "CsrfError"
        assert raw_session(python) is not None


def test_an_update_knows_a_refused_token_from_a_proxys_error(python: PythonPage, server: AuthServer) -> None:
    python.run("_ = await enter('wonder')")
    with ServerControl(server.url) as control:
        control.answer(CSRF, '{"csrfToken": "stale"}')
        assert python.run("(await provider.update({'name': 'Bob'})).user.name") == "Bob"
        assert control.requests().count(UPDATE) == 2
        control.answer(CSRF, '{"csrfToken": "stale"}', times=2)
        assert python.run("await error_of(provider.update({'name': 'Carol'}))") == "CsrfError"
        control.reset()
        control.answer(UPDATE, "<h1>Bad Request</h1>", status=400, kind="text/html")
        assert python.run("await error_of(provider.update({'name': 'Carol'}))") == "ClientFetchError"
        assert control.requests().count(UPDATE) == 1
    assert raw_session(python)["user"]["name"] == "Bob"


def test_the_page_is_at_a_clean_address_after_a_sign_in(python: PythonPage) -> None:
    with python.page.expect_navigation():
        python.start("await sign_in('credentials', username='alice', password='wonder')")
    assert "error=" not in python.page.url
    python.page.wait_for_function("() => Boolean(window.runPython)")
    python.run(START)


# --- a server behind a proxy, which takes another origin for its own ---


@pytest.fixture(scope="module", params=[None, "/python.html"], ids=["its-page", "own-page"])
def moved(
    request: pytest.FixtureRequest,
    browser: Browser,
    start_server: Callable[..., AuthServer],
    server: AuthServer,
) -> Iterator[tuple[PythonPage, AuthServer]]:
    options = {"generation": server.generation, "services": True, "sign_in_page": request.param}
    moved = start_server(public_url=ELSEWHERE, **options)
    with shared_page(browser, f"{moved.url}/python.html") as python:
        python.run(START)
        yield python, moved


def test_the_verdict_counts_on_another_origin(moved: tuple[PythonPage, AuthServer]) -> None:
    python, server = moved
    assert python.run("await enter('wrong')") == [False, "CredentialsSignin", None]
    with ServerControl(server.url) as control:
        control.answer(CSRF, '{"csrfToken": "stale"}')
        assert python.run("await enter('wonder')") == [True, None, ELSEWHERE]
        assert raw_session(python)["user"]["name"] == "Alice Liddell"
        control.answer(CSRF, '{"csrfToken": "stale"}', times=2)
        assert python.run("await error_of(sign_out(redirect=False))") == "CsrfError"
        assert raw_session(python)
        control.answer(CSRF, '{"csrfToken": "stale"}')
        assert python.run("(await sign_out(redirect=False)).url") == ELSEWHERE
    assert raw_session(python) is None


def test_a_sign_in_by_mail_counts_on_another_origin(moved: tuple[PythonPage, AuthServer]) -> None:
    python, server = moved
    mail = (
        "result = await sign_in('email', email='{}', redirect=False); [result.ok, result.error, result.url]"
    )
    error = "EmailSignin" if server.generation == "v4" else "Configuration"
    assert python.run(mail.format("alice")) == [False, error, None]
    url = f"{ELSEWHERE}/api/auth/verify-request?provider=email&type=email"
    assert python.run(mail.format("alice@example.com")) == [True, None, url]


def test_an_identity_providers_address_is_left_alone(moved: tuple[PythonPage, AuthServer]) -> None:
    python, server = moved
    call = """
        result = await sign_in("local-oidc", authorization_params={"error": "x", "a": True}, redirect=False)
        [result.ok, result.error, result.url]"""
    with ServerControl(server.url) as control:
        control.answer(CSRF, '{"csrfToken": "stale"}')
        ok, error, url = python.run(call)
    assert (ok, error) == (True, None)
    assert not url.startswith(ELSEWHERE)
    assert "error=x&a=true" in url
