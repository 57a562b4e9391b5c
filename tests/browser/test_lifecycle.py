"""Pages that are hidden, frozen, left and come back to, as browsers really do it.

Playwright's own pages are always in view and never kept for the way back: these have browsers of their own.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, BrowserType, Dialog, Page, Playwright, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage

SESSION = "GET /api/auth/session"

START = """
    from nextauth_py import *
    history = []
    provider = SessionProvider(refetch_on_window_focus=False, refetch_interval=1)
    provider.subscribe(lambda state: history.append([state.status, state.stale]))
    provider.start()
    await provider.ready()

    @component("#target")
    def who():
        session = use_session()
        return session.data.user.name if session.data else session.status
"""

SIGN_IN = """
    await sign_in("credentials", username="alice", password="wonder", redirect=False)
    history.clear()
"""


def open_tab(context: BrowserContext, server: AuthServer) -> PythonPage:
    tab = PythonPage(context.new_page()).open(f"{server.url}/python.html")
    tab.run(START)
    return tab


@pytest.fixture
def remembering(
    browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[BrowserContext]:
    """A context of a browser that has a back/forward cache."""
    without = ["--disable-back-forward-cache"]
    browser = browser_type.launch(**browser_type_launch_args, ignore_default_args=without)
    context = browser.new_context()
    outside = prepare(context)
    yield context
    browser.close()
    assert outside == []


@pytest.fixture
def ordinary(
    playwright: Playwright, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> Iterator[BrowserContext]:
    """The context of a browser in which only one tab is in view."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {**browser_type_launch_args}
    options["args"] = [*options.get("args", []), f"--remote-debugging-port={port}"]
    browser = browser_type.launch(**options)
    connected = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
    context = connected.contexts[0]
    outside = prepare(context)
    yield context
    connected.close()
    browser.close()
    assert outside == []


def set_lifecycle(page: Page, state: str) -> None:
    page.context.new_cdp_session(page).send("Page.setWebLifecycleState", {"state": state})


def leave_and_return(tab: PythonPage, server: AuthServer, meanwhile: str, other: PythonPage) -> None:
    """Go to another origin and back, while another tab runs some code."""
    tab.page.evaluate("window.isTheSamePage = true")
    tab.page.goto(server.url.replace("localhost", "127.0.0.1") + "/peer-v4.html")
    other.run(meanwhile)
    tab.page.go_back(wait_until="commit")


@pytest.mark.parametrize(
    ("meanwhile", "shown"),
    [
        ("_ = await sign_out(redirect=False)", "unauthenticated"),
        ("_ = await provider.update({'name': 'Alice II'})", "Alice II"),
    ],
    ids=["signed out", "updated"],
)
def test_a_restored_page_is_stale_then_refetches(
    remembering: BrowserContext, auth_server: AuthServer, meanwhile: str, shown: str
) -> None:
    left, other = open_tab(remembering, auth_server), open_tab(remembering, auth_server)
    left.run(SIGN_IN)
    leave_and_return(left, auth_server, meanwhile, other)
    left.expect_text("#target", shown)
    assert left.page.evaluate("window.isTheSamePage"), "the page was loaded anew"
    assert left.page.evaluate("performance.getEntriesByType('navigation')[0].notRestoredReasons") is None
    status = "unauthenticated" if shown == "unauthenticated" else "authenticated"
    assert left.run("history")[:2] == [["authenticated", True], [status, False]]
    left.expect_no_error_box()


def test_a_page_that_is_left_during_a_request_comes_out_of_the_cache(
    remembering: BrowserContext, auth_server: AuthServer, control: ServerControl
) -> None:
    left, other = open_tab(remembering, auth_server), open_tab(remembering, auth_server)
    left.run(SIGN_IN)
    other.run("provider.close()")
    control.hold(SESSION)
    with left.page.expect_request("**/api/auth/session"):
        left.run("import asyncio; asking = asyncio.ensure_future(provider.get_session()); history.clear()")
    leave_and_return(left, auth_server, "1", other)
    left.page.wait_for_function("() => window.isTheSamePage")
    assert left.run("(await asking).user.name") == "Alice Liddell"
    assert left.run("provider.state.error") is None


