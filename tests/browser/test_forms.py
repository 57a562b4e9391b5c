"""Forms with an action do what they would without JavaScript; what fails is told to whoever clicked."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import FilePayload, Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

from .python_page import PythonPage, wait_until

CREDENTIALS = "POST /api/auth/callback/credentials"
PROVIDERS, CSRF, SIGN_OUT = "GET /api/auth/providers", "GET /api/auth/csrf", "POST /api/auth/signout"
UNREACHABLE = "The server cannot be reached. Try again in a moment."
NO_COOKIES = "That did not work. Allow cookies for this site, load the page again, and try once more."

FORM = """<form id=form method=post data-session-action="sign_in:credentials">
    <input name=username aria-label=User value=alice>
    <input name=password type=password aria-label=Password value=wonder>
    {more}<button>Sign in</button></form>"""

BIND = """
    from nextauth_py import *
    heard = []
    provider = SessionProvider().start()
    provider.on("error", lambda event: heard.append([event.name, event.reason]))
    await provider.ready()
    stop = bind_page()
    1
"""


@pytest.fixture
def show(page: Page, auth_server: AuthServer) -> Callable[..., PythonPage]:
    """Shows HTML at an address of the site, and binds it."""

    def show(html: str, address: str = "/login", *, server: AuthServer = auth_server) -> PythonPage:
        python = PythonPage(page).open(f"{server.url}/python.html")
        page.evaluate("address => history.replaceState(null, '', address)", address)
        page.evaluate("html => document.querySelector('#target').innerHTML = html", html)
        python.run(BIND)
        python.requests.clear()
        return python

    return show


def sign_in(python: PythonPage) -> None:
    result = 'await sign_in("credentials", username="alice", password="wonder", redirect=False)'
    assert python.run(f"({result}).ok")


def sent_by(python: PythonPage, act: Callable[[], object]) -> list[tuple[str, str]]:
    """What a form sends, without what every sign-in does."""
    with python.page.expect_request(lambda request: request.method == "POST") as sent:
        act()
    fields = parse_qsl(sent.value.post_data or "", keep_blank_values=True)
    return [each for each in fields if each[0] not in {"csrfToken", "callbackUrl", "json"}]


def press(python: PythonPage, name: str) -> None:
    python.page.get_by_role("button", name=name).click()


# --- what is sent ---

ALL = """
    <input name=redirect value=yes><input name=callback_url value=/x><input name=authorization_params>
    <input name=provider value=p><input name=self value=s><input name=fields value=f>
    <input type=checkbox name=tag value=a checked><input type=checkbox name=tag value=b>
    <input type=checkbox name=tag value=c checked><input name=off value=x disabled>
    <fieldset disabled><input name=off2 value=x></fieldset>
    <select name=many multiple><option selected>1<option>2<option selected>3</select>
    <textarea name=text>one\ntwo</textarea><input type=file name=file aria-label=File>
    <input name="" value=nameless><button name=how value=quick>Quick</button>
    <button type=button name=no value=no>No</button>"""
PASSWORD = [("username", "alice"), ("password", "wonder")]


def test_a_form_sends_the_same_fields_as_without_javascript(show: Callable[..., PythonPage]) -> None:
    python = show(FORM.format(more=ALL))
    python.page.get_by_label("File").set_input_files(
        FilePayload(name="a.txt", mimeType="text/plain", buffer=b"x")
    )
    assert sent_by(python, lambda: press(python, "Quick")) == [
        *PASSWORD,
        *(("redirect", "yes"), ("callback_url", "/x"), ("authorization_params", "")),
        *(("provider", "p"), ("self", "s"), ("fields", "f"), ("tag", "a"), ("tag", "c")),
        *(("many", "1"), ("many", "3"), ("text", "one\r\ntwo"), ("file", "a.txt"), ("how", "quick")),
    ]
    wait_until(
        python.page, "() => runPython('provider.state.status').then((text) => text.includes('\"auth'))"
    )
    python.expect_no_error_box()


def test_enter_sends_the_first_button_and_another_one_itself(show: Callable[..., PythonPage]) -> None:
    more = "<button name=how value=enter>First</button><input name=off value=x disabled>"
    python = show(FORM.format(more=more))
    assert sent_by(python, lambda: python.page.get_by_label("User").press("Enter"))[2:] == [("how", "enter")]
    expect(python.page.get_by_role("button", name="First")).to_be_enabled()
    assert sent_by(python, lambda: press(python, "Sign in"))[2:] == []
    expect(python.page.get_by_role("button", name="First")).to_be_enabled()
    assert sent_by(python, lambda: python.page.evaluate("form.requestSubmit()"))[2:] == []


def test_an_event_that_the_page_makes_itself_sends_the_fields(show: Callable[..., PythonPage]) -> None:
    python = show(FORM.format(more=""))
    make = "form.dispatchEvent(new Event('submit', {bubbles: true, cancelable: true}))"
    assert sent_by(python, lambda: python.page.evaluate(make)) == PASSWORD


def test_prevented_submits_send_nothing(show: Callable[..., PythonPage]) -> None:
    more = "<input name=needed required><dialog open><button formmethod=dialog>Cancel</button></dialog>"
    python = show(FORM.format(more=more) + "<p id=said></p>")
    page = python.page
    press(python, "Sign in")  # a field is empty
    page.evaluate("form.elements.needed.required = false")
    press(python, "Cancel")
    page.evaluate("form.addEventListener('submit', (event) => event.preventDefault(), {once: true})")
    press(python, "Sign in")  # the page has said no
    assert python.run("await provider.get_session(); provider.state.status") == "unauthenticated"
    assert not any(each.startswith("POST") for each in python.requests)
    assert sent_by(python, lambda: press(python, "Sign in")) == [*PASSWORD, ("needed", "")]


@pytest.mark.parametrize("paint", [False, True])
def test_a_button_that_leads_elsewhere_does(show: Callable[..., PythonPage], *, paint: bool) -> None:
    python = show(FORM.format(more="<button formaction=/forgot formnovalidate>Forgot it</button>"))
    if paint:
        python.page.add_script_tag(url="/static/dist/session-paint.js")
    with python.page.expect_navigation(url="**/forgot"):
        press(python, "Forgot it")
    assert CREDENTIALS not in python.requests


def test_a_button_that_was_added_later_leads_nowhere_else(show: Callable[..., PythonPage]) -> None:
    python = show(FORM.format(more=""))
    python.page.evaluate(
        "form.insertAdjacentHTML('beforeend', '<button formaction=/evil name=x>Evil</button>')"
    )
    assert sent_by(python, lambda: press(python, "Evil"))[:2] == PASSWORD
    assert "/evil" not in python.page.url


@pytest.mark.parametrize(
    "change",
    ["remove()", "replaceWith('Wait')", "setAttribute('form', '')", "setAttribute('type', 'button')"],
)
def test_a_button_that_the_page_takes_away_when_it_is_pressed_sends_the_fields(
    show: Callable[..., PythonPage], change: str
) -> None:
    python = show(FORM.format(more="<button name=how value=quick>Quick</button>"))
    python.page.evaluate(f"form.addEventListener('submit', (event) => {{ event.submitter.{change} }})")
    assert sent_by(python, lambda: press(python, "Quick")) == PASSWORD


def test_a_button_that_is_a_custom_element_sends_the_fields(show: Callable[..., PythonPage]) -> None:
    python = show(FORM.format(more="<x-button type=submit name=how>Fancy</x-button>"))
    python.page.evaluate("""() => customElements.define("x-button", class extends HTMLElement {
        static formAssociated = true;
        constructor() {
            super();
            const internals = this.attachInternals();
            internals.setFormValue("fancy");
            this.onclick = () => internals.form.requestSubmit();
        }
    })""")
    assert sent_by(python, lambda: python.page.get_by_text("Fancy").click())[2:] == [("how", "fancy")]


def test_an_image_anywhere_on_the_page_sends_its_form_and_where_it_was_pressed(
    show: Callable[..., PythonPage],
) -> None:
    python = show(FORM.format(more="") + "<input type=image alt=Go name=at form=form width=20 height=20>")
    go = python.page.get_by_role("button", name="Go")
    pressed_at = sent_by(python, lambda: go.click(position={"x": 7, "y": 9}))[2:]
    assert pressed_at == [("at.x", "7"), ("at.y", "9")]


def test_a_link_opens_in_another_tab_as_the_visitor_wants(show: Callable[..., PythonPage]) -> None:
    python = show("<a href=/api/auth/signin data-session-action=sign_in>Sign in</a>", "/")
    with python.page.context.expect_page() as opened:
        python.page.get_by_role("link").click(modifiers=["ControlOrMeta"])
    assert opened.value.url
    opened.value.close()
    assert PROVIDERS not in python.requests
    with python.page.expect_navigation(url="**/api/auth/signin?**"):
        python.page.get_by_role("link").click()


def test_a_form_in_a_shadow_root_works(show: Callable[..., PythonPage]) -> None:
    python = show("<div id=host></div>")
    html = FORM.format(more="") + "<b data-session-text='user.name'></b>"
    python.page.evaluate("html => host.attachShadow({mode: 'open'}).innerHTML = html", html)
    python.run("import js; _ = bind_page(js.document.querySelector('#host').shadowRoot); 1")
    assert sent_by(python, lambda: press(python, "Sign in")) == PASSWORD
    expect(python.page.locator("#host b")).to_have_text("Alice Liddell")


def test_controls_that_are_added_and_bound_later_are_part_of_the_form(
    show: Callable[..., PythonPage],
) -> None:
    python = show(FORM.format(more=""))
    python.page.evaluate("""() => {
        const add = (to, html) => to.insertAdjacentHTML('beforeend', html);
        add(form, '<button formaction=/forgot formmethod=post>Forgot it</button>');
        add(form.parentElement, '<input name=late value=1 form=form>');
    }""")
    python.run("stop_later = bind_page()\n1")
    assert sent_by(python, lambda: press(python, "Sign in"))[2:] == [("late", "1")]
    with python.page.expect_navigation(url="**/forgot"):
        press(python, "Forgot it")


# --- where it leads ---

TODO = "<input type=hidden name=callbackUrl value=/todo>"


@pytest.mark.parametrize("generation", ["v4", "v5"])
@pytest.mark.parametrize(
    ("address", "more"),
    [
        ("/login?callbackUrl=%2Ftodo", ""),
        ("/login?callbackUrl=%2Ftodo&error=CredentialsSignin", "<input type=hidden name=callbackUrl>"),
        ("/login", TODO),
        ("/login?callbackUrl=%2Fother", TODO),
    ],
)
def test_a_form_leads_where_it_or_the_address_of_the_page_says(
    show: Callable[..., PythonPage], servers: dict[str, AuthServer], generation: str, address: str, more: str
) -> None:
    python = show(FORM.format(more=more), address, server=servers[generation])
    with python.page.expect_navigation(url="**/todo"):
        press(python, "Sign in")


@pytest.fixture(scope="module")
def servers(auth_server: AuthServer, start_server: Callable[..., AuthServer]) -> dict[str, AuthServer]:
    return {"v4": auth_server, "v5": start_server(generation="v5", services=True)}


@pytest.mark.parametrize("generation", ["v4", "v5"])
def test_the_server_decides_about_callbacks_to_other_sites(
    show: Callable[..., PythonPage], servers: dict[str, AuthServer], generation: str
) -> None:
    python = show(
        FORM.format(more=""), "/login?callbackUrl=https%3A%2F%2Fevil.example%2F", server=servers[generation]
    )
    with python.page.expect_navigation(url=f"{servers[generation].url}/"):
        press(python, "Sign in")


@pytest.mark.parametrize("more", ["", "<input name=callbackUrl value='/login?tab=2'>"])
def test_a_form_stays_where_it_leads_to_the_page_itself(show: Callable[..., PythonPage], more: str) -> None:
    python = show(FORM.format(more=more), "/login?error=CredentialsSignin&tab=2")
    python.page.evaluate("window.is_same = true")
    press(python, "Sign in")
    expect(python.page.get_by_label("Password")).to_have_value("")
    assert python.page.evaluate("window.is_same")


def test_a_form_leads_to_another_place_in_the_page(show: Callable[..., PythonPage]) -> None:
    python = show(
        FORM.format(more="<input type=hidden name=callbackUrl value='/login#/todo'>"), "/login#/form"
    )
    press(python, "Sign in")
    python.page.wait_for_url("**/login#/todo")
    expect(python.page.get_by_label("Password")).to_have_value("")


def test_an_unsafe_callback_url_sends_nothing(show: Callable[..., PythonPage]) -> None:
    python = show(FORM.format(more=""), "/login?callbackUrl=javascript:alert(1)")
    press(python, "Sign in")
    expect(python.page.get_by_role("alert")).to_contain_text("That did not work.")
    assert CREDENTIALS not in python.requests
    assert python.run("[type(provider.state.error).__name__, heard]") == [
        "UnsafeRedirectError",
        [["error", "sign_in"]],
    ]


def test_where_the_server_leads_elsewhere_the_page_goes(
    show: Callable[..., PythonPage], control: ServerControl, auth_server: AuthServer
) -> None:
    python = show(FORM.format(more=""))
    control.answer(CREDENTIALS, json.dumps({"url": f"{auth_server.url}/welcome"}))
    with python.page.expect_navigation(url="**/welcome"):
        press(python, "Sign in")


def test_a_server_that_goes_by_another_origin_leads_to_this_one(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show(FORM.format(more=TODO))
    control.answer(CREDENTIALS, json.dumps({"url": "http://localhost:1/todo"}))
    with python.page.expect_navigation(url="**/todo"):
        press(python, "Sign in")
    assert "localhost:1/" not in python.page.url


EMAIL = """<form method=post data-session-action="sign_in:email">
    <input name=email aria-label=Mail value=a@example.com>
    <button>Send</button></form>"""


def test_a_form_for_email_works_while_signed_in(
    show: Callable[..., PythonPage], servers: dict[str, AuthServer]
) -> None:
    python = show(EMAIL, server=servers["v5"])
    sign_in(python)
    with python.page.expect_navigation(url="**/api/auth/verify-request**"):
        press(python, "Send")


def test_a_form_for_an_identity_provider_works_while_signed_in(
    show: Callable[..., PythonPage], servers: dict[str, AuthServer]
) -> None:
    python = show(OIDC.format(""), server=servers["v5"])
    sign_in(python)
    assert "prompt=login" not in asked_provider(python)


def asked_provider(python: PythonPage) -> str:
    """Press Link; what the identity provider is asked. The page stays: the provider's are not of interest."""
    python.page.route(lambda url: "client_id=" in url, lambda route: route.abort())
    with python.page.expect_request(lambda request: "client_id=" in request.url) as asked:
        press(python, "Link")
    return asked.value.url


