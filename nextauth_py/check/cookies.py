"""The cookies that auth routes set: whether browsers keep them, and which generation sets them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..core.urls import split_url
from .answers import Answer, is_loopback, is_secure
from .findings import Finding, error, listed, note, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PREFIX = re.compile(r"__(Secure|Host)-")
_GENERATIONS = {"next-auth.": "v4", "authjs.": "v5"}

# A token and its hash, whatever name the site gives to the cookie.
_CSRF = re.compile(r"[0-9a-f]{64}(\||%7C)[0-9a-f]{64}", re.IGNORECASE)

# No session has this value.
SESSION_PROBE = "; ".join(
    f"{prefix}{start}session-token=check" for prefix in ("", "__Secure-") for start in _GENERATIONS
)

# Two cookies that a proxy has joined as other headers may be. The comma of a date has no name behind it.
_JOINED = re.compile(r",\s*(?:__Secure-|__Host-)?(?:next-auth|authjs)\.[\w.-]+=")


@dataclass(frozen=True)
class SetCookie:
    """One line of Set-Cookie; attributes by their name in lower case."""

    name: str
    value: str = field(repr=False)
    attributes: dict[str, str]

    @property
    def plain_name(self) -> str:
        """The name without ``__Host-`` or ``__Secure-``."""
        return _PREFIX.sub("", self.name, count=1)

    @property
    def prefix(self) -> str:
        """``__Host-``, ``__Secure-`` or empty."""
        found = _PREFIX.match(self.name)
        return found[0] if found else ""

    @property
    def generation(self) -> str:
        """``"v4"``, ``"v5"``, or empty for a name of the site's own."""
        return next((each for start, each in _GENERATIONS.items() if self.plain_name.startswith(start)), "")

    @property
    def is_csrf(self) -> bool:
        """Whether it carries a csrf token."""
        return bool(_CSRF.fullmatch(self.value))


def parse_set_cookie(line: str) -> SetCookie:
    """Read a line as browsers do."""
    pair, *rest = line.split(";")
    name, _, value = pair.partition("=")
    attributes = {}
    for each in rest:
        key, _, content = each.partition("=")
        attributes[key.strip().lower()] = content.strip()
    return SetCookie(name.strip(), value.strip(), attributes)


def cookies_of(answer: Answer) -> list[SetCookie]:
    """The cookies that an answer sets."""
    return [parse_set_cookie(line) for line in answer.all("set-cookie")]


def is_auth_cookie(cookie: SetCookie) -> bool:
    """Whether it is NextAuth's, by its name or its content."""
    return bool(cookie.generation) or cookie.is_csrf


