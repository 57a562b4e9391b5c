"""A page in which a test runs Python, statement by statement, as a user's script would."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

# What PyScript paints when something is written to stderr: a user of the page must never see it.
ERROR_BOX = ".py-error"


def wait_until(page: Page, condition: str) -> None:
    """Wait until an async function of JavaScript answers true: Playwright takes its promise for true."""
    pause = "await new Promise((resolve) => setTimeout(resolve, 20))"
    page.evaluate(f"async () => {{ while (!(await ({condition})())) {pause} }}")


class PythonPage:
    """Pyodide in a tab. Boots once; each `run` goes on where the last one ended.

    Attributes:
        page: The Playwright page.
        requests: What the page has fetched since Python was ready, as ``"GET /api/auth/session"``. What the
            bundle's interpreter fetches for the next visit is left out.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        page.on("request", lambda request: self._note(request.method, request.url, request.resource_type))

    def open(self, url: str) -> PythonPage:
        """Load a page that has `python.py`, and wait for Python."""
        self.page.goto(url)
        self.page.wait_for_function("() => Boolean(window.runPython)")
        self.requests.clear()
        return self

    def run(self, code: str) -> Any:
        """Run code, top-level ``await`` included; returns the value of the last expression."""
        return json.loads(self.page.evaluate("code => runPython(code)", dedent(code)))

    def start(self, code: str) -> None:
        """Begin to run code that will leave the page."""
        self.page.evaluate("code => void runPython(code)", dedent(code))

    def count(self, request: str) -> int:
        """How often a request was sent."""
        return self.requests.count(request)

    def expect_text(self, selector: str, text: str) -> None:
        """Wait until an element shows exactly this text."""
        expect(self.page.locator(selector)).to_have_text(text)

    def expect_no_error_box(self) -> None:
        """No traceback has been painted over the page."""
        expect(self.page.locator(ERROR_BOX)).to_have_count(0)

    def _note(self, method: str, url: str, kind: str) -> None:
        path = urlsplit(url).path
        if kind == "fetch" and "/pyodide/" not in path:
            self.requests.append(f"{method} {path}")
