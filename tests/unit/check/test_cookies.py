"""Cookies, as browsers read them."""

from __future__ import annotations

import pytest

from nextauth_py.check.cookies import check_cookies, cookie_header, parse_set_cookie, rejection_reason
from nextauth_py.check.findings import Level

from .examples import SITE, TOKEN, answer, bad, csrf_cookie, one

HTTP = "http://shop.example"
LOCAL = "http://localhost:3000"


@pytest.mark.parametrize(
    ("line", "url", "reason"),
    [
        ("a=1; Path=/; Secure", SITE, ""),
        ("a=1; Path=/", HTTP, ""),
        ("a=1; Secure", HTTP, "no TLS"),
        ("a=1; Secure", LOCAL, ""),
        ("__Secure-a=1; Path=/", SITE, "asks for Secure"),
        ("__Host-a=1; Path=/; Secure", SITE, ""),
        ("__Host-a=1; Path=/shop; Secure", SITE, "Path=/"),
        ("__Host-a=1; Path=/; Secure; Domain=shop.example", SITE, "no Domain"),
        ("a=1; Domain=.shop.example", SITE, ""),
        ("a=1; Domain=example", SITE, ""),
        ("a=1; Domain=other.example", SITE, "Domain=other.example"),
        ("a=1; Domain=op.example", SITE, "Domain=op.example"),
        ("a=1; SameSite=None", SITE, "without Secure"),
        ("a=1; SAMESITE=NONE; SECURE", SITE, ""),
    ],
)
def test_which_cookies_browsers_keep(line: str, url: str, reason: str) -> None:
    found = rejection_reason(parse_set_cookie(line), url)
    assert (reason in found) if reason else (found == "")


def test_only_what_is_kept_is_sent_back() -> None:
    lines = [("set-cookie", line) for line in ("a=1; Path=/", "__Host-b=2; Path=/", "c=; Path=/", "d=4")]
    assert cookie_header(answer("/api/auth/csrf", {}, *lines)) == "a=1; d=4"


@pytest.mark.parametrize(
    ("site", "names", "attributes", "expected"),
    [
        (SITE, ["__Host-authjs.csrf-token"], "; Secure", []),
        (LOCAL, ["next-auth.csrf-token"], "", []),
        (
            SITE,
            ["authjs.csrf-token"],
            "",
            ["warning cookies: authjs.csrf-token not Secure: the auth server takes"],
        ),
        (
            HTTP,
            ["__Host-authjs.csrf-token"],
            "; Secure",
            ["error cookies: browsers do not keep __Host-authjs.csrf"],
        ),
        (
            SITE,
            ["authjs.csrf-token", "next-auth.csrf-token"],
            "; Secure",
            ["error cookies: cookies of two generations"],
        ),
        (
            SITE,
            ["authjs.csrf-token", "__Host-authjs.csrf-token"],
            "; Secure",
            ["error cookies: there are several csrf"],
        ),
        (SITE, ["shop.token", "shop.csrf"], "; Secure", ["error cookies: there are several csrf cookies"]),
        (
            SITE,
            ["authjs.csrf-token"],
            "; Secure; SameSite=Strict",
            ["warning cookies: authjs.csrf-token SameSite=Strict"],
        ),
        (
            SITE,
            ["authjs.csrf-token"],
            "; Secure; SameSite=None",
            ["warning cookies: authjs.csrf-token SameSite=None"],
        ),
    ],
)
def test_cookies_of_the_auth_routes(
    site: str, names: list[str], attributes: str, expected: list[str]
) -> None:
    answers = [answer(f"{site}/api/auth/csrf", {}, csrf_cookie(name, attributes)) for name in names]
    found = bad(check_cookies(answers, site))
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))
    assert not any(TOKEN in line for line in found)


def test_a_cookie_that_scripts_can_read_is_warned() -> None:
    line = ("set-cookie", "authjs.callback-url=x; Path=/; Secure; SameSite=Lax")
    assert (
        "scripts can read authjs.callback-url"
        in one(check_cookies([answer("/x", {}, line)], SITE), Level.WARNING).text
    )


def test_prefixed_cookies_on_this_machine_are_a_note() -> None:
    found = check_cookies([answer(f"{LOCAL}/x", {}, csrf_cookie())], LOCAL)
    assert "Safari" in one(found, Level.NOTE).text


def test_a_domain_is_a_note() -> None:
    found = check_cookies(
        [answer("/x", {}, csrf_cookie("authjs.csrf-token", "; Secure; Domain=shop.example"))], SITE
    )
    assert "authjs.csrf-token (shop.example)" in one(found, Level.NOTE).text


def test_cookies_that_a_proxy_has_joined_are_an_error() -> None:
    name, value = csrf_cookie("authjs.csrf-token")
    joined = (name, f"{value}, authjs.callback-url=https%3A%2F%2Fshop.example; Path=/; HttpOnly; Secure")
    assert "joined" in one(check_cookies([answer("/x", {}, joined)], SITE), Level.ERROR).text
    expires = (name, f"{value}; Expires=Wed, 23 Dec 2026 12:32:58 GMT")
    assert bad(check_cookies([answer("/x", {}, expires)], SITE)) == []


def test_cookies_of_others_are_not_judged() -> None:
    assert check_cookies([answer("/x", {}, ("set-cookie", "lb=1"))], SITE) == []
