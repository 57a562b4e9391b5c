"""A click before Python is there is kept by `session-boot.js`, and carried out by `bind_page()`."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Playwright, Route, expect

from demo.serve import AuthServer
from nextauth_py.testing import sign_in_as
from tests.servers.control import ServerControl

from .conftest import FIREFOX_OPTIONS, prepare
from .policies import STRICT, joined

SESSION, CREDENTIALS = "GET /api/auth/session", "POST /api/auth/callback/credentials"
PROVIDERS, SIGN_OUT = "GET /api/auth/providers", "POST /api/auth/signout"

DOCS = Path(__file__).parents[2] / "docs/start.md"

HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Early</title>
<link rel="icon" href="/picture.svg">
<script src="/static/dist/session-prefetch.js"></script>
<script defer src="/static/dist/session-paint.js"></script>
<script src="/static/dist/session-boot.js"></script>"""
PYTHON = """<script type="module" src="/static/dist/pyscript/core.js"></script>
<script type="py" src="/early.py" config="/static/dist/pyscript.json"></script>"""
FORM = """<form id="form" method="post" data-session-action="sign_in:credentials">
<label>User <input name="username"></label>
<label>Password <input name="password" type="password"></label>
<button>Sign in</button>{more}<p data-session-error hidden></p></form>
<b id="name" data-session-text="user.name"></b>"""
BIND = """from nextauth_py import *
SessionProvider().start()
"""


class EarlyPage:
    """A page whose Python waits until the test lets it come.

    Attributes:
        page: The Playwright page.
        said: What the console has.
    """

    def __init__(self, page: Page, server: AuthServer) -> None:
        self.page = page
        self.said: list[ConsoleMessage] = []
        self._held: list[Route] = []
        self._url = server.url

    def open(
        self, body: str, code: str = "bind_page()", *, address: str = "/own", scripts: str = PYTHON
    ) -> None:
        """Show HTML; Python will run the code."""
        page = self.page
        page.on("console", lambda message: self.said.append(message))  # noqa: PLW0108 - no builtins here
        headers = {"Content-Security-Policy": joined(STRICT)}
        page.route(
            f"**{address}",
            lambda route: route.fulfill(
                body=f"{HEAD}{scripts}<body>{body}", content_type="text/html", headers=headers
            ),
        )
        page.route("**/early.py", lambda route: route.fulfill(body=BIND + code, content_type="text/x-python"))
        page.route("**/pyodide/interpreter.mjs", lambda route: self._held.append(route))  # noqa: PLW0108
        with page.expect_request("**/pyodide/interpreter.mjs"):
            page.goto(f"{self._url}{address}", wait_until="commit")

    def let_python_come(self) -> None:
        self.page.unroute("**/pyodide/interpreter.mjs")
        for route in self._held:
            route.continue_()

    def refuse_python(self) -> None:
        self.page.route("**/pyodide/interpreter.mjs", lambda route: route.fulfill(status=404))
        for route in self._held:
            route.fulfill(status=404)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def fill(self, user: str = "alice", password: str = "wonder") -> None:
        self.page.get_by_label("User").fill(user)
        self.page.get_by_label("Password").fill(password)

    def expect_bound(self) -> None:
        expect(self.page.locator("html")).to_have_attribute("data-session-bound", "")


@pytest.fixture
def early(page: Page, auth_server: AuthServer, control: ServerControl) -> EarlyPage:
    return EarlyPage(page, auth_server)


def expect_waiting(element: Locator) -> None:
    expect(element).to_have_attribute("aria-busy", "true")
    expect(element).to_have_attribute("data-session-waiting", "true")


def expect_idle(element: Locator) -> None:
    expect(element).not_to_have_attribute("aria-busy", "true")
    expect(element).not_to_have_attribute("data-session-waiting", "true")


# --- what is carried out ---


def test_a_form_that_is_sent_early_signs_in_once(
    early: EarlyPage, control: ServerControl, violations: list[str]
) -> None:
    early.open(FORM.format(more=""))
    early.fill()
    for _time in range(3):
        early.button("Sign in").click()
    early.page.get_by_label("Password").press("Enter")
    expect_waiting(early.page.locator("#form"))
    assert CREDENTIALS not in control.requests()
    early.let_python_come()
    expect(early.page.locator("#name")).to_have_text("Alice Liddell")
    expect_idle(early.page.locator("#form"))
    assert control.requests().count(CREDENTIALS) == 1
    assert early.page.url.endswith("/own")
    assert violations == []


