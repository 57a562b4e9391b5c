"""The messages between tabs, and tabs that follow each other."""

from __future__ import annotations

import asyncio
import json

import pytest

from nextauth_py import SessionProvider
from nextauth_py.host.memory import MemoryBrowser, MemoryHost
from nextauth_py.tabs import STORAGE_KEY, Mailbox, parse_stored

from .conftest import Waiter, name_in, signed_in

SESSION = "GET /api/auth/session"
FROM_V5 = {"event": "session", "data": {"trigger": "getSession"}}


def test_a_message_is_one_that_both_javascript_clients_understand() -> None:
    message = Mailbox("/api/auth").write("signout", nonce="n", now=1_767_225_600.9)
    assert message["event"] == "session"
    assert message["data"] == {"trigger": "signout"}
    assert message["timestamp"] == 1_767_225_600


@pytest.mark.parametrize("message", [None, 1, "session", [], {}, {"event": "other"}])
def test_what_is_no_message_is_no_news(message: object) -> None:
    assert not Mailbox("/api/auth").is_news(message)


def test_a_message_heard_on_both_transports_is_news_once() -> None:
    message = Mailbox("/api/auth").write("getSession", nonce="n", now=0)
    mailbox = Mailbox("/api/auth")
    assert mailbox.is_news(message)
    assert not mailbox.is_news(message)
    assert mailbox.is_news(FROM_V5)
    assert mailbox.is_news(FROM_V5)


def test_a_message_of_ours_for_another_server_is_no_news() -> None:
    message = Mailbox("/other").write("getSession", nonce="n", now=0)
    assert not Mailbox("/api/auth").is_news(message)


@pytest.mark.parametrize("text", [None, "", "{", "null"])
def test_a_storage_key_without_a_message_is_read_as_none(text: str | None) -> None:
    assert parse_stored(text) is None


async def test_another_tab_follows_a_sign_in_an_update_and_a_sign_out(browser: MemoryBrowser) -> None:
    first = SessionProvider(host=browser.open_tab()).start()
    second = SessionProvider(host=browser.open_tab()).start()
    await first.ready()
    await second.ready()
    heard = Waiter(second)

    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert name_in(await heard.next()) == "alice"

    await first.update({"name": "bob"})
    assert name_in(await heard.next()) == "bob"

    await first.sign_out(redirect=False)
    assert (await heard.next()).status == "unauthenticated"


async def test_one_announcement_costs_each_other_tab_one_request(browser: MemoryBrowser) -> None:
    first = SessionProvider(host=browser.open_tab()).start()
    others = [SessionProvider(host=browser.open_tab()).start() for _ in range(3)]
    for provider in (first, *others):
        await provider.ready()
    waiters = [Waiter(provider) for provider in others]
    before = browser.network.count(SESSION)

    await first.sign_in("credentials", username="alice", password="wonder", redirect=False)
    for waiter in waiters:
        await waiter.next()

    assert browser.network.count(SESSION) - before == 1 + len(others)


async def test_tabs_of_both_javascript_clients_are_told(browser: MemoryBrowser) -> None:
    neighbour = browser.open_tab()
    heard: list[object] = []
    neighbour.open_channel("next-auth", heard.append)
    neighbour.on_stored(STORAGE_KEY, lambda text: heard.append(parse_stored(text)))
    provider = await signed_in(browser.open_tab())
    await provider.sign_out(redirect=False)
    await asyncio.sleep(0)
    triggers = [(message["event"], message["data"]["trigger"]) for message in heard]  # type: ignore[index]
    assert triggers == [("session", "getSession")] * 2 + [("session", "signout")] * 2


async def test_tabs_of_both_javascript_clients_are_heard(browser: MemoryBrowser) -> None:
    neighbour = browser.open_tab()
    provider = SessionProvider(host=browser.open_tab()).start()
    await provider.ready()
    heard = Waiter(provider)
    channel = neighbour.open_channel("next-auth", lambda _message: None)

    browser.cookies["next-auth.session-token"] = json.dumps({"name": "alice"})
    channel.post(FROM_V5)
    assert (await heard.next()).status == "authenticated"

    del browser.cookies["next-auth.session-token"]
    neighbour.store(STORAGE_KEY, json.dumps({**FROM_V5, "timestamp": 1}))
    assert (await heard.next()).status == "unauthenticated"


async def test_what_was_heard_is_not_sent_on(browser: MemoryBrowser) -> None:
    neighbour = browser.open_tab()
    heard: list[object] = []
    channel = neighbour.open_channel("next-auth", heard.append)
    provider = SessionProvider(host=browser.open_tab()).start()
    await provider.ready()
    waiter = Waiter(provider)
    browser.cookies["next-auth.session-token"] = json.dumps({"name": "alice"})
    channel.post(FROM_V5)
    await waiter.next()
    assert heard == []
    assert STORAGE_KEY not in browser.storage


async def test_a_read_that_began_before_the_news_is_aborted(browser: MemoryBrowser) -> None:
    provider = await signed_in(browser.open_tab())
    neighbour = browser.open_tab()
    heard = Waiter(provider)
    gate = browser.network.hold(SESSION)
    late = asyncio.create_task(provider.refetch())
    await asyncio.sleep(0.1)

    browser.cookies.clear()
    neighbour.open_channel("next-auth", lambda _message: None).post(FROM_V5)
    assert (await heard.next()).status == "unauthenticated"
    gate.set()
    await late
    assert provider.state.status == "unauthenticated"
    assert "next-auth.session-token" not in browser.cookies


async def test_two_providers_with_different_paths_do_not_disturb_each_other(tab: MemoryHost) -> None:
    one = await signed_in(tab)
    SessionProvider(None, base_path="/other", host=tab).start()
    await one.sign_out(redirect=False)
    assert "GET /other/session" not in {f"{each.method} {each.path}" for each in tab.browser.network.log}
