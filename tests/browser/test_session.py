"""The session client in a real browser against a real NextAuth v4 server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .python_page import PythonPage

SESSION = "GET /api/auth/session"

START = """
    from nextauth_py import *
    provider = SessionProvider().start()
    state = await provider.ready()
    state.status
"""

SIGN_IN = """
    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    [result.ok, result.error, provider.state.status, provider.state.data and provider.state.data.user.name]
"""

SHOW_NAME = """
    @component("#target")
    def who():
        session = use_session()
        return session.data.user.name if session.data else session.status
"""


@pytest.fixture
def python(page: Page, auth_server: AuthServer) -> PythonPage:
    return PythonPage(page).open(f"{auth_server.url}/python.html")


@pytest.fixture
def open_python(context: BrowserContext, auth_server: AuthServer) -> Callable[[], PythonPage]:
    """Opens one more tab of the same browser."""
    return lambda: PythonPage(context.new_page()).open(f"{auth_server.url}/python.html")


def test_the_first_load_sends_one_request_and_is_signed_out(python: PythonPage) -> None:
    assert python.run(START) == "unauthenticated"
    assert python.requests == [SESSION]


def test_a_visit_signs_in_updates_and_signs_out(python: PythonPage) -> None:
    python.run(START)
    python.run(SHOW_NAME)
    python.expect_text("#target", "unauthenticated")

    assert python.run(SIGN_IN) == [True, None, "authenticated", "Alice Liddell"]
    python.expect_text("#target", "Alice Liddell")

    assert python.run("(await provider.update({'name': 'Alice II'})).user.name") == "Alice II"
    python.expect_text("#target", "Alice II")

    url = python.run("(await sign_out(redirect=False, callback_url='/bye')).url")
    assert url.endswith("/bye")
    python.expect_text("#target", "unauthenticated")
    assert python.page.evaluate("fetch('/api/auth/session').then(r => r.json())") == {}
    python.expect_no_error_box()


def test_a_wrong_password_is_an_outcome(python: PythonPage) -> None:
    python.run(START)
    outcome = python.run("""
        result = await sign_in("credentials", username="alice", password="no", redirect=False)
        [result.ok, result.status, result.error, result.url, provider.state.status]
    """)
    assert outcome == [False, 401, "CredentialsSignin", None, "unauthenticated"]


def test_a_sign_in_with_redirect_leads_to_the_callback_page(
    python: PythonPage, auth_server: AuthServer
) -> None:
    python.page.evaluate(
        "code => void runPython(code)",
        "from nextauth_py import *\n"
        "await sign_in('credentials', username='alice', password='wonder', callback_url='/python.html?in')",
    )
    python.page.wait_for_url(f"{auth_server.url}/python.html?in")
    python.page.wait_for_function("() => Boolean(window.runPython)")
    assert python.run(START) == "authenticated"


def test_a_refused_sign_in_with_redirect_leads_to_the_servers_page(python: PythonPage) -> None:
    python.page.evaluate(
        "code => void runPython(code)",
        "from nextauth_py import *\nawait sign_in('credentials', username='alice', password='no')",
    )
    python.page.wait_for_url("**/api/auth/signin?error=CredentialsSignin")


def test_a_sign_out_with_redirect_leads_to_the_callback_page(
    python: PythonPage, auth_server: AuthServer
) -> None:
    python.run(START)
    python.run(SIGN_IN)
    python.page.evaluate("code => void runPython(code)", "await sign_out(callback_url='/python.html?out')")
    python.page.wait_for_url(f"{auth_server.url}/python.html?out")
    python.page.wait_for_function("() => Boolean(window.runPython)")
    assert python.run(START) == "unauthenticated"


def test_a_callback_in_the_same_page_is_loaded_again(python: PythonPage, auth_server: AuthServer) -> None:
    python.page.evaluate("window.isOld = true")
    python.page.evaluate(
        "code => void runPython(code)",
        "from nextauth_py import *\n"
        "await sign_in('credentials', username='alice', password='wonder', callback_url='/python.html#in')",
    )
    python.page.wait_for_function("() => !window.isOld && Boolean(window.runPython)")
    assert python.page.url == f"{auth_server.url}/python.html#in"
    assert python.run(START) == "authenticated"


def test_without_a_provider_id_the_servers_own_page_signs_in(python: PythonPage) -> None:
    python.page.evaluate("code => void runPython(code)", "from nextauth_py import *\nawait sign_in()")
    expect(python.page.get_by_label("User")).to_be_visible()


def test_the_calls_work_without_a_session_provider(python: PythonPage) -> None:
    outcome = python.run("""
        from nextauth_py import *
        await sign_in("credentials", username="bob", password="builder", redirect=False)
        session = await get_session()
        providers = await get_providers()
        [session.user.email, list(providers), providers["credentials"].type, len(await get_csrf_token())]
    """)
    assert outcome == ["bob@example.com", ["credentials"], "credentials", 64]


def test_a_second_tab_follows_sign_in_update_and_sign_out(open_python: Callable[[], PythonPage]) -> None:
    first, second = open_python(), open_python()
    for tab in (first, second):
        tab.run(START)
        tab.run(SHOW_NAME)
    second.run("""
        heard = []
        stop = provider.on("signed_in", lambda event: heard.append([event.reason, event.local]))
    """)

    first.run(SIGN_IN)
    second.expect_text("#target", "Alice Liddell")
    assert second.run("heard") == [["broadcast", False]]
    assert second.count(SESSION) == 1  # its own first one

    second.run("_ = await provider.update({'name': 'Alice II'})")
    first.expect_text("#target", "Alice II")

    first.run("_ = await sign_out(redirect=False)")
    second.expect_text("#target", "unauthenticated")


@pytest.mark.parametrize(
    "session", ["None", "{'user': {'name': 'Known'}, 'expires': '2099-01-01T00:00:00Z'}"]
)
def test_a_given_session_saves_the_request(python: PythonPage, session: str) -> None:
    python.run(START.replace("SessionProvider()", f"SessionProvider({session})"))
    python.run(SHOW_NAME)
    python.expect_text("#target", "unauthenticated" if session == "None" else "Known")
    assert python.requests == []


def test_a_session_embedded_in_the_page_saves_the_request(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/embedded.html")
    assert python.run(START) == "authenticated"
    python.run(SHOW_NAME)
    python.expect_text("#target", "Embedded <b>")
    assert python.requests == []


def test_closing_ends_everything(python: PythonPage) -> None:
    python.run(START)
    outcome = python.run("""
        provider.close()
        try:
            use_session()
        except ProviderMissingError as error:
            text = str(error)
        text
    """)
    assert "SessionProvider().start()" in outcome


# --- bad input and bad servers ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("base_path='api/auth'", "base_path='api/auth' is not a path"),
        ("refetch_interval='5'", "refetch_interval takes seconds as a number, not '5'"),
        ("session=3", "session takes a Session, a mapping or None"),
    ],
)
def test_a_wrong_option_names_the_value_and_the_remedy(
    python: PythonPage, arguments: str, message: str
) -> None:
    outcome = python.run(f"""
        from nextauth_py import *
        try:
            SessionProvider({arguments})
        except (TypeError, ValueError) as error:
            text = str(error)
        text
    """)
    assert message in outcome


def test_an_unparseable_nextauth_url_is_named(python: PythonPage) -> None:
    outcome = python.run("""
        import os
        from nextauth_py import *
        os.environ["NEXTAUTH_URL"] = "https://["
        try:
            SessionProvider()
        except ValueError as error:
            text = str(error)
        text
    """)
    assert "NEXTAUTH_URL='https://['" in outcome


def test_html_instead_of_json_is_an_error_that_names_the_base_path(python: PythonPage) -> None:
    outcome = python.run("""
        from nextauth_py import *
        provider = SessionProvider(base_path="/wrong").start()
        state = await provider.ready()
        [state.status, str(state.error)]
    """)
    assert outcome[0] == "loading"
    assert "/wrong/session" in outcome[1]
    python.expect_no_error_box()


def test_a_server_that_is_gone_keeps_the_session_and_paints_no_error_box(python: PythonPage) -> None:
    python.run(START)
    python.run(SIGN_IN)
    python.run(SHOW_NAME)
    python.page.context.set_offline(True)
    outcome = python.run("""
        try:
            await sign_out(redirect=False)
        except ClientFetchError as error:
            refused = str(error)
        state = await provider.refetch()
        [state.status, state.stale, refused]
    """)
    assert outcome[:2] == ["authenticated", True]
    assert "cannot be reached" in outcome[2]
    python.expect_text("#target", "Alice Liddell")
    python.expect_no_error_box()


def test_cancelling_a_call_aborts_its_request(python: PythonPage, control: ServerControl) -> None:
    control.hold("GET /api/auth/session")
    with python.page.expect_request("**/api/auth/session"):
        python.run("""
            import asyncio
            from nextauth_py import *
            task = asyncio.ensure_future(get_session())
        """)
    with python.page.expect_event("requestfailed") as aborted:
        python.run("_ = task.cancel()")
    assert aborted.value.url.endswith("/api/auth/session")
    python.expect_no_error_box()


def test_a_request_without_an_answer_ends_after_the_timeout(
    python: PythonPage, control: ServerControl
) -> None:
    control.hold("GET /api/auth/session")
    outcome = python.run("""
        from nextauth_py import *
        state = await SessionProvider(timeout=0.2).start().ready()
        str(state.error)
    """)
    assert "no answer within 0.2 s" in outcome


def test_a_timeout_longer_than_browsers_can_count_is_no_timeout(python: PythonPage) -> None:
    state = python.run("""
        from nextauth_py import *
        state = await SessionProvider(timeout=30 * 24 * 60 * 60).start().ready()
        [state.status, str(state.error)]
    """)
    assert state == ["unauthenticated", "None"]


def test_a_request_that_is_cancelled_while_its_answer_arrives_ends_in_silence(python: PythonPage) -> None:
    python.page.evaluate("""() => {
        const { text } = Response.prototype;
        Response.prototype.text = function () {
            Response.prototype.text = text;
            return new Promise((resolve) => (window.arrive = () => resolve("null")));
        };
    }""")
    python.run("from nextauth_py import *")
    python.run("import asyncio; asking = asyncio.ensure_future(get_session()); 1")
    python.page.wait_for_function("() => Boolean(window.arrive)")
    python.run("asking.cancel(); 1")
    python.page.evaluate("arrive()")
    assert python.run("await get_session()") is None
    python.expect_no_error_box()


@pytest.mark.parametrize(
    ("base_path", "words"),
    [
        ("/wrong", "/wrong/session: HTTP 404; is base_path right?"),
        (None, "not JSON. Is base_path right? Does middleware protect the auth routes?"),
    ],
)
def test_a_first_load_that_cannot_work_says_so_in_the_console(
    page: Page, auth_server: AuthServer, control: ServerControl, base_path: str | None, words: str
) -> None:
    warnings: list[str] = []
    page.on("console", lambda message: warnings.append(message.text) if message.type == "warning" else None)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    control.answer(SESSION, "<!doctype html><p>Sign in", kind="text/html")
    status = python.run(f"""
        from nextauth_py import *
        provider = SessionProvider(base_path={base_path!r}).start()
        (await provider.ready()).status
    """)
    assert status == "loading"
    (line,) = [line for line in warnings if "nextauth_py" in line]
    assert line.startswith(f"nextauth_py: the session cannot be loaded. {auth_server.url}/")
    assert words in line
    python.expect_no_error_box()


def test_a_sign_out_holds_though_the_page_is_left(python: PythonPage, control: ServerControl) -> None:
    python.run(START)
    assert python.run(SIGN_IN)[0]
    alive = python.page.context.cookies()
    control.hold(SESSION)  # the check of the sign-out
    python.start("await sign_out()")
    with python.page.expect_navigation():
        control.release()
    # An answer that was under way has set the cookie again.
    python.page.context.add_cookies(alive)  # type: ignore[arg-type]
    python.page.wait_for_function("() => Boolean(window.runPython)")
    assert python.run(START) == "unauthenticated"
    assert not [each for each in python.page.context.cookies() if "session-token" in each.get("name", "")]
