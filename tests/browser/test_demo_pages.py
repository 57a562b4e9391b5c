"""The demo's pages beyond the account page, on both generations, and what axe finds on all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from demo.serve import AuthServer
from tests.peers import DIST

from .python_page import ERROR_BOX
from .test_popups import sign_in_at_provider

PAGES = [
    "index.html",
    "guarded.html",
    "admin.html",
    "denied.html",
    "ways.html",
    "way-component.html",
    "way-bind.html",
    "way-html.html",
    "tabs.html",
    "state.html",
    "mail.html",
]


@pytest.fixture(scope="session", params=["v4", "v5"])
def full_server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    """With e-mail, an identity provider, and the switches of the demo."""
    return start_server(generation=request.param, services=True, exercises=True)


@pytest.fixture
def demo(full_server: AuthServer, page: Page) -> Iterator[str]:
    page.request.post(f"{full_server.url}/__demo/mode?mode=works")
    yield f"{full_server.url}/demo"
    page.request.post(f"{full_server.url}/__demo/mode?mode=works")


def sign_in(page: Page, demo: str, name: str = "alice", password: str = "wonder") -> None:
    """As a visitor of the account page."""
    page.goto(f"{demo}/index.html")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading")).to_be_focused()


def violations(page: Page) -> list[str]:
    """What axe finds, in a line each."""
    page.evaluate((DIST / "axe.js").read_text("utf-8"))
    found = page.evaluate("axe.run().then(({ violations }) => violations)")
    return [f"{each['id']}: {[node['html'] for node in each['nodes']]}" for each in found]


def test_the_focus_and_the_news_follow_a_visitor(page: Page, demo: str) -> None:
    sign_in(page, demo)
    expect(page.get_by_role("status")).to_have_text("Signed in as Alice Liddell")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("User name")).to_be_focused()
    expect(page.get_by_role("status")).to_have_text("Signed out")


def test_a_button_that_is_pressed_early_waits_for_python(page: Page, demo: str) -> None:
    held: list[Route] = []
    page.route("**/pyodide/interpreter.mjs", lambda route: held.append(route))  # noqa: PLW0108 - no builtins here
    with page.expect_request("**/pyodide/interpreter.mjs"):
        page.goto(f"{demo}/way-html.html", wait_until="commit")
    button = page.get_by_role("button", name="Sign in")
    button.click()
    expect(button).to_have_css("cursor", "progress")
    held[0].continue_()
    page.wait_for_url("**/api/auth/signin?**")


def test_a_visitor_signs_in_by_mail(page: Page, demo: str) -> None:
    page.goto(f"{demo}/index.html")
    page.get_by_label("E-mail address").fill("carol@example.com")
    page.get_by_role("button", name="Sign in by e-mail").click()
    expect(page.get_by_role("alert")).to_contain_text("A link is on its way")
    page.goto(f"{demo}/mail.html")
    page.get_by_role("listitem").filter(has_text="carol@example.com").get_by_role("link").first.click()
    expect(page.locator("#account")).to_contain_text("carol@example.com")


def test_a_visitor_signs_in_at_an_identity_provider(page: Page, demo: str) -> None:
    page.goto(f"{demo}/index.html")
    page.get_by_label("User name").fill("half a name")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Sign in with Local OIDC").click()
    window = popup.value
    window.locator("input[name=login]").fill("dora")
    window.locator("input[name=password]").fill("anything")
    window.get_by_role("button").click()
    expect(page.get_by_label("User name")).to_have_value("half a name")
    with window.expect_event("close"):
        window.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading")).to_have_text("OIDC dora")


def test_a_visitor_reads_why_an_identity_providers_user_is_refused(page: Page, demo: str) -> None:
    page.goto(f"{demo}/index.html")
    with page.expect_popup() as popup:
        page.get_by_role("button", name="Sign in with Local OIDC").click()
    sign_in_at_provider(popup.value, "carol")
    expect(page.get_by_role("alert")).to_have_text("You may not sign in with that account.")


def test_members_only_leads_to_the_sign_in_page_and_back(page: Page, demo: str) -> None:
    page.goto(f"{demo}/guarded.html")
    page.wait_for_url("**/api/auth/signin?**")
    page.get_by_label("User").fill("bob")
    page.get_by_label("Password").fill("builder")
    page.get_by_role("button", name="Sign in with Password").click()
    expect(page.locator("#members")).to_contain_text("Welcome, Bob")


def test_a_role_lets_one_in_and_leads_the_other_away(page: Page, demo: str) -> None:
    sign_in(page, demo)
    page.goto(f"{demo}/admin.html")
    expect(page.locator("#admins")).to_contain_text("has the role admin")
    page.context.clear_cookies()
    sign_in(page, demo, "bob", "builder")
    page.goto(f"{demo}/admin.html")
    page.wait_for_url("**/denied.html")
    expect(page.get_by_role("heading")).to_have_text("Not for you")


@pytest.mark.parametrize("way", ["component", "bind", "html"])
def test_each_way_shows_the_same(page: Page, demo: str, way: str) -> None:
    sign_in(page, demo)
    page.goto(f"{demo}/way-{way}.html")
    expect(page.get_by_role("heading", name="Hello, Alice Liddell")).to_be_visible()
    expect(page.get_by_text("alice@example.com")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_role("heading", name="Hello", exact=True)).to_be_visible()
    expect(page.locator(ERROR_BOX)).to_have_count(0)


def test_two_tabs_side_by_side_follow_each_other(page: Page, demo: str) -> None:
    page.goto(f"{demo}/tabs.html")
    account, live = page.frame_locator("iframe >> nth=0"), page.frame_locator("iframe >> nth=1")
    account.get_by_role("button", name="alice").click()
    account.get_by_role("button", name="Sign in", exact=True).click()
    expect(live.locator(".pill")).to_have_text("authenticated")
    live.get_by_role("button", name="Sign out").click()
    expect(account.get_by_label("User name")).to_be_visible()


@pytest.mark.parametrize("switch", ["Answer with errors", "Cut the line"])
def test_a_server_that_misbehaves_signs_nobody_out(page: Page, demo: str, switch: str) -> None:
    sign_in(page, demo)
    page.goto(f"{demo}/state.html")
    expect(page.locator(".pill")).to_have_text("authenticated")
    page.get_by_role("button", name=switch).click()
    expect(page.locator(".log li").filter(has_text="the server")).to_be_visible()
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("dd.bad")).to_contain_text("/api/auth/session")
    expect(page.locator(".pill")).to_have_text("authenticated")
    page.get_by_role("button", name="Work again").click()
    expect(page.locator("dd.bad")).to_be_empty()
    expect(page.locator(".pill")).to_have_text("authenticated")


def test_axe_finds_nothing_signed_in_or_out(context: BrowserContext, page: Page, demo: str) -> None:
    found: dict[str, list[str]] = {}
    for who in ("nobody", "alice"):
        if who == "alice":
            sign_in(page, demo)
        for name in PAGES if who == "alice" else set(PAGES) - {"guarded.html", "admin.html"}:
            page.goto(f"{demo}/{name}")
            if "Starting Python" in page.content():
                page.wait_for_function("() => !document.querySelector('.boot')?.checkVisibility()")
            page.wait_for_load_state()
            if problems := violations(page):
                found[f"{name} ({who})"] = problems
    assert found == {}
