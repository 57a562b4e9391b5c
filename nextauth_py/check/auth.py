"""The auth routes: where they are, of which generation, and what stands between them and the page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..core import wire
from ..core.urls import DEFAULT_BASE_PATH, origin_of, split_url
from .answers import Answer, is_secure, resolved, shown
from .caching import check_private, check_providers_kept
from .cookies import check_cookies, cookie_header, cookies_of, generations
from .findings import Finding, error, listed, note, ok, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Route = Literal["session", "providers", "csrf"]

# What a server says whose own settings are wrong, and the way to its reason.
_CONFIGURATION = (
    "read the auth server's log: often NEXTAUTH_SECRET (v4) or AUTH_SECRET (v5) is missing, or the host is "
    "not trusted, which AUTH_TRUST_HOST=true changes behind a proxy"
)
_MATCHER = (
    'exclude the auth routes and the static files from it, as with matcher: ["/((?!api/auth|static/).*)"]'
)
_ROUTING = (
    "the proxy or framework must lead this path to NextAuth, before any rule for all pages; if the routes "
    "are elsewhere, say where with --base-path"
)

_KEPT_OUT = (
    "something in front of NextAuth lets nobody through",
    "except the auth routes from the password, firewall or deployment protection in front of it",
)


@dataclass(frozen=True)
class AuthAnswers:
    """What the auth routes of a base path answered to a visitor without cookies.

    Attributes:
        base_path: The path.
        site: The origin.
        session: The answer of each route; where it redirected to itself with a slash, the second one.
        providers: Likewise.
        csrf: Likewise.
        csrf_again: What ``csrf`` answered to the cookies that it had set; None if it was not asked again.
        slashed: The routes that redirect to themselves with a slash.
        elsewhere: Another base path, at which NextAuth answers if it does not at this one.
        tried: All base paths that were asked.
    """

    base_path: str
    site: str
    session: Answer
    providers: Answer
    csrf: Answer
    csrf_again: Answer | None = None
    slashed: tuple[Route, ...] = ()
    elsewhere: str = ""
    tried: tuple[str, ...] = ()

    @property
    def routes(self) -> dict[Route, Answer]:
        """The answers by route."""
        return {"session": self.session, "providers": self.providers, "csrf": self.csrf}

    @property
    def is_found(self) -> bool:
        """Whether NextAuth answers at this path."""
        return speaks_nextauth(self.session)

    @property
    def generation(self) -> str:
        """``"v4"``, ``"v5"``, or empty if the answers do not tell."""
        found = generations(self.routes.values())
        if len(found) == 1:
            return found.pop()
        return {"{}": "v4", "null": "v5"}.get(self.session.text.strip(), "") if not found else ""


# --- where they are ---


def candidates(page: str, declared: Iterable[str | None] = ()) -> list[str]:
    """Base paths to try for a page: what it declares, the usual ones, and these below each of its folders."""
    usual = (DEFAULT_BASE_PATH, "/auth")
    folders = [each for each in split_url(page).path.rpartition("/")[0].split("/") if each]
    prefixes = ["/".join(["", *folders[:count]]) for count in range(len(folders), 0, -1)]
    paths = [*declared, *usual, *(prefix + path for prefix in prefixes for path in usual)]
    # Without a slash in front, the page could name another host.
    return list(dict.fromkeys(path for path in paths if path and path.startswith("/")))


def speaks_nextauth(answer: Answer) -> bool:
    """Whether this looks like a NextAuth server's answer to a session GET."""
    if not answer.ok or not answer.media_type.endswith("json"):
        return False
    try:
        session = answer.json()
    except ValueError:
        return False
    return session is None or session == {} or (isinstance(session, dict) and "expires" in session)


def most_promising(found: Mapping[str, Answer]) -> str:
    """The base path, of those whose ``session`` was asked, that looks most like a NextAuth server's."""
    return min(found, key=lambda path: _distance(found[path]))  # the first one of equals


def _distance(answer: Answer) -> int:
    order = (
        speaks_nextauth(answer),
        answer.status >= 500,  # noqa: PLR2004
        answer.status == 400,  # noqa: PLR2004
        answer.is_redirect,
        answer.status in {401, 403, 405, 429},
        answer.ok and not answer.is_html,
        answer.ok,
    )
    return order.index(True) if True in order else len(order)


def slashed(answer: Answer) -> str:
    """The same URL with a slash at the end of its path, if the answer redirects there; else empty."""
    request = wire.Request("GET", answer.url)
    found = wire.slashed_request(
        request, wire.Response(answer.status, "", {"location": answer.one("location")})
    )
    return found.url if found else ""


# --- what they answer ---


