"""What `nextauth_py.testing` does with a real browser, and with real t-strings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import BrowserContext, Page

from demo.serve import AuthServer
from nextauth_py import ClientFetchError
from nextauth_py.testing import document, sign_in_as
from tests.servers import SITE_SCRIPT

from .conftest import LAUNCH_OPTIONS
from .python_page import PythonPage

NAME = "fetch('/api/auth/session').then(answer => answer.json()).then(session => session?.user?.name)"


@pytest.fixture(scope="module", params=[("v4", {}), ("v5", {}), ("v5", {"script": SITE_SCRIPT})], ids=str)
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    """Of both generations, and one whose paths have a slash behind."""
    generation, options = request.param
    return start_server(generation=generation, **options)


def test_a_page_is_signed_in(page: Page, server: AuthServer) -> None:
    page.goto(f"{server.url}/plain.html")
    sign_in_as(page, username="alice", password="wonder")
    assert page.evaluate(NAME) == "Alice Liddell"


def test_a_context_is_signed_in_before_its_pages_are_opened(
    context: BrowserContext, server: AuthServer
) -> None:
    sign_in_as(context, base_url=server.url, username="bob", password="builder")
    page = context.new_page()
    page.goto(f"{server.url}/plain.html")
    assert page.evaluate(NAME) == "Bob"


def test_a_refused_visitor_gets_a_403(page: Page, server: AuthServer) -> None:
    with pytest.raises(ValueError, match="the server refuses the sign-in: CredentialsSignin"):
        sign_in_as(page, base_url=server.url, username="alice", password="secret")


def test_a_path_without_auth_routes_is_named(page: Page, server: AuthServer) -> None:
    with pytest.raises(ClientFetchError, match="/nowhere/callback/credentials: .*base_path"):
        sign_in_as(page, base_url=server.url, base_path="/nowhere/", username="alice", password="wonder")


def test_the_async_api(server: AuthServer) -> None:
    async def visit() -> object:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(**LAUNCH_OPTIONS)
            page = await browser.new_page()
            await page.goto(f"{server.url}/plain.html")
            await sign_in_as(page, username="alice", password="wonder")
            name = await page.evaluate(NAME)
            await browser.close()
            return name

    with ThreadPoolExecutor(1) as thread:  # the sync API has a loop in this one
        assert thread.submit(asyncio.run, visit()).result() == "Alice Liddell"


def test_real_t_strings_are_drawn(page: Page, server: AuthServer) -> None:
    """They are Python 3.14's: in the page, with the module for tests put beside the others."""
    python = PythonPage(page).open(f"{server.url}/python.html")
    source = Path(document.__file__).read_text("utf-8").replace("from ..", "from nextauth_py.")
    python.run("""
        import sys
        import types
        sys.modules["bs4"] = types.SimpleNamespace(Tag=object, BeautifulSoup=object)
        1
    """)
    python.run(f"names = {{'__name__': 'document'}}; exec({source!r}, names); 1")
    assert python.run("""
        rows = [t"<li>{name}</li>" for name in ("<a>", "b")]
        values = []
        number = 1.5
        html = "".join(names["_html"](t'<ul class="x {"y z"}">{rows}</ul>{number:.2f}{"q"!r}', values))
        [html, values]
    """) == [
        '<ul class="x nextauth-value-0-"><li>&lt;a&gt;</li><li>b</li></ul>1.50&#x27;q&#x27;',
        ["y z"],
    ]
