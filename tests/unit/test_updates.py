"""Updates, and reading the session."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from nextauth_py import (
    ClientFetchError,
    CsrfError,
    SessionProvider,
)
from nextauth_py.core.wire import Response
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer

from .conftest import name_in, signed_in, start
from .fake_server import CSRF_COOKIE, SESSION_COOKIE, FakeServer, html_answer, json_answer

SESSION = "GET /api/auth/session"


CSRF = "GET /api/auth/csrf"


UPDATE = "POST /api/auth/session"


# --- update ---


async def test_an_update_shows_the_servers_session(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    session = await provider.update({"name": "bob"})
    assert session is provider.state.data
    assert name_in(provider.state) == "bob"


async def test_an_update_does_not_flash_to_loading(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    statuses: list[str] = []
    provider.subscribe(lambda state: statuses.append(state.status))
    await provider.update({"name": "bob"})
    assert statuses == ["authenticated"]


async def test_a_read_under_way_does_not_undo_an_update(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    gate = tab.browser.network.hold(SESSION)
    reader = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    await provider.update({"name": "bob"})
    gate.set()
    await reader
    assert name_in(provider.state) == "bob"
    assert json.loads(tab.browser.cookies[SESSION_COOKIE])["name"] == "bob"


async def test_updates_at_the_same_time_keep_their_order(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    await asyncio.gather(*(provider.update({"name": str(number)}) for number in range(5)))
    assert name_in(provider.state) == "4"


async def test_an_update_when_signed_out_gives_none(tab: MemoryHost) -> None:
    provider = start(tab)
    assert await provider.update({"name": "bob"}) is None
    assert provider.state.status == "unauthenticated"


async def test_an_update_with_a_refused_token_tries_once_more_then_raises(
    tab: MemoryHost, server: FakeServer
) -> None:
    provider = await signed_in(tab)
    server.refused_csrf_posts = 1
    await provider.update({"name": "bob"})
    server.refused_csrf_posts = 2
    with pytest.raises(CsrfError):
        await provider.update({"name": "carol"})
    assert name_in(provider.state) == "bob"


@pytest.mark.parametrize(
    "answer",
    [
        html_answer(400),
        json_answer({"message": "no"}, 400),
        Answer(Response(400, "Bad Request", {"content-type": "text/plain"})),
        Answer(Response(400, "")),
    ],
)
async def test_a_bad_request_that_no_auth_server_answers_is_no_refused_token(
    tab: MemoryHost, answer: Answer
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(UPDATE, answer)
    with pytest.raises(ClientFetchError) as caught:
        await provider.update({"name": "bob"})
    assert caught.value.status == 400
    assert tab.browser.network.count(UPDATE) == 1
    assert name_in(provider.state) == "alice"


@pytest.mark.parametrize(
    "answer",
    [
        json_answer(None, 400),
        json_answer({}, 400),
        Answer(Response(400, "[object Object]", {"content-type": "text/plain;charset=UTF-8"})),
    ],
)
async def test_a_refused_token_of_an_update_is_known_in_all_its_forms(
    tab: MemoryHost, answer: Answer
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(UPDATE, answer)
    await provider.update({"name": "bob"})
    assert name_in(provider.state) == "bob"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"x": float("nan")}, ValueError),
        ({"x": [{"y": float("-inf")}]}, ValueError),
        ({"x": {"y": object()}}, TypeError),
        ({("x",): 1}, TypeError),
    ],
)
async def test_an_update_that_json_cannot_carry_is_refused_before_anything_is_sent(
    tab: MemoryHost, data: dict[Any, Any], error: type[Exception]
) -> None:
    provider = await signed_in(tab)
    tab.browser.network.log.clear()
    with pytest.raises(error):
        await provider.update(data)
    assert tab.browser.network.log == []
    assert (name_in(provider.state), provider.state.error) == ("alice", None)


async def test_an_update_sends_a_snapshot_of_its_data(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    data = {"name": "bob"}
    updating = asyncio.create_task(provider.update(data))
    await asyncio.sleep(0)
    data["name"] = "carol"
    await updating
    assert name_in(provider.state) == "bob"


async def test_update_is_one_function_for_life(tab: MemoryHost) -> None:
    provider = start(tab)
    update = provider.update
    await provider.refetch()
    assert provider.update is update


# --- reading ---


async def test_get_session_tells_signed_out_from_failed(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next(SESSION, OSError())
    with pytest.raises(ClientFetchError, match="cannot be reached") as caught:
        await provider.get_session()
    assert (caught.value.url, caught.value.status) == ("/api/auth/session", None)
    del tab.browser.cookies[SESSION_COOKIE]
    assert await provider.get_session() is None


async def test_a_slow_answer_is_an_error_after_the_timeout(tab: MemoryHost) -> None:
    provider = start(tab, timeout=2)
    tab.browser.network.hold(SESSION)
    with pytest.raises(ClientFetchError, match="no answer within 2 s"):
        await provider.get_session()
    assert tab.browser.network.log[0].aborted


async def test_get_session_tells_javascript_tabs_each_time(tab: MemoryHost, browser: MemoryBrowser) -> None:
    provider = start(tab)
    heard: list[Any] = []
    other = browser.open_tab()
    other.open_channel("next-auth", heard.append)
    other.on_stored("nextauth.message", heard.append)
    for _ in range(3):  # also in one second
        assert await provider.get_session() is None
    await asyncio.sleep(0.1)
    assert len(heard) == 6
    assert heard[0]["data"] == {"trigger": "getSession"}


async def test_get_session_without_a_provider_tells_them_too(browser: MemoryBrowser) -> None:
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    await SessionProvider(host=browser.open_tab()).get_session()
    await asyncio.sleep(0.1)
    assert len(heard) == 1


async def test_reads_of_our_own_tell_javascript_tabs_nothing(tab: MemoryHost, browser: MemoryBrowser) -> None:
    heard: list[object] = []
    browser.open_tab().open_channel("next-auth", heard.append)
    provider = SessionProvider(host=tab, refetch_interval=1).start()
    await provider.ready()
    await provider.refetch()
    await provider.get_session(broadcast=False)
    tab.browser.network.answer_next(SESSION, OSError())
    with pytest.raises(ClientFetchError):
        await provider.get_session()
    await asyncio.sleep(10)
    assert heard == []


async def test_get_session_in_one_tab_has_no_python_tab_ask(browser: MemoryBrowser) -> None:
    first, second = (SessionProvider(host=browser.open_tab()).start() for _ in range(2))
    await asyncio.gather(first.ready(), second.ready())
    await asyncio.sleep(1)
    before = browser.network.count(SESSION)
    await first.get_session()
    await asyncio.sleep(1)
    assert browser.network.count(SESSION) - before == 1


@pytest.mark.parametrize("answer", [None, {"csrfToken": None}])
async def test_a_csrf_answer_of_null_is_no_token(tab: MemoryHost, answer: object) -> None:
    tab.browser.network.answer_next(CSRF, json_answer(answer))
    assert await start(tab).get_csrf_token() is None


async def test_first_requests_do_not_run_side_by_side(tab: MemoryHost) -> None:
    tab.browser.network.latency = 1
    provider = SessionProvider(host=tab).start()
    token, _ = await asyncio.gather(provider.get_csrf_token(), provider.get_session())
    assert tab.browser.cookies[CSRF_COOKIE] == token


async def test_a_server_without_a_csrf_route_is_taken_at_its_word(tab: MemoryHost) -> None:
    tab.browser.network.answer_next(CSRF, html_answer(404))
    assert await start(tab).get_csrf_token() is None


async def test_providers_are_models(tab: MemoryHost) -> None:
    providers = await start(tab).get_providers()
    assert providers["github"].type == "oauth"
    assert providers["github"].signin_url == "https://app.example/api/auth/signin/github"


async def test_a_provider_that_is_none_is_a_server_error(tab: MemoryHost) -> None:
    tab.browser.network.answer_next("GET /api/auth/providers", json_answer({"github": {"id": "github"}}))
    with pytest.raises(ClientFetchError, match="lacks a proper name and type"):
        await start(tab).get_providers()


async def test_cancelling_the_only_caller_aborts_the_request(tab: MemoryHost) -> None:
    provider = start(tab)
    tab.browser.network.hold(SESSION)
    task = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(0)
    assert tab.browser.network.log[0].aborted
    assert await provider.get_session() is None


async def test_a_call_after_a_cancelled_one_sends_its_own_request(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.hold(SESSION)
    task = asyncio.create_task(provider.get_session())
    await asyncio.sleep(1)
    before = tab.browser.network.count(SESSION)
    task.add_done_callback(lambda _task: calls.append(asyncio.ensure_future(provider.get_session())))
    calls: list[asyncio.Future[Any]] = []
    task.cancel()
    await asyncio.wait([task])
    assert await calls[0] is provider.session
    assert tab.browser.network.count(SESSION) - before == 1


async def test_cancelling_one_of_two_callers_leaves_the_request_to_the_other(tab: MemoryHost) -> None:
    provider = start(tab)
    gate = tab.browser.network.hold(SESSION)
    first, second = (asyncio.create_task(provider.get_session()) for _ in range(2))
    await asyncio.sleep(1)
    first.cancel()
    await asyncio.sleep(1)
    gate.set()
    assert await second is None
    assert not tab.browser.network.log[0].aborted
    assert tab.browser.network.count(SESSION) == 1


async def test_a_request_to_another_origin_names_cors_when_it_fails(browser: MemoryBrowser) -> None:
    browser.network.online = False
    provider = SessionProvider(None, base_url="https://auth.example", host=browser.open_tab())
    with pytest.raises(ClientFetchError, match="https://auth.example/api/auth/session: .*CORS"):
        await provider.get_session()
