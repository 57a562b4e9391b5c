"""Sign-ins in a window of their own, at a real identity provider, on real servers of both generations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from demo.serve import AuthServer

from .conftest import prepare
from .policies import STRICT, joined
from .python_page import PythonPage

SESSION = "GET /api/auth/session"

# Buttons, because browsers open a window only for a click.
BUTTONS = """
    from nextauth_py import *
    from nextauth_py.provider import current_provider
    import js
    while old := current_provider():
        old.close()
    provider = SessionProvider().start()
    await provider.ready()
    results = []

    async def enter(*arguments, **options):
        result = await sign_in(*arguments, **{"popup": True, **options})
        results.append(result and [result.ok, result.error])
        js.document.title = repr(results)

    @component("#target")
    def who():
        session = use_session()
        return t'''
            <p id="shown">{session.data.user.name if session.data else session.status}</p>
            <input id="typed"><button id="oidc" @click={(lambda: enter("local-oidc"))}>OIDC</button>
            <button id="page" @click={(lambda: enter())}>Any</button>
        '''
"""

# Whatever Playwright runs counts as an act of the user's.
INACTIVE = (
    "Object.defineProperty(navigator, 'userActivation', { value: { isActive: false }, configurable: true })"
)
ACTIVE = "delete navigator.userActivation"

# Pages that cut the window off from the page that has opened it.
PROVIDERS_PAGES = re.compile(r"^http://localhost:\d+/(auth|interaction)[/?]")


@pytest.fixture(scope="module", params=["v4", "v5"])
def server(request: pytest.FixtureRequest, start_server: Callable[..., AuthServer]) -> AuthServer:
    return start_server(generation=request.param, services=True)


@pytest.fixture(scope="module")
def shared(browser: Browser, server: AuthServer) -> Iterator[BrowserContext]:
    """Has one page that boots once for all tests of a server that do not leave it."""
    context = browser.new_context(base_url=server.url)
    outside = prepare(context)
    yield context
    assert outside == []
    context.close()


@pytest.fixture
def context(shared: BrowserContext) -> Iterator[BrowserContext]:
    shared.clear_cookies()
    yield shared
    for each in shared.pages[1:]:
        each.close()
    shared.unroute_all(behavior="ignoreErrors")


@pytest.fixture
def python(context: BrowserContext, server: AuthServer) -> PythonPage:
    python = PythonPage(context.pages[0] if context.pages else context.new_page())
    if python.page.url != f"{server.url}/python.html":
        python.page.on("crash", lambda page: page.close())  # the next test has another one
        python.open("/python.html")
    python.run(BUTTONS)
    python.page.evaluate("window.isSamePage = true")
    python.requests.clear()
    return python


def isolated(route: Route) -> None:
    response = route.fetch(max_redirects=0)
    route.fulfill(
        response=response, headers={**response.headers, "cross-origin-opener-policy": "same-origin"}
    )


def opened(python: PythonPage, button: str = "#oidc") -> Page:
    with python.page.expect_popup() as popup:
        python.page.locator(button).click()
    return popup.value


def sign_in_at_provider(window: Page, name: str = "frank") -> None:
    window.get_by_placeholder("Enter any login").fill(name)
    window.get_by_placeholder("and password").fill("x")
    window.get_by_role("button", name="Sign-in").click()
    window.get_by_role("button", name="Continue").click()


def expect_result(python: PythonPage, ok: bool, error: str | None) -> None:
    expect(python.page).to_have_title(repr([[ok, error]]))
    assert python.page.evaluate("window.isSamePage")
    expect(python.page.locator(".py-error")).to_have_count(0)


def test_the_page_stays_as_it_is_and_all_tabs_follow(python: PythonPage, context: BrowserContext) -> None:
    other = PythonPage(context.new_page()).open(python.page.url)
    other.run(BUTTONS)
    other.requests.clear()
    python.page.bring_to_front()
    python.page.locator("#typed").fill("half a sentence")
    window = opened(python)
    with window.expect_event("close"):
        sign_in_at_provider(window)
    expect_result(python, True, None)
    for each in (python, other):
        each.expect_text("#shown", "OIDC frank")
    expect(python.page.locator("#typed")).to_have_value("half a sentence")
    expect(python.page.locator("#oidc")).to_be_focused()
    assert other.count(SESSION) == 0


def test_a_sign_in_takes_one_session_request(python: PythonPage) -> None:
    window = opened(python)
    with window.expect_event("close"):
        sign_in_at_provider(window)
    expect_result(python, True, None)
    python.expect_text("#shown", "OIDC frank")
    assert python.count(SESSION) == 1


@pytest.mark.parametrize("whose", ["the provider's", "the provider's and the site's"])
def test_a_provider_that_cuts_the_window_off(python: PythonPage, context: BrowserContext, whose: str) -> None:
    context.route(PROVIDERS_PAGES, isolated)
    if "site" in whose:
        context.route(re.compile(r"/python\.html$|/session-popup\.html"), isolated)
        python.open(python.page.url)
        python.run(BUTTONS)
        python.page.evaluate("window.isSamePage = true")
    window = opened(python)
    with window.expect_event("close"):
        sign_in_at_provider(window)
    expect_result(python, True, None)
    python.expect_text("#shown", "OIDC frank")
    python.page.goto("about:blank")  # the next test's page is not isolated


def test_a_window_that_is_closed(python: PythonPage) -> None:
    window = opened(python)
    expect(window.get_by_placeholder("Enter any login")).to_be_visible()
    window.close()
    expect_result(python, False, "PopupClosed")
    python.expect_text("#shown", "unauthenticated")


def test_a_window_that_is_cut_off_and_closed(python: PythonPage, context: BrowserContext) -> None:
    context.route(PROVIDERS_PAGES, isolated)
    window = opened(python)
    expect(window.get_by_placeholder("Enter any login")).to_be_visible()
    window.close()
    expect(python.page).to_have_title(repr([[False, "PopupClosed"]]), timeout=30_000)


def test_somebody_whom_the_server_does_not_let_in(python: PythonPage) -> None:
    window = opened(python)
    with window.expect_event("close"):
        sign_in_at_provider(window, "carol")
    expect_result(python, False, "AccessDenied")
    python.expect_text("#shown", "unauthenticated")


def test_the_servers_own_page(python: PythonPage) -> None:
    window = opened(python, "#page")
    window.get_by_label("User").fill("alice")
    window.get_by_label("Password").fill("no")
    window.get_by_role("button", name="Sign in with Password").click()
    window.wait_for_url("**error=CredentialsSignin**")
    window.get_by_label("User").fill("alice")
    window.get_by_label("Password").fill("wonder")
    with window.expect_event("close"):
        window.get_by_role("button", name="Sign in with Password").click()
    expect_result(python, True, None)
    python.expect_text("#shown", "Alice Liddell")


def test_a_page_that_was_loaded_again_meanwhile(python: PythonPage) -> None:
    """Nobody waits for the window any more; all pages ask."""
    window = opened(python)
    expect(window.get_by_placeholder("Enter any login")).to_be_visible()
    python.open(python.page.url)
    python.run(BUTTONS)
    python.expect_text("#shown", "unauthenticated")
    with window.expect_event("close"):
        sign_in_at_provider(window)
    python.expect_text("#shown", "OIDC frank")


def test_without_a_click_no_window_opens(python: PythonPage) -> None:
    windows: list[Page] = []
    python.page.on("popup", lambda window: windows.append(window))  # noqa: PLW0108 - Playwright wants a function
    python.page.evaluate(INACTIVE)
    assert python.run("(await sign_in('local-oidc', popup=True)).error") == "PopupBlocked"
    assert python.requests == windows == []
    python.start("await sign_in('local-oidc', popup='or-redirect')")
    expect(python.page.get_by_placeholder("Enter any login")).to_be_visible()


def test_two_windows_at_once(python: PythonPage) -> None:
    first, second = opened(python), opened(python, "#page")
    expect(first.get_by_placeholder("Enter any login")).to_be_visible()
    second.get_by_label("User").fill("alice")
    second.get_by_label("Password").fill("wonder")
    with second.expect_event("close"):
        second.get_by_role("button", name="Sign in with Password").click()
    expect_result(python, True, None)
    first.close()
    expect(python.page).to_have_title(repr([[True, None], [True, None]]))


def test_a_closed_provider_closes_its_window(python: PythonPage) -> None:
    window = opened(python, "#page")
    expect(window.get_by_label("User")).to_be_visible()
    with window.expect_event("close"):
        python.run("provider.close()")


def test_the_providers_page_cannot_send_this_one_elsewhere(python: PythonPage) -> None:
    window = opened(python)
    expect(window.get_by_placeholder("Enter any login")).to_be_visible()
    assert window.evaluate("window.opener") is None


# --- attributes ---

ATTRIBUTES = """
    js.document.querySelector("#target").innerHTML = '''
        <p id=shown data-session-text=user.name></p>
        <button id=oidc data-session-action=sign_in:local-oidc data-session-popup>Sign in</button>
        <form method=post data-session-action=sign_in:local-oidc data-session-popup>
            <input name=x><button id=form>Sign in</button>
        </form>
    '''
    _ = bind_page("#target")
