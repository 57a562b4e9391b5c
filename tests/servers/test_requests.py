"""What requests may do to protected routes, and what their answers allow, in four frameworks."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
from fastapi import Depends, FastAPI

from nextauth_py import Auth
from nextauth_py.server import AUTH_COOKIES
from nextauth_py.server import django as for_django
from nextauth_py.server import fastapi as for_fastapi
from nextauth_py.server import flask as for_flask
from nextauth_py.server import starlette as for_starlette
from nextauth_py.server.headers import make_private

from .raw import OFFER, RawServer, answer
from .sites import COOKIE, SITES, Get, Reply, _asgi, site
from .test_fetch import AS_IT_CAME, ODD

SIGNED_IN = {"Cookie": f"{COOKIE}=1"}
PAGE = {"Accept": "text/html,*/*"}
PRIVATE = "private, no-cache"


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the one for real servers."""
    monkeypatch.setenv("NEXTAUTH_URL", raw.url)


@pytest.fixture(params=SITES)
def get(request: pytest.FixtureRequest) -> Get:
    return site(request.param)


def is_private(reply: Reply) -> bool:
    """Whether no shared cache may store an answer, as RFC 9111 and RFC 9213 have it."""
    directives = {each.strip().partition("=")[0].lower() for each in reply.one("cache-control").split(",")}
    for_caches = [value for name, value in reply.headers if name.endswith("-cache-control")]
    return (
        "private" in directives
        and not directives & {"public", "s-maxage"}
        and all(value == "no-store" for value in [*for_caches, *reply.all("surrogate-control")])
        and reply.one("x-accel-expires") in {"", "0"}
        and bool({"*", "cookie"} & {each.strip().lower() for each in reply.one("vary").split(",")})
    )


# --- cookies ---


@pytest.mark.parametrize("header", AS_IT_CAME, ids=range(len(AS_IT_CAME)))
def test_the_cookie_header_goes_on_as_it_came(get: Get, raw: RawServer, header: bytes) -> None:
    reply = get("/me", [(b"cookie", header)])
    assert (reply.status, reply.body) == (200, b"Alice Liddell")
    assert raw.cookies == [header]


@pytest.mark.parametrize("bad", [b"x=\x01", b"x=\x7f", b"x=\r\nX-Evil: 1", b"x=\0"])
def test_an_invalid_cookie_does_not_drop_the_others(get: Get, raw: RawServer, bad: bytes) -> None:
    assert get("/me", [(b"cookie", b"a=1; " + bad + b"; b=2")]).status == 200
    assert raw.cookies == [b"a=1; b=2"]
    assert b"Evil" not in raw.requests[0]


@pytest.mark.parametrize("name", [each for each in SITES if "wsgi" not in each and each != "flask"])
def test_cookies_in_several_headers_go_on_as_one(raw: RawServer, name: str) -> None:
    assert site(name)("/me", [(b"cookie", b"a=1"), (b"cookie", b"b=\xfc")]).status == 200
    assert raw.cookies == [b"a=1; b=\xfc"]


LINES = [
    f"{COOKIE}=renewed; Path=/; Expires=Thu, 01 Jan 2099 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax",
    "whole=1; Path=/; Secure; Partitioned; Priority=High",
    "elsewhere=1; Domain=other.example; Path=/",
    "twice=1; Path=/a",
    "twice=2; Path=/b",
    'quoted="a, b"; Path=/',
]


def test_the_servers_cookies_are_handed_back_whole(get: Get, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(OFFER, *(f"Set-Cookie: {line}".encode() for line in LINES))]
    assert get("/me", SIGNED_IN).all("set-cookie") == LINES


def test_a_cookie_of_the_server_that_no_header_may_carry_is_left_out(get: Get, raw: RawServer) -> None:
    raw.answers = lambda _: [
        answer(OFFER, b"Set-Cookie: bad=\x01", b"Set-Cookie: nonsense", b"Set-Cookie: a=1")
    ]
    assert get("/me", SIGNED_IN).all("set-cookie") == ["a=1"]


def test_a_cookie_of_the_server_beyond_ascii_does_not_fail_the_route(get: Get, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(OFFER, "Set-Cookie: odd=\u20ac".encode(), b"Set-Cookie: a=1")]
    reply = get("/me", SIGNED_IN)
    assert reply.status == 200
    assert [line for line in reply.all("set-cookie") if line.isascii()] == ["a=1"]


def test_a_route_that_deletes_the_cookie_has_the_last_word(get: Get, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(OFFER, f"Set-Cookie: {COOKIE}=renewed; Path=/".encode())]
    last = get("/signs-out", SIGNED_IN).all("set-cookie")[-1].lower()
    assert last.startswith(COOKIE)
    assert "max-age=0" in last


