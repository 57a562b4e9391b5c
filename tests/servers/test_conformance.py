"""The fake auth server answers as the real ones do: the same tests for both, in both generations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from demo.serve import AuthServer
from nextauth_py.core.wire import Request
from nextauth_py.testing import FakeAuthServer

from . import SERVER_SCRIPT

BASE = "/api/auth"
ALICE = {"username": "alice", "password": "wonder"}


class Reply:
    """A server's answer, with the site's origin written as ``O`` and the auth routes as ``B``."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str], origin: str) -> None:
        self.status = status
        self.text = text
        self.is_json = "json" in headers.get("content-type", "")
        self._origin = origin

    @property
    def json(self) -> Any:
        assert self.is_json
        return json.loads(self.text)

    @property
    def url(self) -> str:
        url: str = self.json["url"]
        return url.replace(f"{self._origin}{BASE}", "B").replace(self._origin, "O")


class Visitor:
    """A browser in front of one server: it keeps cookies, and sends both flags that ask for JSON."""

    generation: str
    origin: str

    def send(self, method: str, path: str, headers: dict[str, str], body: str | None) -> Reply:
        raise NotImplementedError

    def has_session_cookie(self) -> bool:
        raise NotImplementedError

    def spoil_session_cookie(self) -> None:
        raise NotImplementedError

    @property
    def is_v4(self) -> bool:
        return self.generation == "v4"

    @property
    def nobody(self) -> dict[str, Any] | None:
        return {} if self.is_v4 else None

    def get(self, route: str) -> Reply:
        return self.send("GET", f"{BASE}/{route}", {}, None)

    def token(self) -> str:
        token: str = self.get("csrf").json["csrfToken"]
        return token

    def post(self, route: str, token: str | None = None, **fields: str) -> Reply:
        form = {
            "csrfToken": token or self.token(),
            "callbackUrl": f"{self.origin}/in",
            **fields,
            "json": "true",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Auth-Return-Redirect": "1"}
        return self.send("POST", f"{BASE}/{route}", headers, urlencode(form))

    def update(self, body: dict[str, Any]) -> Reply:
        return self.send("POST", f"{BASE}/session", {"Content-Type": "application/json"}, json.dumps(body))

    def sign_in(self) -> None:
        assert self.post("callback/credentials", **ALICE).url == "O/in"


class RealVisitor(Visitor):
    def __init__(self, server: AuthServer, client: httpx.Client) -> None:
        self.generation = server.generation
        self.origin = server.url
        self._client = client

    def send(self, method: str, path: str, headers: dict[str, str], body: str | None) -> Reply:
        answer = self._client.request(method, self.origin + path, headers=headers, content=body)
        return Reply(answer.status_code, answer.text, answer.headers, self.origin)

    def has_session_cookie(self) -> bool:
        return any("session-token" in name for name in self._client.cookies)

    def spoil_session_cookie(self) -> None:
        (cookie,) = [each for each in self._client.cookies.jar if "session-token" in each.name]
        cookie.value = "spoilt"


class FakeVisitor(Visitor):
    def __init__(self, server: FakeAuthServer) -> None:
        self.generation = server.generation
        self.origin = server.origin
        self._server = server
        self._cookies: dict[str, str] = {}

    def send(self, method: str, path: str, headers: dict[str, str], body: str | None) -> Reply:
        request = Request(method, self.origin + path, headers, body)  # type: ignore[arg-type]
        answer = self._server.handle(request, self._cookies)
        for name, value in answer.cookies.items():
            if value is None:
                self._cookies.pop(name, None)
            else:
                self._cookies[name] = value
        return Reply(answer.response.status, answer.response.text, answer.response.headers, self.origin)

    def has_session_cookie(self) -> bool:
        return self._server.session_cookie in self._cookies

    def spoil_session_cookie(self) -> None:
        self._cookies[self._server.session_cookie] = "spoilt"


def fake_server(generation: Any) -> FakeAuthServer:
    """With the users of the real one: see demo/server/users.mjs."""
    server = FakeAuthServer(generation=generation)
    server.providers = {"credentials": "credentials", "email": "email", "local-oidc": "oauth"}
    if generation == "v5":
        server.providers["passkey"] = "webauthn"
    server.add_user("alice", "wonder", name="Alice Liddell", role="admin")
    server.add_user("carol", "banned")
    server.add_user("dave", "detour")
    find = server.authorize

    def authorize(form: Mapping[str, str]) -> Any:
        if form["username"] == "boom":
            raise RuntimeError("The user database is on fire")
        return find(form)

    server.authorize = authorize
    verdicts: dict[str, bool | str] = {"carol": False, "dave": "/detour"}
    server.may_sign_in = lambda user: verdicts.get(user.username, True)
    return server


@pytest.fixture(scope="module")
def real(auth_server: AuthServer) -> Iterator[AuthServer]:
    """With all ways to sign in."""
    options: dict[str, Any] = {"generation": auth_server.generation, "services": True, "passkeys": True}
    with AuthServer({}, script=SERVER_SCRIPT, **options) as server:
        yield server


@pytest.fixture(params=["real", "fake"])
def visitor(request: pytest.FixtureRequest, real: AuthServer) -> Iterator[Visitor]:
    if request.param == "fake":
        yield FakeVisitor(fake_server(real.generation))
        return
    with httpx.Client(trust_env=False) as client:
        yield RealVisitor(real, client)


# --- sessions ---


def test_the_session_while_signed_out(visitor: Visitor) -> None:
    reply = visitor.get("session")
    assert (reply.status, reply.json) == (200, visitor.nobody)


def test_the_session_while_signed_in(visitor: Visitor) -> None:
    visitor.sign_in()
    session = visitor.get("session").json
    assert session.keys() == {"user", "expires"}
    assert {name: value for name, value in session["user"].items() if value is not None} == {
        "id": "alice",
        "name": "Alice Liddell",
        "email": "alice@example.com",
        "role": "admin",
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", session["expires"])


def test_a_session_cookie_that_is_not_the_servers_is_cleared(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.spoil_session_cookie()
    assert visitor.get("session").json == visitor.nobody
    assert not visitor.has_session_cookie()


def test_an_update(visitor: Visitor) -> None:
    visitor.sign_in()
    data = {"name": "Alice L.", "theme": "dark"}
    reply = visitor.update({"csrfToken": visitor.token(), "data": data})
    assert reply.status == 200
    for session in (reply.json, visitor.get("session").json):
        assert session["user"]["name"] == "Alice L."
        assert session["theme"] == "dark"


def test_an_update_without_data(visitor: Visitor) -> None:
    visitor.sign_in()
    assert visitor.update({"csrfToken": visitor.token()}).json["user"]["name"] == "Alice Liddell"


def test_an_update_while_signed_out(visitor: Visitor) -> None:
    reply = visitor.update({"csrfToken": visitor.token(), "data": {"name": "X"}})
    assert (reply.status, reply.json) == (200, visitor.nobody)


def test_an_update_with_a_bad_csrf_token(visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.token()
    reply = visitor.update({"csrfToken": "bad", "data": {"name": "X"}})
    assert (reply.status, reply.json) == (400, visitor.nobody)
    assert visitor.get("session").json["user"]["name"] == "Alice Liddell"


# --- csrf tokens and providers ---


def test_a_csrf_token_stays_the_same(visitor: Visitor) -> None:
    first = visitor.token()
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert visitor.token() == first


def test_the_providers(visitor: Visitor) -> None:
    providers = visitor.get("providers").json
    assert list(providers) == (["credentials", "email", "local-oidc"] if visitor.is_v4 else list(providers))
    for name, provider in providers.items():
        assert provider.keys() == {"id", "name", "type", "signinUrl", "callbackUrl"}
        assert provider["signinUrl"] == f"{visitor.origin}{BASE}/signin/{name}"
        assert provider["callbackUrl"] == f"{visitor.origin}{BASE}/callback/{name}"


# --- sign-in ---


def test_right_credentials(visitor: Visitor) -> None:
    reply = visitor.post("callback/credentials", **ALICE)
    assert (reply.status, reply.url) == (200, "O/in")
    assert visitor.has_session_cookie()


@pytest.mark.parametrize(
    ("username", "v4", "v5"),
    [
        (
            "nobody",
            (401, "B/error?error=CredentialsSignin&provider=credentials"),
            (200, "B/signin?error=CredentialsSignin&code=credentials"),
        ),
        (
            "boom",
            (401, "B/error?error=The%20user%20database%20is%20on%20fire"),
            (200, "B/error?error=Configuration"),
        ),
        ("carol", (403, "B/error?error=AccessDenied"), (200, "B/error?error=AccessDenied")),
        ("dave", (200, "/detour"), (200, "O/detour")),
    ],
)
def test_refused_visitors(visitor: Visitor, username: str, v4: tuple[int, str], v5: tuple[int, str]) -> None:
    password = {"carol": "banned", "dave": "detour"}.get(username, "x")
    reply = visitor.post("callback/credentials", username=username, password=password)
    assert (reply.status, reply.url.replace("+", "%20")) == (v4 if visitor.is_v4 else v5)
    assert not visitor.has_session_cookie()


@pytest.mark.parametrize(
    ("route", "page"),
    [("callback/credentials", "signin"), ("signin/local-oidc", "signin"), ("signout", "signout")],
)
def test_a_bad_csrf_token(visitor: Visitor, route: str, page: str) -> None:
    visitor.sign_in()
    reply = visitor.post(route, "bad", **ALICE)
    told = f"B/{page}?csrf=true" if visitor.is_v4 else "B/signin?error=MissingCSRF"
    assert (reply.status, reply.url) == (200, told)
    assert visitor.get("session").json["user"]["name"] == "Alice Liddell"


@pytest.mark.parametrize("route", ["callback/credentials", "signout"])
def test_a_callback_url_elsewhere_is_replaced(visitor: Visitor, route: str) -> None:
    assert visitor.post(route, **ALICE, callbackUrl="https://evil.example/x").url == "O"
    assert visitor.post(route, **ALICE, callbackUrl=f"{visitor.origin}@evil.example/x").url == "O"


@pytest.mark.parametrize("route", ["callback/credentials", "signout"])
def test_a_relative_callback_url(visitor: Visitor, route: str) -> None:
    assert visitor.post(route, **ALICE, callbackUrl="/account").url == "O/account"


def test_the_way_to_an_identity_provider_takes_parameters_along(visitor: Visitor) -> None:
    reply = visitor.post("signin/local-oidc?prompt=login&login_hint=a%20b")
    assert reply.status == 200
    assert not reply.url.startswith(("B", "O"))
    query = urlsplit(reply.url).query
    assert "prompt=login" in query
    assert re.search("login_hint=a(%20|[+])b", query)


def test_a_sign_in_by_mail(visitor: Visitor) -> None:
    reply = visitor.post("signin/email", email="alice@example.com")
    assert (reply.status, reply.url) == (200, "B/verify-request?provider=email&type=email")


def test_a_sign_in_by_a_mail_address_that_is_none(visitor: Visitor) -> None:
    reply = visitor.post("signin/email", email="alice")
    told = "B/error?error=EmailSignin" if visitor.is_v4 else "B/error?error=Configuration"
    assert (reply.status, reply.url) == (200, told)


def test_a_provider_that_is_not_there(visitor: Visitor) -> None:
    reply = visitor.post("signin/nowhere")
    told = "B/signin?csrf=true" if visitor.is_v4 else "B/error?error=Configuration"
    assert (reply.status, reply.url) == (200, told)


@pytest.mark.parametrize(
    ("query", "signed_out", "signed_in"),
    [
        ("", "authenticate", "Invalid request"),
        ("?email=new%40example.com", "register", "Invalid request"),
        ("?action=authenticate", "authenticate", "authenticate"),
        ("?action=register", "Invalid request", "register"),
        ("?action=register&email=new%40example.com", "register", "register"),
        ("?action=dance", "Invalid action", "Invalid action"),
    ],
)
def test_the_options_for_a_passkey(visitor: Visitor, query: str, signed_out: str, signed_in: str) -> None:
    route = f"webauthn-options/passkey{query}"
    if visitor.is_v4:
        assert visitor.get(route).status == 400
        return
    site = urlsplit(visitor.origin).hostname
    for expected in (signed_out, signed_in):
        reply = visitor.get(route)
        said = reply.json
        assert said.get("action", said.get("error")) == expected
        assert reply.status == (400 if "error" in said else 200)
        if "options" in said:
            options = said["options"]
            assert options["challenge"]
            assert (options["rpId"] if expected == "authenticate" else options["rp"]["id"]) == site
            assert ("user" in options) == (expected == "register")
            assert ("excludeCredentials" in options) == (expected == "register")
        visitor.sign_in()


def test_a_passkey_of_a_provider_that_has_none(visitor: Visitor) -> None:
    for name in ("credentials", "nowhere"):
        reply = visitor.send("GET", f"{BASE}/webauthn-options/{name}", {"X-Auth-Return-Redirect": "1"}, None)
        told = 400 if visitor.is_v4 else "B/error?error=Configuration"
        assert (reply.status if visitor.is_v4 else reply.url) == told


@pytest.mark.parametrize("form", [{}, {"action": "authenticate", "data": '{"id": "unknown"}'}])
def test_a_passkey_that_the_server_does_not_know(visitor: Visitor, form: dict[str, str]) -> None:
    if not visitor.is_v4:
        visitor.get("webauthn-options/passkey?action=authenticate")
        reply = visitor.post("callback/passkey", **form)
        assert (reply.status, reply.url) == (200, "B/error?error=Configuration")


# --- sign-out ---


def test_a_sign_out(visitor: Visitor) -> None:
    visitor.sign_in()
    reply = visitor.post("signout")
    assert (reply.status, reply.url) == (200, "O/in")
    assert not visitor.has_session_cookie()
    assert visitor.get("session").json == visitor.nobody


def test_a_sign_out_while_signed_out(visitor: Visitor) -> None:
    assert (visitor.post("signout").status, visitor.post("signout").url) == (200, "O/in")


# --- what is asked for otherwise ---


@pytest.mark.parametrize("flag", ["none", "json", "header"])
def test_json_is_sent_on_request_only(visitor: Visitor, flag: str) -> None:
    form = {"csrfToken": visitor.token(), "callbackUrl": "/", **({"json": "true"} if flag == "json" else {})}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        **({"X-Auth-Return-Redirect": "1"} if flag == "header" else {}),
    }
    reply = visitor.send("POST", f"{BASE}/signout", headers, urlencode(form))
    is_asked_for = flag == ("json" if visitor.is_v4 else "header")
    assert (reply.status, reply.is_json) == ((200, True) if is_asked_for else (302, False))


def test_a_late_answer_revives_a_session(visitor: Visitor) -> None:
    """The race that clients must prevent: a read sets the cookie again, whenever its answer arrives."""
    visitor.sign_in()
    assert visitor.get("session").json["user"]
    assert visitor.has_session_cookie()