OIDC = "<form method=post data-session-action='sign_in:local-oidc' {}><button>Link</button></form>"


@pytest.mark.parametrize("action", ["/api/auth/signin/local-oidc", "/api/auth/signin/github", "/"])
def test_the_query_of_the_servers_route_is_for_the_identity_provider(
    show: Callable[..., PythonPage], servers: dict[str, AuthServer], action: str
) -> None:
    html = OIDC.format(f"action='{action}?prompt=login&login_hint=a%40b#x'")
    asked = asked_provider(show(html, server=servers["v5"]))
    assert ("prompt=login" in asked, "login_hint=a%40b" in asked) == (action.endswith("oidc"),) * 2


def test_a_form_for_a_provider_that_is_not_there_leads_to_the_servers_page(
    show: Callable[..., PythonPage],
) -> None:
    python = show("<form method=post data-session-action='sign_in:nobody'><button>Go</button></form>")
    with python.page.expect_navigation(url="**/api/auth/signin?**"):
        press(python, "Go")


def test_a_button_on_the_sign_in_page_leads_where_its_address_says(show: Callable[..., PythonPage]) -> None:
    python = show("<button data-session-action=sign_in>Sign in</button>", "/login?callbackUrl=%2Ftodo")
    with python.page.expect_navigation(url="**/api/auth/signin?callbackUrl=**%2Ftodo"):
        press(python, "Sign in")