def test_a_restored_page_follows_the_others_again(
    remembering: BrowserContext, auth_server: AuthServer
) -> None:
    left, other = open_tab(remembering, auth_server), open_tab(remembering, auth_server)
    left.run(SIGN_IN)
    leave_and_return(left, auth_server, "1", other)
    left.page.wait_for_function("() => window.isTheSamePage")
    other.run("_ = await provider.update({'name': 'Alice II'})")
    left.expect_text("#target", "Alice II")
    left.run("_ = await sign_out(redirect=False)")
    other.expect_text("#target", "unauthenticated")


def test_a_hidden_tab_lets_the_one_in_view_poll(ordinary: BrowserContext, auth_server: AuthServer) -> None:
    hidden = open_tab(ordinary, auth_server)
    hidden.run(SIGN_IN)
    shown = open_tab(ordinary, auth_server)
    shown.page.bring_to_front()
    hidden.page.wait_for_function("() => document.visibilityState === 'hidden'")
    poll(shown)
    hidden.requests.clear()
    for _ in range(3):
        poll(shown)
    assert hidden.count(SESSION) == 0
    hidden.expect_text("#target", "Alice Liddell")


def test_a_hidden_tab_tries_nothing_again_and_is_right_when_shown(
    ordinary: BrowserContext, auth_server: AuthServer, control: ServerControl
) -> None:
    tab = open_tab(ordinary, auth_server)
    tab.run("provider.refetch_interval = 0")
    tab.run(SIGN_IN)
    front = ordinary.new_page()
    front.bring_to_front()
    tab.page.wait_for_function("() => document.visibilityState === 'hidden'")
    control.answer(SESSION, "<h1>Bad gateway</h1>", status=502, kind="text/html", times=2)
    tab.run("_ = await provider.refetch()")
    assert tab.run("[provider.engine.schedule.rest is not None, provider.engine._driver._cancel_timer]") == [
        True,
        None,
    ]
    tab.page.bring_to_front()
    tab.page.wait_for_function("() => document.visibilityState === 'visible'")
    tab.run("""
        import asyncio
        while provider.state.stale:
            await asyncio.sleep(0.05)
    """)
    assert {status for status, _ in tab.run("history")} == {"authenticated"}


def test_nothing_guarded_is_seen_on_the_way_back(
    remembering: BrowserContext, auth_server: AuthServer, control: ServerControl
) -> None:
    left, other = open_tab(remembering, auth_server), open_tab(remembering, auth_server)
    left.run(SIGN_IN)
    left.run("""
        @component("#target")
        def private():
            session = use_session(required=True, on_unauthenticated=lambda: None)
            return f"Secret of {session.data.user.name}" if session.data else session.status
    """)
    left.expect_text("#target", "Secret of Alice Liddell")
    left.page.evaluate("""
        const note = () => (window.seen = document.querySelector("#target").textContent);
        addEventListener("pageshow", note, { capture: true });
    """)
    leave_and_return(left, auth_server, "_ = await sign_out(redirect=False)", other)
    left.page.wait_for_function("() => window.seen")
    assert left.page.evaluate("window.seen") == "loading"
    left.expect_text("#target", "loading")


def test_a_click_that_waits_for_python_is_dropped_when_the_page_is_left(
    remembering: BrowserContext, auth_server: AuthServer
) -> None:
    page = remembering.new_page()
    page.goto(f"{auth_server.url}/peer-v4.html")
    page.add_script_tag(url="/static/dist/session-boot.js")
    page.evaluate("document.body.innerHTML = '<button data-session-action=sign_out>Sign out</button>'")
    button = page.get_by_role("button", name="Sign out")
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    page.goto(auth_server.url.replace("localhost", "127.0.0.1") + "/peer-v4.html")
    page.go_back(wait_until="commit")
    expect(button).to_be_visible()  # so it is the same page
    expect(button).not_to_have_attribute("aria-busy", "true")
    expect(button).not_to_have_attribute("data-session-waiting", "true")


