"""The session is asked for while Python boots, once, and discarded if it changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from demo.serve import AuthServer
from nextauth_py.testing import sign_in_as
from tests.servers.control import ServerControl

from .python_page import PythonPage

SESSION = "GET /api/auth/session"

START = """
    from nextauth_py import *
    provider = SessionProvider().start()
    state = await provider.ready()
    state.data.user.name if state.data else state.status
"""


@pytest.fixture
def open_page(context: BrowserContext, auth_server: AuthServer) -> Callable[..., PythonPage]:
    """Opens a page in the test's browser, and waits for Python."""

    def open_page(name: str = "prefetch.html") -> PythonPage:
        return PythonPage(context.new_page()).open(f"{auth_server.url}/{name}")

    return open_page


def sign_in(context: BrowserContext, server: AuthServer) -> None:
    sign_in_as(context, base_url=server.url, username="alice", password="wonder")


def test_a_page_load_asks_once_in_all(
    context: BrowserContext,
    auth_server: AuthServer,
    control: ServerControl,
    open_page: Callable[..., PythonPage],
) -> None:
    sign_in(context, auth_server)
    control.reset()
    python = open_page()
    assert control.requests() == [SESSION]
    assert python.run(START) == "Alice Liddell"
    assert control.requests() == [SESSION]
    assert python.run("import js; hasattr(js.window, 'nextauthSession')") is False


def test_the_pages_own_origin_as_base_url_is_the_same_as_none(
    control: ServerControl, auth_server: AuthServer, open_page: Callable[..., PythonPage]
) -> None:
    code = START.replace("SessionProvider()", f"SessionProvider(base_url='{auth_server.url}')")
    assert open_page().run(code) == "unauthenticated"
    assert control.requests() == [SESSION]


def test_a_signed_out_page_costs_one_request_too(
    control: ServerControl, open_page: Callable[..., PythonPage]
) -> None:
    assert open_page().run(START) == "unauthenticated"
    assert control.requests() == [SESSION]


def test_an_answer_that_is_late_is_waited_for(
    context: BrowserContext,
    auth_server: AuthServer,
    control: ServerControl,
    open_page: Callable[..., PythonPage],
) -> None:
    sign_in(context, auth_server)
    control.hold(SESSION)
    python = open_page()
    python.run("from nextauth_py import *; provider = SessionProvider().start()")
    control.release()
    assert python.run("(await provider.ready()).data.user.name") == "Alice Liddell"
    assert control.requests().count(SESSION) == 1


def test_a_sign_out_in_another_tab_while_python_boots_stays_one(
    context: BrowserContext,
    auth_server: AuthServer,
    control: ServerControl,
    open_page: Callable[..., PythonPage],
) -> None:
    sign_in(context, auth_server)
    other = open_page("python.html")
    assert other.run(START) == "Alice Liddell"
    control.reset()
    control.hold(SESSION)
    python = open_page()
    other.run("_ = await sign_out(redirect=False)")
    control.release()
    assert f"{SESSION} aborted" in control.requests()
    assert python.run(START) == "unauthenticated"
    raw = "fetch('/api/auth/session').then(answer => answer.json())"
    assert python.page.evaluate(raw) == {}


@pytest.mark.parametrize(
    "told",
    [
        "new BroadcastChannel('next-auth').postMessage({event: 'session', data: {trigger: 'signout'}})",
        "localStorage.setItem('nextauth.message', '{}')",
    ],
)
def test_a_message_of_a_javascript_tab_discards_it(
    control: ServerControl, open_page: Callable[..., PythonPage], told: str
) -> None:
    python, other = open_page(), open_page("python.html")
    other.page.evaluate(f"() => {{ {told} }}")
    python.page.wait_for_function("() => !window.nextauthSession")
    assert python.run(START) == "unauthenticated"
    assert control.requests() == [SESSION] * 2


