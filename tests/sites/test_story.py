"""A visitor in each site: signs in, changes the name, visits a guarded page, signs out, in several tabs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .sites import Configuration, Site
from .undone import fill_in

SITES = [
    Configuration("next-app"),
    Configuration("next-pages"),
    Configuration("express"),
    Configuration("sveltekit"),
]
VARIANTS = [
    Configuration("next-app", matcher="recommended"),
    Configuration("next-app", "/shop"),
    Configuration("next-pages", "/shop"),
]
WITH_REACT = [each for each in [*SITES, *VARIANTS] if each.site.startswith("next")]
WITH_ROUTER = [each for each in SITES if each.site != "express"]

pytestmark = pytest.mark.timeout(900)  # the first one installs and builds the sites


def in_each(configurations: list[Configuration]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("site", configurations, ids=str, indirect=True, scope="module")


# Notes what Python shows, from its first moment.
NOTE_WHAT_IS_SHOWN = """
    window.shown = [];
    new MutationObserver(() => {
      const place = document.querySelector("#account #shown") ?? document.querySelector("#account");
      const text = place?.innerText;
      if (text && text !== shown.at(-1)) shown.push(text);
    }).observe(document, { childList: true, subtree: true, characterData: true });
"""


@dataclass
class Tabs:
    """Tabs of one visitor.

    Attributes:
        python: Two pages with Python, beside React where the site has it.
        react: A page with React alone; None in sites without it.
    """

    python: tuple[Page, Page]
    react: Page | None

    def expect(self, name: str | None) -> None:
        """Every tab shows this name, or that nobody is signed in, in Python and in React."""
        for page in self.python:
            expect(page.locator("#shown")).to_have_text(name or "Signed out")
        for page in [self.react, *self.python] if self.react else []:
            expect(page.locator("#react-shown")).to_have_text(name or "unauthenticated")


@pytest.fixture(scope="module")
def opened(visitor: BrowserContext, site: Site) -> Tabs:
    visitor.add_init_script(NOTE_WHAT_IS_SHOWN)
    python = visitor.new_page(), visitor.new_page()
    for page in python:
        page.goto(site.url("/python"))
    react = None
    if site.configuration in WITH_REACT:
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


@in_each([*SITES, *VARIANTS])
def test_the_page_loads_and_then_says_that_nobody_is_signed_in(tabs: Tabs) -> None:
    for page in tabs.python:
        assert page.evaluate("shown") == ["Loading…", "Signed out"]


@in_each([*SITES, *VARIANTS])
def test_a_wrong_password_is_refused(tabs: Tabs) -> None:
    fill_in(tabs.python[0], "alice", "no")
    expect(tabs.python[0].locator("#refusal")).to_have_text("CredentialsSignin")
    tabs.expect(None)


# Before Python signs out: what a JavaScript tab signs in within seconds of that is taken for an old answer.
@in_each(WITH_REACT)
@pytest.mark.parametrize("where", ["a tab without Python", "a page with Python"])
def test_python_follows_react(tabs: Tabs, where: str) -> None:
    react = tabs.react if where == "a tab without Python" else tabs.python[0]
    assert react
    react.locator("#react-sign-in").click()
    tabs.expect("Alice Liddell")
    react.locator("#react-sign-out").click()
    tabs.expect(None)


@in_each([*SITES, *VARIANTS])
def test_all_tabs_follow_a_sign_in_an_update_and_a_sign_out(tabs: Tabs, site: Site) -> None:
    first, second = tabs.python
    fill_in(first)
    tabs.expect("Alice Liddell")
    second.locator("#rename").click()
    tabs.expect("Alice II")
    second.locator("#sign-out").click()
    tabs.expect(None)
    assert second.request.get(site.auth_url("session")).json() in (None, {})


@in_each(SITES)
def test_a_guarded_page_admits_by_role_and_as_long_as_somebody_is_signed_in(tabs: Tabs, site: Site) -> None:
    first = tabs.python[0]
    page = first.context.new_page()
    fill_in(first, "bob", "builder")
    tabs.expect("Bob")
    page.goto(site.url("/guarded"))
    expect(page.locator("#server-says")).to_have_text("refused")
    page.wait_for_url("**/error?error=AccessDenied")
    first.locator("#sign-out").click()
    tabs.expect(None)
    fill_in(first)
    tabs.expect("Alice Liddell")
    page.goto(site.url("/guarded"))
    expect(page.locator("#server-says")).to_have_text("admitted")
    expect(page.locator("#secret")).to_have_text("For admins")
    first.locator("#sign-out").click()
    page.wait_for_url("**/signin?**callbackUrl=**")
    page.close()


@in_each(WITH_ROUTER)
def test_python_starts_and_goes_on_when_links_lead_to_it_without_loading_a_page(
    tabs: Tabs, site: Site
) -> None:
    page = tabs.python[0].context.new_page()
    page.goto(site.url("/"))
    page.evaluate("window.isSamePage = true")
    for _ in range(2):
        page.get_by_role("link", name="Python").click()
        expect(page.locator("#shown")).to_have_text("Signed out")
        page.get_by_role("link", name="Home").click()
        expect(page.get_by_role("heading")).to_have_text("Home")
    page.get_by_role("link", name="Python").click()
    fill_in(page)
    tabs.expect("Alice Liddell")
    expect(page.locator("#shown")).to_have_text("Alice Liddell")
    assert page.evaluate("window.isSamePage")
    page.close()