# --- caches ---

STATED = [
    {"Cache-Control": "public, max-age=3600"},
    {"cache-control": "PUBLIC,S-MaxAge = 600,max-age=60"},
    {"Cache-Control": 's-maxage="600", no-transform'},
    {"Cache-Control": 'private="Set-Cookie, X-Other", public'},
    {"Cache-Control": 'x="a, public", max-age=1'},
    {"Cache-Control": 'no-cache="open, public'},
    {"Cache-Control": ", ,"},
    {"Cache-Control": "max-age=60", "CDN-Cache-Control": "max-age=600"},
    {"Cloudflare-CDN-Cache-Control": "public", "Surrogate-Control": "max-age=600"},
    {"X-Accel-Expires": "600", "Edge-Control": "max-age=1d"},
    {"Expires": "Thu, 01 Jan 2099 00:00:00 GMT"},
    {"Vary": "Accept-Encoding, X-Cookie-Consent"},
    {"Vary": "*"},
    {"Vary": "COOKIE"},
]


@pytest.mark.parametrize("stated", STATED, ids=str)
def test_no_shared_cache_may_store_a_response(get: Get, stated: dict[str, str]) -> None:
    for path in ("/me", "/stream", "/page"):
        reply = get(f"{path}?{urlencode(stated)}", SIGNED_IN)
        assert reply.status == 200
        assert is_private(reply), reply.headers


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("no-store", "private, no-store"),
        ("No-Store, max-age=0", "private, No-Store, max-age=0"),
        ("private", "private"),
        ("public, max-age=60, immutable", "private, max-age=60, immutable"),
        ("max-age=60, must-revalidate", "private, max-age=60, must-revalidate"),
        ('x="a, public", max-age=1', 'private, x="a, public", max-age=1'),
        ("public", PRIVATE),
        ("", PRIVATE),
        ('no-cache="open, max-age=60', PRIVATE),
    ],
)
def test_directives_for_browsers_are_kept(get: Get, stated: str, kept: str) -> None:
    reply = get(f"/page?{urlencode({'Cache-Control': stated})}", SIGNED_IN)
    assert reply.all("cache-control") == [kept]


@pytest.mark.parametrize("odd", ['"' + '\\"' * 500_000, 'a"b"' * 250_000, '"' * 999_999, '"a,"' * 250_000])
def test_an_odd_header_costs_no_more_than_its_length(odd: str) -> None:
    """Otherwise this would take hours."""
    headers = {"Cache-Control": odd}
    make_private(headers)
    assert headers["Cache-Control"].startswith("private")


def test_vary_headers_are_kept(get: Get) -> None:
    reply = get(f"/page?{urlencode({'Vary': 'Accept-Encoding, X-Cookie-Consent'})}", SIGNED_IN)
    assert reply.one("vary") == "Accept-Encoding, X-Cookie-Consent, Cookie"
    assert get("/page?Vary=*", SIGNED_IN).one("vary") == "*"


def test_the_signed_out_page_is_private_too(get: Get, raw: RawServer) -> None:
    reply = get("/page?Cache-Control=public")
    assert b">null<" in reply.body
    assert is_private(reply)
    assert raw.requests == []


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), (PAGE, 303), (SIGNED_IN, 403), ({**SIGNED_IN, **PAGE}, 303)], ids=str
)
def test_a_refusal_is_private(name: str, headers: dict[str, str], status: int) -> None:
    reply = site(name, auth=Auth(role="owner"))("/me", headers)
    assert reply.status == status
    assert reply.all("cache-control") == [PRIVATE]
    assert is_private(reply)


def test_an_answer_in_place_of_a_failure_is_private(get: Get, raw: RawServer) -> None:
    raw.answers = lambda _: [answer({}, status=b"500 Oops")]
    reply = get("/me", SIGNED_IN)
    assert reply.status == 503
    assert is_private(reply)


def test_a_refusal_clears_the_cookies_that_the_server_clears(get: Get, raw: RawServer) -> None:
    lines = ["a=; Path=/; Max-Age=0", "b=; Path=/; Max-Age=0"]
    raw.answers = lambda _: [answer("null", *(f"Set-Cookie: {line}".encode() for line in lines))]
    reply = get("/me", SIGNED_IN)
    assert reply.status == 401
    assert reply.all("set-cookie") == lines
    assert json.loads(reply.body) in ({"message": "Nobody is signed in."}, {"detail": "Nobody is signed in."})


def test_an_aborted_flask_response_is_private(raw: RawServer) -> None:
    raw.answers = lambda _: [answer(OFFER, b"Set-Cookie: a=1")]
    reply = site("flask")("/aborts", SIGNED_IN)
    assert (reply.status, reply.all("set-cookie")) == (404, ["a=1"])
    assert is_private(reply)


