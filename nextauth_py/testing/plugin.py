"""Fixtures for pytest, which finds them by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .browser import Browser, Tab
    from .server import FakeAuthServer


@pytest.fixture
def nextauth_server() -> FakeAuthServer:
    """The auth server of `nextauth_browser`."""
    from .server import FakeAuthServer  # noqa: PLC0415 - every run of pytest loads this plugin

    return FakeAuthServer()


@pytest.fixture
def nextauth_browser(nextauth_server: FakeAuthServer) -> Iterator[Browser]:
    """A browser in memory, see `nextauth_py.testing.Browser`."""
    from .browser import Browser  # noqa: PLC0415

    with Browser(nextauth_server) as browser:
        yield browser


@pytest.fixture
def nextauth_tab(nextauth_browser: Browser) -> Tab:
    """An empty page in `nextauth_browser`."""
    return nextauth_browser.open_tab()
