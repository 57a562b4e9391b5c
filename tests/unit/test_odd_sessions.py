"""Whatever JSON a server puts into a session, the visitor is signed in, in all tabs and after a reload."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nextauth_py import Session, SessionProvider, SessionValidationError, User
from nextauth_py.server import session_script
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import signed_in
from .fake_server import EXPIRES, FakeServer

ODD: list[Any] = [
    None,
    "alice",
    "",
    7,
    0.5,
    False,
    [],
    [{"name": "Alice"}],
    {},
    {"id": 7},
    {"id": {"$oid": "7"}, "name": ["Alice"], "email": False, "image": {"src": "/a.png"}},
    {"schema": 1, "copy": [], "json": {}, "model_dump": "x", "model_config": "x", "__class__": "x", "_id": 0},
]


@pytest.fixture(params=ODD, ids=range(len(ODD)))
def user(request: pytest.FixtureRequest, server: FakeServer) -> Any:
    server.extra = {"user": request.param, "model_copy": 1, "_id": [], "copy": None}
    return request.param


async def test_everybody_is_signed_in(user: Any, browser: MemoryBrowser, tab: MemoryHost) -> None:
    other = SessionProvider(host=browser.open_tab("/account")).start()
    await other.ready()
    provider = await signed_in(tab)
    await asyncio.sleep(1)
    assert provider.state.data is not None
    assert other.state.data == provider.state.data
    assert provider.state.data.model_dump(mode="json")["_id"] == []
    if not isinstance(user, dict):
        assert provider.state.data.user == user
    before = provider.state.data
    assert (await provider.refetch()).data is before
    assert await provider.update({"plan": "pro"}) is not before
    assert (provider.state.status, provider.state.error) == ("authenticated", None)


async def test_also_by_messages_of_a_page(user: Any, tab: MemoryHost) -> None:
    told = {"user": user, "expires": EXPIRES}
    provider = SessionProvider(told, host=tab).start()
    assert provider.state.status == "authenticated"
    again = json.loads(session_script(provider.session).partition(">")[2].partition("<")[0])
    assert Session.model_validate(again) == provider.session


async def test_another_id_is_another_user_whatever_its_kind(server: FakeServer, tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    heard: list[str] = []
    ids: list[Any] = [7, "7", 8, {"$oid": "8"}, {"$oid": "9"}, ["9"]]
    for event in ("signed_in", "signed_out", "updated"):
        provider.on(event, lambda each: heard.append(each.name))
    told = []
    for each in ids:
        server.extra = {"user": {"id": each}}
        heard.clear()
        await provider.refetch()
        told.append(list(heard))
    other = ["signed_out", "signed_in"]
    assert told == [other, [], other, other, other, other]


async def test_a_type_of_ones_own_may_refuse(server: FakeServer, tab: MemoryHost) -> None:
    class Named(User):
        name: str

    class Strict(Session):
        user: Named

    server.extra = {"user": {"name": 7}}
    browser_session = SessionProvider(host=tab, session_type=Strict).start()
    await browser_session.ready()
    await browser_session.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert isinstance(browser_session.state.error, SessionValidationError)
    assert browser_session.state.data is None