# --- failures ---


@pytest.mark.parametrize("body", [*ODD, "[" * 100_000, '{"user":' * 2_000], ids=range(len(ODD) + 2))
def test_no_session_is_a_server_error(get: Get, raw: RawServer, body: str) -> None:
    raw.answers = lambda _: [answer(body)]
    assert get("/me", SIGNED_IN).status in {200, 503}
    assert get("/page", SIGNED_IN).status == 200


@pytest.mark.parametrize("wait", ["9" * 400, "1e5", "-1", "Thu, 01 Jan 9999 00:00:00 GMT", "12"])
def test_any_wish_to_wait_is_passed_on_as_seconds_or_not(get: Get, raw: RawServer, wait: str) -> None:
    date = b"Date: Thu, 26 Nov 2026 00:00:00 GMT"
    raw.answers = lambda _: [
        answer("{}", b"Retry-After: " + wait.encode(), date, status=b"503 Service Unavailable")
    ]
    reply = get("/me", SIGNED_IN)
    assert reply.status == 503
    assert all(0 <= int(value) <= 24 * 60 * 60 for value in reply.all("retry-after"))


@pytest.mark.parametrize(
    "body",
    [
        {"user": {"name": ["the-secret"]}, "expires": "the-secret"},
        {"message": "the-secret"},
        ["the-secret"],
    ],
)
def test_no_refusal_contains_session_values(get: Get, raw: RawServer, body: Any) -> None:
    raw.answers = lambda _: [answer(body)]
    for headers in (SIGNED_IN, {**SIGNED_IN, **PAGE}):
        reply = get("/me", headers)
        assert reply.status == 503
        assert b"secret" not in reply.body
        assert "secret" not in str(reply.headers)


@pytest.mark.parametrize("location", [b"http://other.example/", b"//other.example", b"http://[", b"/\\x"])
def test_a_redirect_of_the_auth_server_is_not_followed(get: Get, raw: RawServer, location: bytes) -> None:
    raw.answers = lambda _: [answer("", b"Location: " + location, status=b"302 Found")]
    reply = get("/me", {**SIGNED_IN, **PAGE})
    assert (reply.status, reply.all("location")) == (503, [])
    assert len(raw.requests) == 1


# --- where a refusal leads ---

TARGETS = [
    b"/any//evil.example/x",
    b"/any/\\evil.example",
    b"/any/%5cevil.example?a=\\b",
    b"/any/%0d%0aSet-Cookie:%20a=b",
    b"/any/x?a=%0d%0aX:1",
    b"/any/x?a=\r\nX-Evil:1",
    b"/any/x?next=https://evil.example/&b=%zz",
    b"/any/x?a=\xff\xc3\xbc",
    "/any/\u00fc/\u20ac?\u00fc=1".encode(),
    b"/any/%ff%00%7f",
    b"/any/a%3Fb%23c%25d?x#y",
    b"/any/" + b"x" * 4_000,
]


@pytest.mark.parametrize("target", TARGETS, ids=range(len(TARGETS)))
def test_the_return_from_the_sign_in_page_stays_on_this_origin(get: Get, target: bytes) -> None:
    reply = get(target, PAGE)
    if reply.status in {308, 400, 404}:  # the framework's own answer
        return
    (location,) = reply.all("location")
    assert reply.status == 303
    assert location.isascii()
    assert location.isprintable()
    (back,) = parse_qs(urlsplit(location).query, strict_parsing=True)["callbackUrl"]
    assert back.startswith("/any/")
    assert back.isascii()
    assert back.isprintable()
    assert not set('\\ #"<>') & set(back)
    assert urlsplit(urljoin("https://site.example/", back)).netloc == "site.example"


@pytest.mark.parametrize(
    ("target", "back"),
    [
        (b"/any/x?a=1&b=%20c+d", "/any/x?a=1&b=%20c+d"),
        (b"/any/a%3Fb%23c%25d?x", "/any/a%3Fb%23c%25d?x"),
        ("/any/\u00fc?\u00fc=1".encode(), "/any/%C3%BC?%C3%BC=1"),
        (b"/any/a;b=c,d:e@f", "/any/a;b=c,d:e@f"),
        (b"/any/\\x", "/any/%5Cx"),
    ],
)
def test_the_return_address_is_the_requested_page(get: Get, target: bytes, back: str) -> None:
    (location,) = get(target, PAGE).all("location")
    assert parse_qs(urlsplit(location).query)["callbackUrl"] == [back]


