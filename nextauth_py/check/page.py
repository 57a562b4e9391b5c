"""A page's HTML: PyScript, the Python that it runs, and what it loads."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from ..core.urls import DEFAULT_BASE_PATH, origin_of, split_url
from .answers import Answer, is_loopback, is_secure, resolved, shown
from .caching import directives, shared_reason, storing_reason
from .cookies import cookies_of
from .findings import Finding, error, listed, note, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFETCH = "session-prefetch.js"
BUNDLED_CORE = "pyscript/core.js"
_CORE = re.compile(r"/core(?:-[\w-]+)?\.js$")
_PYTHON, _MICROPYTHON = "py", "mpy"
_KINDS = {"py": _PYTHON, "mpy": _MICROPYTHON}
_CONFIG_FILE = re.compile(r"\.\w+(?:\?\S*)?$")  # as PyScript tells a file from a config in the attribute


@dataclass(frozen=True)
class Element:
    """A start tag: its name and attributes in lower case, and the text of a script."""

    name: str
    attributes: Mapping[str, str]
    text: str = ""

    def get(self, name: str) -> str:
        """An attribute, stripped; empty without one."""
        return self.attributes.get(name, "").strip()

    @property
    def is_module(self) -> bool:
        """Whether it is a script of ``type=module``."""
        return self.get("type").lower() == "module"

    @property
    def target(self) -> str:
        """The URL that a script or a link names."""
        return self.get("href" if self.name == "link" else "src")


@dataclass(frozen=True)
class Page:
    """What a page's HTML says.

    Attributes:
        url: Its address.
        elements: The scripts, and what else matters here, in their order.
        base: What relative URLs are relative to.
    """

    url: str
    elements: tuple[Element, ...] = field(repr=False)
    base: str

    def resolve(self, url: str) -> str:
        """A URL of the page, absolute; empty if it is not one."""
        return resolved(self.base, url)

    def all(self, *names: str) -> list[Element]:
        """The elements of these names."""
        return [each for each in self.elements if each.name in names]

    def scripts(self, ending: str) -> list[Element]:
        """The scripts whose file has this name."""
        return [each for each in self.all("script") if _path(each.get("src")).endswith(f"/{ending}")]

    @property
    def core(self) -> Element | None:
        """The script that is PyScript, or a link to preload it: React adds the script later."""
        found = [each for each in self.all("script", "link") if _CORE.search(_path(each.target))]
        # Other libraries have files of that name too.
        return next((each for each in found if "pyscript" in each.target), found[0] if found else None)

    @property
    def core_url(self) -> str:
        """The address of PyScript; empty if the page does not name it."""
        return self.resolve(self.core.target) if self.core else ""

    @property
    def python(self) -> list[Element]:
        """The elements that hold Python, or name its file."""
        return [each for each in self.elements if _kind(each) == _PYTHON]

    @property
    def micropython(self) -> list[Element]:
        """Likewise, of MicroPython."""
        return [each for each in self.elements if _kind(each) == _MICROPYTHON]

    @property
    def sources(self) -> list[str]:
        """The addresses of its Python files."""
        return _unique(self.resolve(each.get("src")) for each in self.python if each.get("src"))

    @property
    def configs(self) -> list[str]:
        """The addresses of its configs."""
        named = [each.get("config") for each in self.python] + [
            each.get("src") for each in self.all("py-config")
        ]
        return _unique(self.resolve(name) for name in named if name and _is_file(name))

    @property
    def inline_configs(self) -> list[str]:
        """The configs that the HTML holds itself."""
        named = [each.get("config") for each in self.python]
        return [name for name in named if name and not _is_file(name)] + [
            each.text for each in self.all("py-config") if not each.get("src") and each.text.strip()
        ]

    @property
    def has_workers(self) -> bool:
        """Whether Python runs in a worker."""
        return any("worker" in each.attributes for each in self.python)

    @property
    def is_all_in_workers(self) -> bool:
        """Whether no Python runs in the page itself: workers get neither its session nor its prefetch."""
        return bool(self.python) and all("worker" in each.attributes for each in self.python)

    @property
    def session_scripts(self) -> list[Element]:
        """The elements that may hold a visitor's session."""
        return [each for each in self.all("script") if each.get("id") == "nextauth-session"]

    @property
    def has_session(self) -> bool:
        """Whether the client finds the session in the page, and need not ask for it."""
        kinds = [each.get("type").lower() for each in self.session_scripts]
        return kinds == ["application/json"] and not self.is_all_in_workers

    @property
    def is_from_cdn(self) -> bool:
        """Whether PyScript does not come from a bundle, which has it beside its other files."""
        return self.core is not None and not _path(self.core.target).endswith(f"/{BUNDLED_CORE}")

    @property
    def declared_base_path(self) -> str | None:
        """The base path at which session-prefetch.js asks; None if there is no such script."""
        scripts = self.scripts(PREFETCH)
        if not scripts:
            return None
        declared = scripts[0].attributes.get("data-base-path")
        return DEFAULT_BASE_PATH if declared is None else declared.rstrip("/")


