"""One question to the auth server: what is sent, and what an answer may cost in time and memory."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from nextauth_py import ClientFetchError, NextAuthError
from nextauth_py.core.bounded_json import loads
from nextauth_py.server import AUTH_COOKIES, BlockingVisitor, Visitor
from nextauth_py.server.fetch import LIMIT

from .raw import OFFER, RawServer, answer

Ask = Callable[..., Any]


@pytest.fixture(autouse=True)
def _the_environment_names_the_server(raw: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of the one for real servers."""
    monkeypatch.setenv("NEXTAUTH_URL", raw.url)


# --- time ---


def in_chunks(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + (
        b"1\r\n \r\n" * size
    )


@pytest.mark.parametrize(
    "dripped",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\nContent-Type: application/json\r\n\r\n" + b" " * 10_000,
        in_chunks(2_000),
    ],
    ids=["headers", "informational answers", "body", "chunks"],
)
def test_the_timeout_is_for_the_whole_answer(visit: Ask, raw: RawServer, dripped: bytes) -> None:
    raw.answers = lambda _: raw.drip(dripped)
    with pytest.raises(ClientFetchError, match=r"no answer within 0.2 s"):
        visit({"cookie": "a=b"}, timeout=0.2).get_session()


def test_the_timeout_is_for_the_body_that_comes_after_prompt_headers(visit: Ask, raw: RawServer) -> None:
    def answers(_: bytes) -> Iterator[bytes]:
        head, _, body = answer(b" " * 10_000).partition(b"\r\n\r\n")
        yield head + b"\r\n\r\n"
        yield from raw.drip(body)

    raw.answers = answers
    with pytest.raises(ClientFetchError, match=r"no answer within 0.2 s"):
        visit({"cookie": "a=b"}, timeout=0.2).get_csrf_token()


