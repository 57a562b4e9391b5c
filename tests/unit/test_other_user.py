"""Another user in place of one: a sign-out, then a sign-in, whichever way it is learnt."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from nextauth_py import Session, SessionEvent, SessionProvider
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost

from .conftest import name_in, signed_in
from .fake_server import EXPIRES, SESSION_COOKIE, FakeServer, json_answer

SESSION = "GET /api/auth/session"
BOTH = [("signed_out", None), ("signed_in", "bob")]


def session(**user: Any) -> dict[str, Any]:
    return {"user": user, "expires": EXPIRES}


def listen(provider: SessionProvider) -> list[tuple[str, str | None]]:
    """What happens from now on: each event, and whom its state shows."""
    heard: list[tuple[str, str | None]] = []
    for name in ("signed_in", "signed_out", "updated", "expired", "error"):
        provider.on(name, lambda event: heard.append((event.name, name_in(event.state))))
    return heard


async def sign_in_bob(provider: SessionProvider, browser: MemoryBrowser) -> None:
    await provider.sign_in("credentials", username="bob", password="builder", redirect=False)


async def assign_bob(provider: SessionProvider, browser: MemoryBrowser) -> None:
    provider.session = session(id="bob", name="bob")


async def find_bob(provider: SessionProvider, browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"id": "bob", "name": "bob"})
    await provider.refetch()


async def become_bob(provider: SessionProvider, browser: MemoryBrowser) -> None:
    await provider.update({"id": "bob", "name": "bob"})


@pytest.mark.parametrize("way", [sign_in_bob, assign_bob, find_bob, become_bob])
async def test_it_is_a_sign_out_and_a_sign_in_in_this_tab(tab: MemoryHost, way: Callable[..., Any]) -> None:
    provider = await signed_in(tab)
    heard = listen(provider)
    states: list[str | None] = []
    provider.subscribe(lambda state: states.append(name_in(state)))
    await way(provider, tab.browser)
    assert heard == BOTH
    assert states == ["bob"]  # nobody sees the page flicker


@pytest.mark.parametrize("way", [sign_in_bob, find_bob, become_bob])
async def test_and_in_the_others(browser: MemoryBrowser, way: Callable[..., Any]) -> None:
    provider = await signed_in(browser.open_tab())
    other = SessionProvider(host=browser.open_tab()).start()
    await other.ready()
    heard = listen(other)
    await way(provider, browser)
    await asyncio.sleep(1)
    assert heard == BOTH


async def test_a_cart_emptied_at_a_sign_out_is_not_the_next_users(browser: MemoryBrowser) -> None:
    await signed_in(browser.open_tab())
    shop = SessionProvider(host=browser.open_tab()).start()
    await shop.ready()
    cart = ["a book"]
    shop.on("signed_out", lambda _event: cart.clear())
    elsewhere = SessionProvider(host=browser.open_tab()).start()
    await elsewhere.sign_in("credentials", username="bob", password="builder", redirect=False)
    await asyncio.sleep(1)
    assert cart == []
    assert name_in(shop.state) == "bob"


async def test_events_have_a_cause_an_origin_and_a_state(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    events: list[SessionEvent] = []
    for name in ("signed_out", "signed_in"):
        provider.on(name, events.append)
    await sign_in_bob(provider, tab.browser)
    assert [(each.name, each.reason, each.local) for each in events] == [
        ("signed_out", "sign_in", True),
        ("signed_in", "sign_in", True),
    ]
    assert (events[0].state.status, events[0].state.data) == ("unauthenticated", None)
    assert events[1].state is provider.state


@pytest.mark.parametrize(
    ("one", "other", "events"),
    [
        ({"id": "1", "name": "a"}, {"id": "1", "name": "b", "email": "new@b.example"}, ["updated"]),
        (
            {"id": "1", "email": "a@b.example"},
            {"id": "2", "email": "a@b.example"},
            ["signed_out", "signed_in"],
        ),
        ({"email": "a@b.example", "name": "a"}, {"email": "a@b.example", "name": "b"}, ["updated"]),
        ({"email": "a@b.example"}, {"email": "b@b.example"}, ["signed_out", "signed_in"]),
        ({"id": "", "email": "a@b.example"}, {"id": "", "email": "b@b.example"}, ["signed_out", "signed_in"]),
        ({"email": "a@b.example"}, {"email": "a@b.example", "id": "1"}, ["updated"]),
        ({"id": "1"}, {"name": "a"}, ["updated"]),
        ({"name": "a"}, {"name": "b"}, ["updated"]),
        ({"id": "1"}, {"id": "1"}, []),
    ],
)
async def test_users_are_distinguished_by_id_else_by_email(
    tab: MemoryHost, one: dict[str, Any], other: dict[str, Any], events: list[str]
) -> None:
    tab.browser.network.answer_next(SESSION, json_answer(session(**one)))
    tab.browser.network.answer_next(SESSION, json_answer(session(**other)))
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    heard = listen(provider)
    await provider.refetch()
    assert [name for name, _ in heard] == events


async def test_without_id_and_email_a_sign_in_makes_another_user(
    browser: MemoryBrowser, server: FakeServer
) -> None:
    for user in server.users.values():
        user.fields = {"name": user.username}
    provider = await signed_in(browser.open_tab())
    other = SessionProvider(host=browser.open_tab()).start()
    await other.ready()
    heard, elsewhere = listen(provider), listen(other)
    await provider.update({"name": "Alice II"})
    await asyncio.sleep(1)
    assert heard == elsewhere == [("updated", "Alice II")]
    heard.clear()
    elsewhere.clear()
    await sign_in_bob(provider, browser)
    await asyncio.sleep(1)
    assert heard == elsewhere == BOTH


async def test_the_same_user_signing_in_again_is_neither(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    heard = listen(provider)
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert heard == []


async def test_a_session_that_has_ended_and_is_anothers_now_has_expired_first(
    tab: MemoryHost, server: FakeServer
) -> None:
    server.expires = "2026-01-01T00:01:00.000Z"
    provider = await signed_in(tab)
    heard = listen(provider)
    server.expires = EXPIRES
    tab.browser.cookies[SESSION_COOKIE] = json.dumps({"id": "bob", "name": "bob"})
    await asyncio.sleep(120)
    assert heard == [("expired", None), *BOTH]


async def test_a_session_type_may_have_a_user_of_any_form(tab: MemoryHost) -> None:
    class Plain(Session):
        user: dict[str, Any]  # type: ignore[assignment]

    provider = SessionProvider(session(id="1"), host=tab, session_type=Plain).start()
    heard: list[str] = []
    for name in ("signed_in", "signed_out", "updated"):
        provider.on(name, lambda event: heard.append(event.name))
    provider.session = session(id="1", name="b")
    provider.session = session(id="2", name="b")
    assert heard == ["updated", "signed_out", "signed_in"]
