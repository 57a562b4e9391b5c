"""What the auth routes answer, and what stands in front of them."""

from __future__ import annotations

from typing import Any

import pytest

from nextauth_py.check.answers import Answer
from nextauth_py.check.auth import candidates, check_auth, most_promising, slashed, speaks_nextauth
from nextauth_py.check.findings import Level

from .examples import PRIVATE, SITE, TOKEN, answer, auth, bad, csrf_cookie, html, one, redirect

SESSION = f"{SITE}/api/auth/session"


@pytest.mark.parametrize(
    ("page", "declared", "paths"),
    [
        (f"{SITE}/", [], ["/api/auth", "/auth"]),
        (f"{SITE}/account", [None], ["/api/auth", "/auth"]),
        (
            f"{SITE}/shop/",
            [".evil.example", "@evil.example"],
            ["/api/auth", "/auth", "/shop/api/auth", "/shop/auth"],
        ),
        (
            f"{SITE}/shop/me/page.html?a=/b/",
            ["/own", None],
            [
                *("/own", "/api/auth", "/auth"),
                *("/shop/me/api/auth", "/shop/me/auth", "/shop/api/auth", "/shop/auth"),
            ],
        ),
        (f"{SITE}/shop/", ["/shop/api/auth"], ["/shop/api/auth", "/api/auth", "/auth", "/shop/auth"]),
    ],
)
def test_where_the_routes_may_be(page: str, declared: list[str | None], paths: list[str]) -> None:
    assert candidates(page, declared) == paths


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answer(SESSION, None), True),
        (answer(SESSION, {}), True),
        (answer(SESSION, {"user": {}, "expires": "2099"}), True),
        (answer(SESSION, {"detail": "no"}), False),
        (answer(SESSION, None, status=404), False),
        (answer(SESSION, "nul"), False),
        (answer(SESSION, None, kind="text/plain"), False),
        (answer(SESSION, None, is_whole=False), False),
        (html(SESSION), False),
    ],
)
def test_an_answer_about_a_session_is_recognised(found: Answer, *, expected: bool) -> None:
    assert speaks_nextauth(found) is expected


def test_the_path_that_looks_most_like_nextauth_is_taken() -> None:
    missing, guarded = answer(SESSION, "", status=404), redirect(SESSION, "/login")
    broken, spa = answer(SESSION, {"message": "…"}, status=500), html(SESSION)
    assert most_promising({"/a": missing, "/b": missing}) == "/a"
    assert most_promising({"/a": missing, "/b": spa}) == "/b"
    assert most_promising({"/a": spa, "/b": guarded}) == "/b"
    assert most_promising({"/a": guarded, "/b": broken, "/c": broken}) == "/b"


def test_routes_in_order_have_no_complaint() -> None:
    findings = check_auth(auth())
    assert {each.level for each in findings} == {Level.OK}
    assert findings[0].text == "Auth.js v5, with base_path='/api/auth'"


@pytest.mark.parametrize(
    ("cookie", "body", "name"),
    [
        ("next-auth.csrf-token", {}, "NextAuth v4"),
        ("__Host-next-auth.csrf-token", {}, "NextAuth v4"),
        ("authjs.csrf-token", None, "Auth.js v5"),
        ("shop.csrf", {}, "NextAuth v4"),
        ("shop.csrf", None, "Auth.js v5"),
    ],
)
def test_the_generation_is_told_by_cookies_else_by_the_empty_session(
    cookie: str, body: object, name: str
) -> None:
    routes = auth(
        session=answer(SESSION, body, PRIVATE, csrf_cookie(cookie)),
        csrf=answer(f"{SITE}/api/auth/csrf", {"csrfToken": TOKEN}, PRIVATE, csrf_cookie(cookie)),
    )
    assert check_auth(routes)[0].text == f"{name}, with base_path='/api/auth'"


