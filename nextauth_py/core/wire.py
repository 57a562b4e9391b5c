"""The requests to build and the answers to read, for NextAuth v4 and Auth.js v5 alike. No I/O.

A reader returns what the server really said, or raises ClientFetchError. It never takes a failure for
"signed out", nor a refusal for a success.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ClientFetchError
from .bounded_json import DEEPEST, LONGEST, loads
from .server_clock import parse_date
from .urls import encoded, is_same_place, join, origin_of, query_of, split_url

if TYPE_CHECKING:
    from .urls import AuthUrl

# What is read of the messages of JavaScript clients, and of ours to them: the rest tells nothing that asking
# the server does not.
MESSAGE_FIELDS = ("event", "nonce", "scope", "told")

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"

# Types of providers that lead to a URL of somebody else's.
ELSEWHERE = {"oauth", "oidc"}

# How the session route refuses a csrf token: v5, v4, and v4 on Next's App router.
_REFUSED_UPDATES = {"null", "{}", "[object Object]"}

_LONGEST_AGE = 10  # digits of seconds

# Both generations redirect unless asked for JSON: v4 by a field of the form, v5 by a header.
_RETURN_URL_FIELD = {"json": "true"}
_RETURN_URL_HEADER = {"X-Auth-Return-Redirect": "1"}


@dataclass(frozen=True)
class Request:
    """One HTTP request. Bodies may hold passwords, so a Request does not print them."""

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = field(default=None, repr=False)
    with_credentials: bool = False


@dataclass(frozen=True)
class Response:
    """One HTTP answer, its body read as text. Header names are in lower case."""

    status: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is its own name


@dataclass(frozen=True)
class SignInResult:
    """What came of a sign-in with ``redirect=False`` or ``popup=True``.

    Attributes:
        ok: Whether the server accepted it. For e-mail and OAuth without a popup: whether it may go on at
            ``url``.
        status: The HTTP status of the server's answer; 0 if it was not asked.
        error: Why not: ``"CredentialsSignin"``, ``"AccessDenied"``, … as in Auth.js's documentation; for
            windows and passkeys also as in `nextauth_py.sign_in`.
        code: The ``code`` of a custom CredentialsSignin error (Auth.js v5), or None.
        url: Where to go next; None after a refusal.
    """

    ok: bool
    status: int
    error: str | None = None
    code: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class SignOutResult:
    """What came of a sign-out with ``redirect=False``: ``url`` is where to go next."""

    url: str


# --- requests ---


def read_request(auth: AuthUrl, route: Literal["session", "csrf", "providers"]) -> Request:
    """GET one of the JSON routes."""
    return Request("GET", auth.endpoint(route), with_credentials=bool(auth.origin))


def slashed_request(request: Request, response: Response) -> Request | None:
    """The same request with a slash behind its path, if that and nothing else is what a 307 or 308 asks for.

    Next.js answers so with ``trailingSlash: true``. Another redirect would take the cookies elsewhere.
    """
    if response.status not in {307, 308}:
        return None
    from urllib.parse import urljoin  # noqa: PLC0415 - see urls.py

    address, mark, query = request.url.partition("?")
    url = f"{address}/{mark}{query}"
    try:
        target = urljoin(request.url, response.headers.get("location", "")).partition("#")[0]
        is_it = _in_parts(target) == _in_parts(url)
    except ValueError:
        return None
    return replace(request, url=url) if is_it else None


def _in_parts(url: str) -> tuple[str, str, str]:
    parts = split_url(url)
    return origin_of(url), parts.path, parts.query


def update_request(auth: AuthUrl, csrf_token: str | None, data: Mapping[str, Any] | None) -> Request:
    """POST to the session route: runs the server's jwt callback with ``trigger: "update"``."""
    body: dict[str, Any] = (
        {"csrfToken": csrf_token} if data is None else {"csrfToken": csrf_token, "data": data}
    )
    headers = {"Content-Type": _JSON}
    return Request("POST", auth.endpoint("session"), headers, json.dumps(body), bool(auth.origin))


