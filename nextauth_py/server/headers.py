"""Response headers: the auth server's cookies, and cache control for private pages."""

from __future__ import annotations

import re
from http.cookies import CookieError, Morsel, SimpleCookie
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

from .cookies import identity

if TYPE_CHECKING:
    from collections.abc import Container

    from .cookies import Jar

R = TypeVar("R")

_PRIVATE = "private, no-cache"

# Directives that let shared caches store a response. With field names, `private` withholds only those fields.
_SHARED = {"public", "s-maxage", "private"}

# Caches that know these, or a header that ends in -Cache-Control (RFC 9213), do not look at Cache-Control.
_INSTEAD = {"surrogate-control": "no-store", "edge-control": "no-store", "x-accel-expires": "0"}

# A comma, or a quoted text, which has its second quote in a group. Takes no longer than the text is.
_PIECE = re.compile(r',|"(?:[^"\\]|\\.)*+("?)')


def keep_cookies(response: R, jar: Jar) -> R:
    """Add the auth server's ``Set-Cookie`` lines to the response and make it private. Returns the response.

    A cookie that the response itself sets is left alone: a view that signs a visitor out has the last word.
    """
    headers: Any = response.headers  # type: ignore[attr-defined]
    cookies = getattr(response, "cookies", None)
    if isinstance(cookies, SimpleCookie):
        _keep_in_django(cookies, jar)
    else:
        present = _values(headers, "Set-Cookie")
        own = {identity(line) for line in present if not jar.has_taken(line)}
        add = headers.append if hasattr(headers, "append") else headers.add  # Starlette, Werkzeug
        for line in jar.lines:
            if line not in present and identity(line) not in own:
                add("Set-Cookie", line)
    make_private(headers)
    return response


def make_private(headers: Any) -> None:
    """Allow only the visitor's own browser to store a response, whatever its headers said before.

    Without a session too: a signed-in visitor must not get the signed-out page from a cache.
    """
    headers["Cache-Control"] = _private(", ".join(_values(headers, "Cache-Control")))
    for name in {each.lower() for each in headers.keys()}:  # noqa: SIM118 - some iterate over pairs
        if name in _INSTEAD or name.endswith("-cache-control"):
            headers[name] = _INSTEAD.get(name, "no-store")
    varies = [each.strip() for each in ", ".join(_values(headers, "Vary")).split(",") if each.strip()]
    if not {"*", "cookie"} & {each.lower() for each in varies}:
        headers["Vary"] = ", ".join([*varies, "Cookie"])


def _private(stated: str) -> str:
    pieces = list(_PIECE.finditer(stated))
    if any(each[1] == "" for each in pieces):  # an open quote: caches disagree on what follows
        return _PRIVATE
    ends = [-1, *(each.start() for each in pieces if each[0] == ","), len(stated)]
    directives = [stated[start + 1 : end].strip() for start, end in pairwise(ends)]
    kept = [each for each in directives if each and each.partition("=")[0].strip().lower() not in _SHARED]
    said_private = any(each.lower() == "private" for each in directives)
    return ", ".join(["private", *kept]) if kept or said_private else _PRIVATE


def _values(headers: Any, name: str) -> list[str]:
    if hasattr(headers, "getlist"):
        return list(headers.getlist(name))
    return [headers[name]] if name in headers else []


def _keep_in_django(cookies: SimpleCookie, jar: Jar) -> None:
    own = {name for name, morsel in cookies.items() if not isinstance(morsel, _Line)}
    ours = [key for key in cookies if key not in own]
    for key in ours:
        del cookies[key]
    for line in jar.lines:
        try:
            morsel = _Line(line)
        except (CookieError, UnicodeEncodeError):  # what Django cannot send
            continue
        if morsel.key not in own:
            # Django writes the values and never looks at the keys, so cookies of one name find room.
            key = morsel.key if morsel.key not in cookies else line
            dict.__setitem__(cookies, key, morsel)


class _Line(Morsel[str]):
    """A cookie that is written as the auth server wrote it, unless it is changed.

    `SimpleCookie.load` loses what Python does not know: it drops a cookie that is ``Partitioned``, and takes
    ``Priority=High`` for a cookie.
    """

    _channel, _initial = "", None  # of a copy that was unpickled, which is written as any other

    def __init__(self, line: str) -> None:
        super().__init__()
        pair, *attributes = line.encode("ascii").decode().split(";")
        name, _, value = pair.partition("=")
        self.set(name.strip(), value.strip(), value.strip())
        for each in attributes:
            key, _, setting = each.partition("=")
            if self.isReservedKey(key.strip()):
                self[key.strip()] = setting.strip() or True
        self._channel, self._initial = line, self._state()

    def OutputString(self, attrs: Container[str] | None = None) -> str:  # noqa: N802 - its name in http.cookies
        """Write the cookie."""
        return self._channel if self._state() == self._initial else super().OutputString(attrs)

    def _state(self) -> tuple[str, str, dict[str, Any]]:
        return self.key, self.coded_value, dict(self)
