"""Bindings, and pages that follow the session by their attributes alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .conftest import shared_page
from .python_page import PythonPage

EVIL = '<img src=x onerror="window.hacked = true"><b>evil</b>'
SIGN_IN = "POST /api/auth/callback/credentials"

START = """
    from nextauth_py import *
    provider = SessionProvider().start()
    stop = bind_page()

    def show(**user):
        provider.session = {"user": user, "expires": "2099-01-01T00:00:00Z"}

    await provider.ready()
    1
"""


@pytest.fixture
def python(page: Page, auth_server: AuthServer) -> PythonPage:
    python = PythonPage(page).open(f"{auth_server.url}/attributes.html")
    python.run(START)
    return python


@pytest.fixture(scope="module")
def shared(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    """One page for tests that clean up."""
    with shared_page(browser, f"{auth_server.url}/attributes.html") as python:
        python.run(START)
        yield python


def fill(page: Page, password: str = "wonder") -> None:
    page.get_by_label("User").fill("alice")
    page.get_by_label("Password").fill(password)


def test_a_visitor_signs_in_and_out_with_html_alone(python: PythonPage) -> None:
    page = python.page
    expect(page.locator("#out")).to_be_visible()
    expect(page.locator("#in")).to_be_hidden()
    fill(page)
    page.get_by_role("button", name="Sign in").click()
    python.expect_text("#name", "Alice Liddell")
    expect(page.locator("#name")).to_have_class("known")
    expect(page.locator("#out, #loading")).to_have_count(2)
    expect(page.locator("#out")).to_be_hidden()
    expect(page.locator("#in")).to_be_focused()
    assert page.get_by_label("Password").input_value() == ""
    with page.expect_navigation():
        page.locator("#leave b").click()
    page.wait_for_function("() => Boolean(window.runPython)")
    python.run(START)
    expect(page.locator("#out")).to_be_visible()
    python.expect_no_error_box()


def test_the_form_works_by_keyboard(python: PythonPage) -> None:
    page = python.page
    page.get_by_label("User").focus()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("wonder")
    page.keyboard.press("Enter")
    python.expect_text("#name", "Alice Liddell")


def test_a_refusal_is_shown_in_the_form_and_can_be_corrected(python: PythonPage) -> None:
    page = python.page
    fill(page, password="no")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text(
        "That did not work. Check what you have typed, and try again."
    )
    expect(page.get_by_label("User")).to_be_focused()
    assert page.get_by_label("User").input_value() == "alice"
    fill(page)
    page.get_by_role("button", name="Sign in").click()
    python.expect_text("#name", "Alice Liddell")
    expect(page.locator("[data-session-error]")).to_be_hidden()


def test_a_refusal_is_shown_in_the_pages_own_words(python: PythonPage) -> None:
    page = python.page
    page.evaluate("document.querySelector('[data-session-error]').textContent = 'Leider nein.'")
    fill(page, password="no")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("Leider nein.")


def test_an_unreachable_server_is_an_error_too(python: PythonPage, control: ServerControl) -> None:
    page = python.page
    control.drop(SIGN_IN)
    fill(page)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("The server cannot be reached. Try again in a moment.")
    python.expect_no_error_box()


def test_a_busy_form_is_sent_once(python: PythonPage, control: ServerControl) -> None:
    page = python.page
    control.hold(SIGN_IN)
    fill(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign in")).to_be_disabled()
    expect(page.locator("#form")).to_have_attribute("aria-busy", "true")
    expect(page.get_by_label("User")).to_be_enabled()
    page.evaluate("form.requestSubmit()")
    while page.locator("#in").is_hidden():
        control.release()  # until the request has come so far that there is something to release
    python.expect_text("#name", "Alice Liddell")
    assert python.count(SIGN_IN) == 1
    expect(page.locator("#form")).not_to_have_attribute("aria-busy", "true")


def test_actions_ask_again_and_lead_to_the_servers_page(python: PythonPage) -> None:
    python.run("show(name='Alice')")
    python.page.locator("#refetch").click()
    expect(python.page.locator("#out")).to_be_visible()
    python.page.locator("#page").click()
    python.page.wait_for_url("**/api/auth/signin?**")


@pytest.mark.parametrize(
    "url", ["javascript:hacked=1", "data:text/html,<script>hacked=1</script>", "\\\\evil"]
)
def test_users_text_is_text_and_runs_no_script(python: PythonPage, url: str) -> None:
    page = python.page
    python.run(f"show(name={EVIL!r}, image={url!r}, site={url!r})")
    expect(page.locator("#name")).to_have_text(EVIL)
    expect(page.locator("#name *")).to_have_count(0)
    expect(page.locator("#picture")).to_have_attribute("alt", EVIL)
    assert page.locator("#picture").get_attribute("src") is None
    assert page.locator("#site").get_attribute("href") is None
    assert page.evaluate("window.hacked") is None
    python.run("show(name='Bob', image='/bob.png', site='https://bob.example', vip=True)")
    expect(page.locator("#picture")).to_have_attribute("src", "/bob.png")
    expect(page.locator("#site")).to_have_attribute("href", "https://bob.example")
    expect(page.locator("#name")).to_have_class("known vip")


def test_it_ends(python: PythonPage) -> None:
    python.run("stop(); show(name='Bob')")
    expect(python.page.locator("#in")).to_be_hidden()
    assert python.run("len(provider.engine.listeners._listeners)") == 0


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p data-session-text='user name'>", "'user name' is no path"),
        ("<p data-session-text='user.__class__'>", "is no path"),
        ("<p data-session-attr='onclick:user.name'>", "the attribute 'onclick' cannot be bound"),
        ("<p data-session-attr='src'>", "'src' is not like 'src:user.image'"),
        ("<p data-session-show=''>", "a condition is one of"),
        ("<p data-session-action='signout'>", "there is no action 'signout'"),
        ("<p data-session-action='sign_out:github'>", "there is no action"),
        ("<form data-session-action='sign_out'>", "a form signs in"),
    ],
)
def test_an_attribute_that_makes_no_sense_is_shown_with_its_element(
    shared: PythonPage, html: str, text: str
) -> None:
    told = shared.run(f"""
        import js
        js.document.querySelector("#target").innerHTML = {html!r}
        try:
            bind_page("#target")
        except ValueError as error:
            text = str(error)
        text
    """)
    assert html.partition("=")[0] in told
    assert text in told


def test_one_element_is_bound_in_python(shared: PythonPage) -> None:
    shared.run("""
        js.document.querySelector("#target").innerHTML = "<i id='bound'></i>"
        session = use_session()
        undo = session.bind("#bound", text=lambda s: s.user.name, attr={"title": "user.name"}, show=True)
        show(name="Bob")
    """)
    shared.expect_text("#bound", "Bob")
    shared.run("provider.session = None")
    expect(shared.page.locator("#bound")).to_be_hidden()
    expect(shared.page.locator("#bound")).not_to_have_attribute("title", "Bob")
    shared.run("undo(); show(name='Carol')")
    shared.expect_text("#bound", "")
    assert "'#missing'" in shared.run("""
        try:
            session.bind("#missing", text="user.name")
        except LookupError as error:
            text = str(error)
        text
    """)


def test_pyscripts_own_events_tell_of_changes(shared: PythonPage) -> None:
    shared.run("""
        from pyscript import Event, when
        heard = []

        @when(use_session().changed)
        def on_change(state):
            heard.append(state.status)

        assert isinstance(use_session().changed, Event)
        assert use_session().changed is use_session().changed
        provider.session = None
        show(name="Dora")
    """)
    assert shared.run("heard") == ["unauthenticated", "authenticated"]


def test_without_lit_text_and_elements_are_shown_and_t_strings_raise(
    page: Page, auth_server: AuthServer
) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/plain.html")
    python.run("""
        from nextauth_py import *
        from pyscript import web
        provider = SessionProvider({"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}).start()
        field = web.input_(id="field")

        @component()
        def inner():
            return ["Hello ", use_session().data.user.name]

        @component("#target")
        def plain():
            return [inner, 3, None, field]
    """)
    python.expect_text("#target", "Hello Alice3")
    page.locator("#field").fill("typed")
    python.run("provider.session = {'user': {'name': '<b>Bob'}, 'expires': '2099-01-01T00:00:00Z'}")
    python.expect_text("#target", "Hello <b>Bob3")
    expect(page.locator("#field")).to_be_focused()
    with page.expect_console_message(lambda message: "t-strings are drawn with lit-html" in message.text):
        python.run("shown = component('#target')(lambda: t'<p>Hi</p>')")
    python.expect_text("#target", "This part of the page could not be shown.")
    python.run("provider.close(); SessionProvider(None, debug=True).start(); shown.update()")
    expect(page.locator("#target")).to_contain_text("t-strings are drawn with lit-html")
    python.expect_no_error_box()
