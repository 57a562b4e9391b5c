"""The README's page does what the README says."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from demo.serve import AuthServer, install_server

README = Path(__file__).parents[2] / "README.md"


def block(language: str) -> str:
    """The README's first code block in a language."""
    found = re.search(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


def test_the_page_in_ten_lines_signs_out(page: Page, bundle: Path, tmp_path: Path) -> None:
    install_server()
    (tmp_path / "index.html").write_text(block("html"), "utf-8")
    (tmp_path / "main.py").write_text(block("python"), "utf-8")
    with AuthServer({"/static/dist": bundle, "/": tmp_path}) as server:
        page.goto(f"{server.url}/api/auth/signin")
        page.get_by_label("User").fill("alice")
        page.get_by_label("Password").fill("wonder")
        page.get_by_role("button").click()
        expect(page.locator("#account p")).to_have_text("Signed in as Alice Liddell")
        with page.expect_navigation():
            page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()
