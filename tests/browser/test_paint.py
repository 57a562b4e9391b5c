"""The session is shown before Python is there, by the rules of Python, and taken over without a flicker."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Page, Route, expect

from demo.serve import AuthServer
from nextauth_py import NextAuthError, Session
from nextauth_py.core import wire
from nextauth_py.models import read_model
from nextauth_py.state import SessionState
from nextauth_py.testing import sign_in_as
from nextauth_py.testing.document import Element
from nextauth_py.ui.page import _bind_element
from tests.servers.control import ServerControl

from .python_page import PythonPage

SESSION = "GET /api/auth/session"
EXPIRES = "2099-01-01T00:00:00.000Z"
EVIL = '<img src=x onerror="window.hacked = true"><b>evil</b>'

NEXT_AUTH_SPEAKS = "new BroadcastChannel('next-auth').postMessage({event: 'session'})"
OURS_SPEAKS = """new BroadcastChannel('nextauth_py').postMessage('{"kind": "fence"}')"""
STORAGE_SPEAKS = "localStorage.setItem('nextauth.message', '{}')"

# The script has done what it does with an answer when it is there: a turn of the event loop later.
SETTLED = """async () => {
    while (!window.nextauthSession) await new Promise(requestAnimationFrame);
    await nextauthSession.answer.catch(() => {});
    await new Promise(setTimeout);
}"""


def alice(**user: Any) -> str:
    return json.dumps({"user": {"name": "Alice", **user}, "expires": EXPIRES})


@pytest.fixture
def open_page(page: Page, auth_server: AuthServer) -> Callable[[], Page]:
    """Opens a page to which Python never comes."""

    def open_page() -> Page:
        page.route("**/pyscript/core.js", lambda route: route.abort())
        page.goto(f"{auth_server.url}/paint.html")
        return page

    return open_page


@pytest.fixture
def open_html(page: Page, auth_server: AuthServer) -> Callable[[str], Page]:
    """Opens a page of one's own under a strict policy, and does not wait until it is parsed."""
    sources = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:"
    policy = f"{sources}; require-trusted-types-for 'script'"

    def open_html(html: str) -> Page:
        answer = {
            "body": html,
            "content_type": "text/html; charset=utf-8",
            "headers": {"Content-Security-Policy": policy},
        }
        page.route(f"{auth_server.url}/own", lambda route: route.fulfill(**answer))
        page.goto(f"{auth_server.url}/own", wait_until="commit")
        return page

    return open_html


@pytest.fixture
def other_tab(context: BrowserContext, auth_server: AuthServer) -> Page:
    """A page of the same origin that says nothing by itself."""
    other = context.new_page()
    other.goto(f"{auth_server.url}/static/dist/pyscript.json")
    return other


def hold(page: Page, path: str) -> list[Route]:
    """Requests that wait until the test lets them go."""
    held: list[Route] = []
    page.route(path, lambda route: held.append(route))  # noqa: PLW0108 - no builtins here
    return held


def let_go(page: Page, path: str, held: list[Route]) -> None:
    """Let those requests go, and those that come."""
    for route in held:
        route.continue_()
    page.unroute(path)


def expect_loading(page: Page) -> None:
    expect(page.locator("#loading")).to_be_visible()
    expect(page.locator("#in")).to_be_hidden()
    expect(page.locator("#out")).to_be_hidden()


# --- what it shows ---


