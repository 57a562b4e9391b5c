"""What the log says of decisions."""

from __future__ import annotations

import asyncio
import logging

import pytest

from nextauth_py import SessionProvider
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import signed_in
from .fake_server import json_answer

SESSION = "GET /api/auth/session"


async def test_debug_explains_each_decision_in_a_line_without_secrets(tab: MemoryHost) -> None:
    provider = await signed_in(tab, debug=True)
    tab.browser.network.hold(SESSION)
    asking = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)
    joining = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)
    await provider.update({"name": "bob"})
    await asyncio.gather(asking, joining)
    tab.focus()
    await asyncio.sleep(0.1)
    text = "\n".join(tab.lines)
    for expected in (
        "asks (load)",
        "is answered: nobody is signed in",
        "begins: sign_in",
        "asks (refetch)",
        "joins the request under way (refetch)",
        "aborts the request under way: update begins",
        "does not ask although the window has got the focus: at most once in 5 s",
    ):
        assert expected in text
    assert all(line.startswith("/api/auth ") and "\n" not in line for line in tab.lines)
    for secret in ("alice", "bob", "wonder", "csrf-"):
        assert secret not in text


async def test_an_answer_that_comes_too_late_is_explained(tab: MemoryHost) -> None:
    provider = await signed_in(tab, debug=True)
    gate = tab.browser.network.hold(SESSION)
    asking = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)
    provider.engine._store.invalidate()
    gate.set()
    await asking
    assert any("discards the answer: it began before the session was changed" in line for line in tab.lines)


async def test_the_logger_has_the_same_lines(tab: MemoryHost, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "nextauth_py")
    await SessionProvider(host=tab, debug=True).start().ready()
    assert [record.getMessage() for record in caplog.records] == tab.lines
    assert tab.lines


async def test_without_debug_nothing_is_logged(tab: MemoryHost, caplog: pytest.LogCaptureFixture) -> None:
    await signed_in(tab)
    assert (tab.lines, caplog.records) == ([], [])


async def test_messages_of_another_tab_are_explained(browser: MemoryBrowser) -> None:
    first, second = browser.open_tab(), browser.open_tab()
    SessionProvider(host=second, debug=True).start()
    speaking = await signed_in(first)
    browser.network.answer_next(SESSION, json_answer({}, 500))
    await speaking.refetch()
    await asyncio.sleep(0.01)
    text = "\n".join(second.lines)
    assert "shows what another tab says: somebody is signed in" in text
    assert "shows a failure of another tab: /api/auth/session: HTTP 500" in text
