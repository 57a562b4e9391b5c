"""The session that the page has asked for while Python was booting."""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import Any

import pytest

from nextauth_py import SessionProvider
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import EXPIRES

SESSION, CSRF = "GET /api/auth/session", "GET /api/auth/csrf"
ROUTES = "/api/auth"


class Ahead:
    """As the page's script leaves it."""

    def __init__(self, tab: MemoryHost, answer: object, *, status: int = 200, seconds: float = 0) -> None:
        self.started = tab.now()
        self.is_dropped = False
        self._tab = tab
        self._answer = answer
        self._status = status
        self._seconds = seconds
        self._arrival = asyncio.get_running_loop().time() + seconds
        tab.prefetched[ROUTES] = self

    async def response(self) -> tuple[Response, float]:
        await asyncio.sleep(max(self._arrival - asyncio.get_running_loop().time(), 0))
        if isinstance(self._answer, OSError) or self.is_dropped:
            raise OSError("gone")
        received = self.started + self._seconds
        headers = {"content-type": "application/json", "date": formatdate(received, usegmt=True)}
        return Response(self._status, json.dumps(self._answer), headers), received

    def drop(self) -> None:
        self.is_dropped = True
        self._tab.prefetched.pop(ROUTES, None)


def session(name: str = "alice") -> dict[str, Any]:
    return {"user": {"name": name}, "expires": EXPIRES}


async def test_it_is_used_without_a_request(tab: MemoryHost) -> None:
    ahead = Ahead(tab, session())
    state = await SessionProvider(host=tab).start().ready()
    assert name_in(state) == "alice"
    assert tab.browser.network.log == []
    assert ahead.is_dropped


async def test_a_prefetched_signed_out_answer_is_used_too(tab: MemoryHost) -> None:
    Ahead(tab, {})
    assert (await SessionProvider(host=tab).start().ready()).status == "unauthenticated"
    assert tab.browser.network.log == []


async def test_one_that_is_under_way_is_waited_for(tab: MemoryHost) -> None:
    Ahead(tab, session(), seconds=3)
    provider = SessionProvider(host=tab).start()
    await asyncio.sleep(2)
    assert provider.state.refreshing
    await provider.ready()
    assert name_in(provider.state) == "alice"
    assert tab.browser.network.log == []


async def test_it_is_taken_once(tab: MemoryHost) -> None:
    Ahead(tab, session())
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    await provider.refetch()
    assert provider.state.status == "unauthenticated"
    assert tab.browser.network.count(SESSION) == 1


@pytest.mark.parametrize("answer", [OSError("the line was cut")])
async def test_one_that_failed_is_asked_for_again(tab: MemoryHost, answer: object) -> None:
    Ahead(tab, answer)
    state = await SessionProvider(host=tab).start().ready()
    assert (state.status, state.error) == ("unauthenticated", None)
    assert tab.browser.network.count(SESSION) == 1


async def test_one_that_never_comes_is_asked_for_again(tab: MemoryHost) -> None:
    Ahead(tab, session(), seconds=1000)
    assert (await SessionProvider(host=tab, timeout=5).start().ready()).status == "unauthenticated"


async def test_a_server_that_failed_is_no_sign_out(tab: MemoryHost) -> None:
    Ahead(tab, {"message": "no"}, status=500)
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    assert provider.state.status == "loading"
    assert "HTTP 500" in str(provider.state.error)


async def test_one_for_other_routes_is_left_alone(tab: MemoryHost) -> None:
    ahead = Ahead(tab, session())
    state = await SessionProvider(host=tab, base_path="/elsewhere").start().ready()
    assert state.data is None
    assert not ahead.is_dropped


async def test_the_other_tabs_are_notified(browser: MemoryBrowser) -> None:
    first, second = browser.open_tab(), browser.open_tab()
    earlier = SessionProvider(host=first).start()
    await earlier.ready()
    await asyncio.sleep(1)
    Ahead(second, session())
    await SessionProvider(host=second).start().ready()
    await asyncio.sleep(1)
    assert name_in(earlier.state) == "alice"


async def test_a_sign_out_in_another_tab_makes_it_worthless(browser: MemoryBrowser) -> None:
    other = await signed_in(browser.open_tab())
    tab = browser.open_tab()
    Ahead(tab, session(), seconds=5)
    await asyncio.sleep(1)
    await other.sign_out(redirect=False)
    provider = SessionProvider(host=tab).start()
    await asyncio.sleep(10)
    assert provider.state.status == "unauthenticated"


async def test_a_mutation_drops_the_prefetch_first(tab: MemoryHost) -> None:
    ahead = Ahead(tab, session("eve"), seconds=5)
    provider = SessionProvider(host=tab)
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert ahead.is_dropped
    await asyncio.sleep(10)
    assert name_in(provider.state) == "alice"


async def test_a_csrf_token_waits_for_it(tab: MemoryHost) -> None:
    """Each of the two may set a csrf cookie, and the later one counts."""
    Ahead(tab, session(), seconds=5)
    asked = asyncio.create_task(SessionProvider(host=tab).get_csrf_token())
    await asyncio.sleep(4)
    assert tab.browser.network.log == []
    assert await asked
    assert tab.browser.network.count(CSRF) == 1


async def test_a_page_that_is_left_drops_it(tab: MemoryHost) -> None:
    ahead = Ahead(tab, session(), seconds=5)
    SessionProvider(host=tab).start()
    await asyncio.sleep(1)
    tab.change_lifecycle("left")
    assert ahead.is_dropped


async def test_its_start_time_orders_the_shown_state(tab: MemoryHost) -> None:
    """A sign-out that another tab tells of began after it, though Python takes it later."""
    provider = SessionProvider(host=tab)
    Ahead(tab, session())
    await asyncio.sleep(5)
    provider.start()
    await provider.ready()
    assert provider.engine._store._shown[0] <= (tab.now() - 4.9) * 1e6
