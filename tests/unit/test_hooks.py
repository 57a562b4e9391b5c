"""use_session, the plain calls, and how a user's handlers are called."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

import nextauth_py
from nextauth_py import ProviderMissingError, SessionProvider, sign_in, sign_out, use_session
from nextauth_py.host.handlers import listener, wants_event
from nextauth_py.testing.memory import MemoryHost
from nextauth_py.ui.hooks import reading

from .conftest import signed_in


class NotingReader:
    """Notes what is read and required."""

    def __init__(self) -> None:
        self.read: list[object] = []
        self.required: list[object] = []

    def reads(self, provider: SessionProvider[Any]) -> None:
        self.read.append(provider)

    def requires(self, provider: SessionProvider[Any], on_unauthenticated: object) -> None:
        self.required.append((provider, on_unauthenticated))


async def test_the_hook_is_a_live_view(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    session = use_session()
    assert session.status == "authenticated"
    assert session.data is provider.state.data
    assert (session.error, session.stale) == (None, False)
    await session.update({"name": "bob"})
    assert session.data
    assert session.data.user
    assert session.data.user.name == "bob"
    await provider.sign_out(redirect=False)
    assert (session.status, session.data) == ("unauthenticated", None)
    assert repr(session) == "<SessionHandle unauthenticated>"


async def test_it_unpacks_as_in_the_original(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    data, status, update = use_session()
    assert data is provider.state.data
    assert status == "authenticated"
    assert update is provider.update


async def test_it_can_be_subscribed_to(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    statuses: list[str] = []
    stop = use_session().subscribe(lambda state: statuses.append(state.status))
    await provider.sign_out(redirect=False)
    stop()
    provider.session = {"expires": "2026-02-01T00:00:00Z"}
    assert statuses == ["unauthenticated"]


async def test_the_provider_started_last_is_the_current_one(tab: MemoryHost) -> None:
    outer = SessionProvider(None, host=tab).start()
    inner = SessionProvider({"expires": "2026-02-01T00:00:00Z"}, base_path="/b", host=tab).start()
    assert use_session().status == "authenticated"
    assert use_session(provider=outer).status == "unauthenticated"
    inner.close()
    assert use_session().status == "unauthenticated"


def test_without_a_provider_it_says_what_to_write() -> None:
    with pytest.raises(ProviderMissingError, match=r"SessionProvider\(\).start\(\)"):
        use_session()


async def test_reading_a_session_is_noticed_by_the_innermost_reader(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    outer, inner = NotingReader(), NotingReader()
    with reading(outer):
        with reading(inner):
            use_session()
        assert (outer.read, inner.read) == ([], [provider])
        use_session()
    assert outer.read == [provider]
    use_session()
    assert outer.read == [provider]


async def test_the_plain_calls_use_the_current_provider(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert result
    assert result.ok
    assert provider.state.status == "authenticated"
    assert await nextauth_py.get_session() is provider.state.data
    assert await nextauth_py.get_csrf_token()
    assert set(await nextauth_py.get_providers()) == {"credentials", "github", "email"}
    await sign_out(redirect=False)
    assert provider.state.status == "unauthenticated"


async def test_a_provider_that_was_never_started_can_be_asked(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    provider.close()
    alone = SessionProvider(host=tab)
    session = await alone.get_session()
    assert session
    assert tab.open_resources == 0


def test_the_package_loads_pydantic_only_for_its_models() -> None:
    code = (
        "import sys, nextauth_py; before = 'pydantic' in sys.modules; nextauth_py.Session; "
        "print(before, 'pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_the_public_names_are_all_there() -> None:
    assert all(hasattr(nextauth_py, name) for name in nextauth_py.__all__)
    assert sorted(nextauth_py.__all__) == nextauth_py.__all__
    with pytest.raises(AttributeError, match="nothing"):
        _ = nextauth_py.nothing  # type: ignore[attr-defined]


# --- event handlers ---


def test_a_handler_gets_the_event_only_if_it_must() -> None:
    assert wants_event(lambda event: event)
    assert wants_event(lambda event, more=1: event)
    assert not wants_event(lambda: None)
    assert not wants_event(lambda provider="github": provider)
    assert not wants_event(lambda *events: events)
    assert not wants_event(sign_in)
    assert not wants_event(sign_out)
    assert wants_event([].append)


async def test_a_handler_that_raises_is_reported() -> None:
    reports: list[tuple[str, BaseException]] = []

    def broken() -> None:
        raise KeyError("mine")

    async def broken_later() -> None:
        await asyncio.sleep(0)
        raise KeyError("mine too")

    for handler in (broken, broken_later):
        listener(handler, lambda message, error: reports.append((message, error)))("event")
    await asyncio.sleep(0.1)
    assert [message for message, _ in reports] == [
        "the event handler 'broken' failed",
        "the event handler 'broken_later' failed",
    ]
