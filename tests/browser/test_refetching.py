"""Always right about now, in a real browser against real servers: failures, network, expiry, renewal."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .python_page import PythonPage

SESSION, CSRF = "GET /api/auth/session", "GET /api/auth/csrf"
HOUR = 60 * 60

START = """
    import time
    from nextauth_py import *
    history, events = [], []
    provider = SessionProvider(**options)
    provider.subscribe(lambda state: history.append([state.status, state.stale]))
    for name in ("signed_in", "signed_out", "updated", "expired", "error"):
        provider.on(name, lambda event: events.append([event.name, event.reason]))
    provider.start()
    await provider.ready()

    @component("#target")
    def who():
        session = use_session()
        shown = session.data.user.name if session.data else session.status
        return shown + (", not confirmed" if session.error else "")

    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    history.clear(), events.clear()
    result.ok
"""

# How the server fails: status, content type, body; None drops the connection.
FAILURES: list[tuple[int, str, str] | None] = [
    None,
    (500, "application/json", '{"message": "down"}'),
    (502, "text/html", "<h1>Bad gateway</h1>"),
    (404, "text/html", "<h1>Not found</h1>"),
    (401, "text/html", "<h1>Log in</h1>"),
    (429, "application/json", "{}"),
    (200, "text/html", "<h1>Log in</h1>"),
    (200, "application/json", '{"user": '),
    (200, "application/json", '{"user": {}, "expires": "soon"}'),
]


def open_signed_in(page: Page, server: AuthServer, **options: Any) -> PythonPage:
    python = PythonPage(page).open(f"{server.url}/python.html")
    python.run(f"options = {options!r}")
    assert python.run(START)
    python.requests.clear()
    return python


@pytest.fixture(scope="session", params=["v4", "v5"])
def short_server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    """A server whose sessions last for four seconds."""
    return start_server(generation=request.param, max_age=4)


@pytest.mark.parametrize("seed", range(3))
def test_a_server_that_fails_in_any_order_signs_nobody_out(
    page: Page, auth_server: AuthServer, control: ServerControl, seed: int
) -> None:
    python = open_signed_in(page, auth_server)
    chosen = random.Random(seed).choices(FAILURES, k=3)
    for failure in chosen:
        if failure is None:
            control.drop(SESSION)
        else:
            status, kind, body = failure
            control.answer(SESSION, body, status=status, kind=kind)
    python.run("_ = await provider.refetch()")
    python.expect_text("#target", "Alice Liddell, not confirmed")
    python.expect_text("#target", "Alice Liddell")
    assert {status for status, _ in python.run("history")} == {"authenticated"}
    assert python.count(SESSION) == len(chosen) + 1
    python.expect_no_error_box()


def test_a_failed_first_load_shows_the_session_when_the_server_is_back(
    page: Page, auth_server: AuthServer, control: ServerControl
) -> None:
    control.answer(SESSION, "<h1>Bad gateway</h1>", status=502, kind="text/html", times=2)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    loaded = python.run("""
        from nextauth_py import *
        provider = SessionProvider().start()
        state = await provider.ready()

        @component("#target")
        def status():
            return use_session().status

        [state.status, state.error.status]
    """)
    assert loaded == ["loading", 502]
    python.expect_text("#target", "unauthenticated")


def test_losing_the_network_keeps_the_session_and_its_return_is_noticed_at_once(
    page: Page, auth_server: AuthServer
) -> None:
    python = open_signed_in(page, auth_server)
    page.context.set_offline(True)
    python.run("_ = await provider.refetch()")
    assert python.run("[provider.state.status, provider.state.stale]") == ["authenticated", True]
    python.requests.clear()
    page.context.set_offline(False)
    python.expect_text("#target", "Alice Liddell")
    assert python.run("events") == [["error", "refetch"]]
    assert python.requests == [SESSION]


def test_a_sign_out_while_offline_elsewhere_shows_on_the_networks_return(
    page: Page, auth_server: AuthServer
) -> None:
    python = open_signed_in(page, auth_server)
    page.context.set_offline(True)
    page.context.clear_cookies()
    page.context.set_offline(False)
    python.expect_text("#target", "unauthenticated")
    assert python.run("events") == [["signed_out", "online"]]


def test_a_burst_of_events_costs_one_request(page: Page, auth_server: AuthServer) -> None:
    page.clock.install()
    python = open_signed_in(page, auth_server)
    page.clock.fast_forward(10_000)
    with page.expect_request_finished(lambda request: request.url.endswith("/session")):
        page.evaluate("""
            for (let i = 0; i < 50; i++) {
                dispatchEvent(new Event("focus"));
                document.dispatchEvent(new Event("visibilitychange"));
                dispatchEvent(new Event("online"));
            }
        """)
    python.run("""
        import asyncio
        while provider.state.refreshing:
            await asyncio.sleep(0.01)
    """)
    assert python.count(SESSION) == 1
    assert python.run("history") == []


def test_a_session_ends_when_it_ends(page: Page, short_server: AuthServer) -> None:
    python = open_signed_in(page, short_server)
    ends = python.run("ends = provider.session.expires.timestamp(); ends")
    python.expect_text("#target", "unauthenticated")
    assert python.run("events") == [["expired", "expiry"], ["signed_out", "expiry"]]
    assert python.run("time.time()") > ends
    assert python.count(SESSION) == 1


@pytest.mark.parametrize("hours", [1, -1, 24, -24])
def test_a_session_ends_in_its_time_though_the_clock_is_wrong(
    page: Page, start_server: Callable[..., AuthServer], hours: int
) -> None:
    wrong = time.time() + hours * HOUR
    page.clock.install(time=wrong)
    python = open_signed_in(page, start_server(max_age=4))
    assert wrong <= python.run("time.time()") < wrong + HOUR / 2
    python.expect_text("#target", "unauthenticated")
    assert python.run("events") == [["expired", "expiry"], ["signed_out", "expiry"]]
    assert python.count(SESSION) == 1


def test_a_clock_that_jumps_ahead_extends_no_session(
    page: Page, start_server: Callable[..., AuthServer]
) -> None:
    page.clock.install()
    python = open_signed_in(page, start_server(max_age=HOUR))
    with page.expect_request_finished(lambda request: request.url.endswith("/csrf")):
        page.clock.fast_forward("08:00:00")
    page.clock.fast_forward("00:02:00")
    python.expect_text("#target", "Alice Liddell")
    assert python.requests == [CSRF]


def test_a_laptop_that_wakes_up_polls_once(page: Page, auth_server: AuthServer) -> None:
    page.clock.install()
    python = open_signed_in(page, auth_server, refetch_interval=60)
    with page.expect_request_finished(lambda request: request.url.endswith("/session")):
        page.clock.fast_forward("08:00:00")
    with page.expect_request_finished(lambda request: request.url.endswith("/session")):
        page.clock.fast_forward("00:01:01")
    assert python.count(SESSION) == 2
    assert python.run("history") == []


def test_using_the_page_keeps_its_visitor_signed_in(page: Page, short_server: AuthServer) -> None:
    python = open_signed_in(page, short_server, renew_before_expiry=2)
    ends = python.run("provider.session.expires.timestamp()")
    page.wait_for_function(f"() => Date.now() / 1000 > {ends} - 1.8")
    with page.expect_request_finished(lambda request: request.url.endswith("/session")):
        page.keyboard.press("a")
    python.run("await provider.ready(); 1")
    page.wait_for_function(f"() => Date.now() / 1000 > {ends} + 0.5")
    python.expect_text("#target", "Alice Liddell")
    python.expect_text("#target", "unauthenticated")  # nobody has touched it since
    assert python.run("[name for name, _ in events]") == ["expired", "signed_out"]


def test_debug_explains_itself_in_the_console(page: Page, auth_server: AuthServer) -> None:
    lines: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "info":
            lines.append(message.text)

    page.on("console", note)
    python = open_signed_in(page, auth_server, debug=True)
    assert any(line.endswith(": asks (load)") for line in lines)
    assert any(line.endswith(": begins: sign_in") for line in lines)
    assert not any("alice" in line.lower() or "wonder" in line for line in lines)
    python.expect_no_error_box()


def test_the_demo_shows_the_trace(page: Page, auth_server: AuthServer) -> None:
    page.goto(f"{auth_server.url}/demo/state.html")
    expect(page.locator(".trace li").filter(has_text="takes what was asked for ahead (load)")).to_be_visible()
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".trace li").filter(has_text="asks (refetch)")).to_be_visible()
    expect(page.locator(".py-error")).to_have_count(0)
