"""Pages and what they show, in the browser in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from nextauth_py import (
    ClientFetchError,
    SessionProvider,
    bind_page,
    component,
    get_session,
    keyed,
    sign_out,
    use_session,
)
from nextauth_py.testing import Browser, Tab

from .pages import account
from .templates import Interpolation, Template

SORRY = "This part of the page could not be shown."


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Tab:
    return browser.open_tab("/account")


# --- pages and what they show ---


def test_a_visitor_signs_out(browser: Browser) -> None:
    browser.sign_in_as("alice", name="Alice")
    tab = browser.open_tab()
    tab.run(account)
    assert tab.text("#account") == "Signed in as Alice Sign out"
    tab.click("button", text="Sign out")
    assert tab.text("#account") == "Sign in"
    assert tab.state.status == "unauthenticated"


def test_a_page_is_loading_until_the_server_answers(tab: Tab, browser: Browser) -> None:
    browser.network.latency = 1
    tab.run(account)
    assert tab.text("#account") == "Loading…"
    browser.advance(2)
    assert tab.text("#account") == "Sign in"


def test_a_sign_in_that_leaves_the_page_says_where_to(tab: Tab) -> None:
    tab.run(account)
    tab.click("button", text="Sign in")
    assert tab.visited == ["https://id.example/authorize?code=7"]


def test_a_script_runs_as_the_page_would_run_it(tab: Tab, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(
        dedent("""
            from nextauth_py import SessionProvider, component, use_session
            provider = SessionProvider().start()
            await provider.ready()

            @component("#who")
            def who():
                return use_session().status
        """)
    )
    names = tab.run(tmp_path / "main.py")
    assert tab.text("#who") == "unauthenticated"
    assert names["provider"] is tab.provider


def test_coroutines_and_functions_give_what_they_return(tab: Tab) -> None:
    assert tab.run(get_session()) is None
    assert tab.run(lambda: 7) == 7


def test_exceptions_of_a_page_reach_the_test(tab: Tab, browser: Browser) -> None:
    browser.server.is_down = True
    with pytest.raises(ClientFetchError, match="HTTP 500"):
        tab.run(get_session())


def test_a_components_exception_is_in_the_errors(tab: Tab) -> None:
    def page() -> None:
        @component("#broken")
        def broken() -> str:
            raise ValueError("no")

    tab.run(page)
    assert [str(error) for error in tab.errors] == ["no"]
    assert tab.text("#broken") == SORRY


@pytest.mark.parametrize(
    ("debug", "text"), [(True, "broken failed: ValueError: Eve's secret"), (False, SORRY)]
)
def test_a_components_exception_is_on_the_page_with_debug_only(tab: Tab, debug: bool, text: str) -> None:
    def page() -> None:
        SessionProvider(None, debug=debug).start()

        @component("#broken")
        def broken() -> str:
            use_session()
            raise ValueError("Eve's secret")

    tab.run(page)
    assert tab.text("#broken") == text


def test_the_debug_of_another_tab_does_not_count(browser: Browser) -> None:
    browser.open_tab().run(lambda: SessionProvider(None, debug=True).start() and None)
    tab = browser.open_tab()

    def page() -> None:
        @component("#broken")
        def broken() -> str:
            raise ValueError("no")

    tab.run(page)
    assert tab.text("#broken") == SORRY


def test_the_page_that_a_test_gives_is_the_page(browser: Browser) -> None:
    tab = browser.open_tab(html="<main><h1>Shop</h1><div id=account>Starting…</div></main>")
    tab.run(account)
    assert tab.text("main") == "Shop Sign in"
    with pytest.raises(LookupError, match=r"no element of the page matches '#basket'.*<h1>Shop"):
        tab.find("#basket")
    with pytest.raises(LookupError, match="and says 'Sign out'"):
        tab.click("button", text="Sign out")


def test_an_embedded_session_is_taken(browser: Browser) -> None:
    tab = browser.open_tab(
        html='<script type="application/json" id="nextauth-session">'
        '{"user": {"name": "Eve"}, "expires": "2099-01-01T00:00:00Z"}</script><p id=account>'
    )
    tab.run(account)
    assert tab.text("#account").startswith("Signed in as Eve")
    assert browser.requests == []


def test_an_embedded_session_is_as_old_as_the_tab(browser: Browser) -> None:
    browser.sign_in_as("alice")
    other = browser.open_tab()
    other.run(account)
    tab = browser.open_tab(
        html='<script type="application/json" id="nextauth-session">'
        '{"user": {"name": "alice"}, "expires": "2099-01-01T00:00:00Z"}</script><p id=account>'
    )
    other.run(sign_out(redirect=False))
    tab.run(account)
    assert tab.state.status == "unauthenticated"


# --- what stands in templates ---


def shown(tab: Tab, content: object) -> str:
    """How content is drawn."""

    def page() -> None:
        @component("#shown")
        def content_() -> object:
            return content

    tab.run(page)
    assert tab.errors == []
    return tab.html("#shown")


@pytest.mark.parametrize(
    ("content", "html"),
    [
        ("<b>", "&lt;b&gt;"),
        (None, ""),
        (True, ""),
        (7, "7"),
        (["a", None, 1], "a1"),
        ([keyed(1, "x"), keyed(2, Template("<i>", "y", "</i>"))], "x<i>y</i>"),
        (Template("<p>", Template("<b>", "<evil>", "</b>"), "</p>"), "<p><b>&lt;evil&gt;</b></p>"),
        (Template("", Interpolation(1.5, None, ".2f"), ""), "1.50"),
        (Template("", Interpolation("a", "r"), ""), "'a'"),
        (Template('<a href="', "/a?b=1&c=2", '">x</a>'), '<a href="/a?b=1&amp;c=2">x</a>'),
        (Template('<a href="', "javascript:alert(1)", '">x</a>'), "<a>x</a>"),
        (Template("<a href=", "java", "script:x>x</a>"), "<a>x</a>"),
        (Template('<a class="a ', "b c", ' d">x</a>'), '<a class="a b c d">x</a>'),
        (Template('<a title="', 'say "<hi>"', '">x</a>'), "<a title='say \"&lt;hi&gt;\"'>x</a>"),
        (Template("<input ?disabled=", True, ">"), '<input disabled=""/>'),
        (Template("<input ?disabled=", False, ">"), "<input/>"),
        (Template("<input .value=", "typed", ">"), '<input value="typed"/>'),
        (Template("<a title=", None, ">x</a>"), "<a>x</a>"),
        (Template('<a title="a ', None, '">x</a>'), '<a title="a ">x</a>'),
    ],
)
def test_rendered_html(tab: Tab, content: object, html: str) -> None:
    assert shown(tab, content) == html


def test_a_value_that_would_be_run_is_refused(tab: Tab) -> None:
    def page() -> None:
        @component("#shown")
        def evil() -> object:
            return Template("<p onclick=", "alert(1)", "></p>")

    tab.run(page)
    assert "would be run" in str(tab.errors[0])
    assert tab.text("#shown") == SORRY


def test_a_handler_gets_the_event_if_it_wants_it(tab: Tab) -> None:
    heard: list[object] = []

    async def later(event: Any) -> None:
        event.preventDefault()
        await asyncio.sleep(0)
        heard.append((event.type, event.target.value))

    content = Template(
        "<form @submit=", later, "><input name=q @input=", later, "><button @click=", lambda: heard.append(1),
        ">Go</button></form>",
    )  # fmt: skip
    shown(tab, content)
    tab.fill("input", "x")
    tab.click("button")
    assert heard == [("input", "x"), 1, ("submit", "")]


def test_events_rise_until_they_are_stopped(tab: Tab) -> None:
    heard: list[str] = []

    def inner(event: Any) -> None:
        heard.append("inner")
        if len(heard) > 2:
            event.stopPropagation()

    shown(
        tab,
        Template("<div @click=", lambda: heard.append("outer"), "><b @click=", inner, "><i>x</i></b></div>"),
    )
    tab.click("i")
    tab.click("i")
    assert heard == ["inner", "outer", "inner"]


def test_a_link_leads_nowhere_if_its_handler_says_so(tab: Tab) -> None:
    shown(tab, Template("<a href=/next @click=", lambda event: event.preventDefault(), ">on</a>"))
    tab.click("a")
    assert tab.visited == []


def test_a_new_render_leaves_no_handlers_behind(tab: Tab) -> None:
    def page() -> Any:
        @component("#shown")
        def buttons() -> object:
            return [Template("<button @click=", print, ">x</button>") for _ in range(3)]

        return buttons

    buttons = tab.run(page)
    for _ in range(3):
        tab.run(buttons.update)
    assert len(tab.document._handlers) == 3


def test_two_rows_with_one_key_are_a_mistake_as_in_a_page(tab: Tab) -> None:
    def page() -> None:
        @component("#shown")
        def rows() -> object:
            return [keyed(1, "a"), keyed(1, "b")]

    tab.run(page)
    assert "have the key 1" in str(tab.errors[0])
    assert tab.text("#shown") == SORRY


def test_a_link_leads_where_it_says(tab: Tab) -> None:
    shown(tab, Template("<a href=", "/next", "><b>on</b></a>"))
    tab.click("b")
    assert tab.visited == ["https://app.example/next"]


def test_unusable_elements_are_refused(tab: Tab) -> None:
    shown(tab, Template("<button disabled>", "x", "</button>"))
    with pytest.raises(ValueError, match="is disabled"):
        tab.click("button")
    with pytest.raises(ValueError, match="nothing can be typed into"):
        tab.fill("button", "x")


@pytest.mark.parametrize("act", [Tab.click, lambda tab, at: tab.fill(at, "x"), Tab.submit])
def test_missing_elements_cannot_be_used(tab: Tab, act: Callable[[Tab, str], None]) -> None:
    shown(tab, "text")
    with pytest.raises(LookupError, match="matches '#nowhere'"):
        act(tab, "#nowhere")


def test_features_of_real_browsers_say_so(tab: Tab, tmp_path: Path) -> None:
    tab.run(lambda: SessionProvider().start())
    with pytest.raises(RuntimeError, match="needs a real browser"):
        tab.run(bind_page)
    script = tmp_path / "page.py"
    script.write_text("import pyscript")
    with pytest.raises(ModuleNotFoundError) as caught:
        tab.run(script)
    assert "Only a real browser has it" in caught.value.__notes__[0]


def test_bindings_follow_the_session(browser: Browser) -> None:
    tab = browser.open_tab(html="<b id=name></b><img id=face><p id=in>Hello</p>")

    def page() -> None:
        SessionProvider(None).start()
        session = use_session()
        session.bind("#name", text="user.name", class_={"known": True})
        session.bind("#face", attr={"src": "user.image", "alt": "user.name"})
        session.bind("#in", show="authenticated")

    tab.run(page)
    assert tab.html("#name") == ""
    assert tab.find("#in").hidden
    user = {"name": "<Eve>", "image": "javascript:x"}
    tab.run(lambda: setattr(tab.provider, "session", {"user": user, "expires": "2099-01-01T00:00:00Z"}))
    assert str(tab.find("#name")) == '<b class="known" id="name">&lt;Eve&gt;</b>'
    assert str(tab.find("#face")) == '<img alt="&lt;Eve&gt;" id="face"/>'
    assert not tab.find("#in").hidden
    assert tab.find("#in").getAttribute("style") is None


def test_a_binding_whose_value_cannot_be_written_is_empty_and_the_others_follow(browser: Browser) -> None:
    class Unwritable:
        def __str__(self) -> str:
            raise ValueError("no text")

    tab = browser.open_tab(html="<b id=name></b><i id=other></i>")

    def page() -> None:
        SessionProvider(None).start()
        session = use_session()
        session.bind("#name", text=lambda _: Unwritable(), attr={"title": "user.name"})
        session.bind("#other", text="user.name")

    tab.run(page)
    eve = {"user": {"name": "Eve"}, "expires": "2099-01-01T00:00:00Z"}
    tab.run(lambda: setattr(tab.provider, "session", eve))
    assert [str(error) for error in tab.errors] == ["no text"]
    assert str(tab.find("#name")) == '<b id="name" title="Eve"></b>'
    assert tab.text("#other") == "Eve"
