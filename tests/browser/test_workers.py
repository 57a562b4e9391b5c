"""The client in a PyScript worker: with the page's cookies, in step with its tabs, without a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from demo.serve import AuthServer
from tests.peers import WHEELS
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage

SESSION, CSRF = "GET /api/auth/session", "GET /api/auth/csrf"
PROVIDERS = "GET /api/auth/providers"

IMPORTS = """
    import json
    import urllib.request
    from urllib.error import HTTPError, URLError
    from nextauth_py import *
    from nextauth_py import blocking
    from nextauth_py.provider import current_provider

    while old := current_provider():
        old.close()

    def named(session):
        return session and session.user.name
"""

SIGN_IN = """
    result = await sign_in("credentials", username="alice", password="wonder", redirect=False)
    assert result.ok, result
    1
"""


@pytest.fixture(scope="module", params=["v4", "v5"])
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param)


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One browser for all tests of a server."""
    context = browser.new_context()
    outside = prepare(context)
    yield context
    assert outside == []
    context.close()


@pytest.fixture(scope="module")
def booted(context: BrowserContext, server: AuthServer) -> PythonPage:
    """A page whose Python runs in a worker; `requests` is there for it, and mended."""
    worker = PythonPage(context.new_page()).open(f"{server.url}/worker.html")
    worker.run("import pyodide_js; 1")
    for wheel in WHEELS.glob("*.whl"):
        if wheel.name.partition("-")[0] in {"requests", "urllib3", "idna", "certifi", "charset_normalizer"}:
            worker.run(f"await pyodide_js.loadPackage('{server.url}/wheels/{wheel.name}'); 1")
    worker.run("from nextauth_py import blocking; blocking.enable()")
    return worker


@pytest.fixture(scope="module")
def booted_page(context: BrowserContext, server: AuthServer) -> PythonPage:
    return PythonPage(context.new_page()).open(f"{server.url}/python.html")


@pytest.fixture
def page_python(booted_page: PythonPage) -> Iterator[PythonPage]:
    """An ordinary tab of the same browser. It does not follow the next test's worker."""
    yield booted_page
    booted_page.run(IMPORTS + "    1")


@pytest.fixture
def control(server: AuthServer) -> Iterator[ServerControl]:
    with ServerControl(server.url) as control:
        yield control


@pytest.fixture
def worker(booted: PythonPage, control: ServerControl) -> PythonPage:
    booted.page.context.clear_cookies()
    booted.run(IMPORTS + "    1")
    control.reset()
    return booted


@pytest.fixture
def signed_in(worker: PythonPage, control: ServerControl) -> PythonPage:
    worker.run(SIGN_IN)
    control.reset()
    return worker


def outcome(call: str) -> str:
    """Code that tells the name and the text of what a call raises."""
    return f"""
        try:
            told = ["nothing", {call}]
        except Exception as error:
            told = [type(error).__name__, str(error)]
        told
    """


# --- async ---


def test_the_async_reads_have_the_pages_cookies(signed_in: PythonPage, control: ServerControl) -> None:
    assert signed_in.run("named(await get_session())") == "Alice Liddell"
    assert signed_in.run("list(await get_providers())") == ["credentials"]
    assert len(signed_in.run("await get_csrf_token()")) == 64
    assert control.requests() == [SESSION, PROVIDERS, CSRF]


def test_a_worker_signs_in_updates_and_signs_out(worker: PythonPage) -> None:
    worker.run("provider = SessionProvider().start(); _ = await provider.ready()")
    worker.run(SIGN_IN)
    assert worker.run("named(provider.session)") == "Alice Liddell"
    assert worker.run("named(await provider.update({'name': 'Alice L.'}))") == "Alice L."
    worker.run("_ = await sign_out(redirect=False)")
    assert worker.run("provider.state.status") == "unauthenticated"
    assert worker.run("blocking.get_session()") is None


@pytest.mark.parametrize("call", ["await sign_in('credentials', username='alice')", "await sign_out()"])
def test_leaving_the_page_is_refused_before_anything_is_done(
    signed_in: PythonPage, control: ServerControl, call: str
) -> None:
    kind, text = signed_in.run(outcome(call))
    assert kind == "ValueError"
    assert "redirect=False" in text
    assert control.requests() == []


