"""A clock that is set, by a little or by days, in one tab first or in all: the tabs agree again at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from nextauth_py import SessionProvider
from nextauth_py.tabs.messages import OWN_CHANNEL, PROTOCOL
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in
from .fake_server import SESSION_COOKIE

SESSION = "GET /api/auth/session"
DAY = 86_400.0
JUMPS = [2 * DAY, -2 * DAY, 400 * DAY, -400 * DAY, 0.9 * DAY, -0.9 * DAY, 5.0, -5.0]


class Clocks:
    """The clock of the machine, which some tabs look at late."""

    def __init__(self, browser: MemoryBrowser) -> None:
        self._browser = browser

    def open_tab(self) -> MemoryHost:
        host = self._browser.open_tab()
        host.error = 0.0  # type: ignore[attr-defined]
        host.now = lambda: self._browser.true_time() + host.error  # type: ignore[attr-defined,method-assign]
        return host

    def set(self, seconds: float, *tabs: SessionProvider) -> None:
        for provider in tabs:
            provider.host.error += seconds  # type: ignore[attr-defined]


@pytest.fixture
def clocks(browser: MemoryBrowser) -> Clocks:
    return Clocks(browser)


async def open_tabs(
    browser: MemoryBrowser, clocks: Clocks, count: int, **options: Any
) -> list[SessionProvider]:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs = [SessionProvider(host=clocks.open_tab(), **options).start() for _ in range(count)]
    for provider in tabs:
        await provider.ready()
    await asyncio.sleep(5)
    return tabs


def shown(tabs: list[SessionProvider]) -> set[str | None]:
    return {name_in(provider.state) for provider in tabs}


async def rename(provider: SessionProvider) -> None:
    await provider.update({"name": "NEW"})


async def leave(provider: SessionProvider) -> None:
    await provider.sign_out(redirect=False)


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("change", [rename, leave])
async def test_after_a_jump_of_all_clocks_one_exchange_is_enough(
    browser: MemoryBrowser, clocks: Clocks, change: Callable[[SessionProvider], Any], who: int, jump: float
) -> None:
    tabs = await open_tabs(browser, clocks, 3)
    clocks.set(jump, *tabs)
    before = browser.network.count(SESSION)
    await change(tabs[who])
    await asyncio.sleep(0.01)
    assert shown(tabs) == ({"NEW"} if change is rename else {None})
    await asyncio.sleep(20)
    assert browser.network.count(SESSION) - before == 3 * (
        change is leave
    )  # it is checked, and looked at twice


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("who", [0, 1])
@pytest.mark.parametrize("change", [rename, leave])
async def test_while_one_tabs_clock_has_jumped_the_others_ask(
    browser: MemoryBrowser, clocks: Clocks, change: Callable[[SessionProvider], Any], who: int, jump: float
) -> None:
    tabs = await open_tabs(browser, clocks, 3)
    clocks.set(jump, tabs[0])
    before = len(browser.network.log)
    await change(tabs[who])
    await asyncio.sleep(2)
    right = {"NEW"} if change is rename else {None}
    assert shown(tabs) == right
    assert len(browser.network.log) - before <= 6
    clocks.set(jump, *tabs[1:])
    await tabs[1].sign_in("credentials", username="bob", password="builder", redirect=False)
    await asyncio.sleep(0.01)
    assert shown(tabs) == {"bob"}


@pytest.mark.parametrize("jump", JUMPS)
async def test_tabs_stay_in_step_when_a_clock_is_set_and_corrected(
    browser: MemoryBrowser, clocks: Clocks, jump: float
) -> None:
    tabs = await open_tabs(browser, clocks, 2)
    for seconds in (jump, -jump, jump):
        clocks.set(seconds, *tabs)
        await tabs[0].update({"name": "NEW"})
        await asyncio.sleep(0.01)
        assert shown(tabs) == {"NEW"}
        await tabs[1].update({"name": "newer"})
        await asyncio.sleep(0.01)
        assert shown(tabs) == {"newer"}


@pytest.mark.parametrize("jump", [2 * DAY, -2 * DAY])
async def test_a_fence_holds_after_a_jump(browser: MemoryBrowser, clocks: Clocks, jump: float) -> None:
    first, second = await open_tabs(browser, clocks, 2)
    await first.update({"name": "before"})
    clocks.set(jump, first, second)
    gate = browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(first.sign_out(redirect=False))
    await asyncio.sleep(0.1)
    before = browser.network.count(SESSION)
    asking = asyncio.create_task(second.get_session())
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) == before
    gate.set()
    await leaving
    assert await asking is None


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_jump_in_the_middle_of_a_sign_out_undoes_nothing(
    browser: MemoryBrowser, clocks: Clocks, jump: float
) -> None:
    tabs = await open_tabs(browser, clocks, 2)
    gate = browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(tabs[0].sign_out(redirect=False))
    await asyncio.sleep(0.1)
    clocks.set(jump, *tabs)
    gate.set()
    await leaving
    await asyncio.sleep(2)
    assert shown(tabs) == {None}
    assert SESSION_COOKIE not in browser.cookies


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_read_that_is_under_way_during_a_jump_is_shown(
    browser: MemoryBrowser, clocks: Clocks, jump: float
) -> None:
    tabs = await open_tabs(browser, clocks, 2)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    gate = browser.network.hold(SESSION)
    reading = asyncio.create_task(tabs[0].refetch())
    await asyncio.sleep(0.1)
    clocks.set(jump, *tabs)
    gate.set()
    assert name_in(await reading) == "bob"
    await asyncio.sleep(2)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "carol"})
    assert name_in(await tabs[1].refetch()) == "carol"
    await asyncio.sleep(0.01)
    assert shown(tabs) == {"carol"}


async def test_messages_from_the_future_cost_about_one_request_a_second(
    browser: MemoryBrowser, clocks: Clocks
) -> None:
    (provider,) = await open_tabs(browser, clocks, 1)
    channel = browser.open_tab().open_channel(OWN_CHANNEL, lambda _message: None)
    assert channel
    time = [int((provider.host.now() + 3 * DAY) * 1e6), "z"]
    message = {"v": PROTOCOL, "scope": "/api/auth", "kind": "state", "tab": "z", "time": time}
    rest = {"epoch": [0, ""], "session": None, "leads": 0, "mutated": None, "failure": None}
    before = browser.network.count(SESSION)
    for _ in range(600):
        channel.post(json.dumps({**message, **rest}))
        await asyncio.sleep(0.1)
    assert name_in(provider.state) == "alice"
    assert browser.network.count(SESSION) - before <= 60 + 20 + 10
    await asyncio.sleep(2)
