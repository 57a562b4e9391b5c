"""The server that the other tests lean on: it is a real one, and does as its control says."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

SESSION = "GET /api/auth/session"
READ_SESSION = "fetch('/api/auth/session', {cache: 'no-store'}).then(answer => answer.json())"


def sign_in(page: Page, server: AuthServer) -> None:
    """Sign in on NextAuth's own page."""
    page.goto(f"{server.url}/api/auth/signin")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.get_by_role("button").click()
    page.wait_for_url(f"{server.url}/")
    page.goto(f"{server.url}/api/auth/csrf")  # any page on which scripts may fetch


def test_its_own_pages_sign_in(page: Page, auth_server: AuthServer) -> None:
    sign_in(page, auth_server)
    assert page.evaluate(READ_SESSION)["user"]["name"] == "Alice Liddell"


def test_it_refuses_a_wrong_password(page: Page, auth_server: AuthServer) -> None:
    page.goto(f"{auth_server.url}/api/auth/signin")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("no")
    page.get_by_role("button").click()
    page.wait_for_url("**/signin?error=CredentialsSignin")


def test_a_held_answer_comes_when_it_is_released(
    page: Page, auth_server: AuthServer, control: ServerControl
) -> None:
    sign_in(page, auth_server)
    control.reset()
    control.hold(SESSION)
    with page.expect_request("**/session"):
        page.evaluate(f"window.arrived = false; void {READ_SESSION}.then(() => window.arrived = true)")
    assert page.evaluate(READ_SESSION)["user"]["name"] == "Alice Liddell"  # the second is not held
    assert page.evaluate("window.arrived") is False
    control.release()
    page.wait_for_function("window.arrived")
    assert control.requests() == [SESSION, SESSION]


def test_answers_can_be_replaced_and_dropped(
    page: Page, auth_server: AuthServer, control: ServerControl
) -> None:
    page.goto(f"{auth_server.url}/api/auth/csrf")
    control.answer(SESSION, json.dumps({"a": 1}), status=500)
    assert page.evaluate("fetch('/api/auth/session').then(answer => answer.status)") == 500
    control.drop(SESSION)
    assert page.evaluate(f"{READ_SESSION}.catch(() => 'dropped')") == "dropped"
    assert page.evaluate(READ_SESSION) == {}
    expect(page.locator("body")).to_be_visible()
