"""Sign-in by passkey: Chromium's virtual authenticator, against a real Auth.js v5 server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, expect

from demo.serve import AuthServer

from .conftest import prepare
from .python_page import PythonPage

PROVIDERS = "GET /api/auth/providers"
OPTIONS = "GET /api/auth/webauthn-options/passkey"
CSRF = "GET /api/auth/csrf"
CALLBACK = "POST /api/auth/callback/passkey"
SESSION = "GET /api/auth/session"

# As one of a phone or a laptop: keeps passkeys, and knows its owner.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}

START = """
    import asyncio
    from nextauth_py import *
    provider = SessionProvider(None).start()

    async def passkey(**fields):
        result = await sign_in("passkey", redirect=False, **fields)
        return [result.ok, result.error]

    def shown():
        return provider.state.data and provider.state.data.user.name

    async def by_password():
        await sign_in("credentials", username="alice", password="wonder", redirect=False)
        return shown()
"""

ADD = """
    await by_password()
    added = await passkey(action="register")
    await sign_out(redirect=False)
    added
"""


class Authenticator:
    """A page's virtual authenticator."""

    def __init__(self, session: CDPSession) -> None:
        self._session = session
        session.send("WebAuthn.enable", {"enableUI": False})
        self._id = session.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})["authenticatorId"]

    def have(self, command: str, **values: Any) -> Any:
        return self._session.send(f"WebAuthn.{command}", {"authenticatorId": self._id, **values})

    @property
    def passkeys(self) -> list[Any]:
        return self.have("getCredentials")["credentials"]


@pytest.fixture(scope="module")
def server(start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation="v5", passkeys=True)


@pytest.fixture(scope="module")
def booted(browser: Browser, server: AuthServer) -> Iterator[PythonPage]:
    context = browser.new_context()
    outside = prepare(context)
    python = PythonPage(context.new_page()).open(f"{server.url}/python.html")
    python.run(START)
    yield python
    assert outside == []
    context.close()


@pytest.fixture
def python(booted: PythonPage) -> PythonPage:
    """A page on which nobody is signed in."""
    booted.page.context.clear_cookies()
    booted.run("provider.session = None")
    booted.requests.clear()
    return booted


@pytest.fixture
def authenticator(python: PythonPage) -> Iterator[Authenticator]:
    session = python.page.context.new_cdp_session(python.page)
    yield Authenticator(session)
    session.detach()


def test_a_passkey_is_added_to_an_account_and_signs_in(
    python: PythonPage, authenticator: Authenticator
) -> None:
    assert python.run("await by_password()") == "Alice Liddell"
    python.requests.clear()
    assert python.run("await passkey(action='register')") == [True, None]
    assert python.requests == [PROVIDERS, OPTIONS, CSRF, CALLBACK, SESSION]
    assert python.run("shown()") == "Alice Liddell"
    assert len(authenticator.passkeys) == 1
    assert python.run("await passkey(action='register')") == [False, "PasskeyExists"]

    python.run("_ = await sign_out(redirect=False)")
    python.requests.clear()
    assert python.run("await passkey(action='authenticate')") == [True, None]
    assert python.requests == [PROVIDERS, OPTIONS, CSRF, CALLBACK, SESSION]
    assert python.run("[shown(), provider.state.data.user.id]") == ["Alice Liddell", "alice"]
    python.expect_no_error_box()


def test_a_new_visitor_makes_an_account(python: PythonPage, authenticator: Authenticator) -> None:
    assert python.run("await passkey(email='new@example.com')") == [True, None]
    assert python.run("provider.state.data.user.email") == "new@example.com"
    python.run("_ = await sign_out(redirect=False)")
    assert python.run("await passkey(email='new@example.com')") == [True, None]
    assert python.run("provider.state.data.user.email") == "new@example.com"
    assert len(authenticator.passkeys) == 1
