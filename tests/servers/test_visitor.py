"""Reading a visitor's session on a server, from real auth servers of both generations."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal

import httpx
import pytest

from demo.serve import AuthServer
from nextauth_py import ClientFetchError, Session, SessionValidationError
from nextauth_py.server import (
    AUTH_COOKIES,
    Visitor,
    get_csrf_token,
    get_providers,
    get_session,
)

from .conftest import header
from .control import ServerControl

SESSION, CSRF = "GET /api/auth/session", "GET /api/auth/csrf"

Ask = Callable[..., Any]


def test_the_session_of_a_signed_in_visitor(visit: Ask, alice: dict[str, str]) -> None:
    session = visit({"Cookie": header(alice)}).get_session()
    assert session.user.name == "Alice Liddell"
    assert session.user.role == "admin"


def test_nobody_is_signed_in_without_a_cookie_and_no_server_is_asked(
    visit: Ask, control: ServerControl
) -> None:
    assert visit({}).get_session() is None
    assert control.requests() == []


def test_nobody_is_signed_in_with_a_cookie_that_is_not_the_servers(visit: Ask, alice: dict[str, str]) -> None:
    spoilt = {name: value[::-1] if "session" in name else value for name, value in alice.items()}
    visitor = visit({"Cookie": header(spoilt)})
    assert visitor.get_session() is None
    (cleared,) = [line for line in visitor.set_cookies if "session-token=;" in line]
    assert "Expires=Thu, 01 Jan 1970" in cleared or "Max-Age=0" in cleared


def test_a_session_that_is_asked_for_twice_is_fetched_once(
    visit: Ask, alice: dict[str, str], control: ServerControl
) -> None:
    visitor = visit({"cookie": header(alice)})
    assert visitor.get_session() is visitor.get_session()
    assert control.requests() == [SESSION]


def test_the_renewed_cookie_is_handed_back(
    visit: Ask, alice: dict[str, str], auth_server: AuthServer
) -> None:
    visitor = visit({"cookie": header(alice)})
    visitor.get_session()
    (line,) = [line for line in visitor.set_cookies if "session-token" in line]
    assert "HttpOnly" in line
    name, _, value = line.partition(";")[0].partition("=")
    answer = httpx.get(f"{auth_server.url}/api/auth/session", headers={"Cookie": f"{name}={value}"})
    assert answer.json()["user"]["name"] == "Alice Liddell"


def test_a_csrf_token_goes_with_the_cookie_that_is_handed_back(visit: Ask, auth_server: AuthServer) -> None:
    visitor = visit({})
    token = visitor.get_csrf_token()
    cookies = "; ".join(line.partition(";")[0] for line in visitor.set_cookies)
    form = {"csrfToken": token, "username": "bob", "password": "builder", "json": "true"}
    answer = httpx.post(
        f"{auth_server.url}/api/auth/callback/credentials",
        data=form,
        headers={"Cookie": cookies, "X-Auth-Return-Redirect": "1"},
    )
    assert "session-token" in str(answer.headers.get_list("set-cookie"))


def test_two_csrf_tokens_of_one_visit_are_the_same(visit: Ask) -> None:
    visitor = visit({})
    assert visitor.get_csrf_token() == visitor.get_csrf_token()
    assert len([line for line in visitor.set_cookies if "csrf-token" in line]) == 1


def test_the_providers(visit: Ask, auth_server: AuthServer) -> None:
    (provider,) = visit({}).get_providers().values()
    assert provider.signin_url == f"{auth_server.url}/api/auth/signin/credentials"


def test_the_functions_do_the_same(alice: dict[str, str]) -> None:
    request = [(b"cookie", header(alice).encode())]

    async def ask() -> tuple[Session | None, str | None, list[str]]:
        return await get_session(request), await get_csrf_token(request), list(await get_providers(request))

    session, token, providers = asyncio.run(ask())
    assert session
    assert session.user
    assert session.user.name == "Alice Liddell"
    assert token
    assert token in alice[next(name for name in alice if "csrf" in name)]
    assert providers == ["credentials"]


def test_a_session_type_of_ones_own(visit: Ask, alice: dict[str, str]) -> None:
    class Themed(Session):
        theme: Literal["light", "dark"] = "light"

    class Numbered(Session):
        number: int

    assert visit({"cookie": header(alice)}, session_type=Themed).get_session().theme == "light"
    with pytest.raises(SessionValidationError, match=r"Numbered \(number: missing\)"):
        visit({"cookie": header(alice)}, session_type=Numbered).get_session()


def test_the_page_gets_the_session(visit: Ask, alice: dict[str, str]) -> None:
    assert '"name":"Alice Liddell"' in visit({"cookie": header(alice)}).session_script()
    assert ">null<" in visit({}).session_script()


# --- failures ---


def test_a_session_that_cannot_be_read_is_not_embedded(
    visit: Ask, alice: dict[str, str], control: ServerControl
) -> None:
    control.answer(SESSION, "{}", status=500)
    assert visit({"cookie": header(alice)}).session_script() == ""


@pytest.mark.parametrize(
    ("body", "status", "kind", "told"),
    [
        ('{"message": "down"}', 500, "application/json", "HTTP 500"),
        ("<p>Log in", 200, "text/html", "not JSON"),
        ("[", 200, "application/json", "not valid JSON"),
        ("", 302, "application/json", "HTTP 302"),
    ],
)
def test_no_failure_is_taken_for_signed_out(  # noqa: PLR0917
    visit: Ask, alice: dict[str, str], control: ServerControl, body: str, status: int, kind: str, told: str
) -> None:
    control.answer(SESSION, body, status=status, kind=kind)
    with pytest.raises(ClientFetchError, match=told):
        visit({"cookie": header(alice)}).get_session()


def test_a_server_that_is_too_slow(visit: Ask, alice: dict[str, str], control: ServerControl) -> None:
    control.hold(SESSION)
    with pytest.raises(ClientFetchError, match=r"no answer within 0.2 s"):
        visit({"cookie": header(alice)}, timeout=0.2).get_session()


def test_a_server_that_breaks_off(visit: Ask, alice: dict[str, str], control: ServerControl) -> None:
    control.drop(SESSION)
    with pytest.raises(ClientFetchError, match="cannot be reached"):
        visit({"cookie": header(alice)}).get_session()


def test_a_server_that_is_not_there(visit: Ask) -> None:
    with pytest.raises(ClientFetchError, match="cannot be reached"):
        visit({"cookie": "a=b"}, base_url="http://127.0.0.1:9").get_session()


@pytest.mark.parametrize(
    "odd",
    ["utf8=\u20ac", "latin=\xfc", "broken=\xc3", "control=\x01", "a=b\r\nX-Evil: 1", "nul=\0", "nameless"],
)
def test_an_odd_cookie_of_another_site_prevents_no_sign_in(
    visit: Ask, alice: dict[str, str], odd: str
) -> None:
    for cookies in (f"{odd}; {header(alice)}", f"{header(alice)}; {odd}"):
        assert visit({"cookie": cookies}).get_session().user.name == "Alice Liddell"


def test_the_first_of_two_session_cookies_counts(
    visit: Ask, alice: dict[str, str], bob: dict[str, str]
) -> None:
    assert visit({"cookie": f"{header(alice)}; {header(bob)}"}).get_session().user.name == "Alice Liddell"
    assert visit({"cookie": f"{header(bob)}; {header(alice)}"}).get_session().user.name == "Bob"


def test_the_default_names_of_its_cookies_are_enough_for_the_server(
    visit: Ask, alice: dict[str, str]
) -> None:
    visitor = visit({"cookie": f"site=1; {header(alice)}"}, cookies=AUTH_COOKIES)
    assert visitor.get_session().user.name == "Alice Liddell"
    assert visitor.get_csrf_token() in header(alice)


def test_a_csrf_token_stays_with_its_cookie_beside_a_stale_one(visit: Ask, auth_server: AuthServer) -> None:
    names = {line.partition("=")[0] for line in _csrf_lines(visit({}))}
    stale = "; ".join(f"{name}=stale" for name in names)
    visitor = visit({"cookie": f"a=1; {stale}; {stale}"})
    token = visitor.get_csrf_token()
    assert visitor.get_csrf_token() == token
    (line,) = _csrf_lines(visitor)
    assert token in line


def _csrf_lines(visitor: Any) -> list[str]:
    visitor.get_csrf_token()
    return [line for line in visitor.set_cookies if "csrf-token" in line]


def test_a_server_must_be_named(visit: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NEXTAUTH_URL")
    with pytest.raises(ValueError, match="Set NEXTAUTH_URL"):
        visit({})


def test_the_internal_address_comes_first(
    visit: Ask, alice: dict[str, str], auth_server: AuthServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTAUTH_URL_INTERNAL", auth_server.url)
    monkeypatch.setenv("NEXTAUTH_URL", "https://public.example")
    assert visit({"cookie": header(alice)}).get_session()


@pytest.mark.parametrize("request_", ["a text", None, 7, object()])
def test_other_values_than_requests_are_refused(visit: Ask, request_: object) -> None:
    with pytest.raises(TypeError, match="a request of a web framework"):
        visit(request_)


# --- what is sent ---


async def _serve_once(port: asyncio.Future[int], sent: list[bytes]) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent.append(await reader.readuntil(b"\r\n\r\n"))
        location = b"http://elsewhere.invalid/"
        writer.write(b"HTTP/1.1 302 Found\r\nlocation: " + location + b"\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port.set_result(server.sockets[0].getsockname()[1])
    async with server:
        await server.serve_forever()


def test_only_cookies_are_passed_on_and_no_redirect_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")  # which must not see the cookies
    sent: list[bytes] = []

    async def ask() -> None:
        port: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(_serve_once(port, sent))
        headers = {"Cookie": "a=b; c=d", "Authorization": "Bearer secret", "X-Forwarded-For": "10.0.0.1"}
        visitor: Visitor[Session] = Visitor(headers, base_url=f"http://127.0.0.1:{await port}")
        with pytest.raises(ClientFetchError, match="HTTP 302"):
            await visitor.get_session()
        serving.cancel()

    asyncio.run(ask())
    (request,) = sent
    assert b"cookie: a=b; c=d\r\n" in request.lower()
    assert b"secret" not in request
    assert b"10.0.0.1" not in request
