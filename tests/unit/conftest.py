"""Unit tests that are coroutines run on virtual time, against a fake server, in one browser in memory."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from nextauth_py import SessionProvider, SessionState
from nextauth_py.client import registry
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import run

from .fake_server import FakeServer


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    # In a thread of its own: Playwright keeps an event loop running in the main one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(run, test).result()
    return True


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
def browser(server: FakeServer) -> MemoryBrowser:
    browser = MemoryBrowser(server)
    server.now = browser.true_time
    return browser


@pytest.fixture
def tab(browser: MemoryBrowser) -> MemoryHost:
    return browser.open_tab("/account")


@pytest.fixture(autouse=True)
def _providers_of_a_test_end_with_it() -> Iterator[None]:
    yield
    registry.started.clear()


async def signed_in(host: MemoryHost, **options: Any) -> SessionProvider:
    """A started provider on which alice has signed in."""
    provider = SessionProvider(host=host, **options).start()
    await provider.ready()
    result = await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert result is not None
    assert result.ok
    return provider


def name_in(state: SessionState) -> str | None:
    """The name of the user whom a state shows."""
    return state.data.user.name if state.data and state.data.user else None


class Waiter:
    """Waits for the states that a provider tells, one after the other."""

    def __init__(self, provider: SessionProvider) -> None:
        self._states: asyncio.Queue[SessionState] = asyncio.Queue()
        provider.subscribe(self._states.put_nowait)

    async def next(self) -> SessionState:
        return await self._states.get()


def start(tab: MemoryHost, **options: Any) -> SessionProvider:
    """A provider on a page that knows that nobody is signed in."""
    return SessionProvider(None, host=tab, **options).start()


async def pause() -> None:
    """Let what is under way come to its end."""
    await asyncio.sleep(0.01)
