"""An auth server in memory, which answers as NextAuth v4 or as Auth.js v5 does; JWT strategy.

The project's own tests hold it against the real servers: tests/servers/test_conformance.py.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from ..core.wire import Request, Response
from .network import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Generation = Literal["v4", "v5"]

_MONTH = 30 * 24 * 60 * 60.0  # seconds; what both generations grant by default
_OF_A_PROVIDER = {"callback", "signin", "webauthn-options"}
_OF_A_USER = ("id", "name", "email", "image")
_OK, _BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _FOUND = 200, 400, 401, 403, 404, 302
_SERVER_ERROR = 500


def json_answer(body: object, status: int = _OK, cookies: Mapping[str, str | None] | None = None) -> Answer:
    """An answer in JSON, and the cookies that it sets; None deletes one."""
    headers = {"content-type": "application/json; charset=utf-8"}
    return Answer(Response(status, json.dumps(body), headers), cookies or {})


def html_answer(status: int = _OK) -> Answer:
    """An HTML answer, as from a proxy or a wrong path."""
    return Answer(Response(status, "<!doctype html><p>Oops", {"content-type": "text/html"}))


@dataclass(slots=True)
class FakeUser:
    """A user who can sign in.

    Attributes:
        username: For the credentials provider.
        password: Likewise.
        fields: What the session shows of them: ``id``, ``name``, ``email``, ``image`` and whatever you add.
    """

    username: str
    password: str = field(repr=False)
    fields: dict[str, Any]


class FakeAuthServer:
    """A server for `Browser`, with a sign-in by credentials, by e-mail and at "github".

    Args:
        generation: ``"v4"`` or ``"v5"``: whose answers it gives.
        base_path: Where the auth routes are.
        origin: Of the site.
        max_age: Seconds that a session lasts from each read of it; None for sessions that end at `expires`.

    Attributes:
        users: By their user names; see `add_user`.
        providers: The ways to sign in: the type of each, by id. Passkeys (v5): ``{"passkey": "webauthn"}``.
        passkeys: The user name that each passkey is for, by its id.
        extra: Fields that each session has besides ``user`` and ``expires``.
        authorize: Finds the user for what was typed, None to refuse. If it raises, the server has failed.
        may_sign_in: The signIn callback: False refuses a user, a text sends them there instead.
        is_down: Whether every request is answered with a 500.
        rolls: Whether each read makes a session last as long again.
        expires: The end of all sessions, if `max_age` is None.
        refused_csrf_posts: So many POSTs will be told that their csrf token is wrong.
        now: The server's clock: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        generation: Generation = "v4",
        base_path: str = "/api/auth",
        origin: str = "https://app.example",
        max_age: float | None = _MONTH,
    ) -> None:
        self.generation = generation
        self.base_path = base_path.rstrip("/")
        self.origin = origin
        self.max_age = max_age
        self.users: dict[str, FakeUser] = {}
        self.providers = {"credentials": "credentials", "github": "oauth", "email": "email"}
        self.passkeys: dict[str, str] = {}
        self.extra: dict[str, Any] = {}
        self.authorize: Callable[[Mapping[str, str]], FakeUser | None] = self._by_password
        self.may_sign_in: Callable[[FakeUser], bool | str] = lambda _user: True
        self.is_down = False
        self.rolls = True
        self.expires = "2026-02-01T00:00:00.000Z"
        self.refused_csrf_posts = 0
        self.now: Callable[[], float] = lambda: 0.0
        prefix = "next-auth" if generation == "v4" else "authjs"
        self.session_cookie = f"{prefix}.session-token"
        self.csrf_cookie = f"{prefix}.csrf-token"
        self.callback_cookie = f"{prefix}.callback-url"
        self.challenge_cookie = f"{prefix}.challenge"
        self._tokens = count(1)

    def add_user(self, username: str, password: str = "", **fields: Any) -> FakeUser:
        """Let somebody sign in.

        Args:
            username: For the credentials provider.
            password: Likewise.
            **fields: Of the user in the session. By default the name and the id are the user name.
        """
        known = {"id": username, "name": username, "email": f"{username}@example.com", "image": None}
        user = FakeUser(username, password, {**known, **fields})
        self.users[username] = user
        return user

    def cookies_for(self, user: FakeUser) -> dict[str, str | None]:
        """The cookies of a browser in which a user has signed in."""
        return {self.session_cookie: self._granted(json.dumps(user.fields))}

    def handle(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        """Answer a request that comes with these cookies."""
        if self.is_down:
            return json_answer(
                {"message": "There is a problem with the server configuration."}, _SERVER_ERROR
            )
        path = urlsplit(request.url).path
        if not path.startswith(f"{self.base_path}/"):
            return html_answer(_NOT_FOUND)
        name, *rest = path.removeprefix(f"{self.base_path}/").split("/")
        route = getattr(self, f"_{request.method.lower()}_{name.strip('_').replace('-', '_')}", None)
        if route is None or len(rest) != (name in _OF_A_PROVIDER):
            return html_answer(_BAD_REQUEST)
        answer: Answer = route(request, cookies, *rest)
        return answer

    # --- routes ---

    def _get_session(self, _request: Request, cookies: Mapping[str, str]) -> Answer:
        session = self._valid(cookies)
        if session is None:
            cleared = {self.session_cookie: None, **self._csrf_cookie(cookies)}
            return json_answer(self._nobody, cookies=cleared)
        renewed = self._granted(session) if self.rolls else session
        return json_answer(self._session(renewed), cookies={self.session_cookie: renewed})

    def _post_session(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        body = json.loads(request.body or "{}")
        if not self._csrf_is_right(body, cookies):
            return json_answer(self._nobody, _BAD_REQUEST)
        stored = self._valid(cookies)
        if stored is None:
            return json_answer(self._nobody)
        renewed = self._granted(json.dumps(_updated(json.loads(stored), body.get("data") or {})))
        return json_answer(self._session(renewed), cookies={self.session_cookie: renewed})

    def _get_csrf(self, _request: Request, cookies: Mapping[str, str]) -> Answer:
        new = self._csrf_cookie(cookies)
        token = new.get(self.csrf_cookie, cookies.get(self.csrf_cookie))
        return json_answer({"csrfToken": token}, cookies=new)

    def _get_providers(self, _request: Request, _cookies: Mapping[str, str]) -> Answer:
        return json_answer({name: self._provider(name, kind) for name, kind in self.providers.items()})

    def _get_webauthn_options(self, request: Request, cookies: Mapping[str, str], provider: str) -> Answer:
        if self.generation == "v4":
            return html_answer(_BAD_REQUEST)
        if self.providers.get(provider) != "webauthn":
            return self._redirect(request, self._url("error?error=Configuration"))
        query = dict(parse_qsl(urlsplit(request.url).query))
        action, stored, email = query.get("action"), self._valid(cookies), query.get("email")
        if action not in {None, "authenticate", "register"}:
            return json_answer({"error": "Invalid action"}, _BAD_REQUEST)
        if stored:
            email = json.loads(stored)["email"]
        is_new = bool(email) and self._by_email(email) is None
        if action is None and not stored:
            action = "register" if is_new else "authenticate"
        if action is None or (action == "register" and not (stored or is_new)):
            return json_answer({"error": "Invalid request"}, _BAD_REQUEST)
        challenge = hashlib.sha256(b"challenge %d" % next(self._tokens)).hexdigest()
        kept = {self.challenge_cookie: json.dumps({"challenge": challenge, "email": email})}
        answer = {"action": action, "options": self._options(action, challenge, email)}
        return json_answer(answer, cookies={**kept, **self._csrf_cookie(cookies)})

    def _post_callback(self, request: Request, cookies: Mapping[str, str], provider: str) -> Answer:
        if self.providers.get(provider) == "webauthn":
            return self._by_passkey(request, cookies)
        return self._by_credentials(request, cookies, provider)

    def _by_credentials(self, request: Request, cookies: Mapping[str, str], provider: str) -> Answer:
        form = _form(request)
        if not self._csrf_is_right(form, cookies):
            return self._bad_csrf(request, "signin")
        try:
            user = self.authorize(form)
        except Exception as error:
            told = f"error?{urlencode({'error': str(error)})}"
            return self._refuse(request, told, "error?error=Configuration", _UNAUTHORIZED)
        if user is None:
            told = f"error?error=CredentialsSignin&provider={provider}"
            new = "signin?error=CredentialsSignin&code=credentials"
            return self._refuse(request, told, new, _UNAUTHORIZED)
        verdict = self.may_sign_in(user)
        if verdict is False:
            told = "error?error=AccessDenied"
            return self._refuse(request, told, told, _FORBIDDEN)
        if isinstance(verdict, str):
            url = verdict if self.generation == "v4" else self._absolute(verdict)
            return self._redirect(request, url)
        return self._redirect(request, self._callback_url(form), cookies=self.cookies_for(user))

    def _post_signin(self, request: Request, cookies: Mapping[str, str], provider: str) -> Answer:
        form = _form(request)
        if not self._csrf_is_right(form, cookies):
            return self._bad_csrf(request, "signin")
        kind = self.providers.get(provider)
        if kind is None:
            return self._refuse(request, "signin?csrf=true", "error?error=Configuration")
        if kind == "email":
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", form.get("email", "")):
                return self._refuse(request, "error?error=EmailSignin", "error?error=Configuration")
            return self._redirect(request, self._url(f"verify-request?provider={provider}&type=email"))
        query = urlsplit(request.url).query
        url = f"https://id.example/authorize?code=7&{query}".rstrip("&")
        return self._redirect(request, url, cookies={self.callback_cookie: self._callback_url(form)})

    def _post_signout(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        form = _form(request)
        if not self._csrf_is_right(form, cookies):
            return self._bad_csrf(request, "signout")
        return self._redirect(request, self._callback_url(form), cookies={self.session_cookie: None})

    def _post_log(self, _request: Request, _cookies: Mapping[str, str]) -> Answer:
        return json_answer({}) if self.generation == "v4" else html_answer(_BAD_REQUEST)

    # --- answers ---

    @property
    def _nobody(self) -> dict[str, Any] | None:
        return {} if self.generation == "v4" else None

    def _bad_csrf(self, request: Request, page: str) -> Answer:
        return self._refuse(request, f"{page}?csrf=true", "signin?error=MissingCSRF")

    def _refuse(self, request: Request, v4: str, v5: str, status: int = _OK) -> Answer:
        """Each generation has its own words; v5 has one status for all of them."""
        if self.generation == "v4":
            return self._redirect(request, self._url(v4), status)
        return self._redirect(request, self._url(v5))

    def _redirect(
        self,
        request: Request,
        url: str,
        status: int = _OK,
        cookies: Mapping[str, str | None] | None = None,
    ) -> Answer:
        """In JSON for those who ask for it, each generation in its way."""
        if self.generation == "v4":
            is_asked_for = _form(request).get("json") == "true"
        else:
            names = {name.lower() for name in request.headers}
            is_asked_for = "x-auth-return-redirect" in names
        if is_asked_for:
            return json_answer({"url": url}, status, cookies)
        return Answer(Response(_FOUND, "", {"location": url}), cookies or {})

    def _callback_url(self, form: Mapping[str, str]) -> str:
        url = self._absolute(form.get("callbackUrl") or self.origin)
        is_own = url == self.origin or url.startswith(f"{self.origin}/")
        return url if is_own else self.origin

    def _absolute(self, url: str) -> str:
        return f"{self.origin}{url}" if url.startswith("/") else url

    def _url(self, path: str) -> str:
        return f"{self.origin}{self.base_path}/{path}"

    def _provider(self, name: str, kind: str) -> dict[str, str]:
        urls = {"signinUrl": self._url(f"signin/{name}"), "callbackUrl": self._url(f"callback/{name}")}
        return {"id": name, "name": name.title(), "type": kind, **urls}

    # --- sessions ---

    def _by_password(self, form: Mapping[str, str]) -> FakeUser | None:
        user = self.users.get(form.get("username", ""))
        return user if user and user.password == form.get("password", "") else None

    def _by_email(self, email: str | None) -> FakeUser | None:
        return next((each for each in self.users.values() if email and each.fields["email"] == email), None)

    def _options(self, action: str, challenge: str, email: str | None) -> dict[str, Any]:
        """What the real servers send, as far as the browser in memory reads it."""
        user, site = self._by_email(email), urlsplit(self.origin).hostname
        own = [each for each, name in self.passkeys.items() if user and user.username == name]
        keys = [{"id": each, "type": "public-key"} for each in own]
        if action == "authenticate":
            return {"challenge": challenge, "rpId": site, "allowCredentials": keys}
        shown = {"id": challenge, "name": email, "displayName": email}
        return {
            "challenge": challenge,
            "rp": {"id": site, "name": site},
            "user": shown,
            "excludeCredentials": keys,
        }

    def _by_passkey(self, request: Request, cookies: Mapping[str, str]) -> Answer:
        """Sign in by a passkey, or add one to the account that it was asked for."""
        form, kept = _form(request), json.loads(cookies.get(self.challenge_cookie, "{}"))
        data, action = json.loads(form.get("data", "{}")), form.get("action")
        key = data.get("id")
        if not kept or key is None or (key in self.passkeys) != (action == "authenticate"):
            return self._redirect(request, self._url("error?error=Configuration"))
        if data["response"]["clientDataJSON"] != kept["challenge"]:
            return self._redirect(request, self._url("error?error=WebAuthnVerificationError"))
        if action == "register":
            email = kept["email"]
            self.passkeys[key] = (self._by_email(email) or self.add_user(email, email=email)).username
        cookie = {**self.cookies_for(self.users[self.passkeys[key]]), self.challenge_cookie: None}
        return self._redirect(request, self._callback_url(form), cookies=cookie)

    def _granted(self, stored: str) -> str:
        if self.max_age is None:
            return stored
        return json.dumps({**json.loads(stored), "until": self.now() + self.max_age})

    def _valid(self, cookies: Mapping[str, str]) -> str | None:
        """The session cookie; a browser would have dropped one whose time is over."""
        stored = cookies.get(self.session_cookie)
        try:
            until = json.loads(stored).get("until", float("inf")) if stored else 0
        except (ValueError, AttributeError):  # not one of ours
            return None
        return None if self.now() >= until else stored

    def _session(self, stored: str) -> dict[str, Any]:
        fields = json.loads(stored)
        until, more = fields.pop("until", None), fields.pop("session", {})
        expires = self.expires if until is None else _iso(until)
        return {"user": fields, "expires": expires, **self.extra, **more}

    def _csrf_cookie(self, cookies: Mapping[str, str]) -> dict[str, str | None]:
        if self.csrf_cookie in cookies:
            return {}
        return {self.csrf_cookie: hashlib.sha256(b"%d" % next(self._tokens)).hexdigest()}

    def _csrf_is_right(self, sent: Mapping[str, Any], cookies: Mapping[str, str]) -> bool:
        if self.refused_csrf_posts:
            self.refused_csrf_posts -= 1
            return False
        return sent.get("csrfToken") is not None and sent.get("csrfToken") == cookies.get(self.csrf_cookie)


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body or ""))


def _updated(stored: dict[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Apply an update's data, as a jwt callback does that takes a client's fields."""
    user = {name: value for name, value in data.items() if name in _OF_A_USER}
    others = {name: value for name, value in data.items() if name not in _OF_A_USER}
    return {**stored, **user, "session": {**stored.get("session", {}), **others}}


def _iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
