"""Guards of pages, against a server that leads to the site's own sign-in page."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from demo.serve import AuthServer

from .python_page import PythonPage

GUARD = """
    from nextauth_py import *
    SessionProvider(None).start()
    members = component("#target", auth=True)(lambda: "members")
    1
"""


@pytest.mark.parametrize("generation", ["v4", "v5"])
def test_a_guard_on_the_sign_in_page_goes_round_once_and_stays(
    page: Page, start_server: Callable[..., AuthServer], generation: str
) -> None:
    server = start_server(generation=generation, sign_in_page="/python.html")
    python = PythonPage(page).open(f"{server.url}/python.html")
    with page.expect_navigation(url="**error=SessionRequired**"):
        python.start(GUARD)
    page.wait_for_function("() => Boolean(window.runPython)")
    assert parse_qs(urlsplit(page.url).query)["callbackUrl"] == [f"{server.url}/python.html"]
    with page.expect_console_message(lambda message: "the page stays" in message.text) as said:
        python.run(GUARD)
    assert "Leave out auth= and required=True" in said.value.text
    expect(page.locator("#target")).to_have_text("")
    assert "error=SessionRequired" in page.url
    python.expect_no_error_box()
