"""Always right about now: failures and recovery, the session's end, renewal, focus, network, the trace."""

from __future__ import annotations

import asyncio
import json
import logging
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextauth_py import ClientFetchError, SessionEvent, SessionProvider, SessionState
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer, run

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE, FakeServer, html_answer, json_answer

SESSION = "GET /api/auth/session"
CSRF = "GET /api/auth/csrf"
DAY = 24 * 60 * 60.0
HOUR = 60 * 60.0


def gets(tab: MemoryHost) -> int:
    return tab.browser.network.count(SESSION)


def note_events(provider: SessionProvider) -> list[tuple[str, str, bool]]:
    """What happens from now on: name, reason, whether by this tab."""
    events: list[tuple[str, str, bool]] = []

    def note(event: SessionEvent) -> None:
        events.append((event.name, event.reason, event.local))

    for name in ("signed_in", "signed_out", "updated", "expired", "error"):
        provider.on(name, note)
    return events


def busy_server(wait: str) -> Answer:
    return Answer(Response(429, "", {"retry-after": wait}))


# --- failures ---


@pytest.mark.parametrize(
    "failure",
    [
        OSError(),
        json_answer({"message": "down"}, 500),
        json_answer({}, 403),
        json_answer({}, 404),
        json_answer({"error": "no"}, 401),
        html_answer(),
        html_answer(401),
        busy_server("0"),
        Answer(Response(200, "{", {"content-type": "application/json"})),
        Answer(Response(200, "", {})),
        json_answer([]),
        json_answer({"user": {}}),
        json_answer({"user": {}, "expires": "soon"}),
    ],
    ids=str,
)
async def test_a_failure_keeps_the_session_and_heals_by_itself(
    tab: MemoryHost, failure: Answer | OSError
) -> None:
    provider = await signed_in(tab)
    shown = provider.state.data
    events = note_events(provider)
    tab.browser.network.answer_next(SESSION, failure)
    await provider.refetch()
    assert provider.state.data is shown
    assert (provider.state.status, provider.state.stale) == ("authenticated", True)
    assert provider.state.error
    await asyncio.sleep(1)
    assert (provider.state.error, provider.state.stale) == (None, False)
    assert provider.state.data is shown
    assert events == [("error", "refetch", False)]


async def test_an_answer_that_never_comes_is_a_failure(tab: MemoryHost) -> None:
    provider = await signed_in(tab, timeout=5)
    tab.browser.network.hold(SESSION)
    state = await provider.refetch()
    assert "no answer within 5 s" in str(state.error)
    assert state.status == "authenticated"
    await asyncio.sleep(1)
    assert provider.state.error is None


async def test_a_first_load_that_fails_goes_on_trying(tab: MemoryHost) -> None:
    tab.browser.network.answer_next(SESSION, json_answer({}, 500), times=3)
    provider = SessionProvider(host=tab).start()
    states: list[SessionState] = []
    provider.subscribe(states.append)
    await asyncio.sleep(10)
    assert [state.status for state in states] == ["loading", "unauthenticated"]
    assert gets(tab) == 4


async def test_a_server_that_is_down_is_asked_ever_less_often(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=1)
    tab.browser.network.answer_next(SESSION, json_answer({}, 503), times=10_000)
    before = gets(tab)
    await asyncio.sleep(HOUR)
    assert 60 <= gets(tab) - before <= 130


async def test_the_rest_that_a_server_asks_for_is_kept(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_interval=10)
    tab.browser.network.answer_next(SESSION, busy_server("300"), times=10_000)
    before = gets(tab)
    await asyncio.sleep(HOUR)
    assert gets(tab) - before == 1 + (3600 - 10) // 300
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) - before == 1 + (3600 - 10) // 300
    await provider.refetch()  # whoever asks by hand is not held back
    assert gets(tab) - before == 2 + (3600 - 10) // 300


