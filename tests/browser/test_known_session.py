"""A session that a page knows before Python starts: how old it is, and when it is asked for again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from demo.serve import AuthServer
from nextauth_py.testing import sign_in_as
from tests.servers.control import ServerControl

from .python_page import PythonPage

SESSION = "GET /api/auth/session"

START = """
    import asyncio
    import time
    import js
    from nextauth_py import *

    def made_at():
        ahead = getattr(js.window, "nextauthSession", None)
        return (ahead.at if ahead else js.performance.timeOrigin) / 1000

    made = made_at()
    provider = SessionProvider(refetch_interval=30, renew_before_expiry=10).start()
    state = await provider.ready()
    while not provider.engine._driver.poller.leader.rank:
        await asyncio.sleep(0.01)
    [state.data.user.name if state.data else state.status, provider.engine._driver._fires_at - made]
"""


@pytest.fixture
def open_page(context: BrowserContext, auth_server: AuthServer) -> Callable[..., PythonPage]:
    def open_page(name: str) -> PythonPage:
        return PythonPage(context.new_page()).open(f"{auth_server.url}/{name}")

    return open_page


@pytest.mark.parametrize(
    ("name", "shown", "requests"),
    [("embedded.html", "Embedded <b>", 0), ("prefetch.html", "Alice Liddell", 1)],
)
def test_with_an_interval_too_it_is_asked_for_once_at_most_and_its_own_age_counts(
    context: BrowserContext,
    auth_server: AuthServer,
    control: ServerControl,
    open_page: Callable[..., PythonPage],
    *,
    name: str,
    shown: str,
    requests: int,
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    python = open_page(name)
    found, wait = python.run(START)
    assert (found, round(wait, 1)) == (shown, 30)
    assert control.requests() == [SESSION] * requests


def test_a_given_one_is_as_of_the_start(open_page: Callable[..., PythonPage], control: ServerControl) -> None:
    python = open_page("python.html")
    python.run("""
        alice = {"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}
        def given(**options):
            return SessionProvider(alice, **options)
    """)
    code = START.replace("SessionProvider(", "given(").replace(
        "made_at()\n    provider", "time.time()\n    provider"
    )
    found, wait = python.run(code)
    assert found == "Alice"
    assert 30 <= wait < 60
    assert control.requests() == []


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_sign_out_in_another_tab_while_python_boots_is_noticed(
    auth_server: AuthServer,
    open_page: Callable[..., PythonPage],
    *,
    is_closed: bool,
) -> None:
    other = open_page("python.html")
    other.run("""
        from nextauth_py import *
        provider = SessionProvider().start()
        _ = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    """)
    python = open_page("embedded.html")  # its session is embedded, and Python has not looked yet
    other.run("_ = await sign_out(redirect=False)")
    if is_closed:
        other.page.close()
    assert python.run("""
        from nextauth_py import *
        provider = SessionProvider().start()
        state = await provider.ready()
        [state.status, provider.state.status]
    """) == ["unauthenticated", "unauthenticated"]
    assert python.count(SESSION) == 1


def test_the_others_tell_where_nothing_is_stored(open_page: Callable[..., PythonPage]) -> None:
    other = open_page("python.html")
    other.run("""
        from nextauth_py import *
        provider = SessionProvider().start()
        _ = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    """)
    python = open_page("embedded.html")
    other.run("_ = await sign_out(redirect=False)")
    python.page.evaluate("localStorage.clear()")
    python.run("""
        import asyncio
        from nextauth_py import *
        provider = SessionProvider().start()
        async with asyncio.timeout(10):
            while provider.state.status != "unauthenticated":
                await asyncio.sleep(0.01)
    """)
    assert python.count(SESSION) == 1


@pytest.mark.parametrize("name", ["index.html", "state.html"])
def test_each_load_of_a_page_of_the_demo_asks_once(
    context: BrowserContext, auth_server: AuthServer, control: ServerControl, name: str
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    page = context.new_page()
    page.goto(f"{auth_server.url}/demo/{name}")
    for _ in range(3):
        expect(page.locator("body")).to_contain_text("Alice Liddell")
        page.wait_for_function("() => !window.nextauthSession")
        page.evaluate("fetch('/api/auth/csrf').then((answer) => answer.text())")
        page.reload()
    expect(page.locator("body")).to_contain_text("Alice Liddell")
    assert control.requests().count(SESSION) == 4