def test_a_button_leads_to_the_page_itself_where_the_server_goes_by_another_origin(
    show: Callable[..., PythonPage], control: ServerControl, auth_server: AuthServer
) -> None:
    python = show("<button data-session-action=sign_out>Out</button>", "/todo?a=1")
    sign_in(python)
    control.answer(SIGN_OUT, json.dumps({"url": "http://localhost:1/todo?a=1"}))
    with python.page.expect_navigation(url=f"{auth_server.url}/todo?a=1"):
        press(python, "Out")


# --- what fails ---

RETURNED = "That did not work. Try again, or sign in another way."
WAYS = """<p data-session-error id=near hidden>{words}</p>
    <button data-session-action='sign_in:local-oidc'>Link</button>"""


@pytest.mark.parametrize(
    ("code", "words", "told"),
    [
        ("OAuthCallbackError", "", RETURNED),
        ("AccessDenied", "", "You may not sign in with that account."),
        ("OAuthAccountNotLinked", "Leider nein.", "Leider nein."),
    ],
)
def test_a_visitor_who_returns_from_a_failed_sign_in_sees_a_message(
    show: Callable[..., PythonPage], code: str, words: str, told: str
) -> None:
    python = show(WAYS.format(words=words), f"/login?error={code}")
    expect(python.page.get_by_role("alert")).to_have_text(told)
    sign_in(python)  # which makes it good
    expect(python.page.locator("#near")).to_be_hidden()


