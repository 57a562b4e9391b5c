"""The demo as a visitor sees it."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from demo.serve import AuthServer

from .python_page import ERROR_BOX


@pytest.fixture
def demo(auth_server: AuthServer) -> str:
    return f"{auth_server.url}/demo"


def sign_in(page: Page, name: str = "alice", password: str = "wonder") -> None:
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_visitor_signs_in_changes_the_name_and_signs_out(page: Page, demo: str) -> None:
    page.goto(f"{demo}/index.html")
    page.get_by_role("button", name="alice").click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading")).to_have_text("Alice Liddell")
    page.get_by_label("New name").fill("Alice II")
    page.get_by_role("button", name="Change name").click()
    expect(page.get_by_role("heading")).to_have_text("Alice II")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    expect(page.locator(ERROR_BOX)).to_have_count(0)


def test_a_wrong_password_is_shown_and_can_be_corrected(page: Page, demo: str) -> None:
    page.goto(f"{demo}/index.html")
    sign_in(page, password="no")
    expect(page.get_by_role("alert")).to_have_text("That name and password do not go together.")
    sign_in(page)
    expect(page.get_by_role("heading")).to_have_text("Alice Liddell")


def test_the_live_page_follows_another_tab(context: BrowserContext, demo: str) -> None:
    live, account = context.new_page(), context.new_page()
    live.goto(f"{demo}/state.html")
    account.goto(f"{demo}/index.html")
    expect(live.locator(".pill")).to_have_text("unauthenticated")
    sign_in(account)
    expect(live.locator(".pill")).to_have_text("authenticated")
    expect(live.locator(".log li").filter(has_text="signed_in")).to_contain_text("told by another tab")
    live.get_by_role("button", name="Sign out").click()
    expect(account.get_by_role("heading")).to_have_text("Sign in")


def test_each_button_of_the_live_page_is_logged(page: Page, demo: str) -> None:
    page.goto(f"{demo}/state.html")
    log = page.locator(".log li")
    for button, entry in (
        ("Ask again", "answered"),
        ("Wrong password", "refused: CredentialsSignin"),
        ("Sign in as bob", "signed_in"),
        ("Update the name", "updated"),
        ("Sign out", "signed_out"),
    ):
        page.get_by_role("button", name=button).click()
        expect(log.filter(has_text=entry).first).to_be_visible()


def test_while_python_loads_the_page_says_so(page: Page, demo: str) -> None:
    held: list[Route] = []
    page.route("**/pyodide.{bin,asm.wasm}", lambda route: held.append(route))  # noqa: PLW0108 - no builtins here
    page.goto(f"{demo}/index.html")
    expect(page.get_by_role("heading")).to_have_text("Starting Python")
    expect(page.get_by_role("progressbar")).to_be_visible()
    for route in held:
        route.abort()


@pytest.mark.parametrize("missing", ["core.js", "pyodide.{bin,asm.wasm}", "{snapshot.bin,pydantic-*.whl}"])
def test_a_page_that_cannot_load_python_says_so(page: Page, demo: str, missing: str) -> None:
    page.route(f"**/{missing}", lambda route: route.abort())
    page.goto(f"{demo}/index.html")
    expect(page.get_by_role("alert")).to_contain_text("This page is not complete")
    expect(page.locator(".boot")).to_have_count(0)


def test_a_page_that_could_not_load_python_can_be_tried_again(page: Page, demo: str) -> None:
    page.route("**/core.js", lambda route: route.abort())
    page.goto(f"{demo}/index.html")
    expect(page.get_by_role("alert")).to_be_visible()
    page.unroute("**/core.js")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading")).to_have_text("Sign in")


def test_a_picture_that_is_missing_does_not_keep_python_from_coming(page: Page, demo: str) -> None:
    held: list[Route] = []
    page.route("**/core.js", lambda route: held.append(route))  # noqa: PLW0108 - no builtins here
    page.goto(f"{demo}/index.html", wait_until="commit")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.evaluate("""() => new Promise((failed) => {
        const image = Object.assign(new Image(), { src: "/nowhere.png", alt: "", onerror: failed });
        document.body.append(image);
    })""")
    expect(page.get_by_role("progressbar")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    expect(page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_fit_the_screen(page: Page, demo: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name in ("index.html", "state.html"):
        page.goto(f"{demo}/{name}")
        expect(page.locator(".boot")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
