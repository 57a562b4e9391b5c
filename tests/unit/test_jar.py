"""The cookies of a visitor: passed on as they came, but for what the auth server has set since."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nextauth_py.server.cookies import Jar, checked_cookies, cookie_header


@pytest.mark.parametrize(
    "header",
    [
        b"a=1; b=2=2",
        b"a=1; a=2; A=3",
        b"a=1;b=2 ;;  c = 3;",
        b'quoted="x; y"; empty=; nameless; =noname',
        b"odd{name}=\xff\xfe\xc3\xbc; tab=x\ty",
        b"a=" + b"x" * 100_000,
    ],
)
def test_a_header_is_passed_on_as_it_came(header: bytes) -> None:
    jar = Jar(header)
    assert jar
    assert jar.header == header


def test_a_cookie_that_is_set_takes_the_place_of_the_one_that_came() -> None:
    jar = Jar(b"a=1;b=2=2;  c=\xff; a=2")
    jar.take(["b=3; Path=/; HttpOnly"])
    assert jar.header == b"a=1;b=3;  c=\xff; a=2"
    assert jar.lines == ["b=3; Path=/; HttpOnly"]


def test_a_cookie_that_is_set_takes_the_place_of_all_of_its_name() -> None:
    jar = Jar(b"a=1; b=2; a=3; A=4; a")
    jar.take(["a=5"])
    assert jar.header == b"a=5; b=2; A=4; a"


def test_a_new_cookie_comes_last() -> None:
    jar = Jar(b"a=1; ")
    jar.take(["b=2"])
    assert jar.header == b"a=1; b=2"
    jar = Jar(b"")
    jar.take(["b=2"])
    assert jar.header == b"b=2"


def test_of_several_for_one_cookie_the_last_counts() -> None:
    jar = Jar(b"")
    jar.take(["a=1; Path=/", "b=1; Path=/"])
    jar.take(["a=2; path=/"])
    assert jar.header == b"a=2; b=1"
    assert jar.lines == ["a=2; path=/", "b=1; Path=/"]


def test_cookies_of_one_name_for_other_paths_or_domains_are_handed_back_each() -> None:
    lines = ["a=1; Path=/", "a=2; Path=/x", "a=3; Path=/; Domain=b.example"]
    jar = Jar(b"")
    jar.take([*lines, "a=4; Path=/; Domain=.B.example"])
    assert jar.lines == [*lines[:2], "a=4; Path=/; Domain=.B.example"]


@pytest.mark.parametrize(
    "line",
    [
        "a=; Max-Age=0",
        "a=",
        "a=x; max-age=-1",
        "a=x; Max-Age=00; Expires=Thu, 01 Jan 2099 00:00:00 GMT",
        "a=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ],
)
def test_a_cookie_that_is_cleared_is_not_sent_again(line: str) -> None:
    jar = Jar(b"a=1; b=2; a=3")
    jar.take([line])
    assert jar.header == b"b=2"
    assert jar.lines == [line]


@pytest.mark.parametrize(
    "attributes",
    ["", "Max-Age=600", f"Max-Age={'9' * 5_000}", "Expires=Thu, 01 Jan 2099 00:00:00 GMT", "Expires=never"],
)
def test_a_cookie_that_lasts_is_sent(attributes: str) -> None:
    jar = Jar(b"a=1")
    jar.take([f"a=2; {attributes}"])
    assert jar.header == b"a=2"


@pytest.mark.parametrize("header", [b"", b" ", b";;", b"nameless", b"a=\x00", b"a=1\r\nX: y"])
def test_without_a_cookie_there_is_no_session(header: bytes) -> None:
    assert not Jar(header)


@given(st.binary())
def test_no_header_of_any_bytes_breaks_a_request(header: bytes) -> None:
    sent = Jar(header).header
    assert not set(sent) & {*range(9), *range(10, 32), 127}
    assert sent == sent.strip(b" \t")
    assert Jar(sent).header == sent


def test_an_invalid_cookie_line_is_ignored() -> None:
    jar = Jar(b"a=1")
    jar.take(["nonsense", "", "b=\x01", "c=1; Path=/\x7f"])
    assert (jar.header, jar.lines) == (b"a=1", [])


def test_a_header_is_found_under_any_spelling_and_of_any_type() -> None:
    assert cookie_header({"COOKIE": " a=1 "}) == b"a=1"
    assert cookie_header([(b"Cookie", b"a=\xff"), ("cookie", ""), ("cookie", "b=\xff")]) == b"a=\xff; b=\xff"
    assert cookie_header({}) == b""


@pytest.mark.parametrize("headers", [{"Cookie": None}, {"Cookie": 7}, [("Cookie",)], [1], {1: "a"}])
def test_invalid_headers_are_refused(headers: object) -> None:
    with pytest.raises(TypeError, match="a request of a web framework"):
        cookie_header(headers)


@pytest.mark.parametrize(
    ("name", "cookie", "fits"),
    [
        ("a.b", "a.b", True),
        ("a.b", "axb", False),
        ("a.b", "__Secure-a.b", True),
        ("a.b", "__Host-a.b.12", True),
        ("a.b", "a.b.c", False),
        ("a.b", "a.b.", False),
        ("a.b", "xa.b", False),
        ("a.b", "A.B", False),
        ("__Secure-a", "a", False),
        ("a*", "a", True),
        ("a*c*e", "abcde", True),
        ("a*c*e", "ace.0", True),
        ("a*c*e", "aec", False),
        ("*", "anything at all", True),
        ("\u00fc", "\u00fc", True),
        ("a?[b]", "a?[b]", True),
    ],
)
def test_a_name_stands_for_its_prefixed_forms_and_its_chunks(name: str, cookie: str, fits: bool) -> None:
    jar = Jar(f"{cookie}=1".encode("latin-1"), checked_cookies([name]))
    assert bool(jar) is fits


@pytest.mark.parametrize("header", [b"a=1", b";".join(b"c%d=" % number for number in range(8_000))])
def test_very_many_cookies_cost_no_more_than_each_its_share(header: bytes) -> None:
    jar = Jar(header)
    began = time.process_time()
    jar.take(f"n{number}=1" for number in range(6_000))
    jar.take(f"n{number}=; Max-Age=0" for number in range(6_000))
    assert time.process_time() - began < 2
    assert jar.header == header