@pytest.mark.parametrize(
    ("root", "target", "back"),
    [
        ("/shop", b"/me", "/shop/me"),
        ("/shop/", b"/me", "/shop/me"),
        ("/shop", b"/shop/me", "/shop/me"),
        ("/m", b"/me", "/m/me"),
        ("/m", b"/m/sub/me", "/m/sub/me"),
        ("", b"/sub/me", "/sub/me"),
    ],
)
def test_the_way_back_has_the_path_that_a_proxy_has_taken_away(root: str, target: bytes, back: str) -> None:
    app = FastAPI()
    needed = Depends(for_fastapi.session_required())
    for path in ("/me", "/sub/me"):
        app.get(path, dependencies=[needed])(lambda: "secret")

    async def app_there(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": root}, receive, send)

    headers = [(b"accept", b"text/html")]
    (location,) = _asgi(app_there)(target, headers, "GET").all("location")
    assert parse_qs(urlsplit(location).query)["callbackUrl"] == [back]


@pytest.mark.parametrize(
    ("target", "back"),
    [
        (b"/me", "/app/me"),
        (b"/app/me", "/app/me"),
        (b"/app/in/me", "/app/in/me"),
        (b"/appendix", "/app/appendix"),
    ],
)
def test_it_is_also_behind_a_proxy_that_takes_a_path_away(target: bytes, back: str) -> None:
    app, inner = (FastAPI(dependencies=[Depends(for_fastapi.session_required())]) for _ in range(2))
    for each, path in ((app, "/me"), (app, "/appendix"), (inner, "/me")):
        each.get(path)(lambda: None)
    app.mount("/in", inner)

    async def served(scope: Any, *channels: Any) -> None:
        await app({**scope, "root_path": "/app"}, *channels)

    (location,) = _asgi(served)(target, [(b"accept", b"text/html")], "GET").all("location")
    assert parse_qs(urlsplit(location).query)["callbackUrl"] == [back]


@pytest.mark.parametrize(
    "host", [b"evil.example", b"[", b"a b", b"evil.example:x", b'"><script>', b"\xff", b""]
)
def test_the_host_header_decides_nothing(raw: RawServer, host: bytes) -> None:
    for name in SITES:
        reply = site(name)("/me", [(b"host", host), (b"accept", b"text/html")])
        assert reply.status in {303, 400}
        assert all(value.startswith(f"{raw.url}/api/auth/signin?") for value in reply.all("location"))
        assert "evil" not in str(reply.headers)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/html", 303),
        ("TEXT/HTML;q=0.9", 303),
        ("application/json, text/html", 303),
        ("*/*", 401),
        ("", 401),
        (",;,;q=,text", 401),
        ("\xff\xfe", 401),
        ("application/json, " * 4_000, 401),
    ],
)
def test_only_page_requests_are_redirected(get: Get, accept: str, status: int) -> None:
    assert get("/me", {"Accept": accept}).status == status


def test_no_method_but_get_and_head_is_led_elsewhere() -> None:
    starlette = site("django, asgi")
    assert starlette("/me", PAGE, "HEAD").status == 303
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert starlette("/me", PAGE, method).status == 401


# --- options ---


@pytest.mark.parametrize("module", [for_starlette, for_fastapi, for_flask, for_django])
@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"cookies": "authjs.session-token"}, TypeError),
        ({"cookies": []}, ValueError),
        ({"timeout": 0}, ValueError),
        ({"timeout": "5"}, TypeError),
        ({"session_type": dict}, TypeError),
        ({"base_url": 7}, TypeError),
        ({"base_path": "auth"}, ValueError),
        ({"unknown": 1}, TypeError),
    ],
)
def test_a_wrong_option_is_refused_before_the_first_visitor_comes(
    module: Any, options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        module.session_required(**options)


@pytest.mark.parametrize("name", SITES)
def test_a_protected_route_passes_on_the_named_cookies_only(name: str, raw: RawServer) -> None:
    headers = [(b"cookie", b"site=secret; authjs.session-token.0=a; __Secure-authjs.session-token.1=b")]
    assert site(name, cookies=AUTH_COOKIES)("/me", headers).status == 200
    assert raw.cookies == [b"authjs.session-token.0=a; __Secure-authjs.session-token.1=b"]


@pytest.mark.parametrize("name", SITES)
def test_a_page_for_the_unauthorized_may_have_any_name(name: str) -> None:
    get = site(name, auth=Auth(role="owner", unauthorized="/\u767b\u5f55?a=%20&b=\u00fc#c"))
    (location,) = get("/me", {**SIGNED_IN, **PAGE}).all("location")
    assert location == "/%E7%99%BB%E5%BD%95?a=%20&b=%C3%BC#c"
