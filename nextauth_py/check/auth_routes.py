"""The auth routes: where they are, whose they are, and what proxies and middleware make of their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .fetch import Answer, Cookie

_NOT_FOUND = 404
_SERVER_ERROR = 500
_LOCAL = {"localhost", "127.0.0.1", "::1"}


def candidates(page: str, named: str | None) -> list[str]:
    """Return the paths where auth routes may be, for a page's URL; `named` is in the page itself."""
    folders = [part for part in urlsplit(page).path.split("/")[:-1] if part]
    prefixes = ["", *("/" + "/".join(folders[:length]) for length in range(1, len(folders) + 1))]
    usual = [f"{prefix}{path}" for path in ("/api/auth", "/auth") for prefix in prefixes]
    return list(dict.fromkeys([*([named] if named else []), *usual]))


def is_auth_route(session: Answer) -> bool:
    """Whether this is an answer of NextAuth to a GET of the session, or its complaint about itself."""
    try:
        answer = session.json()
    except ValueError:
        return False
    if session.status >= _SERVER_ERROR:
        return isinstance(answer, dict) and "message" in answer
    return session.is_ok and (answer is None or isinstance(answer, dict))


def explain_missing(answers: Iterable[Answer]) -> Iterator[Finding]:
    """Say of each address why it is no auth route."""
    for answer in answers:
        if answer.is_redirected:
            text = f"redirects to {_short(answer.final_url)}"
            advice = "Does middleware protect the auth routes? Leave them out of its matcher."
        elif answer.is_html and answer.is_ok:
            text = "answers HTML, not JSON"
            advice = "Does middleware protect the auth routes, or does the site answer all paths with a page?"
        else:
            text = f"answers HTTP {answer.status}"
            advice = "Name the right place with --base-path."
        yield Finding("error", answer.url, text, advice)


def check_session(session: Answer) -> Iterator[Finding]:
    """Check the answer to a GET of the session by a visitor who is not signed in."""
    if session.status >= _SERVER_ERROR:
        advice = "The server's log says why; most often a secret is missing (NEXTAUTH_SECRET, AUTH_SECRET)."
        yield Finding(
            "error", session.url, f"HTTP {session.status}: the auth server is misconfigured", advice
        )
        return
    if session.is_redirected:
        text = f"redirects to {_short(session.final_url)}"
        yield Finding("warning", session.url, text, "Use that address; a redirect costs time in each page.")
    if session.json():
        text = "answers with a session though nobody is signed in"
        yield Finding("error", session.url, text, "Does a cache in between keep answers of visitors?")
    yield from check_uncached(session)


def check_uncached(answer: Answer) -> Iterator[Finding]:
    """Check that no cache keeps an answer that is one visitor's own."""
    directives = answer.cache_control
    ages = (directives.get(name, "0") for name in ("max-age", "s-maxage"))
    may_be_kept = "public" in directives or any(age != "0" for age in ages)
    if may_be_kept and "no-store" not in directives and "private" not in directives:
        text = f"Cache-Control: {answer.headers['cache-control']}"
        yield Finding(
            "error",
            answer.url,
            text,
            "Write private, no-store: it would show one visitor's session to others.",
        )
    elif not {"no-store", "no-cache", "private"} & directives.keys():
        text = "no Cache-Control that keeps caches away"
        yield Finding("warning", answer.url, text, "Write Cache-Control: private, no-store.")
    hits = (
        answer.headers.get(name, "")
        for name in ("x-cache", "cf-cache-status", "x-vercel-cache", "x-nextjs-cache")
    )
    if any("hit" in hit.lower() for hit in hits) or answer.headers.get("age", "0") != "0":
        text = "comes from a shared cache"
        yield Finding("error", answer.url, text, "Leave the auth routes out of the CDN's or proxy's cache.")


def generation(session: Answer, cookies: Iterable[Cookie]) -> str:
    """Return which server this is, by its cookies, else by its answer for nobody."""
    names = " ".join(cookie.name for cookie in cookies)
    if "next-auth." in names:
        return "NextAuth v4"
    if "authjs." in names:
        return "Auth.js v5"
    return "NextAuth v4" if session.body.strip() == b"{}" else "Auth.js v5"


