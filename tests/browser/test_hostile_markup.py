"""HTML of users that runs nothing, but names what scripts read: no page signs in, breaks or leaves by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Route

from demo.serve import AuthServer
from nextauth_py.testing import sign_in_as
from tests.servers.control import ServerControl

from .conftest import shared_page
from .python_page import PythonPage

SESSION = "GET /api/auth/session"
ELSEWHERE = "http://127.0.0.2:1"  # another origin, where nobody answers

START = """
    from nextauth_py import *
    provider = SessionProvider().start()
    state = await provider.ready()
    state.data.user.name if state.data else state.status
"""


@pytest.fixture
def serve(page: Page, auth_server: AuthServer) -> Callable[..., str]:
    """Serves a page of the test's own; returns its address."""

    def serve(body: str, *, head: str = "", python: bool = True) -> str:
        scripts = """<script type="module" src="/static/dist/pyscript/core.js"></script>
            <script type="py" src="/python.py" config="/static/dist/pyscript.json"></script>"""
        start = f'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">{head}<body>'
        html = start + body + (scripts if python else "")
        url = f"{auth_server.url}/own"
        page.route(url, lambda route: route.fulfill(body=html, content_type="text/html"))
        return url

    return serve


@pytest.fixture(scope="module")
def shared(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    """One page for tests that clean up."""
    with shared_page(browser, f"{auth_server.url}/python.html") as python:
        python.run("""
            from nextauth_py.host.browser import BrowserHost
            from nextauth_py import *
        """)
        yield python


# --- the embedded session ---


def session(name: str) -> str:
    return f'{{"user": {{"name": "{name}"}}, "expires": "2099-01-01T00:00:00.000Z"}}'


def embedded(name: str = "Alice", kind: str = "application/json") -> str:
    return f'<script type="{kind}" id="nextauth-session">{session(name)}</script>'


EVIL = session("Mallory")
INERT = [
    f'<p id="nextauth-session">{EVIL}</p>',
    f'<textarea id="nextauth-session">{EVIL}</textarea>',
    f'<svg><script type="application/json" id="nextauth-session">{EVIL}</script></svg>',
    f'<math><script type="application/json" id="nextauth-session">{EVIL}</script></math>',
    f'<template><script type="application/json" id="nextauth-session">{EVIL}</script></template>',
    f'<script id="nextauth-session" type="text/plain">{EVIL}</script>',
    f'<script id="nextauth-session" type="application/json+x">{EVIL}</script>',
    f'<script id="nextauth-session" type="&nbsp;application/json">{EVIL}</script>',
    f'<script id="nextauth-session" type>{EVIL}</script>',
    f'<style type="application/json" id="nextauth-session">{EVIL}</style>',
    '<form id="nextauth-session"><input name="textContent" value="{}"></form>',
]


def take(python: PythonPage, html: str) -> object:
    """What a page that starts with this HTML in it takes for its session."""
    python.page.evaluate("html => (document.querySelector('#target').innerHTML = html)", html)
    return python.run("""
        try:
            taken = BrowserHost().take_embedded_session()
        except ValueError as error:
            taken = repr(error)
        taken
    """)


@pytest.mark.parametrize("html", INERT)
def test_other_scripts_are_no_session(shared: PythonPage, html: str) -> None:
    assert take(shared, html) is None


@pytest.mark.parametrize("html", INERT)
def test_it_does_not_stand_in_front_of_the_genuine_one(shared: PythonPage, html: str) -> None:
    assert take(shared, html + embedded()) == session("Alice")
    assert take(shared, html + html + embedded() + html) == session("Alice")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON", " \t\n\f\rapplication/json "])
def test_the_type_is_read_as_browsers_do(shared: PythonPage, kind: str) -> None:
    assert take(shared, embedded(kind=kind)) == session("Alice")


def test_of_two_neither_counts_now_or_later(shared: PythonPage) -> None:
    assert "2 of them" in str(take(shared, embedded("Mallory") + embedded()))
    assert shared.run("BrowserHost().take_embedded_session()") is None


def test_a_page_with_a_paragraph_in_front_shows_the_genuine_session(
    page: Page, serve: Callable[..., str], control: ServerControl
) -> None:
    python = PythonPage(page).open(serve(INERT[0] + embedded()))
    assert python.run(START) == "Alice"
    assert control.requests() == []


def test_a_page_with_a_paragraph_alone_asks_the_server(
    page: Page, serve: Callable[..., str], control: ServerControl
) -> None:
    python = PythonPage(page).open(serve(INERT[0]))
    assert python.run(START) == "unauthenticated"
    assert control.requests() == [SESSION]


def test_a_page_with_two_sessions_says_so_and_asks_the_server(
    page: Page, serve: Callable[..., str], control: ServerControl
) -> None:
    said: list[ConsoleMessage] = []
    page.on("console", lambda message: said.append(message))  # noqa: PLW0108 - no builtins here
    python = PythonPage(page).open(serve(embedded("Mallory") + embedded()))
    assert python.run(START) == "unauthenticated"
    assert control.requests() == [SESSION]
    (error,) = [each.text for each in said if each.type == "error"]
    assert "asking the server instead" in error
    assert "none counts" in error
    assert "Mallory" not in error
    python.expect_no_error_box()


# --- names that hide members ---

# All of Node's and EventTarget's too.
HIDE_DOCUMENT = """() => {
    const names = [];
    for (const name in Document.prototype) names.push(name);
    const html = names.map((name) => `<img name="${name}"><form name="${name}"></form>`).join("");
    Document.prototype.querySelector.call(document, "#hostile").innerHTML = html;
}"""
# From anywhere on the page, by `form=`.
HIDE_FORM = """(id) => {
    const names = [];
    for (const name in HTMLFormElement.prototype) names.push(name);
    const html = names.map((name) => `<input form="${id}" name="${name}" hidden>`).join("");
    Document.prototype.querySelector.call(document, "#hostile").innerHTML += html;
}"""
NAMES = [
    *(
        "querySelectorAll",
        "currentScript",
        "createElement",
        "documentElement",
        "readyState",
        "baseURI",
        "body",
    ),
    *("head", "addEventListener", "visibilityState", "createTreeWalker", "createComment", "cookie"),
]
HOSTILE = "".join(
    f'<img name="{name}" data-base-path="{ELSEWHERE}" alt=""><form name="{name}"></form>' for name in NAMES
)
WINDOW = "".join(
    f'<a id="{name}"></a><iframe name="{name}" hidden></iframe>'
    for name in ("nextauthSession", "addEventListener", "origin", "caches", "requestIdleCallback", "fetch")
)
AHEAD = """<script src="/static/dist/session-prefetch.js"></script>
    <script src="/static/dist/session-paint.js"></script>"""
SHOWN = (
    "<b id='name' data-session-text='user.name'>…</b><form id='bound' data-session-text='user.name'></form>"
)


def text(page: Page, selector: str) -> str | None:
    read = """selector => {
        const found = Document.prototype.querySelector.call(document, selector);
        return Reflect.get(Node.prototype, "textContent", found);
    }"""
    found: str | None = page.evaluate(read, selector)
    return found


def test_the_markup_hides_what_it_says(page: Page, serve: Callable[..., str]) -> None:
    page.goto(serve(HOSTILE + WINDOW, python=False))
    seen = page.evaluate(
        "names => names.filter((name) => !(document[name] instanceof HTMLCollection))", NAMES
    )
    assert seen == []
    assert page.evaluate("String(window.nextauthSession)") != "undefined"


def test_a_page_with_such_names_signs_in_and_out(
    context: BrowserContext,
    page: Page,
    serve: Callable[..., str],
    auth_server: AuthServer,
    control: ServerControl,
) -> None:
    sign_in_as(context, base_url=auth_server.url, username="alice", password="wonder")
    control.reset()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    held: list[object] = []
    page.route("**/pyscript/core.js", lambda route: held.append(route))  # noqa: PLW0108
    page.goto(serve(f"{WINDOW}{HOSTILE}{AHEAD}{SHOWN}"), wait_until="commit")
    page.wait_for_function("() => document.getElementById('name')?.textContent === 'Alice Liddell'")
    assert text(page, "#bound") == "Alice Liddell"
    assert control.requests() == [SESSION]

    page.unroute("**/pyscript/core.js")
    held[0].continue_()  # type: ignore[attr-defined]
    page.wait_for_function("() => Boolean(window.runPython)")
    python = PythonPage(page)
    assert python.run(START) == "Alice Liddell"
    assert python.run("_ = await sign_out(redirect=False)\nprovider.state.status") == "unauthenticated"
    signed_in = "await sign_in('credentials', username='alice', password='wonder', redirect=False)"
    assert python.run(f"_ = {signed_in}\nprovider.state.data.user.name") == "Alice Liddell"
    assert [url for url in asked if url.startswith(ELSEWHERE)] == []
    python.expect_no_error_box()


def test_names_that_come_later_change_nothing_for_python(page: Page, serve: Callable[..., str]) -> None:
    body = f"""<div id="hostile"></div>{SHOWN}<form id="plain"></form>
        <form id="form" data-session-show="authenticated" data-session-class="known:authenticated"
            data-session-attr="title:user.name"></form>"""
    python = PythonPage(page).open(serve(body))
    page.evaluate(HIDE_DOCUMENT)
    for form in ("bound", "plain", "form"):
        page.evaluate(HIDE_FORM, form)
    assert python.run(START) == "unauthenticated"
    python.run("""
        from nextauth_py.host.dom import find_element
        from nextauth_py.host.plain import PlainView

        session = use_session()
        undo = [
            session.bind("#name", text="user.name"),
            session.bind("#bound", text="user.name"),
            session.bind("#form", show=True, attr={"title": "user.name"}, class_={"known": True}),
        ]
        view = PlainView(find_element("#plain"))
        view.render("nobody")
        _ = await sign_in("credentials", username="alice", password="wonder", redirect=False)
        view.render("somebody")
    """)
    assert text(page, "#name") == "Alice Liddell"
    assert text(page, "#bound") == "Alice Liddell"
    assert text(page, "#plain") == "somebody"
    attributes = """() => {
        const form = Document.prototype.querySelector.call(document, "#form");
        const read = (name) => Element.prototype.getAttribute.call(form, name);
        return ["title", "class", "hidden", "style"].map(read);
    }"""
    assert page.evaluate(attributes) == ["Alice Liddell", "known", None, ""]
    assert python.run("provider.host.is_visible()") is True
    python.run("_ = await sign_out(redirect=False)")
    assert text(page, "#name") == ""
    assert page.evaluate(attributes) == [None, "", "", "display: none !important;"]
    python.run("for each in undo: each()\nprovider.close()")


def test_a_field_cannot_pass_its_form_off_as_another_element(page: Page, serve: Callable[..., str]) -> None:
    python = PythonPage(page).open(serve("<form id='form'><input name='_dom_element'></form>"))
    found = python.run("""
        from nextauth_py.host.dom import find_element
        import js
        find_element(js.document.getElementById("form")) == js.document.getElementById("form")
    """)
    assert found is True


# --- other addresses ---


def add_base(page: Page) -> None:
    page.evaluate(
        "href => document.head.prepend(Object.assign(document.createElement('base'), { href }))", ELSEWHERE
    )
    assert page.evaluate("document.baseURI").startswith(ELSEWHERE)


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("provider.engine.require()", "/api/auth/signin?"),
        ("await sign_in()", "/api/auth/signin?"),
        ("await sign_out(callback_url='/plain.html')", "/plain.html"),
        ("provider.engine.refuse()", "/api/auth/error?error=AccessDenied"),
        ("provider.engine.go('plain.html')", "/plain.html"),
        ("provider.host.navigate('/plain.html')", "/plain.html"),
    ],
)
def test_a_base_leads_no_page_to_another_origin(
    page: Page, auth_server: AuthServer, code: str, path: str
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    add_base(page)
    assert python.run(START) == "unauthenticated"
    with page.expect_navigation(url=lambda url: url.startswith(auth_server.url + path)):
        python.start(code)


APART = """async (url) => {
    const { loadPyodide } = await import(url);
    const pyodide = await loadPyodide();
    const run = (code) => {
        try { return pyodide.runPython(code); } catch (error) { return error.message; }
    };
    run("from nextauth_py.host.browser import BrowserHost");
    return ["location()", "navigate('/plain.html')"].map((call) => run("BrowserHost()." + call));
}"""


def test_a_page_without_an_origin_says_so_and_stays(page: Page, auth_server: AuthServer) -> None:
    def allow(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "access-control-allow-origin": "*"})

    page.route("**/static/dist/**", allow)
    page.goto("data:text/html,<title>No origin</title>")
    for said in page.evaluate(APART, f"{auth_server.url}/static/dist/pyodide/interpreter.mjs"):
        assert "this page has no origin" in said
    assert page.url.startswith("data:")


FRAME = """async (kind) => {
    const frame = document.createElement("iframe");
    const html = `<script type="module">
        const { loadPyodide } = await import("${origin}/static/dist/pyodide/interpreter.mjs");
        parent.pyodide = await loadPyodide();
    </` + "script>";
    if (kind === "srcdoc") frame.srcdoc = html;
    else frame.src = URL.createObjectURL(new Blob([html], { type: "text/html" }));
    document.body.append(frame);
    while (!window.pyodide) await new Promise((resolve) => setTimeout(resolve, 20));
    return pyodide.runPython(`
        from nextauth_py.host.browser import BrowserHost
        BrowserHost().location()
    `);
}"""


@pytest.mark.parametrize("kind", ["srcdoc", "blob"])
def test_a_frame_without_an_address_stays_on_its_origin(
    page: Page, auth_server: AuthServer, kind: str
) -> None:
    page.goto(f"{auth_server.url}/peer-v4.html")
    assert page.evaluate(FRAME, kind) == f"{auth_server.url}/"
    page.evaluate("pyodide.runPython(\"BrowserHost().navigate('/plain.html')\")")
    page.wait_for_function("() => frames[0].location.href.endsWith('/plain.html')")
