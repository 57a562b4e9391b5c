"""Components that follow the signals of reaktiv."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from textwrap import dedent
from typing import Any

import pytest
import reaktiv
from reaktiv import Computed, Effect, Signal, batch

from nextauth_py import SessionProvider, component, use_session
from nextauth_py.adapters import reaktiv as adapter
from nextauth_py.client import registry
from nextauth_py.testing import Browser, Tab
from nextauth_py.ui.component import Component

from .templates import Template

SORRY = "This part of the page could not be shown."

# The pages of all other tests use no signals.
del sys.modules["reaktiv"]


@pytest.fixture(autouse=True)
def _the_page_has_imported_reaktiv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reaktiv", reaktiv)


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Tab:
    return browser.open_tab("/account")


def shown(tab: Tab, content: Callable[[], object], target: str = "#shown") -> tuple[Component, list[object]]:
    """A mounted component, and what it has shown so far."""
    drawn: list[object] = []

    def page() -> Component:
        @component(target)
        def made() -> object:
            found = content()
            drawn.append(found)
            return found

        return made

    return tab.run(page), drawn


# --- what it follows ---


def test_a_component_follows_the_signals_that_it_reads(tab: Tab) -> None:
    first, last = Signal("Ada"), Signal("Lovelace")
    name = Computed(lambda: f"{first()} {last()}")
    shown(tab, name)
    assert tab.text("#shown") == "Ada Lovelace"
    tab.run(lambda: first.set("Augusta Ada"))
    assert tab.text("#shown") == "Augusta Ada Lovelace"
    tab.run(lambda: last.set("King"))
    assert tab.text("#shown") == "Augusta Ada King"


def test_a_computed_signal_with_the_same_value_draws_nothing(tab: Tab) -> None:
    count = Signal(1)
    is_even = Computed(lambda: count() % 2 == 0)
    _, drawn = shown(tab, lambda: str(is_even()))
    tab.run(lambda: count.set(3))
    assert drawn == ["False"]
    tab.run(lambda: count.set(4))
    assert drawn == ["False", "True"]


def test_a_signal_that_is_read_in_a_template_is_followed(tab: Tab) -> None:
    count = Signal(0)

    def inner() -> object:
        return str(count())

    part = component(inner)
    shown(tab, lambda: Template("<b>", part, "</b>"))
    tab.run(lambda: count.set(1))
    assert tab.html("#shown") == "<b>1</b>"


def test_a_signal_that_is_read_no_more_is_not_followed(tab: Tab) -> None:
    is_open, text = Signal(True), Signal("a")
    _, drawn = shown(tab, lambda: text() if is_open() else "closed")
    tab.run(lambda: is_open.set(False))
    tab.run(lambda: text.set("b"))
    assert drawn == ["a", "closed"]
    tab.run(lambda: is_open.set(True))
    tab.run(lambda: text.set("c"))
    assert drawn == ["a", "closed", "b", "c"]


def test_signals_and_the_session_are_followed_together(browser: Browser) -> None:
    browser.sign_in_as("alice", name="Alice")
    tab = browser.open_tab()
    greeting = Signal("Hello")
    tab.run(lambda: SessionProvider().start() and None)

    def greet() -> str:
        session = use_session()
        return f"{greeting()} {session.data and session.data.user and session.data.user.name}"

    _, drawn = shown(tab, greet)
    tab.run(lambda: greeting.set("Bye"))
    assert drawn[-1] == "Bye Alice"
    tab.run(lambda: tab.provider.sign_out(redirect=False))
    assert drawn[-1] == "Bye None"
    tab.run(lambda: greeting.set("Hi"))
    assert drawn[-1] == "Hi None"


def test_a_component_that_nothing_else_holds_follows(tab: Tab) -> None:
    count = Signal(0)
    shown(tab, lambda: str(count()))
    gc.collect()
    tab.run(lambda: count.set(1))
    assert tab.text("#shown") == "1"


# --- how often it is drawn ---


def test_several_changes_in_one_turn_draw_once(tab: Tab) -> None:
    first, last = Signal("a"), Signal("b")
    _, drawn = shown(tab, lambda: first() + last())

    def change() -> None:
        first.set("c")
        last.set("d")
        first.set("e")

    tab.run(change)
    assert drawn == ["ab", "ed"]


def test_an_async_handler_draws_once_for_each_turn(tab: Tab) -> None:
    is_busy, notice = Signal(False), Signal("")
    _, drawn = shown(tab, lambda: f"{is_busy()} {notice()}")

    async def work() -> None:
        is_busy.set(True)
        notice.set("working")
        await asyncio.sleep(1)
        is_busy.set(False)
        notice.set("done")

    tab.run(work)
    assert drawn == ["False ", "True working", "False done"]


def test_a_change_of_the_session_in_the_same_turn_draws_once(tab: Tab) -> None:
    tab.run(lambda: SessionProvider(None).start() and None)
    notice = Signal("")
    _, drawn = shown(tab, lambda: f"{use_session().status} {notice()}")

    def change() -> None:
        notice.set("in")
        tab.provider.session = {"user": {"name": "Alice"}, "expires": "2099-01-01T00:00:00Z"}

    tab.run(change)
    assert drawn == ["unauthenticated ", "authenticated in"]


def test_in_a_batch_it_is_drawn_at_the_end(tab: Tab) -> None:
    count = Signal(0)
    made, drawn = shown(tab, lambda: str(count()))

    def change() -> None:
        with batch():
            count.set(1)
            made.update()
            assert drawn == ["0"]
            count.set(2)
        assert drawn == ["0", "2"]

    tab.run(change)
    tab.run(lambda: count.set(3))
    assert drawn == ["0", "2", "3"]


# --- changes while it is drawn ---


def test_a_component_that_corrects_a_signal_shows_the_corrected_value(tab: Tab) -> None:
    page, last = Signal(1), Signal(9)

    def pager() -> str:
        now = page()
        if now > last():
            page.set(last())
        return f"page {now}"

    _, drawn = shown(tab, pager)
    tab.run(lambda: last.set(5))
    tab.run(lambda: page.set(7))
    assert drawn == ["page 1", "page 1", "page 7", "page 5"]
    assert tab.errors == []


def test_a_component_that_changes_what_it_reads_ends_with_an_error(tab: Tab) -> None:
    count, other = Signal(0), Signal(0)

    def endless() -> str:
        text = f"{count()} {other()}"
        count.update(lambda value: value + 1)
        return text

    _, drawn = shown(tab, endless)
    (error,) = tab.errors
    assert "each drawing changes a signal that it reads" in str(error)
    assert len(drawn) == 1 + adapter._REDRAWS
    tab.run(lambda: other.set(7))
    assert drawn[-1] == f"{count() - 1} 7"


def test_a_component_may_change_what_another_one_reads(tab: Tab) -> None:
    source, copy = Signal(1), Signal(1)
    shown(tab, lambda: str(copy()), "#copy")
    shown(tab, lambda: copy.set(source() * 2), "#source")
    tab.run(lambda: source.set(2))
    assert tab.text("#copy") == "4"


def test_a_component_that_updates_itself_while_it_is_drawn_is_followed_once(tab: Tab) -> None:
    count = Signal(0)
    drawn: list[int] = []

    def page() -> Component:
        @component("#shown")
        def eager() -> str:
            drawn.append(count())
            if drawn == [0, 1]:
                eager.update()
            return str(count())

        return eager

    eager = tab.run(page)
    tab.run(lambda: count.set(1))
    tab.run(lambda: count.set(2))
    assert drawn == [0, 1, 1, 2]
    tab.run(eager.unmount)
    tab.run(lambda: count.set(3))
    assert drawn == [0, 1, 1, 2]
    assert not registry.ends


def test_tasks_that_a_component_starts_may_change_signals(tab: Tab) -> None:
    items: Signal[list[str] | None] = Signal(None)
    tasks: list[asyncio.Task[None]] = []

    async def load() -> None:
        await asyncio.sleep(1)
        items.set(["a", "b"])

    def listing() -> object:
        if not tasks:
            tasks.append(asyncio.create_task(load()))
        return items()

    shown(tab, listing)
    tab._browser.advance(2)
    assert tab.text("#shown") == "ab"


# --- failures ---


def test_after_an_exception_the_next_change_draws_again(tab: Tab) -> None:
    count = Signal(0)
    shown(tab, lambda: str(1 // count()))
    assert tab.text("#shown") == SORRY
    tab.run(lambda: count.set(1))
    assert tab.text("#shown") == "1"
    tab.run(lambda: count.set(0))
    assert tab.text("#shown") == SORRY
    assert [type(error) for error in tab.errors] == [ZeroDivisionError] * 2


def test_exceptions_are_reported_and_not_printed(tab: Tab, capsys: pytest.CaptureFixture[str]) -> None:
    count = Signal(0)
    shown(tab, lambda: str(1 // count()))
    assert len(tab.errors) == 1
    assert capsys.readouterr().err == ""


# --- its end ---


def test_an_unmounted_component_follows_nothing(tab: Tab) -> None:
    count = Signal(0)
    made, drawn = shown(tab, lambda: str(count()))
    tab.run(made.unmount)
    tab.run(lambda: count.set(1))
    assert drawn == ["0"]
    tab.run(lambda: made.mount("#shown"))
    tab.run(lambda: count.set(2))
    assert drawn == ["0", "1", "2"]


def test_an_unmount_before_the_turn_ends_draws_no_more(tab: Tab) -> None:
    count = Signal(0)
    made, drawn = shown(tab, lambda: str(count()))

    def change() -> None:
        count.set(1)
        made.unmount()

    tab.run(change)
    assert drawn == ["0"]


def test_a_component_may_unmount_itself_while_it_is_drawn(tab: Tab) -> None:
    is_done = Signal(False)
    drawn: list[bool] = []

    def page() -> None:
        @component("#shown")
        def toast() -> str:
            drawn.append(is_done())
            if is_done():
                toast.unmount()
            return "Saved"

    tab.run(page)
    tab.run(lambda: is_done.set(True))
    tab.run(lambda: is_done.set(False))
    assert drawn == [False, True]
    assert not registry.ends


def test_an_element_that_has_left_the_page_ends_it(browser: Browser) -> None:
    tab = browser.open_tab(html="<main><p id=shown></p></main>")
    count = Signal(0)
    _, drawn = shown(tab, lambda: str(count()))
    tab.document.soup.find(id="shown").extract()  # type: ignore[union-attr]
    tab.run(lambda: count.set(1))
    tab.run(lambda: count.set(2))
    assert drawn == ["0"]
    assert not registry.ends


def test_after_the_provider_is_closed_it_waits_for_the_next_one(tab: Tab) -> None:
    tab.run(lambda: SessionProvider(None).start() and None)
    count = Signal(0)
    _, drawn = shown(tab, lambda: f"{use_session().status} {count()}")
    tab.run(tab.provider.close)
    tab.run(lambda: count.set(1))
    assert drawn == ["unauthenticated 0"]
    assert tab.errors == []
    tab.run(lambda: SessionProvider(None).start() and None)
    tab.run(lambda: count.set(2))
    assert drawn == ["unauthenticated 0", "unauthenticated 1", "unauthenticated 2"]


def test_a_page_that_has_ended_follows_nothing(browser: Browser) -> None:
    count = Signal(0)
    first, second = browser.open_tab(), browser.open_tab()
    _, drawn = shown(first, lambda: str(count()))
    first.close()
    second.run(lambda: count.set(1))
    assert drawn == ["0"]


@pytest.mark.parametrize("is_unmounted", [True, False])
def test_a_hundred_mounts_leave_nothing_behind(tab: Tab, is_unmounted: bool) -> None:
    count = Signal(0)
    double = Computed(lambda: count() * 2)
    made: list[weakref.ref[Component]] = []

    def mount() -> None:
        shown_, _ = shown(tab, lambda: f"{count()} {double()}")
        tab.run(lambda: count.update(lambda value: value + 1))
        if is_unmounted:
            tab.run(shown_.unmount)
        made.append(weakref.ref(shown_))

    for _ in range(100):
        mount()
    gc.collect()
    kept = 0 if is_unmounted else 1  # another one in its place unmounts it
    assert sum(each() is not None for each in made) == kept
    assert len(registry.ends) == kept
    assert sum(type(each) is Effect for each in gc.get_objects()) == kept


# --- pages without reaktiv ---


def test_without_reaktiv_nothing_is_imported() -> None:
    page = """
        import sys

        from nextauth_py import SessionProvider, component, use_session
        from nextauth_py.testing import Browser

        def page():
            SessionProvider(None).start()

            @component("#shown")
            def shown():
                return use_session().status

        with Browser() as browser:
            tab = browser.open_tab()
            tab.run(page)
            assert tab.text("#shown") == "unauthenticated"
        print(*(name for name in sys.modules if "reaktiv" in name))
    """
    done = subprocess.run([sys.executable, "-c", dedent(page)], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []


def test_a_page_that_imports_reaktiv_later_is_followed_from_then_on(
    tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[Any] = ["nothing"]
    monkeypatch.delitem(sys.modules, "reaktiv")
    made, _ = shown(tab, lambda: names[-1] if names[-1] == "nothing" else names[-1]())
    monkeypatch.setitem(sys.modules, "reaktiv", reaktiv)
    name = Signal("Alice")
    names.append(name)
    tab.run(made.update)
    tab.run(lambda: name.set("Bob"))
    assert tab.text("#shown") == "Bob"