def check_csrf(csrf: Answer) -> Iterator[Finding]:
    """Check the answer to a GET of the csrf token."""
    if csrf.status == _NOT_FOUND:
        text = "HTTP 404: the server's framework checks forms itself, as SvelteKit does"
        yield Finding("note", csrf.url, text)
        return
    try:
        token = csrf.json().get("csrfToken")
    except (ValueError, AttributeError):
        token = None
    if not token:
        yield Finding("error", csrf.url, f"no csrf token (HTTP {csrf.status})", "Nobody can sign in or out.")
    elif not any("csrf-token" in cookie.name for cookie in csrf.cookies):
        text = "sets no csrf cookie"
        yield Finding("error", csrf.url, text, "Does a proxy or cache remove Set-Cookie? Nobody can sign in.")
    yield from check_uncached(csrf)


def check_cookies(cookies: Iterable[Cookie], site: str) -> Iterator[Finding]:
    """Check the cookies of the auth routes, for a site's URL."""
    parts = urlsplit(site)
    is_https = parts.scheme == "https"
    for cookie in {cookie.name: cookie for cookie in cookies}.values():
        subject, attributes = f"cookie {cookie.name}", cookie.attributes
        is_secure = "secure" in attributes or cookie.name.startswith(("__Secure-", "__Host-"))
        if is_https and not is_secure:
            advice = (
                "Set NEXTAUTH_URL or AUTH_URL to the https address, or trust the proxy's X-Forwarded-Proto."
            )
            yield Finding("warning", subject, "not Secure: the server takes the site for http", advice)
        if not is_https and is_secure and parts.hostname not in _LOCAL:
            advice = "Serve the site by https, or set NEXTAUTH_URL or AUTH_URL to the http address."
            yield Finding("error", subject, "Secure, on a site without https: browsers drop it", advice)
        if cookie.name.startswith("__Host-") and ("domain" in attributes or attributes.get("path") != "/"):
            text = "__Host- with a Domain, or a Path other than /: browsers drop it"
            yield Finding("error", subject, text, "Leave the prefix out, or the Domain.")
        if "httponly" not in attributes:
            yield Finding("warning", subject, "not HttpOnly", "Scripts can read it. Set httpOnly: true.")
        if attributes.get("samesite", "").lower() == "none":
            yield Finding("note", subject, "SameSite=None: other sites' requests carry it")
        if "domain" in attributes:
            yield Finding("note", subject, f"for all of {attributes['domain']}")


def check_providers(providers: Answer, site: str, base_path: str) -> Iterator[Finding]:
    """Check the list of providers, whose addresses say where the server takes itself to be."""
    try:
        listed: Any = providers.json()
        urls = {name: str(each["signinUrl"]) for name, each in listed.items()}
    except (ValueError, AttributeError, KeyError, TypeError):
        yield Finding("error", providers.url, f"no list of providers (HTTP {providers.status})")
        return
    if not urls:
        yield Finding(
            "error", providers.url, "no providers: nobody can sign in", "Add one to the server's config."
        )
        return
    yield Finding("ok", providers.url, f"providers: {', '.join(sorted(urls))}")
    ours, theirs = urlsplit(site), urlsplit(next(iter(urls.values())))
    if (theirs.scheme, theirs.netloc) != (ours.scheme, ours.netloc):
        text = f"the server takes itself for {theirs.scheme}://{theirs.netloc}"
        advice = (
            f"Set NEXTAUTH_URL or AUTH_URL to {ours.scheme}://{ours.netloc}, or trust the proxy's headers."
        )
        yield Finding("warning", providers.url, text, advice)
    if not theirs.path.startswith(f"{base_path}/signin/"):
        text = f"its sign-in routes are at {theirs.path.rpartition('/')[0]}"
        advice = "Tell the server its base path: NEXTAUTH_URL with the path (v4), basePath (v5)."
        yield Finding("error", providers.url, text, advice)


def _short(url: str) -> str:
    return url.partition("?")[0]
