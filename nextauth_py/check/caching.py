"""Whether shared caches may keep a visitor's own answers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .cookies import cookies_of
from .findings import Finding, error, ok, warning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .answers import Answer

# Read by CDNs in place of Cache-Control.
_FOR_CDNS = (
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "netlify-cdn-cache-control",
    "surrogate-control",
    "vercel-cdn-cache-control",
)
# In which caches say whether an answer came from them.
_OUTCOMES = (
    "cache-status",
    "cf-cache-status",
    "x-cache",
    "x-cache-status",
    "x-fastcgi-cache",
    "x-litespeed-cache",
    "x-nextjs-cache",
    "x-proxy-cache",
    "x-vercel-cache",
)
_HIT = re.compile(r"\b(hit|stale|prerender|revalidated|updating)\b", re.IGNORECASE)
_LIFETIMES = ("max-age", "s-maxage")


def directives(value: str) -> dict[str, str]:
    """The directives of Cache-Control and similar headers, in lower case."""
    found = {}
    for each in value.split(","):
        name, _, content = each.strip().partition("=")
        if name:
            found[name.strip().lower()] = content.strip().strip('"')
    return found


def seconds(found: Mapping[str, str], name: str) -> int:
    """A directive's number; 0 without one."""
    value = found.get(name, "")
    return int(value[:10]) if value.isascii() and value.isdigit() else 0


def shared_reason(answer: Answer) -> str:
    """Why a shared cache has kept an answer, or may; empty if none may."""
    for name in _OUTCOMES:
        if _HIT.search(answer.one(name)):
            return f"{name}: {answer.one(name)}"
    age = answer.one("age").partition(",")[0].strip()
    if age.isascii() and age.isdigit() and int(age[:10]):
        return f"Age: {age}"
    found = directives(answer.one("cache-control"))
    if "public" in found or seconds(found, "s-maxage"):
        return f"Cache-Control: {answer.one('cache-control')}"
    for name in _FOR_CDNS:
        told = directives(answer.one(name))
        forbids = {"no-store", "private"} & set(told)
        if not forbids and any(seconds(told, lifetime) for lifetime in _LIFETIMES):
            return f"{name}: {answer.one(name)}"
    return ""


def storing_reason(answer: Answer) -> str:
    """Why a shared cache may keep an answer and reuse it without asking the server; empty if none may."""
    found = directives(answer.one("cache-control"))
    lifetime = seconds(found, "s-maxage" if "s-maxage" in found else "max-age")
    is_kept = lifetime and not {"no-cache", "no-store", "private"} & set(found)
    return f"Cache-Control: {answer.one('cache-control')}" if is_kept else ""


def check_private(route: str, answer: Answer) -> list[Finding]:
    """Judge how an answer that is a visitor's own may be kept.

    Args:
        route: The auth route, as ``"session"``.
        answer: What it answered.
    """
    if not answer.ok:
        return []
    about = f"caching of {route}"
    if reason := shared_reason(answer):
        return [
            error(
                about,
                f"{reason}: a shared cache may give one visitor's answer to another",
                "no rule of a CDN, proxy or framework may cache the auth routes; they say "
                "`Cache-Control: private, no-cache, no-store`",
            )
        ]
    found = directives(answer.one("cache-control"))
    if {"no-store", "private"} & set(found):
        return [ok(about, f"Cache-Control: {answer.one('cache-control')}")]
    if "no-cache" in found or found.get("max-age") == "0":
        return []
    return [
        warning(
            about,
            "no Cache-Control that keeps it out of caches; NextAuth sends one, so something takes it away",
            "`Cache-Control: private, no-store` on the auth routes",
        )
    ]


def check_providers_kept(answer: Answer) -> list[Finding]:
    """Judge how the list of providers may be kept: it is the same for all visitors, but for its cookies."""
    reason = shared_reason(answer) if answer.ok else ""
    if not reason:
        return []
    fix = "no rule of a CDN or proxy should cache the auth routes"
    if cookies_of(answer):
        return [error("caching of providers", f"{reason}, and it sets cookies: visitors may share them", fix)]
    return [warning("caching of providers", f"{reason}: visitors may see old sign-in providers", fix)]
