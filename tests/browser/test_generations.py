"""Every call against real servers of both generations: NextAuth v4 and Auth.js v5. One test body for both."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from quopri import decodestring
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage

SESSION, CSRF = "GET /api/auth/session", "GET /api/auth/csrf"
SIGN_OUT, UPDATE = "POST /api/auth/signout", "POST /api/auth/session"
CREDENTIALS = "POST /api/auth/callback/credentials"

NEW_PROVIDER = """
    from nextauth_py import *
    from nextauth_py.provider import current_provider
    while old := current_provider():
        old.close()
    provider = SessionProvider(timeout=5).start()
    await provider.ready()

    def shown():
        return provider.state.data.user.name if provider.state.data else provider.state.status

    async def outcome(call):
        try:
            result = await call
        except (NextAuthError, ValueError) as error:
            return [type(error).__name__, str(error)]
        if isinstance(result, SignInResult):
            return [result.ok, result.status, result.error, result.code, result.url]
        return result.url if isinstance(result, SignOutResult) else result

    def enter(name, password, **options):
        options = {"redirect": False, **options}
        return outcome(sign_in("credentials", username=name, password=password, **options))
"""

ALICE = "await enter('alice', 'wonder')"


@pytest.fixture(scope="module", params=["v4", "v5"])
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param, services=True)


@pytest.fixture(scope="module")
def booted(browser: Browser, server: AuthServer) -> Iterator[PythonPage]:
    """A page that boots once for all tests of a server."""
    context = browser.new_context()
    outside = prepare(context)
    yield PythonPage(context.new_page()).open(f"{server.url}/python.html")
    assert outside == []
    context.close()


@pytest.fixture
def control(server: AuthServer) -> Iterator[ServerControl]:
    with ServerControl(server.url) as control:
        yield control


@pytest.fixture
def python(booted: PythonPage, control: ServerControl) -> PythonPage:
    """The page, with nobody signed in and a new provider."""
    booted.page.context.clear_cookies()
    booted.run(NEW_PROVIDER)
    control.reset()
    return booted


def is_v4(python: PythonPage) -> bool:
    return "next-auth.csrf-token" in {cookie.get("name") for cookie in python.page.context.cookies()}


def raw_session(python: PythonPage) -> Any:
    """What the server says, past the client."""
    return python.page.evaluate("fetch('/api/auth/session', {cache: 'no-store'}).then(r => r.json())") or None


# --- sign-in ---


def test_right_credentials(python: PythonPage) -> None:
    assert python.run(ALICE) == [True, 200, None, None, python.page.url]
    assert python.run("shown()") == "Alice Liddell"
    assert raw_session(python)["user"]["name"] == "Alice Liddell"


def test_wrong_credentials(python: PythonPage) -> None:
    status, code = (401, None) if is_v4(python) else (200, "credentials")
    refused = [False, status, "CredentialsSignin", code, None]
    assert python.run("await enter('alice', 'no')") == refused
    assert python.run("shown()") == "unauthenticated"
    assert raw_session(python) is None


def test_a_server_that_throws_while_it_authorizes(python: PythonPage) -> None:
    v4 = is_v4(python)
    error = "The user database is on fire" if v4 else "Configuration"
    assert python.run("await enter('boom', 'x')") == [False, 401 if v4 else 200, error, None, None]


def test_an_error_code_of_the_servers_own(python: PythonPage) -> None:
    code = python.run("(await enter('locked', 'x'))[3]")
    assert code == (None if is_v4(python) else "locked_out")


def test_a_user_whom_the_server_does_not_let_in(python: PythonPage) -> None:
    status = 403 if is_v4(python) else 200
    assert python.run("await enter('carol', 'banned')") == [False, status, "AccessDenied", None, None]


def test_a_user_whom_the_server_sends_elsewhere(python: PythonPage, server: AuthServer) -> None:
    assert python.run("(await enter('dave', 'detour'))[4]") == f"{server.url}/detour"
    assert raw_session(python) is None
    assert python.run("shown()") == "unauthenticated"


def test_a_callback_on_a_foreign_origin_is_replaced_by_the_server(
    python: PythonPage, server: AuthServer
) -> None:
    url = python.run("(await enter('alice', 'wonder', callback_url='https://evil.example/'))[4]")
    assert url.rstrip("/") == server.url


def test_a_stale_csrf_token_is_renewed_once(python: PythonPage, control: ServerControl) -> None:
    control.answer(CSRF, '{"csrfToken": "stale"}')
    assert python.run(ALICE)[0] is True
    assert [each for each in control.requests() if "csrf" in each or "POST" in each] == [
        CSRF,
        CREDENTIALS,
        CSRF,
        CREDENTIALS,
    ]


@pytest.mark.parametrize("call", ["enter('alice', 'wonder')", "outcome(sign_out(redirect=False))"])
def test_a_csrf_token_that_is_always_refused_is_an_error(
    python: PythonPage, control: ServerControl, call: str
) -> None:
    control.answer(CSRF, '{"csrfToken": "stale"}', times=2)
    assert python.run(f"(await {call})[0]") == "CsrfError"


def test_an_unknown_provider_leads_to_the_servers_page(python: PythonPage, server: AuthServer) -> None:
    for name in ("'nobody'", "'toString'", "None"):
        result = python.run(f"await outcome(sign_in({name}, redirect=False))")
        assert result[0] is False
        assert result[4].startswith(f"{server.url}/api/auth/signin?callbackUrl=")


@pytest.mark.parametrize("params", ["{'prompt': 'login'}", "'prompt=login'"])
def test_an_oauth_sign_in_without_redirect_returns_the_providers_address(
    python: PythonPage, params: str
) -> None:
    result = python.run(f"""await outcome(
        sign_in("local-oidc", redirect=False, authorization_params={params})
    )""")
    assert result[:4] == [True, 200, None, None]
    assert "prompt=login" in result[4]
    assert "/auth?" in result[4]


def test_an_invalid_mail_address(python: PythonPage) -> None:
    result = python.run("await outcome(sign_in('email', email='no address', redirect=False))")
    assert result[:3] == [False, 200, "EmailSignin" if is_v4(python) else "Configuration"]


def test_a_magic_link_signs_in(python: PythonPage, control: ServerControl, server: AuthServer) -> None:
    result = python.run("await outcome(sign_in('email', email='eve@example.com', redirect=False))")
    assert result[0] is True
    assert "/api/auth/verify-request" in result[4]
    python.run("_ = await provider.refetch()")
    tab = python.page.context.new_page()
    tab.goto(link_in(control.mails()[-1]["text"]))
    assert raw_session(python)["user"]["email"] == "eve@example.com"
    tab.close()


def link_in(mail: str) -> str:
    """The magic link of a mail, in its plain-text part."""
    found = re.search(r"http://\S+/callback/email\S+", decodestring(mail.encode()).decode())
    assert found
    return found[0]


# --- sign-out ---


def test_a_sign_out_is_verified(python: PythonPage, control: ServerControl, server: AuthServer) -> None:
    python.run(ALICE)
    control.reset()
    assert python.run("await outcome(sign_out(redirect=False, callback_url='/bye'))") == f"{server.url}/bye"
    assert control.requests() == [CSRF, SIGN_OUT, SESSION]
    assert raw_session(python) is None
    assert python.run("shown()") == "unauthenticated"


def test_a_sign_out_when_signed_out(python: PythonPage) -> None:
    assert python.run("await outcome(sign_out(redirect=False))") == python.page.url


def test_an_answer_held_back_during_a_sign_out_does_not_revive_the_session(
    python: PythonPage, control: ServerControl
) -> None:
    python.run(ALICE)
    control.hold(SESSION)
    with python.page.expect_request("**/session"):
        python.run("import asyncio\nlate = asyncio.ensure_future(provider.get_session())\nNone")
    python.run("_ = await sign_out(redirect=False)")
    control.release()
    assert python.run("await late") is None
    assert raw_session(python) is None
    assert python.run("shown()") == "unauthenticated"


@pytest.mark.parametrize("failure", ["500", "dropped"])
def test_a_sign_out_that_fails_leaves_the_session(
    python: PythonPage, control: ServerControl, failure: str
) -> None:
    python.run(ALICE)
    if failure == "500":
        control.answer(SIGN_OUT, '{"message": "misconfigured"}', status=500)
    else:
        control.drop(SIGN_OUT)
    assert python.run("(await outcome(sign_out(redirect=False)))[0]") == "ClientFetchError"
    assert python.run("shown()") == "Alice Liddell"
    assert raw_session(python) is not None


# --- update ---


def test_an_update_with_data(python: PythonPage) -> None:
    python.run(ALICE)
    assert python.run("(await provider.update({'name': 'Alice II', 'theme': 'dark'})).theme") == "dark"
    assert python.run("shown()") == "Alice II"
    assert raw_session(python)["user"]["name"] == "Alice II"


def test_an_update_without_data(python: PythonPage, control: ServerControl) -> None:
    python.run(ALICE)
    control.reset()
    assert python.run("(await provider.update()).user.name") == "Alice Liddell"
    assert control.requests() == [CSRF, UPDATE]


def test_an_update_when_signed_out(python: PythonPage) -> None:
    assert python.run("await provider.update({'name': 'Nobody'})") is None
    assert python.run("shown()") == "unauthenticated"


def test_updates_at_the_same_time_are_ordered(python: PythonPage) -> None:
    python.run(ALICE)
    python.run("""
        import asyncio
        _ = await asyncio.gather(*(provider.update({"name": f"Alice {n}"}) for n in range(4)))
    """)
    assert python.run("shown()") == "Alice 3"
    assert raw_session(python)["user"]["name"] == "Alice 3"


@pytest.mark.parametrize(("body", "kind"), [("", ""), ("[object Object]", "text/plain")])
def test_a_refused_update_is_tried_once_more_and_then_an_error(
    python: PythonPage, control: ServerControl, body: str, kind: str
) -> None:
    """Once by the real server, once as the App router answers."""
    python.run(ALICE)
    if body:
        control.answer(UPDATE, body, status=400, kind=kind, times=2)
    else:
        control.answer(CSRF, '{"csrfToken": "stale"}', times=2)
    assert python.run("(await outcome(provider.update({'name': 'X'})))[0]") == "CsrfError"
    assert python.run("shown()") == "Alice Liddell"


# --- reading ---


def test_the_three_reads(python: PythonPage) -> None:
    python.run(ALICE)
    assert python.run("(await get_session()).user.email") == "alice@example.com"
    assert len(python.run("await get_csrf_token()")) == 64
    providers = python.run("{name: each.type for name, each in (await get_providers()).items()}")
    assert providers == {
        "credentials": "credentials",
        "email": "email",
        "local-oidc": "oauth" if is_v4(python) else "oidc",
    }


def test_a_garbage_session_cookie_is_signed_out(python: PythonPage, server: AuthServer) -> None:
    name = "next-auth.session-token" if is_v4(python) else "authjs.session-token"
    python.page.context.add_cookies([{"name": name, "value": "garbage", "url": server.url}])
    assert python.run("await get_session()") is None


def test_a_server_without_a_csrf_route_gets_no_token(python: PythonPage, control: ServerControl) -> None:
    control.answer(CSRF, "", status=404, kind="text/plain")
    assert python.run("await get_csrf_token()") is None


@pytest.mark.parametrize("status", [500, 429, 503])
def test_a_failing_server_signs_nobody_out(python: PythonPage, control: ServerControl, status: int) -> None:
    python.run(ALICE)
    control.answer(SESSION, '{"message": "misconfigured"}', status=status)
    kind, text = python.run("await outcome(get_session())")
    assert kind == "ClientFetchError"
    assert f"HTTP {status}" in text
    assert python.run("[shown(), provider.state.stale]") == ["Alice Liddell", True]
    assert python.run("(await provider.refetch()).stale") is False


def test_calls_at_the_same_time_share_one_request(python: PythonPage, control: ServerControl) -> None:
    python.run("""
        import asyncio
        _ = await asyncio.gather(*(get_session() for _ in range(10)))
    """)
    assert control.requests() == [SESSION]


def test_the_first_requests_of_a_visitor_do_not_spoil_each_others_token(
    python: PythonPage, control: ServerControl
) -> None:
    python.page.context.clear_cookies()
    python.run("""
        import asyncio
        _ = await asyncio.gather(get_session(), enter('alice', 'wonder'), get_csrf_token())
    """)
    assert [each for each in control.requests() if "POST" in each] == [CREDENTIALS]
    assert python.run("shown()") == "Alice Liddell"


def test_a_sign_in_by_mail_goes_to_the_servers_page(page: Page, server: AuthServer) -> None:
    python = PythonPage(page).open(f"{server.url}/python.html")
    python.run(NEW_PROVIDER)
    python.start("await sign_in('email', email='heidi@example.com')")
    page.wait_for_url("**/api/auth/verify-request?**")


def test_a_server_on_another_origin(page: Page, auth_server: AuthServer, elsewhere: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(NEW_PROVIDER.replace("timeout=5", f"base_url='{elsewhere.url}'"))
    assert python.run(ALICE)[0] is True
    assert python.run("shown()") == "Alice Liddell"
    assert python.run("(await provider.update({'name': 'Alice II'})).user.name") == "Alice II"
    python.run("_ = await sign_out(redirect=False)")
    assert python.run("shown()") == "unauthenticated"
    assert ServerControl(elsewhere.url).requests().count(SIGN_OUT) == 1


@pytest.fixture(params=["v4", "v5"])
def elsewhere(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param, allow_origins=True)


def test_a_server_on_another_origin_that_does_not_allow_it(
    page: Page, auth_server: AuthServer, server: AuthServer
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(NEW_PROVIDER.replace("timeout=5", f"base_url='{server.url}'"))
    assert "CORS" in python.run("str(provider.state.error)")


@pytest.mark.parametrize("generation", ["v4", "v5"])
def test_another_base_path_moves_every_request_and_redirect(
    page: Page, start_server: Callable[..., AuthServer], generation: str
) -> None:
    server = start_server(generation=generation, base_path="/custom/auth", sign_in_page="/login")
    python = PythonPage(page).open(f"{server.url}/python.html")
    python.run(NEW_PROVIDER.replace("timeout=5", "base_path='/custom/auth'"))
    # The site's own sign-in page carries the verdict in v5, NextAuth's error page in v4.
    assert python.run("(await enter('alice', 'no'))[2]") == "CredentialsSignin"
    assert python.run(ALICE)[0] is True
    python.run("_ = await provider.update()")
    python.run("_ = await sign_out(redirect=False)")
    assert {each.split(" ")[1].rpartition("/auth/")[0] for each in python.requests} == {"/custom"}
    with page.expect_request("**/custom/auth/signin?callbackUrl=*"):
        python.start("await sign_in()")
    page.wait_for_url("**/login?callbackUrl=*")


def test_a_session_type_gives_typed_fields_and_names_those_that_do_not_fit(
    python: PythonPage, control: ServerControl
) -> None:
    python.run("""
        from typing import Literal

        class Themed(Session):
            theme: Literal["light", "dark"] = "light"
    """)
    python.run(NEW_PROVIDER.replace("timeout=5", "session_type=Themed"))
    python.run(ALICE)
    assert python.run("use_session().data.theme") == "light"
    assert python.run("(await provider.update({'theme': 'dark'})).theme") == "dark"
    kind, text = python.run("await outcome(provider.update({'theme': 'mauve'}))")
    assert kind == "SessionValidationError"
    assert "Themed (theme: literal_error)" in text
    assert "mauve" not in text
    assert python.run("use_session().data.theme") == "dark"


def test_two_providers_with_different_paths_are_independent(python: PythonPage) -> None:
    python.run("""
        other = SessionProvider(base_path="/other/auth").start()
        _ = await other.ready()
        states = []
        other.subscribe(lambda state: states.append(state.status))
        result = await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
        _ = await provider.sign_out(redirect=False)
    """)
    assert python.run("[result.ok, shown(), other.state.status, states]") == [
        True,
        "unauthenticated",
        "loading",
        [],
    ]
    assert python.run("str(other.state.error)").count("/other/auth/session") == 1
    python.run("other.close()")


def test_secrets_are_in_no_message(python: PythonPage, control: ServerControl) -> None:
    console: list[str] = []
    python.page.on("console", lambda message: console.append(message.text))
    control.answer(CSRF, '{"csrfToken": "canary-token"}')
    texts = python.run("""
        texts = []
        for event in ("signed_in", "signed_out", "updated", "error"):
            provider.on(event, lambda event: texts.append(repr(event)))
        provider.subscribe(lambda state: texts.append(repr(state)))
        texts += map(repr, [await enter("alice", "canary-password"), await enter("alice", "wonder")])
        _ = await provider.update({"name": "canary-name", "theme": "canary-field"})
        texts
    """)
    control.answer(SESSION, '{"user": {"name": {"first": "canary-name"}}, "expires": "canary-date"}')
    control.answer(SESSION, "canary-html", kind="text/html")
    control.answer(UPDATE, '{"user": "canary-user"}')
    control.answer(CREDENTIALS, '{"url": "javascript:void(0)"}')
    texts += python.run("""
        texts = [repr(provider)]
        for call in (get_session(), get_session(), provider.update({"name": "canary-name"})):
            texts += await outcome(call)
        texts += [repr(provider.state), str(provider.state.error), repr(use_session())]
        texts
    """)
    texts += python.run("await enter('alice', 'canary-password')")
    control.answer(CSRF, '{"csrfToken": "canary-token"}', times=2)
    texts += python.run("await enter('alice', 'canary-password')")
    assert {"SessionValidationError", "ClientFetchError", "UnsafeRedirectError", "CsrfError"} <= set(texts)
    assert [text for text in [*console, *texts] if "canary" in str(text)] == []


def test_a_sign_in_at_an_identity_provider(page: Page, server: AuthServer) -> None:
    python = PythonPage(page).open(f"{server.url}/python.html")
    python.run(NEW_PROVIDER)
    python.start("await sign_in('local-oidc')")
    page.get_by_placeholder("Enter any login").fill("frank")
    page.get_by_placeholder("and password").fill("x")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{server.url}/python.html")
    page.wait_for_function("() => Boolean(window.runPython)")
    python.run(NEW_PROVIDER)
    assert python.run("shown()") == "OIDC frank"


@pytest.mark.parametrize("generation", ["v4", "v5"])
def test_sessions_in_a_database(page: Page, start_server: Callable[..., AuthServer], generation: str) -> None:
    server = start_server(generation=generation, services=True, strategy="database")
    python = PythonPage(page).open(f"{server.url}/python.html")
    python.run(NEW_PROVIDER)
    python.run("_ = await sign_in('email', email='grace@example.com', redirect=False)")
    page.goto(link_in(ServerControl(server.url).mails()[-1]["text"]))
    python.open(f"{server.url}/python.html")
    python.run(NEW_PROVIDER)
    assert python.run("provider.state.data.user.email") == "grace@example.com"
    assert python.run("(await provider.update()).user.email") == "grace@example.com"
    python.run("_ = await sign_out(redirect=False)")
    assert raw_session(python) is None
    expect(page.locator(".py-error")).to_have_count(0)
