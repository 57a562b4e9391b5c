"""What is sent to a server of either generation, and what is made of its answers."""

from __future__ import annotations

import datetime
import json
import math
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

import pytest

from nextauth_py import ClientFetchError, SignInResult
from nextauth_py.core import wire
from nextauth_py.core.urls import AuthUrl
from nextauth_py.core.wire import Request, Response

AUTH = AuthUrl("", "/api/auth")
PAGE = "https://app.example/account"
BASE = "https://app.example/api/auth"
REQUEST = Request("GET", "/api/auth/session")
JSON = {"content-type": "application/json; charset=utf-8"}


def answer(body: object, status: int = 200) -> Response:
    return Response(status, json.dumps(body), JSON)


def judged(url: str, kind: str, status: int = 200, *, callback_url: str = PAGE) -> SignInResult:
    """What is made of a sign-in with a provider of that type."""
    provider = {"type": kind}
    verdict = wire.read_verdict(AUTH, url, page=PAGE, callback_url=callback_url, provider=provider)
    return wire.read_sign_in(answer({}, status), url, verdict)


def test_a_form_asks_both_generations_for_json() -> None:
    request = wire.form_request(AUTH, "callback", "credentials", fields={"username": "a b", "csrfToken": "t"})
    assert request.url == "/api/auth/callback/credentials"
    assert parse_qs(request.body or "") == {"username": ["a b"], "csrfToken": ["t"], "json": ["true"]}
    assert request.headers["X-Auth-Return-Redirect"] == "1"


def test_form_values_are_written_as_javascript_would() -> None:
    fields = {"yes": True, "n": 1, "none": None, "scope": ["a b", None, False], "pair": ("x", 2), "empty": []}
    written = {"yes": ["true"], "n": ["1"], "scope": ["a b", "false"], "pair": ["x", "2"]}
    request = wire.form_request(AUTH, "signin", "x", fields=fields, query=fields)
    assert parse_qs(request.body or "") == {**written, "json": ["true"]}
    assert parse_qs(request.url.partition("?")[2]) == written


def test_half_an_emoji_in_a_form_is_written_as_browsers_do() -> None:
    request = wire.form_request(AUTH, "signin", "x", fields={"name": "a\ud83d"})
    assert parse_qs(request.body or "")["name"] == ["a\ufffd"]


@pytest.mark.parametrize("query", [{"prompt": "login", "hint": None}, "prompt=login", "?prompt=login"])
def test_authorization_params_go_into_the_query(query: Any) -> None:
    assert wire.form_request(AUTH, "signin", "x", fields={}, query=query).url.endswith(
        "/signin/x?prompt=login"
    )


def test_an_update_without_data_sends_none() -> None:
    assert json.loads(wire.update_request(AUTH, "t", None).body or "") == {"csrfToken": "t"}
    assert json.loads(wire.update_request(AUTH, "t", {"a": 1}).body or "") == {
        "csrfToken": "t",
        "data": {"a": 1},
    }


def test_an_update_sends_a_copy_as_json() -> None:
    data: dict[Any, Any] = {"a": MappingProxyType({"b": (1, 2.5)}), "c": None, 1: "\ud83d"}
    assert wire.as_json(MappingProxyType(data)) == {"a": {"b": [1, 2.5]}, "c": None, "1": "\ud83d"}
    assert wire.as_json(None) is None


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_no_json(number: float) -> None:
    odd: list[dict[Any, Any]] = [{"x": number}, {"x": [{"y": (number,)}]}, {number: 1}]
    for data in odd:
        with pytest.raises(ValueError, match=r"update\(\) takes JSON: no NaN"):
            wire.as_json(data)


def test_a_value_that_contains_itself_is_no_json() -> None:
    data: dict[str, Any] = {}
    data["again"] = [data]
    with pytest.raises(ValueError, match="contains itself"):
        wire.as_json(data)


@pytest.mark.parametrize("value", [b"secret", {"secret"}, datetime.date(2026, 1, 1), object()])
def test_a_value_that_json_cannot_carry_is_refused_by_its_type_alone(value: object) -> None:
    with pytest.raises(TypeError, match=f"cannot carry a {type(value).__name__}") as caught:
        wire.as_json({"x": [value]})
    assert "secret" not in str(caught.value)


def test_requests_to_another_origin_carry_credentials() -> None:
    there = AuthUrl("https://auth.example", "/api/auth")
    assert wire.read_request(there, "session").with_credentials
    assert not wire.read_request(AUTH, "session").with_credentials


def test_requests_and_answers_do_not_print_their_bodies() -> None:
    request = wire.form_request(AUTH, "callback", "credentials", fields={"password": "hunter2"})
    assert "hunter2" not in repr(request) + repr(answer({"user": {"name": "hunter2"}}))


