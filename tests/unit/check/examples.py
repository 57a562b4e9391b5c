"""Answers of a site in which all is well, and what a test says of the findings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from nextauth_py.check.answers import Answer
from nextauth_py.check.auth import AuthAnswers
from nextauth_py.check.findings import Finding, Level

SITE = "https://shop.example"
TOKEN = "0123456789abcdef" * 4
PRIVATE = ("cache-control", "private, no-cache, no-store")

Header = tuple[str, str]


def answer(
    url: str,
    body: Any = "",
    *headers: Header,
    status: int = 200,
    kind: str = "application/json",
    is_whole: bool = True,
) -> Answer:
    """What a site answers; what is neither text nor bytes is written as JSON."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    content = text.encode() if isinstance(text, str) else text
    address = url if "://" in url else SITE + url
    return Answer(address, status, (("content-type", kind), *headers), content, is_whole)


def html(url: str, body: str = "<!doctype html>", *headers: Header, status: int = 200) -> Answer:
    """A page."""
    return answer(url, body, *headers, status=status, kind="text/html; charset=utf-8")


def redirect(url: str, location: str, status: int = 307) -> Answer:
    """An answer that leads elsewhere."""
    return answer(url, "", ("location", location), status=status, kind="")


def csrf_cookie(name: str = "__Host-authjs.csrf-token", attributes: str = "; Secure") -> Header:
    """A cookie as NextAuth sets it; its token is `TOKEN`."""
    return "set-cookie", f"{name}={TOKEN}%7C{TOKEN}; Path=/; HttpOnly; SameSite=Lax{attributes}"


def auth(base_path: str = "/api/auth", site: str = SITE, **replaced: Any) -> AuthAnswers:
    """The auth routes of an Auth.js v5, with others in place of some answers."""
    url = site + base_path
    provider = {"id": "github", "signinUrl": f"{url}/signin/github", "callbackUrl": f"{url}/callback/github"}
    right: dict[str, Any] = {
        "session": answer(f"{url}/session", None, PRIVATE, csrf_cookie()),
        "providers": answer(f"{url}/providers", {"github": provider}),
        "csrf": answer(f"{url}/csrf", {"csrfToken": TOKEN}, PRIVATE, csrf_cookie()),
        "csrf_again": answer(f"{url}/csrf", {"csrfToken": TOKEN}, PRIVATE),
    }
    return AuthAnswers(base_path, site, **{**right, **replaced})


def bad(findings: Iterable[Finding]) -> list[str]:
    """What is no mere note: level, topic and what was seen."""
    levels = {Level.WARNING, Level.ERROR}
    return [f"{each.level} {each.subject}: {each.text}" for each in findings if each.level in levels]


def one(findings: Iterable[Finding], level: Level) -> Finding:
    """The only finding of a level."""
    (found,) = [each for each in findings if each.level == level]
    return found
