"""The life of a provider: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from nextauth_py import (
    ClientFetchError,
    Session,
    SessionProvider,
    SessionState,
    SessionValidationError,
    User,
)
from nextauth_py.provider import current_provider
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer

from .conftest import name_in, signed_in
from .fake_server import EXPIRES, SESSION_COOKIE, FakeServer, json_answer

SESSION = "GET /api/auth/session"


ALICE = {"user": {"name": "Alice"}, "expires": EXPIRES}


# --- the start ---


async def test_making_one_does_nothing(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab)
    assert provider.state == SessionState("loading")
    assert tab.open_resources == 0
    assert current_provider() is None


async def test_the_first_answer_ends_the_loading(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab).start()
    assert provider.state.status == "loading"
    assert (await provider.ready()).status == "unauthenticated"
    assert tab.browser.network.count(SESSION) == 1


async def test_starting_twice_asks_once(tab: MemoryHost) -> None:
    provider = SessionProvider(host=tab)
    assert provider.start() is provider.start()
    await provider.ready()
    assert tab.browser.network.count(SESSION) == 1


@pytest.mark.parametrize(
    ("session", "status"),
    [
        (None, "unauthenticated"),
        ({}, "unauthenticated"),
        (ALICE, "authenticated"),
        (
            Session(user=User(name="Alice"), expires=datetime(2026, 2, 1, tzinfo=UTC)),
            "authenticated",
        ),
    ],
)
async def test_a_given_session_saves_the_request(tab: MemoryHost, session: Any, status: str) -> None:
    provider = SessionProvider(session, host=tab).start()
    assert provider.state.status == status
    assert (await provider.ready()).status == status
    assert tab.browser.network.log == []


@pytest.mark.parametrize(
    ("text", "status"),
    [("null", "unauthenticated"), ("{}", "unauthenticated"), (json.dumps(ALICE), "authenticated")],
)
async def test_a_session_embedded_in_the_page_saves_the_request(
    tab: MemoryHost, text: str, status: str
) -> None:
    tab.embedded = text
    provider = SessionProvider(host=tab).start()
    assert provider.state.status == status
    assert tab.browser.network.log == []


async def test_an_embedded_session_is_for_the_first_provider_only(tab: MemoryHost) -> None:
    tab.embedded = json.dumps(ALICE)
    SessionProvider(host=tab).start().close()
    assert (await SessionProvider(host=tab).start().ready()).status == "unauthenticated"


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"user": 1}'])
async def test_an_unreadable_embedded_session_is_reported_and_the_server_asked(
    tab: MemoryHost, text: str
) -> None:
    tab.embedded = text
    provider = SessionProvider(host=tab).start()
    assert (await provider.ready()).status == "unauthenticated"
    assert "embedded" in tab.reports[0][0]


async def test_a_given_session_that_does_not_fit_is_refused_at_the_start(tab: MemoryHost) -> None:
    provider = SessionProvider({"user": {"name": "Alice"}, "expires": 3.5e300}, host=tab)
    with pytest.raises(SessionValidationError, match="expires"):
        provider.start()
    assert tab.open_resources == 0
    assert current_provider() is None


async def test_a_first_load_that_fails_shows_the_error_and_stays_loading(tab: MemoryHost) -> None:
    tab.browser.network.answer_next(SESSION, json_answer({"message": "no secret"}, 500))
    state = await SessionProvider(host=tab).start().ready()
    assert state.status == "loading"
    assert isinstance(state.error, ClientFetchError)
    assert state.error.status == 500


@pytest.mark.parametrize("answer", [None, json_answer({}, 500)], ids=["answered", "failed"])
async def test_a_first_answer_that_is_too_old_is_asked_for_again(
    browser: MemoryBrowser, answer: Answer | None
) -> None:
    other = await signed_in(browser.open_tab())
    browser.network.latency = 0.1
    browser.deliveries = lambda: [0.05]
    browser.clock_error = -3600  # so that what the other tab did is yet to come, here
    if answer:
        browser.network.answer_next(SESSION, answer)
    provider = SessionProvider(host=browser.open_tab()).start()
    assert name_in(await provider.ready()) == "alice"
    assert provider.state.data == other.state.data


async def test_the_environment_moves_every_request(tab: MemoryHost, server: FakeServer) -> None:
    server.base_path = "/custom/auth"
    tab.environment["NEXTAUTH_URL"] = "https://elsewhere.example/custom/auth"
    await signed_in(tab)
    assert {each.path.rpartition("/auth/")[0] for each in tab.browser.network.log} == {"/custom"}


@pytest.mark.parametrize("url", ["https://app.example", "https://APP.example:443/api/auth/", "app.example"])
async def test_the_origin_of_the_page_as_base_url_is_the_same_as_none(
    browser: MemoryBrowser, url: str
) -> None:
    ours, others = browser.open_tab(), browser.open_tab()
    provider = SessionProvider(host=ours, base_url=url).start()
    other = SessionProvider(host=others, base_path="/api/auth/").start()
    await asyncio.gather(provider.ready(), other.ready())
    await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    await asyncio.sleep(1)
    assert name_in(other.state) == "alice"
    assert {each.tab for each in browser.network.log if each.method == "POST"} == {0}
    assert repr(provider) == repr(other)


# --- bad input ---


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"session": 3}, TypeError, "session takes a Session, a mapping or None, not int"),
        ({"session": "null"}, TypeError, "session takes"),
        ({"session_type": dict}, TypeError, "session_type takes a subclass of Session"),
        ({"refetch_interval": "5"}, TypeError, "refetch_interval takes seconds as a number"),
        ({"refetch_interval": True}, TypeError, "refetch_interval"),
        ({"refetch_interval": -1}, ValueError, "refetch_interval=-1"),
        ({"refetch_interval": float("nan")}, ValueError, "refetch_interval=nan"),
        ({"timeout": None}, TypeError, "timeout takes seconds"),
        ({"timeout": 0}, ValueError, "timeout=0 leaves no time"),
        ({"refetch_on_window_focus": 1}, TypeError, "refetch_on_window_focus takes True or False"),
        ({"refetch_when_offline": None}, TypeError, "refetch_when_offline takes True or False"),
        ({"base_path": "api"}, ValueError, "base_path='api'"),
        ({"base_url": "::"}, ValueError, "base_url='::'"),
    ],
)
def test_a_wrong_option_is_refused_by_name(
    tab: MemoryHost, options: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        SessionProvider(host=tab, **options)


def test_outside_a_browser_a_host_is_asked_for() -> None:
    with pytest.raises(RuntimeError, match="pass a host"):
        SessionProvider()


def test_an_unknown_event_is_refused_with_a_list_of_the_known_ones(tab: MemoryHost) -> None:
    with pytest.raises(ValueError, match="signed_in, signed_out"):
        SessionProvider(host=tab).on("sign_in", print)  # type: ignore[arg-type]


# --- the end ---


async def test_closing_leaves_nothing_behind(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_interval=60)
    assert tab.open_resources > 0
    provider.close()
    provider.close()
    assert tab.open_resources == 0
    assert current_provider() is None


async def test_closing_during_a_request_aborts_it_and_writes_nothing(tab: MemoryHost) -> None:
    tab.browser.network.hold(SESSION)
    provider = SessionProvider(host=tab).start()
    states: list[SessionState] = []
    provider.subscribe(states.append)
    await asyncio.sleep(1)
    provider.close()
    await asyncio.sleep(1)
    assert tab.browser.network.log[0].aborted
    assert states == []
    assert provider.state.status == "loading"


async def test_a_call_interrupted_by_close_returns_the_known_state(tab: MemoryHost) -> None:
    tab.browser.network.hold(SESSION)
    provider = SessionProvider(host=tab).start()
    call = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    provider.close()
    assert await call is None
    assert tab.browser.network.count(SESSION) == 1


async def test_closing_during_a_sign_out_writes_nothing(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.latency = 1
    leaving = asyncio.create_task(provider.sign_out(redirect=False))
    await asyncio.sleep(0.5)
    provider.close()
    assert await leaving is None
    assert provider.state.status == "authenticated"


@pytest.mark.parametrize("held", ["GET /api/auth/csrf", "POST /api/auth/signout", SESSION])
async def test_closing_during_a_sign_out_aborts_its_request_and_has_the_other_tabs_ask(
    browser: MemoryBrowser, held: str
) -> None:
    provider, other = await signed_in(browser.open_tab()), SessionProvider(host=browser.open_tab()).start()
    await other.ready()
    await asyncio.sleep(1)
    browser.network.hold(held)
    leaving = asyncio.create_task(provider.sign_out(redirect=False))
    await asyncio.sleep(1)
    provider.close()
    assert await leaving is None
    assert browser.network.log[-1].aborted
    browser.network.calm()
    await asyncio.sleep(5)
    cookie = browser.cookies.get(SESSION_COOKIE)
    assert (other.state.status == "authenticated") == (cookie is not None)
    assert browser.network.log[-1].aborted is False  # the other tab's


@pytest.mark.parametrize("call", ["sign_in", "get_providers", "get_csrf_token", "update"])
async def test_closing_aborts_each_call(tab: MemoryHost, call: str) -> None:
    provider = await signed_in(tab)
    for route in ("providers", "csrf"):
        tab.browser.network.hold(f"GET /api/auth/{route}")
    running = asyncio.create_task(getattr(provider, call)())
    await asyncio.sleep(1)
    provider.close()
    assert not await running
    assert tab.browser.network.log[-1].aborted
    assert not tab.visited


async def test_a_listener_may_close_the_provider_when_a_sign_out_has_ended(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    provider.on("signed_out", lambda _: provider.close())
    assert await provider.sign_out(redirect=False) is not None


async def test_a_cancelled_call_is_cancelled_and_aborts_its_request(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.hold("POST /api/auth/signout")
    leaving = asyncio.create_task(provider.sign_out(redirect=False))
    await asyncio.sleep(1)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert tab.browser.network.log[-1].aborted


async def test_a_closed_provider_says_that_it_is_closed(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    provider.close()
    for call in (
        provider.refetch,
        provider.get_session,
        provider.sign_out,
        provider.sign_in,
        provider.update,
    ):
        with pytest.raises(RuntimeError, match="closed. Make a new one"):
            await call()
    with pytest.raises(RuntimeError, match="closed"):
        provider.start()


async def test_with_starts_and_closes(tab: MemoryHost) -> None:
    with SessionProvider(None, host=tab) as outer:
        async with SessionProvider(None, base_path="/inner", host=tab) as inner:
            assert current_provider() is inner
        assert current_provider() is outer
    assert current_provider() is None
    assert tab.open_resources == 0