def test_it_sends_what_is_in_its_fields_when_python_comes_and_focus_stays(
    early: EarlyPage, control: ServerControl
) -> None:
    control.hold(CREDENTIALS)
    early.open(FORM.format(more=""))
    early.fill(password="wond")
    early.button("Sign in").click()
    early.page.get_by_label("Password").press("End")
    early.page.keyboard.type("er")
    with early.page.expect_request("**/callback/credentials") as sent:
        early.let_python_come()
    assert parse_qs(sent.value.post_data or "")["password"] == ["wonder"]
    expect(early.page.locator("#form")).to_have_attribute("aria-busy", "true")
    expect(early.page.locator("#form")).not_to_have_attribute("data-session-waiting", "true")
    expect(early.page.get_by_label("Password")).to_be_focused()
    expect(early.page.get_by_label("Password")).to_have_value("wonder")


@pytest.mark.parametrize(("button", "how"), [("Quick", ["quick"]), ("Slow", ["slow"]), ("Sign in", None)])
def test_the_pressed_button_goes_along(early: EarlyPage, button: str, how: list[str] | None) -> None:
    more = "<button name=how value=quick>Quick</button>"
    early.open(FORM.format(more=more) + "<button name=how value=slow form=form>Slow</button>")
    early.fill()
    early.button("Quick").click()
    early.button(button).click()  # the last one counts
    with early.page.expect_request("**/callback/credentials") as sent:
        early.let_python_come()
    assert parse_qs(sent.value.post_data or "").get("how") == how


@pytest.mark.parametrize("change", ["remove()", "setAttribute('form', '')", "setAttribute('type', 'button')"])
def test_a_button_that_is_no_longer_the_forms_does_not(early: EarlyPage, change: str) -> None:
    early.open(FORM.format(more="<button id=quick name=how value=quick>Quick</button>"))
    early.fill()
    early.button("Quick").click()
    early.page.evaluate(f"document.querySelector('#quick').{change}")
    with early.page.expect_request("**/callback/credentials") as sent:
        early.let_python_come()
    assert "how" not in parse_qs(sent.value.post_data or "")


def test_a_button_that_leads_elsewhere_does(early: EarlyPage) -> None:
    early.open(FORM.format(more="<button formaction=/forgot formnovalidate>Forgot it</button>"))
    early.button("Forgot it").click()
    expect_waiting(early.page.locator("#form"))
    with early.page.expect_navigation(url="**/forgot"):
        early.let_python_come()