def test_a_provider_in_a_worker_follows_a_tab_without_asking(
    worker: PythonPage, page_python: PythonPage, control: ServerControl
) -> None:
    worker.run("provider = SessionProvider().start(); _ = await provider.ready()")
    page_python.run(IMPORTS + "    provider = SessionProvider().start(); _ = await provider.ready()")
    worker.run("""
        import asyncio

        async def until(name):
            changed = asyncio.Event()
            stop = provider.subscribe(lambda _state: changed.set())
            while named(provider.session) != name:
                changed.clear()
                await changed.wait()
            stop()
            return True
    """)
    page_python.run(SIGN_IN)
    control.reset()
    page_python.requests.clear()
    assert worker.run("await until('Alice Liddell')")
    page_python.run("_ = await provider.update({'name': 'Alice L.'})")
    assert worker.run("await until('Alice L.')")
    page_python.run("_ = await sign_out(redirect=False)")
    assert worker.run("await until(None)")
    asked = control.requests().count(SESSION)  # to check the sign-out; again if the worker was slow to reply
    page_python.run("1")  # then its requests are noted
    assert 1 <= asked <= page_python.count(SESSION)


def test_a_tab_follows_a_provider_in_a_worker(worker: PythonPage, page_python: PythonPage) -> None:
    page_python.run(IMPORTS + "    provider = SessionProvider().start(); _ = await provider.ready()")
    page_python.run("""
        import js
        js.document.querySelector("#target").replaceChildren()

        @component("#target")
        def who():
            return named(use_session().data) or "nobody"
    """)
    worker.run("provider = SessionProvider().start(); _ = await provider.ready()")
    worker.run(SIGN_IN)
    page_python.expect_text("#target", "Alice Liddell")
    worker.run("_ = await sign_out(redirect=False)")
    page_python.expect_text("#target", "nobody")


def test_a_hundred_providers_in_a_worker_leave_nothing_behind(worker: PythonPage) -> None:
    before, after = worker.run("""
        import gc
        from pyodide.ffi import JsProxy

        def proxies():
            gc.collect()
            return sum(isinstance(each, JsProxy) for each in gc.get_objects())

        def once():
            SessionProvider(None).start().close()

        once()
        before = proxies()
        for _ in range(100):
            once()
        [before, proxies()]
    """)
    assert after <= before


# --- blocking ---


def test_the_blocking_reads_have_the_pages_cookies(signed_in: PythonPage, control: ServerControl) -> None:
    assert signed_in.run("named(blocking.get_session())") == "Alice Liddell"
    assert signed_in.run("[each.signin_url for each in blocking.get_providers().values()]") == [
        f"{signed_in.page.evaluate('location.origin')}/api/auth/signin/credentials"
    ]
    assert len(signed_in.run("blocking.get_csrf_token()")) == 64
    assert control.requests() == [SESSION, PROVIDERS, CSRF]


def test_a_blocking_read_takes_the_session_type(signed_in: PythonPage) -> None:
    signed_in.run("""
        class Themed(Session):
            theme: str = "light"
    """)
    assert signed_in.run("blocking.get_session(session_type=Themed).theme") == "light"


def test_a_blocking_read_returns_none_when_signed_out(worker: PythonPage) -> None:
    assert worker.run("blocking.get_session()") is None


def test_a_blocking_read_asks_where_the_workers_provider_asks(worker: PythonPage) -> None:
    worker.run("provider = SessionProvider(None, base_path='/elsewhere').start()")
    kind, text = worker.run(outcome("blocking.get_session()"))
    assert kind == "ClientFetchError"
    assert text.startswith("/elsewhere/session: HTTP 404")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (('{"message": "down"}', 500, "application/json"), "HTTP 500"),
        (("<p>Log in", 200, "text/html"), "not JSON"),
        (("[", 200, "application/json"), "not valid JSON"),
    ],
)
def test_a_blocking_read_takes_no_failure_for_signed_out(
    signed_in: PythonPage, control: ServerControl, answer: tuple[str, int, str], told: str
) -> None:
    body, status, kind = answer
    control.answer(SESSION, body, status=status, kind=kind)
    name, text = signed_in.run(outcome("blocking.get_session()"))
    assert name == "ClientFetchError"
    assert told in text