@pytest.mark.parametrize("body", [None, {}])
@pytest.mark.parametrize("status", [200, 401])
def test_signed_out_is_null_or_an_empty_object(body: object, status: int) -> None:
    assert wire.read_session(REQUEST, answer(body, status)) is None


def test_a_session_is_returned_as_it_is() -> None:
    session = {"user": {"name": "Alice"}, "expires": "2026-02-01T00:00:00Z", "role": "staff"}
    assert wire.read_session(REQUEST, answer(session)) == session


@pytest.mark.parametrize(
    "response",
    [
        answer({"message": "misconfigured"}, 500),
        answer(None, 500),
        answer({}, 429),
        answer({}, 404),
        answer({"user": {}}, 401),
        answer([]),
        answer("null"),
        answer(0),
        answer(False),
        Response(200, "{", JSON),
        Response(200, "", JSON),
        Response(200, "null", {"content-type": "text/html"}),
        Response(200, "{}", {}),
        Response(200, "<html>", {"content-type": "text/html"}),
    ],
)
def test_anything_else_is_an_error_and_not_signed_out(response: Response) -> None:
    with pytest.raises(ClientFetchError) as caught:
        wire.read_session(REQUEST, response)
    assert caught.value.status == response.status
    assert "/api/auth/session" in str(caught.value)


def test_an_html_answer_names_the_remedy() -> None:
    with pytest.raises(ClientFetchError, match="base_path"):
        wire.read_session(REQUEST, Response(200, "<html>", {"content-type": "text/html"}))


def test_a_csrf_token_is_read_and_404_means_none_is_wanted() -> None:
    assert wire.read_csrf_token(REQUEST, answer({"csrfToken": "abc"})) == "abc"
    assert wire.read_csrf_token(REQUEST, Response(404, "", {})) is None
    for bad in (answer({}), answer({"csrfToken": 1}), answer({"csrfToken": ""}), answer({}, 500)):
        with pytest.raises(ClientFetchError):
            wire.read_csrf_token(REQUEST, bad)


def test_a_csrf_token_that_is_null_is_none() -> None:
    assert wire.read_csrf_token(REQUEST, answer(None)) is None
    assert wire.read_csrf_token(REQUEST, answer({"csrfToken": None})) is None
    for bad in (answer(None, 500), answer([]), answer("abc"), answer(0), Response(200, "null", {})):
        with pytest.raises(ClientFetchError):
            wire.read_csrf_token(REQUEST, bad)


def test_providers_are_read_and_anything_else_is_an_error() -> None:
    assert wire.read_providers(REQUEST, answer({"github": {"id": "github"}})) == {"github": {"id": "github"}}
    for bad in (answer(None), answer([]), answer({"github": 1}), answer({}, 500)):
        with pytest.raises(ClientFetchError):
            wire.read_providers(REQUEST, bad)


@pytest.mark.parametrize(
    ("url", "absolute"),
    [("/after", "https://app.example/after"), ("registers", "https://app.example/registers")],
)
def test_a_relative_url_is_resolved_against_the_page(url: str, absolute: str) -> None:
    assert wire.read_redirect(REQUEST, answer({"url": url}), page=PAGE) == absolute


@pytest.mark.parametrize("body", [{}, {"url": None}, {"url": ""}, {"url": 3}, None, [], {"url": "http://["}])
def test_a_missing_or_broken_url_is_a_server_error(body: object) -> None:
    with pytest.raises(ClientFetchError):
        wire.read_redirect(REQUEST, answer(body), page=PAGE)


def test_a_failing_server_is_an_error_even_with_a_url() -> None:
    with pytest.raises(ClientFetchError):
        wire.read_redirect(REQUEST, answer({"url": "/"}, 500), page=PAGE)


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        (f"{BASE}/signin?csrf=true", True),
        (f"{BASE}/signout?csrf=true", True),
        (f"{BASE}/signin?error=MissingCSRF", True),
        ("https://app.example/login?error=MissingCSRF", True),
        ("http://localhost:3000/api/auth/signin?csrf=true", True),
        ("http://localhost:3000/login?error=MissingCSRF", True),
        ("https://app.example/after?csrf=true", False),
        (f"{BASE}/error?error=CredentialsSignin", False),
    ],
)
@pytest.mark.parametrize("kind", ["credentials", "email", None])
def test_a_refused_csrf_token_is_recognised(url: str, *, refused: bool, kind: str | None) -> None:
    verdict = wire.read_verdict(AUTH, url, page=PAGE, callback_url=PAGE, provider={"type": kind})
    assert wire.csrf_was_refused(url, verdict) is refused


SERVERS_OWN = [
    "https://app.example/login?error=MissingCSRF",
    "http://localhost:3000/login?error=MissingCSRF",
    "http://10.0.0.7/api/auth/signin?error=MissingCSRF",
    "http://10.0.0.7/api/auth/error?error=Configuration",
]
SOMEBODY_ELSES = [
    "https://id.example/authorize?error=MissingCSRF",
    "https://id.example/api/auth/authorize?error=x",
    "https://localhost:3000/authorize?error=x",
]


