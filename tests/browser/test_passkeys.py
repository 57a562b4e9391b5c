"""Sign-in by passkey: Chromium's virtual authenticator, against a real Auth.js v5 server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage
from .test_docs import examples

PASSKEYS = Path(__file__).parents[2] / "docs/passkeys.md"

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


# Counts what the browser asks the visitor for.
SPY = """() => {
    window.pending = 0;
    const ask = CredentialsContainer.prototype.get;
    CredentialsContainer.prototype.get = function (options) {
        const answer = ask.call(this, options);
        const end = () => void (pending -= 1);
        pending += 1;
        window.mediation = options.mediation ?? "optional";
        answer.then(end, end);
        return answer;
    };
}"""


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
        return list(self.have("getCredentials")["credentials"])


@pytest.fixture(scope="module")
def server(start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation="v5", passkeys=True)


@pytest.fixture(scope="module")
def booted(browser: Browser, server: AuthServer) -> Iterator[PythonPage]:
    context = browser.new_context()
    outside = prepare(context)
    python = PythonPage(context.new_page()).open(f"{server.url}/python.html")
    python.run(START)
    python.page.evaluate(SPY)
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


def test_the_other_tab_follows(python: PythonPage, authenticator: Authenticator, server: AuthServer) -> None:
    python.run(ADD)
    other = PythonPage(python.page.context.new_page()).open(f"{server.url}/python.html")
    other.run("""
        from nextauth_py import *
        provider = SessionProvider(None).start()

        @component("#target")
        def who():
            session = use_session()
            return session.data.user.name if session.data else session.status
    """)
    other.expect_text("#target", "unauthenticated")
    assert python.run("await passkey(action='authenticate')") == [True, None]
    other.expect_text("#target", "Alice Liddell")
    assert other.count(SESSION) == 0
    other.page.close()


def test_a_visitor_who_is_not_recognised(python: PythonPage, authenticator: Authenticator) -> None:
    assert python.run(ADD) == [True, None]
    authenticator.have("setUserVerified", isUserVerified=False)
    python.requests.clear()
    assert python.run("await passkey(action='authenticate')") == [False, "PasskeyCancelled"]
    assert python.requests == [PROVIDERS, OPTIONS]
    assert python.run("[shown(), provider.state.error]") == [None, None]


def test_without_a_passkey_a_page_stays_even_if_it_was_to_leave(
    python: PythonPage, authenticator: Authenticator
) -> None:
    address = python.page.url
    assert python.run("(await sign_in('passkey', callback_url='/elsewhere')).error") == "PasskeyCancelled"
    assert python.page.url == address


def test_a_page_at_another_domain_than_its_passkeys(browser: Browser, server: AuthServer) -> None:
    context = browser.new_context()
    outside = prepare(context)
    python = PythonPage(context.new_page()).open(
        f"{server.url}/python.html".replace("localhost", "127.0.0.1")
    )
    python.run(START)
    Authenticator(context.new_cdp_session(python.page))
    assert python.run("await passkey(action='authenticate')") == [False, "PasskeyOrigin"]
    assert python.run("await passkey(email='other@example.com')") == [False, "PasskeyOrigin"]
    assert outside == []
    context.close()


def test_a_passkey_that_the_server_does_not_know(python: PythonPage, authenticator: Authenticator) -> None:
    python.run(ADD)
    (known,) = authenticator.passkeys
    authenticator.have("clearCredentials")
    authenticator.have("addCredential", credential={**known, "credentialId": "AAAA"})
    assert python.run("await passkey(action='authenticate')") == [False, "Configuration"]


def test_a_request_that_the_server_refuses(python: PythonPage, authenticator: Authenticator) -> None:
    python.run("await by_password()")
    assert python.run("await passkey()") == [False, "Invalid request"]
    python.run("_ = await sign_out(redirect=False)")
    assert python.run("await passkey(action='register')") == [False, "Invalid request"]
    assert python.run("provider.state.error") is None


def test_options_that_the_browser_cannot_read(python: PythonPage, server: AuthServer) -> None:
    with ServerControl(server.url) as control:
        control.answer(OPTIONS, '{"action": "authenticate", "options": {"challenge": 7}}')
        error = python.run("""
            try:
                await passkey(action="authenticate")
            except ClientFetchError as error:
                reason = error.reason
            reason
        """)
    assert error.startswith("the browser cannot read the options for a passkey")


@contextmanager
def lacking(page: Page, name: str) -> Iterator[None]:
    """Without a part of WebAuthn, as an older browser."""
    page.evaluate(
        """name => {
            const kind = window.PublicKeyCredential;
            const owner = [window, kind, kind.prototype].find((each) => Object.hasOwn(each, name));
            const had = Object.getOwnPropertyDescriptor(owner, name);
            window.undo = () => void Object.defineProperty(owner, name, had);
            delete owner[name];
        }""",
        name,
    )
    yield
    page.evaluate("undo()")


@pytest.mark.parametrize("lacks", ["PublicKeyCredential", "parseRequestOptionsFromJSON", "toJSON"])
def test_a_browser_without_passkeys(python: PythonPage, lacks: str) -> None:
    with lacking(python.page, lacks):
        assert python.run("await passkey(action='authenticate')") == [False, "PasskeyUnsupported"]
    assert python.requests == [PROVIDERS]


def test_a_browser_without_autofill(python: PythonPage) -> None:
    with lacking(python.page, "isConditionalMediationAvailable"):
        assert python.run("await passkey(autofill=True)") == [False, "PasskeyUnsupported"]


# --- while the visitor decides ---


@pytest.fixture
def slow_visitor(python: PythonPage, authenticator: Authenticator) -> Authenticator:
    """With a passkey, and asked for it until told to confirm."""
    python.run(ADD)
    authenticator.have("setAutomaticPresenceSimulation", enabled=False)
    return authenticator


def test_a_cancelled_task_closes_the_dialog(python: PythonPage, slow_visitor: Authenticator) -> None:
    python.run("waiting = asyncio.create_task(passkey(action='authenticate'))")
    python.page.wait_for_function("pending === 1")
    assert python.run("await by_password()") == "Alice Liddell"
    assert (
        python.run("""
        waiting.cancel()
        try:
            await waiting
        except asyncio.CancelledError:
            ended = "cancelled"
        ended
    """)
        == "cancelled"
    )
    python.page.wait_for_function("pending === 0")
    assert python.count(CALLBACK) == 1  # the fixture's


def test_a_later_call_takes_the_place_of_one_that_waits(
    python: PythonPage, slow_visitor: Authenticator
) -> None:
    python.run("first = asyncio.create_task(passkey(action='authenticate'))")
    python.page.wait_for_function("pending === 1")
    slow_visitor.have("setAutomaticPresenceSimulation", enabled=True)
    assert python.run("await passkey(action='authenticate')") == [True, None]
    assert python.run("await first") == [False, "PasskeyCancelled"]


def test_autofill(python: PythonPage, authenticator: Authenticator) -> None:
    """The virtual authenticator picks a passkey at once, as a visitor would some time later."""
    python.run(ADD)
    assert python.run("await passkey(autofill=True)") == [True, None]
    assert python.page.evaluate("mediation") == "conditional"
    assert python.run("shown()") == "Alice Liddell"


def test_autofill_gives_way_to_a_button(python: PythonPage, slow_visitor: Authenticator) -> None:
    python.run("waiting = asyncio.create_task(passkey(autofill=True))")
    python.page.wait_for_function("pending === 1 && mediation === 'conditional'")
    slow_visitor.have("setAutomaticPresenceSimulation", enabled=True)
    assert python.run("await passkey(action='authenticate')") == [True, None]
    assert python.page.evaluate("mediation") == "optional"
    assert python.run("await waiting") == [False, "PasskeyCancelled"]


# --- buttons and forms ---

WELCOME = "<p data-session-show=authenticated hidden>Welcome</p>"


@pytest.fixture
def bound(python: PythonPage) -> Iterator[PythonPage]:
    """With the form and the button of the docs."""
    _, form = re.findall(r"```html\n(.*?)```", PASSKEYS.read_text("utf-8"), re.DOTALL)
    python.page.evaluate("html => { document.body.innerHTML = html }", form + WELCOME)
    python.run("stop = bind_page()")
    yield python
    python.run("stop()")


def test_a_form_registers_and_signs_in(bound: PythonPage, authenticator: Authenticator) -> None:
    page = bound.page
    page.get_by_label("E-mail").fill("form@example.com")
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_text("Welcome")).to_be_visible()
    bound.run("_ = await sign_out(redirect=False)")
    page.get_by_role("button", name="Make an account").click()
    expect(page.get_by_role("alert")).to_contain_text("Check what you have typed")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("Welcome")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()
    assert bound.run("provider.state.data.user.email") == "form@example.com"


@pytest.mark.parametrize("name", ["Sign in with a passkey", "Sign in"])
def test_a_visitor_who_cancels_reads_nothing(
    bound: PythonPage, authenticator: Authenticator, name: str
) -> None:
    page = bound.page
    button, note = page.get_by_role("button", name=name, exact=True), page.get_by_role("alert")
    with lacking(page, "PublicKeyCredential"):
        button.click()
        expect(note).to_contain_text("This browser has no passkeys")
    with page.expect_response(lambda response: "webauthn-options" in response.url):
        button.click()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    expect(note).to_be_hidden()


# --- the docs and the demo ---


def test_the_examples_of_the_docs(page: Page, server: AuthServer) -> None:
    python = PythonPage(page).open(f"{server.url}/python.html")
    Authenticator(page.context.new_cdp_session(page))
    python.run(START)
    python.run("await by_password()")
    page.evaluate("document.body.innerHTML = '<div id=account></div>'")
    buttons, autofill, _ = examples("passkeys.md")
    python.run(buttons + "\n1")
    with page.expect_response(lambda response: "callback/passkey" in response.url):
        page.get_by_role("button", name="Add a passkey").click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_have_text("This device has a passkey for you already.")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("p").first).to_have_text("Hello, Alice Liddell")
    page.get_by_role("button", name="Sign out").click()
    assert python.run(autofill + "\n(await waiting).ok") is True
    expect(page.locator("p").first).to_have_text("Hello, Alice Liddell")
    python.expect_no_error_box()


def test_the_examples_of_tests_pass(tmp_path: Path) -> None:
    (tmp_path / "test_passkeys.py").write_text(examples("passkeys.md")[2], "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_passkeys.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_the_demo_adds_a_passkey_and_signs_in_by_it(page: Page, server: AuthServer) -> None:
    page.goto(f"{server.url}/demo/index.html")
    Authenticator(page.context.new_cdp_session(page))
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Next time you can sign in with this passkey.")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with Passkey").click()
    expect(page.get_by_role("heading")).to_have_text("Alice Liddell")
