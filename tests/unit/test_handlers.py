"""Public calls as handlers of events, as they are: an event that they have no use for is ignored."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

import pytest

import nextauth_py
from nextauth_py import ClientFetchError, SessionProvider, SessionState, component, use_session
from nextauth_py.host.handlers import wants_event
from nextauth_py.testing import Browser
from nextauth_py.testing.document import Event
from nextauth_py.testing.memory import MemoryHost

from .conftest import name_in, signed_in

DOM_EVENT: Any = SimpleNamespace(type="click", preventDefault=lambda: None)
WYBTHON_EVENT = SimpleNamespace(type="click", prevent_default=lambda: None)
EVENTS = [DOM_EVENT, WYBTHON_EVENT, SessionState()]
AT = "https://app.example"


@pytest.mark.parametrize("event", EVENTS, ids=["DOM", "wybthon", "state"])
async def test_every_call_ignores_an_event(tab: MemoryHost, event: Any) -> None:
    provider = await signed_in(tab)
    session = use_session()
    _, _, update = session
    for call in (session.update, provider.update, update):
        assert name_in_session(await call(event)) == "alice"
    for get in (nextauth_py.get_session, provider.get_session):
        assert name_in_session(await get(event)) == "alice"  # type: ignore[call-arg]
    for token in (nextauth_py.get_csrf_token, provider.get_csrf_token):
        assert await token(event)  # type: ignore[call-arg]
    for providers in (nextauth_py.get_providers, provider.get_providers):
        assert await providers(event)  # type: ignore[call-arg]
    assert name_in(await provider.refetch(event)) == "alice"  # type: ignore[call-arg]
    assert name_in(await provider.ready(event)) == "alice"  # type: ignore[call-arg]
    for sign_in in (nextauth_py.sign_in, provider.sign_in):
        await sign_in(event)
    assert tab.visited == [f"{AT}/api/auth/signin?callbackUrl=https%3A%2F%2Fapp.example%2Faccount"] * 2
    session.refuse(event)
    assert tab.visited[2:] == [f"{AT}/api/auth/error?error=AccessDenied"]
    for sign_out in (nextauth_py.sign_out, provider.sign_out):
        await sign_out(event)  # type: ignore[call-arg]
    assert provider.state.status == "unauthenticated"
    assert tab.visited[3:] == [f"{AT}/account"] * 2
    stop = session.subscribe(print)
    stop(event)  # type: ignore[call-arg]
    assert provider.start(event) is provider  # type: ignore[call-arg]
    provider.close(event)  # type: ignore[call-arg]
    assert tab.open_resources == 0


def name_in_session(session: Any) -> str | None:
    return session.user.name if session else None


async def test_other_arguments_than_events_are_refused(tab: MemoryHost) -> None:
    provider = SessionProvider(None, host=tab).start()
    with pytest.raises(TypeError):
        await provider.sign_out("/bye")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        await provider.get_session(True)  # type: ignore[call-arg]


def test_handlers_that_look_first_see_what_a_call_takes() -> None:
    for call in (nextauth_py.sign_in, nextauth_py.sign_out, nextauth_py.get_session):
        assert inspect.iscoroutinefunction(call)
        assert not wants_event(call)
    assert list(inspect.signature(nextauth_py.sign_out).parameters) == ["callback_url", "redirect"]


def test_listeners_and_buttons_take_the_calls_as_they_are() -> None:
    with Browser() as browser:
        browser.sign_in_as("alice")
        tab = browser.open_tab("/account")

        def page() -> None:
            provider = SessionProvider().start()
            provider.on("signed_out", nextauth_py.sign_in)  # type: ignore[arg-type]

            @component("#out")
            def out() -> object:
                return use_session().status

            tab.document.listen(tab.find("#out").tag, "click", lambda event: called.append(out.update(event)))  # type: ignore[call-arg]

        called: list[object] = []
        tab.run(page)
        tab.click("#out")
        assert called == [None]
        browser.clear_cookies()
        tab.run(lambda: tab.provider.refetch(Event("click", tab.find("#out"))))  # type: ignore[call-arg]
        assert tab.visited[0].startswith(f"{browser.server.origin}/api/auth/signin?callbackUrl=")
        assert tab.errors == []


def test_a_failed_handler_is_in_the_session_and_the_console() -> None:
    with Browser() as browser:
        browser.sign_in_as("alice")
        tab = browser.open_tab("/account")
        tab.run(lambda: SessionProvider().start())
        browser.network.answer_next("GET /api/auth/csrf", OSError(), times=2)
        tab.run(nextauth_py.sign_out(DOM_EVENT))  # type: ignore[call-arg]
        assert tab.errors == [tab.state.error]
        with pytest.raises(ClientFetchError):
            tab.run(nextauth_py.sign_out())
        assert len(tab.errors) == 1


def test_a_handler_of_a_page_that_has_run_again_is_in_the_console() -> None:
    """It belongs to a provider that is closed."""
    with Browser() as browser:
        tab = browser.open_tab("/account")
        old, _ = (tab.run(lambda: SessionProvider(None).start()) for _ in range(2))
        tab.run(old.update(DOM_EVENT))
        assert "is closed" in str(*tab.errors)
        with pytest.raises(RuntimeError, match="is closed"):
            tab.run(old.update())
