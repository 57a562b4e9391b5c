"""Requests that Firefox aborts because a link is followed, long before the page is left, if it ever is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Playwright

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import FIREFOX_OPTIONS, prepare
from .python_page import PythonPage

SESSION = "GET /api/auth/session"
SLOW_PAGE = "GET /api/auth/signin"

START = """
    import asyncio, js
    from pyodide.ffi import create_proxy
    from nextauth_py import *
    heard = []
    channel = js.BroadcastChannel.new("nextauth_py")
    channel.onmessage = create_proxy(lambda event: "failed" in event.data and heard.append(event.data))
    provider = SessionProvider(refetch_on_window_focus=False).start()
    provider.subscribe(lambda state: heard.append(str(state.error)))
    provider.on("error", lambda event: heard.append(event.name))
    await provider.ready()
"""

pytestmark = pytest.mark.skipif(
    FIREFOX_OPTIONS is None, reason="there is no Firefox, and none could be installed"
)


@pytest.fixture
def firefox(playwright: Playwright) -> Iterator[BrowserContext]:
    browser = playwright.firefox.launch(**(FIREFOX_OPTIONS or {}))
    context = browser.new_context()
    outside = prepare(context)
    yield context
    browser.close()
    assert outside == []


@pytest.fixture
def tabs(firefox: BrowserContext, auth_server: AuthServer) -> list[PythonPage]:
    """Two tabs in which nothing has been heard since somebody has signed in."""
    tabs = [PythonPage(firefox.new_page()).open(f"{auth_server.url}/python.html") for _ in range(2)]
    for tab in tabs:
        tab.run(START)
    tabs[0].run('_ = await sign_in("credentials", username="alice", password="wonder", redirect=False)')
    for tab in tabs:
        tab.run("while provider.state.data is None: await asyncio.sleep(0.05)\nheard.clear()")
    return tabs


def follow_link(tab: PythonPage, control: ServerControl, link: str) -> None:
    """Follow a link during a request for the session, and wait until that has been sent once more."""
    control.hold(SESSION)
    with tab.page.expect_request("**/api/auth/session"):
        tab.run("asking = asyncio.ensure_future(provider.get_session()); 1")
    while SESSION not in control.requests():
        pass  # each look asks the server
    tab.page.evaluate(
        "link => { document.body.innerHTML = link; setTimeout(() => document.querySelector('a').click()); }",
        link,
    )
    while (sent := [each for each in control.requests() if SESSION in each])[1:] == []:
        pass
    assert sent[0] == f"{SESSION} aborted"


def test_a_link_to_a_slow_page_fails_nothing_in_firefox(
    tabs: list[PythonPage], control: ServerControl
) -> None:
    left, other = tabs
    control.reset()
    control.hold(SLOW_PAGE)
    left.page.evaluate("addEventListener('pagehide', () => (sessionStorage.left = heardHere()), true)")
    left.run("js.window.heardHere = create_proxy(lambda: repr(heard)); 1")
    follow_link(left, control, "<a href='/api/auth/signin'>Slow</a>")
    control.release()
    left.page.wait_for_url("**/api/auth/signin")
    assert left.page.evaluate("sessionStorage.left") == "[]"
    assert other.run("heard") == []


def test_a_download_only_delays_the_answer_in_firefox(tabs: list[PythonPage], control: ServerControl) -> None:
    control.reset()
    attached = {"Content-Disposition": "attachment; filename=a.txt"}
    tabs[0].page.route("**/attached", lambda route: route.fulfill(body="a", headers=attached))
    follow_link(tabs[0], control, "<a href='/attached'>Download</a>")
    assert tabs[0].run("(await asking).user.name") == "Alice Liddell"
    assert [tab.run("heard") for tab in tabs] == [[], []]


def test_a_page_listens_for_being_left_only_during_requests(tabs: list[PythonPage]) -> None:
    tabs[0].page.evaluate("""() => {
        window.listening = [];
        for (const change of ["addEventListener", "removeEventListener"]) {
            const native = window[change];
            window[change] = function (event, ...more) {
                if (event === "beforeunload") listening.push(change);
                return native.call(this, event, ...more);
            };
        }
    }""")
    tabs[0].run("_ = await provider.refetch()")
    assert tabs[0].page.evaluate("listening") == ["addEventListener", "removeEventListener"]
