"""Failures heal by themselves, and sign nobody out."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nextauth_py import ClientFetchError, SessionProvider, SessionState
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer, run

from .conftest import name_in, signed_in
from .fake_server import SESSION_COOKIE, FakeServer, html_answer, json_answer
from .refetches import busy_server, gets, note_events

SESSION = "GET /api/auth/session"


DAY = 24 * 60 * 60.0


HOUR = 60 * 60.0


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
def test_failures_in_any_order_sign_nobody_out_and_end_well(
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


# --- a first load that cannot work ---


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (json_answer({}, 404), "/api/auth/session: HTTP 404; is base_path right?"),
        (json_answer({}, 400), "/api/auth/session: HTTP 400; is base_path right?"),
        (html_answer(400), "is base_path right?"),
        (html_answer(), "the answer is text/html, not JSON. Is base_path right? Does middleware protect"),
        (json_answer([]), "the answer is not a session"),
        (json_answer({"user": {}}), "does not fit Session (expires: "),
    ],
)
async def test_a_first_load_that_cannot_work_says_so_once(
    tab: MemoryHost, failure: Answer, words: str
) -> None:
    tab.browser.network.answer_next(SESSION, failure, times=20)
    provider = SessionProvider(host=tab).start()
    await provider.ready()
    await asyncio.sleep(60)
    assert gets(tab) > 3
    (line,) = tab.lines
    assert line.startswith("the session cannot be loaded. ")
    assert words in line
    if isinstance(provider.state.error, ClientFetchError):
        assert "https://app.example/api/auth/session" in line


@pytest.mark.parametrize(
    "failure", [OSError(), json_answer({}, 500), json_answer({}, 429), json_answer({}, 503)]
)
async def test_a_failure_that_heals_says_nothing(tab: MemoryHost, failure: Answer | OSError) -> None:
    tab.browser.network.answer_next(SESSION, failure, times=3)
    await SessionProvider(host=tab).start().ready()
    await asyncio.sleep(60)
    assert tab.lines == []


async def test_a_later_failure_says_nothing(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, json_answer({}, 404))
    await provider.refetch()
    assert tab.lines == []
