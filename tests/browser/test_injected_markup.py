"""HTML that others have put on a page: what `bind_page` acts on, what forms send, what names can break."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Page, Request, expect

from demo.serve import AuthServer

from .python_page import PythonPage

SESSION = "GET /api/auth/session"
SIGN_IN = "POST /api/auth/callback/credentials"
SIGN_OUT = "POST /api/auth/signout"
UNBOUND = "it came after bind_page()"

START = """
    import js
    from nextauth_py import *
    provider = SessionProvider(None).start()
    1
"""

FORM = """
    <section id="part"><form id="form" method="post" data-session-action="sign_in:credentials">
      <input name="username" aria-label="User"><input name="password" type="password" aria-label="Password">
      <button>Sign in</button>{more}
    </form></section>
"""
BUTTON = "<div id='part'><button data-session-action='refetch'><i>Refetch</i></button></div>"


@pytest.fixture
def python(page: Page, auth_server: AuthServer) -> PythonPage:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(START)
    return python


def put(python: PythonPage, html: str, where: str = "#target") -> None:
    """Insert HTML, as a page does that shows what its users write."""
    python.page.evaluate(
        "([where, html]) => document.querySelector(where).insertAdjacentHTML('beforeend', html)",
        [where, html],
    )


def click(python: PythonPage, name: str) -> None:
    python.page.get_by_role("button", name=name).click()


def enter(python: PythonPage) -> dict[str, list[str]]:
    """Sign in as alice by the page's form; what has been sent."""
    python.page.get_by_label("User", exact=True).fill("alice")
    python.page.get_by_label("Password").fill("wonder")
    with python.page.expect_request(lambda request: request.method == "POST") as sent:
        click(python, "Sign in")
    assert f"{sent.value.method} {sent.value.url}".endswith("/api/auth/callback/credentials")
    return parse_qs(sent.value.post_data or "")


def expect_report(python: PythonPage, text: str, act: Callable[[], object]) -> None:
    """Do something, and wait until the console has the text."""
    with python.page.expect_console_message(lambda message: text in message.text):
        act()


def listeners(python: PythonPage, node: str) -> list[str]:
    """The events that a node listens to, once for each listener."""
    devtools = python.page.context.new_cdp_session(python.page)
    found = devtools.send("Runtime.evaluate", {"expression": node})["result"]["objectId"]
    told = devtools.send("DOMDebugger.getEventListeners", {"objectId": found})["listeners"]
    return [each["type"] for each in told]


# --- what acts ---


def test_a_button_that_is_inserted_later_does_nothing(python: PythonPage) -> None:
    put(python, BUTTON)
    python.run("stop = bind_page()")
    put(python, "<button data-session-action='sign_out'>You have won</button>")
    expect_report(python, UNBOUND, lambda: click(python, "You have won"))
    click(python, "Refetch")
    python.page.wait_for_function("() => true")
    python.run("await provider.get_session(); 1")
    assert SIGN_OUT not in python.requests


def test_a_form_that_is_inserted_later_does_not_sign_in(python: PythonPage) -> None:
    python.run("stop = bind_page()")
    fields = "<input type=hidden name=username value=bob><input type=hidden name=password value=builder>"
    put(
        python,
        f"<form data-session-action='sign_in:credentials'>{fields}<button>You have won</button></form>",
    )
    url = python.page.url
    expect_report(python, UNBOUND, lambda: click(python, "You have won"))
    assert python.run("await provider.get_session(); provider.state.status") == "unauthenticated"
    assert SIGN_IN not in python.requests
    assert python.page.url == url


def test_rendered_elements_act_by_handlers_and_not_by_attributes(python: PythonPage) -> None:
    python.run("""
        stop = bind_page()
        clicks = []

        @component("#target")
        def buttons():
            return t\"\"\"<button data-session-action='sign_out'>By attribute</button>
                <button @click={(lambda: clicks.append(1))}>By handler</button>\"\"\"
    """)
    expect_report(python, UNBOUND, lambda: click(python, "By attribute"))
    click(python, "By handler")
    assert python.run("clicks") == [1]
    assert SIGN_OUT not in python.requests


