"""How long a sign-in takes at an identity provider that knows the visitor: in a window, and by leaving.

A real OpenID Connect provider on this machine, which leads back at once; a warm cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.bootstrap import ROOT
from demo.serve import AuthServer

from .report import Table

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

ROUNDS = 7
WAYS = {"by leaving the page": "#redirect", "in a window": "#popup"}


def measure(browser: Browser, mounts: dict[str, Path]) -> list[Table]:
    """Time both ways in turn."""
    script = ROOT / "tests/servers/server.mjs"
    rows: dict[str, dict[str, list[float | None]]] = {way: {"v4": [], "v5": []} for way in WAYS}
    for generation in ("v4", "v5"):
        with AuthServer(mounts, generation=generation, services=True, script=script) as server:
            context = browser.new_context()
            context.set_default_timeout(120_000)
            page = context.new_page()
            page.goto(f"{server.url}/bench/sign-ins.html")
            _introduce(page)
            for _ in range(ROUNDS):
                for way, button in WAYS.items():
                    rows[way][generation].append(_time(page, button))
            context.close()
    return [Table("ms from the click until the name is on the page", rows, base="by leaving the page")]


def _introduce(page: Page) -> None:
    """Sign in once, so that the provider knows the visitor, and the browser has the files of a warm start."""
    page.locator("#shown", has_text="unauthenticated").wait_for()
    page.locator("#redirect").click()
    page.get_by_placeholder("Enter any login").fill("frank")
    page.get_by_placeholder("and password").fill("x")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.locator("#shown", has_text="OIDC frank").wait_for()


def _time(page: Page, button: str) -> float:
    page.locator("#shown").dblclick()
    page.locator("#shown", has_text="unauthenticated").wait_for()
    page.wait_for_timeout(2_500)  # for the looks after the sign-out
    page.locator(button).click()
    page.locator("#shown", has_text="OIDC frank").wait_for()
    elapsed: float = page.evaluate("shownAt - Number(sessionStorage.clickedAt)")
    return elapsed