def rejection_reason(cookie: SetCookie, url: str) -> str:
    """Why a browser does not keep a cookie that this address sets; empty if it does."""
    attributes = cookie.attributes
    domain = attributes.get("domain", "").lstrip(".").lower()
    host = (split_url(url).hostname or "").lower()
    is_trusted = is_secure(url) or is_loopback(url)
    is_marked = "secure" in attributes
    reasons = {
        "it is Secure, and the site has no TLS": is_marked and not is_trusted,
        f"its prefix {cookie.prefix} asks for Secure": bool(cookie.prefix) and not is_marked,
        f"its Domain={domain} is not the site's": bool(domain) and not f".{host}".endswith(f".{domain}"),
        "its prefix __Host- allows no Domain": cookie.prefix == "__Host-" and bool(domain),
        "its prefix __Host- asks for Path=/": cookie.prefix == "__Host-" and attributes.get("path") != "/",
        "it is SameSite=None without Secure": attributes.get("samesite", "").lower() == "none"
        and not is_marked,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def cookie_header(answer: Answer) -> str:
    """What a browser sends back of the cookies that an answer sets."""
    kept = [each for each in cookies_of(answer) if each.value and not rejection_reason(each, answer.url)]
    return "; ".join(f"{each.name}={each.value}" for each in kept)


def generations(answers: Iterable[Answer]) -> set[str]:
    """The generations whose cookies are set."""
    return {cookie.generation for answer in answers for cookie in cookies_of(answer)} - {""}


def check_cookies(answers: Sequence[Answer], site: str) -> list[Finding]:
    """Judge the cookies of the auth routes.

    Args:
        answers: What the auth routes answered to a visitor without cookies.
        site: The site's origin.
    """
    cookies = {cookie.name: cookie for answer in answers for cookie in cookies_of(answer)}
    own = [cookie for cookie in cookies.values() if is_auth_cookie(cookie)]
    problems = [
        *_joined(answers),
        *_rejected(own, site),
        *_several(own),
        *_without_tls(own, site),
        *_attributes(own),
    ]
    return problems or _fine(own)


def _joined(answers: Sequence[Answer]) -> list[Finding]:
    if not any(_JOINED.search(line) for answer in answers for line in answer.all("set-cookie")):
        return []
    return [
        error(
            "cookies",
            "several cookies are joined in one Set-Cookie header, of which browsers keep the first only",
            "the proxy, gateway or adapter in front of the auth server must pass on each Set-Cookie header "
            "by itself",
        )
    ]


def _rejected(cookies: Sequence[SetCookie], site: str) -> list[Finding]:
    reasons: dict[str, list[str]] = {}
    for cookie in cookies:
        if reason := rejection_reason(cookie, site):
            reasons.setdefault(reason, []).append(cookie.name)
    return [
        error(
            "cookies",
            f"browsers do not keep {listed(names)}: {reason}, so nobody can sign in",
            "NEXTAUTH_URL (or AUTH_URL) must name the address that visitors use, with its scheme; see also "
            "`cookies` and `useSecureCookies` in the auth options",
        )
        for reason, names in reasons.items()
    ]


def _several(cookies: Sequence[SetCookie]) -> list[Finding]:
    found = sorted({cookie.generation for cookie in cookies} - {""})
    tokens = sorted(cookie.name for cookie in cookies if cookie.is_csrf)
    if len(found) > 1:
        return [
            error(
                "cookies",
                f"cookies of two generations are set ({listed(tokens)}): two servers answer, NextAuth v4 and "
                "Auth.js v5, and each refuses the other's tokens",
                "lead all auth routes to one of them",
            )
        ]
    if len(tokens) > 1:
        return [
            error(
                "cookies",
                f"there are several csrf cookies ({listed(tokens)}): some answers take the site for https, "
                "others for http, so tokens are refused",
                "set NEXTAUTH_URL (or AUTH_URL) in each instance, or X-Forwarded-Proto in each proxy",
            )
        ]
    return []


def _without_tls(cookies: Sequence[SetCookie], site: str) -> list[Finding]:
    names = [cookie.name for cookie in cookies if "secure" not in cookie.attributes]
    if is_secure(site) and names:
        return [
            warning(
                "cookies",
                f"{listed(names)} not Secure: the auth server takes the site for http",
                "NEXTAUTH_URL=https://… (v4); AUTH_URL=https://…, or AUTH_TRUST_HOST=true and the proxy's "
                "header X-Forwarded-Proto: https (v5)",
            )
        ]
    prefixed = [cookie.name for cookie in cookies if cookie.prefix]
    if not is_secure(site) and prefixed and is_loopback(site):
        return [
            note(
                "cookies",
                f"{listed(prefixed)} on http: Safari does not keep them, other browsers do on this machine",
                f"NEXTAUTH_URL (or AUTH_URL) should be {site} here",
            )
        ]
    return []


def _attributes(cookies: Sequence[SetCookie]) -> list[Finding]:
    findings = []
    if readable := [cookie.name for cookie in cookies if "httponly" not in cookie.attributes]:
        findings.append(
            warning(
                "cookies",
                f"scripts can read {listed(readable)}: not HttpOnly",
                "take `httpOnly: false` out of `cookies` in the auth options",
            )
        )
    same_site = {cookie.name: cookie.attributes.get("samesite", "").lower() for cookie in cookies}
    if strict := [name for name, value in same_site.items() if value == "strict"]:
        findings.append(
            warning(
                "cookies",
                f"{listed(strict)} SameSite=Strict: not sent when a visitor comes back from an identity "
                "provider, or by a link",
                "`sameSite: 'lax'` in `cookies` of the auth options",
            )
        )
    if foreign := [name for name, value in same_site.items() if value == "none"]:
        findings.append(
            warning(
                "cookies",
                f"{listed(foreign)} SameSite=None: other sites' pages can send them",
                "`sameSite: 'lax'`, unless the site has to work in frames of others",
            )
        )
    if shared := sorted(
        {f"{each.name} ({each.attributes['domain']})" for each in cookies if _has_domain(each)}
    ):
        findings.append(note("cookies", f"every subdomain gets {listed(shared)}"))
    return findings


def _has_domain(cookie: SetCookie) -> bool:
    return bool(cookie.attributes.get("domain"))


def _fine(cookies: Sequence[SetCookie]) -> list[Finding]:
    if not cookies:
        return []
    return [
        ok(
            "cookies",
            f"{listed([cookie.name for cookie in cookies])}: browsers keep them, scripts do not read them",
        )
    ]