@pytest.mark.parametrize(
    "address", ["/login?error=SessionRequired", "/login?error=x", "/login?an_error=Callback"]
)
def test_no_error_is_shown_without_a_failure(show: Callable[..., PythonPage], address: str) -> None:
    python = show(WAYS.format(words=""), address)
    python.run("await provider.refetch(); 1")
    expect(python.page.locator("#near")).to_be_hidden()


def test_a_signed_in_visitor_sees_no_earlier_failure(show: Callable[..., PythonPage]) -> None:
    python = show("<i></i>", "/login?error=Callback")
    sign_in(python)
    python.page.evaluate("html => document.querySelector('#target').innerHTML = html", WAYS.format(words=""))
    python.run("_ = bind_page(); await provider.refetch(); 1")
    expect(python.page.locator("#near")).to_be_hidden()


def test_a_form_without_an_error_element_gets_one_on_return(show: Callable[..., PythonPage]) -> None:
    python = show(FORM.format(more=""), "/login?error=Configuration")
    expect(python.page.locator("form").get_by_role("alert")).to_have_text(RETURNED)


def test_each_failure_has_its_own_words(show: Callable[..., PythonPage], control: ServerControl) -> None:
    python = show(BUTTONS.format(words=""))
    sign_in(python)
    control.drop(CSRF)
    press(python, "Out")
    expect(python.page.locator("#near")).to_have_text(UNREACHABLE)
    control.answer(SIGN_OUT, json.dumps({"url": "/api/auth/signin?csrf=true"}), times=2)
    press(python, "Out")
    expect(python.page.locator("#near")).to_have_text(NO_COOKIES)


