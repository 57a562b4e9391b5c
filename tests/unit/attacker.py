"""Another script of the origin, which says what it likes on the channels of the tabs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from nextauth_py import SessionProvider
from nextauth_py.host.base import Channel
from nextauth_py.tabs.messages import OWN_CHANNEL, PROTOCOL
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .fake_server import SESSION_COOKIE

SESSION = "GET /api/auth/session"
TIMEOUT = 10.0
LONGEST = 15 * TIMEOUT  # that a mutation can take
INTERVAL = 60.0


class Attacker:
    """A script of the origin that speaks as tabs that it invents."""

    def __init__(self, browser: MemoryBrowser) -> None:
        self.tab = browser.open_tab()
        self._own = self._open(OWN_CHANNEL)
        self._javascript = self._open("next-auth")
        self._spoken = 0

    def _open(self, name: str) -> Channel:
        channel = self.tab.open_channel(name, lambda _message: None)
        assert channel
        return channel

    def say(self, kind: str, *, tab: str | None = None, **fields: Any) -> None:
        self._spoken += 1
        tab = tab or f"invented {self._spoken}"
        time = [int(self.tab.now() * 1e6) + self._spoken, tab]
        message = {"v": PROTOCOL, "scope": "/api/auth", "kind": kind, "tab": tab, "time": time}
        rest = {"epoch": [0, ""], "session": None, "leads": 0, "mutated": None, "failure": None}
        self._own.post(json.dumps({**message, **rest, **fields}))

    def nudge(self) -> None:
        self._javascript.post({"event": "session"})

    def keep(self, speak: Callable[[], None], every: float) -> asyncio.Task[None]:
        async def flood() -> None:
            while True:
                speak()
                await asyncio.sleep(every)

        return asyncio.create_task(flood())


async def open_tabs(browser: MemoryBrowser, count: int, **options: Any) -> list[SessionProvider]:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    options = {"timeout": TIMEOUT, **options}
    providers = [SessionProvider(host=browser.open_tab(), **options).start() for _ in range(count)]
    for provider in providers:
        await provider.ready()
    await asyncio.sleep(2)
    return providers


def host_of(provider: SessionProvider) -> MemoryHost:
    assert isinstance(provider.host, MemoryHost)
    return provider.host


def now() -> float:
    return asyncio.get_running_loop().time()


def gets(browser: MemoryBrowser) -> int:
    return browser.network.count(SESSION)


FLOODS: dict[str, Callable[[Attacker], None]] = {
    kind: lambda attacker, kind=kind: attacker.say(kind)  # type: ignore[misc]
    for kind in ("hello", "here", "bye", "asking", "fence", "ack", "done", "changed", "state")
}
FLOODS |= {
    "javascript": Attacker.nudge,
    "failed": lambda attacker: attacker.say("failed", failure=[500, "HTTP 500", None]),
    "one tab's fences": lambda attacker: attacker.say("fence", tab="one"),
    "one fence": lambda attacker: attacker.say(
        "fence", tab="one", time=[1_767_225_600_000_000 + 10**9, "one"]
    ),
    "new epochs": lambda attacker: attacker.say(
        "here", epoch=[int(attacker.tab.now() * 1e6) + attacker._spoken, "z"]
    ),
}
