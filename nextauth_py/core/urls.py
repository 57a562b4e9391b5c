"""Where the auth server is, and which URLs a page may be sent to. Pure text: nothing here asks anyone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ..errors import UnsafeRedirectError

if TYPE_CHECKING:
    from collections.abc import Collection
    from urllib.parse import SplitResult

DEFAULT_BASE_PATH = "/api/auth"

# What browsers strip from URLs, or read as a slash, before they parse them: the gap between what a check
# reads and where the browser goes. Behind ? and # a backslash is a character like others.
_DECEPTIVE = re.compile(r"^\s|\s$|^[^?#]*\\|[\x00-\x1f\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060\ufeff]")
# What browsers strip from both ends.
_STRIPPED = " \t\n\v\f\r"
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")


@dataclass(frozen=True)
class AuthUrl:
    """The auth server's address: ``origin`` (empty: the page's own) and ``path`` (no slash at its end)."""

    origin: str = ""
    path: str = DEFAULT_BASE_PATH

    def endpoint(self, *segments: str, **query: str) -> str:
        """The address of one route, as ``/api/auth/callback/credentials``."""
        url = "/".join([self.origin + self.path, *segments])
        return f"{url}?{encoded(query)}" if query else url


def resolve_auth_url(
    base_url: str | None,
    base_path: str | None,
    environ: Mapping[str, str],
    *,
    in_browser: bool,
    page: str = "",
) -> AuthUrl:
    """Find the auth server from the options, else from the environment, else at the default path.

    A browser page, at the address `page`, asks its own origin unless ``base_url`` names another; a program on
    a server has no origin of its own and takes it from the environment.

    Raises:
        TypeError: An option is not a string.
        ValueError: An option or a variable is not a URL, or a path does not begin with a slash.
    """
    if base_url is not None:
        found = _parse_base_url("base_url", base_url)
    else:
        found = _from_environment(environ, in_browser=in_browser)
    path = found.path if base_path is None else _parse_base_path(base_path)
    is_own = found.origin and found.origin == origin_of(page)
    return AuthUrl("" if is_own else found.origin, path)


def _from_environment(environ: Mapping[str, str], *, in_browser: bool) -> AuthUrl:
    names = ("NEXTAUTH_URL", "AUTH_URL", "VERCEL_URL")
    for name in names if in_browser else ("NEXTAUTH_URL_INTERNAL", *names):
        if environ.get(name):
            found = _parse_base_url(name, environ[name])
            return AuthUrl("", found.path) if in_browser else found
    return AuthUrl()


def _parse_base_url(name: str, value: object) -> AuthUrl:
    if not isinstance(value, str):
        raise TypeError(f"{name} takes a URL as a string, not {value!r}")
    text = value if "://" in value else f"https://{value}"
    try:
        parts = split_url(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
        origin = _as_ascii(origin_of(text))
    except ValueError:  # a port that is no number, an open bracket, a host name that is too long
        usable = False
    if usable and parts.username is not None:
        raise ValueError(f"{name} must not have a user name or password in it: requests cannot carry them")
    if not usable or " " in text or _DECEPTIVE.search(text):
        raise ValueError(f"{name}={value!r} is not a URL. Write it like 'https://example.com/api/auth'.")
    # One slash in front: on the page's own origin, two would name a host.
    path = parts.path.strip("/")
    return AuthUrl(origin, f"/{path}" if path else DEFAULT_BASE_PATH)


def _as_ascii(origin: str) -> str:
    """An origin with its host name as browsers write it: ``xn--bcher-kva.example``."""
    scheme, separator, host = origin.partition("://")
    return origin if origin.isascii() else f"{scheme}{separator}{host.encode('idna').decode()}"


def _parse_base_path(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"base_path takes a path as a string, not {value!r}")
    if not re.fullmatch(r"/(?!/)[^?#\s]*", value) or _DECEPTIVE.search(value):
        raise ValueError(
            f"base_path={value!r} is not a path. Write it with one slash in front, like '/api/auth'."
        )
    return value.rstrip("/")


# Python's own module for URLs is imported where one is taken apart: that takes a page longer than all of this
# package, and most pages never do.


def split_url(url: str) -> SplitResult:
    """The parts of a URL.

    Raises:
        ValueError: It is none.
    """
    from urllib.parse import urlsplit  # noqa: PLC0415 - see above

    return urlsplit(url)


def query_of(url: str) -> dict[str, list[str]]:
    """The parameters of a URL, and of a route in its fragment: ``/#/login?error=…``."""
    from urllib.parse import parse_qs  # noqa: PLC0415 - see above

    return parse_qs(_query(split_url(url)))


