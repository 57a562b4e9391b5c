"""The running site in a real browser: `pytest tests/test_site.py --base-url http://localhost:__PORT__`."""

from nextauth_py.testing import sign_in_as
from playwright.sync_api import expect

BASE = "__BASE_PATH__"
PATIENCE = 30_000  # ms; the first visit downloads Python


def test_a_visitor_signs_in_and_out(page):
    page.goto(f"{BASE}/")
    page.get_by_label("User name").fill("bob", timeout=PATIENCE)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("That name and password do not go together.")).to_be_visible()
    page.get_by_label("Password").fill("builder")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Bob")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_admin_sees_the_page_for_admins_and_signs_out_there(page):
    sign_in_as(page, username="alice", password="wonder", base_path=f"{BASE}__AUTH_ROUTES__")
    page.goto(f"{BASE}/admins")
    expect(page.locator("#admins")).to_contain_text("Alice", timeout=PATIENCE)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible(timeout=PATIENCE)
