"""A visitor in each site: signs in, changes the name, visits a guarded page, signs out, in several tabs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .sites import Configuration, Site

CONFIGURATIONS = [
    Configuration("next-app"),
    Configuration("next-app", matcher="recommended"),
    Configuration("next-app", "/shop"),
    Configuration("next-pages"),
    Configuration("next-pages", "/shop"),
    Configuration("express"),
    Configuration("sveltekit"),
]

pytestmark = [
    pytest.mark.parametrize("site", CONFIGURATIONS, ids=str, indirect=True, scope="module"),
    pytest.mark.timeout(900),  # the first one installs and builds the sites
]

# Notes what Python shows, from its first moment.
NOTE_WHAT_IS_SHOWN = """
    window.shown = [];
    new MutationObserver(() => {
      const place = document.querySelector("#account #shown") ?? document.querySelector("#account");
      const text = place?.innerText;
      if (text && text !== shown.at(-1)) shown.push(text);
    }).observe(document, { childList: true, subtree: true, characterData: true });
"""

ALICE, BOB = ("alice", "wonder"), ("bob", "builder")


@dataclass
class Tabs:
    """Tabs of one visitor.

    Attributes:
        python: Two pages with Python, beside React where the site has it.
        react: A page with React alone; None in sites without it.
    """

    python: tuple[Page, Page]
    react: Page | None

    def sign_in(self, username: str, password: str) -> None:
        """Fill in the form of the first tab, and send it."""
        page = self.python[0]
        page.get_by_placeholder("User").fill(username)
        page.get_by_placeholder("Password").fill(password)
        page.locator("#account form button").click()

    def expect(self, name: str | None) -> None:
        """Every tab shows this name, or that nobody is signed in."""
        for page in self.python:
            expect(page.locator("#shown")).to_have_text(name or "Signed out")
        if self.react:
            for page in [self.react, *self.python]:
                expect(page.locator("#react-shown")).to_have_text(name or "unauthenticated")


@pytest.fixture(scope="module")
def opened(visitor: BrowserContext, site: Site) -> Tabs:
    visitor.add_init_script(NOTE_WHAT_IS_SHOWN)
    python = visitor.new_page(), visitor.new_page()
    for page in python:
        page.goto(site.url("/python"))
    react = None
    if site.configuration.site.startswith("next"):
        react = visitor.new_page()
        react.goto(site.url("/"))
    return Tabs(python, react)


@pytest.fixture
def tabs(opened: Tabs) -> Iterator[Tabs]:
    """The tabs, with nobody signed in."""
    opened.expect(None)
    yield opened
    if opened.python[0].locator("#sign-out").is_visible():
        opened.python[0].locator("#sign-out").click()


def test_the_page_loads_and_then_says_that_nobody_is_signed_in(tabs: Tabs) -> None:
    for page in tabs.python:
        assert page.evaluate("shown") == ["Loading…", "Signed out"]


def test_a_wrong_password_is_refused(tabs: Tabs) -> None:
    tabs.sign_in("alice", "no")
    expect(tabs.python[0].locator("#refusal")).to_have_text("CredentialsSignin")
    tabs.expect(None)


def test_all_tabs_follow_a_sign_in_an_update_and_a_sign_out(tabs: Tabs) -> None:
    tabs.sign_in(*ALICE)
    tabs.expect("Alice Liddell")
    tabs.python[1].locator("#rename").click()
    tabs.expect("Alice II")
    tabs.python[1].locator("#sign-out").click()
    tabs.expect(None)
    tabs.python[1].reload()
    tabs.expect(None)


def test_python_follows_react(tabs: Tabs) -> None:
    if not tabs.react:
        pytest.skip("a site without React")
    tabs.react.locator("#react-sign-in").click()
    tabs.expect("Alice Liddell")
    tabs.react.locator("#react-sign-out").click()
    tabs.expect(None)


def test_the_guarded_page_admits_by_role_and_as_long_as_somebody_is_signed_in(tabs: Tabs, site: Site) -> None:
    page = tabs.python[0].context.new_page()
    tabs.sign_in(*BOB)
    tabs.expect("Bob")
    page.goto(site.url("/guarded"))
    expect(page.locator("#server-says")).to_have_text("refused")
    page.wait_for_url("**/error?error=AccessDenied")
    tabs.python[0].locator("#sign-out").click()
    tabs.expect(None)
    tabs.sign_in(*ALICE)
    tabs.expect("Alice Liddell")
    page.goto(site.url("/guarded"))
    expect(page.locator("#server-says")).to_have_text("admitted")
    expect(page.locator("#secret")).to_have_text("For admins")
    tabs.python[0].locator("#sign-out").click()
    page.wait_for_url("**/signin?**callbackUrl=**")
    page.close()