def callback_of(fields: Mapping[str, object], page: str) -> str | None:
    """Where a form leads after a sign-in: its field ``callbackUrl``, else that parameter of the page."""
    given = fields.get("callbackUrl")
    last = given[-1] if isinstance(given, list) else given
    return str(last) if last else query_of(page).get("callbackUrl", [None])[0]


def _query(parts: SplitResult) -> str:
    return f"{parts.query}&{parts.fragment.partition('?')[2]}"


def encoded(fields: Mapping[str, object]) -> str:
    """Fields as a browser writes them into a form or a query: ``true``, no None, a list item by item."""
    from urllib.parse import urlencode  # noqa: PLC0415 - see above

    pairs = [(name, text) for name, texts in as_texts(fields).items() for text in texts]
    return _HALF.sub("%EF%BF%BD", urlencode(pairs, errors="surrogatepass"))


def as_texts(fields: Mapping[str, object]) -> dict[str, list[str]]:
    """What each field is written as.

    Raises:
        TypeError: A form cannot carry a value's type. No value is in the text.
    """
    return {name: _texts(name, value) for name, value in fields.items()}


def _texts(name: str, value: object) -> list[str]:
    if value is None or type(value).__name__ == "JsNull":
        return []
    if isinstance(value, (Mapping, bytes, bytearray)):
        raise TypeError(
            f"a form carries text: {name!r} is a {type(value).__name__}; json.dumps() or decode it"
        )
    if isinstance(value, Enum):
        return _texts(name, value.value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [text for each in value for text in _texts(name, each)]
    return [str(value).lower() if isinstance(value, bool) else str(value)]


def origin_of(url: str) -> str:
    """``https://example.com`` of ``https://example.com/a?b``, as browsers write it; '' for a relative URL."""
    parts = split_url(url)
    if not parts.netloc:
        return ""
    default_port = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default_port)}"


def join(page: str, url: str) -> str:
    """The absolute form of a URL on a page, as browsers see it.

    `urljoin` sees some otherwise: it drops a lone ``;``. Dots are left for the browser to resolve. What names
    a scheme, or a host without one, is returned as it is.
    """
    if _SCHEME.match(url) or url.startswith("//"):
        return url
    address, mark, query = page.partition("#")[0].partition("?")
    path, query = "/" + address.partition("//")[2].partition("/")[2], mark + query
    if url.startswith("?"):
        query = ""
    elif url.startswith("/"):
        path = query = ""
    elif url and not url.startswith("#"):
        path, query = path[: path.rindex("/") + 1], ""
    return origin_of(page) + path + query + url


# A UTF-16 half of a character, as Python writes it in UTF-8. Browsers send U+FFFD for it.
_HALF = re.compile("%ED%[AB].%..")

# Of the address of a page that is back after a sign-in, and wants what it remembered.
STATE_PARAMETER = "nextauth_state"

# What an auth server adds to the address of a page in order to say that it has refused something; and ours.
_VERDICT = {"error", "code", "csrf", STATE_PARAMETER}


def with_parameter(url: str, name: str, value: str) -> str:
    """A URL with one more parameter in its query. Neither name nor value needs encoding."""
    address, mark, fragment = url.partition("#")
    return f"{address}{'&' if '?' in address else '?'}{name}={value}{mark}{fragment}"


def without_verdict(page: str) -> str:
    """A page's address without what an earlier refusal has left in it; the rest byte for byte."""
    return without_parameters(page, _VERDICT)


