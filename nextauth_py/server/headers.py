"""Cookies from and to the requests and responses of web frameworks. None of them is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookies import SimpleCookie
from typing import Any, TypeVar

R = TypeVar("R")

# The answer is about one visitor: no cache between may give it to another.
_PRIVATE = "private, no-cache"


def cookie_header(request: Any) -> str:
    """The cookies that came with a request, as one header.

    Args:
        request: Of Starlette, FastAPI, Flask, Django or another framework with ``.headers``; or the headers
            themselves: a mapping, or pairs of names and values, as texts or bytes.

    Raises:
        TypeError: It is nothing of the kind.
    """
    headers = getattr(request, "headers", request)
    try:
        pairs = list(
            headers.items() if isinstance(headers, Mapping) or hasattr(headers, "items") else headers
        )
        found = [_text(value) for name, value in pairs if _text(name).lower() == "cookie"]
    except (TypeError, ValueError, AttributeError):
        raise TypeError(
            f"a request of a web framework or its headers are needed, not {type(request).__name__}"
        ) from None
    return "; ".join(found)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value.strip()


def keep_cookies(response: R, lines: Iterable[str]) -> R:
    """Hand ``Set-Cookie`` lines on, and keep the response out of shared caches. Returns the response."""
    headers: Any = response.headers  # type: ignore[attr-defined]
    cookies = getattr(response, "cookies", None)
    for line in lines:
        if isinstance(cookies, SimpleCookie):  # Django
            cookies.load(line)
        elif hasattr(headers, "append"):  # Starlette
            headers.append("Set-Cookie", line)
        else:  # Werkzeug
            headers.add("Set-Cookie", line)
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = _PRIVATE
    varies = headers.get("Vary", "")
    if "cookie" not in varies.lower():
        headers["Vary"] = f"{varies}, Cookie" if varies else "Cookie"
    return response


class Jar:
    """The cookies of one visitor, and those that the auth server has set since.

    Args:
        header: As the visitor's browser sent them.
    """

    def __init__(self, header: str) -> None:
        self._cookies = dict(_pair(part) for part in header.split(";") if "=" in part)
        self._set: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._cookies)

    @property
    def header(self) -> str:
        """To be sent to the auth server."""
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())

    @property
    def lines(self) -> list[str]:
        """The ``Set-Cookie`` lines for the visitor; of several for one cookie, the last."""
        return list(self._set.values())

    def take(self, lines: Iterable[str]) -> None:
        """Learn what the auth server sets."""
        for line in lines:
            name, value = _pair(line.partition(";")[0])
            self._set[name] = line
            if value:
                self._cookies[name] = value
            else:
                self._cookies.pop(name, None)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()
