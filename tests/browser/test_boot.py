"""What a page says when Python does not come: `session-boot.js`, under the strict policy of the docs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Playwright, Route, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import FIREFOX_OPTIONS, prepare
from .policies import STRICT, WITH_WORKERS, joined

# What visitors read, and what the console has for those who can mend it.
PROTECTED = ("sends something else", "Does middleware protect it?")
MISSING = ("missing on the server", "Is the bundle built, and at this path?")
FAILED = ("The server cannot send", "answered with an error")
UNREACHABLE = ("Check your connection", "was not answered")
BROKEN = ("could not start", "did not start")

SIGN_IN = "<!doctype html><title>Sign in</title><form></form>"

Answer = Callable[[Route], None]


@pytest.fixture(autouse=True)
def _under_a_strict_policy(control: ServerControl) -> None:
    control.set_headers({"Content-Security-Policy": joined(STRICT)})


def html(route: Route) -> None:
    route.fulfill(body=SIGN_IN, content_type="text/html; charset=utf-8")


def redirect(route: Route) -> None:
    """To the site's own sign-in page."""
    route.fulfill(status=302, headers={"location": "/prefetch.html"})


def redirect_elsewhere(route: Route) -> None:
    """To an identity provider, which has another origin."""
    host = route.request.url.split("/")[2].replace("localhost", "127.0.0.1")
    route.fulfill(status=302, headers={"location": f"http://{host}/prefetch.html"})


def forbidden(route: Route) -> None:
    route.fulfill(status=401, json={"message": "Nobody is signed in."})


def missing(route: Route) -> None:
    route.fulfill(status=404, body=SIGN_IN, content_type="text/html")


def failed(route: Route) -> None:
    route.fulfill(status=503)


def unreachable(route: Route) -> None:
    route.abort()


def throws(route: Route) -> None:
    route.fulfill(body="throw new Error('a defect')", content_type="text/javascript")


def said(page: Page) -> Locator:
    return page.locator(".session-boot")


CASES: list[tuple[str, Answer, tuple[str, str]]] = [
    ("pyscript/core.js", html, PROTECTED),
    ("pyscript/core.js", redirect, PROTECTED),
    ("pyscript/core.js", redirect_elsewhere, PROTECTED),
    ("pyscript/core.js", forbidden, PROTECTED),
    ("pyscript/core.js", missing, MISSING),
    ("pyscript/core.js", failed, FAILED),
    ("pyscript/core.js", unreachable, UNREACHABLE),
    ("pyscript/core-*.js", html, PROTECTED),
    ("pyscript/core-*.js", missing, MISSING),
    ("pyscript/core.js", throws, BROKEN),
    ("pyscript/core-*.js", throws, BROKEN),
    ("pyodide/preload.mjs", throws, BROKEN),
    ("pyodide/interpreter.mjs", html, PROTECTED),
    ("pyodide/interpreter.mjs", redirect, PROTECTED),
    ("pyodide/interpreter.mjs", missing, MISSING),
    ("pyodide/interpreter.mjs", unreachable, UNREACHABLE),
    ("lit/lit.js", missing, MISSING),
    ("{snapshot.bin,pydantic-*.whl}", unreachable, UNREACHABLE),
    ("strict.py", html, PROTECTED),
    ("strict.py", redirect, PROTECTED),
    ("strict.py", redirect_elsewhere, PROTECTED),
    ("strict.py", missing, MISSING),
    ("strict.py", unreachable, UNREACHABLE),
]


@pytest.mark.parametrize(("file", "answer", "words"), CASES)
def test_a_page_says_why_python_does_not_come(
    page: Page, auth_server: AuthServer, file: str, answer: Answer, words: tuple[str, str]
) -> None:
    for_visitors, for_the_site = words
    page.route(f"**/{file}", answer)
    with page.expect_console_message(lambda message: for_the_site in message.text) as console:
        page.goto(f"{auth_server.url}/boot.html")
    assert console.value.type == "error"
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(for_visitors)
    expect(alert).to_have_count(1)
    expect(alert).to_have_css("background-color", "rgb(255, 240, 240)")
    assert "nextauth_py" not in alert.inner_text()
    expect(page.get_by_role("heading")).to_be_visible()
    page.unroute(f"**/{file}")
    alert.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
    expect(said(page)).to_have_count(0)


@pytest.mark.parametrize(("answer", "words"), [(html, PROTECTED), (missing, MISSING)])
def test_a_page_says_why_its_worker_does_not_come(
    page: Page, auth_server: AuthServer, control: ServerControl, answer: Answer, words: tuple[str, str]
) -> None:
    control.set_headers({"Content-Security-Policy": joined(WITH_WORKERS)})
    page.route("**/strict-worker.py", answer)
    page.goto(f"{auth_server.url}/boot-worker.html")
    expect(page.get_by_role("alert")).to_contain_text(words[0])