def as_json(data: object, call: str = "update()") -> Any:
    """A copy of what a call takes, as JSON carries it.

    Raises:
        TypeError: JSON cannot carry a value's type. No value is in the text.
        ValueError: A number is not finite, or something contains itself.
    """
    try:
        return json.loads(json.dumps(data, allow_nan=False, default=_plain))
    except (ValueError, RecursionError):
        raise ValueError(
            f"{call} takes JSON: no NaN, no infinity, and nothing that contains itself"
        ) from None
    except TypeError as error:
        raise TypeError(f"{call} takes JSON, which cannot carry {error}") from None


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):  # but no dict
        return dict(value)
    raise TypeError(f"a {type(value).__name__}")


def form_request(
    auth: AuthUrl, *route: str, fields: Mapping[str, object], query: Mapping[str, object] | str = ""
) -> Request:
    """POST a form that asks for JSON instead of a redirect."""
    text = encoded({**fields, **_RETURN_URL_FIELD})
    search = query.removeprefix("?") if isinstance(query, str) else encoded(query)
    url = auth.endpoint(*route) + (f"?{search}" if search else "")
    return Request("POST", url, {"Content-Type": _FORM, **_RETURN_URL_HEADER}, text, bool(auth.origin))


# --- answers ---


def read_session(request: Request, response: Response) -> dict[str, Any] | None:
    """The session, or None where the server says that there is none.

    Raises:
        ClientFetchError: Any other answer; it says nothing about who is signed in.
    """
    signed_out_status = 401
    if not response.ok and response.status != signed_out_status:
        raise ClientFetchError(request.url, response.status, retry_after=_retry_after(response))
    answer = json_body(request, response)
    if answer is None or answer == {}:
        return None
    if not response.ok or not isinstance(answer, dict):
        raise ClientFetchError(request.url, response.status, "the answer is not a session")
    return answer


def read_csrf_token(request: Request, response: Response) -> str | None:
    """The csrf token; None where the framework checks csrf itself: no such route (404), or a null."""
    no_such_route = 404
    if response.status == no_such_route:
        return None
    answer = _json_of_success(request, response)
    if answer is None:
        return None
    token = answer.get("csrfToken", "") if isinstance(answer, dict) else ""
    if token is not None and (not isinstance(token, str) or not token):
        raise ClientFetchError(request.url, response.status, "the answer has no csrfToken")
    return token


def read_providers(request: Request, response: Response) -> dict[str, dict[str, Any]]:
    """The sign-in providers by id, as the server describes them."""
    answer = _json_of_success(request, response)
    if not isinstance(answer, dict) or not all(isinstance(each, dict) for each in answer.values()):
        raise ClientFetchError(request.url, response.status, "the answer is not a list of providers")
    return answer


def read_redirect(request: Request, response: Response, *, page: str) -> str:
    """The ``url`` of an answer to a POST, absolute. Refusals carry one too."""
    redirects, refuses, server_failed = 300, 400, 500
    if redirects <= response.status < refuses or response.status >= server_failed:
        raise ClientFetchError(request.url, response.status)
    answer = json_body(request, response)
    url = answer.get("url") if isinstance(answer, dict) else None
    if not isinstance(url, str) or not url:
        raise ClientFetchError(
            request.url, response.status, "the answer has no url; is this a NextAuth server?"
        )
    try:
        split_url(url)
    except ValueError:
        raise ClientFetchError(request.url, response.status, "the answer's url is not a URL") from None
    return join(page, url)


