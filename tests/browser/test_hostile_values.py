"""Sessions and markup that try more than links: scripts, lists for texts, names that lit-html reads."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .python_page import PythonPage

START = """
    import js
    from nextauth_py import *
    from nextauth_py.host.plain import PlainView

    user = {
        "name": "window.hacked = 1",
        "css": "body { color: rgb(1, 2, 3) }",
        "site": ["javascript:void(window.hacked = 1)"],
        "_dom_element": {"strings": ["x"]},
    }
    provider = SessionProvider({"user": user, "expires": "2099-01-01T00:00:00.000Z"}).start()
    session = use_session()

    def add(tag):
        made = js.document.createElement(tag)
        js.document.body.append(made)
        return made

    def error_of(act):
        try:
            act()
        except ValueError as error:
            return str(error)
"""


@pytest.fixture
def python(page: Page, auth_server: AuthServer) -> PythonPage:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(f"{START}\n    1")
    return python


@pytest.mark.parametrize("tag", ["script", "style"])
@pytest.mark.parametrize(
    "act",
    [
        "session.bind(add(tag), text='user.name')",
        "session.bind(add(tag), text=lambda s: s.user.css)",
        "component(add(tag))(lambda: session.data.user.name)",
        "PlainView(add(tag)).render(session.data.user.css)",
        "[add(tag).setAttribute('data-session-text', 'user.name'), bind_page()]",
    ],
)
def test_no_text_of_a_session_becomes_a_script_or_a_style(python: PythonPage, tag: str, act: str) -> None:
    said = python.run(f"tag = {tag!r}\nerror_of(lambda: {act})")
    assert python.page.evaluate("window.hacked") is None
    assert python.page.evaluate("getComputedStyle(document.body).color") != "rgb(1, 2, 3)"
    assert f"<{tag}" in said


def test_no_style_takes_a_property_from_a_template(python: PythonPage) -> None:
    python.run("_ = component('#target')(lambda: t'<style .textContent={user[\"css\"]}></style>')")
    assert python.page.evaluate("getComputedStyle(document.body).color") != "rgb(1, 2, 3)"


def test_a_list_is_no_way_around_the_check_of_an_elements_link(python: PythonPage) -> None:
    python.page.evaluate("""() => customElements.define("x-link", class extends HTMLElement {
        set href(url) {
            window.leads = Object.assign(document.createElement("a"), { href: url }).protocol;
        }
    })""")
    python.run("_ = component('#target')(lambda: t'<x-link .href={session.data.user.site}></x-link>')")
    assert python.page.evaluate("window.leads") == "http:"


def test_no_field_of_a_session_passes_for_an_element(python: PythonPage) -> None:
    python.run("_ = component('#target')(lambda: [session.data.user])")
    expect(python.page.locator("#target")).to_contain_text("window.hacked")


def test_a_property_without_a_value_does_not_say_undefined(python: PythonPage) -> None:
    python.run("""
        value = "x"
        shown = component("#target")(lambda: t"<input .value={value}>")
        value = None
        shown.update()
    """)
    assert python.page.locator("#target input").input_value() == ""


@pytest.mark.parametrize("name", ["createComment", "importNode", "createElement", "createTextNode"])
def test_a_picture_does_not_break_components(python: PythonPage, name: str) -> None:
    put = "html => document.body.insertAdjacentHTML('beforeend', html)"
    python.page.evaluate(put, f"<img name={name}><form name={name}></form>")
    python.run("""
        word = "one"
        shown = component("#target")(lambda: t"<p title={word}>{word} {[t'<b>{word}</b>']}</p>")
        word = "two"
        shown.update()
    """)
    assert python.page.evaluate("target.innerText") == "two two"


@pytest.mark.parametrize("name", ["insertBefore", "parentNode", "firstChild", "nodeType"])
@pytest.mark.parametrize("template", ["{word} {[word]}", "<form id=form>{word} {[word]}</form>"])
def test_a_control_elsewhere_does_not_break_the_components_of_a_form(
    python: PythonPage, name: str, template: str
) -> None:
    place = "<div id=place>" if "<form" in template else "<form id=form class=place>"
    python.page.evaluate(
        "html => target.innerHTML = html", f"{place.replace('class', 'data-x')}<input form=form name={name}>"
    )
    where = "#place" if "<form" in template else "#form"
    python.run(f"""
        word = "one"
        shown = component({where!r})(lambda: t"{template}")
        js.document.body.insertAdjacentHTML("beforeend", "<input form=form name={name}>")
        word = "two"
        shown.update()
    """)
    read = "where => Document.prototype.querySelector.call(document, where)"
    assert python.page.evaluate(f"where => ({read})(where).innerText.trim()", where) == "two two"


ODD_USERS = ["alice", 7, None, ["alice"], {"id": 7, "name": ["alice"], "schema": "S", "_id": 0, "copy": None}]


@pytest.mark.parametrize("user", ODD_USERS, ids=range(len(ODD_USERS)))
def test_whatever_a_session_holds_it_is_shown(
    page: Page, auth_server: AuthServer, control: ServerControl, user: object
) -> None:
    body = json.dumps({"user": user, "roles": ["admin"], "expires": "2099-01-01T00:00:00.000Z"})
    control.answer("GET /api/auth/session", body, times=2)
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    page.evaluate("""target.innerHTML = `<i data-session-text="roles.0" data-session-show="authenticated"></i>
        <b data-session-text="user.schema" data-session-attr="title:user.id lang:user._id"></b>`""")
    python.run("""
        from nextauth_py import *
        provider = SessionProvider().start()
        stop = bind_page()
        await provider.ready()
        None
    """)
    python.expect_text("i", "admin")
    expect(page.locator("i")).to_be_visible()
    schema, ids = ("S", ["7", "0"]) if isinstance(user, dict) else ("", [None, None])
    python.expect_text("b", schema)
    assert page.evaluate("['title', 'lang'].map(name => target.querySelector('b').getAttribute(name))") == ids
    python.expect_no_error_box()


def test_half_an_emoji_is_shown_sent_and_kept(python: PythonPage, control: ServerControl) -> None:
    python.run(r"""
        half = "A\ud83d"
        provider.session = {"user": {"name": half, "\ud83d": half}, "expires": "2099-01-01T00:00:00.000Z"}
        stop = session.bind("#target", text=lambda s: half, attr={"title": lambda s: half})
    """)
    codes = "[target.textContent, target.title].map(text => text.charCodeAt(1))"
    assert python.page.evaluate(codes) == [0xD83D, 0xD83D]
    python.run("stop(); _ = component('#target')(lambda: t'<p title={half}>{half} {[half]}</p>')")
    assert python.page.evaluate("target.firstElementChild.title.charCodeAt(1)") == 0xD83D
    assert python.page.evaluate("target.innerText.length") == 5
    control.reset()
    refused = python.run("""
        result = await sign_in("credentials", username=half, password=half, redirect=False)
        [result.ok, result.error]
    """)
    assert refused == [False, "CredentialsSignin"]
    python.run("""
        await sign_in("credentials", username="alice", password="wonder", redirect=False)
        await provider.update({"name": half, half: half})
    """)
    assert python.run("[provider.state.status, provider.state.data.user.name]") == [
        "authenticated",
        "A\ufffd",
    ]
    python.run("provider.engine.report(half, ValueError(half))")
    python.expect_no_error_box()


FORM = """<!doctype html><link rel="icon" href="data:,">
    <script src="/static/dist/session-prefetch.js"></script>
    <script type="module" src="/static/dist/pyscript/core.js"></script>
    <script type="py" src="/python.py" config="/static/dist/pyscript.json"></script>
    <div id="part"></div>
    <form data-session-action="sign_in:credentials">
      <input name="username"><input type="password" name="password"><button>Go</button>
    </form>"""


def test_a_form_outside_the_part_that_is_bound_puts_no_password_into_the_address(
    page: Page, auth_server: AuthServer
) -> None:
    page.route("**/own*", lambda route: route.fulfill(body=FORM, content_type="text/html"))
    python = PythonPage(page).open(f"{auth_server.url}/own")
    python.run("""
        from nextauth_py import *
        provider = SessionProvider(None).start()
        stop = bind_page("#part")
    """)
    page.locator("[name=password]").fill("wonder")
    page.get_by_role("button", name="Go").click()
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve, 100))")
    assert page.url == f"{auth_server.url}/own"