def test_a_page_says_so_that_names_a_config_that_is_not_there(page: Page, auth_server: AuthServer) -> None:
    own = PAGE.replace("/static/dist/pyscript.json", "/own/pyscript.json")
    page.route("**/own", lambda route: route.fulfill(body=own, content_type="text/html"))
    page.route("**/own/pyscript.json", redirect)
    page.goto(f"{auth_server.url}/own")
    expect(page.get_by_role("alert")).to_contain_text(PROTECTED[0])


PAGE = """<!doctype html>
<script src="/static/dist/session-boot.js"></script>
<script type="module" src="/static/dist/pyscript/core.js"></script>
<div id="account"></div>
<script type="py" src="strict.py" config="/static/dist/pyscript.json"></script>"""

OTHER_FAULTS = """
<img src="/nowhere.png">
<script src="/nowhere.js"></script>
<script type="module">import "/nowhere.mjs"</script>
<script>Promise.reject(new Error("the site's own")); throw new Error("the site's own")</script>
"""


def test_nothing_shows_while_all_is_well(page: Page, auth_server: AuthServer, violations: list[str]) -> None:
    for _visit in ("the first", "the next"):
        page.goto(f"{auth_server.url}/boot.html")
        expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
        expect(said(page)).to_have_count(0)
    assert violations == []


def test_what_else_is_wrong_with_a_page_is_not_its_affair(page: Page, auth_server: AuthServer) -> None:
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.route("**/own", lambda route: route.fulfill(body=f"{PAGE}{OTHER_FAULTS}", content_type="text/html"))
    page.route("**/snapshot.bin", missing)
    page.route("**/session-prefetch.js", missing)
    page.goto(f"{auth_server.url}/own")
    expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
    expect(said(page)).to_have_count(0)
    assert len(errors) >= 3
    assert [text for text in errors if "nextauth_py" in text] == []


def test_an_error_of_the_pages_python_is_not_its_affair(page: Page, auth_server: AuthServer) -> None:
    page.route("**/strict.py", lambda route: route.fulfill(body="1 / 0", content_type="text/x-python"))
    page.goto(f"{auth_server.url}/boot.html")
    expect(page.locator(".py-error")).to_contain_text("ZeroDivisionError")
    expect(said(page)).to_have_count(0)


def test_a_page_may_say_it_in_its_own_way(page: Page, auth_server: AuthServer) -> None:
    page.add_init_script("""
        addEventListener("session-boot-failed", (event) => {
            event.preventDefault();
            document.querySelector("h1").textContent = `Ach! ${event.detail.kind} ${event.detail.url}`;
        });
    """)
    page.route("**/interpreter.mjs", missing)
    page.goto(f"{auth_server.url}/boot.html")
    expect(page.get_by_role("heading")).to_have_text(
        f"Ach! missing {auth_server.url}/static/dist/pyodide/interpreter.mjs"
    )
    expect(said(page)).to_have_count(0)


def test_markup_with_names_of_the_documents_members_does_not_hide_it(
    page: Page, auth_server: AuthServer
) -> None:
    names = ("querySelectorAll", "createElement", "body", "currentScript", "adoptedStyleSheets", "baseURI")
    shadows = "".join(f'<img name="{name}">' for name in names)
    page.route("**/own", lambda route: route.fulfill(body=f"{shadows}{PAGE}", content_type="text/html"))
    page.route("**/core.js", missing)
    page.goto(f"{auth_server.url}/own")
    expect(page.get_by_role("alert")).to_contain_text(MISSING[0])


@pytest.mark.skipif(FIREFOX_OPTIONS is None, reason="there is no Firefox, and none could be installed")
@pytest.mark.parametrize(
    ("file", "answer", "words"),
    [
        ("pyscript/core.js", html, PROTECTED),
        ("pyodide/interpreter.mjs", missing, MISSING),
        ("strict.py", html, PROTECTED),
        ("nothing", html, None),
    ],
)
def test_firefox_says_it_too(
    playwright: Playwright, auth_server: AuthServer, file: str, answer: Answer, words: tuple[str, str] | None
) -> None:
    browser = playwright.firefox.launch(**(FIREFOX_OPTIONS or {}))
    context = browser.new_context()
    outside = prepare(context)
    page = context.new_page()
    page.route(f"**/{file}", answer)
    page.goto(f"{auth_server.url}/boot.html")
    if words:
        expect(page.get_by_role("alert")).to_contain_text(words[0])
    else:
        expect(page.get_by_role("button", name="Sign in as Bob")).to_be_visible()
        expect(said(page)).to_have_count(0)
    browser.close()
    assert outside == []