def _path(url: str) -> str:
    return f"/{url.partition('?')[0].partition('#')[0]}"


def _is_file(config: str) -> bool:
    return not config.startswith("{") and bool(_CONFIG_FILE.search(config))


def _unique(urls: Iterator[str]) -> list[str]:
    return [url for url in dict.fromkeys(urls) if url]


def _kind(element: Element) -> str:
    if element.name == "script":
        return _KINDS.get(element.get("type").lower(), "")
    return {"py-script": _PYTHON, "mpy-script": _MICROPYTHON}.get(element.name, "")


class _Parser(HTMLParser):
    _KEPT = frozenset({"base", "link", "meta", "mpy-script", "py-config", "py-script", "script"})
    _WITH_TEXT = frozenset({"py-config", "script"})

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag in self._WITH_TEXT
        if tag in self._KEPT:
            # The first one of equal attributes counts.
            self.elements.append(Element(tag, {name: value or "" for name, value in reversed(attrs)}))

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = self._is_inside and tag not in self._WITH_TEXT

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            last = self.elements[-1]
            self.elements[-1] = Element(last.name, last.attributes, last.text + data)


def parse_page(answer: Answer) -> Page:
    """Read a page's HTML."""
    parser = _Parser()
    with suppress(AssertionError):  # Python's parser stops at some broken declarations
        parser.feed(answer.text)
    elements = tuple(parser.elements)
    bases = [each.get("href") for each in elements if each.name == "base" and each.get("href")]
    return Page(answer.url, elements, resolved(answer.url, bases[0]) if bases else answer.url)


def check_redirects(hops: list[Answer]) -> list[Finding]:
    """Say where a page led, and judge whether it has TLS."""
    findings = [
        note("redirect", f"{shown(hop.url)} leads to {shown(hop.location)}{_kind_of_redirect(hop)}")
        for hop in hops
        if hop.is_redirect
    ]
    last = hops[-1]
    if last.to_sign_in:
        findings.append(
            note(
                "redirect",
                "the page is for signed-in visitors: neither it nor a bundle that it names was read",
                "check a page that everybody may see too, such as the sign-in page",
            )
        )
    elif last.is_redirect:
        findings.append(
            error("redirect", "it leads on and on", "read the redirect rules of the server and of the proxy")
        )
    if not is_secure(last.url) and not is_loopback(last.url):
        findings.append(
            warning(
                "redirect",
                "the site has no TLS: passwords and sessions can be read on the way, and browsers "
                "keep nothing of the bundle",
                "serve it under https, and redirect from http",
            )
        )
    return findings


def _kind_of_redirect(hop: Answer) -> str:
    one, other = split_url(hop.url), split_url(hop.location)
    hosts = one.hostname or "", other.hostname or ""
    if (one.scheme, other.scheme) == ("http", "https") and hosts[0] == hosts[1]:
        return " (http to https)"
    if hosts[0] != hosts[1] and hosts[0].removeprefix("www.") == hosts[1].removeprefix("www."):
        return " (www)" if hosts[1].startswith("www.") else " (without www)"
    return ""


