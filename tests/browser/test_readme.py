"""Every example of the README runs, and does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from demo.serve import AuthServer, install_server

from .python_page import PythonPage

README = Path(__file__).parents[2] / "README.md"


def blocks(language: str) -> list[str]:
    """The README's code blocks in a language."""
    return re.findall(rf"```{language}\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


PAGE, PROVIDER, CALLS, LEAVING = blocks("python")


def test_the_page_in_ten_lines_signs_out(page: Page, bundle: Path, tmp_path: Path) -> None:
    install_server()
    (tmp_path / "index.html").write_text(blocks("html")[0], "utf-8")
    (tmp_path / "main.py").write_text(PAGE, "utf-8")
    with AuthServer({"/static/dist": bundle, "/": tmp_path}) as server:
        page.goto(f"{server.url}/api/auth/signin")
        page.get_by_label("User").fill("alice")
        page.get_by_label("Password").fill("wonder")
        page.get_by_role("button").click()
        expect(page.locator("#account p")).to_have_text("Signed in as Alice Liddell")
        with page.expect_navigation():
            page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Sign in")).to_be_visible()


def test_the_readmes_overview_runs(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(PROVIDER + "\n1")
    python.run(CALLS + "\n1")
    assert python.run("[result.ok, status, provider.state.status]") == [
        True,
        "authenticated",
        "unauthenticated",
    ]
    python.expect_no_error_box()


@pytest.mark.parametrize("call", LEAVING.splitlines())
def test_calls_that_leave_the_page_leave_it(page: Page, auth_server: AuthServer, call: str) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(PROVIDER + "\n1")
    with page.expect_navigation():
        python.start(f"from nextauth_py import *\n{call}")
    assert "/python.html" not in page.url