def test_a_part_that_is_bound_later_acts_once_and_ends_alone(python: PythonPage) -> None:
    put(python, "<button data-session-action='refetch'>First</button>")
    python.run("stop = bind_page()")
    put(python, BUTTON)
    python.run("stop_part = bind_page('#part')")
    click(python, "Refetch")
    python.run("await provider.get_session(); 1")
    assert python.count(SESSION) in {1, 2}  # get_session may join the other one
    python.requests.clear()
    python.run("stop_part()")
    expect_report(python, UNBOUND, lambda: click(python, "Refetch"))
    with python.page.expect_request("**/api/auth/session"):
        click(python, "First")


def test_an_element_that_is_bound_twice_acts_once(python: PythonPage) -> None:
    put(python, "<div id='part'><button data-session-action='sign_in'>Sign in</button></div>")
    python.run("stop = bind_page(); stop_part = bind_page('#part'); stop_again = bind_page()")
    asked: list[str] = []
    python.page.on("request", lambda request: asked.append(request.url))
    click(python, "Sign in")
    python.page.wait_for_url("**/api/auth/signin?**")
    assert len([url for url in asked if url.endswith("/api/auth/providers")]) == 1


def test_a_wider_root_binds_the_rest(python: PythonPage) -> None:
    put(python, "<div id='part'></div>")
    python.run("stop_part = bind_page('#part')")
    put(python, FORM.format(more="").replace('id="part"', ""), "#part")
    python.run("stop = bind_page()")
    assert enter(python)["username"] == ["alice"]


def test_an_element_keeps_the_action_that_it_had_when_bound(python: PythonPage) -> None:
    put(python, BUTTON + FORM.format(more="").replace('id="part"', ""))
    python.run("stop = bind_page()")
    python.page.evaluate("""() => {
        document.querySelector("#part button").setAttribute("data-session-action", "sign_out");
        document.querySelector("#form").setAttribute("data-session-action", "sign_in:github");
        document.body.prepend(document.querySelector("#part"));
    }""")
    with python.page.expect_request("**/api/auth/session"):
        python.page.locator("#part i").click()
    python.page.evaluate(
        "document.querySelector('#part button, #form').removeAttribute('data-session-action')"
    )
    with python.page.expect_request("**/api/auth/session"):
        click(python, "Refetch")
    enter(python)
    assert SIGN_OUT not in python.requests


def test_a_click_in_a_form_does_not_trigger_the_action_around_it(python: PythonPage) -> None:
    put(python, f"<div data-session-action='sign_out'>{FORM.format(more='')}</div>")
    python.run("stop = bind_page()")
    python.page.get_by_label("User", exact=True).click()
    enter(python)
    assert SIGN_OUT not in python.requests


def test_removed_elements_are_let_go(python: PythonPage) -> None:
    put(python, BUTTON + FORM.format(more=""))
    python.run("stop = bind_page()")
    python.page.evaluate("""() => {
        const all = ["#part button", "#form", "#form input"].map((each) => document.querySelector(each));
        window.removed = all.map((each) => new WeakRef(each));
        document.querySelector("#target").replaceChildren();
    }""")
    devtools = python.page.context.new_cdp_session(python.page)
    python.run("import gc; gc.collect()")
    devtools.send("HeapProfiler.collectGarbage")
    assert python.page.evaluate("removed.map((each) => each.deref() ?? null)") == [None] * 3


def test_binding_and_ending_leaves_nothing_behind(python: PythonPage) -> None:
    put(python, "".join(f"<button data-session-action='refetch'>{n}</button>" for n in range(50)))
    python.run("""
        import gc
        from nextauth_py.ui.actions import _Actions

        def alive():
            gc.collect()
            actions = sum(isinstance(each, _Actions) for each in gc.get_objects())
            return actions, len(provider.engine.listeners._listeners)

        bind_page()()
        before = alive()
        stops = [bind_page() for _ in range(10)]
    """)
    assert python.run("alive()[0]") == 10
    assert sorted(listeners(python, "document.body")) == ["click"] * 10 + ["submit"] * 10
    assert listeners(python, "document.querySelector('#target button')") == []
    python.run("""
        for stop in stops:
            stop()
            stop()
        del stop, stops
    """)
    assert python.run("[before, alive()]") == [[0, 0]] * 2
    assert listeners(python, "document.body") == []