def check_page(page: Page, answer: Answer, bundle: str = "") -> list[Finding]:
    """Judge what a page loads.

    Args:
        page: The page.
        answer: What it was read from.
        bundle: The bundle's address, with a slash at its end; empty if it is not known.
    """
    if not answer.is_html:
        kind = answer.media_type or "no type"
        return [
            error("page", f"{shown(answer.url)} answers with {kind}, not HTML", "check the address of a page")
        ]
    if not page.core and not page.python:
        return [
            warning(
                "page",
                f"{shown(page.url)} loads no PyScript",
                "check the address of a page that does; if scripts add it, name the bundle with --bundle",
            )
        ]
    folder = shown(bundle, origin_of(page.url)) if bundle else "…/"
    loaded = [*_base(page), *_core(page, folder), *_python(page, folder), *_mixed(page)]
    return [*loaded, *_embedded(page, answer), *_cookies(answer)]


def _base(page: Page) -> Iterator[Finding]:
    if page.base != page.url and origin_of(page.base) != origin_of(page.url):
        yield warning(
            "page",
            f"its <base> leads to {origin_of(page.base)}, and with it the page's relative URLs",
            "take it out; the policy base-uri 'self' keeps injected ones out",
        )


def _core(page: Page, folder: str) -> Iterator[Finding]:
    core = page.core
    if not core:
        yield warning(
            "page",
            "it has Python, but its HTML names no core.js: nothing runs it, unless a script adds it later",
            f'<script type="module" src="{folder}{BUNDLED_CORE}"></script>',
        )
    elif core.name == "script" and not core.is_module:
        yield error(
            "page", "core.js is a module, and is loaded as a plain script", '<script type="module" src="…">'
        )
    else:
        yield ok("page", f"names {shown(page.core_url, origin_of(page.url))}")


def _python(page: Page, folder: str) -> Iterator[Finding]:
    if page.micropython:
        yield error(
            "page", "it has MicroPython scripts, which cannot import nextauth_py", '<script type="py">'
        )
    if page.python and not page.configs and not page.inline_configs:
        yield error(
            "page",
            "its Python has no config, so nextauth_py is not there to import",
            f'config="{folder}pyscript.json" at the <script type="py">',
        )


def _embedded(page: Page, answer: Answer) -> Iterator[Finding]:
    if not page.session_scripts:
        return
    if reason := shared_reason(answer):
        yield error(
            "embedded session",
            f"the page holds a visitor's session and says {reason}: a shared cache may give it to others",
            "`visitor.keep(response)`, or `Cache-Control: private, no-store`",
        )
    elif not {"private", "no-store", "no-cache"} & set(directives(answer.one("cache-control"))):
        yield warning(
            "embedded session",
            "the page holds a visitor's session and does not say that it is private",
            "`visitor.keep(response)`, or `Cache-Control: private, no-store`",
        )
    else:
        yield ok("embedded session", "the page is private to its visitor")


def _cookies(answer: Answer) -> Iterator[Finding]:
    names = listed(sorted({cookie.name for cookie in cookies_of(answer)}))
    if names and (reason := storing_reason(answer)):
        yield warning(
            "page",
            f"it sets cookies ({names}) and says {reason}: a cache that keeps both hands them to others",
            "Cache-Control: private, or no cookies",
        )


def _mixed(page: Page) -> Iterator[Finding]:
    loaded = [page.resolve(each.get("src")) for each in page.all("script", "py-config") if each.get("src")]
    plain = [shown(url) for url in [*loaded, *page.configs] if url and not is_secure(url)]
    if is_secure(page.url) and plain:
        yield error(
            "page", f"browsers refuse to load {listed(plain)} into a page with TLS", "name it with https://"
        )


def check_sources(page: Page, answers: Mapping[str, Answer]) -> list[Finding]:
    """Judge the Python files of a page.

    Args:
        page: The page.
        answers: What their addresses answered.
    """
    site = origin_of(page.url)
    findings = []
    for url, answer in answers.items():
        name = shown(url, site)
        fix = "let it through middleware and catch-all routes: secrets belong to the server, not into a page"
        if answer.to_sign_in:
            findings.append(error("python", f"{name} redirects to {shown(answer.location, site)}", fix))
        elif answer.failure or not (answer.ok or answer.is_redirect):
            findings.append(
                error("python", f"{name}: {answer.failure or answer.status}", "is the file published?")
            )
        elif answer.ok and answer.is_html:
            findings.append(error("python", f"{name} is an HTML page", fix))
    if answers and not findings:
        names = listed([shown(url, site) for url in answers])
        findings.append(ok("python", f"{names}: there, for everybody"))
    return findings