@pytest.mark.parametrize("kind", ["oauth", "oidc"])
@pytest.mark.parametrize("url", SERVERS_OWN + SOMEBODY_ELSES)
def test_an_identity_providers_url_is_distinguished_from_the_servers_own(kind: str, url: str) -> None:
    """The server names its own origin in the list of providers, whatever it takes for it."""
    provider = {"type": kind, "signinUrl": "http://localhost:3000/api/auth/signin/x"}
    verdict = wire.read_verdict(AUTH, url, page=PAGE, callback_url=PAGE, provider=provider)
    assert ("error" in verdict) is (url in SERVERS_OWN)


@pytest.mark.parametrize("url", ["http://[", None, "/api/auth/signin/x", 3])
def test_a_provider_without_a_proper_address_is_no_trouble(url: object) -> None:
    provider = {"type": "oauth", "signinUrl": url}
    assert not wire.read_verdict(
        AUTH, "https://id.example/?error=x", page=PAGE, callback_url=PAGE, provider=provider
    )


@pytest.mark.parametrize(
    ("text", "status", "refused"),
    [
        ("{}", 400, True),
        ("null", 400, True),
        ("[object Object]\n", 400, True),
        ("null", 200, False),
        ("{}", 403, False),
        ("", 400, False),
        ("<html>{}</html>", 400, False),
        ('{"message": "bad"}', 400, False),
    ],
)
def test_an_update_is_refused_in_three_ways(text: str, status: int, *, refused: bool) -> None:
    assert wire.update_was_refused(Response(status, text)) is refused


@pytest.mark.parametrize(
    ("status", "url", "result"),
    [
        (200, PAGE, SignInResult(ok=True, status=200, url=PAGE)),
        (
            401,
            f"{BASE}/error?error=CredentialsSignin&provider=x",
            SignInResult(ok=False, status=401, error="CredentialsSignin"),
        ),
        (
            200,
            f"{BASE}/signin?error=CredentialsSignin&code=locked",
            SignInResult(ok=False, status=200, error="CredentialsSignin", code="locked"),
        ),
        (403, f"{BASE}/error?error=AccessDenied", SignInResult(ok=False, status=403, error="AccessDenied")),
        (401, f"{BASE}/error?error=a%20b", SignInResult(ok=False, status=401, error="a b")),
        (
            200,
            "https://app.example/login?error=Configuration",
            SignInResult(ok=False, status=200, error="Configuration"),
        ),
        (403, "https://app.example/sorry", SignInResult(ok=False, status=403, error="Default")),
    ],
)
def test_a_sign_in_is_judged_by_status_and_error(status: int, url: str, result: SignInResult) -> None:
    assert judged(url, "credentials", status) == result


def test_an_identity_providers_parameters_are_not_the_servers_verdict() -> None:
    url = "https://id.example/authorize?error=x&code=y"
    assert judged(url, "oauth") == SignInResult(ok=True, status=200, url=url)


def test_a_callback_page_may_have_an_error_parameter_of_its_own() -> None:
    assert judged("https://app.example/form?error=old", "credentials", callback_url="/form?error=old").ok


@pytest.mark.parametrize(
    ("age", "seconds"),
    [
        *(("3600", 3600.0), (" 7 ", 7.0), ("7, 9", 7.0)),
        *(("", 0.0), ("-1", 0.0), ("1.5", 0.0), ("\u0665", 0.0), ("9" * 400, 0.0)),
    ],
)
def test_the_age_of_an_answer_is_read_if_it_is_one(age: str, seconds: float) -> None:
    assert wire.read_age(Response(200, "", {"age": age})) == seconds


def test_a_cached_answer_that_names_a_date_to_wait_for_has_waited_already() -> None:
    date = {"date": "Thu, 01 Jan 2026 00:00:00 GMT", "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT"}
    with pytest.raises(ClientFetchError) as caught:
        wire.read_session(REQUEST, Response(503, "", {**date, "age": "20"}))
    assert caught.value.retry_after == 40.0


@pytest.mark.parametrize(
    ("status", "location", "followed"),
    [
        (308, "/api/auth/session/", True),
        (307, "https://app.example/api/auth/session/", True),
        (302, "/api/auth/session/", False),
        (308, "/login", False),
        (308, "https://evil.example/api/auth/session/", False),
        (308, "https://[", False),
        (308, "", False),
    ],
)
def test_a_redirect_to_the_same_path_with_a_slash_is_followed_and_no_other(
    status: int, location: str, followed: bool
) -> None:
    request = wire.Request("GET", "https://app.example/api/auth/session")
    found = wire.slashed_request(request, wire.Response(status, "", {"location": location}))
    assert (found and found.url) == (f"{request.url}/" if followed else None)
