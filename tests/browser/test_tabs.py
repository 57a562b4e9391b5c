"""Several tabs of a real browser, Python and JavaScript ones, against real servers of both generations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage, wait_until

SESSION = "GET /api/auth/session"
SIGN_OUT, UPDATE = "POST /api/auth/signout", "POST /api/auth/session"

NEW_PROVIDER = """
    from nextauth_py import *
    from nextauth_py.provider import current_provider
    while old := current_provider():
        old.close()
    history = []
    provider = SessionProvider(**options)
    provider.subscribe(lambda state: history.append(state.data.user.name if state.data else state.status))
    provider.start()
    await provider.ready()

    @component("#target")
    def who():
        session = use_session()
        return session.data.user.name if session.data else session.status
"""

SIGN_IN = """
    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    result.ok
"""

# What the server says, whatever any client believes.
RAW = "fetch('/api/auth/session', { cache: 'no-store' }).then((answer) => answer.json())"

JAVASCRIPT_SIGN_IN = "peer.signIn('credentials', { username: 'alice', password: 'wonder', redirect: false })"

# In one second v4 can tell others only once: an equal message is no change of the storage key.
NEXT_SECOND = """
    () => Date.now() / 1000 > JSON.parse(localStorage["nextauth.message"] ?? '{"timestamp":0}').timestamp + 1
