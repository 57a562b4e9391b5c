"""``python3 -m tests.sites.undone --count N``: how many sign-outs are undone by pages that are under way.

Auth.js's documented proxy sets the session cookie again with each answer. So an answer that arrives after a
sign-out, to a request from before it, signs the visitor in again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.bootstrap import ROOT, enter

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request

    from .sites import Configuration

PAGES = 4  # that a click on "Offers" asks for; the last one is answered after 1.5 s
LONGEST = 20  # seconds for a page to answer in, on a busy machine
REPAIR = 6  # seconds after the last answer in which a client may find and repair what it has undone
QUIET = 0.5  # seconds without a request


@dataclass(frozen=True)
class Client:
    """How to sign in and out with a client.

    Attributes:
        name: Its name.
        path: A page with it.
        sign_in: Signs alice in on that page.
        sign_out: The button.
        shown: The element that shows who is signed in.
    """

    name: str
    path: str
    sign_in: Callable[[Page], None]
    sign_out: str
    shown: str


def fill_in(page: Page, username: str = "alice", password: str = "wonder") -> None:
    """Send the form of the page's Python."""
    page.get_by_placeholder("User").fill(username)
    page.get_by_placeholder("Password").fill(password)
    page.locator("#account form button").click()


PYTHON = Client("nextauth_py", "/python", fill_in, "#sign-out", "#shown")
REACT = Client(
    "next-auth/react",
    "/",
    lambda page: page.locator("#react-sign-in").click(),
    "#react-sign-out",
    "#react-shown",
)


class Traffic:
    """What a page requests."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._under_way: set[Request] = set()
        self._latest = time.monotonic()
        self._pages = 0
        page.on("request", self._begin)
        page.on("requestfinished", self._end)
        page.on("requestfailed", self._end)

    def begin_pages(self) -> None:
        """Ask for pages that are answered late; returns when all requests are under way."""
        self._pages = 0
        self._page.locator("#offers").click()
        assert self.wait_until(lambda: self._pages >= PAGES, LONGEST)

    def wait_until_quiet(self) -> None:
        """Wait until all is answered, and nothing more is asked for."""
        assert self.wait_until(
            lambda: not self._under_way and time.monotonic() > self._latest + QUIET, LONGEST
        )

    def wait_for_pages(self) -> None:
        """Wait until all pages are answered."""
        assert self.wait_until(lambda: not any(map(_is_page, self._under_way)), LONGEST)

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds; returns whether it does."""
        last = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > last:
                return False
            self._page.wait_for_timeout(20)  # in which Playwright reports what happens
        return True

    def _begin(self, request: Request) -> None:
        self._under_way.add(request)
        self._latest = time.monotonic()
        self._pages += _is_page(request)

    def _end(self, request: Request) -> None:
        self._under_way.discard(request)
        self._latest = time.monotonic()


def _is_page(request: Request) -> bool:
    return "/item/" in request.url


def open_page(page: Page, url: str) -> Traffic:
    """Open a page of a client.

    Next.js asks for the links' route only once, before their pages. This has it done.
    """
    traffic = Traffic(page)
    page.goto(url)
    traffic.begin_pages()
    traffic.wait_until_quiet()
    return traffic


def is_undone(page: Page, traffic: Traffic, client: Client) -> bool:
    """Sign in, and out while pages are under way. Returns whether the visitor stays signed in."""
    # Playwright is not installed yet when this module is started.
    from playwright.sync_api import expect  # noqa: PLC0415

    client.sign_in(page)
    expect(page.locator(client.shown)).to_have_text("Alice Liddell")
    traffic.wait_until_quiet()
    traffic.begin_pages()
    with page.expect_response("**/signout"):
        page.locator(client.sign_out).click()
    traffic.wait_for_pages()
    # To ask the server would be one more request that sets the cookie.
    return not traffic.wait_until(lambda: not _is_signed_in(page), REPAIR)


def _is_signed_in(page: Page) -> bool:
    return any("session-token" in cookie.get("name", "") for cookie in page.context.cookies())


def main() -> int:
    """Measure ours and React's sign-out, with the documented and with the recommended matcher."""
    enter("tests.sites.undone")
    parser = argparse.ArgumentParser(prog="python3 -m tests.sites.undone", description=__doc__)
    parser.add_argument("--count", type=int, default=15, help="how many sign-outs of each kind")
    count = parser.parse_args().count
    # Only now is everything installed.
    from nextauth_py.bundle import build_bundle  # noqa: PLC0415
    from tests.browser.browsers import ensure_browsers  # noqa: PLC0415

    from .sites import Configuration, build_all  # noqa: PLC0415

    ensure_browsers()
    bundle = ROOT / "static/dist"
    build_bundle(bundle)
    configurations = [Configuration("next-app"), Configuration("next-app", matcher="recommended")]
    build_all(configurations, bundle)
    for configuration in configurations:
        for client in (PYTHON, REACT):
            undone = _measure(configuration, client, count)
            matcher = configuration.matcher or "documented"
            print(f"{matcher:12} matcher, {client.name:16} {undone:3} of {count} undone", flush=True)
    return 0


def _measure(configuration: Configuration, client: Client, count: int) -> int:
    from playwright.sync_api import expect, sync_playwright  # noqa: PLC0415 - only now is it installed

    from tests.browser.browsers import launch_options  # noqa: PLC0415

    from .sites import Site  # noqa: PLC0415

    options = launch_options()
    expect.set_options(timeout=LONGEST * 1000)
    with Site(configuration) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        page = browser.new_page()
        traffic = open_page(page, site.url(client.path))
        undone = sum(is_undone(page, traffic, client) for _ in range(count))
        browser.close()
    return undone


if __name__ == "__main__":
    sys.exit(main())