def check_auth(auth: AuthAnswers) -> list[Finding]:
    """Judge the auth routes."""
    troubles = {route: _trouble(route, answer, auth) for route, answer in auth.routes.items()}
    # What is wrong with the path is wrong with each route, and said once.
    firsts: dict[str, Finding] = {}
    for trouble in filter(None, troubles.values()):
        firsts.setdefault(trouble.text, trouble)
    findings = list(firsts.values())
    judges: dict[Route, Callable[[AuthAnswers], Iterator[Finding]]] = {
        "session": _session,
        "providers": _providers,
        "csrf": _csrf,
    }
    for route, judge in judges.items():
        if not troubles[route]:
            findings += judge(auth)
    if auth.elsewhere:
        fix = f"--base-path {auth.elsewhere}, or none, which finds it"
        findings.append(note("session", f"NextAuth answers at {auth.elsewhere}", fix))
    else:
        findings = [_with_tried(each, auth) for each in findings]
    if auth.slashed:
        names = listed(auth.slashed)
        findings.append(
            note("slash", f"{names} redirected to the same path with a slash; the client follows")
        )
    for route in ("session", "csrf"):
        if not troubles[route]:
            findings += check_private(route, auth.routes[route])
    findings += check_providers_kept(auth.providers)
    return findings + check_cookies(list(auth.routes.values()), auth.site)


def _with_tried(finding: Finding, auth: AuthAnswers) -> Finding:
    """If the session's route is not at this path, name the others that were tried."""
    others = ", ".join(path for path in auth.tried if path != auth.base_path)
    is_absent = finding.subject == "session" and finding.advice == _ROUTING
    return replace(finding, text=f"{finding.text}; also tried: {others}") if is_absent and others else finding


def _trouble(route: Route, answer: Answer, auth: AuthAnswers) -> Finding | None:
    """Why an answer cannot be read; None if it can."""
    address = f"{auth.base_path}/{route}"
    if answer.failure:
        fix = "is the auth server running, and does the proxy reach it?"
        return error(route, f"{address}: {answer.failure}", fix)
    if answer.is_redirect:
        return _redirected(route, answer, auth)
    return _unread(route, answer, auth) if answer.ok else _refused(route, answer, address)


def _unread(route: Route, answer: Answer, auth: AuthAnswers) -> Finding | None:
    address = f"{auth.base_path}/{route}"
    if answer.is_html:
        seen = f"{auth.base_path} answers with an HTML page: a catch-all route or a middleware, not NextAuth"
        return error(route, seen, _ROUTING)
    if not answer.media_type.endswith("json"):
        return error(route, f"{address} answers with {answer.media_type or 'no type'}, not JSON", _ROUTING)
    try:
        answer.json()
    except ValueError:
        return error(route, f"{address} answers with JSON that cannot be read", "read the auth server's log")
    return None


def _redirected(route: Route, answer: Answer, auth: AuthAnswers) -> Finding:
    target = shown(answer.location, auth.site)
    if answer.to_sign_in:
        return error(
            route,
            f"{auth.base_path} redirects to {target}: a middleware guards it; nobody can sign in",
            _MATCHER,
        )
    if origin_of(answer.location) != auth.site:
        return error(
            route,
            f"{auth.base_path} redirects to another origin, {target}: requests carry no cookies there",
            "serve page and auth routes under one origin, the one that NEXTAUTH_URL (or AUTH_URL) names",
        )
    return error(route, f"{auth.base_path} redirects to {target} ({answer.status})", _ROUTING)


# By status: what it means, and what to do.
_REFUSALS = {
    400: (
        "the server does not take this path for one of its routes",
        "`basePath` of the auth options, and the path in NEXTAUTH_URL or AUTH_URL if there is one, must be "
        "what browsers ask for; a proxy must not cut it off",
    ),
    401: _KEPT_OUT,
    403: _KEPT_OUT,
    404: ("there is no NextAuth server", _ROUTING),
}
_NOT_FOUND, _TOO_MANY, _SERVER_ERROR = 404, 429, 500


def _refused(route: Route, answer: Answer, address: str) -> Finding | None:
    status = answer.status
    if route == "csrf" and status == _NOT_FOUND:
        return None  # SvelteKit and Qwik check csrf themselves; the client goes on without a token
    # All routes are alike in what is wrong with the path itself.
    seen = f"{address if status > _NOT_FOUND else address.rpartition('/')[0]} answers {status}"
    if answer.one("cf-mitigated") or answer.one("x-vercel-mitigated"):
        fix = "except the auth routes from its challenge"
        return error(route, f"{seen}: a firewall asks for a browser", fix)
    if status == _TOO_MANY:
        return warning(route, f"{seen}: too many requests", "each page reads the session: allow more of them")
    if status >= _SERVER_ERROR and answer.media_type.endswith("json"):
        return error(route, f"{seen}: the auth server's configuration is wrong", _CONFIGURATION)
    otherwise = ("", "read the log of the auth server, and of the proxy in front of it")
    reason, fix = _REFUSALS.get(status, otherwise)
    return error(route, f"{seen}: {reason}" if reason else seen, fix)