"""


@dataclass
class Tabs:
    """Tabs of one browser that share its cookies.

    Attributes:
        python: Tabs in which our client runs.
        peer: A tab of next-auth's own client.
        control: Of the server.
    """

    python: list[PythonPage]
    peer: Page
    control: ServerControl

    def restart(self, **options: Any) -> None:
        """Signed out everywhere, with new providers that have loaded."""
        self.control.reset()
        self.peer.context.clear_cookies()
        self.peer.reload()
        expect(self.peer.locator("#shown")).to_have_text("unauthenticated")  # and it has told of that
        for tab in self.python:
            tab.run(f"options = {options!r}")
            tab.run(NEW_PROVIDER)
        self.expect("unauthenticated")
        self.forget()

    def sign_in(self) -> None:
        """Alice signs in, in the first tab."""
        assert self.python[0].run(SIGN_IN)
        self.expect("Alice Liddell")
        self.forget()

    def forget(self) -> None:
        """Count requests, and remember names, from here."""
        for tab in self.python:
            tab.requests.clear()
            tab.run("history.clear()")

    def expect(self, shown: str) -> None:
        """Every tab shows this name, or status."""
        for tab in self.python:
            tab.expect_text("#target", shown)
        expect(self.peer.locator("#shown")).to_have_text(shown)

    def expect_raw(self, name: str | None) -> None:
        """The server says so half a second later, whatever late answers have done meanwhile, and stays so."""
        for _ in range(2):
            self.peer.evaluate("new Promise((done) => setTimeout(done, 500))")
            raw = self.peer.evaluate(RAW)
            assert (raw or {}).get("user", {}).get("name") == name

    def gets(self) -> int:
        """How many times our tabs have asked for the session."""
        return sum(tab.count(SESSION) for tab in self.python)


def open_python(context: BrowserContext, server: AuthServer) -> PythonPage:
    return PythonPage(context.new_page()).open(f"{server.url}/python.html")


@pytest.fixture(scope="module", params=["v4", "v5"])
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param)


@pytest.fixture(scope="module")
def opened(browser: Browser, server: AuthServer) -> Iterator[Tabs]:
    context = browser.new_context()
    outside = prepare(context)
    python = [open_python(context, server) for _ in range(3)]
    peer = context.new_page()
    peer.goto(f"{server.url}/peer-{server.generation}.html")
    yield Tabs(python, peer, ServerControl(server.url))
    context.close()
    assert outside == []


@pytest.fixture
def tabs(opened: Tabs) -> Tabs:
    opened.restart()
    return opened


def test_the_others_follow_without_asking(tabs: Tabs) -> None:
    first, *others = tabs.python
    assert first.run(SIGN_IN)
    tabs.expect("Alice Liddell")
    first.run("_ = await provider.update({'name': 'Alice II'})")
    tabs.expect("Alice II")
    first.run("_ = await sign_out(redirect=False)")
    tabs.expect("unauthenticated")
    assert [tab.count(SESSION) for tab in others] == [0, 0]
    assert (
        first.count(SESSION) <= 3
    )  # after the sign-in and the sign-out, and a last look for JavaScript's sake


@pytest.mark.parametrize("where", ["this tab", "another tab", "a JavaScript tab"])
def test_a_request_held_anywhere_does_not_undo_a_sign_out(tabs: Tabs, where: str) -> None:
    tabs.sign_in()
    hold_a_read(tabs, where)
    tabs.python[0].run("_ = await sign_out(redirect=False)")
    tabs.control.release()
    tabs.expect("unauthenticated")
    tabs.expect_raw(None)
    assert [tab.run("history") for tab in tabs.python] == [["unauthenticated"]] * 3


@pytest.mark.parametrize("where", ["this tab", "another tab", "a JavaScript tab"])
def test_a_request_held_anywhere_does_not_undo_an_update(tabs: Tabs, where: str) -> None:
    tabs.sign_in()
    hold_a_read(tabs, where)
    tabs.python[0].run("_ = await provider.update({'name': 'Alice II'})")
    tabs.control.release()
    for tab in tabs.python:
        tab.expect_text("#target", "Alice II")
    tabs.expect_raw("Alice II")
    assert [tab.run("history") for tab in tabs.python] == [["Alice II"]] * 3


def hold_a_read(tabs: Tabs, where: str) -> None:
    """Begin to ask for the session; the server reads the cookie, and keeps its answer."""
    tabs.control.hold(SESSION)
    if where == "a JavaScript tab":
        with tabs.peer.expect_request("**/session"):
            tabs.peer.evaluate("() => void peer.getSession()")
    else:
        tab = tabs.python[0 if where == "this tab" else 1]
        with tab.page.expect_request("**/session"):
            tab.run("import asyncio; _ = asyncio.ensure_future(provider.refetch())")


def test_a_javascript_tab_follows_ours_and_ours_follow_it(tabs: Tabs) -> None:
    tabs.sign_in()
    tabs.python[1].run("_ = await provider.update({'name': 'Alice II'})")
    tabs.expect("Alice II")
    tabs.peer.evaluate("() => peer.update({ name: 'Alice III' })")
    tabs.expect("Alice III")
    tabs.peer.evaluate("() => peer.signOut({ redirect: false })")
    tabs.expect("unauthenticated")


def test_a_javascript_tabs_sign_in_is_followed_when_it_tells_of_it(tabs: Tabs) -> None:
    tabs.peer.evaluate(f"() => {JAVASCRIPT_SIGN_IN}")  # which tells nobody
    tabs.peer.wait_for_function(NEXT_SECOND)
    tabs.peer.evaluate("() => peer.getSession().then(() => null)")
    tabs.expect("Alice Liddell")
    assert tabs.gets() == 1


def test_a_javascript_tabs_messages_cost_one_request_each_and_start_no_storm(tabs: Tabs) -> None:
    tabs.sign_in()
    before = len(tabs.control.requests())
    tabs.peer.evaluate("() => peer.signOut({ redirect: false })")
    tabs.expect("unauthenticated")
    assert tabs.gets() == 1
    tabs.peer.evaluate("new Promise((done) => setTimeout(done, 1000))")  # in which a storm would show
    assert tabs.gets() == 1
    assert len(tabs.control.requests()) - before <= 5


def test_all_tabs_together_have_one_poller(tabs: Tabs) -> None:
    tabs.restart(refetch_interval=3)
    tabs.sign_in()
    leader = None
    for _ in range(3):
        with tabs.peer.context.expect_event(
            "requestfinished", lambda request: request.url.endswith("/session"), timeout=60_000
        ) as poll:
            pass
        page = poll.value.frame.page
        assert leader in {None, page}
        leader = page


def test_a_leader_that_is_closed_is_replaced(tabs: Tabs) -> None:
    tabs.restart(refetch_interval=1)
    tabs.sign_in()
    with tabs.peer.context.expect_event(
        "requestfinished", lambda request: request.url.endswith("/session")
    ) as poll:
        pass
    leader = next(tab for tab in tabs.python if tab.page == poll.value.frame.page)
    leader.run("provider.close()")
    with tabs.peer.context.expect_event(
        "requestfinished", lambda request: request.url.endswith("/session")
    ) as poll:
        pass
    assert poll.value.frame.page != leader.page


def test_a_new_tab_costs_one_request_and_changes_no_other_tab(tabs: Tabs, server: AuthServer) -> None:
    tabs.sign_in()
    new = open_python(tabs.peer.context, server)
    new.run("options = {}")
    new.run(NEW_PROVIDER)
    new.expect_text("#target", "Alice Liddell")
    assert (new.count(SESSION), tabs.gets()) == (1, 0)
    assert [tab.run("history") for tab in tabs.python] == [[], [], []]
    new.page.close()


def test_a_sign_in_that_leaves_the_page_is_followed(tabs: Tabs) -> None:
    leaving, *others = tabs.python
    with leaving.page.expect_navigation():
        leaving.start("await sign_in('credentials', username='alice', password='wonder')")
    for tab in others:
        tab.expect_text("#target", "Alice Liddell")
    leaving.page.wait_for_function("() => Boolean(window.runPython)")


def test_a_leader_that_crashes_is_replaced(context: BrowserContext, auth_server: AuthServer) -> None:
    first, second = (open_python(context, auth_server) for _ in range(2))
    for tab in (first, second):
        tab.run("options = {'refetch_interval': 1}")
        tab.run(NEW_PROVIDER)
    assert first.run(SIGN_IN)
    second.expect_text("#target", "Alice Liddell")
    with first.page.expect_request_finished(lambda request: request.url.endswith("/session")):
        pass
    with first.page.expect_event("crash"), suppress(Error):
        first.page.goto("chrome://crash")
    with second.page.expect_request_finished(lambda request: request.url.endswith("/session")):
        pass
    second.expect_text("#target", "Alice Liddell")


@pytest.mark.timeout(900)  # twenty Pythons boot
def test_twenty_tabs_have_one_poller(context: BrowserContext, auth_server: AuthServer) -> None:
    tabs = [open_python(context, auth_server) for _ in range(20)]
    for tab in tabs:
        tab.run("options = {'refetch_interval': 5}")
        tab.run(NEW_PROVIDER)
    assert tabs[0].run(SIGN_IN)
    for tab in tabs:
        tab.expect_text("#target", "Alice Liddell")
        tab.requests.clear()
    for _ in range(3):
        with context.expect_event("requestfinished", lambda request: request.url.endswith("/session")):
            pass
    *others, poller = sorted(tab.count(SESSION) for tab in tabs)
    assert others == [0] * 19
    assert poller >= 3  # on a slow machine one ends between two waits


# --- what a browser may lack ---

MISSING = {
    "BroadcastChannel": "delete window.BroadcastChannel",
    "a BroadcastChannel that opens": "window.BroadcastChannel = class { constructor() { throw Error() } }",
    "localStorage": "Object.defineProperty(window, 'localStorage', { get() { throw Error('no') } })",
    "Web Locks": "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })",
    "all of them": """
        delete window.BroadcastChannel;
        Object.defineProperty(window, 'localStorage', { get() { throw Error('no') } });
        Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
    """,
}


@pytest.mark.parametrize("missing", MISSING)
def test_missing_browser_features_do_not_break_the_rest(
    context: BrowserContext, auth_server: AuthServer, missing: str
) -> None:
    first, second = (open_python(context, auth_server) for _ in range(2))
    for tab in (first, second):
        tab.page.evaluate(f"() => {{ {MISSING[missing]} }}")  # PyScript itself cannot start without some
        tab.run("options = {'refetch_interval': 1}")
        tab.run(NEW_PROVIDER)
    assert first.run(SIGN_IN)
    first.expect_text("#target", "Alice Liddell")
    if missing == "all of them":
        second.run("_ = await provider.refetch()")
    second.expect_text("#target", "Alice Liddell")
    assert (
        first.page.evaluate(
            "() => { try { return JSON.stringify(localStorage) } catch { return '' } }"
        ).count("Alice")
        == 0
    )
    first.run("_ = await sign_out(redirect=False)")
    second.expect_text("#target", "unauthenticated")
    for tab in (first, second):
        tab.expect_no_error_box()


# --- the end of a provider ---

COUNT_EVERYTHING = """
    window.open_ = { channels: 0, listeners: 0 };
    const Channel = window.BroadcastChannel;
    window.BroadcastChannel = class extends Channel {
      constructor(name) { super(name); open_.channels += 1; }
      close() { super.close(); open_.channels -= 1; }
    };
    for (const target of [EventTarget.prototype]) {
      const { addEventListener, removeEventListener } = target;
      const ours = new Set(["storage", "message", "visibilitychange", "online", "offline",
                            "pagehide", "pageshow", "freeze", "resume"]);
      const targets = (it) => it === window || it === document || it instanceof Channel;
      const isOurs = (it, type) => ours.has(type) && targets(it);
      target.addEventListener = function (type, ...rest) {
        if (isOurs(this ?? window, type)) open_.listeners += 1;
        return addEventListener.call(this ?? window, type, ...rest);
      };
      target.removeEventListener = function (type, ...rest) {
        if (isOurs(this ?? window, type)) open_.listeners -= 1;
        return removeEventListener.call(this ?? window, type, ...rest);
      };
    }
"""


def test_a_hundred_starts_leave_nothing_behind(context: BrowserContext, auth_server: AuthServer) -> None:
    context.add_init_script(COUNT_EVERYTHING)
    tab = open_python(context, auth_server)
    tab.run("""
        from nextauth_py import *
    """)
    before = tab.page.evaluate("({ ...open_ })")
    tab.run("""
        for _ in range(100):
            provider = SessionProvider(refetch_interval=5).start()
            await provider.ready()
            provider.close()
        provider = SessionProvider(refetch_interval=5).start()
    """)
    wait_until(tab.page, "async () => (await navigator.locks.query()).held.length === 1")
    tab.run("provider.close()")
    assert tab.page.evaluate("({ ...open_ })") == before
    locks = tab.page.evaluate("navigator.locks.query()")
    assert (locks["held"], locks["pending"]) == ([], [])
    tab.expect_no_error_box()
