"""Connections to the auth server are kept for the next visitor, and nothing else is."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from nextauth_py import ClientFetchError
from nextauth_py.server import BlockingVisitor, Visitor
from nextauth_py.server import starlette as for_starlette

from .raw import OFFER, RawServer, answer

MANY = 120  # more than httpx allows one client by default


@pytest.fixture
def raw() -> Iterator[RawServer]:
    with RawServer() as server:
        server.answers = lambda _: [answer(OFFER, keeps=True)]
        yield server


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the one for real servers."""
    monkeypatch.setenv("NEXTAUTH_URL", raw.url)


def ask_async(cookies: list[str], **options: Any) -> list[Any]:
    """Ask for visitors one after the other, in one event loop."""

    async def ask() -> list[Any]:
        visitors: list[Visitor[Any]] = [Visitor({"cookie": each}, **options) for each in cookies]
        return [await visitor.get_session() for visitor in visitors]

    return asyncio.run(ask())


def ask_blocking(cookies: list[str], **options: Any) -> list[Any]:
    """Ask for visitors one after the other."""
    return [BlockingVisitor({"cookie": each}, **options).get_session() for each in cookies]


Ask = Callable[..., list[Any]]
both = pytest.mark.parametrize("ask", [ask_async, ask_blocking])


@both
def test_visitors_share_a_connection_and_no_cookie(ask: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(OFFER, b"Set-Cookie: session=renewed; Path=/", keeps=True)]
    assert all(ask(["a=1", "b=2", "c=3"]))
    assert raw.connections == 1
    assert raw.cookies == [b"a=1", b"b=2", b"c=3"]


@both
def test_each_auth_server_has_connections_of_its_own(ask: Ask, raw: RawServer) -> None:
    with RawServer() as other:
        other.answers = lambda _: [answer({**OFFER, "from": "other"}, keeps=True)]
        (theirs,) = ask(["a=1"], base_url=other.url)
        (ours,) = ask(["a=1"])
    assert theirs.model_extra["from"] == "other"
    assert "from" not in ours.model_extra


def test_threads_of_blocking_code_share_connections(raw: RawServer) -> None:
    for _ in range(5):
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(ask_blocking, ["a=1"]).result()
    assert raw.connections == 1


@both
def test_visitors_do_not_wait_for_each_others_connections(ask: Ask, raw: RawServer) -> None:
    together = threading.Barrier(MANY)

    def answers(_: bytes) -> Iterator[bytes]:
        together.wait()
        yield answer(OFFER)

    raw.answers = answers
    if ask is ask_blocking:
        with ThreadPoolExecutor(MANY) as threads:
            found = list(threads.map(lambda at: ask_blocking([f"a={at}"], timeout=60), range(MANY)))
    else:

        async def gather() -> list[Any]:
            visitors: list[Visitor[Any]] = [Visitor({"cookie": f"a={at}"}, timeout=60) for at in range(MANY)]
            return list(await asyncio.gather(*(visitor.get_session() for visitor in visitors)))

        found = asyncio.run(gather())
    assert len([each for each in found if each]) == MANY


# --- the end ---


def run_plainly(main: Any) -> None:
    """As `asyncio.run` does not: nothing but the loop itself is closed."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(main)
    loop.close()


@pytest.mark.parametrize("run", [asyncio.run, run_plainly])
def test_connections_end_with_their_event_loop(run: Callable[[Any], Any], raw: RawServer) -> None:
    for at in range(20):
        visitor: Visitor[Any] = Visitor({"cookie": f"a={at}"})
        run(visitor.get_session())
        raw.closed.get()
    gc.collect()  # what is unclosed would warn
    assert raw.connections == 20


def test_connections_end_with_an_event_loop_of_another_thread(raw: RawServer) -> None:
    for _ in range(3):
        thread = threading.Thread(target=ask_async, args=(["a=1", "b=2"],))
        thread.start()
        thread.join()
        raw.closed.get()
    gc.collect()
    assert raw.connections == 3


@pytest.mark.parametrize("kind", ["blocking", "async", "forked"])
def test_a_program_ends_without_a_warning(kind: str, raw: RawServer) -> None:
    codes = {
        "blocking": "BlockingVisitor({'cookie': 'a=1'}).get_session()",
        "async": "asyncio.run(Visitor({'cookie': 'a=1'}).get_session())",
        # The parent waits, so that only what they share could mix up their answers.
        "forked": """BlockingVisitor({'cookie': 'parent=1'}).get_session()
