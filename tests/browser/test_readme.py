"""The README's page does what the README says."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from demo.serve import AuthServer

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    """The README's first code block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_page_in_ten_lines_signs_out(page: Page, auth_server: AuthServer) -> None:
    url = auth_server.url
    page.route(f"{url}/readme", lambda route: route.fulfill(body=block("html"), content_type="text/html"))
    page.route(
        f"{url}/main.py", lambda route: route.fulfill(body=block("python"), content_type="text/x-python")
    )
    page.goto(f"{url}/api/auth/signin")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.get_by_role("button").click()
    page.wait_for_url(f"{url}/")
    page.goto(f"{url}/readme")
    expect(page.locator("#account p")).to_have_text("Signed in as Alice Liddell")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