async def test_a_rest_until_a_date_is_kept_whatever_the_time_is_here(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.clock_error = DAY
    headers = {"retry-after": "Thu, 01 Jan 2026 00:01:40 GMT", "date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    tab.browser.network.answer_next(SESSION, Answer(Response(503, "", headers)))
    state = await provider.refetch()
    assert isinstance(state.error, ClientFetchError)
    assert state.error.retry_after == 100
    before = gets(tab)
    await asyncio.sleep(99)
    assert gets(tab) == before
    await asyncio.sleep(2)
    assert gets(tab) == before + 1


@pytest.mark.parametrize("wish", ["", "soon", "-3", "1e3", "Thu, 01 Jan 2026 00:01:40 GMT"])
async def test_a_rest_that_makes_no_sense_is_none(tab: MemoryHost, wish: str) -> None:
    provider = await signed_in(tab)
    tab.browser.network.tells_time = False
    tab.browser.network.answer_next(SESSION, busy_server(wish))
    state = await provider.refetch()
    assert isinstance(state.error, ClientFetchError)
    assert state.error.retry_after is None
    await asyncio.sleep(1)
    assert provider.state.error is None


async def test_nothing_is_tried_again_while_hidden_and_at_once_when_back(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_on_window_focus=False)
    tab.set_visible(visible=False)
    tab.browser.network.answer_next(SESSION, OSError())
    await provider.refetch()
    before = gets(tab)
    await asyncio.sleep(DAY)
    assert gets(tab) == before
    tab.set_visible(visible=True)
    await asyncio.sleep(0.01)
    assert gets(tab) == before + 1
    assert provider.state.error is None


async def test_nothing_is_tried_again_while_offline_and_at_once_when_back(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.set_online(online=False)
    await provider.refetch()
    before = gets(tab)
    await asyncio.sleep(DAY)
    assert gets(tab) == before
    tab.browser.set_online(online=True)
    await asyncio.sleep(0.01)
    assert gets(tab) == before + 1
    assert provider.state.error is None


async def test_a_failed_update_is_put_right_by_asking(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next("POST /api/auth/session", OSError())
    with pytest.raises(ClientFetchError):
        await provider.update({"name": "bob"})
    assert (name_in(provider.state), provider.state.stale) == ("alice", True)
    await asyncio.sleep(1)
    assert (name_in(provider.state), provider.state.stale) == ("alice", False)


async def test_a_sign_out_that_could_not_be_checked_is_checked_later(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, OSError())
    await provider.sign_out(redirect=False)
    assert (provider.state.status, provider.state.stale) == ("unauthenticated", True)
    await asyncio.sleep(1)
    assert (provider.state.status, provider.state.stale) == ("unauthenticated", False)


async def test_a_sign_in_whose_session_could_not_be_read_shows_it_later(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    tab.browser.network.answer_next(SESSION, OSError())
    result = await provider.sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert result
    assert result.ok
    await asyncio.sleep(1)
    assert name_in(provider.state) == "alice"


failures = st.sampled_from(
    [
        OSError(),
        json_answer({}, 500),
        json_answer(None, 502),
        html_answer(),
        html_answer(404),
        busy_server("30"),
        json_answer({"user": 3}),
    ]
)
moments = st.sampled_from(["focus", "hide", "show", "offline", "online", "refetch", "wait"])


@settings(max_examples=200, deadline=None)
@given(plan=st.lists(failures, max_size=12), story=st.lists(moments, max_size=20), is_first=st.booleans())
def test_whatever_fails_in_whatever_order_nobody_is_signed_out_and_all_is_well_in_the_end(
    plan: list[Answer | OSError], story: list[str], is_first: bool
) -> None:
    async def live() -> None:
        browser = MemoryBrowser(FakeServer())
        browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
        tab = browser.open_tab()
        provider = SessionProvider(host=tab, refetch_interval=20)
        seen: list[str] = []
        provider.subscribe(lambda state: seen.append(state.status))
        if not is_first:
            await provider.start().ready()
        for failure in plan:
            browser.network.answer_next(SESSION, failure)
        provider.start()
        for moment in story:
            await happen(moment, provider, tab)
        await happen("online", provider, tab)
        await happen("show", provider, tab)
        await asyncio.sleep(1000)
        assert "unauthenticated" not in seen
        assert (name_in(provider.state), provider.state.error, provider.state.stale) == ("alice", None, False)
        provider.close()

    run(live())


async def happen(moment: str, provider: SessionProvider, tab: MemoryHost) -> None:
    if moment == "refetch":
        await provider.refetch()
    elif moment == "focus":
        tab.focus()
    elif moment in {"hide", "show"}:
        tab.set_visible(visible=moment == "show")
    elif moment in {"offline", "online"}:
        tab.browser.set_online(online=moment == "online")
    await asyncio.sleep(3)


# --- coming into view, and the network ---


async def test_fifty_events_in_two_seconds_cost_one_request_and_tell_nobody(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.sleep(60)
    told: list[SessionState] = []
    provider.subscribe(told.append)
    before = gets(tab)
    for event in range(50):
        if event % 3 == 0:
            tab.focus()
        elif event % 3 == 1:
            tab.set_visible(visible=True)
        else:
            tab.notify(tab.online_listeners)
        await asyncio.sleep(0.04)
    assert gets(tab) == before + 1
    assert told == []


async def test_the_window_getting_the_focus_asks_as_coming_into_view_does(tab: MemoryHost) -> None:
    await signed_in(tab)
    await asyncio.sleep(60)
    before = gets(tab)
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) == before + 1
    tab.visible = False
    await asyncio.sleep(60)
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) == before + 1


async def test_coming_online_asks_however_short_ago_was_asked(tab: MemoryHost) -> None:
    provider = await signed_in(tab, refetch_on_window_focus=False)
    tab.browser.set_online(online=False)
    await asyncio.sleep(0.1)
    tab.browser.cookies.clear()
    events = note_events(provider)
    tab.browser.set_online(online=True)
    await asyncio.sleep(0.01)
    assert events == [("signed_out", "online", False)]


async def test_a_request_from_before_the_network_came_back_is_not_waited_for(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.set_online(online=False)
    await asyncio.sleep(0.1)
    tab.browser.network.online = True  # the browser has not noticed yet
    tab.browser.network.hold(SESSION)
    reading = asyncio.create_task(provider.get_session())
    await asyncio.sleep(0.1)
    tab.browser.set_online(online=True)
    async with asyncio.timeout(0.1):
        assert await reading is provider.state.data


async def test_a_page_that_starts_offline_asks_when_online(tab: MemoryHost) -> None:
    tab.browser.set_online(online=False)
    provider = SessionProvider(host=tab).start()
    assert (await provider.ready()).error
    tab.browser.set_online(online=True)
    await asyncio.sleep(0.01)
    assert (provider.state.status, provider.state.error) == ("unauthenticated", None)


async def test_coming_online_while_hidden_asks_on_return(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_on_window_focus=False)
    before = gets(tab)
    tab.set_visible(visible=False)
    tab.browser.set_online(online=False)
    await asyncio.sleep(1)
    tab.browser.set_online(online=True)
    await asyncio.sleep(1)
    assert gets(tab) == before
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    assert gets(tab) == before + 1


async def test_coming_online_asks_nothing_where_nobody_is_signed_in(tab: MemoryHost) -> None:
    SessionProvider(None, host=tab).start()
    tab.browser.set_online(online=False)
    await asyncio.sleep(1)
    tab.browser.set_online(online=True)
    await asyncio.sleep(1)
    assert gets(tab) == 0


async def test_ten_tabs_coming_online_ask_once(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs = [SessionProvider(host=browser.open_tab()).start() for _ in range(10)]
    await asyncio.sleep(60)
    browser.set_online(online=False)
    await asyncio.sleep(1)
    before = browser.network.count(SESSION)
    browser.cookies.clear()
    browser.set_online(online=True)
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) == before + 1
    assert {provider.state.status for provider in tabs} == {"unauthenticated"}


async def test_ten_tabs_coming_online_to_a_server_that_is_down_ask_once(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    tabs = [SessionProvider(host=browser.open_tab()).start() for _ in range(10)]
    await asyncio.sleep(60)
    browser.set_online(online=False)
    await asyncio.sleep(1)
    before = browser.network.count(SESSION)
    browser.network.answer_next(SESSION, busy_server("60"), times=10)
    browser.set_online(online=True)
    await asyncio.sleep(30)
    assert browser.network.count(SESSION) == before + 1
    assert {(provider.state.status, provider.state.stale) for provider in tabs} == {("authenticated", True)}


async def test_polling_on_demand_of_the_network_stops_and_goes_on_with_it(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=10, refetch_when_offline=False)
    await asyncio.sleep(25)
    tab.browser.set_online(online=False)
    before = gets(tab)
    await asyncio.sleep(100)
    assert gets(tab) == before
    tab.browser.set_online(online=True)
    await asyncio.sleep(15)
    assert gets(tab) == before + 2  # at once, and ten seconds later


async def test_a_hidden_tab_that_others_lead_asks_once_on_return(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})
    hidden, shown = browser.open_tab(), browser.open_tab()
    for tab in (hidden, shown):
        SessionProvider(host=tab, refetch_interval=60).start()
    await asyncio.sleep(1)
    hidden.set_visible(visible=False)
    await asyncio.sleep(90)
    seen = len(browser.network.log)
    await asyncio.sleep(300)
    assert {exchange.tab for exchange in browser.network.log[seen:]} == {1}
    before = browser.network.count(SESSION)
    hidden.set_visible(visible=True)
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) == before + 1


# --- the end of a session ---


async def at_the_end(
    tab: MemoryHost, server: FakeServer, max_age: float, **options: Any
) -> tuple[SessionProvider, list[tuple[str, str, bool]]]:
    """Somebody has signed in, for so many seconds."""
    server.max_age = max_age
    provider = await signed_in(tab, **options)
    return provider, note_events(provider)


async def test_a_session_ends_when_it_ends_without_polling(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, 100)
    before = gets(tab)
    await asyncio.sleep(99.9)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(0.3)
    assert provider.state.status == "unauthenticated"
    assert events == [("expired", "expiry", False), ("signed_out", "expiry", False)]
    await asyncio.sleep(HOUR)
    assert gets(tab) == before + 1


@pytest.mark.parametrize("error", [HOUR, -HOUR, DAY, -DAY])
async def test_a_clock_that_is_wrong_changes_nothing(
    tab: MemoryHost, server: FakeServer, error: float
) -> None:
    tab.browser.clock_error = error
    provider, events = await at_the_end(tab, server, 1800)
    before = gets(tab)
    await asyncio.sleep(1799)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(2)
    assert [name for name, *_ in events] == ["expired", "signed_out"]
    assert gets(tab) == before + 1


async def test_an_answer_from_a_cache_does_not_set_the_servers_time_back(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, _ = await at_the_end(tab, server, 1800)
    kept = {"content-type": "application/json", "date": formatdate(tab.now() - HOUR, usegmt=True)}
    tab.browser.network.answer_next(
        CSRF, Answer(Response(200, '{"csrfToken": "x"}', {**kept, "age": "3600"}))
    )
    await provider.get_csrf_token()
    before = gets(tab)
    await asyncio.sleep(1799)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(2)
    assert provider.state.status == "unauthenticated"


@pytest.mark.parametrize("error", [HOUR, -HOUR])
async def test_a_clock_that_is_set_meanwhile_neither_ends_nor_extends_a_session(
    tab: MemoryHost, server: FakeServer, error: float
) -> None:
    provider, _ = await at_the_end(tab, server, 1800)
    before = gets(tab)
    await asyncio.sleep(300)
    tab.browser.clock_error = error
    await asyncio.sleep(1499)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(62)
    assert provider.state.status == "unauthenticated" or error < 0


async def test_a_session_known_beforehand_is_not_extended_by_a_clock_that_is_wrong(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, _ = await at_the_end(tab, server, 1800)
    session = provider.session
    provider.close()
    before = gets(tab)
    tab.browser.clock_error = HOUR
    provider = SessionProvider(session, host=tab).start()
    await asyncio.sleep(1799)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(2)
    assert provider.state.status == "unauthenticated"


async def test_a_server_that_tells_no_time_is_asked_when_the_session_ends_here(
    tab: MemoryHost, server: FakeServer
) -> None:
    tab.browser.network.tells_time = False
    provider, events = await at_the_end(tab, server, 100)
    await asyncio.sleep(99)
    assert provider.state.status == "authenticated"
    await asyncio.sleep(2)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_a_laptop_that_slept_past_the_end_asks_once(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, HOUR)
    before = gets(tab)
    await asyncio.sleep(600)
    tab.browser.sleep(8 * HOUR)
    tab.set_visible(visible=True)
    await asyncio.sleep(1)
    assert provider.state.status == "unauthenticated"
    assert [name for name, *_ in events] == ["expired", "signed_out"]
    assert gets(tab) == before + 1


async def test_a_sleep_is_noticed_though_no_event_tells_of_it(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, HOUR)
    tab.browser.sleep(8 * HOUR)
    await asyncio.sleep(61)
    assert provider.state.status == "unauthenticated"
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_waking_up_offline_keeps_the_session_until_the_server_can_be_asked(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, events = await at_the_end(tab, server, HOUR)
    tab.browser.set_online(online=False)
    tab.browser.sleep(8 * HOUR)
    await asyncio.sleep(300)
    assert (provider.state.status, provider.state.stale) == ("authenticated", True)
    before = gets(tab)
    tab.browser.set_online(online=True)
    await asyncio.sleep(1)
    assert [name for name, *_ in events] == ["error", "expired", "signed_out"]
    assert gets(tab) == before + 1


@pytest.mark.parametrize("days", [30, 400])
async def test_a_long_session_fires_no_timer_at_once_and_ends_in_its_time(
    tab: MemoryHost, server: FakeServer, days: int
) -> None:
    provider, events = await at_the_end(tab, server, days * DAY)
    before = gets(tab)
    timers = set(tab.timers)
    await asyncio.sleep(10)
    assert tab.timers == timers
    tab.browser.sleep(days * DAY - 100)
    await asyncio.sleep(80)
    assert (provider.state.status, gets(tab)) == ("authenticated", before)
    await asyncio.sleep(15)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_a_session_that_outlives_its_end_is_verified_once(tab: MemoryHost, server: FakeServer) -> None:
    provider = await signed_in(tab)
    server.expires = "2026-01-01T00:01:00Z"
    await provider.refetch()
    before = gets(tab)
    await asyncio.sleep(HOUR)
    assert provider.state.status == "authenticated"
    assert gets(tab) == before + 1
    server.expires = "1999-01-01T00:00:00Z"
    await provider.refetch()
    await asyncio.sleep(HOUR)
    assert provider.state.status == "authenticated"
    assert gets(tab) == before + 2


@pytest.mark.parametrize(
    "session", [{"user": {}}, {"user": {}, "expires": "soon"}], ids=["missing", "nonsense"]
)
async def test_an_end_that_cannot_be_read_is_an_error_and_no_storm(
    tab: MemoryHost, session: dict[str, Any]
) -> None:
    tab.browser.network.answer_next(SESSION, json_answer(session), times=10_000)
    provider = SessionProvider(host=tab).start()
    await asyncio.sleep(HOUR)
    assert "expires" in str(provider.state.error)
    assert gets(tab) <= 2 * 60 + 10


async def test_a_given_session_that_is_over_is_verified(tab: MemoryHost) -> None:
    provider = SessionProvider({"user": {"name": "Alice"}, "expires": "2025-01-01T00:00:00Z"}, host=tab)
    events = note_events(provider)
    provider.start()
    assert provider.state.status == "authenticated"
    await asyncio.sleep(1)
    assert [name for name, *_ in events] == ["expired", "signed_out"]
    assert gets(tab) == 1


async def test_one_tab_verifies_for_all(browser: MemoryBrowser, server: FakeServer) -> None:
    server.max_age = 100
    await signed_in(browser.open_tab())
    tabs = [SessionProvider(host=browser.open_tab()).start() for _ in range(9)]
    await asyncio.sleep(1)
    events = [note_events(provider) for provider in tabs]
    before = browser.network.count(SESSION)
    await asyncio.sleep(100.5)
    assert {provider.state.status for provider in tabs} == {"unauthenticated"}
    assert all([name for name, *_ in each] == ["expired", "signed_out"] for each in events)
    assert browser.network.count(SESSION) == before + 1


async def test_signing_out_by_hand_is_no_expiry(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, 100)
    await asyncio.sleep(50)
    await provider.sign_out(redirect=False)
    await asyncio.sleep(100)
    assert events == [("signed_out", "sign_out", True)]


async def test_polling_goes_on_extending_a_session(tab: MemoryHost, server: FakeServer) -> None:
    provider, events = await at_the_end(tab, server, 100, refetch_interval=60)
    await asyncio.sleep(HOUR)
    assert (provider.state.status, events) == ("authenticated", [])


# --- renewal ---


async def test_a_page_that_is_used_renews_the_session_and_ends_without_use(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider, events = await at_the_end(tab, server, 100, renew_before_expiry=20)
    before = gets(tab)
    for _ in range(30):
        await asyncio.sleep(10)
        tab.use()
    assert provider.state.status == "authenticated"
    assert 3 <= gets(tab) - before <= 4
    await asyncio.sleep(220)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_a_page_that_nobody_uses_renews_nothing(tab: MemoryHost, server: FakeServer) -> None:
    _, events = await at_the_end(tab, server, 100, renew_before_expiry=20)
    tab.use()
    await asyncio.sleep(101)
    assert [name for name, *_ in events] == ["expired", "signed_out"]


async def test_renewal_is_off_by_default(tab: MemoryHost, server: FakeServer) -> None:
    _, events = await at_the_end(tab, server, 100)
    assert tab.use_listeners == []
    assert events == []


# --- the trace ---


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


async def test_without_debug_nothing_is_said(tab: MemoryHost, caplog: pytest.LogCaptureFixture) -> None:
    await signed_in(tab)
    assert (tab.lines, caplog.records) == ([], [])


async def test_what_another_tab_says_is_explained(browser: MemoryBrowser) -> None:
    first, second = browser.open_tab(), browser.open_tab()
    SessionProvider(host=second, debug=True).start()
    speaking = await signed_in(first)
    browser.network.answer_next(SESSION, json_answer({}, 500))
    await speaking.refetch()
    await asyncio.sleep(0.01)
    text = "\n".join(second.lines)
    assert "shows what another tab says: somebody is signed in" in text
    assert "shows a failure of another tab: /api/auth/session: HTTP 500" in text


# --- out of view ---


def poller(tab: MemoryHost, **options: Any) -> SessionProvider:
    session = {"user": {"name": "alice"}, "expires": "2099-01-01T00:00:00Z"}
    return SessionProvider(
        session, refetch_interval=10, refetch_when_hidden=False, host=tab, **options
    ).start()


def sign_in_all(browser: MemoryBrowser) -> None:
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "alice"})


@pytest.mark.parametrize("on_focus", [True, False])
async def test_the_interval_rests_while_hidden_and_one_request_is_made_on_return(
    tab: MemoryHost, *, on_focus: bool
) -> None:
    sign_in_all(tab.browser)
    poller(tab, refetch_on_window_focus=on_focus)
    await asyncio.sleep(15)
    assert gets(tab) == 1
    tab.set_visible(visible=False)
    await asyncio.sleep(HOUR)
    assert gets(tab) == 1
    tab.set_visible(visible=True)
    tab.focus()
    await asyncio.sleep(1)
    assert gets(tab) == 2
    await asyncio.sleep(10)
    assert gets(tab) == 3


async def test_a_tab_in_view_goes_on_for_the_hidden_ones(browser: MemoryBrowser) -> None:
    sign_in_all(browser)
    hidden, shown = browser.open_tab(), browser.open_tab()
    provider, _ = poller(hidden), poller(shown)
    await asyncio.sleep(15)
    hidden.set_visible(visible=False)
    before = gets(hidden)
    browser.cookies[SESSION_COOKIE] = json.dumps({"name": "bob"})
    await asyncio.sleep(100)
    assert 8 <= gets(hidden) - before <= 10
    assert name_in(provider.state) == "bob"


@pytest.mark.parametrize("on_focus", [True, False])
@pytest.mark.parametrize("has", [{}, {"has_locks": False}, {"has_locks": False, "has_channels": False}])
async def test_of_several_hidden_tabs_the_one_that_is_come_back_to_asks(
    browser: MemoryBrowser, has: dict[str, bool], *, on_focus: bool
) -> None:
    sign_in_all(browser)
    tabs = [browser.open_tab() for _ in range(3)]
    for tab in tabs:
        vars(tab).update(has)
        poller(tab, refetch_on_window_focus=on_focus)
    await asyncio.sleep(5)
    for tab in tabs:
        tab.set_visible(visible=False)
    await asyncio.sleep(60)
    before = gets(tabs[0])
    await asyncio.sleep(HOUR)
    assert gets(tabs[0]) == before
    tabs[1].set_visible(visible=True)
    tabs[1].focus()
    await asyncio.sleep(1)
    assert gets(tabs[0]) - before == 1


async def test_by_default_the_interval_goes_on_while_hidden(tab: MemoryHost) -> None:
    await signed_in(tab, refetch_interval=10)
    tab.set_visible(visible=False)
    before = gets(tab)
    await asyncio.sleep(101)
    assert gets(tab) - before == 10


def test_the_option_takes_true_or_false(tab: MemoryHost) -> None:
    with pytest.raises(TypeError, match="refetch_when_hidden takes True or False"):
        SessionProvider(refetch_when_hidden=1, host=tab)  # type: ignore[arg-type]