def test_a_visitor_sees_their_name_without_python(
    context: BrowserContext, auth_server: AuthServer, control: ServerControl, open_page: Callable[[], Page]
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    page = open_page()
    expect(page.locator("#name")).to_have_text("Alice Liddell")
    expect(page.locator("#name")).to_be_visible()
    expect(page.locator("#picture")).to_have_attribute("alt", "Alice Liddell")
    expect(page.locator("body")).to_have_class("known")
    for hidden in ("#loading", "#out", "#vip"):
        expect(page.locator(hidden)).to_be_hidden()
    assert control.requests() == [SESSION]


def test_a_signed_out_visitor_sees_that(open_page: Callable[[], Page]) -> None:
    page = open_page()
    expect(page.locator("#out")).to_be_visible()
    expect(page.locator("#in")).to_be_hidden()
    expect(page.locator("#loading")).to_be_hidden()
    expect(page.locator("#name")).to_have_text("")


def test_users_text_is_text_and_runs_no_script(control: ServerControl, open_page: Callable[[], Page]) -> None:
    url = "javascript:hacked=1"
    control.answer(SESSION, alice(name=EVIL, image=url, site=url, vip=True))
    page = open_page()
    expect(page.locator("#name")).to_have_text(EVIL)
    expect(page.locator("#name *")).to_have_count(0)
    expect(page.locator("#vip")).to_be_visible()
    assert page.locator("#picture").get_attribute("src") is None
    assert page.locator("#site").get_attribute("href") is None
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    "html",
    [
        "{prefetch}<script defer src=/static/dist/session-paint.js></script>{body}",
        "{prefetch}<script src=/static/dist/session-paint.js></script>{body}",
        "{prefetch}{body}<script src=/static/dist/session-paint.js></script>",
    ],
)
def test_it_works_in_each_place_under_a_strict_policy(
    control: ServerControl, open_html: Callable[[str], Page], page: Page, html: str
) -> None:
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    control.answer(SESSION, alice())
    prefetch = (
        "<!doctype html><link rel=icon href=data:><script src=/static/dist/session-prefetch.js></script>"
    )
    body = "<b data-session-text=user.name></b><i data-session-show=loading>One moment</i>"
    open_html(html.format(prefetch=prefetch, body=body))
    expect(page.locator("b")).to_have_text("Alice")
    expect(page.locator("i")).to_be_hidden()
    assert told == []


HALF = """<!doctype html><script src=/static/dist/session-prefetch.js></script>
<script src=/static/dist/session-paint.js></script>
<b data-session-text=user.name></b><script src=/held.js></script><i data-session-text=user.name></i>"""


def test_it_waits_for_the_whole_page(
    control: ServerControl, open_html: Callable[[str], Page], page: Page
) -> None:
    control.answer(SESSION, alice())
    held = hold(page, "**/held.js")
    open_html(HALF).evaluate(SETTLED)
    assert page.evaluate("document.readyState") == "loading"
    expect(page.locator("b")).to_have_text("")
    held[0].fulfill(body="")
    expect(page.locator("i")).to_have_text("Alice")
    expect(page.locator("b")).to_have_text("Alice")


def test_alone_it_does_nothing(open_html: Callable[[str], Page], page: Page) -> None:
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    open_html("<script src=/static/dist/session-paint.js></script><b data-session-text=user.name>…</b>")
    page.wait_for_load_state()
    expect(page.locator("b")).to_have_text("…")
    assert failed == []


def test_a_form_waits_for_python(open_page: Callable[[], Page]) -> None:
    """Sent by the browser itself, it would write the password into the page's address."""
    page = open_page()
    expect(page.locator("#out")).to_be_visible()
    submit = "out.dispatchEvent(new SubmitEvent('submit', { bubbles: true, cancelable: true }))"
    assert page.evaluate(submit) is False


# --- what it does not show ---


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, '{"message": "no"}', "application/json"),
        (401, "{}", "application/json"),
        (200, "<p>Hello</p>", "text/html"),
        (200, alice(), "text/plain"),
        (200, '{"user": {"na', "application/json"),
        (200, '{"user": {"name": "Alice"}}', "application/json"),
        (200, alice().replace("2099", "2020"), "application/json"),
        (200, alice().replace(EXPIRES, "2099-02-30T00:00:00.000Z"), "application/json"),
        (200, alice().replace(EXPIRES, "soon"), "application/json"),
    ],
)
def test_an_answer_without_a_session_changes_nothing(
    control: ServerControl, open_page: Callable[[], Page], status: int, body: str, kind: str
) -> None:
    control.answer(SESSION, body, status=status, kind=kind)
    page = open_page()
    page.evaluate(SETTLED)
    expect_loading(page)
    expect(page.locator("#name")).to_have_text("…")
    assert page.locator("html").get_attribute("data-session-paint") == ""