"""


@pytest.mark.parametrize("button", ["#oidc", "#form"])
def test_attributes_alone_sign_in_in_a_window(python: PythonPage, button: str) -> None:
    python.run("who.unmount()")
    python.run(ATTRIBUTES)
    window = opened(python, button)
    expect(python.page.locator("[aria-busy=true]")).to_have_count(1)
    with window.expect_event("close"):
        sign_in_at_provider(window)
    python.expect_text("#shown", "OIDC frank")
    expect(python.page.locator("[aria-busy=true]")).to_have_count(0)
    expect(python.page.locator(button)).to_be_focused()


@pytest.mark.parametrize("button", ["#oidc", "#form"])
def test_a_link_to_a_page_cannot_say_that_it_goes_on_elsewhere(python: PythonPage, button: str) -> None:
    python.page.evaluate("history.replaceState(null, '', '?callbackUrl=http%3A%2F%2Fevil.localhost%2F')")
    python.run("who.unmount()")
    python.run(ATTRIBUTES)
    window = opened(python, button)
    with python.page.expect_navigation(url="**/python.html?callbackUrl=*"):
        sign_in_at_provider(window)


@pytest.mark.parametrize("button", ["#oidc", "#form"])
def test_a_visitor_reads_why_a_window_was_refused(python: PythonPage, button: str) -> None:
    python.run("who.unmount()")
    python.run(ATTRIBUTES)
    python.page.evaluate(INACTIVE)
    python.page.locator(button).dispatch_event("click")
    expect(python.page.get_by_role("alert")).to_contain_text("blocked the window")
    python.page.evaluate(ACTIVE)
    window = opened(python, button)
    expect(python.page.get_by_role("alert")).to_be_hidden()
    with window.expect_event("close"):
        sign_in_at_provider(window, "carol")
    expect(python.page.get_by_role("alert")).to_have_text("You may not sign in with that account.")
    window = opened(python, button)
    window.close()
    expect(python.page.locator("[aria-busy=true]")).to_have_count(0)
    expect(python.page.get_by_role("alert")).to_be_hidden()


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("data-session-action=sign_in:x data-session-popup=yes", "takes nothing"),
        ("data-session-action=sign_out data-session-popup", "is for a sign-in"),
    ],
)
def test_attributes_that_make_no_sense(python: PythonPage, markup: str, text: str) -> None:
    python.run("who.unmount()")
    message = python.run(f"""
        js.document.querySelector("#target").innerHTML = "<button {markup}></button>"
        try:
            bind_page("#target")
        except ValueError as error:
            text = str(error)
        text
    """)
    assert text in message


# --- the page that the window ends with ---


def restrict(route: Route) -> None:
    response = route.fetch()
    headers = {**response.headers, "content-security-policy": joined(STRICT)}
    route.fulfill(response=response, headers=headers)


def test_a_strict_content_security_policy(python: PythonPage, context: BrowserContext) -> None:
    said: list[str] = []
    context.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    context.route("**/session-popup.html*", restrict)
    window = opened(python)
    with window.expect_event("close"):
        sign_in_at_provider(window)
    expect_result(python, True, None)
    assert said == []


@pytest.mark.parametrize("told", ["", "&error=AccessDenied"])
def test_a_visitor_reads_how_it_ended_where_the_window_cannot_be_closed(
    page: Page, server: AuthServer, told: str
) -> None:
    page.goto(f"{server.url}/static/dist/session-popup.html?nextauth_popup=1{told}")
    page.evaluate("window.close = () => undefined")
    shown = "That did not work" if told else "You can close this window."
    expect(page.locator("p:visible")).to_contain_text(shown)
