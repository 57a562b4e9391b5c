"""Which answers shared caches have kept, or may."""

from __future__ import annotations

import pytest

from nextauth_py.check.caching import check_private, check_providers_kept, storing_reason

from .examples import answer, bad, csrf_cookie

PRIVATE = ("cache-control", "private, no-cache, no-store")


@pytest.mark.parametrize(
    "headers",
    [
        [("cache-control", "public, max-age=60")],
        [("cache-control", "s-maxage=60, stale-while-revalidate")],
        [PRIVATE, ("age", "12")],
        [PRIVATE, ("x-cache", "Hit from cloudfront")],
        [PRIVATE, ("x-cache", "MISS, HIT")],
        [PRIVATE, ("cf-cache-status", "HIT")],
        [PRIVATE, ("cf-cache-status", "STALE")],
        [PRIVATE, ("x-vercel-cache", "STALE")],
        [PRIVATE, ("cache-status", "edge; hit; ttl=30")],
        [PRIVATE, ("cdn-cache-control", "max-age=60")],
        [("surrogate-control", "max-age=60")],
    ],
)
def test_an_answer_that_a_shared_cache_keeps_is_an_error(headers: list[tuple[str, str]]) -> None:
    (found,) = bad(check_private("session", answer("/api/auth/session", None, *headers)))
    assert found.startswith("error caching of session: ")


@pytest.mark.parametrize(
    "headers",
    [
        [PRIVATE],
        [("cache-control", "no-store")],
        [("cache-control", "private"), ("age", "0")],
        [("cache-control", "no-cache")],
        [PRIVATE, ("x-cache", "Miss from cloudfront"), ("cf-cache-status", "DYNAMIC")],
        [PRIVATE, ("cache-status", "edge; fwd=uri-miss")],
        [PRIVATE, ("cdn-cache-control", "no-store, max-age=60")],
    ],
)
def test_an_answer_that_none_keeps_is_right(headers: list[tuple[str, str]]) -> None:
    assert bad(check_private("session", answer("/api/auth/session", None, *headers))) == []


def test_an_answer_that_says_nothing_is_warned() -> None:
    (found,) = bad(check_private("csrf", answer("/api/auth/csrf", {})))
    assert found.startswith("warning caching of csrf: no Cache-Control")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("public, max-age=60", True),
        ("max-age=60", True),
        ("s-maxage=60", True),
        ("public, max-age=0", False),
        ("max-age=60, s-maxage=0", False),
        ("max-age=60, private", False),
        ("max-age=60, no-cache", False),
        ("public", False),
    ],
)
def test_what_a_shared_cache_gives_to_others_unasked(value: str, expected: bool) -> None:
    assert bool(storing_reason(answer("/x", "", ("cache-control", value)))) is expected


def test_a_failure_is_not_judged() -> None:
    assert check_private("session", answer("/x", "", ("age", "9"), status=404)) == []


def test_kept_providers_are_a_warning_and_with_cookies_an_error() -> None:
    kept = ("cache-control", "public, max-age=60")
    assert bad(check_providers_kept(answer("/p", {}, kept)))[0].startswith("warning")
    assert bad(check_providers_kept(answer("/p", {}, kept, csrf_cookie())))[0].startswith("error")
    assert check_providers_kept(answer("/p", {})) == []
