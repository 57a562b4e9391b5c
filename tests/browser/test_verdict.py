"""Sign-in and sign-out on a site's own sign-in page, at an address with an old refusal: real servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage

CSRF = "GET /api/auth/csrf"

ADDRESSES = [
    "?error=MissingCSRF",
    "?error=CredentialsSignin&code=credentials",
    "?callbackUrl=%2Ftodo&csrf=true&error=CredentialsSignin&code=credentials#top",
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


def test_the_page_is_at_a_clean_address_after_a_sign_in(python: PythonPage) -> None:
    with python.page.expect_navigation():
        python.start("await sign_in('credentials', username='alice', password='wonder')")
    assert "error=" not in python.page.url
    python.page.wait_for_function("() => Boolean(window.runPython)")
    python.run(START)
