"""A NextAuth v4 server in memory, for tests on the virtual network: the JWT strategy, users alice and bob."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from nextauth_py.host.virtual import Answer
from nextauth_py.wire import Request, Response

USERS = {"alice": "wonder", "bob": "builder"}
EXPIRES = "2026-02-01T00:00:00.000Z"

CSRF_COOKIE = "next-auth.csrf-token"
SESSION_COOKIE = "next-auth.session-token"


def json_answer(body: object, status: int = 200, cookies: Mapping[str, str | None] | None = None) -> Answer:
    """An answer as the server sends it: JSON, unless it is a text of another kind."""
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(Response(status, json.dumps(body), headers), cookies or {})


def html_answer(status: int = 200) -> Answer:
    """What a proxy or a wrong path answers."""
    return Answer(Response(status, "<!doctype html><p>Oops", {"content-type": "text/html"}))


class FakeServer:
    """Like the real one, a read of the session renews the session cookie: a late answer can revive it."""

    def __init__(self, *, base_path: str = "/api/auth", origin: str = "https://app.example") -> None:
        self.base_path = base_path
        self.origin = origin
        self.providers: dict[str, str] = {"credentials": "credentials", "github": "oauth", "email": "email"}
        self.extra: dict[str, Any] = {}
        self.refused_csrf_posts = 0  # so many POSTs will be told that their token is wrong
        self.expires = EXPIRES
        self.max_age: float | None = None  # seconds that a session lasts, instead of until `expires`
        self.rolls = True  # whether each read makes it last as long again
        self.now: Callable[[], float] = lambda: 0.0
        self._tokens = count(1)

    def handle(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        path = urlsplit(request.url).path
        if not path.startswith(self.base_path + "/"):
            return html_answer(404)
        name, *rest = path.removeprefix(self.base_path + "/").split("/")
        route: Callable[..., Answer] = getattr(self, f"_{request.method.lower()}_{name}")
        return route(request, cookies, *rest)

    def _get_session(self, _request: Request, cookies: Mapping[str, str]) -> Answer:
        session = self._valid(cookies)
        if session is None:
            return json_answer({}, cookies={SESSION_COOKIE: None, **self._csrf_cookie(cookies)})
        renewed = self._granted(session) if self.rolls else session
        return json_answer(self._session(renewed), cookies={SESSION_COOKIE: renewed})

    def _post_session(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        body = json.loads(request.body or "")
        if not self._csrf_is_right(body, cookies):
            return json_answer({}, 400)
        stored = self._valid(cookies)
        if stored is None:
            return json_answer({})
        renewed = json.dumps({**json.loads(stored), **(body.get("data") or {})})
        return json_answer(self._session(renewed), cookies={SESSION_COOKIE: renewed})

    def _get_csrf(self, _request: Request, cookies: Mapping[str, str]) -> Answer:
        new = self._csrf_cookie(cookies)
        return json_answer({"csrfToken": new.get(CSRF_COOKIE, cookies.get(CSRF_COOKIE))}, cookies=new)

    def _get_providers(self, _request: Request, _cookies: Mapping[str, str]) -> Answer:
        return json_answer({name: self._provider(name, kind) for name, kind in self.providers.items()})

    def _post_callback(self, request: Request, cookies: Mapping[str, str], _provider: str) -> Answer:
        form = dict(parse_qsl(request.body or ""))
        if not self._csrf_is_right(form, cookies):
            return json_answer({"url": self._url("signin?csrf=true")})
        name = form.get("username", "")
        if USERS.get(name) != form.get("password"):
            url = self._url("error?error=CredentialsSignin&provider=credentials")
            return json_answer({"url": url}, 401)
        session = self._granted(json.dumps({"name": name}))
        return json_answer({"url": form["callbackUrl"]}, cookies={SESSION_COOKIE: session})

    def _post_signin(self, request: Request, cookies: Mapping[str, str], _provider: str) -> Answer:
        if not self._csrf_is_right(dict(parse_qsl(request.body or "")), cookies):
            return json_answer({"url": self._url("signin?csrf=true")})
        return json_answer({"url": f"https://id.example/authorize?code=7&{urlsplit(request.url).query}"})

    def _post_signout(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        form = dict(parse_qsl(request.body or ""))
        if not self._csrf_is_right(form, cookies):
            return json_answer({"url": self._url("signout?csrf=true")})
        return json_answer({"url": form["callbackUrl"]}, cookies={SESSION_COOKIE: None})

    def _granted(self, stored: str) -> str:
        if self.max_age is None:
            return stored
        return json.dumps({**json.loads(stored), "until": self.now() + self.max_age})

    def _valid(self, cookies: Mapping[str, str]) -> str | None:
        """The session cookie; a browser would have dropped one whose time is over."""
        stored = cookies.get(SESSION_COOKIE)
        is_over = stored is not None and self.now() >= json.loads(stored).get("until", float("inf"))
        return None if is_over else stored

    def _session(self, stored: str) -> dict[str, Any]:
        name = json.loads(stored)["name"]
        user = {"id": "1", "name": name, "email": f"{name}@example.com", "image": None}
        until = json.loads(stored).get("until")
        expires = self.expires if until is None else datetime.fromtimestamp(until, UTC).isoformat()
        return {"user": user, "expires": expires, **self.extra}

    def _provider(self, name: str, kind: str) -> dict[str, str]:
        urls = {"signinUrl": self._url(f"signin/{name}"), "callbackUrl": self._url(f"callback/{name}")}
        return {"id": name, "name": name.title(), "type": kind, **urls}

    def _csrf_cookie(self, cookies: Mapping[str, str]) -> dict[str, str | None]:
        return {} if CSRF_COOKIE in cookies else {CSRF_COOKIE: f"csrf-{next(self._tokens)}"}

    def _csrf_is_right(self, sent: Mapping[str, Any], cookies: Mapping[str, str]) -> bool:
        if self.refused_csrf_posts:
            self.refused_csrf_posts -= 1
            return False
        return sent.get("csrfToken") is not None and sent.get("csrfToken") == cookies.get(CSRF_COOKIE)

    def _url(self, path: str) -> str:
        return f"{self.origin}{self.base_path}/{path}"
