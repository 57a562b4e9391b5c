"""HTTP answers, and how URLs are shown. Values only: nothing here sends a request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin

from ..core import bounded_json
from ..core.urls import origin_of, split_url

JAVASCRIPT = frozenset(
    {
        "application/ecmascript",
        "application/javascript",
        "application/x-ecmascript",
        "application/x-javascript",
        "text/ecmascript",
        "text/javascript",
        "text/x-ecmascript",
        "text/x-javascript",
    }
)

# Of a path that asks a visitor to sign in, however a site words it.
_SIGN_IN = re.compile(r"(sign|log)[-_]?[io]n\b|\bauthenticate\b|\bauthorize\b|\bsso\b", re.IGNORECASE)
_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.\d+){3}|::1")

_REDIRECTS = range(300, 400)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, or why there was none. It may hold a token or a cookie, so it does not print them.

    Attributes:
        url: The address that was asked.
        status: The HTTP status; 0 if there was no answer.
        headers: Names in lower case and values, in their order.
        body: The beginning of the body, inflated.
        is_whole: Whether `body` is the whole body.
        failure: Why there was no answer.
    """

    url: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    is_whole: bool = True
    failure: str = ""

    def all(self, name: str) -> list[str]:
        """The values of a header, one for each line."""
        return [value for each, value in self.headers if each == name]

    def one(self, name: str) -> str:
        """The values of a header, joined as caches join them."""
        return ", ".join(self.all(name))

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the range is its own name

    @property
    def is_redirect(self) -> bool:
        """Whether it is a redirect with a usable Location."""
        return self.status in _REDIRECTS and bool(self.location)

    @property
    def media_type(self) -> str:
        """The content type, without its parameters."""
        return self.one("content-type").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether it is HTML, by its content type or its first bytes."""
        kinds = {"text/html", "application/xhtml+xml"}
        return self.media_type in kinds or self.body[:100].lstrip().lower().startswith(
            (b"<!doctype", b"<html")
        )

    @property
    def text(self) -> str:
        """The body, as browsers read UTF-8."""
        return self.body.decode("utf-8-sig", "replace")

    @property
    def location(self) -> str:
        """The target of a redirect, absolute; empty if it is not http(s)."""
        return resolved(self.url, self.one("location"))

    @property
    def to_sign_in(self) -> bool:
        """Whether it redirects to a sign-in page."""
        return self.is_redirect and is_sign_in(self.location)

    def json(self) -> object:
        """The body as JSON.

        Raises:
            ValueError: It is not JSON, or longer than what was read.
        """
        if not self.is_whole:
            raise ValueError("the JSON is too long")
        return bounded_json.loads(self.text, longest=len(self.body) + 1)


def resolved(page: str, url: str) -> str:
    """A URL, absolute and without a fragment; empty if it is not http(s), or has a user name in it."""
    try:
        whole = urljoin(page, url.strip()).partition("#")[0]
        parts = split_url(whole)
        is_usable = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        return ""
    return whole if url and is_usable and parts.scheme in {"http", "https"} else ""


def is_sign_in(url: str) -> bool:
    """Whether a URL looks like that of a sign-in page."""
    parts = split_url(url)
    return bool(_SIGN_IN.search(parts.path)) or "callbackurl=" in parts.query.lower()


def is_loopback(url: str) -> bool:
    """Whether a URL is on this machine, which browsers trust without TLS."""
    return bool(_LOOPBACK.fullmatch(split_url(url).hostname or ""))


def is_secure(url: str) -> bool:
    """Whether a URL is https."""
    return split_url(url).scheme == "https"


def shown(url: str, site: str = "") -> str:
    """A URL as it is printed: without the query, which may hold a token, and as a path if it is on `site`."""
    parts = split_url(url)
    origin = origin_of(url)
    return (parts.path or "/") if origin == site else f"{origin}{parts.path or '/'}"