child = os.fork()
BlockingVisitor({'cookie': f'after={not child}'}).get_session()
if child:
    os.waitpid(child, 0)
    BlockingVisitor({'cookie': 'parent=2'}).get_session()""",
    }
    code = f"import asyncio, os\nfrom nextauth_py.server import *\n{codes[kind]}"
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    assert raw.connections == (2 if kind == "forked" else 1)


# --- connections that the server ends ---


@both
def test_a_kept_connection_that_the_server_ends_is_replaced(ask: Ask, raw: RawServer) -> None:
    raw.answers = lambda request: (
        [] if b"second" in request and raw.connections == 1 else [answer(OFFER, keeps=True)]
    )
    assert all(ask(["first=1", "second=1"]))
    assert raw.cookies == [b"first=1", b"second=1", b"second=1"]


@both
def test_a_new_connection_that_the_server_ends_is_a_failure(ask: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: []
    with pytest.raises(ClientFetchError, match="cannot be reached"):
        ask(["a=1"])
    assert len(raw.requests) == 1


@both
def test_nothing_of_an_answer_that_came_too_late_is_anothers(ask: Ask, raw: RawServer) -> None:
    def answers(request: bytes) -> Iterator[bytes]:
        if b"slow" in request:
            yield from raw.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000)
        yield answer(OFFER, keeps=True)

    raw.answers = answers

    async def slow_then_fast() -> Any:
        slow: Visitor[Any] = Visitor({"cookie": "slow=1"}, timeout=0.2)
        with pytest.raises(ClientFetchError):
            await slow.get_session()
        fast: Visitor[Any] = Visitor({"cookie": "fast=1"})
        return await fast.get_session()

    if ask is ask_async:
        assert asyncio.run(slow_then_fast())
    else:
        with pytest.raises(ClientFetchError):
            ask(["slow=1"], timeout=0.2)
        assert all(ask(["fast=1"]))


# --- a transport of one's own ---


def offer_with_a_cookie(request: httpx.Request) -> httpx.Response:
    session = {**OFFER, "sent": request.headers["cookie"]}
    return httpx.Response(200, json=session, headers={"Set-Cookie": "session=renewed"})


@both
def test_requests_go_through_the_transport_that_is_given(ask: Ask, raw: RawServer) -> None:
    found = ask(["a=1", "b=2"], transport=httpx.MockTransport(offer_with_a_cookie))
    assert [each.model_extra["sent"] for each in found] == ["a=1", "b=2"]
    assert raw.requests == []


def test_a_transport_stays_open_for_its_owner(raw: RawServer) -> None:
    with httpx.HTTPTransport(trust_env=False) as transport:
        assert all(ask_blocking(["a=1", "b=2"], transport=transport))
    assert raw.connections == 1

    async def ask() -> None:
        async with httpx.AsyncHTTPTransport(trust_env=False) as transport:
            for _ in range(2):
                visitor: Visitor[Any] = Visitor({"cookie": "a=1"}, transport=transport)
                assert await visitor.get_session()

    asyncio.run(ask())
    assert raw.connections == 2


def test_a_transport_of_the_other_kind_is_refused() -> None:
    with httpx.HTTPTransport() as transport, pytest.raises(TypeError, match="httpx.AsyncHTTPTransport"):
        Visitor({}, transport=transport)
    with pytest.raises(TypeError, match="httpx.HTTPTransport"):
        BlockingVisitor({}, transport=httpx.AsyncHTTPTransport())
    with httpx.Client() as client, pytest.raises(TypeError, match="not Client"):
        for_starlette.session_required(transport=client)  # type: ignore[arg-type]
