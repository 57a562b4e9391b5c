"""Sign-in by a form's fields, and what the session knows of sign-ins that fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest

from nextauth_py import ClientFetchError, SessionProvider, UnsafeRedirectError
from nextauth_py.core.wire import Request
from nextauth_py.testing import json_answer
from nextauth_py.testing.memory import MemoryBrowser, MemoryHost
from nextauth_py.testing.network import Answer

from .conftest import signed_in
from .fake_server import FakeServer

CREDENTIALS = "POST /api/auth/callback/credentials"
SIGN_IN = {"username": "alice", "password": "wonder"}


class NotingServer(FakeServer):
    """Keeps the fields of the last form."""

    fields: list[tuple[str, str]]

    def handle(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        if request.method == "POST":
            pairs = parse_qsl(request.body or "", keep_blank_values=True)
            self.fields = [each for each in pairs if each[0] not in {"csrfToken", "json"}]
        return super().handle(request, cookies)


@pytest.fixture
def server() -> NotingServer:
    return NotingServer()


async def test_fields_are_data_whatever_they_are_called(tab: MemoryHost, server: NotingServer) -> None:
    fields = {
        **SIGN_IN,
        **dict.fromkeys(("redirect", "callback_url", "authorization_params", "provider", "redirectTo"), "x"),
        "tag": ["a", "b"],
    }
    provider = SessionProvider(None, host=tab).start()
    result = await provider.engine.sign_in_by_form("credentials", fields)
    assert result
    assert result.ok
    assert server.fields == [
        *SIGN_IN.items(),
        *dict.fromkeys(
            ("redirect", "callback_url", "authorization_params", "provider", "redirectTo"), "x"
        ).items(),
        *(("tag", "a"), ("tag", "b")),
        ("callbackUrl", "https://app.example/account"),
    ]


@pytest.mark.parametrize(
    ("path", "field", "sent"),
    [
        ("/login?callbackUrl=%2Ftodo", None, "/todo"),
        ("/login?callbackUrl=%2Ftodo&error=x", "", "/todo"),
        ("/login?callbackUrl=%2Ftodo", "/mine", "/mine"),
        ("/login", ["/first", "/last"], "/last"),
        ("/login?callbackUrl=%2Fcaf%C3%A9%3Fa%3D1", None, "/caf\u00e9?a=1"),
        ("/login?callbackUrl=https%3A%2F%2Fapp.example%2Ftodo", None, "https://app.example/todo"),
        ("/login", "todo", "https://app.example/todo"),
        ("/login?callbackUrl=", None, "https://app.example/login?callbackUrl="),
        ("/login?next=%2Ftodo&error=x", None, "https://app.example/login?next=%2Ftodo"),
    ],
)
async def test_where_to_be_afterwards_is_sent_along(
    browser: MemoryBrowser, server: NotingServer, path: str, field: Any, sent: str
) -> None:
    tab = browser.open_tab(path)
    provider = SessionProvider(None, host=tab).start()
    fields = SIGN_IN if field is None else {**SIGN_IN, "callbackUrl": field}
    result = await provider.engine.sign_in_by_form("credentials", fields)
    assert dict(server.fields)["callbackUrl"] == sent
    assert result
    assert result.url == (f"https://app.example{sent}" if sent.startswith("/") else sent)


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://www.app.example"])
async def test_a_server_that_goes_by_another_origin_takes_a_path_for_its_own(
    browser: MemoryBrowser, server: NotingServer, origin: str
) -> None:
    server.origin = origin
    provider = SessionProvider(None, host=browser.open_tab("/login?callbackUrl=%2Ftodo")).start()
    for result in (
        await provider.engine.sign_in_by_form("credentials", SIGN_IN),
        await provider.sign_in("credentials", redirect=False, callback_url="/todo", **SIGN_IN),
        await provider.sign_out(redirect=False, callback_url="/todo"),
    ):
        assert result
        assert result.url == f"{origin}/todo"


@pytest.mark.parametrize("page", ["https://app.example/todo?a=1#b", "https://app.example/login"])
@pytest.mark.parametrize("path", ["/todo?a=1", "/todo?a=2"])
async def test_a_page_goes_on_at_its_own_origin_to_the_place_that_was_asked_for(
    browser: MemoryBrowser, server: NotingServer, page: str, path: str
) -> None:
    tab = browser.open_tab("/todo?a=1#b" if "todo" in page else "/login")
    provider = SessionProvider(None, host=tab).start()
    for call, route in (
        (
            provider.sign_in("credentials", callback_url="/todo?a=1", username="alice", password="wonder"),
            "callback/credentials",
        ),
        (provider.sign_out(callback_url="/todo?a=1"), "signout"),
    ):
        browser.network.answer_next(
            f"POST /api/auth/{route}", json_answer({"url": f"http://localhost:3000{path}"})
        )
        await call
        origin = "https://app.example" if path == "/todo?a=1" else "http://localhost:3000"
        assert tab.visited.pop() == origin + path


async def test_a_path_of_the_page_is_none_of_a_server_elsewhere(
    browser: MemoryBrowser, server: NotingServer
) -> None:
    server.origin = "https://auth.example"
    provider = SessionProvider(None, base_url=server.origin, host=browser.open_tab("/login")).start()
    await provider.sign_in("credentials", redirect=False, callback_url="/todo", **SIGN_IN)
    assert dict(server.fields)["callbackUrl"] == "https://app.example/todo"


async def test_an_unsafe_address_is_refused_before_anything_is_sent(browser: MemoryBrowser) -> None:
    tab = browser.open_tab("/login?callbackUrl=javascript:alert(1)")
    provider = SessionProvider(None, host=tab).start()
    with pytest.raises(UnsafeRedirectError):
        await provider.engine.sign_in_by_form("credentials", SIGN_IN)
    assert not browser.network.log
    assert isinstance(provider.state.error, UnsafeRedirectError)


@pytest.mark.parametrize("value", [{"city": "Bern"}, b"Bern", ["Bern", {}]], ids=str)
async def test_values_that_no_form_can_carry_are_refused_before_a_request(
    tab: MemoryHost, value: object
) -> None:
    provider = SessionProvider(None, host=tab).start()
    with pytest.raises(TypeError, match="'address' is a (dict|bytes); json"):
        await provider.sign_in("credentials", redirect=False, **SIGN_IN, address=value)
    with pytest.raises(TypeError, match="'address' is a (dict|bytes); json"):
        await provider.sign_in("github", authorization_params={"address": value})
    assert not tab.browser.network.log


@pytest.mark.parametrize(
    "route", ["GET /api/auth/providers", "GET /api/auth/csrf", "POST /api/auth/signin/github"]
)
async def test_a_sign_in_that_fails_is_an_error_of_the_session_until_an_answer(
    tab: MemoryHost, route: str
) -> None:
    provider = await signed_in(tab)
    heard: list[tuple[str, str]] = []
    provider.on("error", lambda event: heard.append((event.name, event.reason)))
    tab.browser.network.answer_next(route, OSError())
    with pytest.raises(ClientFetchError):
        await provider.sign_in("github")
    assert heard == [("error", "sign_in")]
    assert isinstance(provider.state.error, ClientFetchError)
    assert provider.state.status == "authenticated"
    await provider.refetch()
    assert provider.state.error is None


async def test_a_mutation_that_fails_counts_once(tab: MemoryHost) -> None:
    provider = await signed_in(tab)
    tab.browser.network.answer_next("GET /api/auth/csrf", OSError())
    with pytest.raises(ClientFetchError):
        await provider.sign_out()
    assert provider.engine.schedule._failures == 1
