"""Auth servers that are reached at another address than visitors use, and at paths with a slash behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from demo.serve import AuthServer, install_server
from nextauth_py import ClientFetchError
from nextauth_py.server import AUTH_COOKIES, BlockingVisitor

from . import SITE_SCRIPT
from .conftest import header
from .raw import OFFER, RawServer, answer
from .sites import SITES, site

Ask = Callable[..., Any]

PUBLIC = "https://shop.example"


@pytest.fixture(scope="module", params=["v4", "v5"])
def auth_server(request: pytest.FixtureRequest) -> Iterator[AuthServer]:
    """In place of the one that knows its address."""
    install_server()
    with AuthServer({}, script=SITE_SCRIPT, generation=request.param) as server:
        yield server


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """As each test says."""
    for name in ("NEXTAUTH_URL", "NEXTAUTH_URL_INTERNAL", "AUTH_URL", "VERCEL_URL"):
        monkeypatch.delenv(name, raising=False)


# --- behind TLS ---


@pytest.fixture
def alice(auth_server: AuthServer) -> dict[str, str]:
    """The cookies of a visitor who has signed in through the proxy."""
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "shop.example"}
    cookies: dict[str, str] = {}

    def keep(response: httpx.Response) -> None:
        for line in response.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            cookies[name] = value

    with httpx.Client(base_url=f"{auth_server.url}/api/auth/", headers=forwarded) as client:
        found = client.get("csrf/")
        keep(found)
        form = {
            "csrfToken": found.json()["csrfToken"],
            "username": "alice",
            "password": "wonder",
            "json": "true",
        }
        headers = {"Cookie": header(cookies), "X-Auth-Return-Redirect": "1"}
        client.cookies.clear()
        keep(client.post("callback/credentials/", data=form, headers=headers))
    return cookies


@pytest.mark.parametrize("variable", ["NEXTAUTH_URL", "AUTH_URL"])
def test_a_server_behind_tls_knows_its_visitors(
    visit: Ask,
    auth_server: AuthServer,
    alice: dict[str, str],
    variable: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEXTAUTH_URL_INTERNAL", auth_server.url)
    monkeypatch.setenv(variable, PUBLIC)
    visitor = visit({"Cookie": header(alice)}, cookies=AUTH_COOKIES)
    assert visitor.get_session().user.name == "Alice Liddell"
    assert all(line.startswith("__") for line in visitor.set_cookies)


@pytest.mark.parametrize("name", SITES)
def test_a_protected_route_knows_them_too(
    auth_server: AuthServer, alice: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTAUTH_URL_INTERNAL", auth_server.url)
    monkeypatch.setenv("NEXTAUTH_URL", PUBLIC)
    headers = {"Cookie": header(alice), "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    assert site(name)("/me", headers).body == b"Alice Liddell"


def forwarded(raw: RawServer) -> list[tuple[str, str]]:
    """What each request says of the public address."""
    found = []
    for request in raw.requests:
        lines = dict(line.split(": ", 1) for line in request.decode().lower().split("\r\n") if ": " in line)
        found.append((lines.get("x-forwarded-proto", ""), lines.get("x-forwarded-host", "")))
    return found


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"NEXTAUTH_URL": PUBLIC}, ("https", "shop.example")),
        ({"AUTH_URL": f"{PUBLIC}/auth"}, ("https", "shop.example")),
        ({"VERCEL_URL": "shop.vercel.example"}, ("https", "shop.vercel.example")),
        ({"NEXTAUTH_URL": PUBLIC, "AUTH_URL": "http://other.example"}, ("https", "shop.example")),
        ({"NEXTAUTH_URL": "https://Shop.Example:443/"}, ("https", "shop.example")),
        ({"NEXTAUTH_URL": "https://shop.example:8443"}, ("https", "shop.example:8443")),
        ({"NEXTAUTH_URL": "http://[::1]:3000"}, ("http", "[::1]:3000")),
        ({"NEXTAUTH_URL": "https://b\u00fccher.example"}, ("https", "xn--bcher-kva.example")),
        ({}, ("", "")),
    ],
    ids=str,
)
def test_an_internal_server_gets_its_public_address_in_headers(
    visit: Ask,
    raw: RawServer,
    environment: dict[str, str],
    told: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**environment, "NEXTAUTH_URL_INTERNAL": raw.url}.items():
        monkeypatch.setenv(name, value)
    headers = {"Cookie": "a=1", "X-Forwarded-Proto": "gopher", "X-Forwarded-Host": "evil", "Host": "evil"}
    assert visit(headers).get_session()
    assert visit(headers, base_url=raw.url).get_session()
    assert forwarded(raw) == [told, told]


def test_a_server_at_its_public_address_gets_no_headers(
    visit: Ask, raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTAUTH_URL", raw.url)
    assert visit({"Cookie": "a=1", "X-Forwarded-Proto": "https", "Forwarded": "proto=https"}).get_session()
    assert forwarded(raw) == [("", "")]
    assert b"orwarded" not in raw.requests[0]


@pytest.mark.parametrize("url", ["ftp://shop.example", "https://shop.example:x", "https://b\u00fc..example"])
def test_a_public_address_that_is_none_is_refused(
    visit: Ask, raw: RawServer, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEXTAUTH_URL_INTERNAL", raw.url)
    monkeypatch.setenv("NEXTAUTH_URL", url)
    with pytest.raises(ValueError, match="NEXTAUTH_URL"):
        visit({})


# --- slashes ---


def test_every_route_may_have_a_slash_behind(visit: Ask, auth_server: AuthServer) -> None:
    visitor = visit({}, base_url=auth_server.url)
    assert visitor.get_csrf_token()
    assert list(visitor.get_providers()) == ["credentials"]
    assert any("csrf-token" in line for line in visitor.set_cookies)


def redirecting(*locations: bytes, status: bytes = b"308 Permanent Redirect") -> Callable[[bytes], Any]:
    """Answers the first requests so, and all others with a session."""
    left = list(locations)

    def answers(_: bytes) -> list[bytes]:
        if left:
            return [answer("", b"Location: " + left.pop(0), b"Set-Cookie: on-the-way=1", status=status)]
        return [answer(OFFER, b"Set-Cookie: session=1")]

    return answers


@pytest.mark.parametrize("status", [b"307 Temporary Redirect", b"308 Permanent Redirect"])
@pytest.mark.parametrize(
    "location", ["/api/auth/session/", "session/", "{url}/api/auth/session/", "/api/auth/session/#top"]
)
def test_a_slash_behind_the_path_is_followed(
    visit: Ask, raw: RawServer, status: bytes, location: str
) -> None:
    raw.answers = redirecting(location.format(url=raw.url).encode(), status=status)
    visitor = visit({"cookie": "a=1"}, base_url=raw.url)
    assert visitor.get_session().user.name == "Alice Liddell"
    assert [request.split(b" ", 2)[1] for request in raw.requests] == [
        b"/api/auth/session",
        b"/api/auth/session/",
    ]
    assert raw.cookies == [b"a=1", b"a=1"]
    assert visitor.set_cookies == ["on-the-way=1", "session=1"]


@pytest.mark.parametrize(
    "location",
    [
        "",
        "/api/auth/session",
        "/api/auth/session//",
        "/api/auth/session/?a=1",
        "/api/auth/session/x",
        "/api/auth/",
        "/login/",
        "//evil.example/api/auth/session/",
        "http://evil.example/api/auth/session/",
        "http://127.0.0.1:9/api/auth/session/",
        "http://x@{host}/api/auth/session/",
        "https://{host}/api/auth/session/",
        "http://[",
        "\\api\\auth\\session\\",
    ],
)
def test_nothing_else_is_followed(visit: Ask, raw: RawServer, location: str) -> None:
    host = raw.url.partition("//")[2]
    raw.answers = redirecting(location.format(host=host).encode())
    with pytest.raises(ClientFetchError, match="HTTP 308; it redirects elsewhere, which is not followed"):
        visit({"cookie": "a=1"}, base_url=raw.url).get_session()
    assert len(raw.requests) == 1


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"303 See Other"])
def test_no_other_status_is_followed(visit: Ask, raw: RawServer, status: bytes) -> None:
    raw.answers = redirecting(b"/api/auth/session/", status=status)
    with pytest.raises(ClientFetchError, match="it redirects elsewhere"):
        visit({"cookie": "a=1"}, base_url=raw.url).get_session()
    assert len(raw.requests) == 1


@pytest.mark.parametrize("second", [b"/api/auth/session/", b"/api/auth/session//", b"/api/auth/session"])
def test_redirects_do_not_go_round_in_circles(visit: Ask, raw: RawServer, second: bytes) -> None:
    raw.answers = redirecting(b"/api/auth/session/", second, second)
    with pytest.raises(ClientFetchError, match="it redirects elsewhere"):
        visit({"cookie": "a=1"}, base_url=raw.url).get_session()
    assert len(raw.requests) == 2


def test_the_timeout_is_for_both_answers(visit: Ask, raw: RawServer) -> None:
    first = redirecting(b"/api/auth/session/")
    raw.answers = lambda request: (
        raw.drip(b"HTTP/1.1 200 OK\r\n" + b"x" * 10_000) if b"session/ " in request else first(request)
    )
    with pytest.raises(ClientFetchError, match=r"no answer within 0.2 s"):
        visit({"cookie": "a=1"}, base_url=raw.url, timeout=0.2).get_session()


def test_many_threads_follow_it(raw: RawServer) -> None:
    raw.answers = lambda request: (
        [answer(OFFER)]
        if b"session/ " in request
        else [answer("", b"Location: /api/auth/session/", status=b"308 Permanent Redirect")]
    )

    async def ask() -> list[Any]:
        visitors = [BlockingVisitor[Any]({"cookie": f"a={at}"}, base_url=raw.url) for at in range(20)]
        return list(await asyncio.gather(*(asyncio.to_thread(visitor.get_session) for visitor in visitors)))

    assert all(asyncio.run(ask()))