def test_a_server_that_breaks_off_changes_nothing(
    control: ServerControl, open_page: Callable[[], Page]
) -> None:
    control.drop(SESSION)
    page = open_page()
    page.evaluate(SETTLED)
    expect_loading(page)


@pytest.mark.parametrize("told", [NEXT_AUTH_SPEAKS, OURS_SPEAKS, STORAGE_SPEAKS])
def test_a_message_of_another_tab_takes_it_back(
    control: ServerControl, open_page: Callable[[], Page], other_tab: Page, told: str
) -> None:
    control.answer(SESSION, alice(image="/static/dist/none.png"))
    page = open_page()
    expect(page.locator("#name")).to_have_text("Alice")
    other_tab.evaluate(f"() => {{ {told} }}")
    expect(page.locator("#name")).to_have_text("")
    expect_loading(page)
    assert page.locator("#picture").get_attribute("src") is None
    expect(page.locator("body")).not_to_have_class("known")


def test_a_sign_out_before_the_answer_keeps_it_away(
    control: ServerControl, open_page: Callable[[], Page], other_tab: Page
) -> None:
    control.hold(SESSION)
    page = open_page()
    page.evaluate("void (window.answer = nextauthSession.answer.catch(() => 'gone'))")
    other_tab.evaluate(f"() => {{ {NEXT_AUTH_SPEAKS} }}")
    assert page.evaluate("answer") == "gone"
    expect_loading(page)
    expect(page.locator("#name")).to_have_text("…")


def test_a_sign_out_after_the_answer_keeps_it_away_too(
    control: ServerControl, open_html: Callable[[str], Page], page: Page, other_tab: Page
) -> None:
    control.answer(SESSION, alice())
    held = hold(page, "**/held.js")
    open_html(HALF).evaluate(SETTLED)
    other_tab.evaluate(f"() => {{ {NEXT_AUTH_SPEAKS} }}")
    page.wait_for_function("() => !window.nextauthSession")
    held[0].fulfill(body="")
    page.wait_for_load_state()
    expect(page.locator("b")).to_have_text("")
    expect(page.locator("i")).to_have_text("")


# --- Python ---


def test_a_prefetch_that_python_has_taken_stays(
    control: ServerControl, open_page: Callable[[], Page]
) -> None:
    control.answer(SESSION, alice())
    page = open_page()
    expect(page.locator("#name")).to_have_text("Alice")
    page.evaluate("nextauthSession.drop()")
    expect(page.locator("#name")).to_have_text("Alice")
    assert page.evaluate("!window.nextauthSession") is True


def test_pythons_content_is_not_taken_back(
    control: ServerControl, open_page: Callable[[], Page], other_tab: Page
) -> None:
    control.answer(SESSION, alice())
    page = open_page()
    expect(page.locator("#name")).to_have_text("Alice")
    page.evaluate("document.documentElement.removeAttribute('data-session-paint')")
    other_tab.evaluate(f"() => {{ {NEXT_AUTH_SPEAKS} }}")
    page.wait_for_function("() => !window.nextauthSession")
    expect(page.locator("#name")).to_have_text("Alice")


def test_a_page_that_python_follows_already_is_left_to_it(
    control: ServerControl, page: Page, open_page: Callable[[], Page]
) -> None:
    control.answer(SESSION, alice())
    held = hold(page, "**/api/auth/session")
    open_page().evaluate("document.documentElement.removeAttribute('data-session-paint')")
    let_go(page, "**/api/auth/session", held)
    page.evaluate(SETTLED)
    expect_loading(page)


