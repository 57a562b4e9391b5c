"""Public calls as PyScript's and the browser's own handlers, and scripts that run twice on one page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .python_page import PythonPage

SESSION, SIGN_OUT, UPDATE = "GET /api/auth/session", "POST /api/auth/signout", "POST /api/auth/session"
CSRF = "GET /api/auth/csrf"
README = Path(__file__).parents[2] / "README.md"
TEN_LINES = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)[0]

START = """
    import js
    from pyodide.ffi import create_proxy
    from pyscript import web, when
    from nextauth_py import *
    heard = []
    js.document.querySelector("#target").innerHTML = "<button id='out'>Go</button>"
    provider = SessionProvider().start()
    provider.on("error", lambda event: heard.append(event.reason))
    await provider.ready()
    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    session = use_session()
    assert result.ok
"""

WAYS = {
    "on_click": "web.page['#out'].on_click = {call}",
    "when": "handler = when('click', '#out')({call})",
    "listener": "js.document.querySelector('#out').addEventListener('click', create_proxy({call}))",
    "template": "shown = component('#target')(lambda: t'<button @click={{{call}}}>Go</button>')",
}


@pytest.fixture
def python(page: Page, auth_server: AuthServer) -> PythonPage:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(START + "\n    1")
    python.requests.clear()
    return python


@pytest.mark.parametrize("way", WAYS)
def test_a_visitor_signs_out_by_any_handler(python: PythonPage, way: str) -> None:
    python.run(WAYS[way].format(call="sign_out") + "\n1")
    with python.page.expect_navigation():
        python.page.get_by_role("button", name="Go").click()
    assert python.count(SIGN_OUT) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("call", "request_"),
    [
        ("session.update", UPDATE),
        ("provider.update", UPDATE),
        ("get_session", SESSION),
        ("provider.refetch", SESSION),
        ("get_csrf_token", CSRF),
    ],
)
def test_a_call_as_it_is_handles_a_click(python: PythonPage, way: str, call: str, request_: str) -> None:
    python.run(WAYS[way].format(call=call) + "\n1")
    with python.page.expect_request(f"**{request_.split()[1]}") as sent:
        python.page.get_by_role("button", name="Go").click()
    assert sent.value.method == request_.split(maxsplit=1)[0]
    python.run("await provider.get_session(); 1")
    python.expect_no_error_box()


@pytest.mark.parametrize("way", ["on_click", "when"])
def test_a_sign_in_asks_the_visitor_which_way(python: PythonPage, way: str) -> None:
    python.run(WAYS[way].format(call="sign_in") + "\n1")
    with python.page.expect_navigation(url="**/api/auth/signin?callbackUrl=**"):
        python.page.get_by_role("button", name="Go").click()


def test_a_handler_that_fails_is_known_to_the_session(python: PythonPage, control: ServerControl) -> None:
    python.run(WAYS["on_click"].format(call="sign_out") + "\n1")
    control.drop(CSRF)
    with python.page.expect_console_message(lambda message: "sign_out failed" in message.text):
        python.page.get_by_role("button", name="Go").click()
    assert python.run("[session.status, heard]") == ["authenticated", ["sign_out"]]
    python.expect_no_error_box()


def test_functions_that_end_something_are_handlers_too(python: PythonPage) -> None:
    python.run("""
        ends = [session.subscribe(print), session.bind("#target", attr={"title": "user.name"}), bind_page()]
        for end in [*ends, provider.close]:
            js.document.querySelector("#out").addEventListener("click", create_proxy(end))
        1
    """)
    python.page.get_by_role("button", name="Go").click()
    assert python.run("len(provider.engine.listeners._listeners)") == 0
    expect(python.page.locator("html[data-session-bound]")).to_have_count(0)
    python.expect_no_error_box()


def test_ten_lines_that_run_twice_leave_one_live_component_and_a_clean_console(
    page: Page, auth_server: AuthServer
) -> None:
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            said.append(message.text)

    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run("import js\njs.document.querySelector('#target').id = 'account'\n1")
    page.on("console", note)
    for _ in range(2):
        python.run(TEN_LINES + "\n1")
    python.run("""
        from nextauth_py.provider import current_provider
        provider = current_provider()
        await provider.ready()
        provider.session = {"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}
        1
    """)
    expect(page.locator("#account p")).to_have_text("Signed in as Alice")
    python.requests.clear()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    with page.expect_navigation():
        page.get_by_role("button", name="Sign out").click()
    assert python.count(SIGN_OUT) == 1
    assert said == []


def test_two_components_on_one_element_show_the_later_one(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run("""
        from nextauth_py import *
        from pyscript import web
        provider = SessionProvider(None).start()
        first = component("#target")(lambda: t"<p>first {use_session().status}</p>")
        second = component(web.page["#target"])(lambda: t"<b>second {use_session().status}</b>")
        third = component("#target")(lambda: ["third ", use_session().status]).unmount()
        second.mount("#target")
        provider.session = {"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}
        1
    """)
    python.expect_text("#target", "second authenticated")
    python.run("first.unmount(); provider.session = None\n1")
    python.expect_text("#target", "second unauthenticated")
    python.expect_no_error_box()


def test_a_component_in_another_is_one_after_each_run(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run("from nextauth_py import *\nseen = []\n1")
    for _ in range(3):
        python.run("""
            provider = SessionProvider(None).start()
            component("#target")(lambda: t"<form><input name=contains><b id=inner></b></form>")
            inner = component("#inner")(lambda: [use_session().status, seen.append(1)])
            1
        """)
    python.expect_text("#inner", "unauthenticated")
    python.run("""
        seen.clear()
        provider.session = {"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}
        1
    """)
    python.expect_text("#inner", "authenticated")
    assert python.run("len(seen)") == 1
    python.expect_no_error_box()


def test_a_parameter_of_the_address_that_is_not_there_is_none(python: PythonPage) -> None:
    python.run("""
        read = js.URLSearchParams.new(js.location.search)
        fields = {"username": "alice", "password": "wonder", "hint": read.get("hint")}
        result = await sign_in("credentials", callback_url=read.get("callbackUrl"), redirect=False, **fields)
        1
    """)
    assert python.run("[result.ok, result.url == js.location.href]") == [True, True]


def test_buttons_of_a_page_that_runs_again_act_for_the_later_provider(
    page: Page, auth_server: AuthServer
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    page.evaluate(
        "document.querySelector('#target').innerHTML = '<a href=# data-session-action=refetch>Go</a>'"
    )
    for _ in range(2):
        python.run("""
            from nextauth_py import *
            provider = SessionProvider(None).start()
            stop = bind_page()
            1
        """)
    with page.expect_request("**/api/auth/session"):
        page.get_by_role("link", name="Go").click()
    python.run("await provider.get_session(); 1")
    assert python.count(SESSION) <= 2
    expect(page.locator("[data-session-error]")).to_have_count(0)
    python.expect_no_error_box()