def _session(auth: AuthAnswers) -> Iterator[Finding]:
    address = f"{auth.base_path}/session"
    if not speaks_nextauth(auth.session):
        yield error(
            "session", f"{address} answers with JSON that is no session: this is no NextAuth server", _ROUTING
        )
        return
    name = {"v4": "NextAuth v4", "v5": "Auth.js v5"}.get(auth.generation, "NextAuth, of either generation")
    yield ok("session", f"{name}, with base_path={auth.base_path!r}")


def _providers(auth: AuthAnswers) -> Iterator[Finding]:
    found = auth.providers.json()
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        yield error("providers", f"{auth.base_path}/providers answers with no list of providers", _ROUTING)
        return
    if not found:
        yield warning("providers", "there are no sign-in providers", "`providers` in the auth options")
        return
    wrong = {finding.text: finding for each in found.values() if (finding := _address(each, auth))}
    yield from wrong.values()
    if not wrong:
        yield ok("providers", f"{listed([str(name) for name in found])}, at this site's address")


def _address(provider: Mapping[str, object], auth: AuthAnswers) -> Finding | None:
    """What is wrong with a provider's address, from which the server makes links in mails and callbacks."""
    url = resolved(auth.site, str(provider.get("signinUrl", "")))
    if not url:
        return error("providers", "a provider has no signinUrl", "NEXTAUTH_URL (or AUTH_URL) must be a URL")
    names = "AUTH_URL" if auth.generation == "v5" else "NEXTAUTH_URL"
    wanted = auth.site + auth.base_path
    origin, path = origin_of(url), split_url(url).path
    if origin != auth.site:
        return error(
            "providers",
            f"the server takes {origin} for its address, visitors use {auth.site}: callbacks of identity "
            "providers and links in mails lead there",
            _address_fix(origin, auth),
        )
    if not path.startswith(f"{auth.base_path}/"):
        base = path.rpartition("/signin")[0] or path
        return error(
            "providers",
            f"the server takes {base} for its base path, visitors use {auth.base_path}",
            f"{names}={wanted}" + (", and `basePath` in the auth options" if auth.generation == "v5" else ""),
        )
    return None


def _address_fix(origin: str, auth: AuthAnswers) -> str:
    value = auth.site + ("" if auth.base_path == DEFAULT_BASE_PATH else auth.base_path)
    if auth.generation != "v5":
        return f"NEXTAUTH_URL={value}"
    if is_secure(auth.site) and split_url(origin).hostname == split_url(auth.site).hostname:
        return f"AUTH_URL={value}, or AUTH_TRUST_HOST=true and the proxy's header X-Forwarded-Proto: https"
    headers = "X-Forwarded-Host and X-Forwarded-Proto"
    return f"AUTH_URL={value}, or AUTH_TRUST_HOST=true and the proxy's headers {headers}"


def _csrf(auth: AuthAnswers) -> Iterator[Finding]:
    address = f"{auth.base_path}/csrf"
    if auth.csrf.status == _NOT_FOUND:
        if not _only_csrf_is_missing(auth):
            return
        yield note(
            "csrf", f"{address} answers 404, as where the framework checks csrf itself; the client goes on"
        )
        return
    token = _token(auth.csrf)
    if not token:
        yield error("csrf", f"{address} answers with no csrfToken, so nobody can sign in", _ROUTING)
    elif not cookies_of(auth.csrf):
        yield error(
            "csrf",
            f"{address} sets no cookie, so each token is refused",
            "something on the way takes Set-Cookie away: a CDN or proxy must pass it on for the auth routes",
        )
    elif auth.csrf_again is not None and cookie_header(auth.csrf) and _token(auth.csrf_again) != token:
        yield error(
            "csrf",
            f"{address} does not recognise the cookie that it has just set, so each token is refused",
            "a CDN or proxy must pass on the Cookie header; several instances of the server need the same "
            "NEXTAUTH_SECRET (v4) or AUTH_SECRET (v5); all must take the site for https, or none",
        )
    else:
        yield ok("csrf", f"{address} gives a token, and knows its cookie again")


def _only_csrf_is_missing(auth: AuthAnswers) -> bool:
    return auth.session.ok and auth.providers.ok


def _token(answer: Answer) -> str:
    if not answer.ok:
        return ""
    try:
        found = answer.json()
    except ValueError:
        return ""
    token = found.get("csrfToken") if isinstance(found, dict) else None
    return token if isinstance(token, str) else ""