def test_a_blocking_read_that_breaks_off_is_a_failure(signed_in: PythonPage, control: ServerControl) -> None:
    control.drop(SESSION)
    assert signed_in.run(outcome("blocking.get_session()")) == [
        "ClientFetchError",
        "/api/auth/session: the server cannot be reached",
    ]


def test_a_blocking_read_ends_in_its_time(signed_in: PythonPage, control: ServerControl) -> None:
    control.hold(SESSION)
    assert signed_in.run(outcome("blocking.get_session(timeout=0.2)")) == [
        "ClientFetchError",
        "/api/auth/session: no answer within 0.2 s",
    ]


# --- what enable() is for ---


def test_urllib_reaches_a_protected_route(signed_in: PythonPage) -> None:
    """Its answer comes in chunks, on which pyodide-http alone would fail."""
    assert signed_in.run("json.load(urllib.request.urlopen('/api/me'))") == {"name": "Alice Liddell"}
    origin = signed_in.page.evaluate("location.origin")
    code = f"json.load(urllib.request.build_opener().open('{origin}/api/me'))"
    assert signed_in.run(code) == {"name": "Alice Liddell"}


def test_urllib_raises_for_what_a_route_refuses(worker: PythonPage) -> None:
    told = worker.run("""
        try:
            urllib.request.urlopen("/api/me")
        except HTTPError as error:
            told = [error.code, json.load(error)]
        told
    """)
    assert told == [401, {"message": "Nobody is signed in."}]


@pytest.mark.parametrize(
    "call",
    [
        "urllib.request.urlopen('/api/echo', b'a=1')",
        "urllib.request.urlopen('/api/echo', data=b'a=1', timeout=5)",
        "urllib.request.urlopen(urllib.request.Request(base + '/api/echo', b'a=1'))",
    ],
)
def test_urllib_posts_its_data(worker: PythonPage, call: str) -> None:
    worker.run(f"base = {worker.page.evaluate('location.origin')!r}")
    assert worker.run(f"json.load({call})") == {
        "method": "POST",
        "type": "application/x-www-form-urlencoded",
        "body": "a=1",
    }


def test_urllib_keeps_the_method_that_is_asked_for(worker: PythonPage) -> None:
    worker.run(f"base = {worker.page.evaluate('location.origin')!r}")
    code = "json.load(urllib.request.urlopen(urllib.request.Request(base + '/api/echo', method='PUT')))"
    assert worker.run(code)["method"] == "PUT"


def test_urllib_gives_up_in_its_time(signed_in: PythonPage, control: ServerControl) -> None:
    control.hold(SESSION)
    kind, text = signed_in.run(outcome("urllib.request.urlopen('/api/auth/session', timeout=0.2)"))
    assert kind == "URLError"
    assert "timed out" in text


def test_urllib_says_that_there_was_no_answer(signed_in: PythonPage, control: ServerControl) -> None:
    control.drop(SESSION)
    kind, _ = signed_in.run(outcome("urllib.request.urlopen('/api/auth/session')"))
    assert kind == "URLError"


def test_requests_reaches_a_protected_route(signed_in: PythonPage, control: ServerControl) -> None:
    signed_in.run(f"import requests; base = {signed_in.page.evaluate('location.origin')!r}")
    assert signed_in.run("requests.get(base + '/api/me').json()") == {"name": "Alice Liddell"}
    assert signed_in.run("requests.post(base + '/api/echo', data={'a': 1}).json()['body']") == "a=1"
    assert signed_in.run("requests.get(base + '/nowhere').status_code") == 404
    control.hold(SESSION)
    kind, _ = signed_in.run(outcome("requests.get(base + '/api/auth/session', timeout=0.2)"))
    assert kind == "ConnectTimeout"
    control.reset()
    control.drop(SESSION)
    kind, _ = signed_in.run(outcome("requests.get(base + '/api/auth/session')"))
    assert kind == "ConnectionError"


def test_the_blocking_reads_work_in_a_page_too(page_python: PythonPage) -> None:
    page_python.page.context.clear_cookies()
    page_python.run(IMPORTS + "    1")
    assert page_python.run("blocking.get_session()") is None
    page_python.run(SIGN_IN)
    assert page_python.run("named(blocking.get_session())") == "Alice Liddell"
    expect(page_python.page.locator(".py-error")).to_have_count(0)