def test_the_page_says_as_long_as_it_is_bound(python: PythonPage) -> None:
    put(python, "<div id='part'></div>")
    python.run("stop = bind_page(); stop_part = bind_page('#part')")
    html = python.page.locator("html")
    expect(html).to_have_attribute("data-session-bound", "")
    python.run("stop()")
    expect(html).to_have_attribute("data-session-bound", "")
    python.run("stop_part()")
    expect(html).not_to_have_attribute("data-session-bound", "")


def test_a_page_that_cannot_be_bound_does_not_say_that_it_is(python: PythonPage) -> None:
    put(python, "<b data-session-action='dance'></b>")
    python.run("""
        try:
            bind_page()
        except ValueError:
            pass
    """)
    expect(python.page.locator("html")).not_to_have_attribute("data-session-bound", "")


# --- what forms send ---


def test_a_form_sends_no_field_that_names_it_from_elsewhere_later(python: PythonPage) -> None:
    put(python, f"<div id='comments'></div>{FORM.format(more='')}")
    python.run("stop = bind_page()")
    put(python, "<input type=hidden form=form name=username value=bob>", "#comments")
    put(python, "<input type=hidden form=form name=mfa value=1>", "#comments")
    put(python, "<input type=hidden name=captcha value=solved>", "#form")
    sent = enter(python)
    assert sent["username"] == ["alice"]
    assert sent["captcha"] == ["solved"]
    assert "mfa" not in sent
    expect(python.page.locator("#comments input[form=form]")).to_have_count(2)


def test_a_form_sends_its_fields_elsewhere_that_were_there_with_it(python: PythonPage) -> None:
    put(python, f"{FORM.format(more='')}<input form=form name=outside value=1>")
    put(python, "<input form=form name=beyond value=1>", "body")
    python.run("stop = bind_page('#target')")
    sent = enter(python)
    assert sent["outside"] == ["1"]
    assert "beyond" not in sent


@pytest.mark.parametrize(
    "name",
    ["redirect", "callback_url", "authorization_params", "provider", "self", "popup", "csrfToken", "json"],
)
def test_a_field_named_like_an_option_is_a_field(python: PythonPage, name: str) -> None:
    put(python, FORM.format(more=f"<input type=hidden name={name} value=//evil.example/>"))
    python.run("stop = bind_page()")
    sent = enter(python)
    if name not in {"csrfToken", "json"}:
        assert sent[name] == ["//evil.example/"]
    assert "evil" not in sent["callbackUrl"][0]
    python.run("import asyncio\nwhile provider.state.status != 'authenticated': await asyncio.sleep(0.01)")
    assert python.page.url.endswith("/python.html")


# --- names ---

NAMES = [
    *("matches", "dataset", "getAttribute", "setAttribute", "removeAttribute", "hasAttribute", "closest"),
    *("querySelector", "querySelectorAll", "checkVisibility", "localName", "append", "elements", "method"),
    *("contains", "addEventListener", "removeEventListener", "ownerDocument", "cloneNode", "outerHTML"),
    *("focus", "parentNode", "nodeType", "constructor", "documentElement", "createElement"),
]


