"""GET requests as a browser sends them, each with the given cookies only. Redirects are not followed."""

from __future__ import annotations

import time
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Literal, Self

import httpx

from ..core.urls import origin_of
from .answers import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Bytes to read of an answer: pages, configs and lock files are shorter, and of others the first ones tell.
LONGEST = 4 * 2**20
BEGINNING = 2**14

HOPS = 5

Destination = Literal["document", "script", "empty"]

_ACCEPTED = {"document": "text/html,application/xhtml+xml,*/*;q=0.8", "script": "*/*", "empty": "*/*"}
_MODES = {"document": "navigate", "script": "no-cors", "empty": "cors"}
_AGENT = "Mozilla/5.0 (compatible; nextauth-py check)"

# Browsers send nothing for this machine through a proxy.
_DIRECT: dict[str, httpx.BaseTransport | None] = dict.fromkeys(
    ("all://localhost", "all://127.0.0.1", "all://[::1]")
)


class Fetcher:
    """Sends requests; a context manager.

    Args:
        timeout: Seconds from a request to the last byte that is read of its answer.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._client = httpx.Client(
            cookies=no_cookies, follow_redirects=False, timeout=timeout, mounts=_DIRECT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(
        self,
        url: str,
        *,
        page: str = "",
        destination: Destination = "empty",
        cookie: str = "",
        longest: int = LONGEST,
        codings: str = "gzip",
    ) -> Answer:
        """Send one request.

        Args:
            url: The address.
            page: The address of the page that asks; empty if a visitor does.
            destination: What the answer is for.
            cookie: The Cookie header.
            longest: How many bytes to read.
            codings: The compressions to accept. Only gzip is inflated.
        """
        headers = {
            "User-Agent": _AGENT,
            "Accept": _ACCEPTED[destination],
            "Accept-Encoding": codings,
            **_fetch_metadata(url, page, destination),
            **({"Cookie": cookie} if cookie else {}),
        }
        try:
            return self._read(url, headers, longest)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as problem:
            return Answer(url, failure=self._reason(problem))

    def follow(self, url: str, *, stop: Callable[[Answer], bool]) -> list[Answer]:
        """Request a page and follow its redirects, until `stop` or an answer that is none.

        Returns:
            All answers, the first one first.
        """
        answers = [self.get(url, destination="document")]
        while (last := answers[-1]).is_redirect and not stop(last) and len(answers) <= HOPS:
            answers.append(self.get(last.location, destination="document"))
        return answers

    def _read(self, url: str, headers: Mapping[str, str], longest: int) -> Answer:
        end = time.monotonic() + self._timeout
        raw = bytearray()
        is_whole = True
        sent = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
        with self._client.stream("GET", url, headers=sent) as response:
            for chunk in response.iter_raw():
                raw += chunk
                if len(raw) >= longest:
                    is_whole = False
                    break
                if time.monotonic() > end:
                    raise httpx.ReadTimeout("the answer does not end")
            pairs = tuple(
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in response.headers.raw
            )
        body, is_inflated = _inflated(bytes(raw), response.headers.get("content-encoding", ""), longest)
        return Answer(url, response.status_code, pairs, body, is_whole=is_whole and is_inflated)

    def _reason(self, problem: Exception) -> str:
        if isinstance(problem, httpx.TimeoutException):
            return f"no answer within {self._timeout:g} s"
        if "CERTIFICATE_VERIFY_FAILED" in str(problem):
            return f"its certificate is not valid ({str(problem).rpartition(': ')[2]})"
        if isinstance(problem, httpx.ConnectError):
            return f"cannot be reached ({problem})"
        # Others may say what was sent or received, a cookie for instance.
        return f"cannot be asked ({type(problem).__name__})"


def _fetch_metadata(url: str, page: str, destination: Destination) -> dict[str, str]:
    is_own = not page or origin_of(page) == origin_of(url)
    site = "none" if not page else "same-origin" if is_own else "cross-site"
    mode = _MODES[destination] if is_own else "cors"
    headers = {"Sec-Fetch-Dest": destination, "Sec-Fetch-Mode": mode, "Sec-Fetch-Site": site}
    if page:
        headers["Referer"] = page.partition("?")[0] if is_own else f"{origin_of(page)}/"
    if not is_own:
        headers["Origin"] = origin_of(page)
    return headers


def _inflated(raw: bytes, coding: str, longest: int) -> tuple[bytes, bool]:
    """The body, and whether it is whole. At most `longest` bytes are inflated: a few may hold gigabytes."""
    if coding.strip().lower() in {"", "identity"}:
        return raw, True
    if coding.strip().lower() not in {"gzip", "x-gzip"}:
        return b"", False
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # gzip
    try:
        return stream.decompress(raw, longest), stream.eof
    except zlib.error:
        return b"", False
