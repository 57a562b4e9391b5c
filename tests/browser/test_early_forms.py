"""A form that Python is to send goes nowhere before Python is there, and keeps what has been typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from demo.serve import AuthServer
from tests.servers.control import ServerControl

SESSION = "GET /api/auth/session"
PREFETCH = "<script src='/static/dist/session-prefetch.js'></script>"
PAINT = "<script src='/static/dist/session-paint.js'></script>"
FORM = """<form id="form" data-session-action="sign_in:credentials" {attributes}>
    <input name="username" value="alice"><input name="password" type="password">{inside}
</form>{outside}"""


@pytest.fixture
def open_form(page: Page, auth_server: AuthServer) -> Callable[..., Page]:
    """Opens a page with a form, and types a password."""

    def open_form(
        scripts: str, *, attributes: str = "", inside: str = "<button>Go</button>", outside: str = ""
    ) -> Page:
        form = FORM.format(attributes=attributes, inside=inside, outside=outside)
        html = f"<!doctype html><link rel=icon href=data:,>{scripts}{form}"
        page.route("**/own*", lambda route: route.fulfill(body=html, content_type="text/html"))
        page.goto(f"{auth_server.url}/own")
        page.locator("[name=password]").fill("wonder")
        return page

    return open_form


def expect_nothing_sent(page: Page) -> None:
    """The page is where it was, after a turn in which it could have left."""
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    assert page.url.endswith("/own")
    expect(page.locator("[name=password]")).to_have_value("wonder")


@pytest.mark.parametrize("scripts", [PREFETCH, PAINT, PREFETCH + PAINT], ids=["prefetch", "paint", "both"])
@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ("<button>Go</button>", ""),
        ("<input type=submit value=Go>", ""),
        ("", "<button form=form>Go</button>"),
        ("", "<button form=form formmethod=get formaction=/elsewhere>Go</button>"),
        ("<button formmethod=dialog>Go</button>", ""),
        ("<button>Go</button><input name=dataset><input name=matches><input name=closest>", ""),
        ("<button>Go</button>", "<input form=form name=matches><input form=form name=preventDefault>"),
        ("<button>Go</button>", "<img name=documentElement><form name=addEventListener></form>"),
    ],
)
def test_no_button_sends_it(open_form: Callable[..., Page], scripts: str, inside: str, outside: str) -> None:
    page = open_form(scripts, inside=inside, outside=outside)
    page.get_by_role("button").click()
    expect_nothing_sent(page)
    page.locator("[name=password]").press("Enter")
    expect_nothing_sent(page)
    page.evaluate("HTMLFormElement.prototype.requestSubmit.call(document.getElementById('form'))")
    expect_nothing_sent(page)


@pytest.mark.parametrize("attributes", ["method=get", "method=post", "action=/elsewhere", "target=_top"])
def test_no_attribute_sends_it(open_form: Callable[..., Page], attributes: str) -> None:
    page = open_form(PREFETCH, attributes=attributes)
    page.get_by_role("button").click()
    expect_nothing_sent(page)


@pytest.mark.parametrize("scripts", [PREFETCH, PREFETCH + PAINT], ids=["prefetch", "both"])
def test_it_waits_after_a_request_that_failed(
    open_form: Callable[..., Page], control: ServerControl, scripts: str
) -> None:
    control.drop(SESSION)
    page = open_form(scripts)
    page.evaluate("nextauthSession.answer.catch(() => {})")
    page.get_by_role("button").click()
    expect_nothing_sent(page)


@pytest.mark.parametrize("scripts", [PREFETCH, PREFETCH + PAINT], ids=["prefetch", "both"])
def test_it_waits_after_the_answer_was_dropped(open_form: Callable[..., Page], scripts: str) -> None:
    page = open_form(scripts)
    page.evaluate("nextauthSession.drop()")
    page.get_by_role("button").click()
    expect_nothing_sent(page)


def test_no_script_of_the_page_sees_it_unprevented(open_form: Callable[..., Page]) -> None:
    page = open_form(PREFETCH)
    page.evaluate("""() => document.addEventListener("submit", (event) => {
        window.seen = event.defaultPrevented;
        event.stopImmediatePropagation();
    }, true)""")
    page.get_by_role("button").click()
    assert page.evaluate("seen") is True
    expect_nothing_sent(page)


@pytest.mark.parametrize("scripts", [PREFETCH, PAINT, PREFETCH + PAINT], ids=["prefetch", "paint", "both"])
def test_python_gets_it_once_it_listens(open_form: Callable[..., Page], scripts: str) -> None:
    """As bind_page() does: it marks the page, and listens."""
    page = open_form(scripts)
    page.evaluate("""() => {
        document.documentElement.dataset.sessionBound = "";
        document.body.addEventListener("submit", (event) => {
            window.seen = event.defaultPrevented;
            event.preventDefault();
        });
    }""")
    page.get_by_role("button").click()
    assert page.evaluate("seen") is False
    expect_nothing_sent(page)


def test_markup_that_says_python_listens_sends_nothing(open_form: Callable[..., Page]) -> None:
    page = open_form(PREFETCH + PAINT, outside="<html data-session-bound>")
    assert page.evaluate("document.documentElement.dataset.sessionBound") == ""
    page.get_by_role("button").click()
    expect_nothing_sent(page)


def test_other_forms_are_the_browsers(open_form: Callable[..., Page]) -> None:
    page = open_form(
        PREFETCH + PAINT, inside="", outside="<form action=/own><button name=a>Go</button></form>"
    )
    with page.expect_navigation(url="**/own?a="):
        page.get_by_role("button").click()