NEED = """
    @component("#target")
    def private():
        session = use_session(required=True)
        return f"Secret of {session.data.user.name}" if session.data else session.status
"""
SIGN_IN_PAGE = "**/api/auth/signin?*error=SessionRequired*"


def come_back(tab: PythonPage) -> None:
    """Go back, to the very page that was left."""
    tab.page.evaluate("sessionStorage.removeItem('shown')")
    tab.page.go_back(wait_until="commit")


def note_restoring(tab: PythonPage) -> None:
    tab.page.evaluate("addEventListener('pageshow', (e) => (sessionStorage.shown = e.persisted))")


def test_back_from_where_a_sign_out_has_led_leads_to_the_sign_in_page(
    remembering: BrowserContext, auth_server: AuthServer
) -> None:
    tab = open_tab(remembering, auth_server)
    tab.run(SIGN_IN)
    tab.run(NEED)
    note_restoring(tab)
    tab.start("await sign_out(callback_url='/peer-v4.html')")
    tab.page.wait_for_url("**/peer-v4.html")
    come_back(tab)
    tab.page.wait_for_url(SIGN_IN_PAGE)
    assert tab.page.evaluate("sessionStorage.shown") == "true", "the page was loaded anew"


def test_back_from_the_sign_in_page_redirects_again_or_shows_the_session(
    remembering: BrowserContext, auth_server: AuthServer
) -> None:
    tab, other = open_tab(remembering, auth_server), open_tab(remembering, auth_server)
    note_restoring(tab)
    tab.start(NEED)
    tab.page.wait_for_url(SIGN_IN_PAGE)
    come_back(tab)
    tab.page.wait_for_url(SIGN_IN_PAGE)
    assert tab.page.evaluate("sessionStorage.shown") == "true", "the page was loaded anew"
    other.run(SIGN_IN)
    come_back(tab)
    tab.expect_text("#target", "Secret of Alice Liddell")
    assert tab.page.evaluate("sessionStorage.shown") == "true", "the page was loaded anew"


def test_a_page_kept_after_a_sign_out_goes_to_the_sign_in_page(
    remembering: BrowserContext, auth_server: AuthServer
) -> None:
    tab = PythonPage(remembering.new_page()).open(f"{auth_server.url}/python.html")
    tab.run(START.replace("refetch_interval=1", "timeout=3"))
    tab.run(SIGN_IN)
    tab.run(NEED)
    answers = [False, True]
    asked = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        if answers.pop(0):
            dialog.accept()
        else:
            dialog.dismiss()

    tab.page.on("dialog", answer)
    tab.page.click("body")  # browsers ask only those who have used the page
    tab.page.evaluate("addEventListener('beforeunload', (event) => event.preventDefault())")
    tab.start("await sign_out(callback_url='/peer-v4.html')")
    # Playwright's own `wait_for_url` takes the navigation that was cancelled for a failure.
    tab.page.wait_for_function("() => location.search.includes('error=SessionRequired')")
    assert asked == ["beforeunload", "beforeunload"]


def test_a_frozen_leader_is_replaced_and_does_no_harm_when_it_wakes(
    ordinary: BrowserContext, auth_server: AuthServer
) -> None:
    leader = open_tab(ordinary, auth_server)
    leader.run(SIGN_IN)
    poll(leader)
    other = open_tab(ordinary, auth_server)
    other.page.bring_to_front()
    leader.page.wait_for_function("() => document.visibilityState === 'hidden'")
    set_lifecycle(leader.page, "frozen")
    poll(other)
    other.run("_ = await provider.update({'name': 'Alice II'}); history.clear()")
    poll(other)
    leader.page.bring_to_front()
    set_lifecycle(leader.page, "active")
    leader.expect_text("#target", "Alice II")
    assert other.run("history") == []
    expect(other.page.locator("#target")).to_have_text("Alice II")


def poll(tab: PythonPage) -> None:
    """Wait until the tab has polled."""
    with tab.page.expect_request_finished(lambda request: request.url.endswith("/api/auth/session")):
        pass