@pytest.mark.parametrize("root", ["body", "#form"])
@pytest.mark.parametrize("password", ["wonder", "no"])
def test_a_form_works_whatever_its_controls_are_called(python: PythonPage, root: str, password: str) -> None:
    """Playwright's own locators do not work on such a page."""
    page = python.page
    put(python, FORM.format(more="".join(f"<input type=hidden name={name}>" for name in NAMES)))
    put(python, "".join(f"<img name={name}>" for name in {*NAMES} - {"querySelector"}))
    python.run(f"stop = bind_page({root!r})")
    page.evaluate(
        """password => {
            window.find = (selector) => Document.prototype.querySelector.call(document, selector);
            window.has = (selector, name) => Element.prototype.hasAttribute.call(find(selector), name);
            find("[name=username]").value = "alice";
            find("[name=password]").value = password;
            HTMLFormElement.prototype.requestSubmit.call(find("#form"));
        }""",
        password,
    )
    if password == "no":
        page.wait_for_function("() => find('[role=alert]')?.textContent.startsWith('That did not work.')")
    else:
        page.wait_for_function("() => find('[name=password]').value === ''")
        assert python.run("provider.state.status") == "authenticated"
    assert page.evaluate("has('#form', 'aria-busy')") is False
    assert page.evaluate("has('html', 'data-session-bound')") is True
    python.run("stop()")
    assert page.evaluate("has('html', 'data-session-bound')") is False
    assert page.evaluate("find('.py-error')") is None


# --- a password in the address ---

ACTION = "data-session-action=sign_in:x"
SECRET = "<input type=password name=password autocomplete=current-password>"


@pytest.mark.parametrize(
    ("html", "tag"),
    [
        (f"<form {ACTION}>{SECRET}</form>", "<form"),
        (f"<form method=get {ACTION}>{SECRET}</form>", "<form"),
        (f"<form method=put {ACTION}>{SECRET}</form>", "<form"),
        (f"<form method=dialog {ACTION}>{SECRET}</form>", "<form"),
        (f"<form id=f {ACTION}></form>{SECRET.replace('<input', '<input form=f')}", "<form"),
        (f"<form {ACTION}>{SECRET}<input type=hidden name=method value=post></form>", "<form"),
        (f"<form method=post {ACTION}>{SECRET}<button formmethod=get>", "<button"),
        (f"<form method=post {ACTION}>{SECRET}<input type=submit formmethod=dialog>", "<input"),
        (f"<form method=post {ACTION}>{SECRET}<input type=image formmethod=get>", "<input"),
        (f"<form id=f method=post {ACTION}>{SECRET}</form><button form=f formmethod=x>", "<button"),
    ],
)
def test_a_form_that_could_put_a_password_into_the_address_is_reported(
    python: PythonPage, html: str, tag: str
) -> None:
    put(python, html)
    with python.page.expect_console_message(lambda message: 'write method="post"' in message.text) as told:
        python.run("stop = bind_page()")
    assert told.value.type == "error"
    assert f"ValueError: {tag}" in told.value.text


@pytest.mark.parametrize(
    "html",
    [
        f"<form method=POST {ACTION}>{SECRET}<button>Go</button></form>",
        f"<form method=post {ACTION}>{SECRET}<button type=button formmethod=get></form>",
        f"<form {ACTION}><input name=email><button>Go</button></form>",
        f"<form>{SECRET}</form><button data-session-action=refetch>",
    ],
)
def test_other_forms_are_not_reported(python: PythonPage, html: str) -> None:
    told: list[str] = []
    python.page.on("console", lambda message: told.append(message.text))
    put(python, html)
    python.run("stop = bind_page()")
    python.run("js.console.log('bound')")
    assert [text for text in told if "[DOM]" not in text] == ["bound"]  # which is Chromium's own advice


def test_a_form_sent_without_python_keeps_the_address_clean(page: Page, auth_server: AuthServer) -> None:
    page.route("**/core.js", lambda route: route.abort())
    page.goto(f"{auth_server.url}/attributes.html")
    page.evaluate("document.querySelector('#out').hidden = false")
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill("wonder")

    def is_sent(request: Request) -> bool:
        return request.is_navigation_request()

    with page.expect_request(is_sent) as sent:
        page.get_by_role("button", name="Sign in", exact=True).click()
    assert (sent.value.method, sent.value.url) == ("POST", f"{auth_server.url}/attributes.html")