def test_all_paths_that_were_tried_are_named() -> None:
    missing = answer(SESSION, "", status=404)
    tried = ("/own", "/api/auth", "/auth", "/shop/api/auth", "/shop/auth")
    (found,) = bad(check_auth(auth(session=missing, providers=missing, csrf=missing, tried=tried)))
    assert found.endswith("NextAuth server; also tried: /own, /auth, /shop/api/auth, /shop/auth")
    other = answer(SESSION, {"detail": "?"}, PRIVATE)
    (found,) = bad(check_auth(auth(session=other, tried=("/api/auth", "/auth"))))
    assert found.endswith("; also tried: /auth")
    (found,) = bad(check_auth(auth(session=missing, tried=tried, elsewhere="/own")))
    assert "tried" not in found
    broken = answer(SESSION, {"message": "…"}, status=500)
    found = one(check_auth(auth(session=broken, tried=tried)), Level.ERROR).text
    assert found.endswith("configuration is wrong")


@pytest.mark.parametrize(
    ("session", "seen", "fix"),
    [
        (Answer(SESSION, failure="no answer within 10 s"), "no answer within 10 s", "running"),
        (redirect(SESSION, "/login"), "redirects to /login: a middleware", "matcher"),
        (redirect(SESSION, "/enter?callbackUrl=%2Fapi"), "redirects to /enter: a middleware", "matcher"),
        (
            redirect(SESSION, "https://id.example/x?state=secret"),
            "another origin, https://id.example/x",
            "one origin",
        ),
        (redirect(SESSION, "/elsewhere"), "redirects to /elsewhere (307)", "proxy"),
        (html(SESSION), "HTML page", "before any rule for all pages"),
        (answer(SESSION, "{}", kind="text/plain"), "text/plain, not JSON", "before any rule"),
        (answer(SESSION, "{", kind="application/json"), "cannot be read", "log"),
        (answer(SESSION, {"detail": "?"}), "no session", "before any rule"),
        (answer(SESSION, "", status=404), "answers 404", "--base-path"),
        (answer(SESSION, "", status=400), "does not take this path", "`basePath`"),
        (answer(SESSION, "", status=401), "lets nobody through", "password"),
        (answer(SESSION, "", ("cf-mitigated", "challenge"), status=403), "a firewall", "challenge"),
        (answer(SESSION, {"message": "…"}, status=500), "configuration is wrong", "AUTH_SECRET"),
        (html(SESSION, status=502), "answers 502", "log"),
    ],
)
def test_what_keeps_a_session_from_being_read(session: Answer, seen: str, fix: str) -> None:
    found = one(check_auth(auth(session=session)), Level.ERROR)
    assert found.subject == "session"
    assert seen in found.text
    assert fix in found.advice
    assert "secret" not in str(found)


def test_too_many_requests_are_a_warning() -> None:
    findings = check_auth(auth(session=answer(SESSION, "", status=429)))
    assert "too many requests" in one(findings, Level.WARNING).text


def test_what_is_wrong_with_all_routes_is_said_once() -> None:
    guarded: Any = {
        name: redirect(f"{SITE}/api/auth/{name}", "/login") for name in ("session", "providers", "csrf")
    }
    assert bad(check_auth(auth(**guarded, csrf_again=None))) == [
        "error session: /api/auth redirects to /login: a middleware guards it; nobody can sign in"
    ]


def test_where_nextauth_answers_instead_is_said() -> None:
    missing: Any = {name: answer(SESSION, "", status=404) for name in ("session", "providers", "csrf")}
    findings = check_auth(auth("/auth", elsewhere="/api/auth", **missing, csrf_again=None))
    assert "/auth answers 404" in one(findings, Level.ERROR).text
    assert "--base-path /api/auth" in one(findings, Level.NOTE).advice


def providers(sign_in_url: object) -> Answer:
    return answer(f"{SITE}/api/auth/providers", {"github": {"id": "github", "signinUrl": sign_in_url}})