def without_parameters(page: str, names: Collection[str]) -> str:
    """A page's address without some parameters, also of a route in its fragment; the rest byte for byte."""
    from urllib.parse import unquote_plus  # noqa: PLC0415 - see above

    address, hash_, route = page.partition("#")
    if hash_:
        return without_parameters(address, names) + hash_ + without_parameters(route, names)
    path, mark, query = page.partition("?")
    fields = query.split("&")
    kept = [each for each in fields if unquote_plus(each.partition("=")[0]) not in names]
    if kept == fields:
        return page
    return path + (mark if kept else "") + "&".join(kept)


def is_same_place(one: str, other: str) -> bool:
    """Whether two absolute URLs name the same page, however a server has rewritten one of them.

    Origins do not count, because a server behind a proxy may take its own for the site's; nor do fragments,
    but for the parameters of a route.
    """
    return _place(one) == _place(other)


def destination(url: str, asked: str, page: str) -> str:
    """Where a page goes on: a server's URL, or the place that was asked for if it is that place.

    A server behind a proxy may take another origin for the site's.
    """
    target = join(page, asked)
    is_asked = is_same_place(join(page, url), target) and origin_of(target) == origin_of(page)
    return target if is_asked else url


def _place(url: str) -> tuple[str, list[tuple[str, str]]]:
    from posixpath import normpath  # noqa: PLC0415 - see above
    from urllib.parse import parse_qsl, unquote  # noqa: PLC0415

    parts = split_url(url)
    # One slash in front, because `normpath` keeps two.
    path = normpath("/" + unquote(parts.path).lstrip("/"))
    return path, sorted(parse_qsl(_query(parts), keep_blank_values=True))


def is_safe_link(url: str, *, data: Collection[str] = ()) -> bool:
    """Whether a URL from a user may stand in an attribute that browsers follow: relative, or http(s).

    Args:
        url: As it would stand there.
        data: The kinds of contents that may be in the URL itself: ``"image"`` for ``data:image/…``.
    """
    url = url.strip(_STRIPPED)
    if _DECEPTIVE.search(re.split("[?#]", url, maxsplit=1)[0]):
        return False
    if not _SCHEME.match(url):
        return True
    return url.lower().startswith(("http://", "https://", *(f"data:{kind}/" for kind in data)))


def safe_redirect(url: str, *, page: str, same_origin: bool = False) -> str:
    """The absolute form of a URL that a page may be sent to.

    Args:
        url: Absolute or relative to ``page``; from a user, or from the server's answer.
        page: The address of the current page.
        same_origin: Whether other origins are refused too.

    Raises:
        UnsafeRedirectError: The URL is not plainly http(s), or leads where it does not seem to.
    """
    if not isinstance(url, str):
        raise UnsafeRedirectError(str(url), "it is not a string")
    if url in (page, without_verdict(page)) and re.match(r"https?://", page):
        return url
    if _DECEPTIVE.search(url):
        raise UnsafeRedirectError(
            url, "it has a backslash, a control or invisible character, or a space at its end"
        )
    if url.startswith("//"):
        raise UnsafeRedirectError(url, "it names a host without a scheme")
    if _SCHEME.match(url) and not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise UnsafeRedirectError(url, "only http and https can be opened")
    target = _absolute(url, page)
    if same_origin and origin_of(target) != origin_of(page):
        raise UnsafeRedirectError(url, "it is on another origin")
    return target


def _absolute(url: str, page: str) -> str:
    try:
        target = join(page, url)
        parts = split_url(target)
        _ = parts.port
    except ValueError:
        raise UnsafeRedirectError(url, "it is not a URL") from None
    if "@" in parts.netloc:
        raise UnsafeRedirectError(url, "it carries a user name")
    if not parts.hostname or not re.fullmatch(r"[\w.:\[\]\-]+", parts.netloc, re.ASCII):
        raise UnsafeRedirectError(url, "its host is not plain ASCII")
    return target
