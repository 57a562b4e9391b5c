"""Ask a site as a browser would that nobody has used before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

# Of one answer, inflated, in bytes: more than the largest file of a bundle has.
LONGEST = 16_000_000

# No session has this value. What reads sessions has browsers forget it, and so tells that it runs.
_PROBE = "; ".join(
    f"{prefix}{name}.session-token=check" for prefix in ("", "__Secure-") for name in ("authjs", "next-auth")
)

# A browser follows twenty.
_MOST_REDIRECTS = 5

_REDIRECTS = {301, 302, 303, 307, 308}


class UnreachableError(Exception):
    """The site does not answer."""


@dataclass(frozen=True)
class Cookie:
    """A cookie that an answer sets, without its value.

    Attributes:
        name: With its prefix.
        attributes: By their names in lower case: ``{"path": "/", "httponly": ""}``.
    """

    name: str
    attributes: dict[str, str]


@dataclass(frozen=True)
class Answer:
    """The answer to a GET.

    Attributes:
        url: What was asked for.
        final_url: What was answered, after redirects.
        status: The last answer's.
        headers: The last answer's, by names in lower case.
        cookies: Those that all answers set.
        body: Of the last one, inflated, up to `LONGEST` bytes.
    """

    url: str
    final_url: str
    status: int
    headers: dict[str, str]
    cookies: tuple[Cookie, ...]
    body: bytes

    @property
    def is_redirected(self) -> bool:
        """Whether another address has answered."""
        return self.final_url != self.url

    @property
    def is_ok(self) -> bool:
        """Whether the status says success."""
        return 200 <= self.status < 300  # noqa: PLR2004

    @property
    def kind(self) -> str:
        """The content type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether it is a page."""
        return self.kind == "text/html" or self.body.lstrip()[:15].lower() == b"<!doctype html>"

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ValueError: It is none.
        """
        return json.loads(self.body)

    @property
    def cache_control(self) -> dict[str, str]:
        """The directives of ``Cache-Control`` by name."""
        parts = self.headers.get("cache-control", "").lower().split(",")
        pairs = (part.strip().partition("=") for part in parts)
        return {name: value.strip('"') for name, _, value in pairs if name}

    @property
    def is_kept_by_all(self) -> bool:
        """Whether a shared cache may keep it, and hand it to other visitors."""
        directives = self.cache_control
        age = directives.get("s-maxage", directives.get("max-age", "0"))
        return not {"private", "no-store", "no-cache"} & directives.keys() and age != "0"


class Fetcher:
    """Asks for each address once.

    Args:
        client: Does not follow redirects.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._known: dict[tuple[str, bool], Answer] = {}

    def get(self, url: str, *, with_session: bool = False) -> Answer:
        """GET an address, and follow redirects.

        Args:
            url: The address.
            with_session: Whether to send a session cookie, which no server takes for one.

        Raises:
            UnreachableError: There is no answer.
        """
        if (url, with_session) not in self._known:
            self._known[url, with_session] = self._get(url, {"cookie": _PROBE} if with_session else {})
        return self._known[url, with_session]

    def _get(self, url: str, headers: dict[str, str]) -> Answer:
        cookies: list[Cookie] = []
        current = url
        for _ in range(_MOST_REDIRECTS):
            response, body = self._ask(current, headers)
            cookies += map(_read_cookie, response.headers.get_list("set-cookie"))
            target = urljoin(current, response.headers.get("location", ""))
            if response.status_code not in _REDIRECTS or target == current:
                break
            if urlsplit(target).scheme not in {"http", "https"}:
                break
            current = target
        found = {name.lower(): value for name, value in response.headers.items()}
        return Answer(url, current, response.status_code, found, tuple(cookies), body)

    def _ask(self, url: str, headers: dict[str, str]) -> tuple[httpx.Response, bytes]:
        try:
            self._client.cookies.clear()
            with self._client.stream("GET", url, headers=headers) as response:
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) >= LONGEST:
                        break
                return response, body[:LONGEST]
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{url} does not answer: {error or type(error).__name__}") from None


def _read_cookie(line: str) -> Cookie:
    first, *rest = line.split(";")
    pairs = (each.strip().partition("=") for each in rest)
    return Cookie(first.partition("=")[0].strip(), {name.lower(): value for name, _, value in pairs})