def test_a_failure_is_forgotten_when_anything_else_has_signed_in(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show(FORM.format(more=""))
    control.drop(PROVIDERS)
    press(python, "Sign in")
    expect(python.page.get_by_role("alert")).to_have_text(UNREACHABLE)
    sign_in(python)
    expect(python.page.get_by_role("alert")).to_have_count(0)


BUTTONS = """<p data-session-error id=far hidden></p>
    <div><p data-session-error id=near hidden>{words}</p><i>
      <button data-session-action=sign_out>Out</button>
      <button data-session-action="sign_in:credentials">In</button>
      <button data-session-action=refetch>Ask</button></i></div>
    <div><p hidden><b data-session-error></b></p>
      <button data-session-action=sign_out>Elsewhere</button></div>"""


def test_a_failed_sign_out_is_shown_beside_the_button_and_can_be_repeated(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show(BUTTONS.format(words=""))
    sign_in(python)
    control.drop(CSRF)
    press(python, "Out")
    expect(python.page.locator("#near")).to_have_text(UNREACHABLE)
    expect(python.page.get_by_role("alert")).to_have_count(1)
    assert python.run("heard") == [["error", "sign_out"]]
    with python.page.expect_navigation():
        press(python, "Out")


@pytest.mark.parametrize("button", ["In", "Out"])
def test_the_session_has_the_error_of_any_action(
    show: Callable[..., PythonPage], control: ServerControl, button: str
) -> None:
    python = show(BUTTONS.format(words="Mach das nochmal."))
    sign_in(python)
    refusal = json.dumps({"url": "/api/auth/signin?csrf=true"})
    control.answer("POST /api/auth/callback/credentials", refusal, times=2)
    control.answer(SIGN_OUT, refusal, times=2)
    press(python, button)
    expect(python.page.get_by_role("alert")).to_have_text("Mach das nochmal.")
    assert python.run("[type(use_session().error).__name__, len(heard)]") == ["CsrfError", 1]
    python.expect_no_error_box()


@pytest.mark.parametrize("button", ["In", "Ask"])
def test_an_unreachable_server_is_shown_to_the_visitor(
    show: Callable[..., PythonPage], control: ServerControl, button: str
) -> None:
    python = show(BUTTONS.format(words=""))
    sign_in(python)
    control.drop(PROVIDERS if button == "In" else "GET /api/auth/session")
    press(python, button)
    expect(python.page.locator("#near")).to_have_text(UNREACHABLE)
    assert [each[0] for each in python.run("heard")] == ["error"]


def test_where_there_is_no_place_that_can_be_seen_one_is_made(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show(
        "<div hidden><p data-session-error></p></div><button data-session-action=sign_out>Out</button>"
    )
    sign_in(python)
    for _ in range(2):
        control.answer(SIGN_OUT, json.dumps({"url": "/api/auth/signin?csrf=true"}), times=2)
        press(python, "Out")
        expect(python.page.locator("button + [data-session-error]")).to_have_text(NO_COOKIES)
    expect(python.page.get_by_role("alert")).to_have_count(1)


def test_the_nearest_place_that_can_be_seen_tells(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show(BUTTONS.format(words=""))
    sign_in(python)
    control.drop(CSRF)
    press(python, "Elsewhere")
    expect(python.page.locator("#far")).to_have_text(UNREACHABLE)


def test_a_form_that_fails_before_it_is_sent_sets_the_sessions_error(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show(FORM.format(more=""))
    control.drop(PROVIDERS)
    press(python, "Sign in")
    expect(python.page.get_by_role("alert")).to_have_text(UNREACHABLE)
    assert python.run("heard") == [["error", "sign_in"]]


@pytest.mark.parametrize("words", ["", "Mach das nochmal."])
def test_a_form_without_a_place_for_it_tells_in_the_nearest(
    show: Callable[..., PythonPage], control: ServerControl, words: str
) -> None:
    python = show(f"<p data-session-error id=near hidden>{words}</p>" + FORM.format(more=""))
    control.drop(PROVIDERS)
    press(python, "Sign in")
    expect(python.page.locator("#near")).to_have_text(words or UNREACHABLE)
    expect(python.page.get_by_role("alert")).to_have_count(1)
    expect(python.page.get_by_label("User")).to_be_focused()


def test_a_button_is_clicked_once_while_it_is_busy(
    show: Callable[..., PythonPage], control: ServerControl
) -> None:
    python = show("<button data-session-action=sign_out>Out</button>")
    sign_in(python)
    control.hold(CSRF)
    with python.page.expect_request("**/api/auth/csrf"):
        press(python, "Out")
    expect(python.page.get_by_role("button")).to_have_attribute("aria-busy", "true")
    press(python, "Out")
    while not control.requests().count(CSRF):
        pass  # until the request has come so far that there is something to release
    with python.page.expect_navigation():
        control.release()
    assert python.count(SIGN_OUT) == 1