# What a visitor sees, whenever anything of the page changes.
WATCH = """() => {
    const look = () => [
        document.querySelector("#name").textContent,
        document.querySelector("#picture").alt,
        ...["in", "loading", "out", "error"].map((id) => document.getElementById(id).checkVisibility()),
    ];
    window.seen = [look()];
    const observer = new MutationObserver(() => seen.push(look()));
    observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def test_python_takes_over_without_a_flicker(
    context: BrowserContext, page: Page, auth_server: AuthServer, control: ServerControl
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    held = hold(page, "**/pyodide.{bin,asm.wasm}")
    python = PythonPage(page)
    page.goto(f"{auth_server.url}/paint.html")
    python.expect_text("#name", "Alice Liddell")
    page.evaluate(WATCH)
    let_go(page, "**/pyodide.{bin,asm.wasm}", held)
    page.wait_for_function("() => Boolean(window.runPython)")
    status = python.run("""
        from nextauth_py import *
        provider = SessionProvider().start()
        stop = bind_page()
        provider.state.status
    """)
    assert status == "loading"
    assert python.run("(await provider.ready()).status") == "authenticated"
    assert page.locator("html").get_attribute("data-session-paint") is None
    seen = page.evaluate("seen")
    assert len(seen) > 1
    assert [each for each in seen if each != seen[0]] == []
    assert seen[0] == ["Alice Liddell", "Alice Liddell", True, False, False, False]
    assert control.requests() == [SESSION]

    python.run("provider.session = None")
    expect(page.locator("#out")).to_be_visible()
    python.expect_text("#name", "")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")
    page.keyboard.press("Enter")
    python.expect_text("#name", "Alice Liddell")


def test_python_replaces_the_painted_session(
    control: ServerControl, page: Page, auth_server: AuthServer, other_tab: Page
) -> None:
    control.answer(SESSION, alice())
    held = hold(page, "**/elsewhere/session")
    python = PythonPage(page).open(f"{auth_server.url}/paint.html")
    python.expect_text("#name", "Alice")
    python.run("""
        from nextauth_py import *
        provider = SessionProvider(base_path="/elsewhere").start()
        stop = bind_page()
    """)
    python.expect_text("#name", "Alice")
    other_tab.evaluate(f"() => {{ {OURS_SPEAKS} }}")
    python.expect_text("#name", "")
    expect_loading(page)
    let_go(page, "**/elsewhere/session", held)
    expect(page.locator("#error")).to_be_visible()
    assert page.locator("html").get_attribute("data-session-paint") is None

    # Where the failure is known already, nothing else will come to be waited for.
    page.evaluate("document.documentElement.dataset.sessionPaint = 'authenticated'; error.hidden = true")
    python.run("stop(); stop = bind_page()")
    expect(page.locator("#error")).to_be_visible()


# --- the rules of both ---

VALUES: dict[str, Any] = {
    "name": "<b>Alice</b> & 'co'",
    "empty": "",
    "yes": True,
    "no": False,
    "nothing": None,
    "zero": 0,
    "three": -3,
    "half": 0.5,
    "large": 2**53,
    "huge": 2**63 - 1,
    "list": ["a", 1],
    "none": [],
    "blank": {},
    "address": {"city": "Oxford", "on": True, "length": 3},
    "relative": "/a?b#c",
    "deep": "a b:c/../d",
    "web": "HTTPS://x.example/ä",
    "host": "//x.example",
    "script": "JavaScript:alert(1)",
    "late": "javascript:alert(1) https://x.example",
    "led": " javascript:alert(1)",
    "broken": "java\nscript:alert(1)",
    "mail": "mailto:a@b",
    "blob": "blob:https://x/y",
    "picture": "DATA:image/png;base64,AAAA",
    "page": "data:text/html,x",
    "slashes": "\\\\evil.example",
    "trailing": "/a ",
    "thin": "/a\u2009",
    "marked": "/a\u202eb",
    "next": "/a\u0085",
    "feff": "\ufeff/a",
    **{name: name.upper() for name in ("_id", "2fa", "schema", "copy", "model_dump", "valueOf")},
}
# Floats, large numbers, lists and dates are for Python alone to write.
PYTHONS = {"half", "huge", "list", "none", "blank", "address"}
PATHS = [
    *(f"user.{name}" for name in VALUES),
    *("user", "user.address.city", "user.address.city.x", "user.address.length", "user.missing.deep", "plan"),
    *("user.name.length", "user.list.length", "user.constructor", "toString", "user.address.hasOwnProperty"),
    *("user.list.0", "user.list.1", "user.list.2", "user.list.01", "user.name.0", "user.0", "more.0.on", "0"),
    *("", " ", "user.", ".name", "user..name", "user name", "user[0]", "__class__", "user.__dict__"),
]
# Names that are no identifiers of ASCII: the script knows no others.
FOREIGN = ("üser", "user.first-name")
NAMES = [
    *("title", "TITLE", "aria-label", "data-x", "x_y", "x.y", "1x", "é", "", "disabled", "hreflang"),
    *("onclick", "OnError", "style", "srcdoc", "srcset", "is", "island", "styles"),
    *("href", "HREF", "src", "poster", "action", "formaction", "cite", "data", "background", "ping"),
]
FOLLOWED = NAMES[NAMES.index("href") :]
CONDITIONS = [
    *("authenticated", "unauthenticated", "loading", "error", "unauthenticated user.yes", "loading user.no"),
    *("authenticated nope!", "signed in!", "user.no\tuser.zero user.three", "Authenticated"),
]
ATTRIBUTES = [
    *(("text", path) for path in PATHS),
    *(("attr", f"{name}:user.{value}") for name in NAMES for value in VALUES if value not in PYTHONS),
    *(
        ("attr", words)
        for words in ("title", "title:", ":user.name", "title:user.name alt", "a:b:c", "", " ")
    ),
    *(("attr", words) for words in ("title:user.name  alt:user.web", "title:user.name onclick:user.name")),
    *(("attr", words) for words in ("title:user.name title:user.no", "xlink:href:user.web")),
    *(("show", path) for path in [*PATHS, *CONDITIONS]),
    *(("class", f"a:{path}") for path in [*PATHS, *CONDITIONS]),
    *(
        ("class", words)
        for words in ("vip", "x:user.yes y:user.no z:unauthenticated", "x:user.yes x:user.no")
    ),
]
FOR_PYTHON = [
    *(each for path in FOREIGN for each in (("text", path), ("show", path), ("class", f"a:{path}"))),
    *(("text", f"user.{name}") for name in PYTHONS),
    *(("attr", f"title:user.{name}") for name in PYTHONS),
    *((kind, path) for kind in ("text", "show") for path in ("expires", "expires.year")),
    ("text", "user"),
    ("attr", "xlink:href:user.web"),
    *(("attr", f"{name}:user.{value}") for name in FOLLOWED for value in ("led", "trailing", "thin", "feff")),
]
NO_USER = json.dumps({"user": None, "expires": EXPIRES})
RICH = json.dumps({"user": VALUES, "plan": "pro", "more": [{"on": True}], "expires": EXPIRES})
USERS: list[object] = [{}, None, "alice", ["alice"], 3, True, 0, False, {"constructor": 1}]
BODIES = [
    *(json.dumps({"user": user, "expires": EXPIRES}) for user in USERS),
    *("{}", "null", "[]", "false", '""', "0", "", "{", '{"user": {"name": "Alice"}}'),
    *(
        json.dumps({"expires": expires, "user": {"name": "Alice"}})
        for expires in (EXPIRES, None, "2099-13-01T00:00:00.000Z", "")
    ),
    *(
        alice(**{name: value})
        for name in ("id", "name", "email", "image")
        for value in (None, "", 3, 0, False)
    ),
    *(alice(id=value) for value in (-7, 2**53, ["x"], {"$oid": "x"})),
]
KINDS = ["application/json", "application/json; charset=utf-8", "text/html; x=json", "a/x+json", "text/plain"]
ANSWERS = [
    *((200, body, "application/json") for body in BODIES),
    *((200, alice(), kind) for kind in KINDS),
    *((status, alice(), "application/json") for status in (401, 404, 500, 503)),
]

# Runs the script on elements, with an answer that is there already, and perhaps takes it back.
PAINT = """async ({ html, answer, back }) => {
    document.body.innerHTML = html;
    const abort = new AbortController();
    window.nextauthSession = { answer: Promise.resolve(answer), signal: abort.signal, drop() {} };
    const script = document.createElement("script");
    const done = new Promise((done) => (script.onload = done));
    document.head.append(Object.assign(script, { src: "/static/dist/session-paint.js" }));
    await done;
    if (back) abort.abort();
    return [...document.body.children].map((each) => {
        const attributes = [...each.attributes].map(({ name, value }) => [name, value]);
        return [each.textContent, Object.fromEntries(attributes)];
    });
}"""

Answer = tuple[int, str, str]
Look = tuple[str, dict[str, str]]


class Bound(Element):
    """An element with what bind_page() asks of the DOM besides."""

    @property
    def dataset(self) -> SimpleNamespace:
        prefix = "data-session-"
        given = {
            name.removeprefix(prefix): self.getAttribute(name) for name in self.tag.attrs if prefix in name
        }
        return SimpleNamespace(**{f"session{name.title()}": words for name, words in given.items()})

    def cloneNode(self, _deep: bool) -> SimpleNamespace:  # noqa: N802 - the DOM's name
        return SimpleNamespace(outerHTML=str(self.tag))


def html_of(kind: str, words: str) -> str:
    return f'<p class="c" data-session-{kind}="{words}">…</p>'


def look(text: str, attributes: dict[str, str]) -> Look:
    """Without what says nothing: an empty class, how a style is written."""
    kept = {
        name: each.rstrip(";") for name, each in attributes.items() if name not in {"class", "style"} or each
    }
    return text, kept


def by_python(html: str, states: list[SessionState[Session]]) -> Look:
    """What Python makes of an element."""
    (tag,) = BeautifulSoup(html, "html.parser").find_all("p")
    element = Bound(tag)
    heard: list[Callable[[SessionState[Session]], None]] = []
    if states:
        engine = SimpleNamespace(report=pytest.fail)
        provider: Any = SimpleNamespace(state=states[0], engine=engine, subscribe=heard.append)
        with suppress(ValueError):
            _bind_element(provider, element, at_once=True)
    for state in states[1:]:
        for listener in heard:
            listener(state)
    return look(element.textContent, {name: element.getAttribute(name) or "" for name in element.tag.attrs})


def state_of(status: int, body: str, kind: str) -> list[SessionState[Session]]:
    """The state that Python makes of an answer; none if it is no session."""
    request = wire.Request("GET", "/api/auth/session")
    try:
        raw = wire.read_session(request, wire.Response(status, body, {"content-type": kind}))
        data = None if raw is None else read_model(Session, raw)
    except NextAuthError:
        return []
    return [SessionState("unauthenticated" if data is None else "authenticated", data)]


def by_script(page: Page, html: list[str], answer: Answer, *, back: bool = False) -> list[Look]:
    status, body, kind = answer
    given = [status, body, [["content-type", kind], ["date", "Thu, 01 Jan 2026 00:00:00 GMT"]]]
    return [
        look(*each) for each in page.evaluate(PAINT, {"html": "".join(html), "answer": given, "back": back})
    ]


@pytest.fixture
def blank(page: Page, auth_server: AuthServer) -> Page:
    page.goto(f"{auth_server.url}/static/dist/pyscript.json")
    return page


@pytest.mark.parametrize("body", [RICH, NO_USER, "{}"], ids=["user", "no-user", "signed-out"])
@pytest.mark.parametrize("back", [False, True])
def test_its_rules_are_pythons(blank: Page, body: str, back: bool) -> None:
    html = [html_of(*each) for each in ATTRIBUTES if each not in FOR_PYTHON]
    answer = 200, body, "application/json"
    states = state_of(*answer) + [SessionState()] * back
    painted = by_script(blank, html, answer, back=back)
    assert len(painted) == len(html)
    differ = [
        (each, one, other)
        for each, one in zip(html, painted, strict=True)
        if one != (other := by_python(each, states))
    ]
    assert differ == []


def test_values_that_only_python_formats_are_left_to_it(blank: Page) -> None:
    html = [html_of(*each) for each in FOR_PYTHON]
    painted = by_script(blank, html, (200, RICH, "application/json"))
    assert painted == [by_python(each, []) for each in html]


def test_a_session_is_what_python_takes_for_one(blank: Page) -> None:
    html = [html_of("text", "user.name"), html_of("show", "authenticated"), html_of("show", "user")]
    for answer in ANSWERS:
        expected = [by_python(each, state_of(*answer)) for each in html]
        assert (answer, by_script(blank, html, answer)) == (answer, expected)
