"""What a page remembers over a sign-in that leaves it, at a real identity provider."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from demo.serve import AuthServer

from .python_page import PythonPage
from .test_popups import sign_in_at_provider

START = """
    from nextauth_py import *
    provider = SessionProvider().start()
    await provider.ready()
"""


@pytest.mark.parametrize("generation", ["v4", "v5"])
def test_a_draft_is_there_once_after_the_sign_in(
    page: Page, start_server: Callable[..., AuthServer], generation: str
) -> None:
    server = start_server(generation=generation, services=True)
    address = f"{server.url}/python.html?x=1#top"
    python = PythonPage(page).open(address)
    python.run(START)
    assert python.run("provider.remember({'draft': 'half a sentence'})") is True
    python.start("await sign_in('local-oidc')")
    sign_in_at_provider(page)
    page.wait_for_url("**/python.html**")
    page.wait_for_function("() => Boolean(window.runPython)")
    python.run(START)
    assert python.run("[provider.state.data.user.name, provider.recall()]") == [
        "OIDC frank",
        {"draft": "half a sentence"},
    ]
    assert page.url == address
    assert python.run("provider.recall()") is None
    assert page.evaluate("sessionStorage.length") == 0