def test_an_answer_that_comes_slowly_but_in_time_counts(visit: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: raw.drip(answer(OFFER))
    assert visit({"cookie": "a=b"}, timeout=60).get_session().user.name == "Alice Liddell"


def test_a_blocking_visitor_tries_each_address_of_a_host(
    raw: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def addresses(host: str, port: int, *_: object, **__: object) -> list[Any]:
        return [(2, 1, 6, "", ("127.0.0.254", 9)), (2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("nextauth_py.server.fetch.socket.getaddrinfo", addresses)
    # By name, for each connection resolves what it is given.
    assert BlockingVisitor({"cookie": "a=b"}, base_url=raw.url).get_session()


# --- length ---


def test_an_answer_of_any_proper_length_is_read(visit: Ask, raw: RawServer) -> None:
    note = "x" * (LIMIT // 2)
    raw.answers = lambda _: [answer({**OFFER, "note": note})]
    assert visit({"cookie": "a=b"}).get_session().note == note


@pytest.mark.parametrize("head", [b"Content-Length: 1073741824", b"X-No-Length: 1"])
def test_an_answer_that_is_too_long_is_a_failure(visit: Ask, raw: RawServer, head: bytes) -> None:
    def answers(_: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n\r\n"
        while True:
            yield b" " * 65536

    raw.answers = answers
    with pytest.raises(ClientFetchError, match="longer than 1,048,576 bytes"):
        visit({"cookie": "a=b"}).get_session()


def zeros(size: int) -> bytes:
    """Gzip that becomes so many megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size)) + packer.flush()


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_short_answer_does_not_become_a_long_one(visit: Ask, raw: RawServer, times: int) -> None:
    body = zeros(200)
    for _ in range(times - 1):
        body = gzip.compress(body)
    coding = b"Content-Encoding: " + b", ".join([b"gzip"] * times)
    raw.answers = lambda _: [answer(body, coding)]
    tracemalloc.start()
    try:
        with pytest.raises(ClientFetchError):
            visit({"cookie": "a=b"}).get_session()
        assert tracemalloc.get_traced_memory()[1] < 20 * LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("coding", [b"gzip", b"x-gzip", b"GZIP", b"identity", b""])
def test_an_answer_that_a_proxy_has_compressed_unasked_is_read(
    visit: Ask, raw: RawServer, coding: bytes
) -> None:
    text = json.dumps(OFFER).encode()
    body = gzip.compress(text) if coding.lower().endswith(b"gzip") else text
    raw.answers = lambda _: [answer(body, b"Content-Encoding: " + coding)]
    assert visit({"cookie": "a=b"}).get_session().user.name == "Alice Liddell"


@pytest.mark.parametrize("coding", [b"br", b"zstd", b"deflate", b"gzip, gzip", b"gzip"])
def test_an_answer_in_another_coding_than_asked_for_is_a_failure(
    visit: Ask, raw: RawServer, coding: bytes
) -> None:
    raw.answers = lambda _: [answer(json.dumps(OFFER), b"Content-Encoding: " + coding)]
    with pytest.raises(ClientFetchError, match="compressed"):
        visit({"cookie": "a=b"}).get_session()


# --- answers of an odd kind ---


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_an_answer_that_is_nested_too_deeply_is_a_failure(visit: Ask, raw: RawServer, depth: int) -> None:
    body = '{"user":' + "[" * depth + "]" * depth + ',"expires":"2099-01-01T00:00:00Z"}'
    raw.answers = lambda _: [answer(body)]
    visitor = visit({"cookie": "a=b"})
    assert visitor.session_script() == ""
    for ask in (visitor.get_session, visitor.get_csrf_token, visitor.get_providers):
        with pytest.raises(NextAuthError):
            ask()


ODD = [
    '{"user":{"name":"half \\ud83d"},"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{"\\ud83d":1},"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{"name":"</script><!--"},"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{"name":"\\u0000\\u2028"},"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{},"ratio":NaN,"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{},"ratio":-Infinity,"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{},"ratio":1e999,"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{},"count":' + "9" * 5_000 + ',"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{},"count":' + "9" * 400 + ',"expires":"2099-01-01T00:00:00Z"}',
    '{"user":{},"deep":' + "[" * 300 + "]" * 300 + ',"expires":"2099-01-01T00:00:00Z"}',
    '\ufeff{"user":{"name":"after a mark"},"expires":"2099-01-01T00:00:00Z"}',
]


@pytest.mark.parametrize("body", ODD, ids=range(len(ODD)))
def test_a_page_gets_any_session_as_the_server_wrote_it_or_none(
    visit: Ask, raw: RawServer, body: str
) -> None:
    raw.answers = lambda _: [answer(body)]
    script = visit({"cookie": "a=b"}).session_script()
    assert script.isascii()
    if script:
        text = script.removeprefix('<script type="application/json" id="nextauth-session">')
        text = text.removesuffix("</script>")
        assert not set("<>&") & set(text)
        assert json.loads(text, parse_constant=pytest.fail) == loads(body.removeprefix("\ufeff"))


def test_half_an_emoji_and_a_byte_order_mark_are_in_the_page(visit: Ask, raw: RawServer) -> None:
    for body, told in ((ODD[0], '"half \\ufffd"'), (ODD[-1], "after a mark")):
        raw.answers = lambda _, body=body: [answer(body)]  # type: ignore[misc]
        assert told in visit({"cookie": "a=b"}).session_script()


def test_bytes_that_are_no_text_are_replaced(visit: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(b'{"user":{"name":"\xff"},"expires":"2099-01-01T00:00:00Z"}')]
    assert visit({"cookie": "a=b"}).get_session().user.name == "\ufffd"


def test_a_server_that_finds_the_cookies_too_long_says_what_to_do(visit: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: [answer(b"", status=b"431 Request Header Fields Too Large")]
    with pytest.raises(ClientFetchError, match="pass on its own only: cookies=") as caught:
        visit({"cookie": "a=b"}).get_session()
    assert caught.value.status == 431


# --- cookies there ---

AS_IT_CAME = [
    b"a=1; b=2; a=3",
    b"a=1;b=2;;  c=3 ;",
    b'quoted="x y, z"; empty=; nameless; =noname; a=b=c==',
    b"latin=\xfc; utf8=\xc3\xbc; broken=\xc3; high=\xff\x80",
    b"odd{name}[0]:/?@=1; tab=a\tb; __Host-x=1; $Version=1",
    b"a=" + b"x" * 60_000,
]


@pytest.mark.parametrize("header", AS_IT_CAME, ids=range(len(AS_IT_CAME)))
def test_cookies_are_passed_on_as_they_came(visit: Ask, raw: RawServer, header: bytes) -> None:
    assert visit([(b"Cookie", header)]).get_session()
    assert visit({"Cookie": header.decode("latin-1")}).get_session()
    assert raw.cookies == [header, header]


def test_cookies_that_were_decoded_as_utf_8_are_passed_on_too(visit: Ask, raw: RawServer) -> None:
    for text in ("a=\u20ac", "a=\u20ac; broken=\udcff", "a=\ud83d"):
        assert visit({"Cookie": text}).get_session()
    assert raw.cookies == [b"a=\xe2\x82\xac", b"a=\xe2\x82\xac; broken=\xff", b"a=\xed\xa0\xbd"]


def test_several_cookie_headers_are_passed_on_as_one(visit: Ask, raw: RawServer) -> None:
    assert visit([("cookie", "a=1"), ("x", "y"), (b"COOKIE", b"b=2; a=3")]).get_session()
    assert raw.cookies == [b"a=1; b=2; a=3"]


@pytest.mark.parametrize(
    "bad", ["x=1\r\nX-Evil: 1", "x=\r", "x=\n", "x=\0", "x=\x01", "x=\x0b", "x=\x7f", "\x1fx=1"]
)
def test_a_cookie_that_no_header_may_carry_is_dropped_alone(visit: Ask, raw: RawServer, bad: str) -> None:
    assert visit({"Cookie": f"a=1; {bad}; b=2"}).get_session()
    assert raw.cookies == [b"a=1; b=2"]
    assert b"Evil" not in raw.requests[0]


def test_nobody_is_signed_in_by_a_cookie_that_no_header_may_carry(visit: Ask, raw: RawServer) -> None:
    assert visit({"Cookie": "x=1\r\nX-Evil: 1"}).get_session() is None
    assert raw.requests == []


def test_cookies_set_during_a_visit_replace_the_visitors(visit: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: [
        answer({"csrfToken": "t", **OFFER}, b"Set-Cookie: csrf=new; Path=/", b"Set-Cookie: gone=; Max-Age=0")
    ]
    visitor = visit([(b"cookie", b"a=1;csrf=old; gone=x; b=\xfc")])
    visitor.get_csrf_token()
    visitor.get_session()
    assert raw.cookies == [b"a=1;csrf=old; gone=x; b=\xfc", b"a=1;csrf=new; b=\xfc"]


def test_cookies_of_the_server_are_handed_back_as_they_came(visit: Ask, raw: RawServer) -> None:
    lines = [b"a=\xe2\x82\xac; Path=/", b"b=\xfc; Priority=High; Partitioned; Secure"]
    raw.answers = lambda _: [answer(OFFER, *(b"Set-Cookie: " + line for line in lines))]
    visitor = visit({"cookie": "x=1"})
    visitor.get_session()
    assert [line.encode("latin-1") for line in visitor.set_cookies] == lines


# --- the cookies option ---

MIXED = (
    "a=1; next-auth.session-token=1; __Secure-next-auth.session-token.0=2; authjs.csrf-token=3; "
    "__Host-authjs.csrf-token=4; site.session=5; next-authX=6; xauthjs.a=7; AUTHJS.a=8; nameless"
)


@pytest.mark.parametrize(
    ("names", "passed"),
    [
        (
            AUTH_COOKIES,
            "next-auth.session-token=1; __Secure-next-auth.session-token.0=2; authjs.csrf-token=3; "
            "__Host-authjs.csrf-token=4",
        ),
        (
            ["next-auth.session-token"],
            "next-auth.session-token=1; __Secure-next-auth.session-token.0=2",
        ),
        ({"__Host-authjs.csrf-token"}, "__Host-authjs.csrf-token=4"),
        (("*.session*",), "next-auth.session-token=1; __Secure-next-auth.session-token.0=2; site.session=5"),
    ],
)
def test_only_the_cookies_that_are_named_are_passed_on(
    visit: Ask, raw: RawServer, names: Any, passed: str
) -> None:
    assert visit({"Cookie": MIXED}, cookies=names).get_session()
    assert raw.cookies == [passed.encode()]
    raw.answers = lambda _: [answer({"csrfToken": "t"})]
    visit({"Cookie": MIXED}, cookies=names).get_csrf_token()
    assert raw.cookies == [passed.encode()] * 2


def test_nobody_is_signed_in_where_none_of_the_cookies_is_named(visit: Ask, raw: RawServer) -> None:
    assert visit({"Cookie": "a=1; b=2"}, cookies=AUTH_COOKIES).get_session() is None
    assert raw.requests == []


def test_a_csrf_cookie_of_the_visit_is_sent_back_though_it_is_not_named(visit: Ask, raw: RawServer) -> None:
    raw.answers = lambda _: [answer({"csrfToken": "t"}, b"Set-Cookie: own.csrf=1")]
    visitor = visit({"Cookie": "a=1"}, cookies=["own.session"])
    visitor.get_csrf_token()
    visitor.get_csrf_token()
    assert raw.cookies == [b"own.csrf=1"]


@pytest.mark.parametrize(
    ("names", "error"),
    [
        ("authjs.session-token", TypeError),
        (b"authjs.session-token", TypeError),
        ({"authjs.session-token": "value"}, TypeError),
        ((name for name in ["a"]), TypeError),
        (7, TypeError),
        ([b"authjs.session-token"], TypeError),
        ([None], TypeError),
        ([], ValueError),
        ([""], ValueError),
        (["a=b"], ValueError),
        (["a; b"], ValueError),
        (["a b"], ValueError),
        (["a\n"], ValueError),
    ],
)
def test_wrong_names_of_cookies_are_refused(visit: Ask, names: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="cookie"):
        visit({}, cookies=names)


def test_a_visitors_long_names_cost_no_more_than_their_length(raw: RawServer) -> None:
    visitor = BlockingVisitor({"Cookie": "auth" * 15_000 + "=1"}, cookies=["*auth*auth*auth*auth*x"])
    assert visitor.get_session() is None


def test_two_visitors_at_once_have_a_deadline_each(raw: RawServer) -> None:
    async def ask() -> list[Any]:
        raw.answers = lambda request: (
            raw.drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000)
            if b"slow=1" in request
            else [answer(OFFER)]
        )
        slow: Visitor[Any] = Visitor({"cookie": "slow=1"}, timeout=0.2)
        fast: Visitor[Any] = Visitor({"cookie": "a=b"})
        return list(await asyncio.gather(slow.get_session(), fast.get_session(), return_exceptions=True))

    slow, fast = asyncio.run(ask())
    assert isinstance(slow, ClientFetchError)
    assert fast.user.name == "Alice Liddell"
