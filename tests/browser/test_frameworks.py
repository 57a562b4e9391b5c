"""The sites in Starlette, FastAPI, Flask and Django behind a real auth server, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.frameworks import COMMANDS, PythonServer, free_port
from demo.serve import AuthServer, install_server
from nextauth_py.testing import sign_in_as

from .conftest import ROOT

# Each with one generation: what differs between them is tested without a browser.
SITES = list(zip(sorted(COMMANDS), ["v4", "v5", "v4", "v5"], strict=True))


@pytest.fixture(params=SITES, ids=lambda site: site[0])
def site(request: pytest.FixtureRequest, bundle: Path) -> Iterator[str]:
    """Its address."""
    framework, generation = request.param
    install_server()
    port = free_port()
    mounts = {"/static/dist": bundle, "/pages": ROOT / "demo/pages"}
    with ExitStack() as running:
        auth = AuthServer(mounts, generation=generation, behind=f"http://127.0.0.1:{port}")
        url = running.enter_context(auth).url
        running.enter_context(PythonServer(framework, port=port, auth_url=url))
        yield url


def asked_for(page: Page) -> list[str]:
    """The auth routes that the page asks for from now on."""
    asked: list[str] = []

    def note(url: str, kind: str) -> None:
        if "/api/auth/" in url and kind == "fetch":
            asked.append(url.partition("/api/auth/")[2])

    page.on("request", lambda request: note(request.url, request.resource_type))
    return asked


def test_a_visit(page: Page, site: str) -> None:
    asked = asked_for(page)
    page.goto(site)
    account = page.locator("#account")
    expect(account).to_contain_text("Nobody is signed in.")
    account.get_by_role("button", name="Ask").click()
    expect(account.locator("output")).to_contain_text("401: ")
    assert asked == []

    page.goto(f"{site}/admin")
    page.wait_for_url("**/api/auth/signin?**")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.get_by_role("button", name="Sign in with Password").click()
    expect(page.get_by_role("heading")).to_have_text("For admins")

    asked.clear()
    page.get_by_role("link", name="Back").click()
    expect(account).to_contain_text("Hello, Alice Liddell")
    account.get_by_role("button", name="Ask").click()
    expect(account.locator("output")).to_contain_text("200: ")
    expect(account.locator("output")).to_contain_text('"Alice Liddell"')
    assert asked == []

    with page.expect_navigation():
        account.get_by_role("button", name="Sign out").click()
    expect(account).to_contain_text("Nobody is signed in.")
    assert "session" in asked  # with which the sign-out was checked


def test_a_role_that_one_does_not_have(page: Page, site: str) -> None:
    sign_in_as(page, base_url=site, username="bob", password="builder")
    page.goto(f"{site}/admin")
    page.wait_for_url("**/api/auth/error?error=AccessDenied")
