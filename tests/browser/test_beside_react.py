"""Python and React in one page: each follows what the other does, as two tabs do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import prepare
from .python_page import PythonPage
from .test_tabs import JAVASCRIPT_SIGN_IN, NEW_PROVIDER, NEXT_SECOND, SESSION, SIGN_IN


@pytest.fixture(scope="module", params=["v4", "v5"])
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param)


@pytest.fixture(scope="module")
def opened(browser: Browser, server: AuthServer) -> Iterator[PythonPage]:
    context = browser.new_context()
    outside = prepare(context)
    yield PythonPage(context.new_page()).open(f"{server.url}/beside-{server.generation}.html")
    context.close()
    assert outside == []


@pytest.fixture
def both(opened: PythonPage, server: AuthServer) -> PythonPage:
    """A page in which nobody is signed in, and both clients have loaded."""
    ServerControl(server.url).reset()
    opened.run("options = {}")
    opened.run(NEW_PROVIDER)
    opened.run("if provider.state.data: await sign_out(redirect=False)")
    expect_both(opened, "unauthenticated")
    opened.run("provider.session = None; history.clear()")  # there is nothing to watch
    opened.page.wait_for_function(NEXT_SECOND)
    opened.requests.clear()
    return opened


def expect_both(both: PythonPage, shown: str) -> None:
    both.expect_text("#target", shown)
    expect(both.page.locator("#shown")).to_have_text(shown)


def test_react_follows_python(both: PythonPage) -> None:
    assert both.run(SIGN_IN)
    expect_both(both, "Alice Liddell")
    both.run("await provider.update({'name': 'Alice II'})")
    expect_both(both, "Alice II")
    both.run("await sign_out(redirect=False)")
    expect_both(both, "unauthenticated")


def test_python_follows_react(both: PythonPage) -> None:
    both.page.evaluate(f"() => {JAVASCRIPT_SIGN_IN}")  # which tells nobody
    expect_both(both, "Alice Liddell")
    both.page.evaluate("() => peer.update({ name: 'Alice III' })")
    expect_both(both, "Alice III")
    both.page.evaluate("() => peer.signOut({ redirect: false })")
    expect_both(both, "unauthenticated")


def test_who_signs_in_with_react_right_after_a_sign_out_stays_signed_in(both: PythonPage) -> None:
    assert both.run(SIGN_IN)
    both.run("await sign_out(redirect=False)")
    both.page.evaluate(f"() => {JAVASCRIPT_SIGN_IN}")
    expect_both(both, "Alice Liddell")
    both.page.evaluate("new Promise((done) => setTimeout(done, 3000))")  # in which Python would look twice
    expect_both(both, "Alice Liddell")


def test_a_wrong_password_with_react_changes_nothing(both: PythonPage) -> None:
    wrong = JAVASCRIPT_SIGN_IN.replace("wonder", "wrong")
    with both.page.expect_response(
        lambda answer: answer.url.endswith("/session")
    ):  # ours: React asks only if ok
        both.page.evaluate(f"() => {wrong}")
    expect_both(both, "unauthenticated")
    both.run("await provider.refetch()")
    assert both.run("[history, provider.state.error]") == [[], None]


def test_what_python_does_costs_no_request_more(both: PythonPage) -> None:
    assert both.run(SIGN_IN)
    expect_both(both, "Alice Liddell")
    both.run("await __import__('asyncio').sleep(1)")  # in which more would show
    assert both.count(SESSION) == 2  # Python's, and React's
