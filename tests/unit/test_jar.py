"""The cookies of a visitor: what was set last counts, for the next request and for the response."""

from __future__ import annotations

from nextauth_py.server.headers import Jar


def test_a_cookie_that_is_set_replaces_the_one_that_came() -> None:
    jar = Jar("a=1; b=2=2")
    jar.take(["a=3; Path=/; HttpOnly"])
    assert jar.header == "a=3; b=2=2"
    assert jar.lines == ["a=3; Path=/; HttpOnly"]


def test_of_several_for_one_cookie_the_last_counts() -> None:
    jar = Jar("")
    jar.take(["a=1; Path=/", "b=1; Path=/"])
    jar.take(["a=2; Path=/"])
    assert jar.header == "a=2; b=1"
    assert jar.lines == ["a=2; Path=/", "b=1; Path=/"]


def test_a_cookie_that_is_cleared_is_not_sent_again() -> None:
    jar = Jar("a=1; b=2")
    jar.take(["a=; Max-Age=0"])
    assert jar.header == "b=2"
    assert jar.lines == ["a=; Max-Age=0"]


def test_what_is_no_cookie_is_left_out() -> None:
    assert Jar("nonsense; a=1;;").header == "a=1"
    assert not Jar("nonsense")