def read_verdict(
    auth: AuthUrl, url: str, *, page: str, callback_url: str, provider: Mapping[str, Any]
) -> dict[str, list[str]]:
    """The parameters of the URL that a POST was answered with, if they are the auth server's own words.

    The page one returns to may be at ``?error=…``, and an identity provider's URL has parameters of its own.

    Args:
        auth: The auth server.
        url: What `read_redirect` found. A server behind a proxy may take another origin for the site's.
        page: The address of the current page.
        callback_url: As it was sent.
        provider: As the server describes it; empty for a sign-out.
    """
    if is_same_place(url, join(page, callback_url)):
        return {}
    if provider.get("type") in ELSEWHERE and not _is_own(auth, url, page, provider.get("signinUrl")):
        return {}
    # The path of a sign-in page may have a query or a route already, behind which the server writes its own.
    return query_of(url.replace("#", "&").replace("?", "&").replace("&", "?", 1))


def _is_own(auth: AuthUrl, url: str, page: str, known: object) -> bool:
    """Whether a URL is on the site, by our name for it or by the server's, or is the auth server's page."""
    origins = {origin_of(join(page, auth.endpoint()))}
    with suppress(ValueError):  # the server's, and no URL
        origins.add(origin_of(str(known)))
    return origin_of(url) in origins or split_url(url).path in {f"{auth.path}/signin", f"{auth.path}/error"}


def csrf_was_refused(url: str, verdict: Mapping[str, list[str]]) -> bool:
    """Whether a POST was answered with "your csrf token is not mine" (an answer of status 200)."""
    v4 = verdict.get("csrf") == ["true"] and split_url(url).path.endswith(("/signin", "/signout"))
    return v4 or verdict.get("error") == ["MissingCSRF"]


def update_was_refused(response: Response) -> bool:
    """Whether an update was answered so. Any other answer of status 400 is not NextAuth's."""
    bad_request = 400
    return response.status == bad_request and response.text.strip() in _REFUSED_UPDATES


def read_sign_in(response: Response, url: str, verdict: Mapping[str, list[str]]) -> SignInResult:
    """Whether a sign-in was accepted; ``url`` is what ``read_redirect`` found."""
    error = verdict.get("error", [None])[0]
    if error is None and response.ok:
        return SignInResult(ok=True, status=response.status, url=url)
    code = verdict.get("code", [None])[0]
    # "Default" is NextAuth's own name for an error without a name.
    return SignInResult(ok=False, status=response.status, error=error or "Default", code=code)


def read_age(response: Response) -> float:
    """Seconds that an answer has been in caches, and its Date is old by."""
    age = response.headers.get("age", "").partition(",")[0].strip()
    return float(age) if age.isascii() and age.isdigit() and len(age) <= _LONGEST_AGE else 0.0


def _retry_after(response: Response) -> float | None:
    """The wait that an answer asks for: seconds, or a date, which is compared with the server's own."""
    requested_at = response.headers.get("retry-after", "").strip()
    if not requested_at:
        return None
    if requested_at.isascii() and requested_at.isdigit():
        return min(
            float(requested_at), sys.float_info.max
        )  # JSON has no infinity, and other tabs are to hear of it
    at, date = (parse_date(text) for text in (requested_at, response.headers.get("date", "")))
    return None if at is None or date is None else max(at - date - read_age(response), 0.0)


def _json_of_success(request: Request, response: Response) -> Any:
    if not response.ok:
        raise ClientFetchError(request.url, response.status)
    return json_body(request, response)


def json_body(request: Request, response: Response) -> Any:
    """What an answer's JSON says, whatever its status.

    Raises:
        ClientFetchError: It is not JSON.
    """
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    if not kind.endswith("json"):
        reason = f"the answer is {kind or 'of no type'}, not JSON. Is base_path right?"
        if kind == "text/html":
            reason += " Does middleware protect the auth routes?"
        raise ClientFetchError(request.url, response.status, reason)
    try:
        return loads(response.text)
    except ValueError:
        reason = f"the answer is not valid JSON, or has more than {LONGEST} characters or {DEEPEST} levels"
        raise ClientFetchError(request.url, response.status, reason) from None