def test_a_sign_out_is_done(
    early: EarlyPage, context: BrowserContext, auth_server: AuthServer, control: ServerControl
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    early.open("<button data-session-action='sign_out'><i>Sign out</i></button>")
    early.page.get_by_text("Sign out").click()
    expect_waiting(early.button("Sign out"))
    with early.page.expect_navigation():
        early.let_python_come()
    assert control.requests().count(SIGN_OUT) == 1


@pytest.mark.parametrize(
    "element",
    [
        "<button data-session-action='sign_in:github'>Go</button>",
        "<a href='/elsewhere' data-session-action='sign_in'>Go</a>",
        "<svg><a href='/elsewhere' data-session-action='sign_in'><text y='20'>Go</text></a></svg>",
    ],
)
def test_a_button_or_link_leads_to_the_sign_in_page(early: EarlyPage, element: str) -> None:
    early.open(element)
    early.page.get_by_text("Go").click()
    expect_waiting(early.page.locator("[data-session-action]"))
    with early.page.expect_navigation(url="**/api/auth/signin?**"):
        early.let_python_come()


def test_a_button_in_a_shadow_root_works(early: EarlyPage) -> None:
    button = "<button data-session-action='sign_in'>Go</button>"
    early.open(
        f"<div id='host'><template shadowrootmode='open'>{button}</template></div>",
        "import js\nbind_page(js.document.querySelector('#host').shadowRoot)",
    )
    early.page.evaluate("document.addEventListener('click', () => (sessionStorage.heard = 'outside'))")
    early.button("Go").click()
    expect_waiting(early.button("Go"))
    assert early.page.evaluate("sessionStorage.heard") is None
    with early.page.expect_navigation(url="**/api/auth/signin?**"):
        early.let_python_come()
    assert early.page.evaluate("sessionStorage.heard") == "outside"


def test_a_refetch_asks_again(early: EarlyPage) -> None:
    early.open(
        "<button data-session-action='refetch'>Refetch</button>",
        "await use_session()._provider.ready()\nbind_page()",
    )
    early.button("Refetch").click()
    expect_waiting(early.button("Refetch"))
    with early.page.expect_request("**/api/auth/session"):  # that of the prefetch is long over
        early.let_python_come()
    expect_idle(early.button("Refetch"))


def test_the_last_of_several_counts(
    early: EarlyPage, context: BrowserContext, auth_server: AuthServer, control: ServerControl
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    early.open("""<button data-session-action='sign_out'>Sign out</button>
        <button data-session-action='sign_in'>Sign in</button>""")
    early.button("Sign out").click()
    early.button("Sign in").click()
    expect_idle(early.button("Sign out"))
    expect_waiting(early.button("Sign in"))
    with early.page.expect_navigation(url="**/api/auth/signin?**"):
        early.let_python_come()
    assert SIGN_OUT not in control.requests()


def test_the_second_of_two_parts_is_bound_later(early: EarlyPage) -> None:
    early.open(
        "<div id='first'></div><div id='second'><button data-session-action='sign_in'>Go</button></div>",
        "bind_page('#first')\nawait use_session()._provider.ready()\nbind_page('#second')",
    )
    early.button("Go").click()
    with early.page.expect_navigation(url="**/api/auth/signin?**"):
        early.let_python_come()


def test_listeners_of_the_page_get_it_once_and_may_prevent_it(
    early: EarlyPage, control: ServerControl
) -> None:
    early.open(FORM.format(more=""))
    early.page.evaluate("""() => {
        window.seen = [];
        document.querySelector("#form").addEventListener("submit", (event) => {
            window.seen.push(event.defaultPrevented);
            event.preventDefault();
        });
    }""")
    early.button("Sign in").click()
    expect_waiting(early.page.locator("#form"))
    assert early.page.evaluate("seen") == []
    early.let_python_come()
    early.page.wait_for_function("() => window.seen.length")
    early.expect_bound()
    assert early.page.evaluate("seen") == [False]
    expect_idle(early.page.locator("#form"))
    assert CREDENTIALS not in control.requests()


HIDE_MEMBERS = """() => {
    const make = (tag, attributes) => Object.assign(document.createElement(tag), attributes);
    document.body.append(make("a", { id: "nextauthClick" }), make("img", { name: "addEventListener" }));
    const form = document.getElementById("form");
    for (const name in HTMLFormElement.prototype)
        Element.prototype.append.call(form, make("input", { type: "hidden", name }));
}"""


def test_fields_with_names_of_members_hide_nothing(early: EarlyPage) -> None:
    early.open(FORM.format(more=""))
    early.fill()
    early.page.evaluate(HIDE_MEMBERS)
    early.page.keyboard.press("Enter")
    read = "name => Element.prototype.getAttribute.call(document.getElementById('form'), name)"
    assert early.page.evaluate(read, "aria-busy") == "true"
    early.let_python_come()
    early.page.wait_for_function("() => document.getElementById('name').textContent === 'Alice Liddell'")
    assert early.page.evaluate(read, "aria-busy") is None


def test_later_clicks_are_pythons(early: EarlyPage) -> None:
    early.open(FORM.format(more="") + "<button data-session-action='refetch'>Refetch</button>")
    early.let_python_come()
    early.expect_bound()
    early.fill()
    early.button("Sign in").click()
    expect(early.page.locator("#name")).to_have_text("Alice Liddell")
    early.page.evaluate("document.documentElement.removeAttribute('data-session-bound')")
    early.button("Refetch").click()
    expect_idle(early.button("Refetch"))


def test_an_element_with_that_name_is_no_script(early: EarlyPage) -> None:
    """Without session-boot.js."""
    early.page.route(
        "**/session-boot.js", lambda route: route.fulfill(body="", content_type="text/javascript")
    )
    early.open(FORM.format(more="") + "<a id='nextauthClick'></a>")
    early.let_python_come()
    early.expect_bound()
    early.fill()
    early.button("Sign in").click()
    expect(early.page.locator("#name")).to_have_text("Alice Liddell")


def test_the_style_sheet_of_the_docs_shows_that_it_waits(early: EarlyPage) -> None:
    section = DOCS.read_text("utf-8").partition("\n## Clicks before Python is there\n")[2]
    (scripts, css) = re.findall(r"```(?:html|css)\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert [line for line in scripts.splitlines() if line not in HEAD + PYTHON] == []
    early.page.route("**/docs.css", lambda route: route.fulfill(body=css, content_type="text/css"))
    early.open(
        "<link rel='stylesheet' href='/docs.css'><button data-session-action='refetch'>Refetch</button>"
    )
    button = early.button("Refetch")
    expect(button).to_have_css("cursor", "default")
    button.click()
    expect(button).to_have_css("cursor", "progress")
    assert (
        early.page.evaluate("getComputedStyle(document.querySelector('button'), '::after').content")
        == '" Starting…"'
    )
    early.let_python_come()
    expect(button).to_have_css("cursor", "default")


# --- what is not ---


def test_a_link_opens_in_another_tab_as_the_visitor_wants(early: EarlyPage) -> None:
    early.open("<a href='/plain.html' data-session-action='sign_in'>Go</a>")
    with early.page.context.expect_page() as opened:
        early.page.get_by_role("link").click(modifiers=["ControlOrMeta"])
    opened.value.close()
    with early.page.context.expect_page() as opened:
        early.page.get_by_role("link").click(button="middle")
    opened.value.close()
    expect_idle(early.page.get_by_role("link"))


BUTTON = "<div id='part'><button id='button' data-session-action='sign_in'>Go</button></div><p id='rest'></p>"
DROPPED = "bind_page() has not bound this as it was when it was clicked"


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("bind_page('#rest')", ""),
        ("bind_page()", "button.dataset.sessionAction = 'sign_out'"),
        ("bind_page()", "button.removeAttribute('data-session-action')"),
        ("bind_page()", "button.remove()"),
        ("bind_page()", "button.replaceWith(button.cloneNode(true))"),
        ("1 / 0", ""),
        ("", ""),
    ],
)
def test_what_bind_page_does_not_find_as_it_was_is_dropped(
    early: EarlyPage, control: ServerControl, code: str, change: str
) -> None:
    early.open(BUTTON, code)
    early.button("Go").click()
    early.page.evaluate("window.clicked = document.querySelector('#button')")
    early.page.evaluate(f"() => {{ const button = clicked; {change} }}")
    with early.page.expect_console_message(lambda message: DROPPED in message.text) as console:
        early.let_python_come()
    assert console.value.type == "error"
    assert early.page.evaluate("clicked.getAttributeNames()") == [
        *("id", "data-session-action")[: 1 if "removeAttribute" in change else 2]
    ]
    expect(early.page.locator("[aria-busy], [data-session-waiting]")).to_have_count(0)
    assert early.page.url.endswith("/own")
    assert not {PROVIDERS, SIGN_OUT} & {*control.requests()}


def test_a_link_that_is_not_bound_is_not_followed(early: EarlyPage) -> None:
    early.open(
        "<a href='/elsewhere' data-session-action='sign_in'>Go</a><p id='rest'></p>", "bind_page('#rest')"
    )
    early.page.get_by_role("link").click()
    with early.page.expect_console_message(lambda message: DROPPED in message.text):
        early.let_python_come()
    expect_idle(early.page.get_by_role("link"))
    assert early.page.url.endswith("/own")


def test_a_page_without_python_says_so_to_whoever_clicks(early: EarlyPage) -> None:
    early.open("<br>" * 200 + FORM.format(more=""))
    alert = early.page.locator(".session-boot")
    form = early.page.locator("#form")
    early.button("Sign in").click()
    expect_waiting(form)
    early.refuse_python()
    expect(alert).to_contain_text("missing on the server")
    expect(alert).to_be_in_viewport()
    expect_idle(form)
    early.page.evaluate("""() => {
        window.told = [];
        addEventListener("session-boot-failed", ({ detail }) => window.told.push(detail.kind));
    }""")
    early.fill()
    early.button("Sign in").click()
    expect(alert).to_be_in_viewport()
    expect(alert).to_have_count(1)
    assert early.page.evaluate("told") == ["missing"]
    expect_idle(form)
    assert early.page.url.endswith("/own")


@pytest.mark.skipif(FIREFOX_OPTIONS is None, reason="there is no Firefox, and none could be installed")
def test_firefox_keeps_it_too(
    playwright: Playwright, auth_server: AuthServer, control: ServerControl
) -> None:
    browser = playwright.firefox.launch(**(FIREFOX_OPTIONS or {}))
    context = browser.new_context()
    outside = prepare(context)
    early = EarlyPage(context.new_page(), auth_server)
    early.open(FORM.format(more=""))
    early.fill()
    early.button("Sign in").click()
    expect_waiting(early.page.locator("#form"))
    early.let_python_come()
    expect(early.page.locator("#name")).to_have_text("Alice Liddell")
    assert control.requests().count(CREDENTIALS) == 1
    browser.close()
    assert outside == []
