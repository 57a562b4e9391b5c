"""The session in the words of other libraries, with the real libraries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from demo.serve import AuthServer
from tests.peers import WHEELS

from .conftest import shared_page
from .python_page import ERROR_BOX, PythonPage

START = """
    import js
    import pyodide_js
    from nextauth_py import *

    def show(name):
        provider.session = name and {"user": {"name": name}, "expires": "2099-01-01T00:00:00Z"}

    provider = SessionProvider(None).start()
    1
"""


@pytest.fixture(scope="module")
def python(browser: Browser, auth_server: AuthServer) -> Iterator[PythonPage]:
    with shared_page(browser, f"{auth_server.url}/python.html") as python:
        python.run(START)
        for wheel in WHEELS.glob("*.whl"):
            python.run(f"await pyodide_js.loadPackage({f'/wheels/{wheel.name}'!r}); 1")
        yield python


@pytest.fixture(autouse=True)
def _nobody_is_signed_in(python: PythonPage) -> None:
    python.run("show(None); js.document.querySelector('#target').replaceChildren()")


def test_reaktiv_computes_with_the_session(python: PythonPage) -> None:
    heard = python.run("""
        from nextauth_py.adapters.reaktiv import session_signal
        from reaktiv import Computed, Effect

        state = session_signal()
        name = Computed(lambda: state().data.user.name if state().data else "nobody")
        heard = []
        effect = Effect(lambda: heard.append(name()))
        show("Alice")
        show(None)
        heard
    """)
    assert heard == ["nobody", "Alice", "nobody"]


def test_a_component_follows_the_signals_of_reaktiv(python: PythonPage) -> None:
    python.run("""
        import asyncio
        from reaktiv import Computed, Signal

        tasks, is_busy = Signal(["one"]), Signal(False)
        count = Computed(lambda: len(tasks()))
        draws = 0

        async def add(event):
            event.preventDefault()
            is_busy.set(True)
            tasks.update(lambda old: [*old, event.target.elements.task.value])
            await asyncio.sleep(0.01)
            is_busy.set(False)

        @component("#target")
        def listing():
            global draws
            draws += 1
            name = use_session().data and use_session().data.user.name
            return t'''
                <h1>{count()} of {name or "nobody"}</h1>
                <ul>{[t"<li>{each}</li>" for each in tasks()]}</ul>
                <form @submit={add}><input name="task"><button ?disabled={is_busy()}>Add</button></form>
            '''
        1
    """)
    python.expect_text("#target h1", "1 of nobody")
    python.page.locator("#target input").fill("<b>two")
    python.page.locator("#target button").click()
    expect(python.page.locator("#target li")).to_have_text(["one", "<b>two"])
    expect(python.page.locator("#target button")).to_be_enabled()
    expect(python.page.locator("#target input")).to_have_value("<b>two")
    assert python.run("draws") == 3  # as it was mounted, before the await and after it
    python.run("show('Alice')")
    python.expect_text("#target h1", "2 of Alice")
    python.run("tasks.set([])")
    python.expect_text("#target h1", "0 of Alice")
    python.run("listing.unmount()")
    python.expect_no_error_box()


def test_exceptions_of_components_that_read_signals_are_not_painted(python: PythonPage) -> None:
    python.run("""
        from reaktiv import Signal
        divisor = Signal(0)

        @component(js.document.querySelector("#target").appendChild(js.document.createElement("p")))
        def broken():
            return str(1 // divisor())
        1
    """)
    python.expect_text("#target p", "This part of the page could not be shown.")
    python.run("divisor.set(1)")
    python.expect_text("#target p", "1")
    with python.page.expect_console_message() as reported:  # lit-html misses what somebody else has removed
        python.run("""
            element = js.document.querySelector("#target p")
            element.replaceChildren()
            element.remove()
            divisor.set(2)
        """)
    assert "the component 'broken' failed" in reported.value.text
    python.expect_no_error_box()


def test_a_hundred_components_that_leave_the_page_follow_no_signals(python: PythonPage) -> None:
    seen = python.run("""
        import asyncio
        import gc
        from nextauth_py.client import registry
        from nextauth_py.ui.component import Component
        from reaktiv import Effect, Signal

        target = js.document.querySelector("#target")
        number = Signal(0)

        def mount():
            @component(target.appendChild(js.document.createElement("p")))
            def shown():
                return str(number())

        def alive():
            gc.collect()
            kinds = [type(each) for each in gc.get_objects()]
            return [kinds.count(Component), kinds.count(Effect), len(registry.ends)]

        before = alive()
        for _ in range(100):
            mount()
        number.set(1)
        await asyncio.sleep(0)
        texts = {each.textContent for each in target.children}
        followed = len(registry.ends)
        target.replaceChildren()
        number.set(2)
        while alive() != before:
            await asyncio.sleep(0)
        [list(texts), followed - before[2]]
    """)
    assert seen == [["1"], 100]


def test_wybthon_renders_with_the_session(python: PythonPage) -> None:
    python.run("""
        from nextauth_py.adapters.wybthon import session_signal
        from wybthon import component as wybthon_component, p, render

        @wybthon_component
        def Account():
            state = session_signal()
            return p(lambda: state().data.user.name if state().data else "nobody")

        _ = render(Account(), "#target")
        1
    """)
    python.expect_text("#target", "nobody")
    python.run("show('<b>Alice')")
    python.expect_text("#target", "<b>Alice")


def test_puepy_redraws_with_the_session(python: PythonPage) -> None:
    python.run("""
        from nextauth_py.adapters.puepy import keep_session
        from puepy import Application, Page, t

        app = Application()
        undo = keep_session(app.state)

        @app.page()
        class Account(Page):
            def populate(self):
                data = self.application.state["session"].data
                t.p(data.user.name if data else "nobody")

        app.mount("#target")
    """)
    python.expect_text("#target p", "nobody")
    python.run("show('Alice')")
    python.expect_text("#target p", "Alice")
    python.run("undo(); show('Bob')")
    python.expect_text("#target p", "Alice")


def test_exceptions_of_pyscript_listeners_are_reported_and_not_painted(python: PythonPage) -> None:
    console: list[str] = []
    python.page.on("console", lambda message: console.append(message.text))
    python.run("""
        from pyscript import when
        reached = []

        @when(use_session().changed)
        def broken(state):
            raise ValueError("at once")

        @when(use_session().changed)
        async def broken_later(state):
            raise ValueError("later")

        @when(use_session().changed)
        async def works(state):
            reached.append(state.status)

        show("Alice")
        import asyncio
        import gc
        gc.collect()
        await asyncio.sleep(0)
        use_session().changed.remove_listener()
    """)
    assert python.run("reached") == ["authenticated"]
    # What these libraries print themselves is in such a box too.
    expect(python.page.locator(ERROR_BOX).filter(has_text="ValueError")).to_have_count(0)
    assert [text.partition("\n")[0] for text in console if "ValueError" in text] == [
        "nextauth_py: the event handler 'broken' failed",
        "nextauth_py: the event handler 'broken_later' failed",
    ]


def test_without_a_provider_it_says_what_to_write(python: PythonPage) -> None:
    told = python.run("""
        from nextauth_py.adapters import follow
        provider.close()
        try:
            follow(print)
        except ProviderMissingError as error:
            told = str(error)
        provider = SessionProvider(None).start()
        told
    """)
    assert "SessionProvider().start()" in told