V4 = {
    "session": answer(SESSION, {}, PRIVATE),
    "csrf": answer(
        f"{SITE}/api/auth/csrf", {"csrfToken": TOKEN}, PRIVATE, csrf_cookie("__Host-next-auth.csrf-token")
    ),
}


@pytest.mark.parametrize(
    ("url", "others", "seen", "fix"),
    [
        (
            "http://shop.example/api/auth/signin/github",
            {},
            "takes http://shop.example for",
            "X-Forwarded-Proto: https",
        ),
        ("http://localhost:3000/api/auth/signin/github", {}, "http://localhost:3000", "X-Forwarded-Host"),
        (
            "http://localhost:3000/api/auth/signin/github",
            V4,
            "http://localhost:3000",
            "NEXTAUTH_URL=https://shop.example",
        ),
        (
            f"{SITE}/auth/signin/github",
            {},
            "takes /auth for its base path",
            "AUTH_URL=https://shop.example/api/auth",
        ),
        (
            f"{SITE}/auth/signin/github",
            V4,
            "takes /auth for its base path",
            "NEXTAUTH_URL=https://shop.example/api/auth",
        ),
        ("javascript:alert(1)", {}, "no signinUrl", "URL"),
        (None, {}, "base path", "AUTH_URL"),
    ],
)
def test_a_server_that_takes_another_address_for_its_own(
    url: object, others: dict[str, Any], seen: str, fix: str
) -> None:
    found = one(check_auth(auth(providers=providers(url), **others)), Level.ERROR)
    assert found.subject == "providers"
    assert seen in found.text
    assert fix in found.advice


@pytest.mark.parametrize("body", [[], None, {"github": "x"}])
def test_what_is_no_list_of_providers(body: object) -> None:
    found = one(check_auth(auth(providers=answer(f"{SITE}/api/auth/providers", body))), Level.ERROR)
    assert "no list of providers" in found.text


def test_a_site_without_providers_is_warned() -> None:
    findings = check_auth(auth(providers=answer(f"{SITE}/api/auth/providers", {})))
    assert "no sign-in providers" in one(findings, Level.WARNING).text


def csrf(body: object, *headers: tuple[str, str], status: int = 200) -> Answer:
    return answer(f"{SITE}/api/auth/csrf", body, PRIVATE, *headers, status=status)


@pytest.mark.parametrize(
    ("first", "again", "seen"),
    [
        (csrf({}, csrf_cookie()), None, "no csrfToken"),
        (csrf({"csrfToken": TOKEN}), None, "sets no cookie"),
        (csrf({"csrfToken": TOKEN}, csrf_cookie()), csrf({"csrfToken": TOKEN[::-1]}), "does not recognise"),
        (csrf({"csrfToken": TOKEN}, csrf_cookie()), csrf("", status=500), "does not recognise"),
    ],
)
def test_a_csrf_token_that_will_be_refused(first: Answer, again: Answer | None, seen: str) -> None:
    found = one(check_auth(auth(csrf=first, csrf_again=again)), Level.ERROR)
    assert found.subject == "csrf"
    assert seen in found.text
    assert TOKEN not in str(found)
    assert TOKEN[::-1] not in str(found)


def test_a_framework_that_checks_csrf_itself_is_fine() -> None:
    findings = check_auth(auth(csrf=answer(f"{SITE}/api/auth/csrf", "", status=404), csrf_again=None))
    assert "the client goes on" in one(findings, Level.NOTE).text
    assert bad(findings) == []


def test_a_redirect_to_a_slash_is_followed_and_said() -> None:
    assert slashed(redirect(SESSION, "/api/auth/session/", 308)) == f"{SESSION}/"
    assert slashed(redirect(SESSION, "https://evil.example/api/auth/session/", 308)) == ""
    assert "with a slash" in one(check_auth(auth(slashed=("session",))), Level.NOTE).text
