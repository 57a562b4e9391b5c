"""The visitor's cookies: read from a request, and passed on to the auth server as the bytes that came."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ..core.server_clock import parse_date

# The cookies of NextAuth v4 and Auth.js v5 under their default names: pass as ``cookies=AUTH_COOKIES``.
AUTH_COOKIES = ("next-auth.*", "authjs.*")

# Illegal in an HTTP header; Node answers 400 to a request that has one.
_ILLEGAL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# NextAuth adds a prefix where the site is on https, and splits a cookie of over 4 kB into "name.0", "name.1"…
_PREFIX, _CHUNK = rb"(?:__Secure-|__Host-)?", rb"(?:\.\d+)?"

_BLANKS = b" \t"


def cookie_header(request: Any) -> bytes:
    """Return the cookies of a request as one header, byte for byte.

    Args:
        request: A request of Starlette, FastAPI, Flask, Django or another framework with ``.headers``; or the
            headers themselves: a mapping, or pairs of names and values, as str or bytes.

    Raises:
        TypeError: It is none of these.
    """
    scope, environ = getattr(request, "scope", None), getattr(request, "environ", None)
    if isinstance(scope, Mapping) and "headers" in scope:  # ASGI
        headers = scope["headers"]
    elif isinstance(environ, Mapping):  # WSGI
        headers = {"cookie": environ.get("HTTP_COOKIE", "")}
    else:
        headers = getattr(request, "headers", request)
    try:
        pairs = list(headers.items() if hasattr(headers, "items") else headers)
        found = [_bytes(value) for name, value in pairs if _bytes(name).lower() == b"cookie"]
    except (TypeError, ValueError, AttributeError):
        raise TypeError(
            f"a request of a web framework or its headers are needed, not {type(request).__name__}"
        ) from None
    # Several headers are one cookie string that HTTP/2 has split (RFC 9113, 8.2.3).
    return b"; ".join(filter(None, (value.strip(_BLANKS) for value in found)))


def _bytes(value: str | bytes) -> bytes:
    """Undo the decoding of a header: Latin-1 in WSGI and ASGI servers, elsewhere UTF-8."""
    if isinstance(value, bytes):
        return value
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        pass
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")


def checked_cookies(cookies: object) -> re.Pattern[bytes] | None:
    """Compile the ``cookies`` option to an expression for whole names; None for None.

    Raises:
        TypeError: It is not a collection of str.
        ValueError: It is empty, or has what cannot be the name of a cookie.
    """
    if cookies is None:
        return None
    if isinstance(cookies, str | bytes | Mapping) or not isinstance(cookies, Collection):
        raise TypeError(f"cookies takes several names, as ['authjs.*'], not {type(cookies).__name__}")
    if not cookies:
        raise ValueError(
            "cookies=… names no cookie, so nobody could be signed in. Leave it out to pass on all."
        )
    return re.compile(b"|".join(_expression(name) for name in cookies), re.DOTALL)


def _expression(name: object) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"cookies takes names as str, not {type(name).__name__}")
    if not re.fullmatch(r"[^\x00-\x20\x7f;=]+", name):
        raise ValueError(f"{name!r} cannot be the name of a cookie. Write it like 'authjs.session-token'.")
    first, *others = (re.escape(part) for part in _bytes(name).split(b"*"))
    for each in others[:-1]:
        first += b"(?>.*?" + each + b")"  # atomic: a visitor's long name must not cost more than its length
    last = b".*" + others[-1] if others else b""
    return _PREFIX + first + last + _CHUNK


class Jar:
    """The cookies of one visitor, and those that the auth server has set during the visit.

    Args:
        header: The visitor's Cookie header.
        names: An expression for the names that may be passed on; None for all.
    """

    def __init__(self, header: bytes, names: re.Pattern[bytes] | None = None) -> None:
        parts = [part for part in header.split(b";") if not _ILLEGAL.search(part)]
        if names:
            parts = [part for part in parts if b"=" in part and names.fullmatch(_pair(part)[0])]
        self._parts: list[bytes | None] = [*parts]  # None where a cookie has gone
        self._places: dict[bytes, list[int]] = {}  # of each name in them
        for at, part in enumerate(parts):
            if b"=" in part:
                self._places.setdefault(_pair(part)[0], []).append(at)
        self._lines: dict[tuple[bytes, ...], str] = {}
        self._taken: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._places)

    @property
    def header(self) -> bytes:
        """The Cookie header for the auth server; empty where there is nothing to pass on."""
        return b";".join(part for part in self._parts if part is not None).strip(_BLANKS)

    @property
    def lines(self) -> list[str]:
        """The ``Set-Cookie`` lines for the visitor, as Latin-1; of several for one cookie, the last."""
        return list(self._lines.values())

    def has_taken(self, line: str) -> bool:
        """Whether the auth server has sent this line during the visit."""
        return line in self._taken

    def take(self, lines: Iterable[str]) -> None:
        """Note the ``Set-Cookie`` lines of an answer; from now on their cookies replace the visitor's."""
        for line in lines:
            raw = line.encode("latin-1")
            pair, _, attributes = raw.partition(b";")
            if _ILLEGAL.search(raw) or b"=" not in pair:
                continue
            self._taken.add(line)
            self._lines[identity(line)] = line
            name, value = _pair(pair)
            self._replace(name, None if _is_deleted(value, attributes) else name + b"=" + value)

    def _replace(self, name: bytes, pair: bytes | None) -> None:
        """Put a pair where the visitor's first cookie of the name was; None only removes the name."""
        places = self._places.pop(name, [])
        old = [self._parts[at] or b"" for at in places[:1]]
        for at in places:
            self._parts[at] = None
        if pair is None:
            return
        if old:
            self._parts[places[0]] = old[0][: len(old[0]) - len(old[0].lstrip(_BLANKS))] + pair
        else:
            while self._parts and not (self._parts[-1] or b"").strip(_BLANKS):
                self._parts.pop()
            places = [len(self._parts)]
            self._parts.append(b" " + pair)
        self._places[name] = places[:1]


def identity(line: str) -> tuple[bytes, ...]:
    """Return the identity of the cookie in a ``Set-Cookie`` line: its name, domain and path."""
    pair, _, attributes = line.encode("latin-1", "replace").partition(b";")
    found = _attributes(attributes)
    return _pair(pair)[0], found.get(b"domain", b"").lower().lstrip(b"."), found.get(b"path", b"")


def _is_deleted(value: bytes, attributes: bytes) -> bool:
    found = _attributes(attributes)
    max_age = found.get(b"max-age", b"")
    if not value or re.fullmatch(rb"-\d+|0+", max_age):
        return True
    expires = None if max_age else parse_date(found.get(b"expires", b"").decode("latin-1"))
    return expires is not None and expires <= time.time()


def _attributes(text: bytes) -> dict[bytes, bytes]:
    return {name.lower(): value for name, value in map(_pair, text.split(b";"))}


def _pair(text: bytes) -> tuple[bytes, bytes]:
    name, _, value = text.partition(b"=")
    return name.strip(_BLANKS), value.strip(_BLANKS)
