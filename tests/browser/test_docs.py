"""Every Python example of the docs runs, and does what its text says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from demo.serve import AuthServer

from .conftest import prepare
from .python_page import PythonPage

DOCS = Path(__file__).parents[2] / "docs"

UPDATE = "POST /api/auth/session"


def examples(name: str) -> list[str]:
    """The Python blocks of a page of the docs."""
    return re.findall(r"```python\n(.*?)```", (DOCS / name).read_text("utf-8"), re.DOTALL)


def example(name: str, containing: str) -> str:
    """The one with a certain text in it."""
    (found,) = [each for each in examples(name) if containing in each]
    return found


ALL = [(path.name, number) for path in DOCS.glob("*.md") for number in range(len(examples(path.name)))]


@pytest.fixture(scope="module")
def shared(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    """One page for all examples."""
    context = browser.new_context()
    outside = prepare(context)
    yield PythonPage(context.new_page()).open(f"{auth_server.url}/python.html")
    context.close()
    assert outside == []


@pytest.mark.parametrize(("name", "number"), ALL)
def test_an_example_runs(shared: PythonPage, name: str, number: int) -> None:
    shared.run(examples(name)[number] + "\n1")
    shared.run("""
        from nextauth_py.provider import current_provider
        while provider := current_provider():
            await provider.ready()
            provider.close()
    """)
    shared.expect_no_error_box()


def test_polling_by_hand_updates_every_hour(page: Page, auth_server: AuthServer) -> None:
    page.clock.install()
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(example("refetching.md", "async def poll"))
    page.clock.fast_forward("00:58:00")
    python.run("await session._provider.ready(); 1")
    assert python.count(UPDATE) == 0
    with page.expect_request_finished(lambda request: request.method == "POST"):
        page.clock.fast_forward("00:02:00")
    assert python.count(UPDATE) == 1


def test_updating_by_hand_when_the_page_comes_into_view(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(example("refetching.md", "async def on_visibility"))
    python.run("await session._provider.ready(); 1")
    with page.expect_request_finished(lambda request: request.method == "POST"):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    assert python.count(UPDATE) == 1