def test_a_page_that_comes_back_from_the_cache_discards_it(page: Page, auth_server: AuthServer) -> None:
    page.route("**/pyscript/core.js", lambda route: route.abort())
    page.goto(f"{auth_server.url}/prefetch.html")
    assert page.evaluate("'nextauthSession' in window")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    assert not page.evaluate("'nextauthSession' in window")


def test_it_is_for_the_routes_that_it_names(
    control: ServerControl, open_page: Callable[..., PythonPage]
) -> None:
    python = open_page()
    python.run("from nextauth_py import *; other = SessionProvider(base_path='/elsewhere').start()")
    assert "/elsewhere/session" in python.run("str((await other.ready()).error)")
    python.run("other.close()")
    assert python.run(START) == "unauthenticated"
    assert control.requests() == [SESSION]


@pytest.mark.parametrize("path", ["/shop/auth", "/shop/auth/", "/shop/auth//"])
def test_other_routes_are_named_by_an_attribute(
    page: Page, start_server: Callable[..., AuthServer], path: str
) -> None:
    server = start_server(base_path="/shop/auth")
    html = f"""<!doctype html>
        <script src="/static/dist/session-prefetch.js" data-base-path="{path}"></script>
        <script type="module" src="/static/dist/pyscript/core.js"></script>
        <script type="py" src="/python.py" config="/static/dist/pyscript.json"></script>"""
    page.route(f"{server.url}/own", lambda route: route.fulfill(body=html, content_type="text/html"))
    python = PythonPage(page).open(f"{server.url}/own")
    code = START.replace("SessionProvider()", "SessionProvider(base_path='/shop/auth')")
    assert python.run(code) == "unauthenticated"
    assert ServerControl(server.url, "/shop/auth").requests() == ["GET /shop/auth/session"]


@pytest.mark.parametrize(
    "path",
    ["//127.0.0.2:1", "/\\127.0.0.2:1", "@127.0.0.2:1", ".example", "http://127.0.0.2:1", "/\t/127.0.0.2:1"],
)
def test_no_base_path_leads_to_another_origin(page: Page, auth_server: AuthServer, path: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    html = f"""<!doctype html><link rel="icon" href="data:,">
        <script src="/static/dist/session-prefetch.js" data-base-path="{path}"></script>"""
    page.route(f"{auth_server.url}/own", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{auth_server.url}/own")
    page.evaluate("nextauthSession.answer.catch(() => {})")
    assert [url for url in asked if not url.startswith(f"{auth_server.url}/")] == []


def test_an_image_is_not_the_script_that_runs(
    page: Page, auth_server: AuthServer, control: ServerControl
) -> None:
    html = """<!doctype html><link rel="icon" href="data:,">
        <img name="currentScript" data-base-path="/elsewhere">
        <script src="/static/dist/session-prefetch.js"></script>"""
    page.route(f"{auth_server.url}/own", lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(f"{auth_server.url}/own")
    assert page.evaluate("nextauthSession.path") == "/api/auth"
    page.evaluate("nextauthSession.answer")
    assert control.requests() == [SESSION]


def test_an_answer_that_is_too_old_is_not_taken(
    page: Page, auth_server: AuthServer, control: ServerControl
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/prefetch.html")
    page.evaluate("nextauthSession.at -= 61_000")
    assert python.run(START) == "unauthenticated"
    assert control.requests() == [SESSION] * 2


def test_a_strict_policy_lets_it_work(page: Page, auth_server: AuthServer, control: ServerControl) -> None:
    html = '<!doctype html><script src="/static/dist/session-prefetch.js"></script>'
    policy = {"Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'"}
    page.route(
        f"{auth_server.url}/strict",
        lambda route: route.fulfill(body=html, content_type="text/html", headers=policy),
    )
    page.goto(f"{auth_server.url}/strict")
    assert page.evaluate("nextauthSession.answer.then(([status, text]) => [status, text])") == [200, "{}"]
