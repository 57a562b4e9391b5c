"""Several tabs of one browser, and JavaScript clients beside them."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from nextauth_py import SessionProvider
from nextauth_py.testing.memory import MemoryBrowser

from .conftest import name_in
from .fake_server import SESSION_COOKIE

SESSION = "GET /api/auth/session"


FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}


async def open_tabs(browser: MemoryBrowser, count: int, **options: Any) -> list[SessionProvider]:
    """So many tabs, all loaded."""
    providers = [SessionProvider(host=browser.open_tab(), **options).start() for _ in range(count)]
    for provider in providers:
        await provider.ready()
    await asyncio.sleep(1)
    return providers


async def signed_in_tabs(browser: MemoryBrowser, count: int, **options: Any) -> list[SessionProvider]:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    return await open_tabs(browser, count, **options)


def names(providers: list[SessionProvider]) -> set[str | None]:
    return {name_in(provider.state) for provider in providers}


def gets(browser: MemoryBrowser) -> int:
    return browser.network.count(SESSION)


def javascript_says(browser: MemoryBrowser) -> None:
    """A tab of next-auth v5 has asked for the session."""
    channel = browser.open_tab().open_channel("next-auth", lambda _message: None)
    assert channel
    channel.post(FROM_V5)
