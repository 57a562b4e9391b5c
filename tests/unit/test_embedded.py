"""What counts as the session that is embedded in a page, and what does not."""

from __future__ import annotations

import pytest

from nextauth_py import SessionProvider
from nextauth_py.testing import Browser

EXPIRES = "2099-01-01T00:00:00.000Z"


def session(name: str) -> str:
    return f'{{"user": {{"name": "{name}"}}, "expires": "{EXPIRES}"}}'


def embedded(name: str, kind: str = "application/json") -> str:
    return f'<script id="nextauth-session" type="{kind}">{session(name)}</script>'


INERT = [
    f'<p id="nextauth-session">{session("Mallory")}</p>',
    f'<script id="nextauth-session">{session("Mallory")}</script>',
    embedded("Mallory", "text/plain"),
    embedded("Mallory", "application/json+x"),
    f"<svg>{embedded('Mallory')}</svg>",
    f"<math>{embedded('Mallory')}</math>",
    f"<template>{embedded('Mallory')}</template>",
    f"<textarea>{embedded('Mallory')}</textarea>",
    f"<noscript>{embedded('Mallory')}</noscript>",
]


def shown(browser: Browser, html: str) -> str | None:
    """Whom a page shows that starts with this HTML in it."""
    tab = browser.open_tab("/", html)
    tab.run(lambda: SessionProvider().start())
    data = tab.state.data
    return data and data.user and data.user.name


@pytest.mark.parametrize("html", INERT)
def test_other_scripts_than_json_are_no_embedded_session(html: str) -> None:
    with Browser() as browser:
        assert shown(browser, html) is None
        assert browser.requests == ["GET /api/auth/session"]


@pytest.mark.parametrize("html", INERT)
def test_it_does_not_stand_in_front_of_the_genuine_one(html: str) -> None:
    with Browser() as browser:
        assert shown(browser, html + embedded("Alice") + html) == "Alice"
        assert browser.requests == []


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/json", "\n application/json\t"])
def test_its_type_is_read_as_browsers_do(kind: str) -> None:
    with Browser() as browser:
        assert shown(browser, embedded("Alice", kind)) == "Alice"


def test_of_two_embedded_sessions_neither_counts_and_the_console_says_so() -> None:
    with Browser() as browser:
        assert shown(browser, embedded("Mallory") + embedded("Alice")) is None
        assert browser.requests == ["GET /api/auth/session"]
        (error,) = browser.tabs[0].errors
        assert "2 of them" in str(error)


def test_a_second_provider_asks_for_itself() -> None:
    with Browser() as browser:
        assert shown(browser, embedded("Alice")) == "Alice"
        browser.tabs[0].run(lambda: SessionProvider(base_path="/api/auth").start())
        assert browser.requests == ["GET /api/auth/session"]
