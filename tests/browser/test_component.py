"""Components in a real browser: what they show, what survives a re-render, what is never HTML."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from demo.serve import AuthServer

from .python_page import PythonPage

SORRY = "This part of the page could not be shown."

EVIL = '<img src=x onerror="window.hacked = true"><b>evil</b>'

KNOWN = """
    from nextauth_py import *
    provider = SessionProvider({"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}).start()

    def name(text):
        provider.session = {"user": {"name": text}, "expires": "2099-01-01T00:00:00Z"}
"""

DEBUG = KNOWN.replace("})", "}, debug=True)", 1)

# What a component or a binding could leave behind: handlers that proxies keep, nodes, listeners. The garbage
# collector does not know the proxies themselves.
ALIVE = """
    import gc
    import js
    from types import FunctionType

    def alive():
        gc.collect()
        functions = (each for each in gc.get_objects() if type(each) is FunctionType)
        return (
            sum(each.__qualname__.startswith("listener.<locals>") for each in functions),
            js.document.querySelectorAll("*").length,
            len(provider.engine.listeners._listeners),
        )
"""


@pytest.fixture
def python(page: Page, auth_server: AuthServer) -> PythonPage:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(KNOWN)
    return python


def test_it_replaces_earlier_content(python: PythonPage) -> None:
    python.run("""
        @component("#target")
        def hello():
            return t"<p>Hello <b>{use_session().data.user.name}</b></p>"
    """)
    assert python.page.locator("#target").inner_html().count("<p>") == 1
    python.expect_text("#target", "Hello Alice")


def test_it_renders_again_when_the_session_changes(python: PythonPage) -> None:
    python.run("""
        renders = 0

        @component("#target")
        def hello():
            global renders
            renders += 1
            return use_session().data.user.name

        name("Bob"); name("Carol"); name("Dora")
    """)
    python.expect_text("#target", "Dora")
    assert python.run("renders") == 2  # several changes in one turn are one render


def test_text_is_never_html(python: PythonPage) -> None:
    python.run(f"""
        name({EVIL!r})

        @component("#target")
        def shown():
            user = use_session().data.user
            inside = t"<i title={{user.name}} data-mixed='a {{user.name}}'>{{user.name}}</i>"
            return [user.name, inside, [user.name]]
    """)
    expect(python.page.locator("#target")).to_have_text(EVIL * 3)
    expect(python.page.locator("#target img, #target b")).to_have_count(0)
    expect(python.page.locator("#target i")).to_have_attribute("title", EVIL)
    assert python.page.evaluate("window.hacked") is None


def test_focus_selection_and_typed_text_survive(python: PythonPage) -> None:
    python.run("""
        @component("#target")
        def form():
            return t"<p>{use_session().data.user.name}</p><input id='field' value={use_session().status}>"
    """)
    field = python.page.locator("#field")
    field.fill("typed text")
    field.evaluate("field => field.setSelectionRange(2, 5)")
    python.run("name('Bob')")
    python.expect_text("#target p", "Bob")
    expect(field).to_be_focused()
    expect(field).to_have_value("typed text")
    assert field.evaluate("field => [field.selectionStart, field.selectionEnd]") == [2, 5]


def test_values_of_all_kinds_are_shown_as_python_would(python: PythonPage) -> None:
    python.run("""
        import js
        from pyscript import web

        node = js.document.createElement("hr")

        @component()
        def inner():
            return t"<u>inner</u>"

        @component("#target")
        def outer():
            rows = [t"<li>{n}</li>" for n in range(3)]
            return t\"\"\"<ol>{rows}</ol>{1.0}|{None}|{False}|{True}|{3.14159:.2f}|{"x"!r}
                {node}{web.em("web")}{inner}
                <button disabled={None} ?hidden={False} .value={"v"} class={"a"}>b</button>\"\"\"
    """)
    target = python.page.locator("#target")
    expect(target.locator("li")).to_have_text(["0", "1", "2"])
    expect(target).to_contain_text("1.0||||3.14|'x'")
    expect(target.locator("hr")).to_have_count(1)
    expect(target.locator("em")).to_have_text("web")
    expect(target.locator("u")).to_have_text("inner")
    button = target.locator("button")
    assert button.evaluate("b => [b.disabled, b.hidden, b.value, b.className]") == [False, False, "v", "a"]


def test_handlers_get_the_event_only_if_they_want_it(python: PythonPage) -> None:
    python.run("""
        clicks = []

        def plain():
            clicks.append("plain")

        async def later():
            clicks.append("later")

        @component("#target")
        def buttons():
            return t\"\"\"
                <button @click={plain}>plain</button>
                <button @click={later}>later</button>
                <button @click={(lambda event: clicks.append(event.type))}>event</button>
            \"\"\"
    """)
    for name in ("plain", "later", "event"):
        python.page.get_by_role("button", name=name).click()
    assert python.run("clicks") == ["plain", "later", "click"]


def test_an_async_submit_handler_is_in_time_to_prevent_the_default(python: PythonPage) -> None:
    python.run("""
        import asyncio
        submitted = asyncio.Event()

        async def submit(event):
            event.preventDefault()
            await asyncio.sleep(0)
            submitted.set()

        @component("#target")
        def form():
            return t"<form @submit={submit}><button>Send</button></form>"
    """)
    python.page.get_by_role("button", name="Send").click()
    assert python.run("await submitted.wait()") is True
    assert "?" not in python.page.url


def test_handlers_that_fail_are_reported_without_an_error_box(python: PythonPage) -> None:
    python.run("""
        def broken():
            raise KeyError("mine")

        async def broken_later():
            raise KeyError("mine too")

        @component("#target")
        def buttons():
            return t"<button @click={broken}>now</button><button @click={broken_later}>then</button>"
    """)
    for name, text in (("now", "mine"), ("then", "mine too")):
        with python.page.expect_console_message() as reported:
            python.page.get_by_role("button", name=name).click()
        assert f"KeyError: '{text}'" in reported.value.text
    python.expect_no_error_box()


def test_a_component_that_fails_is_reported_and_recovers(python: PythonPage) -> None:
    python.run("""
        @component("#target")
        def picky():
            name = use_session().data.user.name
            if name == "Bob":
                raise ValueError("not Bob")
            return name
    """)
    with python.page.expect_console_message(
        lambda message: "ValueError: not Bob" in message.text
    ) as reported:
        python.run("name('Bob')")
    assert "in picky" in reported.value.text
    python.expect_text("#target", SORRY)
    python.run("name('Carol')")
    python.expect_text("#target", "Carol")
    python.expect_no_error_box()


def test_a_target_that_is_not_there_is_named(python: PythonPage) -> None:
    outcome = python.run("""
        try:
            component("#missing")(lambda: "x")
        except LookupError as error:
            text = str(error)
        text
    """)
    assert "'#missing'" in outcome


def test_unmounting_empties_it_and_ends_the_following(python: PythonPage) -> None:
    python.run("""
        renders = 0

        @component("#target")
        def hello():
            global renders
            renders += 1
            return use_session().data.user.name

        hello.unmount()
        name("Bob")
    """)
    python.expect_text("#target", "")
    assert python.run("renders") == 1
    python.run("_ = hello.mount('#target')")
    python.expect_text("#target", "Bob")


def test_event_handlers_leave_no_proxies_behind(python: PythonPage) -> None:
    python.run(ALIVE)
    outcome = python.run("""
        @component("#target")
        def buttons():
            return [t"<button @click={(lambda: None)}>{n}</button>" for n in range(10)]

        before = alive()
        for _ in range(50):
            buttons.update()
        alive() == before
    """)
    assert outcome is True


def test_with_debug_a_component_says_what_it_raised_as_text(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run(DEBUG)
    python.run(f"""
        @component("#target")
        def picky():
            raise ValueError({EVIL!r})
    """)
    python.expect_text("#target", f"picky failed: ValueError: {EVIL}")
    expect(python.page.locator("#target img, #target b")).to_have_count(0)


def test_a_failure_leaves_the_other_components_alone(python: PythonPage) -> None:
    python.page.evaluate(
        "document.body.append(Object.assign(document.createElement('div'), { id: 'other' }))"
    )
    python.run("""
        @component("#target")
        def broken():
            use_session()
            raise ValueError("always")

        @component("#other")
        def works():
            return use_session().data.user.name

        name("Bob")
    """)
    python.expect_text("#other", "Bob")
    python.expect_text("#target", SORRY)


def test_a_component_that_reads_no_session_follows_the_providers_debug_option(
    python: PythonPage,
) -> None:
    python.run("""
        @component("#target")
        def broken():
            raise ValueError("early")
    """)
    python.expect_text("#target", SORRY)
    python.run("SessionProvider(None, debug=True).start(); broken.update()")
    python.expect_text("#target", "broken failed: ValueError: early")


def test_one_provider_without_debug_hides_the_failure(python: PythonPage) -> None:
    """The text may hold what that one's session has."""
    python.run("""
        other = SessionProvider(None, debug=True).start()

        @component("#target")
        def broken():
            use_session(provider=provider), use_session(provider=other)
            raise ValueError("of whose session?")
    """)
    python.expect_text("#target", SORRY)


def test_without_a_provider_a_failure_is_hidden(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run("""
        from nextauth_py import component

        @component("#target")
        def broken():
            raise ValueError("always")
    """)
    python.expect_text("#target", SORRY)


def test_a_component_whose_element_others_have_emptied_paints_nothing_over_the_page(
    python: PythonPage,
) -> None:
    python.run("""
        @component("#target")
        def hello():
            return use_session().data.user.name
    """)
    python.page.evaluate("document.querySelector('#target').replaceChildren()")
    with python.page.expect_console_message(lambda message: "'hello' failed" in message.text):
        python.run("name('Bob')")
    python.run("name('Carol'); import asyncio; await asyncio.sleep(0)")
    python.expect_no_error_box()


def test_a_function_without_a_name_fails_like_any_other(python: PythonPage) -> None:
    python.run("""
        from functools import partial

        def broken(secret):
            raise ValueError(secret)

        _ = component("#target")(partial(broken, "secret"))
    """)
    python.expect_text("#target", SORRY)
    python.expect_no_error_box()


def test_a_task_that_a_handler_returns_is_reported_if_it_fails(python: PythonPage) -> None:
    python.run("""
        import asyncio

        async def later():
            raise KeyError("mine")

        @component("#target")
        def button():
            return t"<button @click={(lambda: asyncio.create_task(later()))}>now</button>"
    """)
    with python.page.expect_console_message(lambda message: "KeyError: 'mine'" in message.text) as reported:
        python.page.get_by_role("button").click()
    assert reported.value.text.startswith("nextauth_py: the event handler")
    python.run("import gc; gc.collect(); await asyncio.sleep(0)")
    python.expect_no_error_box()


def test_rows_keep_their_elements_by_key_wherever_they_move(python: PythonPage) -> None:
    python.run("""
        order = ["a", "b", "c"]

        @component("#target")
        def rows():
            return [keyed(each, t"<input aria-label={each}>") for each in order]
    """)
    field = python.page.get_by_label("b")
    field.fill("typed in b")
    python.run("order = ['c', 'x', 'b', 'a']; rows.update()")
    assert python.page.locator("#target input").evaluate_all("all => all.map(each => each.value)") == [
        *("", ""),
        "typed in b",
        "",
    ]
    with python.page.expect_console_message(
        lambda message: "ValueError: two rows of a list have the key 'a'" in message.text
    ):
        python.run("order = ['a', 'a']; rows.update()")


def test_a_component_in_another_is_updated_with_it(python: PythonPage) -> None:
    python.run("""
        count = 0

        @component()
        def inner():
            return t"<u>{count}</u>"

        @component("#target")
        def outer():
            return t"<p>{inner}</p>"

        count = 1
        inner.update()
    """)
    python.expect_text("#target u", "1")


@pytest.mark.parametrize(
    "url", ["javascript:hacked=1", "JAVASCRIPT:hacked=1", "data:text/html,<script>hacked=1</script>"]
)
def test_no_link_of_a_template_runs_anything(python: PythonPage, url: str) -> None:
    python.run(f"""
        url = {url!r}
        scheme, rest = url.split(":", 1)

        @component("#target")
        def links():
            return t\"\"\"<a href={{url}}>1</a><a href="{{url}}">2</a><a href='{{scheme}}:{{rest}}'>3</a>
                <a .href={{url}}>4</a><img src={{url}}><form action={{url}}><button>5</button></form>\"\"\"
    """)
    schemes = python.page.locator("#target a").evaluate_all("all => all.map((each) => each.protocol)")
    assert set(schemes) <= {":", "http:", "about:"}
    assert len(schemes) == 4
    expect(python.page.locator("#target img")).not_to_have_attribute("src", url)
    assert python.page.locator("#target form").evaluate("form => form.action").startswith("http:")


def test_no_link_runs_anything_because_it_is_no_text(python: PythonPage) -> None:
    python.run("""
        import js

        class Link:
            def __str__(self):
                return "javascript:hacked=1"

        @component("#target")
        def links():
            array = js.Array.of(str(Link()))
            return t\"\"\"<a href={Link()}>1</a><a .href={Link()}>2</a><a href={array}>3</a>
                <a href={[str(Link())]}>4</a><a href={js.URL.new("https://x.example/")}>5</a>\"\"\"
    """)
    links = python.page.locator("#target a")
    assert set(links.evaluate_all("all => all.map((each) => each.protocol)")) <= {":", "http:", "https:"}
    expect(links.last).to_have_attribute("href", "https://x.example/")


@pytest.mark.parametrize("part", [".innerHTML={evil}", "srcdoc={evil}", "onclick={evil}"])
def test_no_text_is_parsed_as_html(python: PythonPage, part: str) -> None:
    with python.page.expect_console_message(lambda message: "ValueError" in message.text):
        python.run(f"""
            evil = {EVIL!r}

            @component("#target")
            def shown():
                return t"<p {part}></p>"
        """)
    python.expect_text("#target", SORRY)
    expect(python.page.locator("#target b")).to_have_count(0)


def test_an_attribute_breaker_stays_in_its_attribute(python: PythonPage) -> None:
    breaker = '"><script>window.hacked = true</script><p x="'
    python.run(f"""
        name({breaker!r})

        @component("#target")
        def shown():
            name = use_session().data.user.name
            return t"<p id='p' title={{name}} data-a='x {{name}} y'></p>"
    """)
    expect(python.page.locator("#p")).to_have_attribute("title", breaker)
    expect(python.page.locator("#p")).to_have_attribute("data-a", f"x {breaker} y")
    assert python.page.evaluate("window.hacked") is None


# --- who may see it ---


def test_nothing_of_a_guarded_component_is_there_before_the_session_is_confirmed(
    python: PythonPage, auth_server: AuthServer
) -> None:
    python.run("""
        await sign_in("credentials", username="alice", password="wonder", redirect=False)
        provider.close()
    """)
    python.page.evaluate("""
        window.seen = new Set();
        const target = document.querySelector("#target");
        new MutationObserver(() => seen.add(target.textContent))
            .observe(target, { childList: true, subtree: true, characterData: true });
    """)
    python.run("""
        provider = SessionProvider().start()

        @component("#target", auth=Auth(loading="One moment"))
        def private():
            return f"Secret of {use_session().data.user.name}"
    """)
    python.expect_text("#target", "Secret of Alice Liddell")
    assert set(python.page.evaluate("[...seen]")) <= {"", "One moment", "Secret of Alice Liddell"}
    python.start("await sign_out(redirect=False)")
    python.page.wait_for_url("**/api/auth/signin?**")
    assert "error=SessionRequired" in python.page.url
    assert "callbackUrl=" in python.page.url


def test_the_wrong_role_leads_elsewhere_and_sees_nothing(python: PythonPage) -> None:
    python.start("""
        skeleton = lambda: t"<i>skeleton</i>"

        @component("#target", auth=Auth(role="admin", loading=skeleton, unauthorized="/peer-v4.html"))
        def admin():
            return "Secret"
    """)
    python.page.wait_for_url("**/peer-v4.html")


def test_by_default_a_wrong_role_leads_to_the_servers_access_denied(python: PythonPage) -> None:
    python.start("""
        @component("#target", auth=Auth(role="admin"))
        def admin():
            return "Secret"
    """)
    python.page.wait_for_url("**/api/auth/error?error=AccessDenied")


def test_a_guarded_component_lets_a_sign_out_lead_where_it_wants(
    python: PythonPage, auth_server: AuthServer
) -> None:
    python.run("""
        await sign_in("credentials", username="alice", password="wonder", redirect=False)

        @component("#target", auth=True)
        def private():
            return f"Secret of {use_session().data.user.name}"
    """)
    python.expect_text("#target", "Secret of Alice Liddell")
    visited: list[str] = []
    python.page.on("framenavigated", lambda frame: visited.append(frame.url))
    python.start("await sign_out(callback_url='/peer-v4.html')")
    python.page.wait_for_url("**/peer-v4.html")
    expect(python.page.locator("#shown")).to_have_text("unauthenticated")
    assert visited == [f"{auth_server.url}/peer-v4.html"]


def test_the_right_role_sees_it(python: PythonPage) -> None:
    python.run("""
        provider.session = {"user": {"name": "Alice", "role": "admin"}, "expires": "2099-01-01T00:00:00Z"}

        @component("#target", auth=Auth(role="admin"))
        def admin():
            return "Secret"
    """)
    python.expect_text("#target", "Secret")


def test_a_function_that_decides_and_fails_shows_nothing_private(python: PythonPage) -> None:
    python.run("""
        @component("#target", auth=Auth(allow=lambda session: session.user.missing))
        def private():
            return "Secret"
    """)
    python.expect_text("#target", SORRY)


def test_a_page_without_a_provider_sends_no_request(page: Page, auth_server: AuthServer) -> None:
    python = PythonPage(page).open(f"{auth_server.url}/python.html")
    python.run("""
        from nextauth_py import *

        @component("#target")
        def public():
            return "For everybody"
    """)
    python.expect_text("#target", "For everybody")
    assert python.requests == []


# --- resources ---


def test_a_thousand_bindings_and_components_come_and_go(python: PythonPage) -> None:
    python.run(ALIVE)
    outcome = python.run("""
        async def come_and_go():
            target = js.document.querySelector("#target")
            target.innerHTML = "<p></p><b></b>" * 1000
            session = use_session()
            undos = [session.bind(each, text="user.name") for each in target.querySelectorAll("p")]
            show = lambda: use_session().data.user.name
            components = [component(each)(show) for each in target.querySelectorAll("b")]
            name("Bob")
            await asyncio.sleep(0)
            shown = {each.textContent for each in target.children}
            name("Alice")
            await asyncio.sleep(0)
            for undo in undos + [each.unmount for each in components]:
                undo()
            target.replaceChildren()
            return shown

        import asyncio
        await come_and_go()
        before = alive()
        shown = [list(await come_and_go()) for _ in range(3)]
        [shown, before == alive()]
    """)
    assert outcome == [[["Bob"]] * 3, True]


def test_a_hundred_mounts_leave_nothing_behind(python: PythonPage) -> None:
    python.run(ALIVE)
    outcome = python.run("""
        @component()
        def rows():
            name = use_session(required=True).data.user.name
            return [keyed(n, t"<button @click={(lambda: None)}>{name}</button>") for n in range(20)]

        rows.mount("#target").unmount()
        before = alive()
        for _ in range(100):
            rows.mount("#target")
            stop = use_session().bind("#target", class_={"vip": "user.vip"})
            stop()
            rows.unmount()
        [before, alive()]
    """)
    assert outcome[0] == outcome[1]
